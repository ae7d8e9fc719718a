"""The methods of ``intentx explain``, and which options are settings of which."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from intentx.errors import InputError
from intentx.explainers.methods import POINTWISE
from intentx.explainers.ranking.multiplex import IntentGreedy, Multiplex, QueryTerms, RandomTerms
from intentx.preferences.simple_rankers import Semantic, default_simple_rankers
from intentx.text import Analyzer

__all__ = ["LISTWISE", "OF_LISTWISE", "OF_POINTWISE", "method_of", "settings_of"]

LISTWISE: dict[str, Callable[[argparse.Namespace], Any]] = {
    "multiplex": lambda a: Multiplex(
        **_chosen(a), **_simple_rankers(a), **_given(a, ("generality", "effects", "budget", "seconds"))
    ),
    "multiplex-published": lambda a: Multiplex.published(
        **_chosen(a), simple_rankers=a.simple_rankers, vectors=a.term_vectors
    ),
    "greedy": lambda a: IntentGreedy(**_chosen(a), **_simple_ranker(a)),
    "query-terms": lambda a: QueryTerms(**_simple_rankers(a), analyzer=_words(a)),
    "random-terms": lambda a: RandomTerms(**_chosen(a), **_simple_rankers(a)),
}
# Options that are None unless given: those of listwise methods, and of some of the others.
CHOOSING = ("multiplex", "multiplex-published", "greedy", "random-terms")
OF_LISTWISE = {
    "candidates": CHOOSING,
    "query_terms": CHOOSING,
    "generality": ("multiplex",),
    "effects": ("multiplex",),
    "budget": ("multiplex",),
    "seconds": ("multiplex",),
    "dense": ("multiplex", "query-terms", "random-terms"),
}
OF_POINTWISE = ("samples", "k", "labels", "sampler", "steps", "reference", "removal", "mask")


def settings_of(name: str) -> set[str]:
    """The names of the settings of a method that explains documents."""
    return {field.name for field in dataclasses.fields(POINTWISE[name])}


def method_of(name: str, options: argparse.Namespace) -> Any:
    """The method with the settings that the command line gives it."""
    if name in LISTWISE:
        return LISTWISE[name](options)
    own = settings_of(name)
    return POINTWISE[name](
        **_given(options, [option for option in OF_POINTWISE if option in own]),
        max_terms=options.max_terms,
        simple_rankers=options.simple_rankers,
        vectors=options.term_vectors,
        analyzer=options.analyzer,
        seed=options.seed,
    )


def _simple_rankers(options: argparse.Namespace) -> dict[str, Any]:
    """Settings of methods that take any number of simple rankers."""
    if options.encoder is None or options.simple_rankers is not None:
        return {"simple_rankers": options.simple_rankers, "vectors": options.term_vectors}
    return {"simple_rankers": default_simple_rankers(options.term_vectors, options.encoder)}


def _simple_ranker(options: argparse.Namespace) -> dict[str, Any]:
    """The setting of the method that takes one simple ranker."""
    if options.simple_rankers is None:
        return {}
    if len(options.simple_rankers) > 1:
        raise InputError("greedy takes one simple ranker, and --simple-rankers has several")
    [one] = options.simple_rankers
    return {"simple_ranker": Semantic(options.term_vectors) if one == "semantic" else one}


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that all methods share which choose terms."""
    return {
        "max_terms": options.max_terms,
        "analyzer": _words(options),
        "seed": options.seed,
        **_given(options, ("candidates", "query_terms")),
    }


def _words(options: argparse.Namespace) -> Analyzer | None:
    """The analyzer that options ask for; None where none does: the ranker may have its own."""
    return None if options.analyzer == Analyzer() else options.analyzer


def _given(options: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Those of the options that were given: the others stay as the method has them."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}
