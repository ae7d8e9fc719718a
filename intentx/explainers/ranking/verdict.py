"""A verdict on an explanation of a ranking: whether it holds, is weak, or may be chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.coverage.crossfit import Choice, Splits, cross_fitted
from intentx.evaluation.fidelity import none_for_nan
from intentx.evaluation.intervals import student_interval
from intentx.evaluation.orders import kendall_tau_b
from intentx.explainers.levels import OPENINGS, Judgement, Level, known_level, numbers_of

if TYPE_CHECKING:
    from intentx.explainers.ranking.effects import TermEffect
    from intentx.explainers.ranking.explanation import IntentExplanation

__all__ = ["Verdict", "intent_verdict"]

Floats = npt.NDArray[np.float64]

SPLITS = 10
SHUFFLES = 10  # splits of shuffled orders, each of another one
# Held-out fidelity of shuffled orders of N documents: ½ + BIAS / N in the mean, since candidates were
# screened on all documents, and SPREAD / √N is its standard deviation (benchmarks/verdicts.py).
BIAS, SPREAD = 0.8, 0.41
HOLDS, WEAK, ASKED = 1.8, 0.9, 0.4  # such standard deviations above it, for that level
SURE = 5.0  # standard errors of an effect that is beyond doubt
BY_LENGTH = 0.8  # Kendall's tau-b of order and length from which on the order follows length


@dataclass(frozen=True)
class Verdict(Judgement):
    """How far the terms of a ranking can be believed, and what that rests on.

    Attributes
    ----------
    level
        ``"holds"``: on documents left out, terms chosen in the same way reproduce the order clearly
        better than chance allows; and where the ranker was asked, it wants one of them at least. With
        too few documents to leave some out: the ranker wants one of them beyond doubt.
        ``"chance"``: they do not. ``"weak"``: in between.
    sentence
        The same in words, with the numbers.
    heldout, low, high
        Share of the pairs among left-out documents that terms chosen from the others cover, in the
        mean over ten splits, and its 95 % interval, widened since splits share documents.
    shuffled
        The same on shuffled orders.
    threshold
        What ``heldout`` must reach for "holds".
    query_terms, random_terms
        The same for the terms of the query, and for as many candidates drawn at random.
    stability
        For each term the share of the splits that choose it.
    wanted
        Terms that the ranker wants, of those it was asked about; None where it was not asked.
    asked
        Texts that the ranker scored for the verdict, besides those for the explanation.
    """

    heldout: float
    low: float
    high: float
    shuffled: float
    threshold: float
    query_terms: float
    random_terms: float
    stability: tuple[float, ...]
    wanted: int | None
    asked: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data; None for numbers that are not known."""
        return super().to_dict() | {"stability": [none_for_nan(share) for share in self.stability]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_dict`."""
        keys = ("heldout", "low", "high", "shuffled", "threshold", "query_terms", "random_terms")
        stability = tuple(math.nan if one is None else float(one) for one in plain["stability"])
        wanted = None if plain["wanted"] is None else int(plain["wanted"])
        return cls(
            level=known_level(plain),
            sentence=str(plain["sentence"]),
            **numbers_of(plain, keys),
            stability=stability,
            wanted=wanted,
            asked=int(plain["asked"]),
        )


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
        seen = "there are too few documents to leave some out"
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
