import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx.coverage.shares import coverage_shares
from intentx.evaluation.orders import copeland_scores, rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.preferences import Pairs, PreferenceMatrices, TermScores
from tests import oracles
from tests.strategies import matrices

numbers = st.lists(st.integers(0, 4), min_size=2, max_size=9)


@given(numbers, st.data())
def test_tau_b_counts_pairs(first, data):
    second = data.draw(st.lists(st.integers(0, 4), min_size=len(first), max_size=len(first)))
    found = kendall_tau_b(np.array(first, float), np.array(second, float))
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(oracles.kendall_tau_b(first, second))


def test_tau_b_of_one_document_is_undefined():
    assert math.isnan(kendall_tau_b(np.array([1.0]), np.array([1.0])))


@given(numbers, st.sampled_from([0.5, 0.9, 0.98]))
def test_rbo_against_the_papers_sum(scores, p):
    found = rbo_ext(np.array(scores, float), p)
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], -i))  # ties: the worst order
    assert found == pytest.approx(oracles.rbo_ext(list(range(len(scores))), order, p))
    assert 0 <= found <= 1 + 1e-12


@given(numbers)
def test_ties_never_help(scores):
    untied = np.array(scores) - np.arange(len(scores)) * 1e-3  # the same order, ties as the first list
    assert rbo_ext(np.array(scores, float)) <= rbo_ext(untied) + 1e-12


def test_equal_orders_and_nothing_but_ties():
    assert rbo_ext(np.array([3.0, 2.0, 1.0])) == pytest.approx(1)
    assert rbo_ext(np.zeros(7)) == pytest.approx(rbo_ext(np.arange(7.0)))


@given(matrices())
def test_copeland_counts_wins_and_losses(matrices):
    documents = matrices.scores.values.shape[2]
    expected = oracles.copeland(matrices.scores.values, matrices.scale, matrices.margin)
    assert copeland_scores(matrices, documents).tolist() == expected
    assert sum(expected) == 0


@given(matrices(terms=6), st.integers(0, 9))
def test_shares_are_shapley_values_of_the_coverage(matrices, seed):
    worth = {frozenset(): 0.0}

    def coverage(members):
        if members not in worth:
            values, scale = matrices.scores.values, matrices.scale
            votes = [oracles.vote(values, scale, sorted(members), *pair) for pair in matrices.pairs]
            worth[members] = sum(vote > matrices.margin for vote in votes) / len(votes)
        return worth[members]

    found = coverage_shares(matrices, seed=seed)
    np.testing.assert_allclose(found, oracles.shapley(coverage, matrices.n_terms), atol=1e-9)
    assert found.sum() == pytest.approx(matrices.coverage(range(matrices.n_terms)))


def test_sampled_shares_are_close_and_still_sum_to_the_coverage():
    generator = np.random.default_rng(0)
    high, low = np.triu_indices(12, 1)
    m = PreferenceMatrices(TermScores(generator.normal(size=(2, 9, 12))), Pairs(high, low))
    exact = oracles.shapley(lambda members: m.coverage(sorted(members)) if members else 0.0, 9)
    found = coverage_shares(m)
    np.testing.assert_allclose(found, exact, atol=0.05)
    assert found.sum() == pytest.approx(m.coverage(range(9)))
    np.testing.assert_array_equal(found, coverage_shares(m))
