"""Exact values of the statistics of a study: counts of draws, limits between methods, rounding."""

import math

import numpy as np
import pytest
from scipy.stats import t

from intentx.evaluation.statistics import bootstrap, randomization
from intentx.study.versus import Versus


def drawn(tenths, seed):
    """How many of 10,000 sign flips of whole tenths reach the observed sum, counted in integers."""
    whole = np.array(tenths)
    heads = np.random.default_rng(seed).random((10_000, len(whole))) < 0.5
    return int((np.abs(np.where(heads, whole, -whole).sum(axis=1)) >= abs(whole.sum())).sum())


def test_the_observed_signs_count_as_one_draw():
    """All of 60 coins fall alike once in 2**59 times: no draw reaches the observed sum."""
    assert randomization(np.full(60, 0.25)) == 1 / 10_001


@pytest.mark.parametrize("seed", [0, 5])
def test_a_p_value_of_draws_is_a_count_in_whole_numbers(seed):
    """Tenths are no binary fractions: their sums differ in the last digit by the order of the signs."""
    tenths = [3, 1, -2, 7, 2, 2, -1, 3, 6, 1, -3, 2, 2, 1, -1]
    reached = drawn(tenths, seed)
    assert 100 < reached < 2_000
    assert randomization(np.array(tenths) / 10, seed) == (1 + reached) / 10_001
    assert drawn(tenths, 0) != drawn(tenths, 5)


def test_twelve_differences_have_all_signs_and_thirteen_are_drawn():
    for n, count in ((12, 2**12), (13, 10_001)):
        p = randomization(np.arange(1.0, n + 1) * (-1) ** (np.arange(n) % 3 == 0))
        assert 0.01 < p < 0.99
        assert p * count == pytest.approx(round(p * count), abs=1e-9)
    assert randomization(np.ones(12)) == 2 / 2**12
    assert randomization(np.ones(13)) != 2 / 2**13


def test_sums_in_another_order_are_as_far_from_zero():
    """0.1 + 0.2 + 0.3 is more than 0.3 + 0.2 + 0.1 in floats, and both are 0.6."""
    values = np.array([0.3, 0.1, 0.2, -0.1, 0.1, 0.2])
    whole = np.array([3, 1, 2, -1, 1, 2])
    signs = 1 - 2 * ((np.arange(64)[:, None] >> np.arange(6)) & 1)
    expected = np.mean(np.abs(signs @ whole) >= 8)
    for order in (slice(None), slice(None, None, -1), [1, 3, 5, 0, 2, 4]):
        assert randomization(values[order]) == expected


def test_beyond_a_thousand_the_limit_is_exact():
    values = np.append(np.full(600, 0.3), np.full(401, -0.4))
    z = abs(600 * 0.3 - 401 * 0.4) / math.sqrt(600 * 0.09 + 401 * 0.16)
    assert randomization(values) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-9)
    thousand = randomization(values[:1000]) * 10_001
    assert thousand == pytest.approx(round(thousand), abs=1e-7)  # still drawn


def test_intervals_of_nineteen_values_are_student_s_and_of_twenty_are_drawn():
    values = np.random.default_rng(3).normal(size=20)
    few = bootstrap(values[:19])
    reach = t.ppf(0.975, 18) * values[:19].std(ddof=1) / math.sqrt(19)
    assert (few.low, few.high) == pytest.approx((few.mean - reach, few.mean + reach))
    for seed in (0, 4):
        chosen = np.random.default_rng(seed).integers(20, size=(2_000, 20))
        ends = np.quantile(values[chosen].mean(axis=1), [0.025, 0.975])
        found = bootstrap(values, seed)
        assert (found.low, found.high) == pytest.approx(tuple(ends))


def test_an_interval_stays_within_its_bounds():
    found = bootstrap(np.array([0.0, 1.0, 1.0]), bounds=(0.0, 1.0))
    assert (found.low, found.high) == (0.0, 1.0)
    found = bootstrap(np.array([0.0, 1.0, 1.0]))
    assert found.low < 0
    assert found.high > 1


@pytest.mark.parametrize(
    ("difference", "p", "sign"),
    [(0.1, 0.049, 1), (-0.1, 0.049, -1), (0.1, 0.05, 0), (-0.1, 0.051, 0), (0.0, 0.01, 0)],
)
def test_the_sign_of_a_difference_needs_p_below_a_twentieth(difference, p, sign):
    assert Versus("b", difference, 0.0, 0.0, p, 9).sign == sign
