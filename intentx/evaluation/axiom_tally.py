"""Counts of what retrieval axioms say of the pairs of a ranking."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.evaluation.axiom_votes import Axiom
from intentx.evaluation.statistics import student_reach

__all__ = ["AxiomRow", "Tally", "least_squares"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

LEAST_DOCUMENTS = 20  # with a decided pair: fewer make no interval


@equal_by_values
@dataclass(frozen=True)
class AxiomRow:
    """What one axiom says of the pairs of a ranking.

    Attributes
    ----------
    name, about, says
        Its name in the literature, what it looks at, and what it prefers.
    decided, agreed
        Pairs for which it prefers a document, and those of them on which that is the ranker's.
    agreement
        ``agreed / decided``; chance is .5. NaN where nothing is decided.
    low, high
        95 % interval of the agreement, by the jackknife over documents: each document is left out
        with all its pairs, since pairs share documents. It is about other documents for this query
        and this ranker. NaN where fewer than 20 documents have a decided pair, or there is no spread.
    right_decided, right_agreed, wrong_decided, wrong_agreed
        The counts for pairs that the explanation orders right, and for those that it does not; 0
        where a ranking was given.
    """

    name: str
    about: str
    says: str
    decided: int
    agreed: int
    agreement: float
    low: float
    high: float
    right_decided: int = 0
    right_agreed: int = 0
    wrong_decided: int = 0
    wrong_agreed: int = 0

    @property
    def right(self) -> float:
        """Agreement on the decided pairs that the explanation orders right; NaN without any."""
        return _ratio(self.right_agreed, self.right_decided)

    @property
    def wrong(self) -> float:
        """Agreement on the decided pairs that the explanation does not order right; NaN without any."""
        return _ratio(self.wrong_agreed, self.wrong_decided)


class Tally:
    """Counts over pairs that come block by block."""

    def __init__(self, number: int, documents: int) -> None:
        self.decided = np.zeros((number, documents), dtype=np.intp)  # of each document
        self.agreed = np.zeros((number, documents), dtype=np.intp)
        self.apart = np.zeros((4, number), dtype=np.intp)
        self.right = self.wrong = self.ties = self.undecided = self.majority = 0
        self.square, self.sum = np.zeros((number, number)), np.zeros(number)

    def add(
        self, votes: Floats, high: Indices, low: Indices, strength: Floats | None, least: float
    ) -> None:
        """Count (A, P) votes, and (P,) those of an explanation."""
        n = self.decided.shape[1]
        for number, vote in enumerate(votes):
            for counts, these in ((self.decided, vote != 0), (self.agreed, vote > 0)):
                counts[number] += np.bincount(high[these], minlength=n)
                counts[number] += np.bincount(low[these], minlength=n)
        self.undecided += int((votes == 0).all(axis=0).sum())
        self.majority += int((votes.sum(axis=0) > 0).sum())
        self.square += votes @ votes.T
        self.sum += votes.sum(axis=1)
        if strength is None:
            return
        covered = strength > least
        self.right += int(covered.sum())
        self.wrong += int((~covered).sum())
        self.ties += int((np.abs(strength) <= least).sum())
        parts = (votes[:, covered], votes[:, ~covered])
        self.apart += np.stack(
            [found for part in parts for found in ((part != 0).sum(axis=1), (part > 0).sum(axis=1))]
        )

    def weights(self) -> Floats:
        return least_squares(self.square, self.sum)

    def row(self, number: int, axiom: Axiom) -> AxiomRow:
        decided, agreed = self.decided[number], self.agreed[number]
        total, agreeing = int(decided.sum()) // 2, int(agreed.sum()) // 2
        low, high = _jackknife(agreed, decided)
        return AxiomRow(
            axiom.name, axiom.about, axiom.says, total, agreeing, _ratio(agreeing, total), low, high,
            *self.apart[:, number].tolist(),
        )  # fmt: skip


def _jackknife(agreed: Indices, decided: Indices) -> tuple[float, float]:
    """95 % interval of a share of pairs, from its counts for each document: each is left out in turn."""
    inside = decided > 0
    n, total, agreeing = int(inside.sum()), decided.sum() // 2, agreed.sum() // 2
    if n < LEAST_DOCUMENTS or (decided[inside] >= total).any():
        return math.nan, math.nan
    left = (agreeing - agreed[inside]) / (total - decided[inside])
    error = math.sqrt((n - 1) / n * float(((left - left.mean()) ** 2).sum()))
    if not error:
        return math.nan, math.nan
    reach = float(student_reach(0.95, n - 1)) * error
    share = float(agreeing / total)
    return max(0.0, share - reach), min(1.0, share + reach)


def least_squares(square: Floats, total: Floats) -> Floats:
    """Weights whose sum of votes is as near to 1 on each pair as can be, the least ones of several."""
    return np.asarray(np.linalg.pinv(square, hermitian=True) @ total)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
