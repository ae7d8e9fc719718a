"""Estimated Shapley values against exact ones, and the formulas behind them against loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx.explainers.document.asking import asked
from intentx.explainers.document.coalitions import coalitions, design
from intentx.explainers.document.interactions import (
    Prior,
    _covariance,
    _left_open,
    _of_three,
    _shapley_of_interactions,
    _shapley_of_three,
    _unlikelihood,
    _with_shapley_values,
    expected_shapley_values,
    explained,
    most_telling,
    white_shapley_values,
)
from intentx.explainers.document.shap import shapley_values
from intentx.perturbation import all_subsets


def estimate(game, players, samples, seed):
    """From so many values of a game, none and all among them."""
    generator = np.random.default_rng(seed)
    kept, values = asked(game, lambda values: values, players, samples - 2, generator)
    return expected_shapley_values(kept, values[2:], float(values[0]), float(values[1]))


def exact(game, players):
    return shapley_values(game(all_subsets(players)))


def error(found, truth):
    return ((found - truth) ** 2).sum() / (truth**2).sum()


def weighted_sum(weights, constant=0.0):
    return lambda kept: kept @ weights + constant


def with_interactions(players, orders, seed):
    """A sum over players and products of some of them, and its Shapley values."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=players)
    groups = [generator.choice(players, order, replace=False) for order in orders]
    strengths = 1.5 * generator.normal(size=len(groups))

    def game(kept):
        return kept @ weights + sum(
            w * kept[:, who].all(axis=1) for who, w in zip(groups, strengths, strict=True)
        )

    truth = weights.copy()
    for who, w in zip(groups, strengths, strict=True):
        truth[who] += w / len(who)
    return game, truth


def test_the_games_of_these_tests():
    game, truth = with_interactions(7, [2, 2, 3, 4], seed=0)
    np.testing.assert_allclose(exact(game, 7), truth, atol=1e-12)


@settings(max_examples=20)
@given(players=st.integers(2, 8), seed=st.integers(0, 99))
def test_all_coalitions_give_the_exact_values_of_any_game(players, seed):
    values = np.random.default_rng(seed).normal(size=2**players)

    def game(kept):
        return values[kept @ (1 << np.arange(players))]

    found = estimate(game, players, 2**players, seed)
    np.testing.assert_allclose(found, shapley_values(values), atol=1e-8)


@settings(max_examples=20)
@given(
    players=st.integers(2, 30),
    samples=st.integers(4, 120),
    seed=st.integers(0, 99),
    unit=st.sampled_from([1e-8, 1.0, 1e200]),
)
def test_values_add_up_whatever_the_game(players, samples, seed, unit):
    generator = np.random.default_rng(seed)
    kept = coalitions(players, samples - 2, generator)
    values, (empty, full) = unit * generator.normal(size=len(kept)), unit * generator.normal(size=2)
    found = expected_shapley_values(kept, values, empty, full)
    assert np.isfinite(found).all()
    assert math.fsum(found) == pytest.approx(full - empty, abs=1e-9 * unit)


@settings(max_examples=20)
@given(players=st.integers(2, 25), seed=st.integers(0, 99), paired=st.booleans())
def test_a_sum_over_players_is_found_to_the_last_digits(players, seed, paired):
    weights = np.random.default_rng(seed).normal(size=players)
    samples = 3 * players + 6 if paired else players + 8
    found = estimate(weighted_sum(weights, 5.0), players, samples, seed)
    np.testing.assert_allclose(found, weights, atol=1e-8)


@settings(max_examples=20)
@given(players=st.integers(4, 25), seed=st.integers(0, 99))
def test_interactions_of_two_are_no_trouble_in_pairs(players, seed):
    game, truth = with_interactions(players, [2] * 6, seed)
    found = estimate(game, players, 3 * players + 6, seed)
    np.testing.assert_allclose(found, truth, atol=1e-7)


@pytest.mark.parametrize(("players", "samples"), [(11, 80), (30, 200), (30, 50)])
def test_the_other_way_round_all_signs_turn(players, samples):
    game, _ = with_interactions(players, [2, 3, 3, 4], seed=3)
    there = estimate(game, players, samples, seed=0)
    back = estimate(lambda kept: -game(kept), players, samples, seed=0)
    assert (there == -back).all()
    assert (there == estimate(game, players, samples, seed=0)).all()


def test_players_who_do_nothing_get_next_to_nothing():
    def game(kept):
        return 2 * kept[:, :3].max(axis=1) - np.log1p(kept[:, 3:6].sum(axis=1))

    found = estimate(game, 40, 300, seed=0)
    np.testing.assert_allclose(found[:3], 2 / 3, atol=0.02)
    np.testing.assert_allclose(found[3:6], -math.log(4) / 3, atol=0.02)
    assert np.abs(found[6:]).max() < 0.01


