"""Choose the term set that covers most preference pairs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

from intentx.coverage.exhaustive import entries, exhaustive, work
from intentx.coverage.greedy import greedy, greedy_literal, most_useful_first
from intentx.coverage.ilp import coverable, ilp
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Found, Limits, Problem
from intentx.coverage.refine import anneal, descend
from intentx.coverage.relaxed import gpc_literal, relaxed
from intentx.errors import InputError
from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["LITERAL", "METHODS", "Method", "Selection", "Status", "selected", "solve"]

Method = Literal["auto", "greedy", "ilp", "tanh", "exhaustive", "descent", "anneal"]
Status = Literal["optimal", "feasible", "heuristic"]

CHEAP = 1e8
"""Sets x pairs x simple rankers up to which ``auto`` tries all sets: a fraction of a second."""

MOST_ENTRIES = 20_000_000
"""Terms x pairs x simple rankers up to which it does: 150 MB."""

PROOF = 1e-6
"""An objective this close to its bound is optimal: what tolerances add to bounds is smaller."""


@dataclass(frozen=True)
class Selection:
    """The terms a solver chose, and what is known about them.

    Attributes
    ----------
    indices
        Chosen terms, most useful first: the first covers most alone, each next one adds most to
        those before it (ties by index).
    coverage
        Share of the pairs strictly covered, each pair counting the same.
    objective
        What was maximised: the share by weight when pairs carry weights, soft when so asked.
    bound
        No selection within the limits has a higher objective; None when nothing is known.
    status
        ``"optimal"``: the objective reaches the bound. ``"feasible"``: there is a bound, not
        reached, or the search was cut off. ``"heuristic"``: nothing is claimed.
    seconds
        Wall time of the call.
    method
        What found the terms, such as ``"greedy+anneal"``.
    """

    indices: tuple[int, ...]
    coverage: float
    objective: float
    bound: float | None
    status: Status
    seconds: float
    method: str


def solve(
    matrices: PreferenceMatrices,
    max_terms: int = 10,
    *,
    min_terms: int = 1,
    method: Method = "auto",
    softness: float = 0.0,
    soft_share: float = 1.0,
    seed: int = 0,
    time_limit: float | None = None,
    step_limit: int | None = None,
    literal: bool = False,
) -> Selection:
    """Terms that cover most preference pairs, from ``min_terms`` to ``max_terms`` of them.

    Coverage may fall when a term is added, so the best set can be smaller than allowed; among
    sets of equal objective a smaller one is preferred.

    Parameters
    ----------
    matrices
        Term scores, pairs and scales.
    max_terms, min_terms
        Limits of the size; ``max_terms`` may exceed the number of terms.
    method
        ``"greedy"``. ``"tanh"``: the relaxation, well rounded. ``"descent"``: greedy, then single
        swaps, additions and removals; the quickest that is worth having. ``"anneal"``: greedy,
        then simulated annealing and descent. ``"ilp"``: the same, then an integer program (by
        HiGHS) for a better set and a certified bound. ``"exhaustive"``: all
        sets. ``"auto"``: all sets when they are few, else annealing from the better of greedy and
        the relaxation, or from greedy when half of the objective or more is soft.
    softness
        0 counts pairs that are strictly covered; s > 0 counts ``sigmoid((vote - margin) / s)``.
    soft_share
        With softness, the part of the objective that is soft; the rest counts strict coverage.
    seed
        Of everything random. The same seed gives the same result unless a time limit cuts in.
    time_limit
        Seconds after which to return the best so far, the building of an integer program included.
        None: each method ends by itself; the integer program after 60 seconds unless there is a
        ``step_limit``.
    step_limit
        Steps after which to return the best so far: the same on every machine, however busy. A step
        is a term that greedy adds, a draw of annealing, a move of a descent, a start of the
        relaxation, a block of sets that are all tried, or a node of the integer program.
    literal
        The papers' settings, for parity: see `LITERAL`.

    Raises
    ------
    InputError
        For an unknown method, bad limits, or matrices without terms or without pairs.

    Notes
    -----
    No method returns less than ``greedy`` does, but for the ``literal`` ones; of an objective that is
    half soft or more, greedy compares the 32 terms along which it rises most. With a limit
    there is always a bound on strict coverage, if only the share of pairs that any term speaks
    for. With very many pairs (more than 16,000, fewer with many terms) moves are screened on a
    sample of the pairs, and the best of them are compared on all.

    Examples
    --------
    >>> from intentx.preferences import Pairs, PreferenceMatrices, TermScores
    >>> scores = TermScores([[[3, 0, 0], [0, 1, 0], [0, 0, 1]]])
    >>> selection = solve(PreferenceMatrices(scores, Pairs([0, 0, 1], [1, 2, 2])), max_terms=2)
    >>> selection.indices, selection.coverage, selection.status
    ((0, 1), 1.0, 'optimal')
    """
    started = time.perf_counter()
    if method not in METHODS:
        raise InputError(f"no method {method!r}; choose one of {tuple(METHODS)}")
    if literal and method not in LITERAL:
        raise InputError(f"literal settings exist for {tuple(LITERAL)}, not for {method!r}")
    max_terms = _check(matrices, max_terms, min_terms)
    _check_limits(time_limit, step_limit)
    _check_softness(softness, soft_share)
    deadline = math.inf if time_limit is None else started + time_limit
    objective = Objective(matrices, softness, soft_share)
    problem = Problem(objective, min_terms, max_terms, seed, Limits(deadline, step_limit))
    return selected(problem, (LITERAL if literal else METHODS)[method](problem), started)


def selected(problem: Problem, found: Found, started: float) -> Selection:
    """What was found, and what is known about it; ``started`` is a `time.perf_counter` value."""
    matrices = problem.matrices
    indices = tuple(most_useful_first(problem, found.indices))
    value = problem.objective.value(indices)
    bound = found.bound
    if bound is None and value >= 1.0:
        bound = 1.0
    if bound is None and problem.limits.any and not problem.objective.softness:
        bound = coverable(problem)
    status: Status = "heuristic"
    if bound is not None:
        status = "optimal" if value >= bound - PROOF else "feasible"
        bound = max(bound, value)
    return Selection(
        indices=indices,
        coverage=matrices.coverage(indices),
        objective=value,
        bound=bound,
        status=status,
        seconds=time.perf_counter() - started,
        method=found.method,
    )


def _check(
    matrices: PreferenceMatrices,
    max_terms: int,
    min_terms: int,
) -> int:
    """``max_terms``, at most the number of terms; raises `InputError` on anything unusable."""
    terms = matrices.n_terms
    if not terms:
        raise InputError("there is no term to choose from: the term scores have T = 0")
    if not matrices.n_pairs:
        raise InputError("there is no preference pair to cover")
    for name, number in (("max_terms", max_terms), ("min_terms", min_terms)):
        if not isinstance(number, Integral) or number < 1:
            raise InputError(f"{name} must be a whole number, 1 or more, not {number!r}")
    if min_terms > max_terms:
        raise InputError(f"min_terms={min_terms} exceeds max_terms={max_terms}")
    if min_terms > terms:
        raise InputError(f"min_terms={min_terms} exceeds the number of terms, {terms}")
    return min(int(max_terms), terms)


def _check_limits(time_limit: float | None, step_limit: int | None) -> None:
    if time_limit is not None and not time_limit > 0:
        raise InputError(f"time_limit must be None or positive seconds, not {time_limit!r}")
    if step_limit is not None and (not isinstance(step_limit, Integral) or step_limit < 1):
        raise InputError(f"step_limit must be None or a whole number, 1 or more, not {step_limit!r}")


def _check_softness(softness: float, soft_share: float) -> None:
    if not 0 <= softness < math.inf:
        raise InputError(f"softness must be 0 or a positive finite number, not {softness!r}")
    if not 0 <= soft_share <= 1:
        raise InputError(f"soft_share must lie between 0 and 1, not {soft_share!r}")


def _auto(problem: Problem) -> Found:
    start = greedy(problem)
    name = "greedy"
    if work(problem) <= CHEAP and entries(problem) <= MOST_ENTRIES:
        found = exhaustive(problem)
        if found.bound is not None:  # not cut off by the time limit
            return found
    if not problem.late and not problem.objective.smooth:
        other = problem.best(relaxed(problem))
        if problem.objective.value(other) > problem.objective.value(start):
            start, name = other, "tanh"
    return _annealed(problem, start, name)


def _annealed(problem: Problem, start: list[int], name: str) -> Found:
    found = anneal(problem, start)
    return Found(found, name if sorted(found) == sorted(start) else f"{name}+anneal")


def _descent(problem: Problem) -> Found:
    start = greedy(problem)
    found = descend(problem, start)
    return Found(found, "greedy" if sorted(found) == sorted(start) else "greedy+descent")


def _tanh(problem: Problem) -> Found:
    start = greedy(problem)
    found = problem.best(relaxed(problem))
    return _better(problem, Found(found, "tanh"), start)


def _exhaustive(problem: Problem) -> Found:
    start = greedy(problem)  # first: a search that the time limit cuts off may have seen little
    return _better(problem, exhaustive(problem), start)


def _better(problem: Problem, found: Found, start: list[int]) -> Found:
    """``found``, unless greedy's ``start`` is better."""
    value = problem.objective.value
    return found if value(found.indices) >= value(start) else Found(start, "greedy", found.bound)


def _ilp(problem: Problem) -> Found:
    start = _annealed(problem, greedy(problem), "greedy")
    return ilp(problem, start.indices, start.method)


METHODS: dict[str, Callable[[Problem], Found]] = {
    "auto": _auto,
    "greedy": lambda problem: Found(greedy(problem), "greedy"),
    "ilp": _ilp,
    "tanh": _tanh,
    "exhaustive": _exhaustive,
    "descent": _descent,
    "anneal": lambda problem: _annealed(problem, greedy(problem), "greedy"),
}

LITERAL: dict[str, Callable[[Problem], Found]] = {
    "greedy": lambda problem: Found(greedy_literal(problem), "GREEDY"),
    "ilp": lambda problem: ilp(problem, greedy_literal(problem), "GREEDY"),
    "tanh": lambda problem: Found(gpc_literal(problem), "GPC"),
}
"""The papers' settings. ``greedy`` is GREEDY (Singh & Anand 2020): add the best term until none
raises the objective. ``ilp`` is PC: the integer program. ``tanh`` is GPC (Lyu & Anand
2023): unscaled entries, 2 <= sum(x) <= 10, one start, threshold .5, 4 to 10 terms."""
