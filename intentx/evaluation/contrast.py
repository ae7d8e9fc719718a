"""Is a metric larger for relevant documents than for others?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure
from intentx.evaluation.statistics import mann_whitney

__all__ = ["Contrast", "contrast"]


@equal_by_values
@dataclass(frozen=True)
class Contrast(Measure):
    """One-sided Mann-Whitney U test: is the first group larger?

    Attributes
    ----------
    u, p
        The statistic, and the probability of one as large if the groups are alike.
    effect
        Probability that one of the first group is larger than one of the second, a tie counting half:
        .5 if they are alike.
    medians
        Of both groups.
    sizes
        Values in both groups; NaNs are left out.
    left_out
        How many are.
    """

    u: float
    p: float
    effect: float
    medians: tuple[float, float]
    sizes: tuple[int, int]
    left_out: int

    FORMAT: ClassVar[str] = "intentx.contrast/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        return (
            f"A value of the first group is larger than one of the second with probability "
            f"{self.effect:.3f} (medians {self.medians[0]:.3g} and {self.medians[1]:.3g}, of "
            f"{self.sizes[0]} and {self.sizes[1]} values; one-sided Mann-Whitney U = {self.u:g}, p = "
            f"{self.p:.2g})."
        )


def contrast(first: Sequence[float], second: Sequence[float]) -> Contrast:
    """Compare a metric of relevant documents with that of others.

    Raises
    ------
    InputError
        If a group has no number.

    Examples
    --------
    >>> contrast([3.0, 4.0, 5.0], [1.0, 2.0, 3.0]).effect.__round__(3)
    0.944
    """
    groups = [np.array([v for v in group if not math.isnan(v)]) for group in (first, second)]
    if not all(len(group) for group in groups):
        raise InputError("each of the two groups needs one number or more to be compared")
    u, p = mann_whitney(groups[0], groups[1])
    sizes = len(groups[0]), len(groups[1])
    return Contrast(
        u=u,
        p=p,
        effect=u / (sizes[0] * sizes[1]),
        medians=(float(np.median(groups[0])), float(np.median(groups[1]))),
        sizes=sizes,
        left_out=len(first) + len(second) - sum(sizes),
    )
