"""Verdicts on shuffled orders, on rankers of nothing, and on rankers that look for words: how often is
each level given, and by how much does held-out fidelity vary by chance?
"""

from __future__ import annotations

import argparse
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from problems import write
from trec import load, machine

import intentx as ix
from intentx.rankers import BM25, BiEncoder

NEURAL = "SPLADE_P_P_ENSEMBLE_DISTIL"
WHAT = {
    "shuffled": "orders of BM25's documents, shuffled",
    "recorded BM25": "BM25's recorded ranking",
    "recorded SPLADE++": "SPLADE++'s recorded ranking",
    "BM25": "BM25 as a scorer",
    "MiniLM": "MiniLM as a scorer",
    "random": "a scorer that looks for nothing",
    "length": "a scorer by length",
}


def rankings(name: str, kind: str, queries: int | None, depth: int) -> Iterator[ix.Ranking]:
    """The rankings of a kind, of each query's first ``depth`` documents."""
    collection = load(name)
    run = collection.runs[NEURAL if kind == "recorded SPLADE++" else "BM25"]
    minilm = BiEncoder.minilm() if kind == "MiniLM" else None
    for number, qid in enumerate([q for q in collection.queries if q in run][:queries]):
        scores = {doc_id: run[qid][doc_id] for doc_id in list(run[qid])[:depth]}
        query, texts = collection.queries[qid], {i: collection.texts[i] for i in scores}
        if kind == "shuffled":
            order = np.random.default_rng(number).permutation(list(scores)).tolist()
            scores = {doc_id: -float(place) for place, doc_id in enumerate(order)}
        if kind == "shuffled" or kind.startswith("recorded"):
            yield ix.Ranking.from_run(scores, query, texts)
        elif kind == "random":
            yield ix.rank(lambda q, some: [zlib.crc32(t.encode()) / 2**32 for t in some], query, texts)
        elif kind == "length":
            yield ix.rank(lambda q, some: [float(len(text)) for text in some], query, texts)
        else:
            yield ix.rank(minilm or BM25(list(texts.values())), query, texts)


def row(name: str, kind: str, queries: int | None, depth: int) -> str:
    """What comes of all rankings of a kind."""
    verdicts, spent = [], []
    for ranking in rankings(name, kind, queries, depth):
        started = time.process_time()
        found = ix.Multiplex().explain(ranking)
        between = time.process_time()
        verdicts.append(ix.verdict(found))
        spent.append((between - started, time.process_time() - between))
    heldout = np.array([one.heldout for one in verdicts])
    levels = Counter(one.level for one in verdicts)
    shares = " | ".join(f"{levels[level] / len(verdicts):.2f}" for level in ("holds", "weak", "chance"))
    means = [
        np.nanmean([getattr(one, part) for one in verdicts])
        for part in ("shuffled", "query_terms", "random_terms")
    ]
    seconds = " | ".join(f"{one:.2f}" for one in np.mean(spent, axis=0))
    numbers = " | ".join(
        [f"{heldout.mean():.3f} ± {heldout.std(ddof=1):.3f}", *map("{:.3f}".format, means)]
    )
    return f"| {WHAT[kind]} | {name} | {depth} | {len(verdicts)} | {numbers} | {shares} | {seconds} |"


def report(kinds: Sequence[tuple[str, str, int | None, int]]) -> Iterator[str]:
    yield "# Verdicts"
    yield ""
    yield (
        "Held-out fidelity: mean and standard deviation over queries of the verdict's `heldout`; the "
        "same method on shuffled orders, query terms, random terms; share of the queries with each "
        f"level; seconds of one core for the explanation, and for the verdict. Machine: {machine()}."
    )
    yield ""
    yield (
        "| ranking | collection | documents | queries | held out | shuffled | query terms | random "
        "| holds | weak | chance | explanation, s | verdict, s |"
    )
    yield "|" + "---|" * 13
    for kind in kinds:
        yield row(*kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--queries", type=int, help="of each row, at most")
    parser.add_argument("--collections", nargs="+", default=["dl21", "dl22", "dl19"])
    parser.add_argument("--kinds", nargs="+", default=list(WHAT))
    parser.add_argument("--depths", nargs="+", type=int, default=[100])
    options = parser.parse_args()
    warnings.simplefilter("ignore", ix.errors.TextWarning)
    kinds = [
        (name, kind, options.queries, depth)
        for kind in options.kinds
        for name in options.collections
        for depth in options.depths
    ]
    write(report(kinds), options.out, "verdicts.md")


if __name__ == "__main__":
    main()
