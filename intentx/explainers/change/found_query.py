"""The query whose order of some documents is most like a given one."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from intentx.coverage.solve import solve
from intentx.explainers.change.leaning import LEAST, Leaning
from intentx.explainers.change.query_search import best_first, search
from intentx.explainers.change.term_sets import Goal, Likeness, TermSets
from intentx.explainers.change.whole import Competition
from intentx.preferences import PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.candidates import QueryTermsUse, candidate_terms
from intentx.preferences.simple_rankers import SimpleRanker
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["FoundQuery", "Looking", "Weighted", "find", "find_among"]

Floats = npt.NDArray[np.float64]

ROUNDS = 10  # of a search in a whole collection


class Looking(Protocol):
    """The settings of a search."""

    @property
    def max_terms(self) -> int: ...
    @property
    def objective(self) -> Goal: ...
    @property
    def max_weight(self) -> int: ...
    @property
    def generality(self) -> float: ...
    @property
    def simple_ranker(self) -> Any: ...
    @property
    def candidates(self) -> int: ...
    @property
    def query_terms(self) -> QueryTermsUse: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Weighted:
    """A simple ranker that gives terms weights."""

    ranker: SimpleRanker
    weights: dict[str, float]

    @property
    def name(self) -> str:
        """That of the simple ranker."""
        return self.ranker.name

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        """(T, N) weighted scores of each term in each text."""
        weights = np.array([self.weights.get(term, 1.0) for term in terms])
        return np.asarray(weights[:, None] * self.ranker.term_scores(terms, index))


@dataclass(frozen=True)
class FoundQuery:
    """A query found in some documents, and how to score others with it.

    Attributes
    ----------
    first
        The terms and weights that best-first search found; none where it was left out.
    """

    terms: tuple[str, ...]
    ranker: Weighted
    index: TextIndex
    first: dict[str, float] = field(default_factory=dict)

    def scores(self, texts: Sequence[str]) -> Floats:
        """(N,) scores of texts, by the statistics of those that the query was found in."""
        index = TextIndex(texts, self.index.analyzer, self.index)
        return np.asarray(self.ranker.term_scores(self.terms, index).sum(axis=0))


def find(
    looking: Looking, ranking: Ranking, index: TextIndex, steps: int, *, quick: bool = False
) -> FoundQuery:
    """The best query for a ranking of some documents.

    Parameters
    ----------
    index
        Of the ranking's texts.
    quick
        Whether only the iterated search runs, which alone nearly always finds what the others do not.
    """
    began = time.perf_counter()
    pool = _pool(looking, ranking, index)
    ranker = looking.simple_ranker
    values = ranker.term_scores(pool, index)
    sets = _sets(looking, values, len(ranking))
    own = _own(ranking, index.analyzer, pool)
    others: list[Sequence[int]] = []
    first: tuple[int, ...] = ()
    if not quick:
        first = best_first(sets, Likeness(looking.objective, sets.listed, sets.pool)).columns
        pairs = preference_pairs(ranking, log_weights=True)
        matrices = PreferenceMatrices(TermScores(values[None], pool), pairs)
        others = [solve(matrices, sets.max_terms, method="descent", seed=looking.seed).indices]
    leaning = None
    if looking.generality and len(ranking) >= LEAST:
        leaning = Leaning(values, own, looking.generality, looking.max_weight)
    best = search(
        sets, looking.objective, own, others, first=first,
        steps=steps, deadline=_deadline(looking, began), seed=looking.seed, leaning=leaning,
    )  # fmt: skip
    order = sorted(best.columns, key=lambda one: (-values[sets.term(one)].sum(), sets.term(one)))
    weights = _named(sets, order, pool)
    first_weights = _named(sets, first, pool)
    return FoundQuery(tuple(weights), Weighted(ranker, weights), index, first_weights)


def find_among(
    looking: Looking, ranking: Ranking, index: TextIndex, steps: int, whole: Competition
) -> FoundQuery:
    """The best query for a ranking whose documents stand among all those of a collection.

    A search knows the ranking's documents and a few others. Those that its queries bring in from the
    collection are added, and it is repeated, until none comes. The best query of all by the ranking of
    the whole collection is the answer, those of best-first search and the original one included.
    """
    began = time.perf_counter()
    pool, goal, ranker = _pool(looking, ranking, index), looking.objective, whole.ranker
    matching = looking.simple_ranker.weighting != "lm"  # whose scores may be below 0
    own = _own(ranking, index.analyzer, pool)
    chosen = {pool[i]: 1.0 for i in own[: looking.max_terms]}
    others = whole.intruders(chosen)
    values = np.hstack(
        [ranker.term_scores(pool, index), whole.columns(pool, [*others.values()], index.analyzer)]
    )
    best, first, highest, highest_first = chosen, chosen, -math.inf, -math.inf
    if chosen:
        highest = whole.value(chosen)
    for number in range(ROUNDS):
        sets = _sets(looking, values, len(ranking), matching)
        likeness = Likeness(goal, sets.listed, sets.pool)
        baseline = best_first(sets, likeness).columns
        found = search(
            sets, goal, own, first=baseline, steps=max(1, steps // ROUNDS),
            deadline=_deadline(looking, began), seed=looking.seed + number,
        ).columns  # fmt: skip
        new: dict[str, str] = {}
        for columns in (baseline, found):
            weights = _named(sets, columns, pool)
            value = whole.value(weights)
            if value > highest:
                best, highest = weights, value
            if columns is baseline and value > highest_first:
                first, highest_first = weights, value
            new |= whole.intruders(weights)
        new = {name: text for name, text in new.items() if name not in others}
        late = time.perf_counter() >= _deadline(looking, began)
        if not new or late:
            break
        others |= new
        values = np.hstack([values, whole.columns(pool, [*new.values()], index.analyzer)])
    by_mass = dict(zip(pool, values[:, : len(ranking)].sum(axis=1).tolist(), strict=True))
    weights = {term: best[term] for term in sorted(best, key=lambda term: (-by_mass[term], term))}
    return FoundQuery(tuple(weights), Weighted(ranker, weights), index, first)


def _pool(looking: Looking, ranking: Ranking, index: TextIndex) -> tuple[str, ...]:
    return candidate_terms(
        ranking,
        looking.candidates,
        index=index,
        importance="text-matching",
        query_terms=looking.query_terms,
    ).terms


def _sets(looking: Looking, values: Floats, listed: int, matching: bool = False) -> TermSets:
    return TermSets(
        values, listed, max_terms=looking.max_terms, max_weight=looking.max_weight, matching=matching
    )


def _own(ranking: Ranking, analyzer: Analyzer, pool: Sequence[str]) -> list[int]:
    """The query's own terms."""
    own = dict.fromkeys(analyzer.terms(ranking.query))
    return [pool.index(term) for term in own if term in pool]


def _named(sets: TermSets, columns: Sequence[int], pool: Sequence[str]) -> dict[str, float]:
    """Terms and their weights, in the smallest whole numbers of the same ratio."""
    least = math.gcd(*(sets.weight(one) for one in columns))
    return {pool[sets.term(one)]: float(sets.weight(one) // least) for one in columns}


def _deadline(looking: Looking, began: float) -> float:
    return math.inf if looking.seconds is None else began + looking.seconds
