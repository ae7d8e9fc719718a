"""`EquivalentQuery`: the query whose BM25 ranking is most like a ranker's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from intentx.checks import Amount, Positive, Seed, Size
from intentx.errors import InputError
from intentx.evaluation.fidelity import judge
from intentx.explainers.base import Explainer
from intentx.explainers.change.equivalent_explanation import (
    EquivalentQueryExplanation,
    QueryAgreement,
)
from intentx.explainers.change.found_query import FoundQuery, find, find_among
from intentx.explainers.change.query_controls import agreement
from intentx.explainers.change.term_sets import Goal
from intentx.explainers.change.whole import Competition, Whole
from intentx.explainers.plain import plain_settings
from intentx.preferences import PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.candidates import QueryTermsUse
from intentx.preferences.matching import TextMatching
from intentx.preferences.simple_rankers import SimpleRanker, checked_simple_rankers, simple_rankers_for
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex, warn_about

__all__ = ["EquivalentQuery"]


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
    generality
        Weight of what holds on other documents, beside the objective: how far the query scores documents
        as a regression on all words does, and words of the original query. 0: the objective alone; 1:
        less alike on the documents at hand, and more on others. Not used for fewer than ten documents,
        nor with a collection.
    simple_ranker
        What ranks documents for the query: `TextMatching`, or ``"bm25"``, ``"lm"``, ``"tf"`` or
        ``"tfidf"``. Its statistics are those of the collection, or of the ranking's documents.
    candidates, query_terms
        Terms to choose from, as in `intentx.Multiplex`.
    analyzer
        How texts become terms; None: that of the ranker, else ``Analyzer()``.
    collection
        Documents that a query is run on, in any of the forms of `intentx.rank`, or a `SearchIndex`; the
        ranking's are found among them, as in a search engine. None: the ranking's documents alone.
    controls
        Whether chance is measured, by searches in random orders and, without a collection, on documents
        left out. That takes several times as long as the search.
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
    generality: Amount = 0.0
    simple_ranker: SimpleRanker | str = field(default_factory=TextMatching)
    candidates: Size = 500
    query_terms: QueryTermsUse = "allow"
    analyzer: Analyzer | None = None
    collection: Any = None
    controls: bool = True
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
        if self.collection is None or isinstance(self.collection, Whole):
            return
        try:
            object.__setattr__(self, "collection", Whole(self.collection))
        except InputError as error:
            raise InputError(f"EquivalentQuery: the collection is unusable: {error}") from error

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> EquivalentQueryExplanation:
        started = time.perf_counter()
        pairs = preference_pairs(ranking)  # says why there is none
        analyzer = self.analyzer or ranking.analyzer
        warn_about(ranking.doc_ids, ranking.texts, analyzer, ranking.told)
        found = self._found(ranking, TextIndex(ranking.texts, analyzer))
        searched = time.perf_counter()
        scores = found.ranker.term_scores(found.terms, found.index)
        matrices = PreferenceMatrices(
            TermScores(scores[None], found.terms, (found.ranker.name,)), pairs, np.ones(1)
        )
        agreement = self._agreement(ranking, found)
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
        return replace(made, notes=(f"as a query of Lucene: {made.to_lucene()}",))

    def _found(self, ranking: Ranking, index: TextIndex) -> FoundQuery:
        """The best query found for a ranking of the documents of an index."""
        whole = self._whole(index.analyzer)
        if whole is None:
            return find(self, ranking, index, self.steps)
        return find_among(self, ranking, index, self.steps, whole(ranking))

    def _whole(self, analyzer: Analyzer) -> Callable[[Ranking], Competition] | None:
        """What the documents of a ranking compete in."""
        whole, ranker = self.collection, self.simple_ranker
        if whole is None:
            return None
        return lambda ranking: whole.competition(ranking, analyzer, ranker, self.objective)

    def _agreement(self, ranking: Ranking, found: FoundQuery) -> QueryAgreement:
        return agreement(
            self, ranking, found,
            controls=self.controls, steps=self.steps,
            # In another order, the documents have the same index of another order of texts.
            again=lambda other: self._found(other, TextIndex(other.texts, found.index.analyzer)),
            whole=self._whole(found.index.analyzer),
            documents=0 if self.collection is None else len(self.collection),
        )  # fmt: skip
