"""A method held against a baseline, query by query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.evaluation.statistics import bootstrap, randomization

__all__ = ["Versus", "marks_in_words", "versus"]

Floats = npt.NDArray[np.float64]


@equal_by_values
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


def marks_in_words(tested: Sequence[Versus], baselines: str = "") -> str:
    """What the marks of a table mean; that it has none, where no difference earns one."""
    best = f"the best other baseline{f' (of {baselines})' if baselines else ''}"
    how = "p < .05 by a paired randomization test with Holm's correction"
    if any(one.sign for one in tested):
        return f"† better and ‡ worse than {best}, {how}."
    return f"No method is better or worse than {best} with {how}." if tested else ""


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
