"""The methods of a study, made of what its file says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from intentx.errors import InputError
from intentx.explainers.methods import make_method
from intentx.preferences.simple_rankers import (
    NO_ENCODER,
    Encoder,
    Semantic,
    chosen_simple_rankers,
    default_simple_rankers,
)
from intentx.preferences.vectors import TermVectors
from intentx.text import Analyzer

__all__ = ["study_method"]

DENSE = ("multiplex", "query-terms", "random-terms")  # methods that take a fourth simple ranker
ONE = "greedy"  # the method with one simple ranker


def study_method(
    name: str,
    plain: Mapping[str, Any],
    vectors: TermVectors | None = None,
    encoder: Encoder | None = None,
    analyzer: Analyzer | None = None,
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

    Raises
    ------
    InputError
        If there is no such method, it has no such setting, or a value is out of range.
    """
    settings = {key: value for key, value in plain.items() if key not in ("method", "rankers", "dense")}
    if analyzer is not None:
        settings["analyzer"] = analyzer
    kind, dense = plain.get("method"), plain.get("dense")
    if not isinstance(kind, str):
        raise InputError(f"[methods] {name}: method = '…' is missing")
    key = _key(kind)
    named = settings.get(key) is not None
    if dense is not None and (not (named or kind in DENSE) or not dense or not isinstance(dense, str)):
        raise InputError(
            f"[methods] {name}: dense = 'MODEL' names an encoder for {', '.join(DENSE)}, or for 'dense' "
            f"in {key}; not {dense!r} for {kind}"
        )
    try:
        if named:
            settings[key] = _named(kind, settings[key], dense, encoder, vectors)
        made = make_method(kind, settings)
    except InputError as error:
        raise InputError(f"[methods] {name}: {error}") from error
    # Made anew: what comes of the vectors in `Multiplex.published` is no field to replace.
    if encoder is not None and not named:
        return make_method(kind, settings | {"simple_rankers": default_simple_rankers(vectors, encoder)})
    if vectors is None or not any(f.name == "vectors" for f in dataclasses.fields(made)):
        return made
    if named and "semantic" not in settings[key]:
        return made
    return make_method(kind, settings | {"vectors": vectors})


def _key(kind: str) -> str:
    return "simple_ranker" if kind == ONE else "simple_rankers"


def _named(
    kind: str,
    given: Any,
    dense: str | None,
    encoder: Encoder | None,
    vectors: TermVectors | None,
) -> Any:
    """The simple rankers that an entry names, as settings of its method."""
    chosen = chosen_simple_rankers(given, encoder or (dense and NO_ENCODER) or None)
    if dense is not None and not any(getattr(one, "name", one) == "dense" for one in chosen):
        raise InputError(
            f"dense = {dense!r} is the encoder of the simple ranker 'dense', which {_key(kind)} = "
            f"{given!r} lacks"
        )
    if kind != ONE:
        return chosen
    if len(chosen) > 1:
        raise InputError(f"{kind} takes one simple ranker, not {given!r}")
    return Semantic(vectors) if chosen == ("semantic",) else chosen[0]
