"""Which coalitions are drawn."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx.explainers.document.coalitions import coalitions, design, in_pairs, kernel_weights
from intentx.perturbation import all_subsets


def distinct(kept):
    return {row.tobytes() for row in kept}


@pytest.mark.parametrize("players", [2, 3, 4, 7, 12, 30])
@pytest.mark.parametrize("number", [2, 3, 9, 60, 500])
def test_coalitions_differ_and_come_in_pairs_where_there_are_enough(players, number):
    kept = coalitions(players, number, np.random.default_rng(0))
    assert 1 <= len(kept) <= number
    size = kept.sum(axis=1)
    assert ((size > 0) & (size < players)).all()
    assert len(distinct(kept)) == len(kept)
    if in_pairs(players, number):
        assert len(kept) == min(number // 2 * 2, 2**players - 2)
        assert (kept[::2] == ~kept[1::2]).all()
    elif number < 2**players - 2:
        assert not distinct(kept) & distinct(~kept)


def test_all_of_them_where_their_number_allows():
    kept = coalitions(5, 30, np.random.default_rng(0))
    assert distinct(kept) == distinct(all_subsets(5)[1:-1])
    assert (kept[::2] == ~kept[1::2]).all()


def test_sizes_are_as_frequent_as_they_can_be():
    players, number = 20, 2000
    sizes = np.bincount(coalitions(players, number, np.random.default_rng(1)).sum(axis=1))
    assert sizes[1] == sizes[19] == 20  # all there are
    assert sizes[2] <= math.comb(20, 2)
    middle = sizes[3:18]
    assert middle.max() - middle.min() <= 2
    few = np.bincount(coalitions(60, 250, np.random.default_rng(1)).sum(axis=1), minlength=61)
    assert set(few[1:60].tolist()) <= {3, 4, 5, 6}


@pytest.mark.parametrize(("players", "number"), [(40, 400), (41, 400), (200, 100), (13, 24)])
def test_each_player_is_in_as_many(players, number):
    kept = coalitions(players, number, np.random.default_rng(2))
    if in_pairs(players, number):
        assert (kept.mean(axis=0) == 0.5).all()
    size = kept.sum(axis=1)
    for one in set(size.tolist()):
        # The same number, give or take the half of a random order that a part begins and ends in.
        often = (kept if one <= players / 2 else ~kept)[size == one].sum(axis=0)
        assert np.ptp(often) <= 2 or one * 2 == players


@pytest.mark.parametrize(
    ("players", "number", "whole"),
    [(20, 468, 2), (20, 498, 2), (20, 1_998, 2), (14, 1_100, 3), (40, 1_998, 2), (10, 430, 3)],
)
def test_outer_sizes_may_be_whole_where_that_leaves_a_tenth(players, number, whole):
    some = design(players, number, np.random.default_rng(1))
    for place, rest in enumerate(some.rests):
        kept = np.concatenate([some.first, rest])
        assert len(kept) == len(distinct(kept))
        assert number - 72 <= len(kept) <= number  # some of 36 unions and their complements twice
        assert (kept[::2] == ~kept[1::2]).all()
        sizes = np.bincount(kept.sum(axis=1), minlength=players + 1)
        most = [math.comb(players, size) for size in range(1, whole + 1)]
        assert (sizes[1 : whole + 1].tolist() == most) == bool(place)
    if some.blocks is not None:
        pairs = [
            np.isin(some.blocks, two) for two in itertools.combinations_with_replacement(range(8), 2)
        ]
        assert distinct(np.array(pairs)) <= distinct(some.first)


@pytest.mark.parametrize(("players", "number"), [(20, 464), (60, 1_998), (20, 40), (3, 6), (10, 1_022)])
def test_else_there_is_no_choice(players, number):
    some = design(players, number, np.random.default_rng(1))
    assert not some.rests
    assert (some.first == coalitions(players, number, np.random.default_rng(1))).all()


@given(players=st.integers(2, 24), number=st.integers(2, 700), seed=st.integers(0, 9))
@settings(max_examples=40)
def test_designs_of_any_size(players, number, seed):
    some = design(players, number, np.random.default_rng(seed))
    for rest in some.rests or (some.first[:0],):
        kept = np.concatenate([some.first, rest])
        assert len(kept) == len(distinct(kept)) <= number
        assert len(kept) >= min(number // 2 * 2, 2**players - 2) - 72 or not in_pairs(players, number)


def test_the_kernel():
    """Weights by size: (T - 1) / (C(T, s) s (T - s)), where all coalitions are there."""
    kept = all_subsets(6)[1:-1]
    expected = [5 / (math.comb(6, s) * s * (6 - s)) for s in kept.sum(axis=1).tolist()]
    np.testing.assert_allclose(kernel_weights(kept), expected)
    some = kept[kept.sum(axis=1) != 3]
    assert kernel_weights(some).sum() == pytest.approx(sum(5 / (s * (6 - s)) for s in (1, 2, 4, 5)))
