"""Exhaustive search: every term set within the limits, in blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from intentx.coverage.objective import Objective
from intentx.coverage.problem import Found, Problem
from intentx.errors import InputError

__all__ = ["NUMBERS", "count_sets", "entries", "exhaustive", "work"]

Floats = npt.NDArray[np.float64]

BLOCK = 200_000  # numbers worked on at once
TAILS = 2_000_000  # numbers stored for the tails
NUMBERS = 50_000_000  # that are kept: 0.4 GiB
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
    tails are kept, sorted by their first index, so that the tails that fit a head are one slice.

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
    for size in range(problem.min_terms, problem.max_terms + 1):
        for head, tails, found in _values(problem.objective, entry, size):
            if found.max() > highest:
                best = [*head, *tails[int(found.argmax())].tolist()]
                highest = float(found.max())
            problem.limits.take()
            if problem.late:
                complete = False
                break
    value = problem.objective.value(best)
    if not complete:
        return Found(best, "exhaustive (cut off)")
    # A margin of 0 lets rounding decide over ties; where the two sums disagree nothing is proven.
    return Found(best, "exhaustive", bound=max(value, highest))


def _values(
    objective: Objective, entry: Floats, size: int
) -> Iterator[tuple[tuple[int, ...], npt.NDArray[np.intp], Floats]]:
    """Heads, blocks of tails (B, size of tail) and values (B,) of all sets of one size."""
    terms, rankers, pairs = entry.shape
    tail = 1
    while tail < size and math.comb(terms, tail + 1) * rankers * pairs <= TAILS:
        tail += 1
    tails = np.array(list(itertools.combinations(range(terms), tail)), dtype=np.intp)
    sums = entry[tails[:, 0]]
    for column in range(1, tail):
        sums += entry[tails[:, column]]
    first = np.searchsorted(tails[:, 0], np.arange(terms + 1))  # where tails start with a term
    rows = max(1, BLOCK // (rankers * pairs))
    for head in itertools.combinations(range(terms), size - tail):
        base = entry[list(head)].sum(axis=0)
        begin = int(first[head[-1] + 1]) if head else 0
        for start in range(begin, len(tails), rows):
            block = slice(start, start + rows)
            yield head, tails[block], _shares(objective, base + sums[block])


def _shares(objective: Objective, differences: Floats) -> Floats:
    """(B,) values of B sets from their score differences (B, R, P)."""
    margin = objective.matrices.margin
    if differences.shape[1] == 1 and objective.softness == 0 and margin < 1:
        covered = differences[:, 0] > math.atanh(margin)
    else:
        votes = np.tanh(differences, out=differences).sum(axis=1)
        if objective.softness > 0:
            return np.asarray(objective.counts(votes) @ objective.weight)
        covered = votes > margin
    if objective.weighted:
        return np.asarray(covered @ objective.weight)
    return np.asarray(covered.sum(axis=1) / covered.shape[1])
