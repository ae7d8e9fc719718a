"""Intervals of means, of few values and of overlapping splits; none where there is nothing to go by."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["student_interval"]

Floats = npt.NDArray[np.float64]


def student_interval(
    values: Floats,
    *,
    tested_to_fitted: float = 0.0,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[float, float]:
    """95 % interval of the mean by Student's t; NaN for both ends where the values allow none.

    Parameters
    ----------
    values
        (n,) finite values. One has no spread, and values that are all equal hide theirs: there is
        no interval then.
    tested_to_fitted
        For values from n random splits of the same units: units tested over units fitted, in each.
        Such splits overlap, so their spread is less than that of independent ones; the variance of
        the mean is ``(1 / n + tested / fitted)`` times the variance of the values (Nadeau & Bengio,
        Machine Learning 52, 2003, section 3). 0: the values are independent.
    bounds
        Ends that the quantity cannot pass.

    Examples
    --------
    >>> low, high = student_interval(np.array([0.5, 0.6, 0.7]))
    >>> round(low, 3), round(high, 3)
    (0.352, 0.848)
    >>> student_interval(np.array([0.5]))
    (nan, nan)
    """
    n = len(values)
    if n < 2 or np.ptp(values) == 0:
        return math.nan, math.nan
    from scipy.special import stdtrit  # quicker to load than scipy.stats

    spread = float(np.std(values, ddof=1)) * math.sqrt(1 / n + tested_to_fitted)
    reach = float(stdtrit(n - 1, 0.975)) * spread
    mean = float(np.mean(values))
    return max(mean - reach, bounds[0]), min(mean + reach, bounds[1])
