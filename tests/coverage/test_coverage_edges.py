"""Small games with known answers: ties, margins, limits of size, and shares by hand.

Every pair has a document of its own, held against one without any word. A pair "needs" some terms: its
vote exceeds the margin only with all of them there.
"""

import math

import numpy as np
import pytest

from intentx.coverage import solve
from intentx.coverage.kernel import Kernel
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.coverage.refine import anneal, descend
from intentx.coverage.shares import coverage_shares
from intentx.evaluation.orders import copeland_scores
from intentx.preferences import Pairs, PreferenceMatrices, TermScores

SEARCHES = ("greedy", "exhaustive", "auto", "tanh", "descent", "anneal", "ilp")


def entries(rows, margin=1e-9):
    """One simple ranker; ``rows[t][p]`` is the difference that term t makes on pair p."""
    rows = np.asarray(rows, dtype=float)
    values = np.append(rows, np.zeros((len(rows), 1)), axis=1)
    count = rows.shape[1]
    pairs = Pairs(np.arange(count), np.full(count, count))
    return PreferenceMatrices(TermScores(values[None]), pairs, scale=1.0, margin=margin)


def needing(terms, *needs):
    """One pair for each of ``needs``, covered when all of these terms are there."""
    margin = 0.5
    rows = np.zeros((terms, len(needs)))
    for pair, need in enumerate(needs):
        rows[list(need), pair] = math.atanh(margin) / (len(need) - 0.5)
    return entries(rows, margin)


# Margins


@pytest.mark.parametrize("method", SEARCHES)
def test_a_margin_is_one_of_votes_and_not_of_differences(method):
    """tanh(.52) = .478 is not above .5, tanh(.58) = .523 is: term 1 is the one that covers a pair."""
    problem = entries([[0.52, 0.52, 0.0], [0.0, 0.0, 0.58]], margin=0.5)
    found = solve(problem, 1, method=method)
    assert (found.indices, found.coverage) == ((1,), 1 / 3)


@pytest.mark.parametrize(("softness", "share"), [(0.0, 1.0), (1e-3, 0.0), (1e-4, 0.25), (1e-4, 1.0)])
def test_search_sees_the_margin_that_the_exact_value_sees(softness, share):
    problem = entries([[0.52, 0.56, 0.58, 0.0]], margin=0.5)  # only .478 of these is below it
    objective = Objective(problem, softness, share)
    assert objective.value([0]) == pytest.approx(0.5, abs=1e-6)
    assert Kernel(objective).values([0], np.array([1])) == pytest.approx([0.5], abs=1e-6)


def test_a_vote_equal_to_the_margin_is_not_covered():
    """tanh(50) is 1.0 in floats, so votes are whole numbers: -2 to 2."""
    one, other = np.array([[50.0, 50.0, 0.0, -50.0, 0.0], [50.0, 0.0, 0.0, -50.0, 0.0]])
    values = np.stack([one, other])[:, None]  # votes against the last document: 2, 1, 0, -2
    pairs = Pairs([0, 1, 2, 3], [4, 4, 4, 4])
    problem = PreferenceMatrices(TermScores(values), pairs, scale=1.0, margin=1.0)
    objective = Objective(problem)
    assert problem.votes([0]).tolist() == [2, 1, 0, -2]
    assert problem.covered([0]).tolist() == [True, False, False, False]
    assert problem.coverages(np.array([[True], [False]])).tolist() == [0.25, 0.0]
    assert objective.value([0]) == 0.25
    assert objective.soft_share == 1.0
    assert Objective(problem, 0.5, 0.5).value([0]) == pytest.approx(
        0.5 * 0.25 + 0.5 * np.mean([1 / (1 + math.exp(-(vote - 1) / 0.5)) for vote in (2, 1, 0, -2)])
    )
    assert Kernel(objective).values([0], np.array([1])).tolist() == [0.25]
    assert solve(problem, 1, method="ilp").coverage == 0.25
    # Documents by votes: 0 beats 2, 3 and 4; 1 and 0 differ by one ranker only, which is a tie here.
    assert copeland_scores(problem, 5).tolist() == [3, 1, 0, -4, 0]


# Ties and limits of size


