"""The five references of DeepSHAP: how far they agree with each other, and which is right by deletion.

For the first documents of a ranker's own order of BM25's first hundred, each is explained with every
reference. Agreement: `ix.agreement` of the first ten words. Deletion: places lost without the first 1 to
10 words (`ix.faithfulness`), beside the same words of the other references and random ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np
from fidelity import interval
from train_rankers import CROSS_ENCODER
from trec import load, machine

import intentx as ix
from intentx.rankers import BiEncoder, CrossEncoder

REFERENCES = ("oov", "idf", "ql", "collection", "topk")
SYSTEMS: dict[str, Callable[[], Any]] = {
    "MiniLM": BiEncoder.minilm,
    "cross-encoder": lambda: CrossEncoder(CROSS_ENCODER, raw=True),
}
Rows = list[list[dict[str, Any]]]  # queries, documents


def measure(system: str, queries: int, top: int) -> Iterator[Rows]:
    """After each query, all so far."""
    collection, scorer = load(), SYSTEMS[system]()
    rows: Rows = []
    for number, qid in enumerate(sorted(collection.queries)[:queries], start=1):
        query = collection.queries[qid]
        ranking = ix.rank(scorer, query, collection.pool("BM25", qid), truncated="warn")
        rows.append([_document(ranking, place) for place in range(top)])
        print(f"{system}: {number} of {queries}", file=sys.stderr, flush=True)
        yield rows


def _document(ranking: ix.Ranking, place: int) -> dict[str, Any]:
    found = [ix.DeepSHAP(reference=cast("Any", name)).explain(ranking, place) for name in REFERENCES]
    judged = [ix.faithfulness(one, draws=2) for one in found]
    pairs = combinations(range(len(REFERENCES)), 2)
    agreements = {
        f"{REFERENCES[a]} {REFERENCES[b]}": ix.agreement([found[a], found[b]]) for a, b in pairs
    }
    return {
        "falls": {name: one.falls for name, one in zip(REFERENCES, judged, strict=True)},
        "loses": {name: one.loses for name, one in zip(REFERENCES, judged, strict=True)},
        "random falls": judged[0].random_falls,
        "random loses": judged[0].random_loses,
        "rbo": {pair: one.rbo for pair, one in agreements.items()},
        "jaccard": {pair: one.jaccard for pair, one in agreements.items()},
    }


def means(rows: Rows, key: str, name: str = "") -> list[float]:
    """The mean over documents, for each query."""
    return [float(np.mean([one[key][name] if name else one[key] for one in query])) for query in rows]


def tables(rows: Rows) -> str:
    """Both tables in Markdown."""
    lines = ["| RBO / Jaccard | " + " | ".join(REFERENCES[1:]) + " |", "|---" * len(REFERENCES) + "|"]
    for place, one in enumerate(REFERENCES[:-1]):
        cells = [
            f"{np.mean(means(rows, 'rbo', f'{one} {other}')):.2f} / "
            f"{np.mean(means(rows, 'jaccard', f'{one} {other}')):.2f}"
            if REFERENCES.index(other) > place
            else ""
            for other in REFERENCES[1:]
        ]
        lines.append(f"| {one} | {' | '.join(cells)} |")
    lines += [
        "",
        "| reference | places lost without its words | less than the best, ± standard error | places "
        "lost with only them |",
        "|---|---|---|---|",
    ]
    falls = {name: np.array(means(rows, "falls", name)) for name in REFERENCES}
    best = max(falls, key=lambda name: falls[name].mean())
    for name in REFERENCES:
        gap = falls[best] - falls[name]
        error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.nan
        less = "the best" if name == best else f"{gap.mean():.2f} ± {error:.2f}"
        loses = interval(means(rows, "loses", name), 2)
        lines.append(f"| {name} | {interval(falls[name], 2)} | {less} | {loses} |")
    at_random = [interval(means(rows, f"random {key}"), 2) for key in ("falls", "loses")]
    lines.append(f"| random words | {at_random[0]} | | {at_random[1]} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--top", type=int, default=3, help="documents of each query")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--out", type=Path, help="folder for references.md and references.json")
    options = parser.parse_args()
    done: dict[str, Rows] = {}
    for system in options.systems:
        for rows in measure(system, options.queries, options.top):
            done[system] = rows
            write(done, options)  # so that a run cut short has what it measured
        print(f"## {system}\n\n{tables(done[system])}", flush=True)


def write(done: Mapping[str, Rows], options: argparse.Namespace) -> None:
    if not options.out:
        return
    head = (
        f"# The references of DeepSHAP\n\nQueries of {load().name}, the first {options.top} documents "
        "of each ranker's order of BM25's first hundred. Agreement of the first ten words; places: "
        "means over the first 1 to 10 words, then over documents, then over queries. The standard "
        "error is that of the difference, over queries.\n"
        f"Machine: {machine()}."
    )
    parts = [head, *(f"## {name}, {len(rows)} queries\n\n{tables(rows)}" for name, rows in done.items())]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "references.md").write_text("\n\n".join(parts) + "\n")
    (options.out / "references.json").write_text(json.dumps(done))


if __name__ == "__main__":
    main()
