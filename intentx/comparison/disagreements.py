"""Where rankers disagree on a query, and what the documents they prefer hold more of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.comparison.preferred import orders
from intentx.preferences.simple_rankers import TextMatching
from intentx.text import Analyzer, TextIndex

__all__ = ["PROPERTIES", "Evidence", "Query"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

BLOCK = 4_000_000  # comparisons at once

# Properties of documents that people ask about, and what more of each means.
PROPERTIES = {
    "length": "longer documents",
    "query terms": "more of the query's different terms",
    "query matches": "more occurrences of the query's terms",
    "early match": "a first match nearer to the beginning",
}


@dataclass(frozen=True)
class Evidence:
    """One query: the texts of N documents, and their scores by each ranker, (N,)."""

    qid: str
    query: str
    texts: Sequence[str] = dataclasses.field(repr=False)
    scores: Mapping[str, Floats] = dataclasses.field(repr=False)


class Query:
    """One query: how much each document holds of each term, and where the rankers disagree."""

    def __init__(self, evidence: Evidence, analyzer: Analyzer, rankers: Sequence[str]) -> None:
        index = TextIndex(evidence.texts, analyzer)
        often = np.diff(index.counts.indptr) > 1 if index.vocabulary else np.empty(0, dtype=bool)
        self.terms = tuple(t for t, n in zip(index.vocabulary, often.tolist(), strict=True) if n)
        number = len(evidence.texts)
        scores = TextMatching().term_scores(self.terms, index) if self.terms else np.empty((0, number))
        self.levels = _levels(np.concatenate([_properties(evidence.query, index), scores]))
        self.names = (*PROPERTIES, *self.terms)
        self.place = {("property", name): i for i, name in enumerate(PROPERTIES)}
        self.place |= {("term", name): i for i, name in enumerate(self.terms, start=len(PROPERTIES))}
        self._texts = np.array(evidence.texts, dtype=object)
        self._holds = np.ones((number, len(self.names)), dtype=bool)
        self._holds[:, len(PROPERTIES) :] = scores.T > 0
        self._orders = {r: orders(evidence.scores[r]) for r in rankers if r in evidence.scores}
        self._counted: dict[tuple[str, str], npt.NDArray[np.intp]] = {}

    def holding(self, place: int) -> Sequence[str]:
        """The texts that hold a term, by its place; all of them of a property."""
        return list(self._texts[self._holds[:, place]])

    def pairs(self, ranker: str) -> tuple[Indices, Indices]:
        """Documents that the ranker puts above and below, and another the other way round."""
        found = [self._contradicted(ranker, other) for other in self._others(ranker)]
        if not found:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        high, low = zip(*found, strict=True)
        return np.concatenate(high), np.concatenate(low)

    def counted(self, ranker: str) -> npt.NDArray[np.intp]:
        """(2, K) pairs in which the preferred document holds more of each thing, and less."""
        total = np.zeros((2, len(self.names)), dtype=np.intp)
        for other in self._others(ranker):
            if (other, ranker) in self._counted:  # the same pairs, turned round
                total += self._counted[other, ranker][::-1]
                continue
            one = np.zeros_like(total)
            high, low = self._contradicted(ranker, other)
            step = max(1, BLOCK // len(self.names))
            for start in range(0, len(high), step):
                above, below = (self.levels[end[start : start + step]] for end in (high, low))
                one[0] += np.count_nonzero(above > below, axis=0)
                one[1] += np.count_nonzero(above < below, axis=0)
            self._counted[ranker, other] = one
            total += one
        return total

    def differences(self, ranker: str, places: Sequence[int]) -> Floats:
        """(P, 2k) by how much more of some things the preferred document holds: signs, then levels."""
        high, low = self.pairs(ranker)
        levels = self.levels[:, list(places)].astype(np.float64)
        gap = levels[high] - levels[low]
        return np.concatenate([np.sign(gap), gap / np.maximum(levels.max(axis=0), 1)], axis=1)

    def _others(self, ranker: str) -> list[str]:
        return [other for other in self._orders if other != ranker] if ranker in self._orders else []

    def _contradicted(self, ranker: str, other: str) -> tuple[Indices, Indices]:
        high, low = np.nonzero((self._orders[ranker] > 0) & (self._orders[other] < 0))
        return high, low


def _properties(query: str, index: TextIndex) -> Floats:
    """(4, N) amounts of `PROPERTIES` in each text."""
    terms = list(dict.fromkeys(index.analyzer.terms(query)))
    counts = index.counts_of(terms)
    wanted = np.isin(index.term, index.rows(terms))
    first = np.full(len(index.texts), np.inf)
    start = np.searchsorted(index.text, np.arange(len(index.texts)))
    np.minimum.at(first, index.text[wanted], (np.arange(len(index.term)) - start[index.text])[wanted])
    return np.stack([index.lengths, (counts > 0).sum(axis=0), counts.sum(axis=0), -first])


def _levels(values: Floats) -> npt.NDArray[np.uint16]:
    """(N, K) the place of each of (K, N) values among those of its row: small and quick to compare."""
    kept = np.where(np.isfinite(values), np.round(values, 9), -1e300)
    order = np.argsort(kept, axis=1, kind="stable")
    ordered = np.take_along_axis(kept, order, axis=1)
    rises = np.zeros(values.shape, dtype=np.uint16)
    rises[:, 1:] = np.cumsum(ordered[:, 1:] > ordered[:, :-1], axis=1)
    levels = np.empty_like(rises)
    np.put_along_axis(levels, order, rises, axis=1)
    return np.ascontiguousarray(levels.T)
