"""Explain a whole ranking by a few intent terms."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from intentx.coverage import Selection, solve
from intentx.coverage.shares import coverage_shares, document_support
from intentx.errors import InputError
from intentx.evaluation.fidelity import judge
from intentx.explainers.explanation import IntentExplanation
from intentx.perturbation import edit_at_random, score_edits
from intentx.preferences import MARGIN, Pairs, PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.candidates import QueryTermsUse, candidate_terms
from intentx.preferences.pairs import PairStrategy
from intentx.preferences.simple_rankers import (
    Semantic,
    SimpleRanker,
    TextMatching,
    default_simple_rankers,
    term_scores,
)
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["IntentGreedy", "Multiplex", "QueryTerms", "RandomTerms"]

SOFTNESS = 2.0  # votes of three simple rankers lie in (-3, 3): nearly linear, no pair is given up
PERTURBED_SHARE = 0.6  # of the objective's weight at generality 1
PARTNERS = 10  # other documents that each edited document is compared with


@dataclass(frozen=True, kw_only=True)
class Multiplex:
    """A few terms that make several simple rankers together reproduce a ranking.

    After Lyu & Anand (ECIR 2023). Candidate terms are scored by every simple ranker in every
    document; a solver chooses the set that covers most preference pairs by their joint vote.

    Parameters
    ----------
    max_terms, min_terms
        Limits on the number of terms. Fewer than ``max_terms`` come out when more do not help.
    candidates
        Number of candidate terms.
    query_terms
        ``"allow"`` query terms in the explanation, or ``"exclude"`` them.
    simple_rankers
        What scores documents for terms; None: text matching, position aware and semantic.
    vectors
        Term vectors of the semantic one when ``simple_rankers`` is None; None: learned from the
        documents at hand.
    analyzer
        How texts become terms.
    pairs
        Preference pairs to fit: a strategy of `preference_pairs`, or `Pairs` of your own.
    m, top, min_rank_gap, min_score_gap, log_weights
        As in `preference_pairs`.
    generality
        0: maximise the coverage of the fitted pairs and nothing else. 1: look for terms that
        hold for other documents too. In between a mixture. It governs three things:
        how much of the objective counts every pair smoothly by its vote instead of as covered or
        not; with a scorer, the weight of pairs with *edited* documents (words deleted, masked and
        inserted), scored by the ranker; and in how large a share of resampled document sets a
        term must help in order to stay.
    budget
        Most edited documents that the ranker is asked to score for ``generality``. A listwise
        ranker gets a whole list for each, and so fewer edits.
    method
        Solver: see `intentx.coverage.solve`.
    literal
        Use the published solver settings of ``method`` (see `published`).
    margin
        Least vote of a covered pair.
    seed
        For every random draw.

    Examples
    --------
    >>> from intentx.ranking import Ranking
    >>> docs = {"a": "tea in a pot", "b": "tea with milk", "c": "milk and honey", "d": "a boat"}
    >>> ranking = Ranking.from_run({"a": 4, "b": 3, "c": 2, "d": 1}, "tea", docs)
    >>> explanation = Multiplex(simple_rankers=[TextMatching()]).explain(ranking)
    >>> explanation.fidelity.all
    1.0
    """

    max_terms: int = 10
    min_terms: int = 1
    candidates: int = 200
    query_terms: QueryTermsUse = "allow"
    simple_rankers: Sequence[SimpleRanker] | None = None
    vectors: TermVectors | None = None
    analyzer: Analyzer = field(default_factory=Analyzer)
    pairs: PairStrategy | Pairs = "all"
    m: int | None = None
    top: int = 10
    min_rank_gap: int = 1
    min_score_gap: float = 0.0
    log_weights: bool = False
    generality: float = 0.5
    budget: int = 300
    method: str = "auto"
    literal: bool = False
    margin: float = MARGIN
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.generality <= 1:
            raise InputError(f"generality must lie between 0 and 1, not {self.generality!r}")
        if self.budget < 0:
            raise InputError(f"budget must be 0 or more, not {self.budget!r}")
        if not 1 <= self.min_terms <= self.max_terms:
            raise InputError(
                f"1 <= min_terms <= max_terms is needed, not {self.min_terms} and {self.max_terms}"
            )

    @classmethod
    def published(cls, **settings: Any) -> Multiplex:
        """The setting of the paper: 500 random pairs, GPC by SLSQP with 2 <= sum(x) <= 10, then
        every x > 0.5 and 4 to 10 terms; nothing that looks beyond the fitted pairs.

        The authors solve GPC with GENO; SciPy's SLSQP is their alternative and ours.
        """
        vectors = settings.pop("vectors", None)
        defaults: dict[str, Any] = {
            "simple_rankers": (TextMatching("tf"), default_simple_rankers()[1], Semantic.published(vectors)),
            "pairs": "random",
            "m": 500,
            "generality": 0.0,
            "method": "tanh",
            "literal": True,
        }
        return cls(**{**defaults, **settings})

    def explain(self, ranking: Ranking) -> IntentExplanation:
        """Find the intent terms of ``ranking``.

        Raises
        ------
        InputError
            If there is no preference pair or no candidate term; the message says why.
        ScorerError
            If the ranker fails on an edited document.
        """
        return _Session(self, "Multiplex", ranking).explain()


@dataclass(frozen=True, kw_only=True)
class IntentGreedy:
    """A few terms that make one simple ranker reproduce a ranking, chosen greedily.

    After Singh & Anand (FAccT 2020). The default is their GREEDY-LM: a language model and the
    plain coverage of the fitted pairs.

    Parameters
    ----------
    simple_ranker
        What scores documents for terms.
    others
        As in `Multiplex`.
    """

    simple_ranker: SimpleRanker = field(default_factory=lambda: TextMatching("lm"))
    max_terms: int = 10
    candidates: int = 200
    query_terms: QueryTermsUse = "allow"
    analyzer: Analyzer = field(default_factory=Analyzer)
    pairs: PairStrategy | Pairs = "all"
    m: int | None = None
    generality: float = 0.0
    budget: int = 300
    seed: int = 0

    def explain(self, ranking: Ranking) -> IntentExplanation:
        """Find the intent terms of ``ranking``; errors as in `Multiplex.explain`."""
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        simple_ranker = settings.pop("simple_ranker")
        general = Multiplex(**settings, simple_rankers=(simple_ranker,), method="greedy")
        return _Session(general, "IntentGreedy", ranking).explain()


@dataclass(frozen=True, kw_only=True)
class QueryTerms:
    """The control that any explanation must beat: the terms of the query as they are.

    Parameters
    ----------
    simple_rankers, vectors, analyzer, pairs, m, seed
        As in `Multiplex`.
    """

    simple_rankers: Sequence[SimpleRanker] | None = None
    vectors: TermVectors | None = None
    analyzer: Analyzer = field(default_factory=Analyzer)
    pairs: PairStrategy | Pairs = "all"
    m: int | None = None
    seed: int = 0

    def explain(self, ranking: Ranking) -> IntentExplanation:
        """The terms of the query, judged like any others.

        Raises
        ------
        InputError
            If the query holds stopwords only, or there is no preference pair.
        """
        terms = self.analyzer.terms(ranking.query)
        if not terms:
            raise InputError(f"the query {ranking.query!r} has no term that is not a stopword")
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return _Session(Multiplex(**settings), "QueryTerms", ranking).given(terms)


@dataclass(frozen=True, kw_only=True)
class RandomTerms:
    """The other control: ``max_terms`` candidate terms drawn at random.

    Parameters
    ----------
    max_terms, candidates, query_terms, simple_rankers, vectors, analyzer, pairs, m, seed
        As in `Multiplex`.
    """

    max_terms: int = 10
    candidates: int = 200
    query_terms: QueryTermsUse = "allow"
    simple_rankers: Sequence[SimpleRanker] | None = None
    vectors: TermVectors | None = None
    analyzer: Analyzer = field(default_factory=Analyzer)
    pairs: PairStrategy | Pairs = "all"
    m: int | None = None
    seed: int = 0

    def explain(self, ranking: Ranking) -> IntentExplanation:
        """Random terms, judged like any others; errors as in `Multiplex.explain`."""
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        session = _Session(Multiplex(**settings), "RandomTerms", ranking)
        return session.at_random()


class _Session:
    """One ranking being explained: what the stages share, and how long each one took."""

    def __init__(self, settings: Multiplex, method: str, ranking: Ranking) -> None:
        self.settings = settings
        self.method = method
        self.ranking = ranking
        self.rankers = tuple(settings.simple_rankers or default_simple_rankers(settings.vectors))
        self.notes: list[str] = []
        self.seconds: dict[str, float] = {}
        self._started = self._lap = time.perf_counter()
        box = ranking.scorer
        self._asked, self._model_seconds = (box.texts_scored, box.seconds) if box else (0, 0.0)
        self.pairs = self._preference_pairs()
        self.index = TextIndex(ranking.texts, settings.analyzer)
        self._close("pairs and index")

    def explain(self) -> IntentExplanation:
        terms = self._candidates()
        scores = term_scores(terms, self.index, self.rankers)
        matrices = PreferenceMatrices(scores, self.pairs, margin=self.settings.margin)
        self._close("term scores")
        selection = self._select(self._with_edits(matrices))
        kept = self._steady(matrices, selection.indices)
        self._close("selection")
        return self._explanation(matrices, kept, selection)

    def given(self, terms: tuple[str, ...]) -> IntentExplanation:
        scores = term_scores(terms, self.index, self.rankers)
        matrices = PreferenceMatrices(scores, self.pairs, margin=self.settings.margin)
        self._close("term scores")
        return self._explanation(matrices, tuple(range(len(terms))), None)

    def at_random(self) -> IntentExplanation:
        # Random terms need no importance, so the ranker is not asked for any.
        pool = self._candidates(importance="text-matching")
        size = min(self.settings.max_terms, len(pool))
        generator = np.random.default_rng(self.settings.seed)
        drawn = generator.choice(len(pool), size=size, replace=False)
        return self.given(tuple(pool[i] for i in drawn))

    def _candidates(self, importance: Literal["auto", "text-matching"] = "auto") -> tuple[str, ...]:
        found = candidate_terms(
            self.ranking,
            self.settings.candidates,
            index=self.index,
            importance=importance,
            query_terms=self.settings.query_terms,
        )
        self._close("candidates")
        return found.terms

    def _preference_pairs(self) -> Pairs:
        s = self.settings
        if isinstance(s.pairs, Pairs):
            if not len(s.pairs) or int(s.pairs.low.max()) >= len(self.ranking):
                raise InputError(
                    f"the pairs given must lie within the ranking's {len(self.ranking)} documents, "
                    "and there must be one at least"
                )
            return s.pairs
        return preference_pairs(
            self.ranking,
            s.pairs,
            m=s.m,
            top=s.top,
            min_rank_gap=s.min_rank_gap,
            min_score_gap=s.min_score_gap,
            log_weights=s.log_weights,
            seed=s.seed,
        )

    def _select(self, matrices: PreferenceMatrices) -> Selection:
        s = self.settings
        general = s.generality > 0
        return solve(
            matrices,
            s.max_terms,
            min_terms=min(s.min_terms, matrices.n_terms),
            method=s.method,
            softness=SOFTNESS if general else 0.0,
            soft_share=2 * s.generality / (1 + s.generality),
            seed=s.seed,
            literal=s.literal,
        )

    def _with_edits(self, matrices: PreferenceMatrices) -> PreferenceMatrices:
        """``matrices`` with pairs that involve edited documents, where the ranker can be asked."""
        s, box = self.settings, self.ranking.scorer
        share = s.generality * PERTURBED_SHARE
        if box is None or not s.budget or not share:
            return matrices
        number = s.budget // len(self.ranking) if box.listwise else s.budget
        edits = edit_at_random(self.ranking, matrices.scores.terms, s.analyzer, number, s.seed)
        if not len(edits):
            self.notes.append("no edited documents: the budget or the documents allow none")
            return matrices
        edited = score_edits(self.ranking, edits, "pairs with edited documents")
        self._close("edited documents")
        index = TextIndex(edits.texts, s.analyzer, self.index)
        values = term_scores(matrices.scores.terms, index, self.rankers).values
        joined = _join(matrices, self.ranking.scores, values, edited, share, s.seed)
        self._close("term scores")
        return joined

    def _steady(self, matrices: PreferenceMatrices, indices: tuple[int, ...]) -> tuple[int, ...]:
        """``indices`` without terms that help too few resampled document sets, worst first."""
        kept = list(indices)
        least = 0.5 * self.settings.generality
        while least > 0 and len(kept) > self.settings.min_terms:
            support = document_support(_restricted(matrices, kept), seed=self.settings.seed)
            worst = int(support.argmin())
            if support[worst] >= least:
                break
            del kept[worst]
        return tuple(kept)

    def _explanation(
        self, matrices: PreferenceMatrices, indices: tuple[int, ...], selection: Selection | None
    ) -> IntentExplanation:
        chosen = _restricted(matrices, indices)
        fidelity = judge(self.ranking, chosen, self.pairs)
        weights = coverage_shares(chosen, seed=self.settings.seed)
        self._close("fidelity")
        box = self.ranking.scorer
        self.seconds["model"] = box.seconds - self._model_seconds if box else 0.0
        self.seconds["total"] = time.perf_counter() - self._started
        unchanged = selection is not None and set(indices) == set(selection.indices)
        return IntentExplanation(
            method=self.method,
            ranking=self.ranking,
            terms=chosen.scores.terms,
            weights=tuple(weights.tolist()),
            matrices=chosen,
            coverage=chosen.coverage(range(chosen.n_terms)),
            bound=selection.bound if selection else None,
            status=selection.status if selection and unchanged else "heuristic",
            fidelity=fidelity,
            analyzer=self.settings.analyzer,
            simple_rankers=self.rankers,
            settings=_plain_settings(self.settings, self.rankers),
            model_calls=box.texts_scored - self._asked if box else 0,
            seconds=self.seconds,
            notes=tuple(self.notes),
        )

    def _close(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._lap
        self._lap = now


def _restricted(matrices: PreferenceMatrices, indices: Sequence[int]) -> PreferenceMatrices:
    """The same pairs and scale with only the terms at ``indices``, in that order."""
    scores = matrices.scores
    terms = tuple(scores.terms[i] for i in indices)
    part = TermScores(scores.values[:, list(indices)], terms, scores.rankers)
    return PreferenceMatrices(part, matrices.pairs, matrices.scale, matrices.margin)


def _join(
    matrices: PreferenceMatrices,
    scores: np.ndarray[Any, np.dtype[np.float64]],
    edited_values: np.ndarray[Any, np.dtype[np.float64]],
    edited_scores: np.ndarray[Any, np.dtype[np.float64]],
    share: float,
    seed: int,
) -> PreferenceMatrices:
    """Matrices over the ranking and E edited documents, in the order of their scores.

    Every edited document is paired with some others, edited or not; together these pairs carry
    ``share`` of all weight. Scores closer than 1 % of the ranking's spread are no preference.
    """
    n, e = len(scores), len(edited_scores)
    both = np.concatenate([scores, edited_scores])
    generator = np.random.default_rng(seed)
    first = np.repeat(np.arange(n, n + e), PARTNERS)
    second = generator.integers(n + e, size=len(first))
    distinct = np.abs(both[first] - both[second]) > 0.01 * np.std(scores)
    first, second = first[distinct], second[distinct]
    if not len(first):
        return matrices
    order = np.argsort(-both, kind="stable")
    place = np.empty(n + e, dtype=np.intp)
    place[order] = np.arange(n + e)
    ends = np.sort(place[np.stack([first, second])], axis=0)
    listed = matrices.pairs
    weight = np.ones(len(listed)) if listed.weight is None else listed.weight
    extra = np.full(len(first), weight.sum() * share / (1 - share) / len(first))
    values = np.concatenate([matrices.scores.values, edited_values], axis=2)[:, :, order]
    return PreferenceMatrices(
        TermScores(values, matrices.scores.terms, matrices.scores.rankers),
        Pairs(
            np.concatenate([place[listed.high], ends[0]]),
            np.concatenate([place[listed.low], ends[1]]),
            np.concatenate([weight, extra]),
        ),
        matrices.scale,
        matrices.margin,
    )


def _plain_settings(settings: Multiplex, rankers: Sequence[SimpleRanker]) -> dict[str, Any]:
    plain = {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)}
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in plain.items()}
    del plain["vectors"]
    plain["analyzer"] = settings.analyzer.to_dict()
    plain["pairs"] = settings.pairs if isinstance(settings.pairs, str) else f"{len(settings.pairs)} given"
    plain["simple_rankers"] = [ranker.name for ranker in rankers]
    return plain
