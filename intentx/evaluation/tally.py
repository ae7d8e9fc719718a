"""Pairs that an explanation orders as the ranker does, counted block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values

__all__ = ["FidelityRow", "Tally"]


@equal_by_values
@dataclass(frozen=True)
class FidelityRow:
    """Agreement on one set of pairs.

    Attributes
    ----------
    name
        ``"all"``, ``"far"``, ``"fitted"`` or ``"heldout"``.
    pairs
        Number of pairs.
    vote
        Share covered by the soft vote of the simple rankers, ``sum_r tanh(x M_r) > margin``.
    majority
        Share on which more than half of the simple rankers agree strictly with the ranker (two
        of three, in the published rule).
    by_ranker
        The share for each simple ranker by itself.
    ties
        Pairs with a vote within the margin of zero; they are not covered.
    reason
        Why the shares are NaN, "" when they are not.
    """

    name: str
    pairs: int
    vote: float
    majority: float
    by_ranker: Mapping[str, float]
    ties: int
    reason: str = ""


class Tally:
    """Agreement on pairs that come block by block, so that no array is as long as there are pairs.

    Parameters
    ----------
    names
        Of the R simple rankers.
    margin
        Least vote of a covered pair.
    """

    def __init__(self, names: Sequence[str], margin: float) -> None:
        self.names, self.margin = names, margin
        self.pairs = 0
        self.counts = np.zeros(len(names) + 3, dtype=np.intp)

    def outcomes(self, strength: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """(R + 3, P) who covers each pair: the simple rankers, the vote, the majority; and ties.

        Parameters
        ----------
        strength
            (R, P) tanh of the explanation's scaled score differences.
        """
        vote = strength.sum(axis=0)
        agree = strength > self.margin
        majority = 2 * agree.sum(axis=0) > len(self.names)
        return np.vstack([agree, vote > self.margin, majority, np.abs(vote) <= self.margin])

    def add(self, outcomes: npt.NDArray[np.bool_]) -> None:
        """Count the outcomes of some pairs."""
        self.pairs += outcomes.shape[1]
        self.counts += np.count_nonzero(outcomes, axis=1)

    def row(self, name: str, reason: str) -> FidelityRow:
        """What was counted; without a pair the shares are NaN, and ``reason`` says why."""
        if not self.pairs:
            nothing = dict.fromkeys(self.names, math.nan)
            return FidelityRow(name, 0, math.nan, math.nan, nothing, 0, reason)
        *by_ranker, vote, majority, _ = (self.counts / self.pairs).tolist()
        by_name = dict(zip(self.names, by_ranker, strict=True))
        return FidelityRow(name, self.pairs, vote, majority, by_name, int(self.counts[-1]))
