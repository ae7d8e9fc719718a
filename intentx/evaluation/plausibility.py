"""Plausibility: do an explanation's words stand where people see the evidence?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure

__all__ = ["Plausibility", "average_precision", "plausibility"]

Pooling = Literal["mean", "sum", "max"]


class Located(Protocol):
    """An explanation whose words have places in the text: ``start``, ``end`` and ``weight``."""

    @property
    def words(self) -> Sequence[Any]: ...


@equal_by_values
@dataclass(frozen=True)
class Plausibility(Measure):
    """How well word weights rank the sentences that people marked as evidence.

    Attributes
    ----------
    average_precision
        Of the sentences by the weight of their words; sentences of the same weight count with the mean
        over all their orders. In (0, 1].
    random
        What a random order has on average.
    sentences, evidence
        How many there are, and how many of them are evidence.
    reason
        Why there is no metric, "" where there is one.
    """

    average_precision: float
    random: float
    sentences: int
    evidence: int
    reason: str = ""

    FORMAT: ClassVar[str] = "intentx.plausibility/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        if self.reason:
            return f"Plausibility: not measured: {self.reason}."
        return (
            f"Plausibility: the weights rank {self.evidence} of {self.sentences} sentences, those that "
            f"people marked, with an average precision of {self.average_precision:.3f} (a random order "
            f"{self.random:.3f})."
        )


def plausibility(
    explanation: Located,
    sentences: Sequence[tuple[int, int]],
    evidence: Sequence[bool],
    pooling: Pooling = "mean",
) -> Plausibility:
    """Rank the sentences of a document by its word weights, and compare with a human rationale.

    Parameters
    ----------
    sentences
        Start and end of each sentence in the explained document.
    evidence
        Whether people marked it.
    pooling
        A sentence weighs the ``"mean"``, the ``"sum"`` or the ``"max"`` of its words' weights; without
        words, 0.

    Raises
    ------
    InputError
        If there is not one mark per sentence, a sentence ends before it starts, or there is no such
        pooling.
    """
    if pooling not in get_args(Pooling):
        raise InputError(f"pooling must be one of {get_args(Pooling)}, not {pooling!r}")
    if len(sentences) != len(evidence):
        raise InputError(f"{len(sentences)} sentences and {len(evidence)} marks: one each is needed")
    wrong = [span for span in sentences if not 0 <= span[0] <= span[1]]
    if wrong:
        raise InputError(f"a sentence is its start and its end in the document, not {wrong[0]!r}")
    relevant = np.array(evidence, dtype=bool)
    found = int(relevant.sum())
    if not found:
        return Plausibility(math.nan, math.nan, len(relevant), 0, "no sentence is marked as evidence")
    weights = np.zeros(len(relevant))
    for number, (start, end) in enumerate(sentences):
        inside = [word.weight for word in explanation.words if start <= word.start < end]
        if inside:
            weights[number] = getattr(np, pooling)(inside)
    return Plausibility(
        average_precision(weights, relevant),
        average_precision(np.zeros(len(relevant)), relevant),
        len(relevant),
        found,
    )


def average_precision(scores: npt.NDArray[np.float64], relevant: npt.NDArray[np.bool_]) -> float:
    """Average precision of items by ``scores`` (N,), the expected one over the orders of ties.

    As in McSherry & Najork (ECIR 2008, section 3): of n items in a tie, r of them relevant, the one in
    place p is relevant with probability r / n, and (p - 1)(r - 1) / (n - 1) of those before it then are.

    Examples
    --------
    >>> average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, False, True])).__round__(3)
    0.833
    """
    total, before, above = 0.0, 0, 0  # items and relevant items ahead of the tie
    for score in np.unique(scores)[::-1]:
        tied = relevant[scores == score]
        n, r = len(tied), int(tied.sum())
        place = np.arange(1, n + 1)
        earlier = (place - 1) * (r - 1) / max(n - 1, 1)
        total += float(np.sum(r / n * (above + 1 + earlier) / (before + place)))
        before, above = before + n, above + r
    return total / above if above else math.nan
