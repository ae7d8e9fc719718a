"""Exhaustive search: every term set within the limits, in blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.coverage.objective import Objective
from intentx.coverage.problem import Found, Problem
from intentx.coverage.screen import Screen
from intentx.errors import InputError

__all__ = ["NUMBERS", "count_sets", "entries", "exhaustive", "work"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

BLOCK = 200_000  # numbers worked on at once
TAILS = 2_000_000  # numbers stored for the tails
NUMBERS = 50_000_000  # that are kept: 0.6 GiB
FEW = 4  # sets of a block that are looked at before the others
LIMIT = 3e10  # numbers; some minutes


def count_sets(terms: int, least: int, most: int) -> int:
    """Number of sets of ``least`` to ``most`` out of ``terms``."""
    return sum(math.comb(terms, size) for size in range(least, most + 1))


def work(problem: Problem) -> float:
    """Numbers to look at: sets x pairs x simple rankers."""
    matrices = problem.matrices
    sets = count_sets(matrices.n_terms, problem.min_terms, problem.max_terms)
    return float(sets) * matrices.n_pairs * matrices.n_rankers


def entries(problem: Problem) -> int:
    """Numbers to keep: terms x pairs x simple rankers."""
    matrices = problem.matrices
    return matrices.n_terms * matrices.n_pairs * matrices.n_rankers


def exhaustive(problem: Problem) -> Found:
    """The best of all sets, in float64; among equal ones the smallest, then the lowest indices.

    A set is a head and a tail, all indices of the tail above those of the head. The sums of all
    tails are kept in float32, sorted by their first index, so that the tails that fit a head are one
    slice. Sets that cannot be better than the best so far, whatever float32 gets wrong, go no further.

    Raises
    ------
    InputError
        If there are too many sets and no limit of time or steps; or if they need too much memory.
    """
    if work(problem) > LIMIT and not problem.limits.any:
        sets = count_sets(problem.matrices.n_terms, problem.min_terms, problem.max_terms)
        raise InputError(
            f"{sets} term sets are too many to try them all: lower max_terms, set a time_limit or "
            'step_limit, or use method="auto" or "ilp"'
        )
    matrices = problem.matrices
    numbers = entries(problem)
    if numbers > NUMBERS:
        raise InputError(
            f"trying all sets of {matrices.n_terms} terms on {matrices.n_pairs:,} pairs would need "
            f"{8 * numbers / 2**30:,.1f} GiB of memory: draw fewer pairs, give fewer terms, or use "
            'method="auto"'
        )
    values = matrices.scaled
    entry = np.empty((matrices.n_terms, matrices.n_rankers, matrices.n_pairs))
    for term in range(matrices.n_terms):
        one = values[:, term]
        entry[term] = one[:, matrices.pairs.high] - one[:, matrices.pairs.low]
    best: list[int] = list(range(problem.min_terms))
    highest, complete = -1.0, True
    objective = problem.objective
    screen = None if _by_sign(objective) else Screen(objective, entry)
    for size in range(problem.min_terms, problem.max_terms + 1):
        tails = _tails(entry, size)
        sums: npt.NDArray[Any] = _summed(entry, tails) if screen is None else screen.set_tails(tails)
        for head, block in _blocks(entry, tails, size):
            if screen is None:
                found = _shares(objective, entry[list(head)].sum(axis=0) + sums[block])
                row, value = int(found.argmax()), float(found.max())
            else:
                most = screen.most(head, sums[block], block)
                row, value = _highest(objective, entry, (head, tails[block]), most, highest)
            if value > highest:
                best, highest = [*head, *tails[block][row].tolist()], value
            problem.limits.take()
            if problem.late:
                complete = False
                break
    value = objective.value(best)
    if not complete:
        return Found(best, "exhaustive (cut off)")
    # A margin of 0 lets rounding decide over ties; where the two sums disagree nothing is proven.
    return Found(best, "exhaustive", bound=max(value, highest))


def _by_sign(objective: Objective) -> bool:
    """Whether score differences say what is covered: then sums in float64 cost no more than a screen."""
    matrices = objective.matrices
    return matrices.n_rankers == 1 and objective.softness == 0 and matrices.margin < 1


def _tails(entry: Floats, size: int) -> Indices:
    """(K, size of a tail) all tails of the sets of one size."""
    terms, rankers, pairs = entry.shape
    tail = 1
    while tail < size and math.comb(terms, tail + 1) * rankers * pairs <= TAILS:
        tail += 1
    return np.array(list(itertools.combinations(range(terms), tail)), dtype=np.intp)


def _blocks(entry: Floats, tails: Indices, size: int) -> Iterator[tuple[tuple[int, ...], slice]]:
    """Heads, and for each blocks of the tails that fit it: all sets of one size."""
    terms, rankers, pairs = entry.shape
    first = np.searchsorted(tails[:, 0], np.arange(terms + 1))  # where tails start with a term
    rows = max(1, BLOCK // (rankers * pairs))
    for head in itertools.combinations(range(terms), size - tails.shape[1]):
        begin = int(first[head[-1] + 1]) if head else 0
        for start in range(begin, len(tails), rows):
            yield head, slice(start, start + rows)


def _highest(
    objective: Objective,
    entry: Floats,
    sets: tuple[tuple[int, ...], Indices],
    most: Floats,
    least: float,
) -> tuple[int, float]:
    """Which tail (B, size of tail) makes the best set with the head, the first of equal ones, and its
    value; ``least`` if no set can have a higher one than that. ``most`` (B,) is what they have at most.
    """
    head, tails = sets
    base = entry[list(head)].sum(axis=0)
    row, value = 0, least
    rows = np.flatnonzero(most > least)
    if len(rows) > FEW:  # the most promising ones raise what the others have to reach
        few = rows[np.argpartition(-most[rows], FEW)[:FEW]]
        reached = _shares(objective, base + _summed(entry, tails[few])).max()
        rows = rows[most[rows] >= max(reached, least)]
    for start in range(0, len(rows), step := max(1, BLOCK // base.size)):
        part = rows[start : start + step]
        found = _shares(objective, base + _summed(entry, tails[part]))
        if found.max() > value:
            row, value = int(part[found.argmax()]), float(found.max())
    return row, value


def _summed(entry: Floats, tails: Indices) -> Floats:
    """(B, R, P) score differences under B tails."""
    sums = entry[tails[:, 0]]
    for column in range(1, tails.shape[1]):
        sums += entry[tails[:, column]]
    return np.asarray(sums)


def _shares(objective: Objective, differences: Floats) -> Floats:
    """(B,) values of B sets from their score differences (B, R, P)."""
    margin = objective.matrices.margin
    if _by_sign(objective):
        covered = differences[:, 0] > math.atanh(margin)
    else:
        votes = np.tanh(differences, out=differences).sum(axis=1)
        if objective.softness > 0:
            return np.asarray(objective.counts(votes) @ objective.weight)
        covered = votes > margin
    if objective.weighted:
        return np.asarray(covered @ objective.weight)
    return np.asarray(covered.sum(axis=1) / covered.shape[1])
