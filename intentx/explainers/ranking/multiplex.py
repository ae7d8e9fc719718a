"""Explain a whole ranking by a few intent terms."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from intentx.checks import Amount, Count, Part, Positive, Seed, Share, Size
from intentx.coverage.solve import Method
from intentx.errors import InputError
from intentx.explainers.base import Explainer
from intentx.explainers.plain import plain_settings
from intentx.explainers.ranking.choosing import GENERAL, Balance, ChoiceSettings
from intentx.explainers.ranking.effects import BUDGET
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.pipeline import Session
from intentx.explainers.ranking.problem import IntentProblem, PairSettings, TermPool
from intentx.preferences import MARGIN, Pairs
from intentx.preferences.candidates import QueryTermsUse
from intentx.preferences.pairs import PairStrategy, check_draws
from intentx.preferences.simple_rankers import (
    PositionAware,
    Semantic,
    SimpleRanker,
    SimpleRankers,
    TextMatching,
    checked_simple_rankers,
    chosen_simple_rankers,
)
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["IntentGreedy", "Multiplex", "QueryTerms", "RandomTerms"]


@dataclass(frozen=True, kw_only=True)
class Multiplex(Explainer[IntentExplanation]):
    """A few terms that make several simple rankers together reproduce a ranking.

    After Lyu & Anand (ECIR 2023). Candidate terms are scored by every simple ranker in every
    document; a solver chooses the set that covers most preference pairs by their joint vote.

    Parameters
    ----------
    max_terms, min_terms
        Limits on the number of terms. Fewer than ``max_terms`` come out when more do not help.
    candidates, pool
        Number of candidate terms, and of the terms they are taken from: of the ``pool`` most
        important ones those that are both important and by themselves in agreement with the
        pairs. A pool no larger than ``candidates`` leaves the choice to importance.
    query_terms
        ``"allow"`` query terms in the explanation, or ``"exclude"`` them.
    simple_rankers
        What scores documents for terms, as a list of names, ``"text,position"`` or ``["text",
        "position"]``, or of objects, or of both: ``bm25`` (or ``text``), ``tf``, ``tfidf``, ``lm``,
        ``position``, ``semantic``, ``proximity``, and `Dense` with an encoder. None: text, position
        and semantic; `default_simple_rankers` makes these, and with an encoder a fourth.
    vectors
        Term vectors of ``"semantic"``, where it goes by its name or ``simple_rankers`` is None; None:
        learned from the documents at hand.
    analyzer
        How texts become terms; None: as the ranker has it, where that is known
        (`Ranking.analyzer`), and else, or with ``vectors`` of words, ``Analyzer()``.
    balance
        ``"chosen"``: one simple ranker may lead, the votes of the others then being divided by
        ten, where more pairs are covered so; with ``generality``, pairs with documents left
        out. ``"equal"``: all votes weigh the same, as published.
    pairs
        Preference pairs to fit: a strategy of `preference_pairs`, or `Pairs` of your own.
    m, top, min_rank_gap, min_score_gap
        As in `preference_pairs`.
    log_weights
        Weigh each pair by ``1 + ln(rank gap)``; None: when ``generality`` is above 0.
    generality
        0: maximise the coverage of the fitted pairs and nothing else; never below what the default
        covers without edited documents, other settings being the same. 1: look for terms that
        hold for other documents too. At g in between, the share ``2 g / (1 + g)`` of the
        objective counts every pair smoothly by its vote instead of as covered or not; with a
        scorer, pairs with *edited* documents (terms put in and taken out by chance), scored by the
        ranker, carry the share ``0.5 g`` of the weight. At any g above
        0, the number of terms is the one that does best on documents left out
        (`intentx.coverage.validate`), unless effects decide it, and every term occurs in two
        documents or in the query. With ``method="ilp"`` the objective stays strict.
    effects
        How far the effects of terms on the ranker (`intentx.effects`) decide, where it can be
        asked. 0: not at all; terms may only go along with the order. At e above 0: terms that the
        ranker wants are chosen, as many as there are up to ``max_terms``, if there is one at all;
        the share ``e`` of the objective is their part in the sum of all effects. Others whose
        effect seems to be above 0, but could be chance, are chosen beside them only where that
        covers the share ``0.1 e`` more of the pairs with documents left out; their effects count
        times the share of the first ten documents that hold the term, these weighed as by DCG.
        1: the terms with the largest such products, those that the ranker wants first. None: .3, or
        0 with ``generality=0``.
    budget
        Maximum number of texts, edited documents, that the ranker scores for effects and generality.
        A listwise ranker gets whole lists, in each of which a fifth of the documents is edited. Of a
        ranker of dear calls only the edited ones count, and its own limit of calls.
        None: no limit but ``seconds``.
    seconds
        Time limit for asking the ranker for these; the terms then depend on the machine.
    stability
        No more is asked once the three terms with the largest effects are so sure, such as .9; see
        `intentx.effects`.
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

    max_terms: Size = 10
    min_terms: Size = 1
    candidates: Size = 200
    pool: Count = 1000
    query_terms: QueryTermsUse = "allow"
    simple_rankers: SimpleRankers | None = None
    vectors: TermVectors | None = None
    balance: Balance = "chosen"
    analyzer: Analyzer | None = None
    pairs: PairStrategy | Pairs = "all"
    m: Size | None = None
    top: Size = 10
    min_rank_gap: Size = 1
    min_score_gap: Amount = 0.0
    log_weights: bool | None = None
    generality: Share = 0.5
    effects: Share | None = None
    budget: Count | None = BUDGET
    seconds: Positive | None = None
    stability: Part | None = None
    method: Method = "auto"
    literal: bool = False
    margin: Amount = MARGIN
    seed: Seed = 0

    def _check(self) -> None:
        self._choice()
        self._pool(self.generality)
        _settle(self)

    def _choice(self) -> ChoiceSettings:
        return ChoiceSettings(
            max_terms=self.max_terms,
            min_terms=self.min_terms,
            balance=self.balance,
            generality=self.generality,
            effects=self.effects,
            budget=self.budget,
            seconds=self.seconds,
            stability=self.stability,
            method=self.method,
            literal=self.literal,
            seed=self.seed,
        )

    def _pool(self, generality: float) -> TermPool:
        """The candidates, as with that generality."""
        return TermPool(self.candidates, self.pool, self.query_terms, validated=generality > 0)

    def _pairs(self, generality: float) -> PairSettings:
        """The pairs, as with that generality."""
        return PairSettings(
            self.pairs,
            m=self.m,
            top=self.top,
            min_rank_gap=self.min_rank_gap,
            min_score_gap=self.min_score_gap,
            log_weights=generality > 0 if self.log_weights is None else self.log_weights,
            seed=self.seed,
        )

    @classmethod
    def published(cls, **settings: Any) -> Multiplex:
        """The setting of the paper: 500 random pairs, GPC with 2 <= sum(x) <= 10, then every
        x > 0.5 and 4 to 10 terms; nothing that looks beyond the fitted pairs.

        The simple rankers are ``"tf,position,semantic"`` unless others are given; ``"semantic"`` is
        `Semantic.published`.

        The authors solve GPC with GENO, or with SciPy's SLSQP; projected gradient stands in here, and
        nearly always ends in the same optimum.
        """
        given = settings.get("simple_rankers")
        published = (TextMatching("tf"), PositionAware(), "semantic")
        chosen = published if given is None else chosen_simple_rankers(given)
        if "semantic" in chosen:
            semantic = Semantic.published(settings.pop("vectors", None))
            chosen = tuple(semantic if one == "semantic" else one for one in chosen)
        settings["simple_rankers"] = chosen
        defaults: dict[str, Any] = {
            "pool": 0,
            "balance": "equal",
            "pairs": "random",
            "m": 500,
            "generality": 0.0,
            "method": "tanh",
            "literal": True,
        }
        return cls(**{**defaults, **settings})

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> IntentExplanation:
        problem = IntentProblem.of(
            ranking,
            pairs=self._pairs(self.generality),
            pool=self._pool(self.generality),
            simple_rankers=self.simple_rankers,
            vectors=self.vectors,
            analyzer=self.analyzer,
            margin=self.margin,
        )
        session = Session(problem, "Multiplex", plain_settings(self), self.seed)
        usual = None
        if self.generality == 0 and not self.effects and not self.literal:
            pairs = self._pairs(GENERAL).of(ranking)
            usual = dataclasses.replace(problem, pairs=pairs, pool=self._pool(GENERAL))
        return session.chosen(self._choice(), usual)


