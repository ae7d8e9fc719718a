"""Coverage solvers: speed against the papers' solver, distance from the limit, exactness."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from problems import problems, write
from scipy.optimize import minimize
from trec import load, machine

from intentx.coverage import Method, Selection, solve
from intentx.coverage.kernel import Kernel
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.coverage.relaxed import Relaxation, relaxed, top_terms
from intentx.preferences import PreferenceMatrices, TermScores

Floats = npt.NDArray[np.float64]

MAX_TERMS = 10
METHODS: tuple[Method, ...] = ("greedy", "descent", "tanh", "anneal", "auto")


def published_gpc(matrices: PreferenceMatrices, by_formula: bool) -> tuple[Floats, float]:
    """GPC by SLSQP as in the papers: unscaled matrices, 2 <= sum(x) <= 10. Returns x and seconds.

    Written as a paper's implementation would be, on dense matrices and with SciPy's own finite
    differences; or with our gradient by formula through the documents.
    """
    values, pairs = matrices.scores.values, matrices.pairs
    terms = matrices.n_terms
    views = [one[:, pairs.high] - one[:, pairs.low] for one in values]

    def cost(x: Floats) -> float:
        vote = sum(np.tanh(x @ view) for view in views)
        return float(np.abs(x).sum() - np.tanh(vote).sum())

    chosen: Callable[[Floats], object] = cost
    if by_formula:
        chosen = Relaxation(values, pairs.high, pairs.low, np.ones(len(pairs)), 1.0)
    started = time.perf_counter()
    found = minimize(  # type: ignore[call-overload]  # jac=True is not in the stubs for callables
        chosen,
        np.full(terms, MAX_TERMS / terms / 2),
        jac=by_formula or None,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * terms,
        constraints=[
            {"type": "ineq", "fun": lambda x: x.sum() - 2},
            {"type": "ineq", "fun": lambda x: MAX_TERMS - x.sum()},
        ],
        options={"maxiter": 1000},
    )
    return np.clip(found.x, 0.0, 1.0), time.perf_counter() - started


def against_slsqp(queries: int, rankers: int) -> Iterator[str]:
    """(2) Same matrices: each method against the papers' GPC."""
    theirs, ours = [], []
    for _, matrices in problems(queries, pairs=500, rankers=rankers):
        solve(matrices, MAX_TERMS, method="greedy")  # warm-up
        x, plain = published_gpc(matrices, by_formula=False)
        by_formula = published_gpc(matrices, by_formula=True)[1]
        ten = np.argsort(-x, kind="stable")[:MAX_TERMS].tolist()
        theirs.append((plain, by_formula, matrices.coverage(top_terms(x)), matrices.coverage(ten)))
        found = [solve(matrices, MAX_TERMS, method=method) for method in METHODS]
        ours.append([(one.seconds, one.coverage) for one in found])
    baseline, measured = np.array(theirs), np.array(ours)
    plain, by_formula, papers, ten = baseline.T
    yield f"### {rankers} simple ranker{'s' if rankers > 1 else ''}\n"
    yield (
        f"GPC by SLSQP: {np.median(plain):.2f} s (median), {np.median(by_formula):.2f} s with our "
        f"gradient by formula; coverage {papers.mean():.3f} with the papers' rounding (x > 0.5, 4 to "
        f"10 terms), {ten.mean():.3f} with the ten largest x.\n"
    )
    yield (
        "| method | seconds, median | times faster, median | than SLSQP with our gradient | coverage, "
        "mean | as high as the papers' | as high as the ten largest x |"
    )
    yield "|---|---|---|---|---|---|---|"
    for method, (seconds, coverage) in zip(METHODS, measured.transpose(1, 2, 0), strict=True):
        yield (
            f"| `{method}` | {np.median(seconds):.4f} | {np.median(plain / seconds):.0f} "
            f"| {np.median(by_formula / seconds):.0f} | {coverage.mean():.3f} "
            f"| {(coverage >= papers).mean():.0%} | {(coverage >= ten).mean():.0%} |"
        )
    yield ""


