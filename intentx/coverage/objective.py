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
            return float(self.weight @ self.counts(self.matrices.votes(indices)))
        if not self.weighted:
            return self.matrices.coverage(indices)
        return math.fsum(self.weight[self.matrices.covered(indices)])

    def counts(self, votes: Floats) -> Floats:
        """What pairs with these votes count for."""
        above = votes - self.matrices.margin
        if not self.softness:
            return np.asarray(above > 0, dtype=np.float64)
        strict = (1 - self.soft_share) * (above > 0)
        above /= -self.softness
        np.minimum(above, 700.0, out=above)  # beyond, exp would overflow
        np.exp(above, out=above)
        above += 1
        np.divide(self.soft_share, above, out=above)
        above += strict
        return np.asarray(above)

    def best(self, sets: Iterable[Sequence[int]]) -> list[int]:
        """The set of highest value; of equal ones the smallest, then the lowest indices."""
        unique = {tuple(sorted(one)) for one in sets}
        return list(min((-self.value(one), len(one), one) for one in unique)[2])
