"""`EquivalentQuery`: the query whose BM25 ranking is most like a ranker's."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.checks import Positive, Seed, Size
from intentx.coverage.solve import solve
from intentx.errors import InputError
from intentx.evaluation.fidelity import judge
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.base import Explainer
from intentx.explainers.change.equivalent_explanation import (
    EquivalentQueryExplanation,
    QueryAgreement,
)
from intentx.explainers.change.query_search import search
from intentx.explainers.change.term_sets import FIRST, Goal, TermSets
from intentx.explainers.plain import plain_settings
from intentx.preferences import PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.candidates import QueryTermsUse, candidate_terms
from intentx.preferences.matching import TextMatching
from intentx.preferences.simple_rankers import SimpleRanker, checked_simple_rankers, simple_rankers_for
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex, warn_about

__all__ = ["EquivalentQuery"]

Floats = npt.NDArray[np.float64]

LEFT_OUT = 0.3  # of the documents
LEAST = 10  # documents of which some can be left out
SPLITS = 5
TIED = 9  # decimals of a score: what differs less is rounding
SHUFFLES = 6
ONE_SIDED = 2.02  # Student's t of 5 degrees of freedom at 95 %


@dataclass(frozen=True)
class _Weighted:
    """A simple ranker that gives terms weights."""

    ranker: SimpleRanker
    weights: dict[str, float]

    @property
    def name(self) -> str:
        return self.ranker.name

    def term_scores(self, terms: Any, index: TextIndex) -> Floats:
        weights = np.array([self.weights.get(term, 1.0) for term in terms])
        return np.asarray(weights[:, None] * self.ranker.term_scores(terms, index))


@dataclass(frozen=True)
class _Query:
    """A query found in some documents, and how to score others with it."""

    terms: tuple[str, ...]
    ranker: _Weighted
    index: TextIndex

    def scores(self, texts: tuple[str, ...]) -> Floats:
        index = TextIndex(texts, self.index.analyzer, self.index)
        return np.asarray(self.ranker.term_scores(self.terms, index).sum(axis=0))


@dataclass(frozen=True, kw_only=True)
class EquivalentQuery(Explainer[EquivalentQueryExplanation]):
    """The bag-of-words query whose ranking of the documents is most like the ranker's.

    After Llordes, Ganguly, Bhatia & Agarwal (SIGIR 2023). The best set of terms is looked for by
    greedy search, best-first search, a solver for preference coverage and iterated local search; the
    answer is the best one of all. The ranker is not asked: recorded rankings will do.

    Parameters
    ----------
    max_terms
        Most terms of the query.
    objective
        What is maximised: ``"rbo"``, RBO_ext with p = 0.9; ``"tau"``, pairs in the same order;
        ``"overlap"``, of the first ten documents.
    max_weight
        Largest weight of a term, a whole number; 1: no weights.
    simple_ranker
        What ranks documents for the query: `TextMatching`, or ``"bm25"``, ``"lm"``, ``"tf"`` or
        ``"tfidf"``. Its statistics are those of the ranking's documents.
    candidates, query_terms
        Terms to choose from, as in `intentx.Multiplex`.
    analyzer
        How texts become terms; None: that of the ranker, else ``Analyzer()``.
    steps
        Queries that the iterated search tries.
    seconds
        Time after which it ends; None: never. With a limit, answers depend on how busy the machine is.
    seed
        Of all random draws.

    Examples
    --------
    >>> from intentx import Ranking
    >>> docs = {"a": "piano lessons", "b": "a piano stool", "c": "a stool", "d": "desk"}
    >>> ranking = Ranking.from_run(["a", "b", "c", "d"], "keyboard", docs)
    >>> found = EquivalentQuery(steps=1000).explain(ranking)
    >>> round(found.agreement.rbo, 6), found.to_lucene()
    (1.0, 'stool piano lessons')
    """

    max_terms: Size = 10
    objective: Goal = "rbo"
    max_weight: Size = 1
    simple_ranker: SimpleRanker | str = field(default_factory=TextMatching)
    candidates: Size = 500
    query_terms: QueryTermsUse = "allow"
    analyzer: Analyzer | None = None
    steps: Size = 500_000
    seconds: Positive | None = None
    seed: Seed = 0

    def _check(self) -> None:
        given = self.simple_ranker
        listed = given if isinstance(given, str) else [given]
        chosen = checked_simple_rankers(listed, None, "simple_ranker") or ()
        made = simple_rankers_for(None, chosen) if len(chosen) == 1 else ()  # type: ignore[arg-type]
        if len(made) != 1 or not isinstance(made[0], TextMatching):
            raise InputError(
                "EquivalentQuery takes one simple ranker that a search engine has: simple_ranker must "
                f"be 'bm25', 'lm', 'tf', 'tfidf' or a TextMatching, not {given!r}"
            )
        object.__setattr__(self, "simple_ranker", made[0])

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> EquivalentQueryExplanation:
        started = time.perf_counter()
        pairs = preference_pairs(ranking)  # says why there is none
        analyzer = self.analyzer or ranking.analyzer
        warn_about(ranking.doc_ids, ranking.texts, analyzer, ranking.told)
        found = self._found(ranking, analyzer, self.steps)
        searched = time.perf_counter()
        scores = found.ranker.term_scores(found.terms, found.index)
        matrices = PreferenceMatrices(
            TermScores(scores[None], found.terms, (found.ranker.name,)), pairs, np.ones(1)
        )
        agreement = self._agreement(ranking, analyzer, found)
        every = range(len(found.terms))
        ended = time.perf_counter()
        made = EquivalentQueryExplanation(
            method=self.name,
            ranking=ranking,
            terms=found.terms,
            weights=tuple(found.ranker.weights[term] for term in found.terms),
            matrices=matrices,
            coverage=matrices.coverage(every),
            bound=None,
            status="heuristic",
            fidelity=judge(ranking, matrices, pairs),
            analyzer=analyzer,
            simple_rankers=(found.ranker,),
            settings={**plain_settings(self), "analyzer": analyzer.to_dict()},
            model_calls=0,
            seconds={
                "search": searched - started,
                "controls": ended - searched,
                "model": 0.0,
                "total": ended - started,
            },
            agreement=agreement,
        )
        return replace(made, notes=(f"as a query of Lucene: {made.to_lucene()}", agreement.sentence))

    def _found(self, ranking: Ranking, analyzer: Analyzer, steps: int) -> _Query:
        """The best query found for a ranking."""
        began, index = time.perf_counter(), TextIndex(ranking.texts, analyzer)
        pool = candidate_terms(
            ranking,
            self.candidates,
            index=index,
            importance="text-matching",
            query_terms=self.query_terms,
        ).terms
        ranker: Any = self.simple_ranker
        values = ranker.term_scores(pool, index)
        sets = TermSets(values, len(ranking), max_terms=self.max_terms, max_weight=self.max_weight)
        own = [pool.index(term) for term in analyzer.terms(ranking.query) if term in pool]
        pairs = preference_pairs(ranking, log_weights=True)
        matrices = PreferenceMatrices(TermScores(values[None], pool), pairs)
        solved = solve(matrices, sets.max_terms, method="descent", seed=self.seed).indices
        deadline = math.inf if self.seconds is None else began + self.seconds
        best = search(
            sets, self.objective, own, [solved], steps=steps, deadline=deadline, seed=self.seed
        )
        order = sorted(best.columns, key=lambda one: (-values[sets.term(one)].sum(), sets.term(one)))
        terms = tuple(pool[sets.term(one)] for one in order)
        weights = {pool[sets.term(one)]: float(sets.weight(one)) for one in order}
        return _Query(terms, _Weighted(ranker, weights), index)

    def _agreement(self, ranking: Ranking, analyzer: Analyzer, found: _Query) -> QueryAgreement:
        """How far the query's order is like the ranker's, beside the original query and chance."""
        draws = np.random.default_rng(self.seed)
        own = replace(
            found, terms=analyzer.terms(ranking.query), ranker=replace(found.ranker, weights={})
        )
        ours, query = (_likeness(ranking, one.scores(ranking.texts)) for one in (found, own))
        shuffled = _shuffled(ranking, draws)
        chance = self._found(shuffled, analyzer, self.steps)
        shuffled_rbo = _likeness(shuffled, chance.scores(shuffled.texts))[0]
        held = self._heldout(ranking, analyzer, draws)
        others = [self._heldout(_shuffled(ranking, draws), analyzer, draws)[0] for _ in range(SHUFFLES)]
        by_chance, spread = float(np.mean(others)), float(np.std(others, ddof=1))
        threshold = by_chance + ONE_SIDED * math.sqrt(1 + 1 / SHUFFLES) * spread
        sentence = _sentence(ours, query, shuffled_rbo, held, by_chance, threshold)
        return QueryAgreement(
            sentence, *ours, *query, shuffled_rbo, held[0], held[1], by_chance, threshold
        )

    def _heldout(
        self, ranking: Ranking, analyzer: Analyzer, draws: np.random.Generator
    ) -> tuple[float, float]:
        """Mean RBO on documents left out, of queries found on the others and of the original query."""
        n, found = len(ranking), []
        if n < LEAST:
            return math.nan, math.nan
        for _ in range(SPLITS):
            order = draws.permutation(n)
            hidden = ranking.subset(order[: round(LEFT_OUT * n)].tolist())
            shown = ranking.subset(order[round(LEFT_OUT * n) :].tolist())
            try:
                query = self._found(shown, analyzer, max(1, self.steps // 10))
            except InputError:  # nothing to learn from these documents
                continue
            terms = analyzer.terms(ranking.query)
            own = replace(query, terms=terms, ranker=replace(query.ranker, weights={}))
            found.append([rbo_ext(np.round(one.scores(hidden.texts), TIED)) for one in (query, own)])
        means = np.mean(found, axis=0) if found else (math.nan, math.nan)
        return float(means[0]), float(means[1])


def _likeness(ranking: Ranking, scores: Floats) -> tuple[float, float, float]:
    """RBO, Kendall's τ-b, and the share of the first ten that both have."""
    first, scores = min(FIRST, len(ranking)), np.round(scores, TIED)
    best = np.lexsort((-np.arange(len(scores)), -scores))[:first]
    overlap = np.count_nonzero(best < first) / first
    return rbo_ext(scores), kendall_tau_b(ranking.scores, scores), float(overlap)


def _shuffled(ranking: Ranking, draws: np.random.Generator) -> Ranking:
    """The same scores for the documents in a random order."""
    order = draws.permutation(len(ranking)).tolist()
    return Ranking(
        ranking.query,
        tuple(ranking.doc_ids[i] for i in order),
        tuple(ranking.texts[i] for i in order),
        ranking.scores,
        told=ranking.told,
    )


def _sentence(
    ours: tuple[float, float, float],
    query: tuple[float, float, float],
    shuffled: float,
    held: tuple[float, float],
    chance: float,
    threshold: float,
) -> str:
    fitted = (
        f"RBO {ours[0]:.2f} with the ranker's order (the original query {query[0]:.2f}; the same search "
        f"on a random order {shuffled:.2f})"
    )
    if math.isnan(held[0]) or math.isnan(threshold):
        return f"Not known whether better than chance, with so few documents: {fitted}."
    opening = "Better than chance" if held[0] >= threshold else "May be chance"
    return (
        f"{opening}: on documents left out, queries found in this way reach RBO {held[0]:.2f} (the "
        f"original query {held[1]:.2f}; on random orders {chance:.2f}, and less than {threshold:.2f} in "
        f"19 of 20). On the documents at hand: {fitted}."
    )
