"""What terms are chosen for: a ranking's pairs, what scores its documents, and the candidate terms."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from intentx.coverage.validate import LEAST_DOCUMENTS
from intentx.errors import InputError
from intentx.preferences import MARGIN, Pairs, PreferenceMatrices, preference_pairs
from intentx.preferences.candidates import QueryTermsUse, candidate_terms, screened
from intentx.preferences.pairs import PairStrategy, refuse_too_many
from intentx.preferences.simple_rankers import (
    SimpleRanker,
    SimpleRankers,
    checked_simple_rankers,
    simple_rankers_for,
    term_scores,
)
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex, warn_about

__all__ = ["IntentProblem", "PairSettings", "TermPool"]


@dataclass(frozen=True, eq=False)
class PairSettings:
    """Which preference pairs are fitted.

    Attributes
    ----------
    pairs
        A strategy of `preference_pairs`, or `Pairs`.
    m, top, min_rank_gap, min_score_gap, log_weights, seed
        As in `preference_pairs`; without effect on given `Pairs`.
    """

    pairs: PairStrategy | Pairs = "all"
    m: int | None = None
    top: int = 10
    min_rank_gap: int = 1
    min_score_gap: float = 0.0
    log_weights: bool = False
    seed: int = 0

    def of(self, ranking: Ranking) -> Pairs:
        """The pairs of a ranking.

        Raises
        ------
        InputError
            If there is none, or a given one lies outside the ranking.
        """
        if isinstance(self.pairs, Pairs):
            if not len(self.pairs) or int(self.pairs.low.max()) >= len(ranking):
                raise InputError(
                    f"the pairs given must lie within the ranking's {len(ranking)} documents, "
                    "and there must be one at least"
                )
            return self.pairs
        return preference_pairs(
            ranking,
            self.pairs,
            m=self.m,
            top=self.top,
            min_rank_gap=self.min_rank_gap,
            min_score_gap=self.min_score_gap,
            log_weights=self.log_weights,
            seed=self.seed,
        )


@dataclass(frozen=True)
class TermPool:
    """Which terms are candidates.

    Attributes
    ----------
    candidates, pool
        Number of candidates, and of the most important terms that they are screened from, where
        that is larger.
    query_terms
        Whether terms of the query may be candidates.
    validated
        Whether terms are validated on documents left out. What one document shows cannot be: each
        candidate then occurs in two documents or in the query, where there are enough documents.
    """

    candidates: int = 200
    pool: int = 1000
    query_terms: QueryTermsUse = "allow"
    validated: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class IntentProblem:
    """A ranking whose order terms are to reproduce, and all that any choice of terms is made from.

    Attributes
    ----------
    ranking, index
        What is explained, and its texts as arrays of terms.
    pairs
        The fitted pairs.
    simple_rankers
        What scores documents for terms, as it is for the ranking.
    pool
        Which terms are candidates.
    margin
        Least vote of a covered pair.
    seconds
        That it took to make this.

    Examples
    --------
    >>> docs = {"a": "tea in a pot", "b": "tea with milk", "c": "milk and honey"}
    >>> ranking = Ranking.from_run({"a": 3, "b": 2, "c": 1}, "tea", docs)
    >>> problem = IntentProblem.of(ranking, simple_rankers="text,position")
    >>> problem.candidates()
    ('pot', 'honey', 'tea', 'milk')
    >>> problem.matrices(("tea", "pot")).coverage((0, 1))
    1.0
    """

    ranking: Ranking
    index: TextIndex
    pairs: Pairs
    simple_rankers: tuple[SimpleRanker, ...]
    pool: TermPool = TermPool()
    margin: float = MARGIN
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        ranking: Ranking,
        *,
        pairs: PairSettings | None = None,
        pool: TermPool | None = None,
        simple_rankers: SimpleRankers | None = None,
        vectors: TermVectors | None = None,
        analyzer: Analyzer | None = None,
        margin: float = MARGIN,
    ) -> IntentProblem:
        """The problem of a ranking.

        Parameters
        ----------
        pairs, pool
            None: all pairs; the default candidates.
        simple_rankers, vectors, analyzer
            As in `intentx.Multiplex`.

        Raises
        ------
        InputError
            If there is no preference pair, or there are too many; for ``vectors`` that no simple
            ranker takes.
        """
        started = time.perf_counter()
        rankers = simple_rankers_for(ranking, checked_simple_rankers(simple_rankers, vectors), vectors)
        ranking.check_scorer()
        refuse_too_many(len(ranking))
        fitted = (pairs or PairSettings()).of(ranking)
        # Vectors are of words as they are written.
        of_words = any(getattr(ranker, "vectors", None) is not None for ranker in rankers)
        analyzer = analyzer or (Analyzer() if of_words else ranking.analyzer)
        warn_about(ranking.doc_ids, ranking.texts, analyzer, ranking.told)
        return cls(
            ranking=ranking,
            index=TextIndex(ranking.texts, analyzer),
            pairs=fitted,
            simple_rankers=rankers,
            pool=pool or TermPool(),
            margin=margin,
            seconds=time.perf_counter() - started,
        )

    @property
    def query_terms(self) -> tuple[str, ...]:
        """The terms of the query."""
        return tuple(self.index.analyzer.terms(self.ranking.query))

    def candidates(
        self, importance: Literal["auto", "text-matching"] = "text-matching"
    ) -> tuple[str, ...]:
        """The candidate terms before they are screened; only with ``"auto"`` is the ranker asked."""
        validated = self.pool.validated and len(self.ranking) >= LEAST_DOCUMENTS
        return candidate_terms(
            self.ranking,
            max(self.pool.pool, self.pool.candidates),
            index=self.index,
            importance=importance,
            query_terms=self.pool.query_terms,
            min_documents=2 if validated else 1,
        ).terms

    def matrices(self, terms: tuple[str, ...]) -> PreferenceMatrices:
        """What the simple rankers say of the fitted pairs for each of some terms."""
        scores = term_scores(terms, self.index, self.simple_rankers)
        return PreferenceMatrices(scores, self.pairs, margin=self.margin)

    def screened(self, matrices: PreferenceMatrices, avoided: bool = False) -> PreferenceMatrices:
        """As many terms as there are candidates; see `intentx.preferences.candidates.screened`."""
        return screened(matrices, self.pool.candidates, self.query_terms, avoided=avoided)
