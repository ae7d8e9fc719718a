"""Preference coverage as an integer program: a certified upper bound, and often the optimum."""

from __future__ import annotations

import math
import re
import tempfile
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.coverage.objective import Found, Problem
from intentx.errors import InputError

__all__ = ["coverable", "envelope", "ilp"]

Floats = npt.NDArray[np.float64]

SECONDS = 60.0  # time limit when none is given
NUMBERS = 2_000_000  # larger programs than this are not worth building
TANGENTS = 5
TOLERANCE = 1e-9  # of the solver; votes are of the order of 1


def ilp(problem: Problem, start: Sequence[int], name: str, cbc: bool = False) -> Found:
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
    cbc
        Use CBC even if HiGHS is installed.

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
    deadline = min(problem.deadline, time.perf_counter() + SECONDS)
    program = _Program(problem, cbc)
    while bound > value + 1e-12 and (left := deadline - time.perf_counter()) > 0.01:
        found, claimed, upper = program.solve(best, left)
        bound = min(bound, upper)
        if found is None:
            break
        if problem.objective.value(found) > value:
            best, method = found, program.name
            value = problem.objective.value(best)
        false = claimed & ~problem.matrices.covered(found)
        if not false.any():
            break  # it means what it says: solved, or out of time
        program.forbid(found, np.flatnonzero(false))
    return Found(best, method, bound=bound)


def coverable(problem: Problem) -> float:
    """Share of the pairs that some term speaks for under some simple ranker, by weight."""
    matrices, high, low = problem.matrices, problem.matrices.pairs.high, problem.matrices.pairs.low
    some = np.zeros(matrices.n_pairs, dtype=bool)
    for term in range(matrices.n_terms):
        one = matrices.scores.values[:, term]
        some |= (one[:, high] > one[:, low]).any(axis=0)
    if problem.objective.weighted:
        return min(1.0, math.fsum(problem.objective.weight[some]) + 1e-12)
    return float(some.mean())


