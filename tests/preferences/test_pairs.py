import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import InputError, Pairs, preference_pairs
from intentx.preferences import split_pairs
from tests import oracles
from tests.toys import ranked

scores = st.lists(st.integers(0, 6), min_size=2, max_size=12).map(lambda s: sorted(s, reverse=True))


def recorded(scores):
    return ranked([f"text {i}" for i in range(len(scores))], scores)


@given(
    scores, st.sampled_from(["all", "top-tail"]), st.integers(1, 4), st.integers(1, 5), st.integers(0, 3)
)
def test_pairs_are_those_of_the_loop(scores, strategy, top, rank_gap, score_gap):
    top = min(top, len(scores) - 1)
    settings = {"top": top, "min_rank_gap": rank_gap, "min_score_gap": float(score_gap)}
    expected = oracles.pairs(scores, strategy, **settings)
    if not expected:
        with pytest.raises(InputError, match="has no preference pair"):
            preference_pairs(recorded(scores), strategy, **settings)
        return
    found = preference_pairs(recorded(scores), strategy, **settings, log_weights=True)
    assert list(found) == expected
    weights = [1 + math.log(low - high) for high, low in expected]
    np.testing.assert_allclose(found.weight, weights)
    assert preference_pairs(recorded(scores), strategy, **settings).weight is None


@given(
    scores,
    st.sampled_from(["all", "random", "rank-biased", "top-tail"]),
    st.integers(1, 80),
    st.integers(0, 9),
)
def test_draws_are_without_replacement_sorted_and_by_seed(scores, strategy, m, seed):
    top = len(scores) // 2
    everything = oracles.pairs(scores, strategy, top)
    if not everything:
        return
    settings = {"m": m, "top": top, "seed": seed}
    found = list(preference_pairs(recorded(scores), strategy, **settings))
    assert len(found) == min(m, len(everything)) == len(set(found))
    assert set(found) <= set(everything)
    assert found == sorted(found)
    assert found == list(preference_pairs(recorded(scores), strategy, **settings))


def test_draws_differ_between_seeds_and_rank_biased_prefers_the_top():
    ranking = recorded(list(range(30, 0, -1)))
    drawn = [list(preference_pairs(ranking, "random", m=40, seed=seed)) for seed in range(2)]
    assert drawn[0] != drawn[1]
    biased, uniform = Counter(), Counter()
    for seed in range(200):
        biased.update(preference_pairs(ranking, "rank-biased", m=1, seed=seed).high.tolist())
        uniform.update(preference_pairs(ranking, "random", m=1, seed=seed).high.tolist())
    # Of the 29 pairs that a better document has, the first one's share is 29 w(0) / sum of all.
    weight = [(29 - high) / (1 + high) for high in range(29)]
    assert biased[0] / 200 == pytest.approx(weight[0] / sum(weight), abs=0.08)
    assert uniform[0] / 200 == pytest.approx(29 / 435, abs=0.06)


@given(st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 99))
def test_fitted_and_held_out_pairs_are_disjoint_and_nothing_is_lost(number, share, seed):
    pairs = Pairs(np.zeros(number, int), np.arange(1, number + 1), np.arange(1.0, number + 1))
    fitted, held = split_pairs(pairs, share, seed=seed)
    assert not set(fitted) & set(held)
    assert sorted([*fitted, *held]) == list(pairs)
    assert len(fitted) >= 1
    assert len(held) == min(number - 1, max(1, round(share * number)))
    assert (fitted.weight == fitted.low).all()  # weights stay with their pairs
    again = split_pairs(pairs, share, seed=seed)
    assert [*again[0], *again[1]] == [*fitted, *held]


def test_pairs_among_some_documents():
    pairs = Pairs([0, 0, 1, 2], [1, 3, 3, 3], [1, 2, 3, 4])
    kept = pairs.among(np.array([3, 0, 2, 7]))
    assert list(kept) == [(0, 3), (2, 3)]
    assert kept.weight.tolist() == [2, 4]
    assert len(Pairs([], []).among(np.array([1]))) == 0


def test_pairs_cannot_be_changed():
    high = np.array([0])
    pairs = Pairs(high, [1], [1.0])
    high[0] = 5
    assert list(pairs) == [(0, 1)]
    for array in (pairs.high, pairs.low, pairs.weight):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [1]), r"0 <= high < low; pair 0 is \(1, 1\)"),
        (([0, 2], [1, 0]), r"pair 1 is \(2, 0\)"),
        (([0, -1], [1, 1]), r"pair 1 is \(-1, 1\)"),
        (([0, 1], [1]), r"\(P,\), not \(2,\) and \(1,\)"),
        (([[0]], [[1]]), r"\(P,\), not \(1, 1\)"),
        (([0], [1], [0.0]), "one positive finite number per pair"),
        (([0], [1], [np.nan]), "one positive finite number per pair"),
        (([0], [1], [1.0, 2.0]), "one positive finite number per pair"),
    ],
)
def test_pairs_that_make_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        Pairs(*arguments)


@pytest.mark.parametrize(
    ("scores", "settings", "message"),
    [
        ([1], {}, "no preference pair: it has one document only"),
        ([2, 2, 2], {}, "all 3 documents have the same score"),
        ([3, 2, 1], {"min_score_gap": 2.5}, "min_score_gap=2.5 exceeds the spread of the scores, 2"),
        ([3, 2, 1], {"min_rank_gap": 3}, "min_rank_gap=3 leaves nothing of 3 documents"),
        ([5, 1, 1], {"min_rank_gap": 2, "min_score_gap": 4.0, "strategy": "top-tail", "top": 2}, None),
        ([5, 5, 1], {"min_rank_gap": 4, "min_score_gap": 4.0}, "min_rank_gap=4 leaves nothing of 3"),
        ([2, 1], {"strategy": "best"}, "no pair strategy 'best'; choose one of"),
        ([2, 1], {"strategy": "random"}, "'random' needs m, the number of pairs"),
        ([2, 1], {"strategy": "rank-biased"}, "'rank-biased' needs m"),
        ([2, 1], {"m": 0}, "m must be 1 or more, not 0"),
        ([2, 1], {"min_rank_gap": 0}, "min_rank_gap must be 1 or more, not 0"),
        ([2, 1], {"min_score_gap": -1.0}, "min_score_gap must be 0 or more, not -1.0"),
        ([2, 1], {"min_score_gap": math.nan}, "min_score_gap must be 0 or more, not nan"),
        ([2, 1], {"strategy": "top-tail"}, "top must leave documents on both sides of 2, not 10"),
        ([2, 1], {"strategy": "top-tail", "top": 0}, "on both sides of 2, not 0"),
    ],
)
def test_why_there_is_no_pair(scores, settings, message):
    if message is None:
        assert list(preference_pairs(recorded(scores), **settings)) == [(0, 2)]
        return
    with pytest.raises(InputError, match=message):
        preference_pairs(recorded(scores), **settings)


@pytest.mark.parametrize(
    ("number", "share", "message"),
    [
        (1, 0.5, "a split needs two pairs or more, not 1"),
        (3, 0.0, "between 0 and 1"),
        (3, 1.0, "between 0 and 1"),
    ],
)
def test_splits_that_cannot_be(number, share, message):
    with pytest.raises(InputError, match=message):
        split_pairs(Pairs(range(number), range(1, number + 1)), share)
