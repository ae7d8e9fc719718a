"""Rankers by name, as the command line spells them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import reduce

from intentx.errors import InputError
from intentx.rankers.bm25 import BM25
from intentx.rankers.encoders import BiEncoder
from intentx.scoring import Scorer

__all__ = ["SPECS", "load_ranker"]

SPECS = "bm25, bi-encoder:NAME_OR_PATH (or bi-encoder:minilm), module:callable"


def load_ranker(spec: str, collection: Sequence[str]) -> Scorer:
    """The scorer that ``spec`` names.

    Parameters
    ----------
    spec
        ``bm25``; ``bi-encoder:NAME_OR_PATH``, with ``minilm`` for the one of the demo extra; or
        ``module:callable`` for a callable of your own, e.g. ``mypackage.rankers:score``.
    collection
        Texts that term statistics come from, for rankers that need some.

    Raises
    ------
    InputError
        If there is no such ranker, or the callable cannot be imported.
    """
    kind, colon, rest = spec.partition(":")
    if kind in _BUILT_IN and (rest or not colon):
        return _BUILT_IN[kind](rest, collection)
    if colon and kind and rest:
        return _imported(kind, rest)
    raise InputError(f"no ranker {spec!r}; a ranker is one of: {SPECS}")


def _bm25(rest: str, collection: Sequence[str]) -> Scorer:
    if rest:
        raise InputError(f"bm25 takes nothing after it, not {rest!r}")
    return BM25(collection)


def _bi_encoder(rest: str, collection: Sequence[str]) -> Scorer:
    if not rest:
        raise InputError("bi-encoder needs a model: bi-encoder:NAME_OR_PATH or bi-encoder:minilm")
    return BiEncoder.minilm() if rest == "minilm" else BiEncoder(rest)


_BUILT_IN: dict[str, Callable[[str, Sequence[str]], Scorer]] = {
    "bm25": _bm25,
    "bi-encoder": _bi_encoder,
}


def _imported(module: str, name: str) -> Scorer:
    try:
        found = reduce(getattr, name.split("."), importlib.import_module(module))
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise InputError(f"module {module!r} cannot be imported: {error}") from error
        raise InputError(
            f"no ranker {module + ':' + name!r}: there is no module {error.name!r}, and it is none "
            f"of: {SPECS}"
        ) from error
    except AttributeError as error:
        raise InputError(f"module {module!r} has no {name!r}") from error
    if not callable(found):
        raise InputError(f"{module}:{name} is not callable; a ranker is (query, texts) -> scores")
    scorer: Scorer = found
    return scorer