def exact(queries: int, seconds: float) -> Iterator[str]:
    """(4) 30 terms, 100 pairs, 5 terms: enumeration and the integer program."""
    yield "| simple rankers | query | method | coverage | bound | bound is valid | status | seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    for rankers in (1, 3):
        for name, matrices in problems(queries, pairs=100, rankers=rankers):
            small = PreferenceMatrices(TermScores(matrices.scores.values[:, :30]), matrices.pairs)
            found: dict[str, Selection] = {
                "`auto`": solve(small, 5),
                f"`ilp`, {seconds:g} s": solve(small, 5, method="ilp", time_limit=seconds),
                "`ilp`, 2 s": solve(small, 5, method="ilp", time_limit=2),
            }
            optimum = solve(small, 5, method="exhaustive").coverage
            for method, one in found.items():
                valid = one.bound is not None and one.bound >= optimum >= one.coverage
                yield (
                    f"| {rankers} | {name} | {method} | {one.coverage:.2f} | {one.bound:.2f} "
                    f"| {'yes' if valid else 'NO'} | {one.status} | {one.seconds:.2f} |"
                )
    yield ""


def near_the_limit(queries: int, seconds: float, pairs: int | None) -> Iterator[str]:
    """(3) ``auto`` against a long simulated annealing, greedy, and tanh with plain rounding."""
    yield f"### {pairs or 'all'} pairs, {seconds:g} s of annealing\n"
    yield "| query | `auto` | annealing | greedy | tanh, ten largest x | `auto`, s |"
    yield "|---|---|---|---|---|---|"
    rows = []
    for name, matrices in problems(queries, pairs=pairs):
        ours = solve(matrices, MAX_TERMS)
        greedy = solve(matrices, MAX_TERMS, method="greedy").coverage
        plain = plain_rounding(matrices)
        row = (ours.coverage, annealing(matrices, seconds), greedy, plain, ours.seconds)
        rows.append(row)
        yield f"| {name} | " + " | ".join(f"{number:.4f}" for number in row) + " |"
    auto, limit, greedy, plain, took = np.array(rows).T
    share = auto / limit
    yield ""
    yield (
        f"`auto` reaches {share.mean():.2%} of what annealing finds, mean ({share.min():.2%} at worst; "
        f"at least as much on {(share >= 1).mean():.0%} of the queries), in {np.median(took):.2f} s "
        f"(median). Below greedy {(auto < greedy).sum()} times, below tanh with plain rounding "
        f"{(auto < plain).sum()} times.\n"
    )


def plain_rounding(matrices: PreferenceMatrices) -> float:
    """Coverage of the relaxation's first local optimum, rounded to its ten largest."""
    return matrices.coverage(relaxed(Problem(Objective(matrices), 1, MAX_TERMS))[0])


def annealing(matrices: PreferenceMatrices, seconds: float, batch: int = 8) -> float:
    """Best coverage found by plain simulated annealing over swaps, restarted every ten seconds.

    Seconds of processor time, so that a busy machine does not make it weaker.
    """
    kernel = Kernel(Objective(matrices))
    none = matrices.n_terms
    restarts = max(1, round(seconds / 10))
    best = 0.0
    for restart in range(restarts):
        generator = np.random.default_rng(restart)
        places = generator.choice(none, size=MAX_TERMS, replace=False)
        value = float(kernel.values(places.tolist(), np.array([none]))[0])
        started, limit = time.process_time(), seconds / restarts
        while (done := (time.process_time() - started) / limit) < 1:
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


def report(queries: int, near: int, seconds: float) -> Iterator[str]:
    """The whole report, line by line."""
    yield "# Coverage solvers\n"
    yield (
        f"{queries} queries of {load().name}; 100 documents, 200 candidate terms, at most {MAX_TERMS} "
        f"chosen. One thread. Machine: {machine()}.\n"
    )
    yield "## Against the papers' solver, 500 random pairs\n"
    for rankers in (3, 1):
        yield from against_slsqp(queries, rankers)
    yield "## Exact where possible: 30 terms, 100 pairs, at most 5 terms\n"
    yield from exact(min(queries, 3), seconds)
    yield "## Near the limit\n"
    yield from near_the_limit(near, seconds, 500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--near", type=int, default=43, help="queries for the minute of annealing")
    parser.add_argument("--seconds", type=float, default=60.0, help="of annealing, and of the ILP")
    parser.add_argument("--out", type=Path, help="folder for solvers.md")
    options = parser.parse_args()
    write(report(options.queries, options.near, options.seconds), options.out, "solvers.md")


if __name__ == "__main__":
    main()
