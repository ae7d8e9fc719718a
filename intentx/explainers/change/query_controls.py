"""What the likeness of a found query is held against: the original query, best-first search, chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.change.equivalent_explanation import QueryAgreement
from intentx.explainers.change.found_query import FoundQuery, Looking, Weighted, find
from intentx.explainers.change.term_sets import FIRST
from intentx.explainers.change.whole import TIED, Competition
from intentx.markup import count
from intentx.ranking import Ranking
from intentx.text import TextIndex

__all__ = ["agreement", "chance_threshold", "heldout_likeness"]

Floats = npt.NDArray[np.float64]

LEFT_OUT = 0.3  # of the documents
LEAST = 10  # documents of which some can be left out
SPLITS = 5
SHUFFLES = 6
ONE_SIDED = 2.02  # Student's t of 5 degrees of freedom at 95 %
SMALLEST = 1e-3  # RBO that is told from 0
BEYOND = 1.01  # where no RBO can be better than chance
SHORTER = 20  # times fewer steps where documents are left out


class Likeness(NamedTuple):
    """RBO, Kendall's τ-b, and the share of the first ten that both have."""

    rbo: float
    tau: float
    overlap: float


class HeldOut(NamedTuple):
    """Mean RBO on documents left out, of queries found on the others and of the original query."""

    found: float = math.nan
    query: float = math.nan


def agreement(
    looking: Looking,
    ranking: Ranking,
    found: FoundQuery,
    *,
    controls: bool,
    steps: int,
    again: Callable[[Ranking], FoundQuery],
    whole: Callable[[Ranking], Competition] | None,
    documents: int,
) -> QueryAgreement:
    """How far the query's order is like the ranker's, beside the original query and chance.

    Parameters
    ----------
    again
        The same search for another ranking of the documents.
    whole
        The collection that a ranking's documents compete in; None: they are ranked alone.
    documents
        Of that collection.
    """
    draws = np.random.default_rng(looking.seed)
    own = _unweighted(found, found.index.analyzer.terms(ranking.query))
    first = _of(found, found.first)
    queries = (found, own, first)
    among = None if whole is None else whole(ranking)
    ours, query, best_first = (_likeness(ranking, one, among) for one in queries)
    shuffled, held, chance, threshold = math.nan, HeldOut(), math.nan, math.nan
    if controls:
        other = ranking.shuffled(draws)
        among = None if whole is None else whole(other)
        shuffled = _likeness(other, again(other), among).rbo
    if controls and whole is None:
        held = heldout_likeness(looking, ranking, found.index, draws, steps)
        others = [
            heldout_likeness(looking, ranking.shuffled(draws), found.index, draws, steps).found
            for _ in range(SHUFFLES)
        ]
        chance, threshold = float(np.mean(others)), chance_threshold(others)
    made = QueryAgreement(
        "", *ours, *query, shuffled, *held, chance, threshold, best_first.rbo, documents, controls
    )
    return QueryAgreement(**{**vars(made), "sentence": _sentence(made)})


def chance_threshold(chance: Sequence[float]) -> float:
    """What 19 of 20 values of the same kind are below.

    Mean RBO of random orders is skewed to the right, which Student's t takes no account of: of ten
    queries of DL'19, 7.0 % of random orders were above the limit by RBO itself, and 5.0 % above the one
    by 1 / sqrt(RBO).

    >>> round(chance_threshold([0.30, 0.28, 0.34, 0.31, 0.36, 0.27]), 3)
    0.397
    """
    even = 1 / np.sqrt(np.maximum(chance, SMALLEST))
    reach = ONE_SIDED * math.sqrt(1 + 1 / len(even)) * float(np.std(even, ddof=1))
    lowest = float(even.mean()) - reach
    return math.nan if math.isnan(lowest) else 1 / max(lowest, 1 / math.sqrt(BEYOND)) ** 2


def _unweighted(found: FoundQuery, terms: Sequence[str]) -> FoundQuery:
    return _of(found, dict.fromkeys(terms, 1.0))


def _of(found: FoundQuery, weights: dict[str, float]) -> FoundQuery:
    return FoundQuery(tuple(weights), Weighted(found.ranker.ranker, weights), found.index)


def _likeness(ranking: Ranking, query: FoundQuery, whole: Competition | None) -> Likeness:
    scores = np.round(query.scores(ranking.texts), TIED)
    tau = kendall_tau_b(ranking.scores, scores)
    if whole is not None:
        weights = {term: query.ranker.weights[term] for term in query.terms}
        return Likeness(whole.value(weights, "rbo"), tau, whole.value(weights, "overlap"))
    first = min(FIRST, len(ranking))
    best = np.lexsort((-np.arange(len(scores)), -scores))[:first]
    overlap = np.count_nonzero(best < first) / first
    return Likeness(rbo_ext(scores), tau, float(overlap))


def heldout_likeness(
    looking: Looking, ranking: Ranking, index: TextIndex, draws: np.random.Generator, steps: int
) -> HeldOut:
    """Queries found on 70 % of the documents, and the original one, on the others: means of splits."""
    n, rows = len(ranking), []
    if n < LEAST:
        return HeldOut()
    for _ in range(SPLITS):
        order = draws.permutation(n)
        hidden = ranking.subset(order[: round(LEFT_OUT * n)].tolist())
        shown = ranking.subset(order[round(LEFT_OUT * n) :].tolist())
        texts = TextIndex(shown.texts, index.analyzer)
        try:
            query = find(looking, shown, texts, max(1, steps // SHORTER), quick=True)
        except InputError:  # nothing to learn from these documents
            continue
        own = _unweighted(query, index.analyzer.terms(ranking.query))
        rows.append([rbo_ext(np.round(one.scores(hidden.texts), TIED)) for one in (query, own)])
    return HeldOut(*np.mean(rows, axis=0).tolist()) if rows else HeldOut()


def _sentence(one: QueryAgreement) -> str:
    beside = [f"the original query {one.query_rbo:.2f}", f"best-first search {one.best_first_rbo:.2f}"]
    if one.controls:
        beside.append(f"the same search on a random order {one.shuffled_rbo:.2f}")
    fitted = f"RBO {one.rbo:.2f} with the ranker's order ({'; '.join(beside)})"
    if one.documents:
        fitted = f"Among all {count(one.documents, 'document')} of the collection: {fitted}"
        if not one.controls:
            return f"{fitted}. Chance was not measured (controls=False)."
        return f"{fitted}. It is fitted to this list: no documents were left out."
    if not one.controls:
        return f"Not held against chance (controls=False): {fitted}."
    if math.isnan(one.heldout_rbo) or math.isnan(one.threshold):
        return f"Not known whether better than chance, with so few documents: {fitted}."
    opening = "Better than chance" if one.better_than_chance else "May be chance"
    return (
        f"{opening}: on documents left out, queries found in this way reach RBO {one.heldout_rbo:.2f} "
        f"(the original query {one.query_heldout_rbo:.2f}; on random orders "
        f"{one.shuffled_heldout_rbo:.2f}, and less than {one.threshold:.2f} in 19 of 20). On the "
        f"documents at hand: {fitted}."
    )
