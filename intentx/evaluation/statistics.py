"""Intervals of means, tests against chance, agreement of two orders: by SciPy where it has them.

``scipy.stats`` takes over a second to load and a good part of a millisecond a call. What each
explanation needs is computed here, to the same numbers: resampled means, false discoveries, and tau-b
of a few hundred documents. The tests compare. It has no correction of Holm's, and its permutation test
does not test many things by the same signs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values

__all__ = [
    "Estimate",
    "bootstrap",
    "f_test",
    "false_discovery_rate",
    "holm",
    "kendall_tau_b",
    "mann_whitney",
    "probability",
    "randomization",
    "sign_flips",
    "student_interval",
    "student_reach",
    "student_test",
    "weighted_kendall_tau",
]

Floats = npt.NDArray[np.float64]

DRAWS = 2000  # of a bootstrap
FEW = 20  # values: intervals of fewer are Student's
FLIPS = 10_000  # of a randomization test
EXACT = 12  # values up to which all signs are tried
MANY = 1_000  # from there on the test is its normal limit
BLOCK = 100  # draws at a time, so that many values need little memory
EXACT_OF_MANY = 14  # values up to which all signs are tried where many things are tested at once
PATTERNS = 50_000  # of signs beyond
NUMBERS = 4_000_000  # at once
COUNTED = 200  # documents up to which all pairs are counted; beyond, sorting them is quicker


@equal_by_values
@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` values, and its 95 % interval (`bootstrap`), NaN where there is none."""

    mean: float
    low: float
    high: float
    n: int


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
    from scipy.special import stdtrit  # scipy.stats takes a second to load

    spread = float(np.std(values, ddof=1)) * math.sqrt(1 / n + tested_to_fitted)
    reach = float(stdtrit(n - 1, 0.975)) * spread
    mean = float(np.mean(values))
    return max(mean - reach, bounds[0]), min(mean + reach, bounds[1])


def _block(n: int) -> int:
    """Samples of n values that are drawn at a time: as many as memory has room for, in hundreds."""
    return BLOCK * max(1, min(DRAWS, NUMBERS // n) // BLOCK)


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
    n = len(values)
    draws = _draws_kept(n, seed) if n <= MANY else _draws(n, seed)
    means = [values[places].mean(axis=1) for places in draws]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Estimate(mean, float(low), float(high), len(values))


def student_test(ratios: Floats, freedom: Floats | float) -> Floats:
    """Two-sided p values of estimates over their standard errors, by Student's t.

    >>> student_test(np.array([0.0, -12.706204736]), 1).round(3).tolist()
    [1.0, 0.05]
    """
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(freedom, -np.abs(ratios)))


def student_reach(share: float, freedom: Floats | float) -> Floats:
    """Standard errors from an estimate to either end of its interval that holds this share.

    >>> float(student_reach(0.95, 1).round(3))
    12.706
    """
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, (1 + share) / 2))


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
    reached = sum(int((np.abs(signs @ differences) >= least).sum()) for signs in _flips(n, seed))
    return (1 + reached) / (1 + FLIPS)


