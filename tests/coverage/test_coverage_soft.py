"""Soft objectives: less is looked at, and nearly nothing is lost by it."""

import numpy as np
import pytest
from coverage_oracles import make

from intentx.coverage import solve
from intentx.coverage.kernel import Kernel
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.coverage.refine import SOFT, STRICT, _without, anneal


def test_soft_objectives_need_less_annealing(monkeypatch):
    """A tenth of a per cent at most is lost by it, in the mean, and it does look less."""
    problems = [make(seed, rankers=3, terms=60, documents=25, pairs=290) for seed in range(6)]
    looked = []
    steepest = Kernel.steepest
    monkeypatch.setattr(Kernel, "steepest", lambda *a: looked.append(a[3]) or steepest(*a))

    def found():
        looked.clear()
        values = [solve(p, 6, method="auto", softness=0.5).objective for p in problems]
        return np.mean(values), sum(looked)

    value, looks = found()
    monkeypatch.setattr("intentx.coverage.refine.SOFT", STRICT)
    thorough, many = found()
    assert value >= 0.999 * thorough
    assert looks < many / 2


def test_a_frozen_round_of_soft_annealing_ends(monkeypatch):
    """One term for one place: after ``idle`` sweeps without a change nothing more is drawn."""
    matrices = make(3, rankers=1, terms=1, documents=8, pairs=20)
    problem = Problem(Objective(matrices, softness=0.5), 1, 1)
    drawn = []
    monkeypatch.setattr(
        "intentx.coverage.refine._without", lambda *given: drawn.append(1) or _without(*given)
    )

    def draws(idle):
        drawn.clear()
        monkeypatch.setattr("intentx.coverage.refine.SOFT", SOFT._replace(idle=idle))
        assert anneal(problem, [0]) == [0]
        return len(drawn)

    assert draws(2) - draws(1) == SOFT.rounds  # a sweep of one place is one draw
    assert draws(1_000) > 10 * draws(2)
    assert SOFT.idle < 5


@pytest.mark.parametrize("seed", range(5))
def test_soft_greedy_by_short_lists_is_nearly_that_of_all_terms(seed, monkeypatch):
    matrices = make(seed, rankers=3, terms=120, documents=30, pairs=300)
    short = solve(matrices, 6, method="greedy", softness=0.7)
    assert solve(matrices, 6, softness=0.7).objective >= short.objective
    monkeypatch.setattr("intentx.coverage.greedy.SHORT", 1000)
    whole = solve(matrices, 6, method="greedy", softness=0.7)
    assert short.objective >= 0.995 * whole.objective
