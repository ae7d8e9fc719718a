"""The methods of a study, made of what its file says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from intentx.errors import InputError
from intentx.explainers.features.methods import FEATURE_METHODS
from intentx.explainers.methods import METHODS, Method, find_method
from intentx.plugins import nearest
from intentx.preferences.simple_rankers import (
    NO_ENCODER,
    Encoder,
    Semantic,
    chosen_simple_rankers,
    default_simple_rankers,
)
from intentx.preferences.vectors import TermVectors
from intentx.text import Analyzer

__all__ = ["TRAIN", "study_method"]

SEARCH = "search"  # the setting ``method`` of valid features, where ``method`` names the method
TRAIN = "train"  # background: rows of the documents that [data] train names


def study_method(
    name: str,
    plain: Mapping[str, Any],
    vectors: TermVectors | None = None,
    encoder: Encoder | None = None,
    analyzer: Analyzer | None = None,
    *,
    of_features: bool = False,
) -> Any:
    """The method that ``[methods]`` describes by ``plain`` under ``name``.

    Parameters
    ----------
    vectors
        Of terms, for methods that use them.
    encoder
        What ``dense`` of ``plain`` names, loaded.
    analyzer
        What reads texts; None: the method's own.
    of_features
        Whether the study is of rankers over features. ``background = "train"`` then stands for rows of
        the training documents, which come with each query: it is left out here.

    Raises
    ------
    InputError
        If there is no such method, it has no such setting, or a value is out of range.
    """
    settings = {key: value for key, value in plain.items() if key not in ("method", "rankers", "dense")}
    if analyzer is not None:
        settings["analyzer"] = analyzer
    kind = plain.get("method")
    if not isinstance(kind, str):
        raise InputError(f"[methods] {name}: method = '…' is missing")
    try:
        if of_features:
            return _of_features(kind, settings)
        if kind in FEATURE_METHODS:
            raise InputError(f"{kind} explains rankers over features: it needs [data] letor")
        return _made(find_method(kind), settings, plain.get("dense"), vectors, encoder)
    except InputError as error:
        raise InputError(f"[methods] {name}: {error}") from error


def _global(kind: str) -> bool:
    """Whether a method for features explains a ranker over many rankings."""
    explainer: Any = FEATURE_METHODS[kind].explainer
    return bool(explainer.questions == ("rankings",))


def _of_features(kind: str, settings: dict[str, Any]) -> Any:
    if kind not in FEATURE_METHODS or _global(kind):
        able = [n for n in FEATURE_METHODS if not _global(n)]
        raise InputError(
            f"{kind!r} does not explain single rankings by features; choose one of {', '.join(able)}"
            f"{nearest(kind, able)}"
        )
    if settings.get("units", "features") != "features":
        raise InputError("documents by their features have no words: leave units out")
    if kind == "valid-features" and SEARCH in settings:
        settings = {("method" if n == SEARCH else n): value for n, value in settings.items()}
    if settings.get("background") == TRAIN:
        settings = {name: value for name, value in settings.items() if name != "background"}
    return FEATURE_METHODS[kind].make(settings)


def _made(
    method: Method,
    settings: dict[str, Any],
    dense: Any,
    vectors: TermVectors | None,
    encoder: Encoder | None,
) -> Any:
    """The method with its settings, and with the vectors and the encoder where it takes them."""
    if not dataclasses.is_dataclass(method.explainer):
        raise InputError(
            f"{method.name!r} has no settings that a study could keep: its class "
            f"{method.explainer.__name__} must be a dataclass"
        )
    key = _key(method)
    named = settings.get(key) is not None
    allowed = named or method.takes_encoder
    if dense is not None and (not allowed or not dense or not isinstance(dense, str)):
        able = ", ".join(name for name, one in METHODS.items() if one.takes_encoder)
        raise InputError(
            f"dense = 'MODEL' names an encoder for {able}, or for 'dense' in {key}; not {dense!r} for "
            f"{method.name}"
        )
    if named:
        settings[key] = _named(method, settings[key], dense, encoder, vectors)
    made = method.make(settings)
    # Made anew: what comes of the vectors in `Multiplex.published` is no field to replace.
    if encoder is not None and not named:
        return method.make(settings | {"simple_rankers": default_simple_rankers(vectors, encoder)})
    if vectors is None or "vectors" not in method.settings:
        return made
    if named and "semantic" not in settings[key]:
        return made
    return method.make(settings | {"vectors": vectors})


def _key(method: Method) -> str:
    return "simple_ranker" if method.takes_one_simple_ranker else "simple_rankers"


def _named(
    method: Method,
    given: Any,
    dense: str | None,
    encoder: Encoder | None,
    vectors: TermVectors | None,
) -> Any:
    """The simple rankers that an entry names, as settings of its method."""
    chosen = chosen_simple_rankers(given, encoder or (dense and NO_ENCODER) or None)
    if dense is not None and not any(getattr(one, "name", one) == "dense" for one in chosen):
        raise InputError(
            f"dense = {dense!r} is the encoder of the simple ranker 'dense', which {_key(method)} = "
            f"{given!r} lacks"
        )
    if not method.takes_one_simple_ranker:
        return chosen
    if len(chosen) > 1:
        raise InputError(f"{method.name} takes one simple ranker, not {given!r}")
    return Semantic(vectors) if chosen == ("semantic",) else chosen[0]
