"""Intervals and tests against slow, obvious versions and against SciPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import false_discovery_control, permutation_test

from intentx.evaluation.statistics import (
    COUNTED,
    bootstrap,
    false_discovery_rate,
    holm,
    kendall_tau_b,
    randomization,
    student_reach,
    student_test,
)
from intentx.study.versus import versus

numbers = st.lists(st.integers(-8, 8).map(lambda n: n / 8), min_size=1, max_size=9)


@given(numbers)
def test_few_differences_are_tested_by_all_signs(values):
    total = abs(sum(values))
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    assert randomization(np.array(values)) == np.mean([one >= total for one in sums])


@pytest.mark.parametrize(("n", "shift"), [(30, 0.0), (43, 0.1), (43, 0.3), (200, 0.1)])
def test_more_differences_as_scipy_tests_them(n, shift):
    generator = np.random.default_rng(n)
    one = generator.normal(size=n)
    other = one - shift + generator.normal(scale=0.5, size=n)
    expected = permutation_test(
        (one, other), lambda a, b: np.mean(a - b), permutation_type="samples", rng=1, n_resamples=20_000
    ).pvalue
    assert randomization(one - other) == pytest.approx(expected, abs=0.012)


def test_very_many_differences_go_on_smoothly():
    generator = np.random.default_rng(0)
    values = generator.normal(0.05, size=1_000)
    more = np.append(values, values.mean())
    assert randomization(more) == pytest.approx(randomization(values), abs=0.02)


def test_false_alarms_are_as_many_as_promised():
    generator = np.random.default_rng(0)
    p = [randomization(generator.normal(size=20), seed) for seed in range(200)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09


def test_no_difference_is_no_evidence():
    assert randomization(np.zeros(5)) == 1.0
    same = np.array([0.1, 0.2])
    assert versus(same, "b", same).p == 1.0


def test_versus_is_paired_by_query():
    values = np.array([0.5, 0.7, np.nan, 0.9])
    others = np.array([0.4, 0.6, 0.1, np.nan])
    found = versus(values, "b", others)
    assert (found.n, found.baseline) == (2, "b")
    assert found.difference == pytest.approx(0.1)
    assert found.low < 0.1 < found.high or np.isnan(found.low)
    assert versus(np.array([np.nan]), "b", np.array([1.0])) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_against_its_definition(values):
    order = np.argsort(values, kind="stable")
    steps = [min(1.0, (len(values) - k) * values[i]) for k, i in enumerate(order)]
    expected = np.empty(len(values))
    expected[order] = np.maximum.accumulate(steps)
    assert holm(values) == pytest.approx(expected)
    assert (np.array(holm(values)) >= false_discovery_control(values) - 1e-12).all()


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_an_interval_holds_the_mean(values):
    found = bootstrap(np.array(values))
    assert np.isnan(found.low) == (np.ptp(values) == 0)
    assert np.isnan(found.low) or found.low - 1e-9 <= found.mean <= found.high + 1e-9
    assert found.n == len(values)


def test_an_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(values)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


@pytest.mark.parametrize("n", [20, 43, 3_000])
def test_resampled_means_are_those_of_scipy(n):
    values = np.random.default_rng(n).random(n)
    expected = stats.bootstrap((values,), np.mean, n_resamples=2000, batch=100 if n < 3_000 else 1300,
                               method="percentile", random_state=np.random.default_rng(3))  # fmt: skip
    low, high = np.percentile(expected.bootstrap_distribution, [2.5, 97.5])
    found = bootstrap(values, seed=3)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01 if n == 3_000 else 1e-12)


@given(st.lists(st.floats(0, 1), max_size=9))
def test_false_discoveries_are_those_of_scipy(values):
    assert false_discovery_rate(np.array(values)).tolist() == false_discovery_control(values).tolist()


@pytest.mark.parametrize("n", [2, 9, COUNTED, COUNTED + 1])
@pytest.mark.parametrize("kinds", [3, 1000])
def test_tau_b_is_that_of_scipy_to_the_last_digit(n, kinds):
    generator = np.random.default_rng(n)
    first = generator.permutation(np.arange(n) % kinds).astype(float)
    second = first + generator.integers(0, kinds, n)
    second[0] = -np.inf
    for one, other in ((first, second), (first, first), (first, -first)):
        assert kendall_tau_b(one, other) == stats.kendalltau(one, other).statistic
    assert np.isnan(kendall_tau_b(first, np.where(first == first[0], np.nan, second)))


def test_student_s_t_is_that_of_scipy():
    ratios, freedom = np.array([-3.0, 0.0, 0.5, 2.0, 40.0, np.nan]), np.array([1, 0.7, 5, np.inf, 90, 3])
    np.testing.assert_array_equal(student_test(ratios, freedom), 2 * stats.t.sf(np.abs(ratios), freedom))
    np.testing.assert_array_equal(student_reach(0.9, freedom), stats.t.ppf(0.95, freedom))
