"""Growth of selection from 50 to 1,000 documents: all pairs, three simple rankers, 500 candidates.

Each size runs in its own process, so that peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from problems import all_pairs, pooled_ranking, write
from selection import peak_megabytes
from trec import load, machine, minilm_vectors

from intentx.coverage import solve


def measure(documents: int, terms: int) -> dict[str, float]:
    """One problem: seconds for scores and matrices and for the selection, and peak memory."""
    ranking = pooled_ranking(documents)
    minilm_vectors()
    all_pairs(pooled_ranking(20), 15)  # imports and warm-up are not what is measured
    before = peak_megabytes()
    started = time.process_time()
    matrices = all_pairs(ranking, terms)
    built = time.process_time() - started
    started = time.process_time()
    selection = solve(matrices, 10)
    took = time.process_time() - started
    peak = peak_megabytes()
    return {
        "documents": documents,
        "terms": matrices.n_terms,
        "pairs": matrices.n_pairs,
        "built": built,
        "auto": took,
        "peak": peak,
        "above": peak - before,
        "coverage": selection.coverage,
        "greedy": solve(matrices, 10, method="greedy").coverage,
    }


def report(sizes: list[int], terms: int) -> Iterator[str]:
    """A table, one row per size."""
    yield "# Growth with the number of documents\n"
    yield (
        f"Passages of {load().name}, pooled over queries; all pairs, three simple rankers, {terms} "
        f"candidate terms, 10 chosen by `auto`. One thread, "
        f"processor time. Machine: {machine()}.\n"
    )
    yield (
        "| documents | terms | pairs | index, candidates, scores and matrices, s | `auto`, s | peak MB "
        "| above the collection and the imports, MB | coverage | greedy |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for size in sizes:
        command = [sys.executable, __file__, "--one", str(size), "--terms", str(terms)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        one = json.loads(done.stdout)
        yield (
            f"| {size:,} | {one['terms']} | {one['pairs']:,} | {one['built']:.2f} | {one['auto']:.2f} "
            f"| {one['peak']:.0f} | {one['above']:.0f} | {one['coverage']:.4f} | {one['greedy']:.4f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200, 400, 700, 1000])
    parser.add_argument("--terms", type=int, default=500)
    parser.add_argument("--out", type=Path, help="folder for scale.md")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.terms)))
        return
    write(report(options.sizes, options.terms), options.out, "scale.md")


if __name__ == "__main__":
    main()
