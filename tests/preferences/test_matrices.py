import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import InputError, Pairs
from intentx.preferences import MARGIN, PreferenceMatrices, TermScores
from tests import oracles
from tests.strategies import matrices


def example(weight=None, **settings):
    """2 simple rankers, 3 terms, 4 documents, 5 pairs."""
    values = np.random.default_rng(0).normal(size=(2, 3, 4)).round(1)
    return PreferenceMatrices(
        TermScores(values), Pairs([0, 0, 0, 1, 2], [1, 2, 3, 3, 3], weight), **settings
    )


@given(matrices(), st.data())
def test_votes_and_coverage_agree_with_loops(matrices, data):
    indices = data.draw(st.lists(st.integers(0, matrices.n_terms - 1), unique=True))
    values = matrices.scores.values
    expected = [oracles.vote(values, matrices.scale, indices, high, low) for high, low in matrices.pairs]
    np.testing.assert_allclose(matrices.votes(indices), expected, atol=1e-12)
    covered = [vote > MARGIN for vote in expected]
    assert matrices.covered(indices).tolist() == covered
    assert matrices.coverage(indices) == np.mean(covered)
    assert 0 <= matrices.coverage(indices) <= 1


@given(matrices(), st.data())
def test_coverages_of_many_sets_are_those_of_each(matrices, data):
    number = data.draw(st.integers(0, 5))
    rows = st.lists(st.booleans(), min_size=matrices.n_terms, max_size=matrices.n_terms)
    sets = np.array([data.draw(rows) for _ in range(number)], dtype=bool).reshape(
        number, matrices.n_terms
    )
    each = [matrices.coverage(np.flatnonzero(one).tolist()) for one in sets]
    assert matrices.coverages(sets).tolist() == each


def test_coverages_in_blocks_and_without_pairs(monkeypatch):
    sets = np.random.default_rng(1).random((9, 3)) < 0.5
    whole = example().coverages(sets)
    monkeypatch.setattr("intentx.preferences.matrices.VOTES", 10)  # two sets at once
    assert example().coverages(sets).tolist() == whole.tolist()
    assert len(set(whole)) > 1
    assert np.isnan(example().on(Pairs([], [])).coverages(sets)).all()


def test_other_pairs_keep_the_scale():
    other = example().on(Pairs([0], [3]))
    assert other.n_pairs == 1
    assert other.scale.tolist() == example().scale.tolist()
    assert other.votes([1])[0] == example().votes([1])[2]


@given(matrices())
def test_the_scale_is_the_root_mean_square_of_what_is_not_zero(matrices):
    expected = oracles.root_mean_square(matrices.scores.values, list(matrices.pairs))
    np.testing.assert_allclose(matrices.scale, expected)


@given(matrices())
def test_views_are_the_dense_matrices(matrices):
    values, (high, low) = matrices.scores.values, (matrices.pairs.high, matrices.pairs.low)
    everything = range(matrices.n_terms)
    for ranker in range(matrices.n_rankers):
        view = matrices.view(ranker)
        dense = (values[ranker][:, high] - values[ranker][:, low]) / matrices.scale[ranker]
        assert view.shape == (matrices.n_terms, matrices.n_pairs)
        np.testing.assert_allclose(view, dense, atol=1e-12)
        np.testing.assert_allclose(
            view.sum(axis=0), matrices.differences(everything)[ranker], atol=1e-12
        )


@given(matrices())
def test_additivity(matrices):
    everything = list(range(matrices.n_terms))
    one_by_one = sum(matrices.differences([term]) for term in everything)
    np.testing.assert_allclose(matrices.differences(everything), one_by_one, atol=1e-12)
    assert not matrices.differences([]).any()


@given(matrices())
def test_swapping_the_documents_of_pairs_flips_signs(matrices):
    """Pairs are positions with high < low: reversing the documents swaps every pair."""
    last = matrices.scores.values.shape[2] - 1
    reverse = TermScores(matrices.scores.values[:, :, ::-1])
    swapped = PreferenceMatrices(reverse, Pairs(last - matrices.pairs.low, last - matrices.pairs.high))
    everything = range(matrices.n_terms)
    np.testing.assert_allclose(swapped.scale, matrices.scale)
    np.testing.assert_allclose(swapped.votes(everything), -matrices.votes(everything), atol=1e-12)
    for ranker in range(matrices.n_rankers):
        np.testing.assert_allclose(swapped.view(ranker), -matrices.view(ranker), atol=1e-12)
    both = swapped.covered(everything) & matrices.covered(everything)
    assert not both.any()


