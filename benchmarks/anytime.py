"""How soon the first three words are right: precision against time, for each method.

Passages of TREC DL'19 of about 80 words, each the first or a later one of a ranker's order. The order
that counts is that of the method itself from many more versions, for KernelSHAP an estimate of the exact
values by 1,500 of them; DeepLIFT asks for no versions, and is held against KernelSHAP's. The seconds of
a number of versions are that number times the time of one version of the passage, and the time
of the method itself. Rows are kept in a file, so that a run can be continued.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from problems import write
from shapley_games import passages as cut_passages
from train_rankers import CROSS_ENCODER
from trec import card, clock, load, machine

import intentx as ix
from intentx.explainers.document import anytime
from intentx.rankers import BiEncoder, CrossEncoder

RANKERS: dict[str, Callable[[str], Any]] = {
    "MiniLM, bi-encoder": lambda device: BiEncoder.minilm(device=device),
    "cross-encoder": lambda device: CrossEncoder(CROSS_ENCODER, device=device),
}
VERSIONS = (16, 48, 144, 432)
MOST = 1500  # whose order counts
KINDS: dict[str, Any] = {"KernelSHAP": ix.KernelSHAP, "EXS": ix.EXS, "LIRME": ix.LIRME}
LONG = (72, 88)  # words of a passage
CANDIDATES = 20
FOREVER = 1e6  # seconds, so that methods say how sure they are
anytime.FIRST = 10**9  # and ask about all versions in one block


class Timed:
    """A ranker whose time and texts are counted."""

    def __init__(self, ranker: Any, device: str) -> None:
        self.ranker, self.device, self.seconds, self.texts = ranker, device, 0.0, 0

    def __call__(self, query: str, texts: Sequence[str]) -> Any:
        started = clock(self.device)
        scores = self.ranker(query, texts)
        self.seconds += clock(self.device) - started
        self.texts += len(texts)
        return scores

    def seen(self, query: str, texts: Sequence[str]) -> Any:
        return self.ranker.seen(query, texts)


def passages(number: int) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Query id, query, candidates, and the first of these that is about 80 words long, by query."""
    collection = load()
    for qid in sorted(collection.run("BM25")):
        pool = dict(list(collection.pool("BM25", qid).items())[:CANDIDATES])
        fit = [doc for doc, text in pool.items() if LONG[0] <= len(text.split()) <= LONG[1]]
        if fit and number:
            number -= 1
            yield qid, collection.queries[qid], pool, fit[0]


def precision(found: Any, truth: Any) -> float:
    """Share of the first three words of ``truth`` that are the first three."""
    first = [set(sorted(one.terms, key=_by_size(one))[: anytime.WORDS]) for one in (found, truth)]
    return len(first[0] & first[1]) / anytime.WORDS


def _by_size(one: Any) -> Any:
    sizes = {term: -abs(weight) for term, weight in zip(one.terms, one.weights, strict=True)}
    return lambda term: (sizes[term], term)


def measured(
    name: str, kind: str, qid: str, passage: tuple[str, dict[str, str], str], device: str
) -> Any:
    """Rows of one passage and method: for each number of versions seconds, precision and stability."""
    query, pool, doc = passage
    timed = Timed(RANKERS[name](device), device)
    ranking = ix.rank(timed, query, pool, truncated="cut")
    timed.seconds, timed.texts = 0.0, 0
    found, own = {}, {}
    for number in (*VERSIONS, MOST):
        inside, started = timed.seconds, clock(device)
        more = {"k": len(pool)} if kind == "EXS" else {}
        found[number] = KINDS[kind](samples=number, seconds=FOREVER, **more).explain(ranking, doc)
        own[number] = clock(device) - started - (timed.seconds - inside)
    row = {"ranker": name, "qid": qid, "method": kind, "on": card(device)}
    for number in VERSIONS:
        yield row | {
            "versions": number, "seconds": number * timed.seconds / timed.texts + own[number],
            "precision": precision(found[number], found[MOST]),
            "stability": found[number].metrics["stability"],
        }  # fmt: skip
    if kind == "KernelSHAP":
        ranking = ix.rank(timed.ranker, query, pool, truncated="cut")
        ix.DeepLIFT().explain(ranking, doc)  # what is loaded once is not what is measured
        started = clock(device)
        deep = ix.DeepLIFT().explain(ranking, doc)
        spent = clock(device) - started
        yield row | {
            "method": "DeepLIFT", "versions": 0, "seconds": spent,
            "precision": precision(deep, found[MOST]), "stability": None,
        }  # fmt: skip


class Table:
    """A ranker of one passage whose words are w0, w1 …, by the scores of all its versions."""

    def __init__(self, passage: Any) -> None:
        self.passage = passage
        self.text = " ".join(f"w{i}" for i in range(passage.players))

    def __call__(self, query: str, texts: Sequence[str]) -> Any:
        held = [set(text.split()) for text in texts]
        kept = [[f"w{i}" in words for i in range(self.passage.players)] for words in held]
        return self.passage(np.array(kept))


