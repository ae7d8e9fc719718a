"""What can be said from some queries: means with intervals, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.evaluation.intervals import student_interval

__all__ = ["Estimate", "Versus", "bootstrap", "holm", "randomization", "versus"]

Floats = npt.NDArray[np.float64]

DRAWS = 2000  # of a bootstrap
FEW = 20  # values: intervals of fewer are Student's
FLIPS = 10_000  # of a randomization test
EXACT = 12  # queries up to which all signs are tried
MANY = 1_000  # from there on the test is its normal limit
BLOCK = 100  # draws at a time, so that many queries need little memory


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` queries, and its 95 % interval (`bootstrap`), NaN where there is none."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Versus:
    """A method held against the best baseline, paired by query.

    Attributes
    ----------
    baseline
        Name of the baseline.
    difference, low, high
        Mean of method minus baseline over ``n`` queries that both have, and its 95 % interval
        (`bootstrap`), NaN where there is none.
    p
        Two-sided, of a sign-flip randomization test (Smucker, Allan & Carterette, CIKM 2007).
    n
        Queries.
    """

    baseline: str
    difference: float
    low: float
    high: float
    p: float
    n: int

    @property
    def sign(self) -> int:
        """1 if the method is better with p below .05, -1 if worse, else 0."""
        return int(np.sign(self.difference)) if self.p < 0.05 else 0


def bootstrap(
    values: Floats, seed: int = 0, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """The mean of one value or more, and its 95 % interval: 2.5 and 97.5 % of 2,000 resampled means.

    Of fewer than 20 values, for which these are too close to each other, it is Student's t interval
    within ``bounds``. One value has none, nor have values that are all equal: its ends are NaN.

    >>> bootstrap(np.array([0.5]))
    Estimate(mean=0.5, low=nan, high=nan, n=1)
    """
    mean = float(values.mean())
    if len(values) < FEW or np.ptp(values) == 0:
        return Estimate(mean, *student_interval(values, bounds=bounds), len(values))
    generator = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for start in range(0, DRAWS, BLOCK):
        drawn = generator.integers(len(values), size=(BLOCK, len(values)))
        means[start : start + BLOCK] = values[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(mean, float(low), float(high), len(values))


def versus(values: Floats, baseline: str, others: Floats, seed: int = 0) -> Versus | None:
    """A method's metrics against a baseline's, NaN where there is none; None without a common query.

    Parameters
    ----------
    values, others
        (n,) of the same queries.
    """
    differences = (values - others)[np.isfinite(values) & np.isfinite(others)]
    if not len(differences):
        return None
    mean = bootstrap(differences, seed)
    p = randomization(differences, seed)
    return Versus(baseline, mean.mean, mean.low, mean.high, p, mean.n)


def randomization(differences: Floats, seed: int = 0) -> float:
    """How often a mean as far from 0 comes about when the sign of each difference is a coin's.

    All signs are tried for 12 differences or fewer; else 10,000 draws, of which the observed one is
    counted as one; beyond 1,000 differences the normal limit of the same.

    >>> randomization(np.array([0.1, 0.2, 0.3]))
    0.25
    """
    n = len(differences)
    total = abs(float(differences.sum()))
    size = float(np.abs(differences).sum())
    if not size:
        return 1.0
    if n > MANY:
        return math.erfc(total / math.sqrt(2 * float(differences @ differences)))
    least = total - 1e-12 * size  # sums of the same numbers in another order are not less
    if n <= EXACT:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return float(np.mean(np.abs(signs @ differences) >= least))
    generator = np.random.default_rng(seed)
    reached = 0
    for _ in range(0, FLIPS, BLOCK):
        flipped = np.where(generator.random((BLOCK, n)) < 0.5, differences, -differences)
        reached += int((np.abs(flipped.sum(axis=1)) >= least).sum())
    return (1 + reached) / (1 + FLIPS)


def holm(values: Sequence[float]) -> list[float]:
    """p values adjusted for being several (Holm 1979), in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted = [0.0] * len(values)
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = largest
    return adjusted
