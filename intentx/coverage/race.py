"""Which simple ranker leads, where nothing counts but the fitted pairs: options race each other."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from intentx.coverage.exhaustive import entries, work
from intentx.coverage.greedy import greedy
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Found, Problem
from intentx.coverage.refine import anneal, descend
from intentx.coverage.relaxed import relaxed
from intentx.coverage.solve import CHEAP, MOST_ENTRIES, Method, Selection, selected, solve
from intentx.coverage.validate import Option, best_fit

__all__ = ["Winner", "most_covering", "refined"]

SOFTNESS = 1 / 3  # for each vote, of the objective under which the second descents begin
ANNEALED = 3  # options that go on, those with the best descents


@dataclasses.dataclass(frozen=True)
class Winner:
    """The option, by its number, and the terms that cover most under it."""

    option: int
    selection: Selection


def most_covering(
    options: Sequence[Option],
    max_terms: int,
    *,
    min_terms: int = 1,
    method: Method = "auto",
    seed: int = 0,
) -> Winner:
    """The option and the terms that cover most pairs, of equals the first option.

    With ``"auto"``, all sets are tried under all options when they are few. Else each option gets two
    descents, the best three of them a round of annealing, and the best of these the other rounds. Any
    other method solves the option with the best descent.
    """
    problems = [_problem(one, min_terms, max_terms, seed) for one in options]
    few = [work(one) <= CHEAP and entries(one) <= MOST_ENTRIES for one in problems]
    if method == "auto" and not all(few):
        return _raced(options, min_terms, max_terms, seed)
    settings: dict[str, Any] = {"min_terms": min_terms, "method": method, "seed": seed}
    if method == "auto" and sum(map(work, problems)) <= CHEAP:
        found = [solve(one.matrices, max_terms, **settings) for one in options]
        best = int(np.argmax([selection.objective for selection in found]))
        return Winner(best, found[best])
    best = best_fit(options, max_terms, seed=seed)
    return Winner(best, solve(options[best].matrices, max_terms, **settings))


def refined(
    option: Option, start: Sequence[int], max_terms: int, *, min_terms: int = 1, seed: int = 0
) -> Selection:
    """What a descent makes of the terms at ``start``: a selection that covers no less."""
    began = time.perf_counter()
    problem = _problem(option, min_terms, max_terms, seed)
    found = descend(problem, start, thorough=True)
    return selected(problem, Found(found, "descent"), began)


def _problem(option: Option, min_terms: int, max_terms: int, seed: int) -> Problem:
    most = min(max_terms, option.matrices.n_terms)
    return Problem(Objective(option.matrices), min_terms, most, seed)


def _raced(options: Sequence[Option], min_terms: int, max_terms: int, seed: int) -> Winner:
    """Descents, then annealing, of fewer and fewer options."""
    began = time.perf_counter()
    sets: list[list[int]] = []
    values: list[float] = []
    for option in options:  # a problem at a time: its kernel is large
        problem = _problem(option, min_terms, max_terms, seed)
        starts = greedy(problem), _smoothly(problem)
        sets.append(problem.best([descend(problem, start) for start in starts]))
        values.append(problem.objective.value(sets[-1]))
    order = np.argsort(-np.array(values), kind="stable").tolist()
    for number in order[:ANNEALED]:
        problem = _problem(options[number], min_terms, max_terms, seed)
        sets[number] = anneal(problem, sets[number], rounds=range(1))
        values[number] = problem.objective.value(sets[number])
    best = int(np.argmax(values))
    problem = _problem(options[best], min_terms, max_terms, seed)
    start = problem.best([sets[best], *relaxed(problem)])
    found = anneal(problem, start, rounds=range(1, 3))
    return Winner(best, selected(problem, Found(found, "descent+anneal"), began))


def _smoothly(problem: Problem) -> list[int]:
    """Where a descent ends under an objective that counts votes by their size: it sees farther."""
    softness = SOFTNESS * problem.matrices.n_rankers
    soft = Problem(Objective(problem.matrices, softness), problem.min_terms, problem.max_terms)
    return descend(soft, greedy(soft))
