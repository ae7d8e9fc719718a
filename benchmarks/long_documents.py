# mypy: ignore-errors
"""What it costs to explain a document of 40,000 words by versions of it: processor time and memory.

    python benchmarks/long_documents.py > benchmarks/results/long_documents.md

Each row is a process of its own. The last column is the time over that of a document of 2,000 words in
the same run: it tells whether the cost is bounded, on a busy machine as well.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

import intentx as ix

METHODS = {
    "EXS": lambda: ix.EXS(k=3),
    "LIRME": ix.LIRME,
    "LIRME, uniform": lambda: ix.LIRME(sampler="uniform"),
    "KernelSHAP": ix.KernelSHAP,
}
SHAPES = {"2,000 words": (2_000, 600), "40,000 words": (40_000, 3_000), "all distinct": (40_000, 40_000)}


def main() -> None:
    """Print the table, or with arguments measure one row of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method")
    parser.add_argument("--shape")
    options = parser.parse_args()
    if options.method:
        print(*measured(options.method, options.shape))
        return
    print("| method | document | processor, s | peak memory, MB | against 2,000 words |")
    print("|---|---|---|---|---|")
    for method in METHODS:
        short = 0.0
        for shape in SHAPES:
            command = [sys.executable, __file__, "--method", method, "--shape", shape]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, memory = map(float, done.stdout.split())
            short = short or seconds
            print(f"| {method} | {shape} | {seconds:.1f} | {memory:.0f} | {seconds / short:.1f}× |")


def measured(method: str, shape: str) -> tuple[float, float]:
    """Seconds of processor time and the process's largest memory in MB."""
    number, distinct = SHAPES[shape]
    drawn = np.random.default_rng(0).integers(distinct, size=number)
    text = " ".join(f"w{i}" for i in drawn)
    scores = ix.rank(
        lambda query, texts: [t.count("w7 ") - 0.5 * t.count("w13 ") for t in texts],
        "q",
        [text, "w7 w8 short", "w13 other", "w7"],
    )
    started = time.process_time()
    METHODS[method]().explain(scores, "0")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return time.process_time() - started, peak


if __name__ == "__main__":
    main()
