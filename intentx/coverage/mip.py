"""Who solves the program: HiGHS where it is installed, else CBC, which comes with PuLP."""

from __future__ import annotations

import importlib.util
import math
import re
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from intentx.coverage.program import Program

__all__ = ["CBC", "HiGHS", "Solved", "Solver", "solver_named"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TOLERANCE = 1e-9  # of the solver; votes are of the order of 1
WRITING = 1.5  # how long PuLP takes to hand a program to CBC, in times of making it for PuLP
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


class Solver(Protocol):
    """Something that solves a `Program`."""

    name: str

    def solve(self, program: Program, start: Sequence[int], seconds: float, nodes: int | None) -> Solved:
        """Solve within so many seconds and nodes of the search tree, from a first solution on.

        ``start``, term indices, is returned where nothing better is found. Nothing is returned when
        the time is too short to begin.
        """


def solver_named(name: str = "") -> Solver:
    """The solver of this name; "" for the best that is installed."""
    if name != "CBC" and importlib.util.find_spec("highspy") is not None:
        return HiGHS()
    return CBC()


def _gap(program: Program) -> float:
    """How far from its bound a solution may stay: less than a pair, where all pairs weigh the same."""
    whole = np.ptp(program.cost[program.terms : program.binary]) == 0 if len(program.pairs) else False
    return 0.99 if whole else 1e-9


def _chosen(program: Program, values: Floats, bound: float, nodes: int) -> Solved:
    ones = values[: program.binary] > 0.5
    terms = np.flatnonzero(ones[: program.terms])
    return Solved(terms, program.pairs[ones[program.terms :]], bound, nodes)


class HiGHS:
    """HiGHS, which takes the arrays as they are."""

    name = "ilp (HiGHS)"

    def solve(self, program: Program, start: Sequence[int], seconds: float, nodes: int | None) -> Solved:
        """Solve the program: see `Solver`."""
        if seconds < PRESOLVE * program.seconds:
            return NONE
        import highspy

        columns = len(program.cost)
        starts, index, value, least, most = program.rows.arrays(columns)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, len(least)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
        lp.row_lower_, lp.row_upper_ = least, most
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = starts, index, value
        kinds = [highspy.HighsVarType.kContinuous] * columns
        kinds[: program.binary] = [highspy.HighsVarType.kInteger] * program.binary
        lp.integrality_ = kinds

        class Quiet(highspy.Highs):
            def enableCallbacks(self) -> None:  # noqa: N802  (of HiGHS: it prints a banner)
                self.setOptionValue("output_flag", False)
                super().enableCallbacks()  # type: ignore[no-untyped-call]

        solver = Quiet()  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {
            "threads": 1,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": _gap(program),
            "primal_feasibility_tolerance": TOLERANCE,
            "mip_feasibility_tolerance": TOLERANCE,
        }
        if math.isfinite(seconds):
            options["time_limit"] = seconds
        if nodes is not None:
            options["mip_max_nodes"] = nodes
        for name, option in options.items():
            solver.setOptionValue(name, option)
        solver.passModel(lp)
        solver.setSolution(columns, np.arange(columns, dtype=np.int32), program.point(start))
        solver.run()
        info = solver.getInfo()
        bound = float(info.mip_dual_bound)
        solved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        if solved and not math.isfinite(bound):
            bound = float(info.objective_function_value)
        bound = bound if math.isfinite(bound) else math.inf
        taken = max(0, int(info.mip_node_count))
        feasible = int(info.primal_solution_status) == int(
            highspy.SolutionStatus.kSolutionStatusFeasible
        )
        if not feasible:
            return Solved(NOTHING, NOTHING, bound, taken)
        return _chosen(program, np.array(solver.getSolution().col_value), bound, taken)


class CBC:
    """CBC through PuLP, row by row."""

    name = "ilp (CBC)"

    def solve(self, program: Program, start: Sequence[int], seconds: float, nodes: int | None) -> Solved:
        """Solve the program: see `Solver`."""
        began = time.perf_counter()
        model, columns = _pulp_model(program, began + seconds)
        making = time.perf_counter() - began
        if model is None or (1 + WRITING) * making >= seconds:
            return NONE
        for column, one in zip(columns, program.point(start)[: program.binary].tolist(), strict=False):
            column.setInitialValue(int(one))
        log = _run_cbc(model, _gap(program), seconds - (1 + WRITING) * making, nodes)
        bound = _bound_in(log, model, _gap(program))
        taken = re.findall(r"Enumerated nodes:\s+(\d+)", log)
        taken_nodes = int(taken[-1]) if taken else 0
        values = [column.varValue for column in columns[: program.binary]]
        if model.sol_status not in (1, 2) or any(value is None for value in values):  # optimal, feasible
            return Solved(NOTHING, NOTHING, bound, taken_nodes)
        return _chosen(program, np.array(values), bound, taken_nodes)


def _pulp_model(program: Program, deadline: float) -> tuple[Any, list[Any]]:
    """The program in PuLP and its variables, column by column; None when the time is up before."""
    import pulp

    model = pulp.LpProblem("coverage", pulp.LpMaximize)
    columns = []
    for place, (lower, upper) in enumerate(zip(program.lower, program.upper, strict=True)):
        binary = place < program.binary
        ends = [None if math.isinf(end) else float(end) for end in (lower, upper)]
        kind = pulp.LpInteger if binary else pulp.LpContinuous
        columns.append(model.add_variable(f"c{place}", *ends, cat=kind))
    costly = np.flatnonzero(program.cost).tolist()
    model += pulp.LpAffineExpression([(columns[i], float(program.cost[i])) for i in costly])
    starts, index, value, least, most = (part.tolist() for part in program.rows.arrays(len(columns)))
    for row, (lower, upper) in enumerate(zip(least, most, strict=True)):
        if row % ROWS == 0 and time.perf_counter() > deadline:
            return None, columns
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
    return model, columns


def _run_cbc(model: Any, gap: float, seconds: float, nodes: int | None) -> str:
    """CBC's log."""
    import pulp

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PuLP 3.3: CBC moves to an extra
        log = Path(folder, "cbc.log")
        limits: dict[str, Any] = {} if nodes is None else {"maxNodes": nodes}
        if math.isfinite(seconds):
            limits["timeLimit"] = seconds
        solver = pulp.PULP_CBC_CMD(
            msg=False,
            gapRel=0.0,
            gapAbs=gap,
            threads=1,
            warmStart=True,
            logPath=str(log),
            options=[f"primalTolerance {TOLERANCE}"],
            **limits,
        )
        solver.tmpDir = folder
        model.solve(solver)
        return log.read_text(errors="replace") if log.exists() else ""


def _bound_in(log: str, model: Any, gap: float) -> float:
    """The bound in CBC's log: PuLP's status says "Optimal" after a time-out too, only the log has it."""
    if "Result - Optimal solution found" in log and model.objective.value() is not None:
        return float(model.objective.value()) + gap
    for pattern in (r"(?:Upper|Lower) bound:\s+(\S+)", r"Continuous objective value is (\S+)"):
        found = re.findall(pattern, log)
        if found:
            return abs(float(found[-1]))
    return math.inf
