"""The linear models that stand in for a ranker, against what they should minimise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers.document.surrogate import accuracy, fit_surrogate, influence, r_squared, ridge

S, T = 40, 6


def problem(seed, samples=S, words=T):
    """Features 0 and 1, labels, weights, of a linear model with noise."""
    generator = np.random.default_rng(seed)
    features = (generator.random((samples, words)) < 0.6).astype(float)
    truth = generator.normal(size=words)
    labels = features @ truth + 0.3 + 0.1 * generator.normal(size=samples)
    return features, labels, generator.random(samples), truth


def augmented_ridge(features, labels, weights, penalty):
    """Least squares over one row per sample and one per penalised coefficient; the intercept is free."""
    rows, right = [], []
    for x, y, w in zip(features, labels, weights, strict=True):
        rows.append([math.sqrt(w), *(math.sqrt(w) * v for v in x)])
        right.append(math.sqrt(w) * y)
    for j in range(features.shape[1]):
        rows.append([0.0] + [math.sqrt(penalty) if i == j else 0.0 for i in range(features.shape[1])])
        right.append(0.0)
    found = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    return found[1:], found[0]


@given(seed=st.integers(0, 10_000), penalty=st.sampled_from([1e-6, 0.1, 1.0, 50.0]))
def test_ridge_minimises_its_loss(seed, penalty):
    features, labels, weights, _ = problem(seed)
    coefficients, intercept = ridge(features, labels, weights, penalty)
    expected, free = augmented_ridge(features, labels, weights, penalty)
    np.testing.assert_allclose(coefficients, expected, atol=1e-9)
    assert intercept == pytest.approx(free, abs=1e-9)


def test_ridge_agrees_with_another_implementation():
    from sklearn.linear_model import Ridge

    features, labels, weights, _ = problem(3)
    coefficients, intercept = ridge(features, labels, weights, 0.7)
    other = Ridge(alpha=0.7).fit(features, labels, sample_weight=weights)
    np.testing.assert_allclose(coefficients, other.coef_, atol=1e-9)
    assert intercept == pytest.approx(other.intercept_)


def test_the_intercept_is_not_penalised():
    features, labels, weights, _ = problem(1)
    one, base = ridge(features, labels, weights, 5.0)
    two, moved = ridge(features, labels + 1000, weights, 5.0)
    np.testing.assert_allclose(one, two, atol=1e-8)
    assert moved - base == pytest.approx(1000)


def test_more_words_than_samples():
    features, labels, weights, _ = problem(2, samples=5, words=9)
    np.testing.assert_allclose(
        ridge(features, labels, weights, 0.5)[0],
        augmented_ridge(features, labels, weights, 0.5)[0],
        atol=1e-9,
    )


def test_samples_without_weight_do_not_matter():
    features, labels, weights, _ = problem(4)
    weights[::2] = 0
    spoiled = np.where(weights == 0, 1e3, labels)
    np.testing.assert_allclose(
        ridge(features, spoiled, weights, 1.0)[0], ridge(features, labels, weights, 1.0)[0], atol=1e-9
    )


def test_logistic_regression_is_at_the_bottom_of_its_loss():
    features, labels, weights, _ = problem(5, samples=200)
    binary = (labels > labels.mean()).astype(float)
    penalty = 0.8
    coefficients, fit, intercept = fit_surrogate("logistic", features, binary, weights, penalty, seed=0)
    from scipy.optimize import minimize

    def loss(theta):
        total = penalty * theta[1:] @ theta[1:] / 2
        for x, y, w in zip(features, binary, weights, strict=True):
            total += w * np.logaddexp(0, (1 - 2 * y) * (theta[0] + x @ theta[1:]))
        return total

    best = minimize(loss, np.zeros(features.shape[1] + 1), tol=1e-10)
    np.testing.assert_allclose(coefficients, best.x[1:], atol=5e-3)
    assert intercept == pytest.approx(best.x[0], abs=5e-3)
    predicted = features @ best.x[1:] + best.x[0] > 0
    assert fit == pytest.approx(sum(weights[predicted == (binary == 1)]) / sum(weights))


@pytest.mark.parametrize("kind", ["ridge", "svr", "logistic", "svm"])
def test_every_kind_finds_the_signs_and_says_how_well_it_fits(kind):
    features, labels, weights, truth = problem(6, samples=400)
    if kind in ("logistic", "svm"):
        labels = (labels > np.median(labels)).astype(float)
    coefficients, fit, _ = fit_surrogate(kind, features, labels, weights, 0.01, seed=0)
    large = np.abs(truth) > 0.3
    assert (np.sign(coefficients[large]) == np.sign(truth[large])).all()
    assert 0.8 < fit <= 1
    again, *_ = fit_surrogate(kind, features, labels, weights, 0.01, seed=0)
    assert (again == coefficients).all()


@pytest.mark.parametrize("kind", ["ridge", "svr", "logistic", "svm"])
def test_more_regularization_smaller_coefficients(kind):
    features, labels, weights, _ = problem(7, samples=100)
    if kind in ("logistic", "svm"):
        labels = (labels > np.median(labels)).astype(float)
    weak, strong = (
        np.abs(fit_surrogate(kind, features, labels, weights, r, seed=0)[0]).sum() for r in (0.1, 100.0)
    )
    assert strong < 0.7 * weak


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e300])
def test_influence_is_the_size_of_what_scores_say(unit):
    features, scores, weights, _ = problem(9)
    found = influence(features, unit * scores, weights)
    standard = (scores - scores.mean()) / scores.std()
    sizes = np.abs(augmented_ridge(features, standard, weights, 0.01)[0])
    np.testing.assert_allclose(found, sizes / np.sqrt(np.mean(sizes**2)), rtol=1e-6)
    np.testing.assert_allclose(influence(features, 5 - unit * scores, weights), found, rtol=1e-6)


def test_scores_that_are_all_the_same_say_nothing():
    features, _, weights, _ = problem(9)
    for value in (0.0, -3.0):
        assert (influence(features, np.full(S, value), weights) == 1).all()


def test_an_unknown_kind():
    with pytest.raises(ix.InputError, match="no surrogate 'tree'; choose one of"):
        fit_surrogate("tree", *problem(0)[:3], 1.0, 0)


def test_metrics_of_fit_by_loops():
    _, labels, weights, _ = problem(8)
    labels = labels - labels.mean()
    predicted = labels + np.random.default_rng(0).normal(size=S)
    mean = sum(w * y for w, y in zip(weights, labels, strict=True)) / sum(weights)
    left = sum(w * (y - p) ** 2 for w, y, p in zip(weights, labels, predicted, strict=True))
    spread = sum(w * (y - mean) ** 2 for w, y in zip(weights, labels, strict=True))
    assert r_squared(labels, predicted, weights) == pytest.approx(1 - left / spread)
    assert r_squared(labels, labels, weights) == 1
    binary, told = (labels > 0).astype(float), predicted > 0
    right = sum(w for w, y, p in zip(weights, binary, told, strict=True) if (y == 1) == p)
    assert accuracy(binary, told, weights) == pytest.approx(right / sum(weights))
    assert 0 < accuracy(binary, told, weights) < 1


def test_there_is_no_fit_where_there_is_nothing_to_fit():
    assert math.isnan(r_squared(np.ones(3), np.zeros(3), np.ones(3)))
