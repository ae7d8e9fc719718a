"""How the terms of a problem are chosen: by coverage, by generality, and by effects on the ranker."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from intentx.coverage import Selection, solve
from intentx.coverage.crossfit import Choice
from intentx.coverage.race import most_covering, refined
from intentx.coverage.solve import LITERAL, Method
from intentx.coverage.validate import Option, best_fit, improved_size, validated
from intentx.errors import InputError
from intentx.explainers.ranking.effects import BUDGET, check_budget
from intentx.explainers.ranking.evidence import Evidence, evidence_of
from intentx.explainers.ranking.leading import leading_options
from intentx.explainers.ranking.problem import IntentProblem
from intentx.explainers.ranking.stability import check_stability, stability_of
from intentx.explainers.ranking.stages import Stages
from intentx.perturbation import edits_within
from intentx.preferences import PreferenceMatrices
from intentx.preferences.simple_rankers import term_scores
from intentx.ranking import Ranking

__all__ = ["EDITED_SHARE", "GENERAL", "Balance", "ChoiceSettings", "Chosen", "TermChooser"]

Balance = Literal["chosen", "equal"]

NO_EFFECT = (
    "the ranker was asked, and no term was found to have an effect of its own: these terms only go "
    "along with its order"
)
FOUND = "the ranker was found to want {} of the candidates;"
FILLED = (
    "these leave much of its order unexplained, so terms that help to reproduce it were added, whose "
    "effect could be chance; a larger budget measures more"
)
LARGEST = "those that may matter most to the first documents were added, which could be chance"
EFFECTS = 0.3  # how far they weigh by default
GAIN = 0.1  # of unseen pairs: what terms without a clear effect must add, where effects are all
GENERAL = 0.5  # the default generality
EDITED_SHARE = 0.5  # of the weight, on pairs with edited documents, at generality 1


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """How terms are chosen, and how far the ranker is asked for it; see `intentx.Multiplex`.

    Raises
    ------
    InputError
        For a value that is not allowed.

    Examples
    --------
    >>> ChoiceSettings().causal, ChoiceSettings(generality=0).causal, ChoiceSettings(effects=1).causal
    (0.3, 0.0, 1)
    """

    max_terms: int = 10
    min_terms: int = 1
    balance: Balance = "chosen"
    generality: float = GENERAL
    effects: float | None = None
    budget: int | None = BUDGET
    seconds: float | None = None
    stability: float | None = None
    method: Method = "auto"
    literal: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        # Types and ranges were checked where a method was made.
        check_budget(self.budget, self.seconds)
        check_stability(self.stability)
        if self.literal and self.method not in LITERAL:
            raise InputError(f"literal settings exist for {tuple(LITERAL)}, not for {self.method!r}")
        if not 1 <= self.min_terms <= self.max_terms:
            raise InputError(
                f"1 <= min_terms <= max_terms is needed, not {self.min_terms} and {self.max_terms}"
            )

    @property
    def causal(self) -> float:
        """How far effects weigh in the choice of terms."""
        return (EFFECTS if self.generality > 0 else 0.0) if self.effects is None else self.effects

    @property
    def soft_share(self) -> float:
        """Of the objective, on pairs that count by their vote."""
        return 2 * self.generality / (1 + self.generality)

    def asks(self, ranking: Ranking) -> bool:
        """Whether the ranker is asked what terms do to it."""
        budget = check_budget(self.budget, self.seconds)
        return bool((self.causal or self.generality) and edits_within(ranking, budget))


class Chosen(NamedTuple):
    """Terms, as a selection of those that the matrices are of, and how they could be chosen again."""

    matrices: PreferenceMatrices
    selection: Selection
    choice: Choice


class TermChooser:
    """Chooses terms of a problem.

    Parameters
    ----------
    problem, settings
        What terms are chosen for, and how.
    stages
        Where notes and seconds go.

    Attributes
    ----------
    evidence
        What the ranker said, once it was asked.
    """

    def __init__(self, problem: IntentProblem, settings: ChoiceSettings, stages: Stages) -> None:
        self.problem = problem
        self.settings = settings
        self.stages = stages
        self.evidence = Evidence()

    def chosen(self) -> Chosen:
        """The terms by generality and effects, and what they were chosen from."""
        s = self.settings
        matrices, wanted = self._candidates(), None
        if s.asks(self.problem.ranking):
            asked = self._screened(matrices, avoided=bool(s.causal))
            self._ask(asked.scores.terms)
            wanted = self._wanted(asked) if self.evidence.effects and s.causal else None
        name, option, size = self._balanced(self._screened(matrices) if wanted is None else wanted)
        if wanted is not None:
            name, option, size = self._filled(asked, name, option, size)
        self._note_leader(name)
        selection = self._select(self._with_evidence(option.matrices), size, option.softness)
        choice = Choice(option, len(selection.indices), s.soft_share)
        if s.causal == 1 and wanted is not None:  # other documents would not change the terms
            alone = option.matrices.restricted(selection.indices)
            choice = Choice(option._replace(matrices=alone), 0, 0.0)
        return Chosen(option.matrices, selection, choice)

    def most_covering(self, usual: IntentProblem) -> Chosen:
        """The terms that cover most of the fitted pairs, whatever generality would choose.

        They are looked for among all that a list of documents or generality would have for
        candidates, and the choice of the default generality takes part in the race: so they never
        cover less than it does, edited documents aside.

        Parameters
        ----------
        usual
            The problem as it is with the default generality.
        """
        s = self.settings
        other = TermChooser(usual, replace(s, generality=GENERAL, budget=0), Stages())
        pool = other._candidates()
        general = other._screened(pool)
        name, option, size = other._balanced(general)
        usual_choice = other._select(option.matrices, size, option.softness)
        usual_terms = option.matrices.restricted(usual_choice.indices).scores.terms
        own = self._screened(self._candidates()).scores.terms
        asked = other._screened(pool, avoided=True).scores.terms
        terms = tuple(dict.fromkeys((*own, *general.scores.terms, *asked)))
        scores = term_scores(terms, self.problem.index, self.problem.simple_rankers)
        joined = PreferenceMatrices(scores, self.problem.pairs, general.scale, self.problem.margin)
        self.stages.close("term scores")
        options = self._options(joined)
        most, least = s.max_terms, min(s.min_terms, joined.n_terms)
        winner = most_covering([*options.values()], most, min_terms=least, method=s.method, seed=s.seed)
        chosen, selection = [*options][winner.option], winner.selection
        start = [terms.index(term) for term in usual_terms]
        rival = refined(options[name], start, most, min_terms=least, seed=s.seed)
        if rival.objective > selection.objective:
            chosen, selection = name, rival
        self._note_leader(chosen)
        matrices = options[chosen].matrices
        return Chosen(matrices, selection, Choice(Option(matrices), len(selection.indices), 0.0))

    def _candidates(self) -> PreferenceMatrices:
        s = self.settings
        # About all of them at once, or not at all.
        unasked = s.asks(self.problem.ranking) or s.budget == 0
        terms = self.problem.candidates("text-matching" if unasked else "auto")
        self.stages.close("candidates")
        matrices = self.problem.matrices(terms)
        self.stages.close("term scores")
        return matrices

    def _screened(self, matrices: PreferenceMatrices, avoided: bool = False) -> PreferenceMatrices:
        found = self.problem.screened(matrices, avoided)
        self.stages.close("term scores")
        return found

    def _ask(self, terms: tuple[str, ...]) -> None:
        """Have the ranker score documents with terms put in and taken out by chance."""
        s, problem = self.settings, self.problem
        budget = check_budget(s.budget, s.seconds)
        self.evidence = evidence_of(
            problem.ranking, terms, problem.index, budget, s.seconds, s.seed, s.stability
        )
        if s.seconds is not None or s.stability is not None:
            self._note_stability()
        if not self.evidence.effects:
            self.stages.note("no document is short enough to be edited, so the ranker was not asked")
        self.stages.close("edited documents")

    def _note_stability(self) -> None:
        """How sure the first terms are, where time or a wanted stability may have ended the asking."""
        found, wanted = stability_of(self.evidence.effects), self.settings.stability
        asked = f"{len(self.evidence.scores):,} edited documents were asked about"
        if math.isnan(found):
            self.stages.note(f"{asked}; fewer than three terms were found to have an effect")
            return
        said = f"{asked}; the stability of the three terms with the largest effects is {found:.0%}"
        if wanted is not None:
            said += ", as wanted" if found >= wanted else f", and {wanted:.0%} was wanted"
        self.stages.note(said)

    def _wanted(self, matrices: PreferenceMatrices) -> PreferenceMatrices | None:
        """The candidates that the ranker wants; None if there are none."""
        wanted = np.flatnonzero(self.evidence.wanted(matrices.scores.terms))
        if not len(wanted):
            self.stages.note(NO_EFFECT)
            return None
        if self.settings.causal < 1:
            return matrices.restricted(wanted.tolist())
        most = self.settings.max_terms
        largest = self.evidence.largest(matrices.scores.terms, self.problem.index, most)
        if not np.isin(largest, wanted).all():
            self.stages.note(f"{FOUND.format(len(wanted))} {LARGEST}")
        return matrices.restricted(largest.tolist())

    def _filled(
        self, matrices: PreferenceMatrices, name: str, option: Option, size: int
    ) -> tuple[str, Option, int]:
        """What the ranker wants, and terms that it may want, where these say more of unseen documents.

        Measured on DL'21: where the true words are known, others add .03 of the unseen pairs for two
        queries of 27; on MatchPyramid and DRMM they add .03 to .12 for 14 queries of 23.
        """
        s = self.settings
        known = self.evidence.wanted(matrices.scores.terms)
        expected = known + self.evidence.leaning(matrices.scores.terms)
        wanted, some = int(np.count_nonzero(known)), np.flatnonzero(expected)
        if not s.generality or s.causal == 1 or wanted >= s.max_terms or len(some) == wanted:
            return name, option, size
        other_name, other, _ = self._balanced(matrices.restricted(some.tolist()))
        found = improved_size(
            option, other, s.max_terms,
            gain=s.causal * GAIN, soft_share=s.soft_share, seed=s.seed,
        )  # fmt: skip
        if not found:
            return name, option, size
        self.stages.note(f"{FOUND.format(wanted)} {FILLED}")
        return other_name, other, max(found, wanted)

    def _with_evidence(self, matrices: PreferenceMatrices) -> PreferenceMatrices:
        s = self.settings
        joined = self.evidence.joined(
            matrices, self.problem.ranking, self.problem.index, self.problem.simple_rankers,
            edited=s.generality * EDITED_SHARE, effects=s.causal, seed=s.seed,
        )  # fmt: skip
        self.stages.close("term scores")
        return joined

    def _wants(self, matrices: PreferenceMatrices) -> bool:
        """Whether effects decide, and the ranker wants one of the terms at least."""
        return bool(self.settings.causal and self.evidence.wanted(matrices.scores.terms).any())

    def _options(self, matrices: PreferenceMatrices) -> dict[str, Option]:
        """Which simple ranker may lead; the integer program knows strict coverage only."""
        s = self.settings
        soft = bool(s.soft_share) and s.method != "ilp"
        return leading_options(
            matrices, self.problem.simple_rankers, soft=soft, equal=s.balance == "equal"
        )

    def _balanced(self, matrices: PreferenceMatrices) -> tuple[str, Option, int]:
        """Which simple ranker leads, "" for none, what that makes, and how many terms to choose."""
        s = self.settings
        names, options = zip(*self._options(matrices).items(), strict=True)
        if s.generality > 0:
            number, size = validated(options, s.max_terms, soft_share=s.soft_share, seed=s.seed)
        else:
            number, size = best_fit(options, s.max_terms, seed=s.seed), s.max_terms
        if self._wants(matrices):
            size = s.max_terms  # what the ranker wants holds for documents left out, too
        return names[number], options[number], max(size, s.min_terms)

    def _note_leader(self, name: str) -> None:
        if name:
            self.stages.note(f"{name} leads: the votes of the other simple rankers are divided by ten")

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
            soft_share=s.soft_share,
            seed=s.seed,
            literal=s.literal,
        )
