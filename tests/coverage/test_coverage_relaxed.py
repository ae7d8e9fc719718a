import numpy as np
import pytest
from coverage_oracles import make, slow_value
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad, minimize

from intentx.coverage import solve
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.coverage.relaxed import (
    Relaxation,
    descend,
    gpc_literal,
    project,
    relaxed,
    top_terms,
)
from intentx.preferences import PreferenceMatrices, TermScores


def cost_of(problem, penalty=0.3, inner=None):
    weight = np.random.default_rng(4).uniform(0.1, 1, problem.n_pairs)
    pairs = problem.pairs
    return Relaxation(problem.scaled, pairs.high, pairs.low, weight, penalty, inner), weight


@pytest.mark.parametrize("rankers", [1, 3])
def test_relaxed_objective_against_loops(rankers):
    problem = make(2, rankers=rankers, terms=5, documents=6, pairs=9)
    inner = np.linspace(0.5, 2, 9)
    cost, weight = cost_of(problem, 0.3, inner)
    x = np.random.default_rng(0).random(5)
    expected = 0.3 * x.sum()
    for pair in range(9):
        views = (problem.view(ranker)[:, pair] for ranker in range(rankers))
        expected -= weight[pair] * np.tanh(sum(np.tanh(x @ view * inner[pair]) for view in views))
    assert cost(x)[0] == pytest.approx(expected)


@pytest.mark.parametrize("rankers", [1, 3])
def test_gradient_against_finite_differences(rankers):
    cost, _ = cost_of(make(2, rankers=rankers, terms=5, documents=6, pairs=9))
    for seed in range(3):
        x = np.random.default_rng(seed).random(5)
        error = check_grad(lambda x: cost(x)[0], lambda x: cost(x)[1], x)
        assert error < 1e-5 * np.linalg.norm(cost(x)[1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9), st.floats(0, 1), st.floats(0, 1))
def test_projection_is_the_nearest_point(x, one, other):
    x = np.array(x)
    least, most = sorted((one * len(x), other * len(x)))
    near = project(x, least, most)
    assert near.min() >= 0
    assert near.max() <= 1
    assert least - 1e-9 <= near.sum() <= most + 1e-9
    # nearest point of a convex set: no feasible direction leads towards x
    for seed in range(20):
        generator = np.random.default_rng(seed)
        other_point = generator.random(len(x))
        total = other_point.sum()
        target = generator.uniform(least, most)
        if total >= target:
            other_point *= target / total
        else:
            other_point = 1 - (1 - other_point) * (len(x) - target) / (len(x) - total)
        assert (x - near) @ (other_point - near) <= 1e-7


@pytest.mark.parametrize("seed", range(6))
def test_published_gpc_ends_where_slsqp_does(seed, monkeypatch):
    """From the same start, with entries as small as term frequencies are, there is one optimum."""
    lowest = []

    def watched(cost, start, least, most, steps, late):
        x = descend(cost, start, least, most, steps)
        lowest.append((cost(x)[0], slsqp(cost, start, least, most)))
        return x

    monkeypatch.setattr("intentx.coverage.relaxed.descend", watched)
    drawn = make(seed, rankers=3, terms=60, documents=20, pairs=150, weighted=True)
    matrices = PreferenceMatrices(TermScores(drawn.scores.values * 0.05), drawn.pairs)
    chosen = gpc_literal(Problem(Objective(matrices), 1, 10))
    assert 4 <= len(set(chosen)) == len(chosen) <= 10
    [(ours, theirs)] = lowest
    assert ours == pytest.approx(theirs, abs=1e-3)


def slsqp(cost, start, least, most):
    constraints = [
        {"type": "ineq", "fun": lambda x: x.sum() - least},
        {"type": "ineq", "fun": lambda x: most - x.sum()},
    ]
    bounds = [(0, 1)] * len(start)
    return minimize(cost, start, jac=True, method="SLSQP", bounds=bounds, constraints=constraints).fun


def test_rounding_includes_the_plain_one_and_completion():
    problem = make(5, rankers=3, terms=30, documents=15, pairs=90)
    several = Problem(Objective(problem), 2, 5)
    sets = relaxed(several)
    assert all(2 <= len(one) <= 5 and len(set(one)) == len(one) for one in sets)
    assert any(len(one) == 5 for one in sets)
    best = max(slow_value(problem, one) for one in sets)
    selection = solve(problem, 5, min_terms=2, method="tanh")
    assert selection.objective == pytest.approx(best)
    assert selection.method == "tanh"


def test_top_terms():
    x = np.array([0.9, 0.1, 0.6, 0.0, 0.6, 0.2])
    assert top_terms(x) == [0, 2, 4, 5]
    assert top_terms(x, least=1) == [0, 2, 4]
    assert top_terms(x, least=1, most=2) == [0, 2]