@pytest.mark.parametrize("improve", [descend, anneal])
def test_at_a_tie_there_are_fewer_terms(improve):
    """Term 0 covers all there is, and the others nothing."""
    problem = entries([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    for start in ([0, 1], [1, 0], [2, 0, 1]):
        assert improve(Problem(Objective(problem), 1, len(start)), start) == [0]


def test_no_term_is_better_than_another_term_of_equal_value():
    """Term 1 does harm; to put 2 or 3 in its place, or nothing, is worth the same."""
    problem = entries([[1.0, 1.0], [0.0, -2.0], [0.0, 0.0], [0.0, 0.0]])
    assert descend(Problem(Objective(problem), 1, 2), [0, 1]) == [0]
    assert anneal(Problem(Objective(problem), 1, 2), [0, 1]) == [0]


@pytest.mark.parametrize("improve", [descend, anneal])
@pytest.mark.parametrize("least", [1, 2, 3])
def test_no_search_goes_below_the_least_number_of_terms(improve, least):
    """The fourth to sixth term do harm, the second and third nothing: one term would be best."""
    problem = entries([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, -3.0], [-3.0, 0.0], [-9.0, -9.0]])
    found = improve(Problem(Objective(problem), least, 4), [0, 3, 4])
    assert 0 in found
    assert (len(found), problem.coverage(found)) == (least, 1.0)


@pytest.mark.parametrize("start", [[], [0], [0, 1]])
def test_annealing_completes_a_start_that_is_too_small(start):
    problem = entries([[1.0, 1.0], [0.0, 0.0], [0.0, -3.0], [-3.0, 0.0]])
    assert sorted(anneal(Problem(Objective(problem), 2, 3), start)) == [0, 1]


@pytest.mark.parametrize("method", SEARCHES)
@pytest.mark.parametrize("least", [1, 2, 3])
def test_terms_that_do_harm_are_taken_only_to_reach_the_least_number(method, least):
    problem = entries([[2.0, 2.0, 2.0], [0.0, -1.0, -3.0], [0.0, -3.0, -3.0]])
    found = solve(problem, 3, min_terms=least, method=method)
    assert found.indices == (0, 1, 2)[:least]
    assert found.coverage == pytest.approx({1: 1.0, 2: 2 / 3, 3: 1 / 3}[least])


def test_greedy_as_published_stops_where_no_single_term_raises_the_objective():
    """Terms 1 and 2 cover the second pair together, and neither does alone."""
    problem = needing(3, {0}, {1, 2})
    assert solve(problem, 3, method="greedy", literal=True).indices == (0,)
    assert sorted(solve(problem, 3, method="greedy").indices) == [0, 1, 2]
    assert solve(problem, 3, method="greedy").coverage == 1.0


@pytest.mark.parametrize("least", [1, 2, 3, 4])
def test_greedy_as_published_goes_on_to_the_least_number_and_no_further(least):
    problem = entries([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    found = solve(problem, 4, min_terms=least, method="greedy", literal=True)
    assert sorted(found.indices) == list(range(least))


def test_greedy_as_published_goes_on_while_terms_help():
    problem = needing(4, {0}, {1}, {2}, {0, 3})
    assert sorted(solve(problem, 4, method="greedy", literal=True).indices) == [0, 1, 2, 3]
    assert sorted(solve(problem, 2, method="greedy", literal=True).indices) == [0, 1]


def test_the_published_relaxation_has_four_terms_or_more_unless_fewer_are_allowed():
    problem = needing(12, *({term} for term in range(12)))
    sizes = {
        (least, most): len(solve(problem, most, min_terms=least, method="tanh", literal=True).indices)
        for least, most in ((1, 3), (1, 12), (11, 12))
    }
    assert sizes[1, 3] == 3
    assert 4 <= sizes[1, 12] <= 10
    assert sizes[11, 12] == 11


# Shares


def test_an_order_and_its_reverse_share_what_two_terms_do_together():
    """One order is enough: of two terms that a pair needs, each is the later one once."""
    needs = [{0}, {0, 1}, {1, 2}, {3, 4}, {5}, {6, 7}, {0, 7}, {2, 5}]
    problem = needing(9, *needs)
    expected = [sum(1 / len(need) for need in needs if term in need) / 8 for term in range(9)]
    for seed in range(4):
        found = coverage_shares(problem, orders=1, seed=seed)
        assert found == pytest.approx(expected, abs=1e-9)
        assert found[8] == 0.0


def test_seven_terms_have_exact_shares_and_eight_are_sampled_by_the_seed():
    needs = [{0, 1, 2}, {3}, {3, 4, 5, 6}]
    for seed in range(2):
        found = coverage_shares(needing(7, *needs), orders=1, seed=seed)
        assert found == pytest.approx(np.array([4, 4, 4, 15, 3, 3, 3]) / 36, abs=1e-9)
    sampled = {tuple(coverage_shares(needing(8, *needs), orders=1, seed=seed)) for seed in range(6)}
    assert len(sampled) > 1
    many = coverage_shares(needing(8, *needs), orders=100)
    assert many == pytest.approx(np.array([4, 4, 4, 15, 3, 3, 3, 0]) / 36, abs=0.05)


def test_shares_of_harm_are_negative_and_those_of_nothing_are_zero():
    problem = entries([[1.0, 1.0, 1.0], [0.0, 0.0, -2.0], [0.0, 0.0, 0.0]])
    found = coverage_shares(problem)
    assert found == pytest.approx([1 - 1 / 6, -1 / 6, 0.0], abs=1e-12)
    assert found[2] == 0.0


@pytest.mark.parametrize("count", [5_000, 5_001])
def test_what_a_sample_of_the_pairs_leaves_open_is_spread_over_the_terms(count):
    """Up to 5,000 pairs all are looked at, then every other one. Term 1 covers 500 unseen pairs."""
    rows = np.zeros((2, count))
    rows[0, :2_000] = 1.0
    rows[1, 4_000:] = 1.0
    rows[1, 4_000::2] = 0.0
    covered = np.count_nonzero(rows, axis=1)
    found = coverage_shares(entries(rows))
    if count == 5_000:
        expected = covered / count
    else:
        seen = np.count_nonzero(rows[:, ::2], axis=1) / 2_501
        assert seen[1] == 0
        expected = seen + (covered.sum() / count - seen.sum()) / 2
    assert found == pytest.approx(expected, abs=1e-12)
    assert found.sum() == pytest.approx(2_500 / count, abs=1e-12)


def test_without_terms_or_pairs_there_are_no_shares():
    assert coverage_shares(entries(np.zeros((0, 3)))).shape == (0,)
    assert coverage_shares(entries(np.ones((2, 1))).on(Pairs([], []))).tolist() == [0, 0]