@dataclass(frozen=True, kw_only=True)
class IntentGreedy(Explainer[IntentExplanation]):
    """A few terms that make one simple ranker reproduce a ranking, chosen greedily.

    After Singh & Anand (FAccT 2020). The default is their GREEDY-LM: a language model and the
    plain coverage of the fitted pairs.

    Parameters
    ----------
    simple_ranker
        What scores documents for terms: an object, or a name as in `Multiplex`.
    others
        As in `Multiplex`.
    """

    simple_ranker: SimpleRanker | str = field(default_factory=lambda: TextMatching("lm"))
    max_terms: Size = 10
    candidates: Size = 200
    query_terms: QueryTermsUse = "allow"
    analyzer: Analyzer | None = None
    pairs: PairStrategy | Pairs = "all"
    m: Size | None = None
    generality: Share = 0.0
    effects: Share | None = None
    budget: Count | None = BUDGET
    seconds: Positive | None = None
    stability: Part | None = None
    seed: Seed = 0

    def _check(self) -> None:
        check_draws(self.pairs, self.m)
        given = self.simple_ranker
        listed = given if isinstance(given, str) else [given]
        chosen = checked_simple_rankers(listed, None, "simple_ranker") or ()
        if len(chosen) != 1:
            raise InputError(
                f"IntentGreedy takes one simple ranker, not {given!r}: set simple_ranker to one"
            )
        object.__setattr__(self, "simple_ranker", chosen[0])
        self._choice()
        self._pool()

    def _choice(self) -> ChoiceSettings:
        return ChoiceSettings(
            max_terms=self.max_terms,
            generality=self.generality,
            effects=self.effects,
            budget=self.budget,
            seconds=self.seconds,
            stability=self.stability,
            method="greedy",
            seed=self.seed,
        )

    def _pool(self) -> TermPool:
        return TermPool(self.candidates, 0, self.query_terms, validated=self.generality > 0)

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> IntentExplanation:
        general = self.generality > 0
        problem = IntentProblem.of(
            ranking,
            pairs=PairSettings(self.pairs, m=self.m, log_weights=general, seed=self.seed),
            pool=self._pool(),
            simple_rankers=(self.simple_ranker,),
            analyzer=self.analyzer,
        )
        session = Session(problem, "IntentGreedy", plain_settings(self), self.seed)
        return session.chosen(self._choice())


