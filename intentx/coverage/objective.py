"""What every solver maximises: the exact value of a term set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["Objective"]

Floats = npt.NDArray[np.float64]


class Objective:
    """Share of the pairs that a term set covers, by weight.

    With ``softness`` s > 0 a pair counts ``sigmoid((vote - margin) / s)`` to ``soft_share``, and 0
    or 1 to the rest.
    """

    def __init__(
        self, matrices: PreferenceMatrices, softness: float = 0.0, soft_share: float = 1.0
    ) -> None:
        self.matrices = matrices
        self.softness = softness if soft_share > 0 else 0.0
        self.soft_share = soft_share
        self.weighted = matrices.pairs.weight is not None
        weight = matrices.pairs.weight
        self.weight: Floats = np.ones(matrices.n_pairs) if weight is None else weight
        self.weight = self.weight / self.weight.sum()

    @property
    def smooth(self) -> bool:
        """Whether half of it or more is soft."""
        return self.softness > 0 and self.soft_share >= 0.5

    def value(self, indices: Sequence[int]) -> float:
        """Value in [0, 1] of the terms at ``indices``, in float64 and never from running sums."""
        if self.softness > 0:
            return float(self.weight @ self.soft(self.matrices.votes(indices)))
        if not self.weighted:
            return self.matrices.coverage(indices)
        return math.fsum(self.weight[self.matrices.covered(indices)])

    def soft(self, votes: Floats) -> Floats:
        """What votes count for, with softness. The sigmoid is a tanh: that never overflows."""
        above = votes - self.matrices.margin
        smooth = 0.5 + 0.5 * np.tanh(above / (2 * self.softness))
        return self.soft_share * smooth + (1 - self.soft_share) * (above > 0)

    def best(self, sets: Iterable[Sequence[int]]) -> list[int]:
        """The set of highest value; of equal ones the smallest, then the lowest indices."""
        unique = {tuple(sorted(one)) for one in sets}
        return list(min((-self.value(one), len(one), one) for one in unique)[2])
