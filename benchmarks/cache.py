"""Scores remembered on disk: a second explanation, in a fresh process, asks the model nothing."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from problems import write
from trec import load, machine

import intentx as ix
from intentx.rankers import BiEncoder
from intentx.score_cache import ScoreFile

BATCHES = 100  # of 256 texts each, for the cost of one text


def explained(queries: int, cache: Path) -> dict[str, list[float]]:
    """One process: rank and explain each query, and count what the model was asked."""
    collection = load()
    source = "BM25" if "BM25" in collection.runs else "generated"
    encoder = BiEncoder.minilm()
    encoder("warm", ["up"])
    rows: dict[str, list[float]] = {}
    for qid in sorted(collection.queries)[:queries]:
        started = time.perf_counter()
        docs = collection.pool(source, qid)
        ranking = ix.rank(encoder, collection.queries[qid], docs, cache=cache)
        explanation = ix.Multiplex(seed=0).explain(ranking)
        box = ranking.black_box("the benchmark")
        row = {
            "seconds": time.perf_counter() - started,
            "model seconds": box.seconds,
            "calls": box.calls,
            "scored": box.texts_scored,
            "found": box.texts_found,
            "known": box.texts_known,
            "model_calls": explanation.model_calls,
            "fidelity": explanation.fidelity.all,
        }
        for name, value in row.items():
            rows.setdefault(name, []).append(value)
    return rows


def microseconds_per_text(folder: Path) -> dict[str, float]:
    """Median cost of one text of a batch of 256, in a file that grows to 25,600 scores."""
    collection = load()
    texts = list(collection.texts.values())
    texts = [f"{texts[i % len(texts)]} {i}" for i in range(BATCHES * 256)]
    file = ScoreFile(folder / "overhead.sqlite", "no ranker at all")
    seconds: dict[str, list[float]] = {"looking in vain": [], "keeping": [], "finding": []}
    for step, names in (("new", ("looking in vain", "keeping")), ("old", ("finding",))):
        for start in range(0, len(texts), 256):
            batch = texts[start : start + 256]
            lap = time.perf_counter()
            found = file.find("a query", batch)
            seconds[names[0]].append(time.perf_counter() - lap)
            if step == "new":
                lap = time.perf_counter()
                file.keep("a query", batch, [0.5] * len(batch))
                seconds["keeping"].append(time.perf_counter() - lap)
            elif None in found:
                raise RuntimeError("scores were lost")
    file.close()
    size = file.path.stat().st_size / len(texts)
    return {name: float(np.median(s)) / 256 * 1e6 for name, s in seconds.items()} | {"bytes": size}


def report(queries: int) -> Iterator[str]:
    """The two processes beside each other, then the cost of a text."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = []
        for _ in range(2):
            started = time.perf_counter()
            command = [sys.executable, __file__, "--one", str(folder / "scores.sqlite")]
            command += ["--queries", str(queries)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append(json.loads(done.stdout) | {"process": [time.perf_counter() - started]})
        first, second = runs
        cost = microseconds_per_text(folder)
    yield "# Scores remembered on disk\n"
    yield (
        f"MiniLM on {queries} queries of {load().name}, 100 documents each, `ix.rank(…, cache=…)` and "
        "`ix.Multiplex(seed=0)` with its edited documents; then the same in a fresh process with the "
        f"same file. Machine: {machine()}.\n"
    )
    yield "| | first process | second process |"
    yield "|---|---|---|"
    for label, key, how in (
        ("calls of the model", "calls", np.sum),
        ("texts it scored", "scored", np.sum),
        ("texts found on disk", "found", np.sum),
        ("texts found in memory", "known", np.sum),
        ("`model_calls` of the explanations", "model_calls", np.sum),
    ):
        yield f"| {label} | {how(first[key]):,.0f} | {how(second[key]):,.0f} |"
    for label, key in (("seconds per query, median", "seconds"), ("seconds of the process", "process")):
        yield f"| {label} | {np.median(first[key]):.2f} | {np.median(second[key]):.2f} |"
    same = "the same" if first["fidelity"] == second["fidelity"] else "NOT THE SAME"
    yield f"\nThe fidelities of the two processes are {same} to the last bit.\n"
    yield "| cost of one text, in batches of 256 | µs |"
    yield "|---|---|"
    for label in ("looking in vain", "keeping", "finding"):
        yield f"| {label} | {cost[label]:.1f} |"
    model = np.sum(first["model seconds"]) / np.sum(first["scored"])
    yield (
        f"\nA score takes {cost['bytes']:.0f} bytes of disk. Scoring a text takes the model "
        f"{model * 1e6:,.0f} µs in the first process."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder for cache.md")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(explained(options.queries, options.one)))
        return
    write(report(options.queries), options.out, "cache.md")


if __name__ == "__main__":
    main()
