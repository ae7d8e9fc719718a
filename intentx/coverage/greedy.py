"""Greedy: add the best term, again and again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.coverage.problem import Problem

__all__ = ["SHORT", "greedy", "greedy_literal", "grow", "most_useful_first", "shortlist"]

EXACT, SLACK = 8, 0.5
"""With very many pairs at most so many moves are compared on all of them, those whose value on a
sample of n is within ``SLACK / sqrt(n)`` of the best: two standard errors when 6 % of the pairs
change."""

SHORT = 32  # terms that a step looks at where the objective is smooth

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


def shortlist(
    problem: Problem,
    rest: Sequence[int],
    allowed: npt.NDArray[np.bool_],
    length: int,
    current: Sequence[int] | None = None,
) -> tuple[Indices, Floats]:
    """Moves from ``rest`` worth a look, in index order, and their values by `Problem.judge`.

    Parameters
    ----------
    allowed
        (T + 1,) which terms may be added; the last is "no term".
    length
        At most so many, and "no term"; the number of terms or more for all. With very many pairs:
        those of them that may be best as far as a sample tells.
    current
        Set that a move must beat to be of interest.
    """
    kernel = problem.kernel
    if length < problem.matrices.n_terms:
        moves, values = kernel.steepest(rest, allowed, length)
    else:
        moves = np.flatnonzero(allowed)
        values = kernel.values(rest)[moves]
    if problem.dense or not len(moves):
        return moves, values
    floor = values.max()
    if current is not None:
        floor = max(floor, kernel.values(current, np.array([kernel.n_terms]))[0])
    near = np.argsort(-values, kind="stable")[:EXACT]
    near = np.sort(near[values[near] >= floor - SLACK / math.sqrt(kernel.n_pairs)])
    return moves[near], problem.judge.values(rest, moves[near])


def grow(
    problem: Problem,
    start: Sequence[int],
    size: int,
    terms: Indices | None = None,
    sampled: bool = False,
) -> list[list[int]]:
    """Sets reached from ``start`` by adding the best term until there are ``size``, smallest first.

    Ties go to the lowest index. With very many pairs the best few of a sample are compared on all;
    where the objective is smooth, the best of those terms along which it rises most.

    Parameters
    ----------
    terms
        Terms to choose from; None for all.
    sampled
        Let the sample decide when pairs are very many.
    """
    allowed = np.zeros(problem.matrices.n_terms + 1, dtype=bool)
    allowed[slice(-1) if terms is None else terms] = True
    allowed[list(start)] = False
    chosen = list(start)
    sets = [list(chosen)]
    while len(chosen) < size and allowed.any():
        if problem.late and len(chosen) >= problem.min_terms:
            break
        problem.limits.take()
        if sampled or terms is not None:
            moves = np.flatnonzero(allowed)
            values = problem.kernel.values(chosen, moves)
        else:
            length = SHORT if problem.objective.smooth else len(allowed)
            moves, values = shortlist(problem, chosen, allowed, length)
        best = int(moves[values.argmax()])
        allowed[best] = False
        chosen.append(best)
        sets.append(list(chosen))
    return sets


def greedy(problem: Problem) -> list[int]:
    """Best prefix of the greedy order that is within the limits.

    Coverage may fall on the way and rise again, so greedy goes on to the end and then looks back.
    """
    sets = grow(problem, [], problem.max_terms)
    return problem.best(sets[problem.min_terms :])


def greedy_literal(problem: Problem) -> list[int]:
    """Greedy as published (Singh & Anand 2020): stop once no term raises the objective.

    Below ``min_terms`` it goes on.
    """
    sets = grow(problem, [], problem.max_terms)
    value = problem.objective.value
    for shorter, longer in itertools.pairwise(sets):
        if len(shorter) >= problem.min_terms and value(longer) <= value(shorter):
            return shorter
    return sets[-1]


def most_useful_first(problem: Problem, indices: Sequence[int]) -> list[int]:
    """The set in the order in which greedy would pick its terms from among themselves."""
    terms = np.array(sorted(indices), dtype=np.intp)
    chosen: list[int] = []
    while len(terms):
        best = int(problem.kernel.values(chosen, terms).argmax())
        chosen.append(int(terms[best]))
        terms = np.delete(terms, best)
    return chosen
