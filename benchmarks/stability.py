"""Do methods say the same with another seed, and something else of a ranker that has learned nothing?

The first document of each ranker's order of BM25's first hundred: agreement of explanations over five
seeds, and of those of the ranker and of one with its weights shuffled (low is good).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from faithfulness import QueryWords
from fidelity import interval
from train_rankers import CROSS_ENCODER, trained
from trec import load, machine

import intentx as ix
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.scoring import Scorer

SEEDS = 5
STEPS = 32
SYSTEMS: Mapping[str, Callable[[], Scorer]] = {
    "MatchPyramid": lambda: trained("matchpyramid"),
    "MiniLM": BiEncoder.minilm,
    "cross-encoder": lambda: CrossEncoder(CROSS_ENCODER, raw=True),
}
COLUMNS = {
    "seeds": ("kendall", "rbo", "jaccard"),
    "shuffled": ("kendall", "jaccard"),
}
Rows = dict[str, dict[str, list[dict[str, Any]]]]


def methods(samples: int, system: str) -> dict[str, Any]:
    """By name; those that draw nothing have no seeds to agree over."""
    found = {
        "EXS, rank": ix.EXS(samples=samples),
        "EXS, score": ix.EXS(labels="score", k=100, samples=samples),
        "LIRME, uniform": ix.LIRME(sampler="uniform", samples=samples),
        "LIRME, masked": ix.LIRME(samples=samples),
        "KernelSHAP": ix.KernelSHAP(samples=samples),
        "DeepSHAP, collection": ix.DeepSHAP(),
        "saliency": ix.Saliency(),
        "gradient × input": ix.GradientInput(),
        "integrated gradients": ix.IntegratedGradients(steps=STEPS),
        "DeepLIFT": ix.DeepLIFT(),
        "query words": QueryWords(),
    }
    return {**found, "Grad-CAM": ix.GradCAM()} if system == "MatchPyramid" else found


def draws(method: Any) -> bool:
    return isinstance(method, ix.EXS | ix.LIRME | ix.KernelSHAP | ix.DeepSHAP)


def measure(system: str, queries: int, samples: int) -> Iterator[Rows]:
    """After each query, for each method its agreements so far."""
    collection, scorer = load(), SYSTEMS[system]()
    other = ix.BlackBox(ix.randomised(scorer))
    todo = methods(samples, system)
    rows: Rows = {name: {"seeds": [], "shuffled": []} for name in todo}
    every = sorted(collection.queries)
    chosen = every[:: max(1, len(every) // queries)][:queries]
    for number, qid in enumerate(chosen, start=1):
        pool = collection.pool("BM25", qid)
        cut = {"truncated": "cut"} if hasattr(scorer, "seen") else {}
        ranking = ix.rank(scorer, collection.queries[qid], pool, **cut)  # type: ignore[arg-type]
        for name, method in todo.items():
            if draws(method):
                agreed = ix.stability(method, ranking, 0, seeds=SEEDS)
                rows[name]["seeds"].append(agreed.to_dict())
            agreed = ix.sanity(method, ranking, 0, other=other)
            rows[name]["shuffled"].append(agreed.to_dict())
        print(f"{system}: {number} of {len(chosen)}", file=sys.stderr, flush=True)
        yield rows


def table(rows: Rows) -> str:
    lines = [
        "| method | seeds: Kendall | RBO | Jaccard | weights shuffled: Kendall | Jaccard |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in rows.items():
        cells = [
            shown([row[column] for row in found[part]])
            for part, columns in COLUMNS.items()
            for column in columns
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(values: Sequence[float | None]) -> str:
    """Mean and interval, or a dash; one between numbers that may be negative would be hard to read."""
    known = [value for value in values if value is not None]
    return interval(known, 2).replace("–", " to ") if known else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=10)
    parser.add_argument("--samples", type=int, default=200, help="of EXS, LIRME and KernelSHAP")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    parser.add_argument("--out", type=Path, help="folder for stability.md and stability.json")
    options = parser.parse_args()
    raw: dict[str, Rows] = {}
    for system in options.systems:
        for rows in measure(system, options.queries, options.samples):
            raw[system] = rows
            write(raw, options)  # after each query, so that a run cut short has what it measured
        print(f"## {system}\n\n{table(raw[system])}", flush=True)


def write(raw: Mapping[str, Rows], options: argparse.Namespace) -> None:
    if not options.out:
        return
    head = (
        f"# Stability and sanity\n\n{load().name}, the first document of each ranker's order of BM25's "
        f"first hundred. Agreement of explanations with {SEEDS} seeds (high is good; for methods that "
        "draw something), and of those of the ranker and of a copy with its weights shuffled (low is "
        "good: a method that says the same of both explains the text): Kendall's tau-b of all weights, "
        "RBO and Jaccard of the ten first words (0 where one of two explanations has no word, and no "
        "Kendall then); 95 % bootstrap interval over queries. EXS, LIRME and "
        f"KernelSHAP score {options.samples} versions of a document.\nMachine: {machine()}."
    )
    parts = [head]
    for name, rows in raw.items():
        number = len(next(iter(rows.values()))["shuffled"])
        parts.append(f"## {name}, {number} queries\n\n{table(rows)}")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "stability.md").write_text("\n\n".join(parts) + "\n")
    (options.out / "stability.json").write_text(json.dumps(raw))


if __name__ == "__main__":
    main()
