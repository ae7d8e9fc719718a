import math

import numpy as np
import pytest
from coverage_oracles import brute_force, make, matrices
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from intentx.coverage import solve
from intentx.coverage.ilp import coverable, ilp
from intentx.coverage.mip import solved
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.coverage.program import built, envelope
from intentx.preferences import Pairs, PreferenceMatrices, TermScores


def certify(problem, most, least=1, **more):
    selection = solve(problem, most, min_terms=least, method="ilp", step_limit=100_000, **more)
    best = brute_force(problem, most, least)
    assert selection.bound >= best - 1e-9
    assert selection.objective <= best + 1e-9
    assert selection.objective >= solve(problem, most, min_terms=least, method="greedy").objective
    if selection.status == "optimal":
        assert selection.objective == pytest.approx(best, abs=1e-6)
    return selection, best


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_one_ranker_is_exact(seed, sparse, weighted):
    problem = make(seed, rankers=1, terms=8, documents=7, pairs=20, sparse=sparse, weighted=weighted)
    selection, best = certify(problem, 3)
    assert selection.objective == pytest.approx(best, abs=1e-9)
    assert selection.status == "optimal"


@settings(deadline=None, max_examples=12)
@given(matrices, st.integers(1, 3))
def test_bound_is_valid(problem, most):
    certify(problem, most)


@pytest.mark.parametrize("seed", range(3))
def test_several_rankers(seed):
    problem = make(seed, rankers=3, terms=6, documents=6, pairs=8)
    selection, best = certify(problem, 3)
    assert selection.objective == pytest.approx(best, abs=1e-9)


def test_it_leaves_a_bad_start_and_forbids_what_only_seems_to_cover():
    problem = make(3, rankers=2, terms=6, documents=7, pairs=15)
    several = Problem(Objective(problem), 1, 3)
    worst = min(range(6), key=lambda term: several.objective.value([term]))
    found = ilp(several, [worst], "start")
    assert several.objective.value(found.indices) == pytest.approx(brute_force(problem, 3))
    assert found.method != "start"


@pytest.mark.parametrize("rankers", [1, 2])
def test_another_solver_finds_no_more(rankers):
    """SciPy is given the arrays of the program, without PuLP; both reach its optimum."""
    problem = Problem(Objective(make(5, rankers=rankers, terms=8, documents=7, pairs=20)), 1, 3)
    program = built(problem)
    starts, index, value, least, most = program.rows.arrays(len(program.cost))
    index, starts = index.astype(np.int32), starts.astype(np.int32)  # older versions take no others
    rows = csr_array((value, index, starts), shape=(len(least), len(program.cost)))
    second = milp(
        -program.cost,
        integrality=np.arange(len(program.cost)) < program.binary,
        bounds=Bounds(program.lower, program.upper),
        constraints=LinearConstraint(rows, least, most),
    )
    found = solved(program, [0], math.inf, None)
    whole = -second.fun
    assert whole - 1e-6 <= found.bound <= whole + 1  # less than a pair above it
    assert len(found.pairs) == pytest.approx(whole)
    assert 1 <= len(found.terms) <= 3


def test_a_program_without_a_solution_has_none():
    program = built(Problem(Objective(make(5, rankers=1, terms=6, documents=7, pairs=20)), 1, 3))
    program.rows.add((0, np.arange(6), 1.0), 1, 4, 5)  # four terms, where three are the most
    found = solved(program, [0], math.inf, None)
    assert (found.terms.tolist(), found.pairs.tolist()) == ([], [])


def test_the_papers_program_is_solved_too():
    problem = make(5, rankers=1, terms=8, documents=7, pairs=20)
    selection = solve(problem, 3, method="ilp", literal=True)
    assert selection.objective == pytest.approx(brute_force(problem, 3))
    assert selection.status == "optimal"


def test_limited_selection_is_not_called_optimal():
    problem = make(5, rankers=3, terms=20, documents=15, pairs=60)
    selection = solve(problem, 6, method="ilp", step_limit=300)
    assert selection.status == "feasible"
    assert selection.bound > selection.objective


def test_output_stays_quiet(capfd):
    problem = make(5, rankers=1, terms=8, documents=7, pairs=20)
    for literal in (False, True):
        solve(problem, 3, method="ilp", literal=literal)
    assert capfd.readouterr() == ("", "")


def test_too_large_a_program_still_has_a_bound(monkeypatch):
    monkeypatch.setattr("intentx.coverage.ilp.NUMBERS", 10)
    problem = make(5, rankers=3)
    selection = solve(problem, 3, method="ilp")
    assert selection.bound >= brute_force(problem, 3)


def test_coverable():
    values = np.array([[[1, 0, 0, 0], [0, 0, 0, 1]]], dtype=float)
    problem = PreferenceMatrices(TermScores(values), Pairs([0, 1, 0], [1, 2, 3], [1.0, 2.0, 4.0]))
    assert coverable(Problem(Objective(problem), 1, 2)) == pytest.approx(5 / 7)


@settings(deadline=None, max_examples=300)
@given(st.floats(-50, 0), st.floats(0, 50))
def test_envelope_lies_above_tanh_and_touches_it(low, high):
    x = np.linspace(low, high, 200)
    slopes, heights = envelope(np.array([low]), np.array([high]))
    upper = np.min(
        [slope * x + height for slope, height in zip(slopes[0], heights[0], strict=True)], axis=0
    )
    assert (upper >= np.tanh(x) - 1e-9).all()
    assert upper[0] == pytest.approx(np.tanh(low), abs=1e-9)
    assert upper[-1] == pytest.approx(np.tanh(high), abs=1e-6)
    assert (upper <= 1 + 1e-6).all()
