"""Processor time of explanations against another checkout, and what they cover: one run, in turns.

Give it the folder of the other checkout: ``python before_after.py --before ../../earlier``. Both
versions explain the same recorded rankings, each in a process of its own, ranking by ranking one after
the other, so that what else the machine does slows both; the least of several times counts.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from intentx import Ranking
    from intentx.datasets import Collection

HERE = Path(__file__).resolve().parents[1]


def worker(repeats: int) -> None:
    """Answer requests, a line of JSON each, with processor seconds, coverage and unseen fidelity."""
    import intentx as ix
    from intentx.datasets import read_collection

    collections: dict[str, Collection] = {}
    for line in sys.stdin:
        ask = json.loads(line)
        if ask["folder"] not in collections:
            collections[ask["folder"]] = read_collection(ask["folder"])
        ranking = _ranking(collections[ask["folder"]], ask)
        method = ix.Multiplex(generality=ask["generality"])
        times = []
        for _ in range(repeats):
            started = time.process_time()
            explanation = method.explain(ranking)
            times.append(time.process_time() - started)
        answer = {"seconds": min(times), "coverage": explanation.coverage, "terms": explanation.terms}
        if ask["unseen"]:
            answer["unseen"] = ix.heldout_fidelity(method, ranking, repeats=2).mean
        print(json.dumps(answer), flush=True)


def _ranking(collection: Collection, ask: dict[str, Any]) -> Ranking:
    """One query's ranking, or the documents of several queries, each with its own query's score."""
    import intentx as ix

    runs = collection.runs[ask["system"]]
    if not ask["documents"]:
        return collection.ranking(ask["system"], ask["qid"])
    run: dict[str, float] = {}
    for qid in sorted(runs):
        for doc_id, score in runs[qid].items():
            if len(run) < int(ask["documents"]):
                run.setdefault(doc_id, score)
    texts = collection.texts
    query = collection.queries[ask["qid"]]
    return ix.Ranking.from_run(run, query, {doc_id: texts[doc_id] for doc_id in run})


@dataclasses.dataclass
class Version:
    """A checkout, and the process that works with it."""

    folder: Path
    process: subprocess.Popen[str]

    @classmethod
    def started(cls, folder: Path, repeats: int) -> Version:
        command = [sys.executable, __file__, "--worker", "--repeats", str(repeats)]
        environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        return cls(folder, process)

    def ask(self, question: dict[str, object]) -> dict[str, object]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


def compared(
    versions: list[Version], questions: list[dict[str, object]]
) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Answers of both versions to each question."""
    for question in questions:
        before, after = (version.ask(question) for version in versions)
        print(question["qid"], before["seconds"], after["seconds"], file=sys.stderr, flush=True)
        yield before, after


def row(name: str, answers: list[tuple[dict[str, object], dict[str, object]]]) -> str:
    """A row of the table."""
    seconds, coverage = (
        np.array([[one[key] for one in pair] for pair in answers], dtype=float)
        for key in ("seconds", "coverage")
    )
    ratio = seconds[:, 1] / seconds[:, 0]
    same = np.mean([before["terms"] == after["terms"] for before, after in answers])
    cells = [
        name,
        str(len(answers)),
        f"{np.median(seconds[:, 0]):.2f}",
        f"{np.median(seconds[:, 1]):.2f}",
        f"{np.median(ratio):.2f}",
        f"{coverage[:, 0].mean():.4f}",
        f"{coverage[:, 1].mean():.4f}",
    ]
    if "unseen" in answers[0][0]:
        unseen = np.array([[float(str(one["unseen"])) for one in pair] for pair in answers])
        cells += [f"{unseen[:, 0].mean():.4f}", f"{unseen[:, 1].mean():.4f}"]
    else:
        cells += ["–", "–"]
    return f"| {' | '.join([*cells, f'{same:.0%}'])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="folder of the other checkout")
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3, help="times each, of which the least counts")
    parser.add_argument("--unseen", action="store_true", help="measure unseen documents, too: slow")
    parser.add_argument("--sets", nargs="+", default=["dl21", "dl22"])
    parser.add_argument("--documents", type=int, nargs="*", default=[0, 1000])
    parser.add_argument("--out", type=Path, help="folder for before_after.md")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.repeats)
        return
    from problems import write
    from trec import DATA, machine

    from intentx.datasets import read_collection

    def report() -> Iterator[str]:
        yield "# Processor time of an explanation, before and after\n"
        yield (
            "`Multiplex` on recorded rankings, no scorer, one thread; both versions in turns, the least "
            f"of {options.repeats} times each, medians over rankings. Machine: {machine()}.\n"
        )
        heads = ["rankings", "number", "before, s", "after, s", "ratio", "coverage before", "after"]
        heads += ["unseen before", "after", "same terms"]
        yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}"
        versions = [Version.started(one, options.repeats) for one in (options.before, HERE)]
        for name in options.sets:
            collection = read_collection(DATA / name)
            for system in ("SPLADE_P_P_ENSEMBLE_DISTIL", "BM25_RM3"):
                for documents in options.documents:
                    for generality in (0.5, 0.0):
                        qids = sorted(collection.queries)[: 1 if documents else options.queries]
                        ask: dict[str, object] = {
                            "folder": str(DATA / name),
                            "system": system,
                            "generality": generality,
                        }
                        ask |= {"documents": documents, "unseen": options.unseen and not documents}
                        answers = [*compared(versions, [ask | {"qid": qid} for qid in qids])]
                        size = documents or 100
                        yield row(f"{name}, {system}, {size}, generality {generality:g}", answers)

    write(report(), options.out, "before_after.md")


if __name__ == "__main__":
    main()
