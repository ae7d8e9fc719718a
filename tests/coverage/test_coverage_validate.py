"""Cross-validation: which option, and how many terms."""

import numpy as np
import pytest

from intentx.coverage.validate import Option, best_fit, greedy_terms, validated
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
