"""Growth of selection with the number of documents, all pairs, three simple rankers.

    python benchmarks/scale.py --out benchmarks/results/scale.md

Each size runs in its own process, so that peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from problems import problems

from intentx.coverage import solve


def peak() -> float:
    """Peak resident memory of this process in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def measure(documents: int, terms: int) -> dict[str, float | str]:
    """One problem: seconds for the matrices and for the selection, and peak memory."""
    for _ in problems(1, documents=20, terms=15):  # imports and warm-up are not what is measured
        pass
    before = peak()
    started = time.perf_counter()
    _, matrices = next(problems(1, documents=documents, terms=terms))
    built = time.perf_counter() - started
    selection = solve(matrices, 10)
    return {
        "documents": documents,
        "terms": terms,
        "pairs": matrices.n_pairs,
        "matrices": built,
        "solve": selection.seconds,
        "peak": peak(),
        "above": peak() - before,
        "coverage": selection.coverage,
        "greedy": solve(matrices, 10, method="greedy").coverage,
        "method": selection.method,
    }


def report(sizes: list[int], terms: int) -> Iterator[str]:
    """A table, one row per size."""
    yield "# Growth with the number of documents"
    yield ""
    yield (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, numpy {np.__version__}; all pairs, three simple "
        f"rankers, {terms} candidate terms, 10 chosen by `auto`."
    )
    yield ""
    yield "| documents | pairs | matrices, s | auto, s | peak MB | above import | coverage | greedy |"
    yield "|---|---|---|---|---|---|---|---|"
    for size in sizes:
        command = [sys.executable, __file__, "--one", str(size), "--terms", str(terms)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        one = json.loads(done.stdout)
        yield (
            f"| {size} | {one['pairs']:,} | {one['matrices']:.2f} | {one['solve']:.2f} "
            f"| {one['peak']:.0f} | {one['above']:.0f} | {one['coverage']:.4f} | {one['greedy']:.4f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200, 400, 700, 1000])
    parser.add_argument("--terms", type=int, default=500)
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.terms)))
        return
    lines = []
    for line in report(arguments.sizes, arguments.terms):
        print(line, flush=True)
        lines.append(line)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
