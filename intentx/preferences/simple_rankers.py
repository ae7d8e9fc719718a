"""Simple rankers: ways to score a document for a set of terms that a person can follow.

Each is additive over terms: it gives every term a score in every document, and the score of a
term set is the sum. A simple ranker of your own is any object with a ``name`` and a method
``term_scores(terms, index) -> (T, N)``; the `TextIndex` holds the texts, the analyzer, and every
term occurrence as arrays. One that depends on more, such as the query, has a method
``for_ranking(ranking)`` besides, which gives the simple ranker to use for a ranking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.preferences.matching import TermStatistics, TextMatching
from intentx.preferences.matrices import TermScores
from intentx.preferences.meaning import Dense, Encoder, Semantic
from intentx.preferences.position import PositionAware
from intentx.preferences.proximity import Proximity
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import TextIndex

__all__ = [
    "NO_ENCODER",
    "SIMPLE_RANKERS",
    "Dense",
    "Encoder",
    "PositionAware",
    "Proximity",
    "Semantic",
    "SimpleRanker",
    "SimpleRankers",
    "TermStatistics",
    "TextMatching",
    "checked_simple_rankers",
    "chosen_simple_rankers",
    "default_simple_rankers",
    "simple_rankers_for",
    "term_scores",
]

Floats = npt.NDArray[np.float64]


class SimpleRanker(Protocol):
    """A named, additive way to score documents for terms."""

    @property
    def name(self) -> str: ...

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        """(T, N) score of each term in each text of the index."""
        ...


SimpleRankers = str | Sequence[SimpleRanker | str]


def term_scores(
    terms: Sequence[str], index: TextIndex, simple_rankers: Sequence[SimpleRanker]
) -> TermScores:
    """Score each term in each text under each simple ranker.

    Raises
    ------
    InputError
        If a simple ranker returns another shape than (T, N), or values that are not finite.
    """
    if not simple_rankers:
        raise InputError("at least one simple ranker is needed")
    values = []
    for ranker in simple_rankers:
        scores = np.asarray(ranker.term_scores(terms, index), dtype=np.float64)
        if scores.shape != (len(terms), len(index.texts)) or not np.isfinite(scores).all():
            raise InputError(
                f"simple ranker {ranker.name!r} must return finite scores of shape "
                f"({len(terms)}, {len(index.texts)}), terms x texts; it returned {scores.shape}"
            )
        values.append(scores)
    return TermScores(np.stack(values), tuple(terms), tuple(ranker.name for ranker in simple_rankers))


def chosen_simple_rankers(
    given: SimpleRankers, encoder: Encoder | None = None
) -> tuple[SimpleRanker | str, ...]:
    """Simple rankers as a user names them, checked: names stay names, in one spelling each.

    Parameters
    ----------
    given
        A list with commas, such as ``"text,position,semantic"``; or a sequence of names and of simple
        rankers. Names are those of `SIMPLE_RANKERS`, ``"text"`` for ``"bm25"``, and what an explanation
        calls them, such as ``"position aware"``.
    encoder
        What ``"dense"`` asks.

    Raises
    ------
    InputError
        If there is none, one is named twice, a name is unknown, something is no simple ranker, or
        ``"dense"`` has no encoder.

    Examples
    --------
    >>> chosen_simple_rankers("text, position")
    ('bm25', 'position')
    """
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, Sequence) or not parts or parts == [""]:
        raise InputError(
            "simple_rankers must be a list of one or more, such as 'text,position' or ['text', "
            f"'position'], not {given!r}; {_CHOICES}"
        )
    chosen = tuple(_one(part, encoder) for part in parts)
    names = [SIMPLE_RANKERS[one].name if isinstance(one, str) else one.name for one in chosen]
    for place, name in enumerate(names):
        if name in names[:place]:
            first, second = parts[names.index(name)], parts[place]
            raise InputError(
                f"a simple ranker is given twice: {name!r}, by {first!r} and {second!r}; leave one of "
                "them out, or give it a name of its own"
            )
    return chosen


def checked_simple_rankers(
    given: SimpleRankers | None, vectors: TermVectors | None, setting: str = "simple_rankers"
) -> tuple[SimpleRanker | str, ...] | None:
    """`chosen_simple_rankers` of a method's setting, which messages name; None stays None.

    Raises
    ------
    InputError
        As there, and for vectors where no simple ranker takes them.
    """
    if given is None:
        return None
    try:
        chosen = chosen_simple_rankers(given)
    except InputError as error:
        if setting in str(error):
            raise
        raise InputError(f"{setting}: {error}") from error
    if vectors is not None and "semantic" not in chosen:
        names = ", ".join(one if isinstance(one, str) else one.name for one in chosen)
        raise InputError(
            "vectors are those of the default simple rankers, or of 'semantic' by its name; with "
            f"simple_rankers of your own, give them to Semantic(vectors): there is no 'semantic' by its "
            f"name in {names}"
        )
    return chosen


def _one(part: SimpleRanker | str, encoder: Encoder | None) -> SimpleRanker | str:
    if not isinstance(part, str):
        if not callable(getattr(part, "term_scores", None)) or not hasattr(part, "name"):
            raise InputError(
                "a simple ranker is a name, or an object with a name and a method "
                f"term_scores(terms, index), not {part!r}; {_CHOICES}"
            )
        return part
    spelt = part.strip().lower()
    name = _ALIASES.get(spelt, spelt)
    if name not in SIMPLE_RANKERS:
        raise InputError(f"no simple ranker {part.strip()!r}; {_CHOICES}")
    if name != "dense":
        return name
    if encoder is None:
        raise InputError(
            "the simple ranker 'dense' needs an encoder: --dense MODEL on the command line, dense = "
            "'MODEL' in a study, Dense(encoder) in its place in Python"
        )
    return Dense(encoder)


def simple_rankers_for(
    ranking: Ranking, given: SimpleRankers | None, vectors: TermVectors | None = None
) -> tuple[SimpleRanker, ...]:
    """Simple rankers as they are used for a ranking.

    Names become what they stand for, ``"semantic"`` with ``vectors``; None becomes the default ones.
    Those that depend on the ranking, by ``for_ranking``, are as they are for it.
    """
    if given is None:
        rankers = default_simple_rankers(vectors)
    else:
        rankers = tuple(_named(one, vectors) for one in chosen_simple_rankers(given))
    return tuple(own.for_ranking(ranking) if hasattr(own, "for_ranking") else own for own in rankers)


def _named(one: SimpleRanker | str, vectors: TermVectors | None) -> SimpleRanker:
    if not isinstance(one, str):
        return one
    return Semantic(vectors) if one == "semantic" else SIMPLE_RANKERS[one]


def default_simple_rankers(
    vectors: TermVectors | None = None, encoder: Encoder | None = None
) -> tuple[SimpleRanker, ...]:
    """Text matching (BM25), position aware, semantic with ``vectors``, and dense with an ``encoder``."""
    dense = () if encoder is None else (Dense(encoder),)
    return (TextMatching(), PositionAware(), Semantic(vectors), *dense)


class _NoEncoder:
    """Stands for the encoder of ``"dense"`` in the list of names, where there is none yet."""

    def vectors(self, texts: Sequence[str], side: str) -> Floats:
        raise InputError("an encoder was named and not loaded")


NO_ENCODER = _NoEncoder()

SIMPLE_RANKERS: Mapping[str, SimpleRanker] = {
    "bm25": TextMatching(),
    "tf": TextMatching("tf"),
    "tfidf": TextMatching("tfidf"),
    "lm": TextMatching("lm"),
    "position": PositionAware(),
    "semantic": Semantic(),
    "dense": Dense(NO_ENCODER),
    "proximity": Proximity(),
}
"""Every simple ranker by its name; ``"semantic"`` gets the vectors at hand, ``"dense"`` an encoder."""

_ALIASES = {"text": "bm25"} | {ranker.name: name for name, ranker in SIMPLE_RANKERS.items()}
_CHOICES = f"choose from {', '.join(SIMPLE_RANKERS)} (text is bm25)"