@dataclass(frozen=True, kw_only=True)
class QueryTerms(Explainer[IntentExplanation]):
    """The control that any explanation must beat: the terms of the query as they are.

    Parameters
    ----------
    simple_rankers, vectors, analyzer, pairs, m, seed
        As in `Multiplex`.
    """

    simple_rankers: SimpleRankers | None = None
    vectors: TermVectors | None = None
    analyzer: Analyzer | None = None
    pairs: PairStrategy | Pairs = "all"
    m: Size | None = None
    seed: Seed = 0

    def _check(self) -> None:
        _settle(self)

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> IntentExplanation:
        problem = IntentProblem.of(
            ranking,
            pairs=PairSettings(self.pairs, m=self.m, seed=self.seed),
            simple_rankers=self.simple_rankers,
            vectors=self.vectors,
            analyzer=self.analyzer,
        )
        if not problem.query_terms:
            raise InputError(f"the query {ranking.query!r} has no term that is not a stopword")
        session = Session(problem, "QueryTerms", plain_settings(self), self.seed)
        return session.given(problem.query_terms)


@dataclass(frozen=True, kw_only=True)
class RandomTerms(Explainer[IntentExplanation]):
    """The other control: ``max_terms`` candidate terms drawn at random.

    Parameters
    ----------
    max_terms, candidates, query_terms, simple_rankers, vectors, analyzer, pairs, m, seed
        As in `Multiplex`.
    """

    max_terms: Size = 10
    candidates: Size = 200
    query_terms: QueryTermsUse = "allow"
    simple_rankers: SimpleRankers | None = None
    vectors: TermVectors | None = None
    analyzer: Analyzer | None = None
    pairs: PairStrategy | Pairs = "all"
    m: Size | None = None
    seed: Seed = 0

    def _check(self) -> None:
        _settle(self)

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> IntentExplanation:
        problem = IntentProblem.of(
            ranking,
            pairs=PairSettings(self.pairs, m=self.m, seed=self.seed),
            pool=self._pool(),
            simple_rankers=self.simple_rankers,
            vectors=self.vectors,
            analyzer=self.analyzer,
        )
        session = Session(problem, "RandomTerms", plain_settings(self), self.seed)
        return session.at_random(self.max_terms)

    def _pool(self) -> TermPool:
        # Not validated, since terms then would have to occur in two documents.
        return TermPool(self.candidates, 0, self.query_terms)


def _settle(method: Multiplex | QueryTerms | RandomTerms) -> None:
    """Check a method's pairs, its simple rankers and whose its vectors are; names get one spelling."""
    check_draws(method.pairs, method.m)
    chosen = checked_simple_rankers(method.simple_rankers, method.vectors)
    object.__setattr__(method, "simple_rankers", chosen)
