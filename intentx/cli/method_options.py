"""The methods of ``intentx explain``, and which options are settings of which."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from intentx.errors import InputError
from intentx.explainers.change.equivalent import EquivalentQuery
from intentx.explainers.features.methods import FEATURE_METHODS
from intentx.explainers.methods import METHODS, Method, all_methods, find_method, method_names
from intentx.preferences.simple_rankers import Semantic, default_simple_rankers
from intentx.text import Analyzer

__all__ = ["OF_DOCUMENTS", "OF_RANKINGS", "MethodNames", "explaining", "having", "method_of", "takes"]

# Options that are settings of some methods, and None unless given: those of methods that explain
# rankings, and of those that explain documents.
OF_RANKINGS = (
    "candidates", "query_terms", "generality", "effects", "budget", "seconds", "stability", "dense",
    "objective", "max_weight", "controls", "collection",
)  # fmt: skip
OF_DOCUMENTS = ("samples", "k", "labels", "sampler", "steps", "reference", "removal", "mask")


class MethodNames:
    """The names of methods, for a parser: other packages' are looked for when they are needed."""

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str):  # a variant that there is not is told once the method is looked for
            name = name.partition(":")[0]
        return name in METHODS or name in FEATURE_METHODS or name in method_names()

    def __iter__(self) -> Iterator[str]:
        added = (name for name in method_names() if name not in METHODS)
        return iter((*METHODS, *FEATURE_METHODS, *added))


def explaining(what: str) -> list[str]:
    """The names of the methods that come along and explain a "ranking" or a "document"."""
    return [name for name, method in METHODS.items() if method.explains == what]


def takes(method: Method, option: str) -> bool:
    """Whether an option is a setting of a method, one that its name does not settle."""
    if option == "dense":
        return method.takes_encoder
    if option == "collection":  # that of other methods is no collection to search
        return issubclass(method.explainer, EquivalentQuery)
    return option in method.settings and option not in method.kept


def having(option: str, every: bool = False) -> list[str]:
    """The names of methods that take an option: of those that come along, or of every one."""
    methods = all_methods() if every else METHODS
    return [name for name, method in methods.items() if takes(method, option)]


def method_of(name: str, options: argparse.Namespace) -> Any:
    """The method with the settings that the command line gives it."""
    method = find_method(name)
    names = ("max_terms", "seed", *OF_RANKINGS, *OF_DOCUMENTS)
    given = {one: getattr(options, one) for one in names if one != "dense" and takes(method, one)}
    if takes(method, "grid") and getattr(options, "html", None) is not None:  # what pages have to open
        given["grid"] = True
    if takes(method, "analyzer") and options.analyzer != Analyzer():  # else the ranker may have its own
        given["analyzer"] = options.analyzer
    if method.takes_one_simple_ranker:
        given |= _simple_ranker(name, options)
    else:
        several = _simple_rankers(options, method.takes_encoder)
        given |= {one: value for one, value in several.items() if takes(method, one)}
    given = {one: value for one, value in given.items() if value is not None} | dict(method.chosen)
    try:
        return (method.maker or method.explainer)(**given)
    except TypeError as error:
        raise InputError(
            f"method {name!r} does not accept its settings, {', '.join(given)}: {error}"
        ) from error


def _simple_rankers(options: argparse.Namespace, takes_encoder: bool) -> dict[str, Any]:
    """Settings of methods that take any number of simple rankers."""
    if takes_encoder and options.encoder is not None and options.simple_rankers is None:
        return {"simple_rankers": default_simple_rankers(options.term_vectors, options.encoder)}
    return {"simple_rankers": options.simple_rankers, "vectors": options.term_vectors}


def _simple_ranker(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """The setting of methods that take one simple ranker."""
    if options.simple_rankers is None:
        return {}
    if len(options.simple_rankers) > 1:
        raise InputError(f"{name} takes one simple ranker, and --simple-rankers has several")
    [one] = options.simple_rankers
    return {"simple_ranker": Semantic(options.term_vectors) if one == "semantic" else one}