def _draws(n: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Blocks of the (2,000, n) places of `bootstrap`."""
    generator, block = np.random.default_rng(seed), _block(n)
    for start in range(0, DRAWS, block):
        yield generator.integers(0, n, (min(block, DRAWS - start), n))


@functools.lru_cache(maxsize=2)
def _draws_kept(n: int, seed: int) -> list[npt.NDArray[np.int32]]:
    """The same: a table asks for the same draws for each of its numbers."""
    return [places.astype(np.int32) for places in _draws(n, seed)]


@functools.lru_cache(maxsize=2)
def _flips(n: int, seed: int) -> list[npt.NDArray[np.int8]]:
    """Blocks of the (10,000, n) signs of `randomization`, one byte each."""
    generator, block = np.random.default_rng(seed), math.gcd(FLIPS, _block(n))
    return [
        np.where(generator.random((block, n)) < 0.5, 1, -1).astype(np.int8)
        for _ in range(0, FLIPS, block)
    ]


def sign_flips(net: Floats, seed: int) -> Floats:
    """(K,) two-sided p values of (Q, K) values under random signs of each query; 0 stands for none."""
    queries, things = net.shape
    if queries <= EXACT_OF_MANY:
        patterns = np.arange(2 ** (queries - 1))  # the first sign fixed: both sides count alike
        signs = 1.0 - 2.0 * ((patterns[:, None] >> np.arange(queries)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(PATTERNS, queries))
        signs[0] = 1.0  # what was seen is one of the patterns, so that no p value is 0
    found = np.empty(things)
    step = max(1, NUMBERS // len(signs))
    for start in range(0, things, step):
        part = net[:, start : start + step]
        least = np.abs(part.sum(axis=0)) - 1e-9
        found[start : start + step] = (np.abs(signs @ part) >= least).mean(axis=0)
    return found


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


def false_discovery_rate(values: Floats) -> Floats:
    """p values adjusted for the share of false discoveries (Benjamini & Hochberg 1995).

    >>> false_discovery_rate(np.array([0.01, 0.04, 0.02])).round(3).tolist()
    [0.03, 0.04, 0.03]
    """
    values = np.asarray(values, dtype=np.float64)
    order, count = np.argsort(values), len(values)
    raised = values[order] * (count / np.arange(1, count + 1))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum.accumulate(raised[::-1])[::-1].clip(0, 1)
    return adjusted


def mann_whitney(first: Floats, second: Floats) -> tuple[float, float]:
    """U of the first group, and the p value that its values are not the larger ones (one-sided).

    >>> mann_whitney(np.array([3.0, 4.0]), np.array([1.0, 2.0]))[0]
    4.0
    """
    from scipy.stats import mannwhitneyu

    tested = mannwhitneyu(first, second, alternative="greater")
    return float(tested.statistic), float(tested.pvalue)


def f_test(explained: float, terms: int, left: float, free: int) -> float:
    """p value of a share of a sum of squares: ``explained`` by ``terms``, ``left`` to ``free`` others.

    >>> round(f_test(4.0, 1, 8.0, 2), 3)
    0.423
    """
    from scipy.special import fdtrc

    return float(fdtrc(terms, free, explained / terms / (left / free)))


def kendall_tau_b(first: Floats, second: Floats) -> float:
    """Kendall's tau-b of two score vectors, in [-1, 1]; NaN when one of them is constant."""
    n = len(first)
    if n < 2 or any(np.min(one) == np.max(one) for one in (first, second)):
        return math.nan
    if n > COUNTED or np.isnan(first).any() or np.isnan(second).any():
        from scipy.stats import kendalltau

        return float(kendalltau(first, second, variant="b").statistic)
    ranks = [np.unique(one, return_inverse=True)[1] for one in (first, second)]
    one, other = (np.sign(np.subtract.outer(rank, rank)) for rank in ranks)
    untied = (np.count_nonzero(sign) / 2 for sign in (one, other))
    tau = int((one * other).sum()) // 2 / math.sqrt(next(untied)) / math.sqrt(next(untied))
    return max(-1.0, min(1.0, tau))


def weighted_kendall_tau(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Vigna's weighted tau (2015), in [-1, 1]: a pair of ranks i and j, from 1, counts 1/i + 1/j.

    Parameters
    ----------
    first, second
        (N,) scores of documents, which stand in the order of their ranks. In each some must differ.

    Examples
    --------
    >>> weighted_kendall_tau([3, 2, 1], [3, 2, 1]), round(weighted_kendall_tau([3, 2, 1], [2, 3, 1]), 3)
    (1.0, 0.182)
    """
    from scipy.stats import weightedtau

    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return float(weightedtau(one, other, rank=np.arange(len(one))).statistic)


def probability(p: float) -> str:
    """A p-value as people write it.

    >>> probability(0.0004), probability(0.0312), probability(1.0)
    ('p < .001', 'p = .031', 'p = 1')
    """
    if p < 0.001:
        return "p < .001"
    return "p = 1" if p >= 0.9995 else f"p = {f'{p:.3f}'.removeprefix('0')}"
