"""Limits of time and of steps: they hold for everything, and a limit of steps is the same everywhere."""

import math
import sys
import time

import numpy as np
import pytest
from coverage_oracles import make

from intentx.coverage import mip, solve
from intentx.coverage.ilp import coverable, ilp
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Limits, Problem
from intentx.coverage.program import built
from intentx.coverage.solve import METHODS
from intentx.errors import InputError


class Clock:
    """A clock that goes on by itself, some seconds with each look at it."""

    def __init__(self, monkeypatch, tick):
        self.now, self.tick, self.looks = 0.0, tick, 0
        monkeypatch.setattr(time, "perf_counter", self)

    def __call__(self):
        self.looks += 1
        self.now += self.tick
        return self.now


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ticks", [1, 10, 40])
def test_after_the_deadline_hardly_anything_is_begun(method, ticks, monkeypatch):
    problem = make(7, rankers=3, terms=120, documents=60, pairs=1700)
    clock = Clock(monkeypatch, 1.0)
    selection = solve(problem, 10, min_terms=2, method=method, time_limit=ticks)
    assert clock.looks <= ticks + 25  # greedy goes on to two terms, and what ends looks once more
    assert 2 <= len(selection.indices) <= 10
    assert selection.status == "feasible"
    assert selection.objective == problem.coverage(selection.indices)
    assert selection.objective <= selection.bound


def test_the_deadline_holds_while_a_program_is_built(monkeypatch):
    problem = make(1, rankers=3, terms=100, documents=100, pairs=4950)
    clock = Clock(monkeypatch, 1.0)
    several = Problem(Objective(problem), 1, 10, limits=Limits(deadline=4.0))
    assert built(several) is None
    assert clock.looks <= 6
    found = ilp(several, [3, 5], "start")
    assert (found.indices, found.method) == ([3, 5], "start")
    assert found.bound == coverable(several)


@pytest.mark.parametrize("seconds", [2.0, 25.6])
def test_a_solver_is_not_begun_that_could_not_keep_the_deadline(seconds, monkeypatch):
    """HiGHS may take 25 times as long as the building, and PuLP 0.7 times as long as its own model."""
    problem = make(1, rankers=2, terms=20, documents=30, pairs=300)
    program = built(Problem(Objective(problem), 1, 5))
    clock = Clock(monkeypatch, 0.5)
    begun = []
    monkeypatch.setattr(mip, "_highs", lambda *_: begun.append("HiGHS"))
    monkeypatch.setattr(program, "seconds", 1.0)
    found = mip.solved(program, [3], seconds, None)
    assert not len(found.terms)
    assert found.bound == math.inf
    assert not begun
    assert clock.now < 6


@pytest.mark.parametrize("method", METHODS)
def test_a_limit_of_steps_gives_the_same_at_any_speed(method, monkeypatch):
    problem = make(7, rankers=2, terms=12, documents=12, pairs=60)
    quick = solve(problem, 4, method=method, step_limit=9)
    Clock(monkeypatch, 1e6)
    slow = solve(problem, 4, method=method, step_limit=9)
    assert (slow.indices, slow.bound, slow.status) == (quick.indices, quick.bound, quick.status)


@pytest.mark.parametrize("method", ["descent", "anneal", "tanh", "auto"])
def test_more_steps_cover_no_less(method):
    problem = make(9, rankers=3, terms=40, documents=30, pairs=400)
    greedy = solve(problem, 6, method="greedy").objective
    found = [solve(problem, 6, method=method, step_limit=steps) for steps in (1, 6, 30, 200, 4000)]
    assert len(found[0].indices) == 1
    reached = [one.objective for one in found]
    assert reached[1] == greedy or method == "tanh"
    assert min(reached[1:]) >= greedy
    assert reached[-1] == solve(problem, 6, method=method).objective


def test_nodes_are_limited_and_the_bound_stays_valid():
    problem = make(5, rankers=1, terms=20, documents=14, pairs=60)
    exact = solve(problem, 4, method="exhaustive")
    cut = Problem(Objective(problem), 1, 4, limits=Limits(steps=1))
    found = ilp(cut, [0], "start")
    assert found.bound >= exact.objective - 1e-9
    assert found.bound > cut.objective.value(found.indices)
    assert cut.objective.value(found.indices) <= exact.objective


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"time_limit": 0}, "time_limit must be"),
        ({"time_limit": -1}, "time_limit must be"),
        ({"time_limit": math.nan}, "time_limit must be"),
        ({"step_limit": 0}, "step_limit must be None or a whole number, 1 or more, not 0"),
        ({"step_limit": 1.5}, "step_limit must be"),
        ({"step_limit": math.inf}, "step_limit must be"),
    ],
)
def test_bad_limits(limit, message):
    with pytest.raises(InputError, match=message):
        solve(make(1), **limit)


def test_all_sets_need_memory_that_is_named():
    problem = make(1, terms=4, documents=9, pairs=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intentx.coverage.exhaustive.NUMBERS", 20)
        with pytest.raises(InputError, match=r"would need 0.0 GiB of memory: draw fewer pairs"):
            solve(problem, 1, method="exhaustive", time_limit=5)
        patch.setattr(sys.modules["intentx.coverage.solve"], "MOST_ENTRIES", 20)
        assert solve(problem, 1).status == "heuristic"


def test_point_is_a_solution_of_the_program():
    for rankers in (1, 3):
        problem = make(3, rankers=rankers, terms=9, documents=8, pairs=20)
        program = built(Problem(Objective(problem), 1, 4))
        starts, index, value, least, most = program.rows.arrays(len(program.cost))
        point = program.point([1, 4, 7])
        sums = np.add.reduceat(value * point[index], starts[:-1])
        assert (sums >= least - 1e-9).all()
        assert (sums <= most + 1e-9).all()
        assert (point >= program.lower).all()
        assert (point <= program.upper).all()
        assert program.cost @ point == pytest.approx(20 * problem.coverage([1, 4, 7]))
