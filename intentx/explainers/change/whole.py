"""A whole collection, in which the documents of a ranking stand among all others."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.documents import Documents, as_documents
from intentx.errors import InputError
from intentx.explainers.change.term_sets import Goal, Likeness
from intentx.preferences.matching import TextMatching
from intentx.rankers.bm25 import BM25
from intentx.ranking import Ranking
from intentx.search import SearchIndex
from intentx.text import Analyzer, TextIndex

__all__ = ["Competition", "Whole"]

Floats = npt.NDArray[np.float64]
TIED = 9  # decimals of a score: what differs less is rounding
BEYOND = 50  # documents that are looked at behind twice the length of the list, for ties


class Whole:
    """A collection that queries are run on: documents in memory, or a search index of them.

    Parameters
    ----------
    given
        Documents in any of the forms of `intentx.rank`, or a `SearchIndex`.

    Examples
    --------
    >>> len(Whole(["green tea", "a boat"]))
    2
    """

    def __init__(self, given: Documents | SearchIndex) -> None:
        self.room = given if isinstance(given, SearchIndex) else None
        self._documents = () if self.room is not None else tuple(as_documents(given))
        self._last: tuple[Analyzer, TextIndex] | None = None

    def __len__(self) -> int:
        return len(self._documents) if self.room is None else len(self.room)

    @property
    def name(self) -> str:
        """What settings call it."""
        kind = "documents" if self.room is None else "documents of an index"
        return f"{len(self):,} {kind}"

    def competition(
        self, ranking: Ranking, analyzer: Analyzer, ranker: TextMatching, goal: Goal
    ) -> Competition:
        """What a ranking's documents compete in.

        Raises
        ------
        InputError
            If an index has other words, or cannot rank in this way.
        """
        room = self.room
        if room is None:
            if self._last is None or self._last[0] != analyzer:
                texts = [one.content for one in self._documents]
                self._last = analyzer, TextIndex(texts, analyzer)
            ids = [one.id for one in self._documents]
            _check_held(ranking, set(ids))
            return Competition(ranking, goal, _InMemory(ids, self._last[1], ranker))
        if room.analyzer != analyzer:
            raise InputError(
                "the collection is an index whose words are found in another way: give analyzer="
                "index.analyzer, or the documents themselves"
            )
        if ranker != TextMatching("bm25", ranker.k1, ranker.b) or (ranker.k1, ranker.b) != (
            room.k1, room.b,
        ):  # fmt: skip
            raise InputError(
                f"a search index ranks by BM25 with k1={room.k1:g} and b={room.b:g}: give "
                f"simple_ranker=TextMatching(k1={room.k1:g}, b={room.b:g}), or as the collection the "
                f"documents themselves for {ranker.name}"
            )
        _check_held(ranking, room.texts)
        return Competition(ranking, goal, _Indexed(room))


def _check_held(ranking: Ranking, ids: Container[str]) -> None:
    absent = [one for one in ranking.doc_ids if one not in ids]
    if absent:
        raise InputError(
            f"document {absent[0]!r} of the ranking is not in the collection ({len(absent)} of "
            f"{len(ranking)} are not): give the collection that the ranking is of, with the same ids"
        )


class Hit(NamedTuple):
    """Documents found, best first: ids, texts and scores."""

    ids: Sequence[str]
    texts: Sequence[str]
    scores: Floats


class _InMemory:
    """Documents that are indexed here."""

    def __init__(self, ids: Sequence[str], index: TextIndex, ranker: TextMatching) -> None:
        self.ids, self.index, self.ranker = ids, index, ranker
        self.name = ranker.name

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        """(T, N) scores in any texts, by the statistics of the collection."""
        index = TextIndex(index.texts, index.analyzer, self.index)
        return self.ranker.term_scores(terms, index)

    def best(self, weights: Mapping[str, float], n: int) -> Hit:
        """The best documents that hold a term of a query."""
        terms = tuple(weights)
        scores = np.array([*weights.values()]) @ self.ranker.term_scores(terms, self.index)
        found = np.flatnonzero(self.index.counts_of(terms).any(axis=0))
        found = found[np.argsort(-scores[found], kind="stable")[:n]]
        places = found.tolist()
        texts = [self.index.texts[i] for i in places]
        return Hit([self.ids[i] for i in places], texts, scores[found])


class _Indexed:
    """A search index."""

    def __init__(self, room: SearchIndex) -> None:
        self.room, self._bm25 = room, BM25.of_index(room)
        self.name = TextMatching("bm25", room.k1, room.b).name

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        """(T, N) scores in any texts, by the statistics of the index."""
        return self._bm25.term_scores(terms, index.texts)

    def best(self, weights: Mapping[str, float], n: int) -> Hit:
        """The best documents that hold a term of a query."""
        terms = [term for term, weight in weights.items() for _ in range(round(weight))]
        ids, scores = self.room.search_terms(terms, n)
        return Hit(ids, [self.room.document(one).content for one in ids], scores)


class Competition:
    """The documents of a ranking among those of a collection, for one simple ranker.

    Attributes
    ----------
    ranker
        The simple ranker, with the statistics of the collection.
    """

    def __init__(self, ranking: Ranking, goal: Goal, among: _InMemory | _Indexed) -> None:
        self.ranking, self.goal, self.ranker = ranking, goal, among
        self._place = {doc_id: i for i, doc_id in enumerate(ranking.doc_ids)}

    def order(self, weights: Mapping[str, float], goal: Goal) -> npt.NDArray[np.intp]:
        """(P,) the numbers of the ranking's documents as a query ranks them, others in between.

        Others have numbers from N. Ties stand in the worst order. Documents that are not found come
        last in that order for τ; for other goals they are in no place, which the number P says.
        """
        n = len(self.ranking)
        found = self.ranker.best(weights, 2 * n + BEYOND) if weights else Hit((), (), np.zeros(0))
        numbers = [self._place.get(one, n + i) for i, one in enumerate(found.ids)]
        scores = np.round(found.scores, TIED)
        places = np.array(numbers, dtype=np.intp)
        ranked = places[np.lexsort((-places, -scores))]
        lost = np.setdiff1d(np.arange(n), ranked)[::-1]
        # Others are numbered without gaps.
        _, dense = np.unique(np.concatenate([ranked, lost]), return_inverse=True)
        if goal != "tau":
            dense[len(ranked) :] = len(dense)
        return dense.astype(np.intp)

    def value(self, weights: Mapping[str, float], goal: Goal | None = None) -> float:
        """How far the query's ranking of the whole collection is like the ranking."""
        goal = goal or self.goal
        order = self.order(weights, goal)
        return float(Likeness(goal, len(self.ranking), len(order))(order[None])[0])

    def intruders(self, weights: Mapping[str, float]) -> dict[str, str]:
        """Texts of other documents among the first N of a query, by their ids."""
        found = self.ranker.best(weights, len(self.ranking))
        pairs = zip(found.ids, found.texts, strict=True)
        return {name: text for name, text in pairs if name not in self._place}

    def columns(self, terms: Sequence[str], texts: Sequence[str], analyzer: Analyzer) -> Any:
        """(T, N) scores of terms in texts."""
        return self.ranker.term_scores(terms, TextIndex(texts, analyzer))