class _Program:
    """The integer program in PuLP: x per term, y per pair that can be covered at all."""

    def __init__(self, problem: Problem, cbc: bool) -> None:
        import pulp

        self.pulp, self.problem = pulp, problem
        self.solver = "PULP_CBC_CMD"
        if not cbc and "HiGHS" in pulp.listSolvers(onlyAvailable=True):
            self.solver = "HiGHS"
        self.name = "ilp (HiGHS)" if self.solver == "HiGHS" else "ilp (CBC)"
        matrices, objective = problem.matrices, problem.objective
        self.weight = objective.weight * matrices.n_pairs  # the program counts in pairs
        self.model = pulp.LpProblem("coverage", pulp.LpMaximize)
        terms = range(matrices.n_terms)
        self.x = [self.model.add_variable(f"x{t}", cat=pulp.LpBinary) for t in terms]
        self.y: dict[int, Any] = {}
        views = [matrices.view(ranker) for ranker in range(matrices.n_rankers)]
        for pair in range(matrices.n_pairs):
            self._add_pair(pair, np.stack([view[:, pair] for view in views]))
        self.model += pulp.lpSum(float(self.weight[i]) * y for i, y in self.y.items())
        total = pulp.lpSum(self.x)
        self.model += total >= problem.min_terms
        self.model += total <= problem.max_terms

    def _add_pair(self, pair: int, entries: Floats) -> None:
        """Rows that keep y at 0 unless the vote on this pair, entries (R, T), can be positive."""
        ordered = np.sort(entries, axis=1)
        least = np.minimum(ordered, 0)[:, : self.problem.max_terms].sum(axis=1)
        most = np.maximum(ordered, 0)[:, -self.problem.max_terms :].sum(axis=1)
        margin = self.problem.matrices.margin
        if np.tanh(most).sum() <= margin:
            return
        y = self.y[pair] = self.model.add_variable(f"y{pair}", cat=self.pulp.LpBinary)
        self.model += self._sum((entries > 0).any(axis=0).astype(float)) >= y
        if len(entries) == 1:
            size = float(np.abs(entries).max())
            need, low = math.atanh(margin) / size, float(least[0]) / size
            self.model += self._sum(entries[0] / size) - (need - low) * y >= low
            return
        votes = []
        for ranker, row in enumerate(entries):
            if not row.any():
                continue
            name = f"{pair}_{ranker}"
            difference = self.model.add_variable(f"d{name}", float(least[ranker]), float(most[ranker]))
            vote = self.model.add_variable(f"v{name}", -1.0, 1.0)
            self.model += difference - self._sum(row) == 0
            for slope, height in envelope(float(least[ranker]), float(most[ranker])):
                self.model += vote <= slope * difference + height
            votes.append(vote)
        floor = float(np.tanh(least).sum())
        self.model += self.pulp.lpSum(votes) - (margin - floor) * y >= floor

    def _sum(self, coefficients: Floats) -> Any:
        terms = np.flatnonzero(coefficients).tolist()
        return self.pulp.LpAffineExpression([(self.x[t], float(coefficients[t])) for t in terms])

    def forbid(self, terms: Sequence[int], pairs: Iterable[int]) -> None:
        """Make it known that exactly these terms do not cover these pairs."""
        inside = set(terms)
        change = self.pulp.lpSum(1 - x if t in inside else x for t, x in enumerate(self.x))
        for pair in pairs:
            self.model += self.y[int(pair)] <= change

    def solve(
        self, start: Sequence[int], seconds: float
    ) -> tuple[list[int] | None, npt.NDArray[np.bool_], float]:
        """Terms of the best solution found, the pairs it claims, and an upper bound of the value."""
        inside = set(start)
        covered = self.problem.matrices.covered(start)
        for term, x in enumerate(self.x):
            x.setInitialValue(int(term in inside))
        for pair, y in self.y.items():
            y.setInitialValue(int(covered[pair]))
        upper = self._run_highs(seconds) if self.solver == "HiGHS" else self._run_cbc(seconds)
        claimed = np.zeros(self.problem.matrices.n_pairs, dtype=bool)
        solved = self.model.sol_status in (
            self.pulp.LpSolutionOptimal,
            self.pulp.LpSolutionIntegerFeasible,
        )
        if not solved or any(x.varValue is None for x in self.x):
            return None, claimed, self._share(upper)
        found = [term for term, x in enumerate(self.x) if x.varValue > 0.5]
        if not self.problem.min_terms <= len(found) <= self.problem.max_terms:
            return None, claimed, self._share(upper)
        for pair, y in self.y.items():
            claimed[pair] = y.varValue is not None and y.varValue > 0.5
        return found, claimed, self._share(upper)

    def _share(self, upper: float) -> float:
        """An upper bound in pairs as a share; only whole pairs count when all weigh the same."""
        if not math.isfinite(upper):
            return 1.0
        upper = upper * (1 + 1e-7) + 1e-6
        if not self.problem.objective.weighted:
            upper = float(math.floor(upper))
        return min(1.0, upper / self.problem.matrices.n_pairs)

    @property
    def _gap(self) -> float:
        return 1e-9 if self.problem.objective.weighted else 0.99

    def _run_highs(self, seconds: float) -> float:
        import highspy

        x = self.x

        class Warm(self.pulp.HiGHS):  # type: ignore[misc, name-defined]
            def callSolver(self, lp: Any) -> None:  # noqa: N802  (PuLP's hook)
                guess = np.array([one.varValue or 0.0 for one in x])
                where = np.array([one.index for one in x], dtype=np.int32)
                lp.solverModel.setSolution(len(where), where, guess)
                lp.solverModel.run()

        options = {"primal_feasibility_tolerance": TOLERANCE, "mip_feasibility_tolerance": TOLERANCE}
        solver = Warm(msg=False, gapRel=0.0, gapAbs=self._gap, threads=1, timeLimit=seconds, **options)
        self.model.solve(solver)
        model = self.model.solverModel
        bound = -float(model.getInfo().mip_dual_bound)  # PuLP hands HiGHS a minimisation
        if model.getModelStatus() == highspy.HighsModelStatus.kOptimal and not math.isfinite(bound):
            bound = -float(model.getInfo().objective_function_value)
        return bound if math.isfinite(bound) else math.inf

    def _run_cbc(self, seconds: float) -> float:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # PuLP 3.3: CBC moves to an extra
            log = Path(folder, "cbc.log")
            solver = self.pulp.PULP_CBC_CMD(
                msg=False,
                gapRel=0.0,
                gapAbs=self._gap,
                threads=1,
                timeLimit=seconds,
                warmStart=True,
                logPath=str(log),
                options=[f"primalTolerance {TOLERANCE}"],
            )
            solver.tmpDir = folder
            self.model.solve(solver)
            text = log.read_text(errors="replace") if log.exists() else ""
        # PuLP's status says "Optimal" after a time-out too: only the log has the bound.
        if "Result - Optimal solution found" in text and self.model.objective.value() is not None:
            return float(self.model.objective.value()) + self._gap
        for pattern in (r"(?:Upper|Lower) bound:\s+(\S+)", r"Continuous objective value is (\S+)"):
            found = re.findall(pattern, text)
            if found:
                return abs(float(found[-1]))
        return math.inf


def envelope(low: float, high: float) -> list[tuple[float, float]]:
    """Lines (slope, height) whose minimum is a concave function over tanh on [low, high].

    For low < 0 < high: the line through (low, tanh low) that touches tanh at some p > 0, then
    tangents from p on; the chord when p lies beyond high or where tanh is convex throughout.
    """

    def tangent(at: float) -> tuple[float, float]:
        slope = 1 - math.tanh(at) ** 2
        return slope, math.tanh(at) - slope * at

    touch = 0.0
    if low < 0:
        left, right = 0.0, max(high, 0.0)
        if _rise(low, right) >= 0:  # the line would touch beyond high: take the chord
            slope = (math.tanh(high) - math.tanh(low)) / (high - low) if high > low else 0.0
            return [(slope, math.tanh(low) - slope * low)]
        for _ in range(60):
            touch = (left + right) / 2
            left, right = (touch, right) if _rise(low, touch) >= 0 else (left, touch)
        touch = right
        slope = (math.tanh(touch) - math.tanh(low)) / (touch - low)
        lines = [(slope, math.tanh(low) - slope * low)]
    else:
        lines = [tangent(low)]
    # tangents at points equally spaced in tanh: the curve bends most where it is steep
    heights = np.linspace(math.tanh(touch if low < 0 else low), math.tanh(high), TANGENTS + 1)[1:]
    return lines + [tangent(math.atanh(min(float(h), 1 - 1e-12))) for h in heights]


def _rise(low: float, at: float) -> float:
    """Positive where the tangent at ``at`` >= 0 passes under (low, tanh low): the touch lies beyond."""
    return (1 - math.tanh(at) ** 2) * (at - low) - (math.tanh(at) - math.tanh(low))
