"""Preference coverage as an integer program: a certified upper bound, and often the optimum."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from intentx.coverage.mip import NAME, solved
from intentx.coverage.problem import Found, Problem
from intentx.coverage.program import built
from intentx.errors import InputError

__all__ = ["coverable", "ilp"]

SECONDS = 60.0  # time limit when none is given
NUMBERS = 2_000_000  # larger programs than this are not worth building


def ilp(problem: Problem, start: Sequence[int], name: str) -> Found:
    """``start``, or a better set, and a bound on the value of every set within the limits.

    With one simple ranker the program is exact but for votes within the solver's tolerance: ties
    it claims are cut off one set at a time and the program is solved again. With several, tanh is
    replaced by its concave envelope, which never lies below it: the bound stays valid but may not
    be reached, and sets that only seem to cover are cut off in the same way.

    Parameters
    ----------
    start
        A set within the limits, used as a warm start and never left for a worse one.
    name
        What made it.

    Raises
    ------
    InputError
        With softness: a sigmoid is not linear.
    """
    if problem.objective.softness > 0:
        raise InputError('method "ilp" maximises strict coverage: softness must be 0')
    best, bound, method = list(start), coverable(problem), name
    value = problem.objective.value(best)
    size = problem.matrices.n_terms * problem.matrices.n_pairs * problem.matrices.n_rankers
    if size > NUMBERS or bound <= value:
        return Found(best, method, bound=bound)
    program = built(problem)
    if program is None:
        return Found(best, method, bound=bound)
    seconds = SECONDS if problem.limits.steps is None else math.inf
    deadline = min(problem.limits.deadline, time.perf_counter() + seconds)
    while bound > value + 1e-12 and not problem.late:
        left = deadline - time.perf_counter(), problem.limits.left
        found = solved(program, best, *left)
        problem.limits.take(found.nodes)
        bound = min(bound, _share(problem, found.bound))
        if not problem.min_terms <= len(found.terms) <= problem.max_terms:
            break  # no solution
        terms = found.terms.tolist()
        if problem.objective.value(terms) > value:
            best, method = terms, NAME
            value = problem.objective.value(best)
        false = np.setdiff1d(found.pairs, np.flatnonzero(problem.matrices.covered(terms)))
        if not len(false):
            break  # it means what it says: solved, or out of time
        program.forbid(terms, false)
    return Found(best, method, bound=bound)


def _share(problem: Problem, upper: float) -> float:
    """An upper bound in pairs as a share; only whole pairs count when all weigh the same."""
    if not math.isfinite(upper):
        return 1.0
    upper = upper * (1 + 1e-7) + 1e-6
    if not problem.objective.weighted:
        upper = float(math.floor(upper))
    return min(1.0, upper / problem.matrices.n_pairs)


def coverable(problem: Problem) -> float:
    """Share of the pairs that some term speaks for under some simple ranker, by weight."""
    matrices, high, low = problem.matrices, problem.matrices.pairs.high, problem.matrices.pairs.low
    some = np.zeros(matrices.n_pairs, dtype=bool)
    rest = np.arange(matrices.n_pairs)
    for term in range(matrices.n_terms):
        one = matrices.scores.values[:, term]
        speaks = (one.take(high[rest], axis=1) > one.take(low[rest], axis=1)).any(axis=0)
        some[rest[speaks]] = True
        rest = rest[~speaks]
        if not len(rest):
            break
    if problem.objective.weighted:
        return min(1.0, math.fsum(problem.objective.weight[some]) + 1e-12)
    return float(some.mean())