@pytest.mark.parametrize(("players", "orders"), [(14, [2, 3, 3, 3, 4]), (60, [2, 3] * 10)])
def test_errors_fall_as_versions_grow(players, orders):
    """At 60 words the error of an earlier estimator rose from 150 to 250 versions."""
    means = []
    for samples in (100, 150, 250):
        some = [
            error(estimate(game, players, samples, seed), truth)
            for seed in range(3)
            for game, truth in [with_interactions(players, orders, seed)]
        ]
        means.append(np.mean(some))
    assert all(after < before or after < 1e-12 for before, after in itertools.pairwise(means)), means
    assert means[2] < (1e-3 if players == 14 else 0.03)  # paired least squares: .005 and .03


@pytest.mark.parametrize(("players", "samples"), [(10, 150), (14, 250), (20, 500), (40, 2_000)])
def test_interactions_of_up_to_four_are_no_trouble_where_two_sizes_can_be_whole(players, samples):
    """All sizes as often, 20 players and 1,000 versions: an error of up to 7e-4."""
    for orders in ([2, 3, 3, 4], [2, 3, 3, 4] * (players // 4)):
        game, truth = with_interactions(players, orders, seed=1)
        assert error(estimate(game, players, samples, seed=0), truth) < 1e-18


def test_errors_where_more_interact_and_two_sizes_can_be_whole():
    """Of 20 words, 500 versions: all sizes as often leave .003 of the values' squared length."""

    def estimated(seed):
        game, truth = with_interactions(20, [3] * 24, seed)
        who = np.random.default_rng(seed).permutation(20)[:15].reshape(3, 5)

        def more(kept):
            return game(kept) - sum(np.log1p(kept[:, some].sum(axis=1)) for some in who)

        truth[who] -= math.log(6) / 5
        return error(estimate(more, 20, 500, seed), truth)

    errors = [estimated(seed) for seed in range(3)]
    assert np.mean(errors) < 6e-4, errors


@pytest.mark.parametrize(("players", "samples"), [(14, 500), (20, 480)])
def test_one_group_undoes_what_another_does(players, samples):
    """By its whole sizes such a game looks like one of few interactions, with other values."""
    half, weights = players // 2, np.random.default_rng(0).normal(size=players) / 4

    def game(kept):
        there, others = kept[:, :half].sum(axis=1), kept[:, half:].sum(axis=1)
        return np.sqrt(there) - np.sqrt(others) + kept @ weights

    truth = weights + np.repeat([1.0, -1.0], half) / np.sqrt(half)
    assert error(estimate(game, players, samples, seed=0), truth) < 0.005


def test_the_variance_that_coalitions_leave():
    """By the covariance of all coalitions' values, from which that of Shapley values follows."""
    p = prior(5, np.random.default_rng(6), even=False)
    every = np.where(all_subsets(5), 1.0, -1.0)
    weights = np.array([shapley_values(one) for one in np.eye(32)])
    whole = _covariance(p, every) + p.noise * (np.eye(32) - np.eye(32)[::-1])
    some = [31, 8, 9, 10]
    crossed = whole[some] @ weights
    known = crossed.T @ np.linalg.solve(whole[np.ix_(some, some)], crossed)
    variances = np.diag(weights.T @ whole @ weights - known)
    np.testing.assert_allclose(_left_open(p, every[some]), variances)


def test_which_coalitions_come_next_hangs_on_the_game():
    """Whole sizes where few interact, not where many do."""

    def largest(kept):
        return (kept * np.linspace(0.1, 1, 20)).max(axis=1)

    def many_interact(kept):
        vectors = np.random.default_rng(0).normal(size=(20, 8))
        total = kept @ vectors
        return total @ vectors.sum(axis=0) / np.maximum(np.linalg.norm(total, axis=1), 0.1)

    def noise(kept):
        return np.sin(1e4 * kept @ np.sqrt(np.arange(2, 22)))

    def chosen(game, seed, number=498):
        some = design(20, number, np.random.default_rng(seed))
        ends = game(np.array([[False], [True]]).repeat(20, axis=1)).tolist()
        return most_telling(some, game(some.first), *ends)

    threes = with_interactions(20, [3] * 10, 0)[0]
    assert [chosen(threes, seed, number) for seed in range(2) for number in (480, 498, 998)] == [1] * 6
    for game in (largest, many_interact):
        assert [chosen(game, seed) for seed in range(2)] == [0, 0]
    assert chosen(noise, 0) == 0
    assert chosen(weighted_sum(np.ones(20)), 0) == chosen(lambda kept: np.ones(len(kept)), 0) == 0


def test_fewer_versions_than_words_do_no_harm():
    """Against giving each word the same."""
    for seed in range(3):
        game, truth = with_interactions(150, [2, 3] * 5, seed)
        same = np.full(150, truth.mean())
        assert error(estimate(game, 150, 100, seed), truth) < 0.85 * error(same, truth)


def prior(players, generator, even):
    scales = generator.uniform(0.2, 1, 7)
    return Prior(generator.uniform(0.1, 2, players), *scales[:5], *(scales[5:] if even else (0.0, 0.0)))


@pytest.mark.parametrize("even", [False, True])
def test_the_gradient_by_finite_differences(even):
    generator = np.random.default_rng(0)
    rows = np.where(generator.random((15, 6)) < 0.5, -1.0, 1.0)
    right, scales = generator.normal(size=15), 7 if even else 5
    center = np.full(scales, -1.0)
    at = np.concatenate([0.3 * generator.normal(size=6), center + 0.2])
    _, gradient = _unlikelihood(at, rows, right, center)
    for place, slope in enumerate(gradient):
        step = np.zeros(len(at))
        step[place] = 1e-6
        up, down = (_unlikelihood(at + s * step, rows, right, center)[0] for s in (1, -1))
        assert slope == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-6)


def test_the_likelihood_by_loops():
    generator = np.random.default_rng(1)
    rows = np.where(generator.random((7, 4)) < 0.5, -1.0, 1.0)
    right = generator.normal(size=7)
    p = prior(4, generator, even=True)
    covariance = np.empty((7, 7))
    threes = list(itertools.combinations(range(4), 3))
    for i, j in itertools.product(range(7), repeat=2):
        both = [
            math.prod(
                math.exp(p.reach * r * (s * x * y - 1))
                for r, x, y in zip(p.relevance, rows[i], rows[j], strict=True)
            )
            for s in (1, -1)
        ]
        linear = sum(r * x * y for r, x, y in zip(p.relevance, rows[i], rows[j], strict=True))
        covariance[i, j] = (
            p.linear * linear
            + p.odd * (both[0] - both[1]) / 2
            + p.level
            + p.even * (both[0] + both[1]) / 2
            + p.cubic * np.mean([math.prod(rows[[i, j]][:, k].ravel()) for k in threes])
            + p.noise * (i == j)
        )
    expected = right @ np.linalg.inv(covariance) @ right / 2 + np.log(np.linalg.det(covariance)) / 2
    scales = np.log([p.linear, p.odd, p.reach, p.noise, p.cubic, p.even, p.level])
    off = np.log(p.relevance)
    loss, _ = _unlikelihood(np.concatenate([off, scales]), rows, right, scales)
    assert loss == pytest.approx(expected + 0.5 * off @ off / 2)


def test_shapley_values_of_a_covariance():
    generator = np.random.default_rng(2)
    p = prior(7, generator, even=False)
    rows = np.where(generator.random((3, 7)) < 0.5, -1.0, 1.0)
    factors = generator.normal(size=3)
    every = np.where(all_subsets(7), 1.0, -1.0)
    game = sum(
        f * np.exp(p.reach * ((every * row - 1) @ p.relevance))
        for f, row in zip(factors, rows, strict=True)
    )
    np.testing.assert_allclose(
        factors @ _shapley_of_interactions(p, rows), shapley_values(game), atol=1e-12
    )


def test_shapley_values_of_products_of_three():
    rows = np.where(np.random.default_rng(4).random((3, 6)) < 0.5, -1.0, 1.0)
    every = np.where(all_subsets(6), 1.0, -1.0)
    games = _of_three(np.concatenate([rows, every]))[:3, 3:]
    found = _shapley_of_three(rows)
    for game, values in zip(games, found, strict=True):
        np.testing.assert_allclose(values, shapley_values(game), atol=1e-12)


@pytest.mark.parametrize("paired", [False, True])
def test_explained_variance_by_all_coalitions(paired):
    """By the covariance of all coalitions' values, from which that of Shapley values follows."""
    p = prior(4, np.random.default_rng(5), even=not paired)
    every = np.where(all_subsets(4), 1.0, -1.0)
    weights = np.array([shapley_values(one) for one in np.eye(16)])  # (16, T)
    white = np.eye(16) - np.eye(16)[::-1] if paired else np.eye(16)  # odd as well, in pairs
    whole = _covariance(p, every) + p.noise * white
    some = [15, 8, 9, 10] if paired else [0, 1, 6, 7, 15]
    rows, known, crossed = every[some], whole[np.ix_(some, some)], whole[some] @ weights
    np.testing.assert_allclose(_with_shapley_values(p, rows, p.noise, paired), crossed, atol=1e-12)
    expected = np.trace(crossed.T @ np.linalg.inv(known) @ crossed)
    assert explained(p, rows, odd_only=paired) == pytest.approx(expected)


def test_shapley_values_of_single_coalitions():
    values = np.random.default_rng(3).normal(size=32)
    some = [0, 3, 7, 20, 31]
    sparse = np.zeros(32)
    sparse[some] = values[some]
    found = values[some] @ white_shapley_values(all_subsets(5)[some])
    np.testing.assert_allclose(found, shapley_values(sparse), atol=1e-12)
