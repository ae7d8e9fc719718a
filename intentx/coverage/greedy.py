"""Greedy: add the best term, again and again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.coverage.objective import Exact, Kernel, Problem

__all__ = ["greedy", "greedy_literal", "grow", "most_useful_first", "shortlist"]

SHORT = 8
"""Length of the short list that is evaluated on more pairs than those which made it."""

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


def shortlist(
    coarse: Kernel | None,
    fine: Kernel | Exact,
    rest: Sequence[int],
    allowed: npt.NDArray[np.bool_],
    length: int = SHORT,
) -> tuple[Indices, Floats]:
    """Moves from ``rest`` worth a look, in index order, and their values under ``fine``.

    Parameters
    ----------
    coarse
        Makes the short list; None to look at every allowed move.
    allowed
        (T + 1,) which terms may be added; the last is "no term".
    """
    if coarse is None or int(allowed.sum()) <= length:
        moves = np.flatnonzero(allowed)
        if coarse is None and len(moves) > len(allowed) // 2:
            return moves, fine.values(rest)[moves]
        return moves, fine.values(rest, moves)
    rough = np.where(allowed, coarse.values(rest), -np.inf)
    moves = np.sort(np.argsort(-rough, kind="stable")[:length])
    return moves, fine.values(rest, moves)


def grow(
    problem: Problem,
    start: Sequence[int],
    size: int,
    terms: Indices | None = None,
    sampled: bool = False,
) -> list[list[int]]:
    """Sets reached from ``start`` by adding the best term until there are ``size``, smallest first.

    Ties go to the lowest index. With very many pairs the best few of a sample are compared on all.

    Parameters
    ----------
    terms
        Terms to choose from; None for all.
    sampled
        Let the sample decide when pairs are very many.
    """
    judge: Kernel | Exact = problem.kernel if sampled else problem.judge
    coarse = None if judge is problem.kernel else problem.kernel
    allowed = np.zeros(problem.matrices.n_terms + 1, dtype=bool)
    allowed[slice(-1) if terms is None else terms] = True
    allowed[list(start)] = False
    chosen = list(start)
    sets = [list(chosen)]
    while len(chosen) < size and allowed.any():
        if problem.late and len(chosen) >= problem.min_terms:
            break
        moves, values = shortlist(coarse, judge, chosen, allowed)
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
    return problem.objective.best(sets[problem.min_terms :])


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
