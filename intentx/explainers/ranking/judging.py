"""How a verdict on an explanation of a ranking is reached."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from intentx.coverage.crossfit import Choice, Splits, cross_fitted
from intentx.coverage.validate import Option
from intentx.evaluation.statistics import kendall_tau_b, student_interval
from intentx.explainers.levels import OPENINGS, Level
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.problem import IntentProblem
from intentx.explainers.ranking.term_effect import TermEffect
from intentx.explainers.ranking.verdict import Verdict
from intentx.preferences import PreferenceMatrices

__all__ = ["IntentJudge", "intent_verdict"]

SPLITS = 10
SHUFFLES = 10  # splits of shuffled orders, each of another one
# Held-out fidelity of shuffled orders of N documents: ½ + BIAS / N in the mean, since candidates were
# screened on all documents, and SPREAD / √N is its standard deviation (benchmarks/verdicts.py).
BIAS, SPREAD = 0.8, 0.41
HOLDS, WEAK, ASKED = 1.8, 0.9, 0.4  # such standard deviations above it, for that level
SURE = 5.0  # standard errors of an effect that is beyond doubt
BY_LENGTH = 0.8  # Kendall's tau-b of order and length from which on the order follows length


@dataclass(frozen=True, eq=False)
class IntentJudge:
    """Judges the terms of a problem when a verdict is asked for.

    Attributes
    ----------
    problem
        What the terms are for.
    choice
        How they were chosen; None where they were given.
    seed
        Of the random terms that they are held against.
    """

    problem: IntentProblem
    choice: Choice | None
    seed: int

    def __call__(self, explanation: IntentExplanation) -> Verdict:
        """How far the terms can be believed; see `Verdict`."""
        candidates = self.problem.candidates()
        drawn = np.random.default_rng(self.seed).permutation(len(candidates))[: len(explanation.terms)]
        terms = {
            "query": self.problem.query_terms,
            "random": tuple(candidates[i] for i in drawn),
        }
        controls = {
            name: self._given(self.problem.matrices(some)) for name, some in terms.items() if some
        }
        choice = self._given(explanation.matrices) if self.choice is None else self.choice
        return intent_verdict(explanation, choice, controls)

    @staticmethod
    def _given(matrices: PreferenceMatrices) -> Choice:
        """What is as it is, and is not chosen again."""
        return Choice(Option(matrices), 0, 0.0)


def intent_verdict(
    explanation: IntentExplanation, choice: Choice, controls: Mapping[str, Choice]
) -> Verdict:
    """The verdict on terms that were chosen as ``choice`` says.

    Parameters
    ----------
    controls
        ``"query"`` and ``"random"``: other terms, given.
    """
    seed = int(explanation.settings.get("seed", 0))
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(text, len(numbers)) for text in explanation.ranking.texts])
    found, *rest = (
        cross_fitted(one._replace(groups=groups), SPLITS, seed) for one in (choice, *controls.values())
    )
    shuffled = cross_fitted(choice, SHUFFLES, seed, shuffled=True)
    others = dict(zip(controls, map(_mean, rest), strict=True))
    documents = len(explanation.ranking)
    chance, spread = 0.5 + BIAS / documents, SPREAD / math.sqrt(documents)
    heldout = _mean(found)
    above = (heldout - chance) / spread  # NaN where nothing could be held out
    asked = [one for one in explanation.effects if one.kind != "not asked"]
    wanted = sum(one.kind == "wanted" for one in asked) if asked else None
    level = _level(above, wanted)
    if math.isnan(heldout) and any(map(_beyond_doubt, asked)) and explanation.fidelity.all > 0.5:
        level = "holds"  # too few documents to leave some out, and they are not needed
    length = _follows_length(explanation)
    if length and wanted is None and level == "holds":
        level = "weak"
    low, high = math.nan, math.nan
    if found is not None:
        low, high = student_interval(
            found.coverage, tested_to_fitted=found.held / found.fitted, bounds=(0.0, 1.0)
        )
    return Verdict(
        level=level,
        sentence=_sentence(explanation, level, heldout, _mean(shuffled), wanted, length),
        heldout=heldout,
        low=low,
        high=high,
        shuffled=_mean(shuffled),
        threshold=chance + (HOLDS if wanted is None else ASKED) * spread,
        query_terms=others.get("query", math.nan),
        random_terms=others.get("random", math.nan),
        stability=_stability(explanation, choice, found),
        wanted=wanted,
    )


def _level(above: float, wanted: int | None) -> Level:
    """By standard deviations above chance, and by how many terms the ranker wants."""
    if wanted:
        return "holds" if above >= ASKED else "weak"
    if wanted is None and above >= HOLDS:
        return "holds"
    return "weak" if above >= WEAK else "chance"


def _beyond_doubt(one: TermEffect) -> bool:
    """Whether a wanted term would be found among thousands: its interval is of two standard errors."""
    return one.kind == "wanted" and one.effect >= SURE / 2 * (one.high - one.effect)


def _mean(splits: Splits | None) -> float:
    return math.nan if splits is None else float(splits.coverage.mean())


def _stability(
    explanation: IntentExplanation, choice: Choice, found: Splits | None
) -> tuple[float, ...]:
    names = choice.option.matrices.scores.terms
    if found is None:
        return (math.nan,) * len(explanation.terms)
    times = [sum(names.index(term) in some for some in found.chosen) for term in explanation.terms]
    return tuple(one / len(found.chosen) for one in times)


def _follows_length(explanation: IntentExplanation) -> float:
    """Kendall's tau-b of order and length in characters, where the order follows length; else 0."""
    ranking = explanation.ranking
    tau = kendall_tau_b(ranking.scores, np.array([float(len(text)) for text in ranking.texts]))
    return tau if abs(tau) >= BY_LENGTH else 0.0


def _sentence(
    explanation: IntentExplanation,
    level: Level,
    heldout: float,
    shuffled: float,
    wanted: int | None,
    length: float,
) -> str:
    terms = len(explanation.terms)
    if math.isnan(heldout):
        seen = "there are too few documents for a test on left-out ones"
    else:
        seen = (
            f"on documents left out, terms chosen in this way reproduce {100 * heldout:.0f} % of the "
            f"order ({100 * shuffled:.0f} % of shuffled orders)"
        )
    if wanted is None:
        asked = "the ranker was not asked, so the terms go along with its order"
    elif wanted == 0:
        asked = "the ranker was asked, and wants none of the terms"
    elif wanted == terms:
        asked = "the ranker was asked, and wants " + ("the term" if terms == 1 else "each of the terms")
    else:
        asked = f"the ranker was asked, and wants {wanted} of the {terms} terms"
    by_length = ""
    if length:
        longer = "longer" if length > 0 else "shorter"
        by_length = f" The order follows length, {longer} documents first (Kendall’s τ-b {length:.2f})."
    return f"{OPENINGS[level]}: {asked}; {seen}.{by_length}"
