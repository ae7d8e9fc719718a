"""The estimator behind effects, on designs of which the right answer is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from intentx.explainers.ranking.adjusted import randomised_effects
from intentx.perturbation import EditedDocuments
from intentx.random_edits import RandomisedEdits


def design(change, expected):
    """Edits of which only the changes matter."""
    number = len(change)
    nothing = EditedDocuments(("",) * number, np.zeros(number, dtype=int))
    return RandomisedEdits(nothing, np.asarray(change, float), np.asarray(expected, float))


def random_design(seed, number, terms, out=0.3, put_in=0.3):
    """Half of the terms are held, and may go; the others may come."""
    generator = np.random.default_rng(seed)
    held = generator.random((number, terms)) < 0.5
    probability = np.where(held, out, put_in)
    sign = np.where(held, -1.0, 1.0)
    happens = generator.random((number, terms)) < probability
    return design(sign * happens, sign * probability), held, generator


def estimated(responses, edits, seed=0):
    """Effects, errors and degrees of freedom of one response, without help but the other terms."""
    matching = np.zeros_like(edits.change)
    covariates = np.zeros((len(edits), 0))
    found, errors, freedom, _ = randomised_effects(responses[None], edits, matching, covariates, seed)
    return found[0], errors[0], freedom


@settings(max_examples=8)
@given(st.lists(st.integers(-9, 9), min_size=4, max_size=4), st.integers(0, 99))
def test_a_full_factorial_gives_the_coefficients_of_least_squares(weights, seed):
    change = np.tile(list(itertools.product([0.0, 1.0], repeat=4)), (2, 1))
    response = change @ np.array(weights, float) + 7
    found, _, _ = estimated(response, design(change, np.full_like(change, 0.5)), seed)
    known = np.column_stack([change, np.ones(len(change))])
    slow = np.linalg.lstsq(known, response, rcond=None)[0][:4]
    np.testing.assert_allclose(found, slow, atol=1e-9)
    np.testing.assert_allclose(found, weights, atol=1e-9)


def test_a_full_factorial_with_noise_gives_differences_in_means():
    """Without a linear part there is nothing to adjust for: the mean with a term less that without."""
    change = np.tile(list(itertools.product([0.0, 1.0], repeat=3)), (4, 1))
    response = np.random.default_rng(3).normal(size=len(change))
    found, _, _ = estimated(response, design(change, np.full_like(change, 0.5)))
    slow = [response[c == 1].mean() - response[c == 0].mean() for c in change.T]
    np.testing.assert_allclose(found, slow, atol=0.15)  # of a standard error of .35


def interacting(change, held):
    """A response with interactions and saturation, and (T,) true effects by brute force."""
    present = np.where(change == 0, held, change > 0)
    return (
        3.0 * (present[:, 0] & present[:, 1])  # only together
        + 2.0 * np.minimum(present[:, 2:5].sum(axis=1), 1)  # one is enough
        - 1.5 * (present[:, 5] & ~present[:, 0])
    )


def test_unbiased_under_interactions_and_saturation():
    held = np.random.default_rng(0).random((60, 7)) < 0.5
    probability = np.full(held.shape, 0.3)
    sign = np.where(held, -1.0, 1.0)
    before = interacting(np.zeros(held.shape), held)

    # The truth: over all ways that chance can go, terms one after the other put in or left alone.
    ways = np.array(list(itertools.product([False, True], repeat=7)))
    chance = np.prod(np.where(ways, 0.3, 0.7), axis=1)
    scores = np.array([interacting(sign * way, held) for way in ways])  # (ways, documents)
    truth = []
    for term in range(7):
        with_it, without = ways[:, term], ~ways[:, term]
        mean = [(chance[w, None] * scores[w]).sum(0) / chance[w].sum() for w in (with_it, without)]
        truth.append(np.mean(sign[:, term] * (mean[0] - mean[1])))

    found = []
    for seed in range(60):
        happens = np.random.default_rng([1, seed]).random(held.shape) < probability
        response = interacting(sign * happens, held) - before
        found.append(estimated(response, design(sign * happens, sign * probability), seed)[0])
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - truth) < 4 * error + 0.01).all()
    assert np.abs(truth).max() > 0.5
    assert truth[6] == pytest.approx(0)


def test_a_term_that_was_never_changed_has_no_error():
    edits, _, generator = random_design(0, 40, 4)
    edits.change[:, 2] = 0
    found, error, _ = estimated(generator.normal(size=40), edits)
    assert np.isinf(error).tolist() == [False, False, True, False]
    assert found[2] == 0


@pytest.mark.parametrize("number", [1, 2])
def test_one_or_two_edits_tell_nothing(number):
    edits = design([[1.0, -1.0]] * number, [[0.5, -0.3]] * number)
    _, error, _ = estimated(np.arange(1.0, number + 1), edits)
    assert np.isinf(error).all()


def test_no_response_has_no_effect():
    edits, _, _ = random_design(1, 50, 5)
    found, error, _ = estimated(np.zeros(50), edits)
    assert not found.any()
    assert not error.any()


@pytest.mark.parametrize("noise", [1.0, 5.0])
def test_intervals_cover_the_truth(noise):
    truth = np.array([2.0, -2.0, 1.0, 0.5, *[0.0] * 16])
    inside = []
    for seed in range(25):
        edits, _, generator = random_design(seed, 120, 20)
        response = edits.change @ truth + generator.normal(0, noise, 120)
        found, error, freedom = estimated(response, edits, seed)
        margin = stats.t.ppf(0.975, freedom) * error
        inside.append(np.abs(found - truth) <= margin)
    assert 0.92 <= np.mean(inside) <= 0.985  # .95 are wanted; 500 intervals, standard error .01
    assert np.mean(inside, axis=0)[:4].min() >= 0.8


@pytest.mark.parametrize("number", [12, 20, 60, 150])
def test_chance_alone_gives_every_p_value_as_often(number):
    """Heavy tails, and rows fewer than columns: errors must not be too small for either."""
    values = []
    for seed in range(24):
        edits, _, generator = random_design([number, seed], number, 18)
        found, error, freedom = estimated(generator.standard_t(3, number), edits, seed)
        known = np.isfinite(error) & (error > 0)
        values += (2 * stats.t.sf(np.abs(found / np.where(known, error, 1)), freedom))[known].tolist()
    values = np.array(values)
    assert len(values) > 300
    for level in (0.05, 0.1, 0.5):
        assert np.mean(values <= level) <= level * 1.4 + 0.01
    assert np.mean(values <= 0.5) > 0.35


def test_what_changes_with_the_terms_is_no_effect_of_theirs():
    """Length is adjusted for, though it changes with each term."""
    edits, _, generator = random_design(4, 150, 12)
    length = np.abs(generator.normal(size=(150, 1))) + edits.change.sum(axis=1, keepdims=True)
    response = 2.0 * length[:, 0] + edits.change[:, 0]
    found, errors, _, _ = randomised_effects(response[None], edits, np.zeros((150, 12)), length)
    np.testing.assert_allclose(found[0], np.eye(12)[0], atol=1e-6)
    assert errors[0].max() < 1e-3 * (1 + 1e-6) * response.std()


def test_rows_fewer_than_columns_do_no_harm():
    """A regression on 16 rows and 40 columns predicts worse than the mean, and is then left out."""
    spread = []
    for seed in range(20):
        edits, _, generator = random_design([7, seed], 20, 18)
        matching, covariates = generator.normal(size=(20, 18)), generator.normal(size=(20, 6))
        response = generator.normal(size=20)
        spread.append(randomised_effects(response[None], edits, matching, covariates, seed)[0][0])
    # A difference in means of 20 normal numbers, changed with probability .3: about .5.
    assert np.std(spread) < 0.65


def test_several_responses_at_once_and_the_same_seed():
    edits, _, generator = random_design(5, 60, 6)
    responses = np.stack([edits.change[:, 1] + generator.normal(size=60), generator.normal(size=60)])
    matching, covariates = np.zeros((60, 6)), np.zeros((60, 0))
    both = randomised_effects(responses, edits, matching, covariates, 3)
    again = randomised_effects(responses, edits, matching, covariates, 3)
    for one, other in zip(both, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert both[0].shape == both[1].shape == (2, 6)
    alone = randomised_effects(responses[:1], edits, matching, covariates, 3)
    np.testing.assert_allclose(both[0][0], alone[0][0])


def test_an_effect_as_small_as_what_the_covariates_cannot_fit_is_none():
    """A length that counts by its root: what a line leaves of it must not look like an effect."""
    edits, _, generator = random_design(5, 400, 40)
    words = generator.integers(40, 90, size=400).astype(float)
    change = edits.change.sum(axis=1)
    response = np.sqrt(words + change) - np.sqrt(words) + 30.0 * edits.change[:, 0]
    covariates = np.column_stack([change, change / words])
    found, errors, _, _ = randomised_effects(response[None], edits, np.zeros((400, 40)), covariates)
    ratio = np.abs(found[0] / errors[0])
    assert ratio[0] > 100
    assert ratio[1:].max() < 3
    assert errors[0].min() >= 1e-3 * response.std()