def against_exact(number: int, seeds: int) -> Iterator[dict[str, Any]]:
    """Rows as of `measured`, of passages of 14 words of which every version is known."""
    for passage in cut_passages(number):
        ranker = Table(passage)
        ranking = ix.rank(ranker, "tea", [ranker.text, "w0", "w1 w2 w3", "w4 w5 w6 w7 w8"])
        doc = ranking.position("0")
        exact = passage.exact()
        shapley = {f"w{i}": value for i, value in enumerate(exact.tolist())}
        for kind, make in KINDS.items():
            more = {"labels": "score", "k": 4} if kind == "EXS" else {}
            whole = make(samples=2**passage.players, **more).explain(ranking, doc)
            for seed in range(seeds):
                for versions in VERSIONS:
                    one = make(samples=versions, seconds=FOREVER, seed=seed, **more)
                    found = one.explain(ranking, doc)
                    first = set(sorted(shapley, key=lambda word: -abs(shapley[word]))[:3])
                    own = set(sorted(found.terms, key=_by_size(found))[:3])
                    right = len(first & own) / 3 if kind == "KernelSHAP" else precision(found, whole)
                    yield {
                        "ranker": f"MiniLM, {passage.players} words", "qid": passage.name,
                        "method": kind, "versions": versions, "seconds": None, "precision": right,
                        "stability": found.metrics["stability"], "on": card("cpu"),
                    }  # fmt: skip


def report(rows: Sequence[dict[str, Any]], device: str) -> Iterator[str]:
    """The lines of the page."""
    yield "# Precision of the first three words against seconds\n"
    yield (
        f"{load().name}, passages of {LONG[0]} to {LONG[1]} words; `python anytime.py --kept rows.jsonl "
        "--out results`. Precision: share of the first three words (the largest by size) that are the "
        f"first three of the same method with {MOST:,} versions; of DeepLIFT, the first three of "
        "KernelSHAP with these. Of passages cut to 14 words, every version is known (seeds 0 to 2): "
        "KernelSHAP is held against the exact Shapley values, EXS and LIRME against themselves with all "
        "16,384 versions. Stability: what the method itself "
        "says, with `seconds` or `stability`, of how sure they are. Seconds, mean: of the processor, "
        "one thread, or of a GPU those that pass; "
        "versions times the time of one, measured in the same run, and the method's own. Mean over "
        "passages and seeds, standard error of the precision as if all were independent. "
        f"Machine: {machine(device)}, torch {torch.__version__}.\n"
    )
    yield "| ranker | on | passages | method | versions | seconds | precision | its own stability |"
    yield "|---|---|---:|---|---:|---:|---:|---:|"
    groups: dict[tuple[str, str, str, int], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["ranker"], row["on"], row["method"], row["versions"]), []).append(row)
    for (name, on, method, versions), some in groups.items():
        right = np.array([row["precision"] for row in some])
        spread = f" ± {right.std(ddof=1) / np.sqrt(len(right)):.2f}" if len(right) > 1 else ""
        sure = [row["stability"] for row in some if row["stability"] is not None]
        yield (
            f"| {name} | {on} | {len({row['qid'] for row in some})} | {method} | {versions or '–'} | "
            f"{_seconds(some)} | {right.mean():.2f}{spread} | "
            f"{f'{np.mean(sure):.2f}' if sure else '–'} |"
        )


def _seconds(rows: Sequence[dict[str, Any]]) -> str:
    known = [row["seconds"] for row in rows if row["seconds"] is not None]
    return f"{np.mean(known):.2f}" if known else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10)
    parser.add_argument("--ranker", choices=RANKERS, default=next(iter(RANKERS)))
    parser.add_argument("--device", default="cpu", help="as torch names it, such as cuda")
    parser.add_argument("--methods", nargs="+", choices=KINDS, default=[*KINDS])
    parser.add_argument("--exact", type=int, default=0, help="passages of 14 words, all versions known")
    parser.add_argument("--kept", type=Path, required=True, help="a file of rows: measured ones stay")
    parser.add_argument("--out", type=Path, help="folder for anytime.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    rows = []
    if options.kept.exists():
        rows = [json.loads(line) for line in options.kept.read_text("utf-8").splitlines()]
    on = card(options.device)
    done = {(row["ranker"], row["on"], row["qid"], row["method"]) for row in rows}
    for qid, query, pool, doc in passages(options.passages):
        for kind in options.methods:
            if (options.ranker, on, qid, kind) in done:
                continue
            new = [*measured(options.ranker, kind, qid, (query, pool, doc), options.device)]
            rows += new
            with options.kept.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(row) + "\n" for row in new))
    if options.exact and not any(row["seconds"] is None for row in rows):
        new = [*against_exact(options.exact, 3)]
        rows += new
        with options.kept.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(row) + "\n" for row in new))
    write(report(rows, options.device), options.out, "anytime.md")


if __name__ == "__main__":
    main()
