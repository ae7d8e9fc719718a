"""Values that few coalitions determine."""

import numpy as np
import pytest

from intentx.explainers.document.determined import few_interact, sum_over_players, values_by_whole_sizes
from intentx.explainers.document.shap import shapley_values
from intentx.perturbation import all_subsets


def odd_rows(players, most):
    """Of each pair of complements the smaller, of up to ``most`` players, and all players last."""
    every = all_subsets(players)
    size = every.sum(axis=1)
    kept = np.concatenate([every[(size > 0) & (size <= most)], every[-1:]])
    kept[::3][: len(kept) // 3] ^= True  # a coalition tells as much as its complement
    return np.where(kept, 1.0, -1.0)


def odd(players, orders, seed):
    """A sum of products of signs, by which coalitions (M, T) of -1 and 1 get values."""
    generator = np.random.default_rng(seed)
    terms = [generator.choice(players, order, replace=False) for order in orders]
    weights = generator.normal(size=len(orders))
    return lambda rows: sum(w * rows[:, t].prod(axis=1) for w, t in zip(weights, terms, strict=True)) / 9


def exact(game, players):
    return shapley_values(game(np.where(all_subsets(players), 1.0, -1.0)))


@pytest.mark.parametrize(
    ("players", "whole", "orders"),
    [(5, 2, [1, 3, 3]), (8, 2, [1, 1, 3, 3, 3]), (11, 2, [3] * 9), (8, 3, [1, 3, 5, 5])],
)
def test_whole_sizes_determine_values(players, whole, orders):
    game, rows = odd(players, orders, seed=0), odd_rows(players, whole)
    found = values_by_whole_sizes(rows, game(rows))
    np.testing.assert_allclose(found, exact(game, players), atol=1e-12)


@pytest.mark.parametrize(("players", "whole", "order"), [(8, 2, 5), (11, 2, 7), (11, 3, 7)])
def test_not_if_more_interact(players, whole, order):
    rows = odd_rows(players, whole)
    assert values_by_whole_sizes(rows, odd(players, [3, order], 0)(rows)) is None


def test_not_if_a_coalition_is_missing():
    rows, game = odd_rows(8, 2), odd(8, [1, 3], 0)
    assert values_by_whole_sizes(rows[1:], game(rows[1:])) is None
    assert values_by_whole_sizes(odd_rows(8, 1), game(odd_rows(8, 1))) is None


@pytest.mark.parametrize(("orders", "few"), [([1, 2, 3, 3, 3], True), ([1, 3, 5, 5, 5, 5, 5, 5], False)])
def test_blocks_show_whether_many_interact(orders, few):
    players, generator = 13, np.random.default_rng(0)
    blocks = generator.permutation(np.arange(players) % 8)
    unions = odd_rows(8, 2)[:, blocks]
    rows = np.concatenate([np.where(generator.random((20, players)) < 0.5, -1.0, 1.0), unions])
    game = odd(players, [order for order in orders if order % 2], 1)
    assert few_interact(rows, game(rows), blocks) == few
    assert not few_interact(rows[-9:], game(rows[-9:]), blocks)


def test_sums():
    rows = odd_rows(6, 1)
    weights = np.arange(6.0) / 15
    np.testing.assert_allclose(sum_over_players(rows, rows @ weights / 2), weights, atol=1e-12)
    assert sum_over_players(rows[1:], rows[1:] @ weights / 2) is None
    assert sum_over_players(rows, rows @ weights / 2 + rows[:, :3].prod(axis=1)) is None
