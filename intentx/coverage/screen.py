"""What sets can be worth at most, in float32: a screen before sums in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.coverage.objective import Objective

__all__ = ["Screen"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

ROUNDING = 2.0**-23  # of a float32, and of one sum of two
FUNCTION = 2e-6  # that a tanh in float32 and what is made of it are wrong by, at most
SUMMED = 1e-5  # the same for a mean over pairs
LARGEST = 1e30  # beyond, sums could overflow; such sets all go on


class Screen:
    """Upper bounds of the values of sets, each the union of a head and one of many tails.

    Parameters
    ----------
    objective
        What sets are worth.
    entry
        (T, R, P) score differences of the pairs by each term.

    Notes
    -----
    A bound exceeds the value by what float32 can be wrong, about 1e-5 and the weight of pairs whose
    vote is as close to the margin. Pairs that no term of a set speaks
    for are known not to be covered.
    """

    def __init__(self, objective: Objective, entry: Floats) -> None:
        self.objective = objective
        self._entry: Singles = np.clip(entry, -LARGEST, LARGEST).astype(np.float32)
        self._spoken: Bools = np.any(entry > 0, axis=1)  # (T, P)
        self._widest = np.sort(np.abs(entry).max(axis=2), axis=0)[::-1]  # (T, R) most by any terms
        self._weight = objective.weight.astype(np.float32)

    def set_tails(self, tails: Indices) -> Singles:
        """Sums (K, R, P) of these tails (K, size), of which blocks are then to be judged."""
        sums = self._entry[tails[:, 0]]
        self._speaks = self._spoken[tails[:, 0]]
        for column in range(1, tails.shape[1]):
            sums += self._entry[tails[:, column]]
            self._speaks |= self._spoken[tails[:, column]]
        self._length = tails.shape[1]
        return np.asarray(sums)

    def most(self, head: Sequence[int], sums: Singles, block: slice) -> Floats:
        """(B,) what the sets of ``head`` and each tail of ``block`` are worth at most, from the tails'
        sums (B, R, P).
        """
        chosen = list(head)
        votes = sums + self._entry[chosen].sum(axis=0)
        np.tanh(votes, out=votes)
        joined = votes[:, 0]
        for ranker in range(1, votes.shape[1]):
            joined += votes[:, ranker]
        wrong = self._wrong(len(chosen) + self._length)
        margin = self.objective.matrices.margin
        soft = self.objective.softness
        share = self.objective.soft_share if soft else 0.0
        found = np.full(len(joined), SUMMED)
        if share < 1:
            covered = joined > np.float32(margin - wrong)
            covered &= self._speaks[block] | self._spoken[chosen].any(axis=0)
            found += (1 - share) * (covered @ self._weight)
        if share > 0:  # a sigmoid is a tanh of half as much
            joined -= np.float32(margin)
            joined *= np.float32(0.5 / soft)
            found += share * (0.5 + 0.5 * (np.tanh(joined, out=joined) @ self._weight))
            found += share * (wrong / (4 * soft) + FUNCTION)
        return found

    def _wrong(self, size: int) -> float:
        """By how much a vote of ``size`` terms can be wrong."""
        rankers = self._widest.shape[1]
        sums = (size + 1) * ROUNDING * float(self._widest[:size].sum())
        return float(min(sums, 2.0 * rankers) + FUNCTION * rankers)