@given(matrices(), st.permutations(range(5)))
def test_the_order_of_the_indices_changes_not_even_rounding(matrices, order):
    indices = [term for term in order if term < matrices.n_terms]
    np.testing.assert_array_equal(matrices.votes(indices), matrices.votes(sorted(indices)))


def test_every_axis_has_its_own_size():
    m = example()
    assert (m.n_rankers, m.n_terms, m.n_pairs) == (2, 3, 5)
    assert m.view(1).shape == (3, 5)
    assert m.scaled.shape == (2, 3, 4)
    assert m.differences([0, 2]).shape == (2, 5)
    assert m.votes([0, 2]).shape == (5,)


def test_weights_change_no_sign_and_no_coverage():
    weighted = example(weight=[1, 9, 2, 3, 4])
    np.testing.assert_array_equal(weighted.votes([0, 1]), example().votes([0, 1]))
    assert weighted.coverage([0, 1]) == example().coverage([0, 1])


def test_ties_are_not_covered_and_the_margin_is_strict():
    scores = TermScores([[[2.0, 1.0, 1.0, 1.0 - 1e-12]]])
    pairs = Pairs([0, 1, 1], [1, 2, 3])
    assert PreferenceMatrices(scores, pairs, scale=1.0).covered([0]).tolist() == [True, False, False]
    reached = float(np.tanh(1.0))
    assert PreferenceMatrices(scores, pairs, scale=1.0, margin=reached).coverage([0]) == 0
    assert PreferenceMatrices(scores, pairs, scale=1.0, margin=reached - 1e-6).coverage([0]) == 1 / 3


def test_scales_are_given_for_each_ranker_or_for_all():
    assert example(scale=2.0).scale.tolist() == [2, 2]
    assert example(scale=[1.0, 4.0]).scale.tolist() == [1, 4]
    np.testing.assert_allclose(example(scale=[1.0, 4.0]).view(1), example(scale=1.0).view(1) / 4)


def test_a_regular_sample_of_many_pairs_is_enough_for_a_scale():
    values = np.random.default_rng(1).normal(size=(2, 3, 300))
    high, low = np.triu_indices(300, 1)
    m = PreferenceMatrices(TermScores(values), Pairs(high, low))
    every = [np.sqrt(np.mean((v[:, high] - v[:, low]) ** 2)) for v in values]
    np.testing.assert_allclose(m.scale, every, rtol=0.02)


def test_no_pairs_and_no_terms():
    values = np.ones((2, 3, 4))
    empty = PreferenceMatrices(TermScores(values), Pairs([], []))
    assert np.isnan(empty.coverage([0]))
    assert empty.scale.tolist() == [1, 1]
    nothing = PreferenceMatrices(TermScores(values[:, :0]), Pairs([0], [1]))
    assert nothing.coverage([]) == 0


def test_arrays_are_copies_that_cannot_be_changed():
    values = np.ones((1, 2, 3))
    m = PreferenceMatrices(TermScores(values), Pairs([0], [1]))
    values[:] = 7
    assert (m.scores.values == 1).all()
    for array in (m.scores.values, m.scale):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((2, 3)),), r"values must be \(R, T, N\) with R >= 1, not \(2, 3\)"),
        ((np.ones((0, 2, 3)),), r"not \(0, 2, 3\)"),
        (([[[1.0, np.inf]]],), r"values\[0, 0, 1\] is inf; term scores must be finite"),
        ((np.ones((2, 3, 4)), ("a",)), "1 terms for values of shape"),
        ((np.ones((2, 3, 4)), (), ("r",)), "1 rankers for values of shape"),
        ((np.ones((2, 3, 4)), (), ("r", "r")), "simple rankers must have distinct names"),
    ],
)
def test_term_scores_that_make_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        TermScores(*arguments)


@pytest.mark.parametrize(
    ("pairs", "settings", "message"),
    [
        (Pairs([0], [4]), {}, "a pair names position 4, and there are 4 documents"),
        (Pairs([0], [1]), {"margin": -1}, "margin must be 0 or more, not -1"),
        (Pairs([0], [1]), {"margin": np.nan}, "margin must be 0 or more"),
        (Pairs([0], [1]), {"scale": [1.0, 0.0]}, "scale must hold positive finite numbers"),
        (Pairs([0], [1]), {"scale": [1.0, np.nan]}, "scale must hold positive finite numbers"),
    ],
)
def test_matrices_that_make_no_sense(pairs, settings, message):
    with pytest.raises(InputError, match=message):
        PreferenceMatrices(TermScores(np.ones((2, 3, 4))), pairs, **settings)
