"""Cross-validation: which option, and how many terms."""

import numpy as np
import pytest

from intentx.coverage.validate import Option, best_fit, greedy_terms, improved_size, validated
from intentx.preferences import Pairs, PreferenceMatrices, TermScores


def matrices(values, n=30):
    high, low = np.triu_indices(n, 1)
    return PreferenceMatrices(TermScores(values), Pairs(high, low))


def order_and_noise(seed, n=30, terms=7):
    """Term 0 says the order of the documents under the first ranker; all else is noise."""
    values = np.random.default_rng(seed).normal(size=(2, terms, n))
    values[0, 0] = -np.arange(n, dtype=float)
    return values


@pytest.mark.parametrize("seed", range(5))
def test_the_leader_and_the_one_term_that_hold(seed):
    equal = matrices(order_and_noise(seed))
    first, second = (Option(equal.rescaled(np.array(times))) for times in ([1.0, 10.0], [10.0, 1.0]))
    options = (Option(equal), second, first)
    assert validated(options, 5, seed=seed) == (2, 1)
    assert best_fit(options, 5, seed=seed) == 2


@pytest.mark.parametrize("seed", range(5))
def test_among_options_that_differ_by_chance_the_first_stays(seed):
    values = np.random.default_rng(seed).normal(size=(2, 7, 30))
    equal = matrices(values)
    other = Option(equal.rescaled(np.array([1.0, 1.001])))
    assert validated((Option(equal), other), 5, seed=seed)[0] == 0
    assert validated((other, Option(equal)), 5, seed=seed)[0] == 0


def test_few_documents_are_not_validated():
    equal = matrices(order_and_noise(0, n=6), n=6)
    options = (Option(equal.rescaled(np.array([10.0, 1.0]))), Option(equal))
    assert validated(options, 5) == (best_fit(options, 5), 5)


def test_what_is_no_better_after_two_folds_is_not_tried_on_the_others(monkeypatch):
    equal = matrices(order_and_noise(1))
    good, bad = (Option(equal.rescaled(np.array(times))) for times in ([1.0, 10.0], [10.0, 1.0]))
    tried = []

    def watched(kernel, size):
        tried.append(float(kernel.objective.matrices.scale[0]))
        return greedy_terms(kernel, size)

    monkeypatch.setattr("intentx.coverage.validate.greedy_terms", watched)
    assert validated((good, bad), 5) == (0, 1)
    assert tried.count(float(good.matrices.scale[0])) == 10
    assert tried.count(float(bad.matrices.scale[0])) == 2


@pytest.mark.parametrize("seed", range(5))
def test_terms_are_added_where_they_hold_for_unseen_documents(seed):
    values = order_and_noise(seed)[:1]
    noise, all_of_them = (Option(matrices(values[:, part])) for part in (slice(1, 3), slice(None)))
    told = Option(matrices(values[:, :1]))
    assert improved_size(noise, all_of_them, 5, gain=0.03, seed=seed) == 1  # the one that says the order
    assert improved_size(told, all_of_them, 5, gain=0.03, seed=seed) == 0
    assert improved_size(noise, all_of_them, 5, gain=0.9, seed=seed) == 0  # more than there is to gain


def test_few_documents_add_no_terms():
    values = order_and_noise(0, n=6)
    few, many = (Option(matrices(values[:, part], n=6)) for part in (slice(1, 3), slice(None)))
    assert improved_size(few, many, 5, gain=0.0) == 0
