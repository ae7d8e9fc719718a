"""Studies: memory while thousands of queries stream through, and what a second worker is worth."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from problems import write
from trec import DATA, machine

from intentx.study.plan import Data, Measures, Study
from intentx.study.results import read_results
from intentx.study.run import run_study

DOCUMENTS, WORDS, VOCABULARY = 20, 30, 5_000  # of a synthetic query, of a document, of all
EVERY = 100  # cells between two looks at the memory, at least


def synthetic(path: Path, queries: int) -> Path:
    """Topics with a recorded run that prefers some words of Zipf's distribution to others."""
    generator = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(VOCABULARY)])
    share = 1 / np.arange(1, VOCABULARY + 1)
    taste = generator.normal(size=VOCABULARY)
    with path.open("w", encoding="utf-8") as file:
        for number in range(queries):
            drawn = generator.choice(VOCABULARY, size=(DOCUMENTS, WORDS), p=share / share.sum())
            scores = taste[drawn].sum(axis=1) + generator.normal(size=DOCUMENTS)
            docs = [{"id": f"d{i}", "text": " ".join(words[one])} for i, one in enumerate(drawn)]
            run = {f"d{i}": float(score) for i, score in enumerate(scores)}
            query = " ".join(words[drawn[scores.argmax(), :3]])
            plain = {"qid": f"q{number}", "query": query, "docs": docs, "runs": {"synthetic": run}}
            file.write(json.dumps(plain) + "\n")
    return path


def plain_study(data: Data, rankers: dict[str, str], measures: Measures) -> Study:
    methods = {"QUERY-TERMS": "query-terms", "RANDOM": "random-terms", "GREEDY-LM": "greedy"}
    return Study(
        name="recorded",
        data=data,
        rankers=rankers,
        methods={name: {"method": method} for name, method in methods.items()},
        measures=measures,
    )


def megabytes() -> float:
    """What this process holds in memory now, on Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def streamed(folder: Path, queries: int) -> dict[str, Any]:
    """A study of synthetic recorded runs in this process, and its memory along the way."""
    topics = synthetic(folder / "topics.jsonl", queries)
    measures = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
    study = plain_study(Data(topics=str(topics)), {"run": "run:synthetic"}, measures)
    curve: list[tuple[int, float, float]] = []
    started = time.perf_counter()

    def look(cells: int, qid: str) -> None:
        if not curve or cells - curve[-1][0] >= EVERY:
            curve.append((cells, megabytes(), time.perf_counter() - started))

    outcome = run_study(study, folder / "out", progress=look)
    before = megabytes(), time.perf_counter() - started
    results = read_results([folder / "out"])
    return {
        "queries": len(results.topics),
        "cells": outcome.measured,
        "failed": outcome.failed,
        "curve": curve,
        "seconds": before[1],
        "report_megabytes": megabytes() - before[0],
        "report_seconds": time.perf_counter() - started - before[1],
        "file_megabytes": (folder / "out" / "study.sqlite").stat().st_size / 2**20,
        "topics_megabytes": topics.stat().st_size / 2**20,
    }


def worked(folder: Path, queries: int, workers: int) -> float:
    """Seconds of a study of recorded runs, where no model is asked."""
    data = Data(folder=str(DATA / "dl19"), pool="BM25", queries=queries)
    rankers = {"TAS-B": "run:D_BERT_KD_TASB", "RepLLaMA": "run:REP_LLAMA"}
    study = plain_study(data, rankers, Measures())
    started = time.perf_counter()
    run_study(study, folder / f"workers-{workers}-{time.time_ns()}", workers=workers)
    return time.perf_counter() - started


def draw(curve: list[tuple[int, float, float]], path: Path) -> None:
    """The memory by queries, as a picture."""
    from matplotlib.figure import Figure

    from intentx.report.pictures.style import FOR, INK, plain_style

    with plain_style():
        figure = Figure(figsize=(6, 3), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        queries = [cells / 3 for cells, _, _ in curve]
        axes.plot(queries, [memory for _, memory, _ in curve], color=FOR)
        axes.set_ylim(0, 1.1 * max(memory for _, memory, _ in curve))
        axes.set_xlabel("queries done", color=INK)
        axes.set_ylabel("memory of the process, MB", color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, dpi=160)


def report(queries: int, repeats: int, out: Path | None) -> Iterator[str]:
    """The two parts."""
    with tempfile.TemporaryDirectory() as name:
        code = [sys.executable, __file__, "--stream", name, "--queries", str(queries)]
        plain = subprocess.run(code, check=True, capture_output=True, text=True).stdout
        found = json.loads(plain.splitlines()[-1])
    curve = found["curve"]
    memory = np.array([one[1] for one in curve])
    tenth = max(1, len(curve) // 10)
    yield "# Studies: many queries, several workers\n"
    yield f"Machine: {machine()}.\n"
    yield (
        f"{found['queries']:,} synthetic queries with a recorded run of {DOCUMENTS} documents of "
        f"{WORDS} words each ({found['topics_megabytes']:.0f} MB of topics), by three methods, in one "
        f"process: {found['cells']:,} cells in {found['seconds']:.0f} s, {found['failed']} without "
        f"metrics, {found['file_megabytes']:.0f} MB of results.\n"
    )
    yield (
        f"Memory of the process: {np.median(memory[:tenth]):.0f} MB over the first tenth of the "
        f"queries, {np.median(memory[-tenth:]):.0f} MB over the last, {memory.max():.0f} MB at most. "
        f"Reading the results for the tables takes {found['report_megabytes']:.0f} MB more and "
        f"{found['report_seconds']:.0f} s.\n"
    )
    if out is not None:
        draw(curve, out / "studies_memory.png")
        yield "![memory by queries](studies_memory.png)\n"
    if not (DATA / "dl19").is_dir():
        return
    with tempfile.TemporaryDirectory() as name:
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(repeats):
            for workers, some in seconds.items():
                some.append(worked(Path(name), 43, workers))
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    yield "| | 1 worker | 2 workers | times as fast |\n|---|---|---|---|\n" + "\n".join(
        f"| run {i + 1} | {one:.1f} s | {two:.1f} s | {ratio:.2f} |"
        for i, (one, two, ratio) in enumerate(zip(seconds[1], seconds[2], ratios, strict=True))
    )
    yield (
        "\nTwo recorded runs of TREC DL'19, 43 queries, three methods with all measures, no model; the "
        "start of the processes is in it."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stream", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="folder for studies.md and its picture")
    options = parser.parse_args()
    if options.stream is not None:
        print(json.dumps(streamed(options.stream, options.queries)))
        return
    write(report(options.queries, options.repeats, options.out), options.out, "studies.md")


if __name__ == "__main__":
    main()
