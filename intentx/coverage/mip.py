"""The program as a PuLP model, solved by HiGHS, which is asked for its bound and its status."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.coverage.program import Program

__all__ = ["NAME", "Solved", "solved"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

NAME = "ilp (HiGHS)"
TOLERANCE = 1e-9  # of the solver; votes are of the order of 1
HANDING = 0.7  # how long PuLP takes to hand a model to HiGHS, in times of making it
PRESOLVE = 25.0  # how long HiGHS looks at no clock, in times of the building of the program
ROWS = 500  # that PuLP makes between two looks at the clock


@dataclass(frozen=True)
class Solved:
    """What a solver found: the columns that are 1, and an upper bound of the objective.

    Attributes
    ----------
    terms, pairs
        Indices of terms, () without a solution, and of the pairs that they are said to cover.
    nodes
        Of the search tree.
    """

    terms: Indices
    pairs: Indices
    bound: float
    nodes: int


NOTHING = np.empty(0, dtype=np.intp)
NONE = Solved(NOTHING, NOTHING, math.inf, 0)


def solved(program: Program, start: Sequence[int], seconds: float, nodes: int | None) -> Solved:
    """Solve within so many seconds and nodes of the search tree, from a first solution on.

    ``start``, term indices, is returned where nothing better is found. Nothing is returned when the
    time is too short to begin.
    """
    import pulp

    began = time.perf_counter()
    presolve = PRESOLVE * program.seconds
    if seconds < presolve:
        return NONE
    model = _model(program, began + seconds)
    making = time.perf_counter() - began
    if model is None or seconds - (1 + HANDING) * making < presolve:
        return NONE
    highs = model.solverModel = _highs(_gap(program), nodes)
    pulp.HiGHS(msg=False).buildSolverModel(model)
    if math.isfinite(seconds):
        highs.setOptionValue("time_limit", max(0.0, seconds - (time.perf_counter() - began)))
    columns = len(program.cost)
    highs.setSolution(columns, np.arange(columns, dtype=np.int32), program.point(start))
    highs.run()
    return _answer(highs, program)


def _highs(gap: float, nodes: int | None) -> Any:
    """HiGHS with its options, as yet without a model."""
    import highspy

    class Quiet(highspy.Highs):
        def enableCallbacks(self) -> None:  # noqa: N802  (of HiGHS: it prints a banner)
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()  # type: ignore[no-untyped-call]

    highs = Quiet()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {
        "threads": 1,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": gap,
        "primal_feasibility_tolerance": TOLERANCE,
        "mip_feasibility_tolerance": TOLERANCE,
    }
    if nodes is not None:
        options["mip_max_nodes"] = nodes
    for name, option in options.items():
        highs.setOptionValue(name, option)
    return highs


def _answer(highs: Any, program: Program) -> Solved:
    """What HiGHS found; PuLP hands it a minimum of the negative objective."""
    import highspy

    info = highs.getInfo()
    bound = -float(info.mip_dual_bound)
    if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal and not math.isfinite(bound):
        bound = -float(info.objective_function_value)
    bound = bound if math.isfinite(bound) else math.inf
    nodes = max(0, int(info.mip_node_count))
    feasible = int(highspy.SolutionStatus.kSolutionStatusFeasible)
    if int(info.primal_solution_status) != feasible:
        return Solved(NOTHING, NOTHING, bound, nodes)
    return _chosen(program, np.array(highs.getSolution().col_value), bound, nodes)


def _gap(program: Program) -> float:
    """How far from its bound a solution may stay: less than a pair, where all pairs weigh the same."""
    whole = np.ptp(program.cost[program.terms : program.binary]) == 0 if len(program.pairs) else False
    return 0.99 if whole else 1e-9


def _chosen(program: Program, values: Floats, bound: float, nodes: int) -> Solved:
    ones = values[: program.binary] > 0.5
    terms = np.flatnonzero(ones[: program.terms])
    return Solved(terms, program.pairs[ones[program.terms :]], bound, nodes)


def _model(program: Program, deadline: float) -> Any:
    """The program in PuLP, variables in the order of the columns; None when the time is up before."""
    import pulp

    model = pulp.LpProblem("coverage", pulp.LpMaximize)
    columns = []  # PuLP sorts them by their names
    for place, (lower, upper) in enumerate(zip(program.lower, program.upper, strict=True)):
        binary = place < program.binary
        ends = [None if math.isinf(end) else float(end) for end in (lower, upper)]
        kind = pulp.LpInteger if binary else pulp.LpContinuous
        columns.append(model.add_variable(f"c{place:09}", *ends, cat=kind))
    costly = np.flatnonzero(program.cost).tolist()
    model += pulp.LpAffineExpression([(columns[i], float(program.cost[i])) for i in costly])
    starts, index, value, least, most = (part.tolist() for part in program.rows.arrays(len(columns)))
    for row, (lower, upper) in enumerate(zip(least, most, strict=True)):
        if row % ROWS == 0 and time.perf_counter() > deadline:
            return None
        part = slice(starts[row], starts[row + 1])
        entries = zip(index[part], value[part], strict=True)
        total = pulp.LpAffineExpression([(columns[column], entry) for column, entry in entries])
        if lower == upper:
            model += total == lower
            continue
        if math.isfinite(lower):
            model += total >= lower
        if math.isfinite(upper):
            model += total <= upper
    return model
