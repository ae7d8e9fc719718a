"""Exact limits of preference pairs and of the regular samples of them."""

import numpy as np
import pytest

import intentx as ix
from intentx.preferences import Pairs, PreferenceMatrices, TermScores, split_pairs
from intentx.preferences.pairs import EveryPair
from tests.toys import ranked


def pairs_of(scores, **settings):
    return list(
        ix.preference_pairs(ranked([f"text {i}" for i in range(len(scores))], scores), **settings)
    )


@pytest.mark.parametrize("best", [1000.0, -1000.0])
def test_scores_closer_than_a_millionth_of_a_millionth_of_the_largest_are_equal(best):
    """Of scores about a thousand, gaps of 0.8e-9 are rounding, and gaps of 1.2e-9 are none."""
    assert pairs_of([best, best - 0.8e-9, best - 2.0e-9]) == [(0, 2), (1, 2)]


def test_the_size_of_scores_is_that_of_the_largest_whatever_its_sign():
    assert pairs_of([0.8e-12, 0.0, -1.0]) == [(0, 2), (1, 2)]
    assert pairs_of([1.2e-12, 0.0, -1.0]) == [(0, 1), (0, 2), (1, 2)]
    assert pairs_of([1.0, 0.8e-12, 0.0]) == [(0, 1), (0, 2)]
    assert pairs_of([8e-13, 1e-13, 0.0]) == [(0, 1), (0, 2), (1, 2)]  # small scores round less


def test_a_gap_as_large_as_rounding_is_rounding():
    assert pairs_of([1.0, 1e-12, 0.0]) == [(0, 1), (0, 2)]
    assert pairs_of([1.0, np.nextafter(1e-12, 1), 0.0]) == [(0, 1), (0, 2), (1, 2)]


def test_scores_that_stand_for_never_say_nothing_of_how_others_round():
    assert pairs_of([1e300, 2.0, 1.0, -1e300]) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert pairs_of([1e300, 1e300 * (1 - 1e-13), 1.0]) == [(0, 2), (1, 2)]
    assert pairs_of([1e100, 2.0, 1.0]) == [(0, 1), (0, 2)]  # this one may be a score


def test_a_gap_as_large_as_the_least_is_large_enough():
    assert pairs_of([3.0, 2.5, 2.0], min_score_gap=0.5) == [(0, 1), (0, 2), (1, 2)]
    assert pairs_of([3.0, 2.5, 2.0], min_score_gap=0.5000001) == [(0, 2)]
    assert pairs_of([3.0, 2.5, 2.0], min_rank_gap=2) == [(0, 2)]


def test_a_regular_sample_starts_with_the_first_pair_and_is_no_larger_than_asked():
    every = EveryPair(np.array([3.0, 2.0, 1.0]))  # pairs (0, 1), (0, 2), (1, 2)
    assert list(every.regular(3)) == [(0, 1), (0, 2), (1, 2)]
    assert list(every.regular(2)) == [(0, 1), (1, 2)]
    assert list(every.regular(1)) == [(0, 1)]
    assert list(every.regular(99)) == [(0, 1), (0, 2), (1, 2)]


def line(entries, scale=1.0):
    """One simple ranker, one pair for each entry of each term: documents against one of zeros."""
    entries = np.asarray(entries, dtype=float)
    values = np.append(entries, np.zeros((len(entries), 1)), axis=1)
    count = entries.shape[1]
    return PreferenceMatrices(
        TermScores(values[None]), Pairs(np.arange(count), np.full(count, count)), scale=scale
    )


def test_mean_votes_are_of_a_regular_sample_that_is_no_larger_than_asked():
    first, second, third, fourth = np.tanh([0.5, -1.0, 2.0, 0.25])
    three, four = line([[0.5, -1.0, 2.0]]), line([[0.5, -1.0, 2.0, 0.25]])
    assert three.mean_votes(3) == pytest.approx([(first + second + third) / 3], abs=1e-6)
    assert three.mean_votes(2) == pytest.approx([(first + third) / 2], abs=1e-6)
    assert three.mean_votes(1) == pytest.approx([first], abs=1e-6)
    assert four.mean_votes(3) == pytest.approx([(first + third) / 2], abs=1e-6)
    assert four.mean_votes(2) == pytest.approx([(first + third) / 2], abs=1e-6)
    assert four.mean_votes() == pytest.approx([(first + second + third + fourth) / 4], abs=1e-6)


def test_mean_votes_are_of_every_term_and_summed_over_the_simple_rankers():
    generator = np.random.default_rng(2)
    values = generator.normal(size=(2, 131, 4))  # more terms than two blocks
    matrices = PreferenceMatrices(TermScores(values), Pairs([0, 0, 1], [1, 3, 2]), scale=[1.0, 3.0])
    expected = [matrices.votes([term]).mean() for term in range(131)]
    assert matrices.mean_votes() == pytest.approx(expected, abs=1e-6)


def test_a_scale_is_made_of_every_pair_up_to_twenty_thousand_and_then_of_every_other():
    entries = np.tile([3.0, 4.0], 10_001)
    assert line([entries[:20_000]], scale=None).scale == pytest.approx([np.sqrt(12.5)], rel=1e-12)
    assert line([entries[:20_001]], scale=None).scale == pytest.approx([3.0], rel=1e-12)


def test_a_scale_is_of_all_terms_and_not_of_zeros():
    entries = np.zeros((33, 2))  # more terms than two blocks
    entries[0, 0], entries[16, 1], entries[32, 0] = 1.0, 2.0, -5.0
    assert line(entries, scale=None).scale == pytest.approx([np.sqrt((1 + 4 + 25) / 3)], rel=1e-12)


@pytest.mark.parametrize(
    ("number", "share", "expected"),
    [
        (11, 0.33, 4),
        (11, 0.3, 3),
        (100, 0.29, 29),
        (10, 0.26, 3),
        (10, 0.24, 2),
        (2, 0.9, 1),
        (9, 0.01, 1),
    ],
)
def test_the_held_out_pairs_are_the_nearest_number_to_the_share(number, share, expected):
    fitted, held = split_pairs(Pairs(np.zeros(number, int), np.arange(1, number + 1)), share)
    assert (len(held), len(fitted)) == (expected, number - expected)


def test_another_seed_holds_out_other_pairs():
    pairs = Pairs(np.zeros(40, int), np.arange(1, 41))
    held = {tuple(split_pairs(pairs, 0.3, seed=seed)[1].low.tolist()) for seed in range(5)}
    assert len(held) == 5
