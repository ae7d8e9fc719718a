"""How a ranking is explained, stage by stage; `multiplex` has the settings."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from intentx.asked import Asked, asking
from intentx.coverage import Selection, solve
from intentx.coverage.crossfit import Choice
from intentx.coverage.race import most_covering, refined
from intentx.coverage.shares import coverage_shares
from intentx.coverage.validate import LEAST_DOCUMENTS, Option, best_fit, improved_size, validated
from intentx.errors import InputError
from intentx.evaluation.fidelity import judge
from intentx.explainers.plain import plain_settings
from intentx.explainers.ranking.effects import check_budget
from intentx.explainers.ranking.evidence import Evidence, evidence_of
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.leading import leading_options
from intentx.explainers.ranking.verdict import Verdict, intent_verdict
from intentx.perturbation import edits_within
from intentx.preferences import Pairs, PreferenceMatrices, preference_pairs
from intentx.preferences.candidates import candidate_terms, screened
from intentx.preferences.pairs import refuse_too_many
from intentx.preferences.simple_rankers import (
    simple_rankers_for,
    term_scores,
)
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex, warn_about

if TYPE_CHECKING:
    from intentx.explainers.ranking.multiplex import Multiplex

__all__ = ["EDITED_SHARE", "Session"]

NO_EFFECT = (
    "the ranker was asked, and no term was found to have an effect of its own: these terms go along "
    "with its order, and no more"
)
FOUND = "the ranker was found to want {} of the candidates;"
FILLED = (
    "since these leave much of its order open, beside them are terms that help to reproduce it and "
    "whose effect could be chance; a larger budget tells more"
)
LARGEST = "beside them are those with the next largest effects, which could be chance"
EFFECTS = 0.3  # how far they weigh by default
GAIN = 0.1  # of unseen pairs: what terms without a clear effect must add, where effects are all
GENERAL = 0.5  # the default generality of `Multiplex`
EDITED_SHARE = 0.5  # of the weight, on pairs with edited documents, at generality 1


class Session:
    """One ranking being explained: what the stages share, and how long each one took.

    Parameters
    ----------
    settings
        What the stages go by.
    told
        The method whose fields are the settings that the explanation names; None: ``settings``.
    """

    def __init__(
        self,
        settings: Multiplex,
        method: str,
        ranking: Ranking,
        told: Any | None = None,
    ) -> None:
        self.settings = settings
        self.told = settings if told is None else told
        self.method = method
        self.ranking = ranking
        self.rankers = simple_rankers_for(ranking, settings.simple_rankers, settings.vectors)
        self.notes: list[str] = []
        self.seconds: dict[str, float] = {}
        self._started = self._lap = time.perf_counter()
        box = ranking.scorer
        self.notes += box.doubts.values() if box else ()
        ranking.check_scorer()
        self._asked = Asked(box)
        refuse_too_many(len(ranking))
        self._evidence = Evidence()
        self._choice: Choice | None = None
        self.pairs = self._preference_pairs()
        # Vectors are of words as they are written.
        of_words = any(getattr(ranker, "vectors", None) is not None for ranker in self.rankers)
        self.analyzer = settings.analyzer or (Analyzer() if of_words else ranking.analyzer)
        warn_about(ranking.doc_ids, ranking.texts, self.analyzer, ranking.told, stacklevel=4)
        self.index = TextIndex(ranking.texts, self.analyzer)
        self._close("pairs and index")

    def chosen(self) -> IntentExplanation:
        """Terms chosen by the settings' solver among the candidates."""
        s = self.settings
        with self._asking():
            if s.generality == 0 and not self._causal and self.told is s and not s.literal:
                matrices, selection = self._most_covering()
                self._choice = Choice(Option(matrices), len(selection.indices), 0.0)
            else:
                matrices, selection = self._by_settings()
        self._close("selection")
        # With generality the objective is not the coverage, and its bound would be read as one.
        bound = None if s.generality > 0 else selection.bound
        return self._explanation(matrices.restricted(selection.indices), bound, selection.status)

    def _by_settings(self) -> tuple[PreferenceMatrices, Selection]:
        """The terms by generality and effects, and what they were chosen from."""
        matrices, wanted = self._matrices(self._candidates()), None
        if self._asks:
            asked = self._screened(matrices, avoided=bool(self._causal))
            self._ask(asked.scores.terms)
            wanted = self._wanted(asked) if self._evidence.effects and self._causal else None
        name, option, size = self._balanced(self._screened(matrices) if wanted is None else wanted)
        if wanted is not None:
            name, option, size = self._filled(asked, name, option, size)
        self._note_leader(name)
        selection = self._select(self._with_evidence(option.matrices), size, option.softness)
        self._choice = Choice(option, len(selection.indices), self._soft_share)
        if self._causal == 1 and wanted is not None:  # other documents would not change the terms
            chosen = option.matrices.restricted(selection.indices)
            self._choice = Choice(option._replace(matrices=chosen), 0, 0.0)
        return option.matrices, selection

    def verdict(self, explanation: IntentExplanation) -> Verdict:
        """How far the terms of this session can be believed; see `Verdict`."""
        given = Choice(Option(explanation.matrices), 0, 0.0)
        choice = given if self._choice is None else self._choice
        generator = np.random.default_rng(self.settings.seed)
        candidates = self._candidates("text-matching")
        drawn = generator.permutation(len(candidates))[: len(explanation.terms)]
        terms = {
            "query": tuple(self.analyzer.terms(self.ranking.query)),
            "random": tuple(candidates[i] for i in drawn),
        }
        controls = {
            name: Choice(Option(self._matrices(some)), 0, 0.0) for name, some in terms.items() if some
        }
        return intent_verdict(explanation, choice, controls)

    def of_query(self) -> IntentExplanation:
        """The terms of the query."""
        terms = self.analyzer.terms(self.ranking.query)
        if not terms:
            raise InputError(f"the query {self.ranking.query!r} has no term that is not a stopword")
        return self.given(terms)

    def _most_covering(self) -> tuple[PreferenceMatrices, Selection]:
        """The terms that cover most of the fitted pairs, whatever generality would choose.

        They are looked for among all that a list of documents or generality would have for
        candidates, and the choice of the default generality takes part in the race: so they never
        cover less than it does, edited documents aside.
        """
        s = self.settings
        other = self._under(replace(s, generality=GENERAL, budget=0))
        pool = other._matrices(other._candidates())
        general = other._screened(pool)
        name, option, size = other._balanced(general)
        usual_choice = other._select(option.matrices, size, option.softness)
        usual_terms = option.matrices.restricted(usual_choice.indices).scores.terms
        own = self._screened(self._matrices(self._candidates())).scores.terms
        asked = other._screened(pool, avoided=True).scores.terms
        terms = tuple(dict.fromkeys((*own, *general.scores.terms, *asked)))
        scores = term_scores(terms, self.index, self.rankers)
        joined = PreferenceMatrices(scores, self.pairs, general.scale, s.margin)
        self._close("term scores")
        options = self._options(joined)
        most, least = s.max_terms, min(s.min_terms, joined.n_terms)
        winner = most_covering([*options.values()], most, min_terms=least, method=s.method, seed=s.seed)
        chosen, selection = [*options][winner.option], winner.selection
        start = [terms.index(term) for term in usual_terms]
        rival = refined(options[name], start, most, min_terms=least, seed=s.seed)
        if rival.objective > selection.objective:
            chosen, selection = name, rival
        self._note_leader(chosen)
        return options[chosen].matrices, selection

    def _under(self, settings: Multiplex) -> Session:
        """The same ranking under other settings: what was checked, said and indexed stays so."""
        other = copy.copy(self)
        other.settings = settings
        other.notes, other.seconds = [], {}
        other.pairs = other._preference_pairs()
        return other

    def given(self, terms: tuple[str, ...]) -> IntentExplanation:
        """These terms."""
        return self._explanation(self._matrices(terms))

    def at_random(self) -> IntentExplanation:
        """Candidates drawn at random; the ranker is not asked for their importance."""
        with self._asking():
            pool = self._candidates(importance="text-matching")
        size = min(self.settings.max_terms, len(pool))
        generator = np.random.default_rng(self.settings.seed)
        drawn = generator.choice(len(pool), size=size, replace=False)
        return self.given(tuple(pool[i] for i in drawn))

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Around what may ask the ranker."""
        with asking(self.ranking.scorer) as self._asked:
            yield

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
            log_weights=s.generality > 0 if s.log_weights is None else s.log_weights,
            seed=s.seed,
        )

    @property
    def _least_documents(self) -> int:
        """Documents a candidate must occur in: what one document shows cannot be validated."""
        validated = self.settings.generality > 0 and len(self.ranking) >= LEAST_DOCUMENTS
        return 2 if validated else 1

    def _candidates(self, importance: Literal["auto", "text-matching"] = "auto") -> tuple[str, ...]:
        if self._asks or self.settings.budget == 0:  # about all of them at once, or not at all
            importance = "text-matching"
        found = candidate_terms(
            self.ranking,
            max(self.settings.pool, self.settings.candidates),
            index=self.index,
            importance=importance,
            query_terms=self.settings.query_terms,
            min_documents=self._least_documents,
        )
        self._close("candidates")
        return found.terms

    def _matrices(self, terms: tuple[str, ...]) -> PreferenceMatrices:
        scores = term_scores(terms, self.index, self.rankers)
        matrices = PreferenceMatrices(scores, self.pairs, margin=self.settings.margin)
        self._close("term scores")
        return matrices

    def _screened(self, matrices: PreferenceMatrices, avoided: bool = False) -> PreferenceMatrices:
        of_query = self.analyzer.terms(self.ranking.query)
        found = screened(matrices, self.settings.candidates, of_query, avoided=avoided)
        self._close("term scores")
        return found

    @property
    def _causal(self) -> float:
        """How far effects weigh in the choice of terms."""
        s = self.settings
        return (EFFECTS if s.generality > 0 else 0.0) if s.effects is None else s.effects

    @property
    def _asks(self) -> bool:
        """Whether the ranker is asked what terms do to it."""
        s = self.settings
        budget = check_budget(s.budget, s.seconds)
        return bool((self._causal or s.generality) and edits_within(self.ranking, budget))

    def _ask(self, terms: tuple[str, ...]) -> None:
        """Have the ranker score documents with terms put in and taken out by chance."""
        s = self.settings
        budget = check_budget(s.budget, s.seconds)
        self._evidence = evidence_of(self.ranking, terms, self.index, budget, s.seconds, s.seed)
        if not self._evidence.effects:
            self.notes.append("no document is short enough to be edited, and the ranker was not asked")
        self._close("edited documents")

    def _wanted(self, matrices: PreferenceMatrices) -> PreferenceMatrices | None:
        """The candidates that the ranker wants; None if there are none."""
        wanted = np.flatnonzero(self._evidence.wanted(matrices.scores.terms))
        if not len(wanted):
            self.notes.append(NO_EFFECT)
            return None
        if self._causal < 1:
            return matrices.restricted(wanted.tolist())
        largest = self._evidence.largest(matrices.scores.terms, self.settings.max_terms)
        if not np.isin(largest, wanted).all():
            self.notes.append(f"{FOUND.format(len(wanted))} {LARGEST}")
        return matrices.restricted(largest.tolist())

    def _filled(
        self, matrices: PreferenceMatrices, name: str, option: Option, size: int
    ) -> tuple[str, Option, int]:
        """What the ranker wants, and terms that it may want, where these say more of unseen documents.

        Measured on DL'21: where the true words are known, others add .03 of the unseen pairs for two
        queries of 27; on MatchPyramid and DRMM they add .03 to .12 for 14 queries of 23.
        """
        s = self.settings
        known = self._evidence.wanted(matrices.scores.terms)
        expected = known + self._evidence.leaning(matrices.scores.terms)
        wanted, some = int(np.count_nonzero(known)), np.flatnonzero(expected)
        if not s.generality or self._causal == 1 or wanted >= s.max_terms or len(some) == wanted:
            return name, option, size
        other_name, other, _ = self._balanced(matrices.restricted(some.tolist()))
        found = improved_size(
            option, other, s.max_terms,
            gain=self._causal * GAIN, soft_share=self._soft_share, seed=s.seed,
        )  # fmt: skip
        if not found:
            return name, option, size
        self.notes.append(f"{FOUND.format(wanted)} {FILLED}")
        return other_name, other, max(found, wanted)

    def _with_evidence(self, matrices: PreferenceMatrices) -> PreferenceMatrices:
        s = self.settings
        joined = self._evidence.joined(
            matrices, self.ranking, self.index, self.rankers,
            edited=s.generality * EDITED_SHARE, effects=self._causal, seed=s.seed,
        )  # fmt: skip
        self._close("term scores")
        return joined

    def _wants(self, matrices: PreferenceMatrices) -> bool:
        """Whether effects decide, and the ranker wants one of the terms at least."""
        return bool(self._causal and self._evidence.wanted(matrices.scores.terms).any())

    @property
    def _soft_share(self) -> float:
        return 2 * self.settings.generality / (1 + self.settings.generality)

    def _options(self, matrices: PreferenceMatrices) -> dict[str, Option]:
        """Which simple ranker may lead; the integer program knows strict coverage only."""
        s = self.settings
        soft = bool(self._soft_share) and s.method != "ilp"
        return leading_options(matrices, self.rankers, soft=soft, equal=s.balance == "equal")

    def _balanced(self, matrices: PreferenceMatrices) -> tuple[str, Option, int]:
        """Which simple ranker leads, "" for none, what that makes, and how many terms to choose."""
        s = self.settings
        names, options = zip(*self._options(matrices).items(), strict=True)
        if s.generality > 0:
            number, size = validated(options, s.max_terms, soft_share=self._soft_share, seed=s.seed)
        else:
            number, size = best_fit(options, s.max_terms, seed=s.seed), s.max_terms
        if self._wants(matrices):
            size = s.max_terms  # what the ranker wants holds for documents left out, too
        return names[number], options[number], max(size, s.min_terms)

    def _note_leader(self, name: str) -> None:
        if name:
            self.notes.append(f"{name} leads: the votes of the other simple rankers are divided by ten")

    def _select(self, joined: PreferenceMatrices, size: int, softness: float) -> Selection:
        """Up to ``size`` terms for the pairs of ``joined``; all, where the ranker wants no more."""
        s = self.settings
        least = size if self._wants(joined) else s.min_terms
        return solve(
            joined,
            size,
            min_terms=min(least, joined.n_terms),
            method=s.method,
            softness=softness,
            soft_share=self._soft_share,
            seed=s.seed,
            literal=s.literal,
        )

    def _explanation(
        self, matrices: PreferenceMatrices, bound: float | None = None, status: str = "given"
    ) -> IntentExplanation:
        weights = coverage_shares(matrices, seed=self.settings.seed)
        most_useful_first = np.argsort(-weights, kind="stable")
        weights, matrices = weights[most_useful_first], matrices.restricted(most_useful_first.tolist())
        fidelity = judge(self.ranking, matrices, self.pairs)
        self._close("fidelity")
        self.seconds["model"] = self._asked.seconds
        self.seconds["total"] = time.perf_counter() - self._started
        return IntentExplanation(
            method=self.method,
            ranking=self.ranking,
            terms=matrices.scores.terms,
            weights=tuple(weights.tolist()),
            matrices=matrices,
            coverage=matrices.coverage(range(matrices.n_terms)),
            bound=bound,
            status=status,
            fidelity=fidelity,
            analyzer=self.analyzer,
            simple_rankers=self.rankers,
            settings=self._plain_settings(),
            model_calls=self._asked.besides(self.ranking.query, self.ranking.texts),
            seconds=dict(self.seconds),
            notes=tuple(self.notes),
            effects=self._evidence.of(matrices.scores.terms),
            avoids=self._evidence.unwanted,
            judge=self.verdict,
        )

    def _plain_settings(self) -> dict[str, Any]:
        """The settings of the method, with the simple rankers that were made where none were given."""
        plain = plain_settings(self.told) | {"analyzer": self.analyzer.to_dict()}
        if plain.get("simple_rankers", ()) is None:
            plain["simple_rankers"] = [ranker.name for ranker in self.rankers]
        return plain

    def _close(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._lap
        self._lap = now
