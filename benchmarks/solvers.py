"""Coverage solvers: speed against the papers' solver, distance from the limit, exactness.

python benchmarks/solvers.py --queries 43 --seconds 60 --out benchmarks/results/solvers.md
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from problems import problems

from intentx.coverage import Selection, solve
from intentx.coverage.objective import Kernel, Objective, Problem
from intentx.coverage.relaxed import relaxed
from intentx.preferences import PreferenceMatrices, TermScores

MAX_TERMS = 10


def against_slsqp(queries: int, rankers: int) -> Iterator[str]:
    """(2) Same matrices: each method against literal GPC by SciPy's SLSQP (gradient by formula)."""
    methods = ("greedy", "tanh", "refine", "auto")
    ratios: dict[str, list[float]] = {method: [] for method in methods}
    seconds: dict[str, list[float]] = {method: [] for method in methods}
    wins: dict[str, list[bool]] = {method: [] for method in methods}
    gains: dict[str, list[float]] = {method: [] for method in methods}
    theirs = []
    for _, matrices in problems(queries, pairs=500, rankers=rankers):
        paper = solve(matrices, MAX_TERMS, method="tanh", literal=True)
        theirs.append(paper.seconds)
        for method in methods:
            ours = solve(matrices, MAX_TERMS, method=method)  # type: ignore[arg-type]
            ratios[method].append(paper.seconds / ours.seconds)
            seconds[method].append(ours.seconds)
            wins[method].append(ours.coverage >= paper.coverage)
            gains[method].append(ours.coverage - paper.coverage)
    yield f"### {rankers} simple ranker(s): GPC by SLSQP takes {np.median(theirs):.3f} s (median)"
    yield ""
    yield "| method | seconds (median) | times faster (median) | as high or higher | gained (mean) |"
    yield "|---|---|---|---|---|"
    for method in methods:
        yield (
            f"| {method} | {np.median(seconds[method]):.4f} | {np.median(ratios[method]):.0f} "
            f"| {np.mean(wins[method]):.0%} | {np.mean(gains[method]):+.3f} |"
        )
    yield ""


def near_the_limit(queries: int, seconds: float, pairs: int | None) -> Iterator[str]:
    """(3) ``auto`` against a long simulated annealing, greedy, and tanh with plain rounding."""
    shares, ours_seconds, rows = [], [], []
    below_greedy = below_plain = 0
    for name, matrices in problems(queries, pairs=pairs):
        ours = solve(matrices, MAX_TERMS)
        greedy = solve(matrices, MAX_TERMS, method="greedy").coverage
        plain = plain_rounding(matrices)
        best = max(annealing(matrices, seconds), ours.coverage)
        shares.append(ours.coverage / best)
        ours_seconds.append(ours.seconds)
        below_greedy += ours.coverage < greedy
        below_plain += ours.coverage < plain
        rows.append(f"| {name} | {ours.coverage:.4f} | {best:.4f} | {greedy:.4f} | {plain:.4f} |")
    yield f"### {pairs or 'all'} pairs, {seconds:g} s of annealing"
    yield ""
    yield (
        f"auto reaches {np.mean(shares):.2%} of the best known coverage on average "
        f"({np.min(shares):.2%} at worst), in {np.median(ours_seconds):.2f} s (median); "
        f"below greedy {below_greedy} times, below tanh with plain rounding {below_plain} times."
    )
    yield ""
    yield "| problem | auto | best known | greedy | tanh, plain top 10 |"
    yield "|---|---|---|---|---|"
    yield from rows
    yield ""


def plain_rounding(matrices: PreferenceMatrices) -> float:
    """Coverage of the relaxation's first local optimum, rounded to its ten largest."""
    return matrices.coverage(relaxed(Problem(Objective(matrices), 1, MAX_TERMS))[0])


def annealing(matrices: PreferenceMatrices, seconds: float, batch: int = 8) -> float:
    """Best coverage found by plain simulated annealing over swaps, restarted every ten seconds."""
    kernel = Kernel(Objective(matrices))
    none = matrices.n_terms
    restarts = max(1, round(seconds / 10))
    best = 0.0
    for restart in range(restarts):
        generator = np.random.default_rng(restart)
        places = generator.choice(none, size=MAX_TERMS, replace=False)
        value = float(kernel.values(places.tolist(), np.array([none]))[0])
        started, limit = time.perf_counter(), seconds / restarts
        while (done := (time.perf_counter() - started) / limit) < 1:
            temperature = 0.006 * 0.05**done
            place = int(generator.integers(MAX_TERMS))
            moves = np.setdiff1d(generator.integers(none + 1, size=batch), places[places < none])
            generator.shuffle(moves)
            rest = np.delete(places, place)
            values = kernel.values(rest[rest < none].tolist(), moves)
            chance = np.exp(np.minimum(0, values - value) / temperature)
            for move in np.flatnonzero(generator.random(len(moves)) < chance)[:1]:
                places[place], value = moves[move], float(values[move])
                if value > best:
                    best = max(best, matrices.coverage(places[places < none].tolist()))
    return best


def exact(queries: int, seconds: float) -> Iterator[str]:
    """(4) 30 terms, 100 pairs, 5 terms: enumeration and the integer program."""
    yield "| simple rankers | problem | method | coverage | bound | status | seconds |"
    yield "|---|---|---|---|---|---|---|"
    for rankers in (1, 3):
        for name, matrices in problems(queries, pairs=100, rankers=rankers):
            small = PreferenceMatrices(TermScores(matrices.scores.values[:, :30]), matrices.pairs)
            found: dict[str, Selection] = {
                "exhaustive": solve(small, 5, method="exhaustive"),
                "auto": solve(small, 5),
                "ilp": solve(small, 5, method="ilp", time_limit=seconds),
                "ilp, 2 s": solve(small, 5, method="ilp", time_limit=2),
            }
            optimum = found["exhaustive"].coverage
            for method, one in found.items():
                valid = one.bound is not None and one.bound >= optimum >= one.coverage
                yield (
                    f"| {rankers} | {name} | {method} | {one.coverage:.2f} | {one.bound:.2f} "
                    f"{'valid' if valid else 'WRONG'} | {one.status} | {one.seconds:.2f} |"
                )
    yield ""


def report(queries: int, seconds: float) -> Iterator[str]:
    """The whole report, line by line."""
    yield "# Coverage solvers"
    yield ""
    yield (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, numpy {np.__version__}; {queries} problems of "
        f"100 documents and 200 candidate terms, {MAX_TERMS} terms chosen."
    )
    yield ""
    yield "## Against the papers' solver (500 random pairs)"
    yield ""
    for rankers in (3, 1):
        yield from against_slsqp(queries, rankers)
    yield "## Near the limit"
    yield ""
    for pairs in (500, None):
        yield from near_the_limit(queries, seconds, pairs)
    yield "## Exact where possible (30 terms, 100 pairs, at most 5 terms)"
    yield ""
    yield from exact(min(queries, 3), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--seconds", type=float, default=60.0, help="of annealing, and of the ILP")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    arguments = parser.parse_args()
    lines = []
    for line in report(arguments.queries, arguments.seconds):
        print(line, flush=True)
        lines.append(line)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
