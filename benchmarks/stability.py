"""Do methods say the same with another seed, and something else of a ranker that has learned nothing?

The first document of each ranker's order of BM25's first hundred: agreement of explanations over five
seeds, and of those of the ranker and of one with its weights shuffled (low is good). Rows are kept in
``--kept FILE`` as they are measured, and what is there is not measured again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from faithfulness import QueryWords
from fidelity import interval
from shards import add_options, keep, kept_rows, sharded
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
Key = tuple[str, str, str]  # ranker, query, method


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


def measured(system: str, qids: Sequence[str], samples: int, done: set[Key]) -> Iterator[dict[str, Any]]:
    """A row for each query and method that is not done."""
    collection, scorer = load(), SYSTEMS[system]()
    other = ix.BlackBox(ix.randomised(scorer))
    cut = {"truncated": "cut"} if hasattr(scorer, "seen") else {}
    for number, qid in enumerate(qids, start=1):
        todo = {
            name: method
            for name, method in methods(samples, system).items()
            if (system, qid, name) not in done
        }
        if todo:
            pool = collection.pool("BM25", qid)
            ranking = ix.rank(scorer, collection.queries[qid], pool, **cut)  # type: ignore[arg-type]
        for name, method in todo.items():
            row: dict[str, Any] = {"system": system, "qid": qid, "method": name, "samples": samples}
            try:
                if draws(method):
                    row["seeds"] = ix.stability(method, ranking, 0, seeds=SEEDS).to_dict()
                row["shuffled"] = ix.sanity(method, ranking, 0, other=other).to_dict()
            except ix.InputError as error:  # such as sums that miss what they should be by too much
                row = {**row, "seeds": None, "shuffled": None, "refused": str(error)}
            yield row
        print(f"{system}: {number} of {len(qids)}", file=sys.stderr, flush=True)


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| method | seeds: Kendall | RBO | Jaccard | weights shuffled: Kendall | Jaccard | refused |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == name]
        cells = [
            shown([row[part][column] for row in mine if row.get(part)])
            for part, columns in COLUMNS.items()
            for column in columns
        ]
        refused = sum("refused" in row for row in mine)
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {refused} of {len(mine)} |")
    return "\n".join(lines)


def shown(values: Sequence[float | None]) -> str:
    """Mean and interval, or a dash; one between numbers that may be negative would be hard to read."""
    known = [value for value in values if value is not None]
    return interval(known, 2).replace("–", " to ") if known else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--samples", type=int, default=200, help="of EXS, LIRME and KernelSHAP")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--out", type=Path, help="folder for stability.md")
    add_options(parser)
    options = parser.parse_args()
    rows = [row for row in kept_rows(options.kept) if row["samples"] == options.samples]
    done = {(row["system"], row["qid"], row["method"]) for row in rows}
    every = sorted(load().queries)
    chosen = every[:: max(1, len(every) // options.queries)][: options.queries]
    for system in options.systems:
        qids = sharded(chosen, options.shard)
        rows += keep(options.kept, measured(system, qids, options.samples, done))
        print(f"## {system}\n\n{table([row for row in rows if row['system'] == system])}", flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "stability.md").write_text(page(rows, options.samples))


def page(rows: Sequence[dict[str, Any]], samples: int) -> str:
    parts = [
        f"# Stability and sanity\n\n{load().name}, the first document of each ranker's order of BM25's "
        f"first hundred. Agreement of explanations with {SEEDS} seeds (high is good; for methods that "
        "draw something), and of those of the ranker and of a copy with its weights shuffled (low is "
        "good: a method that says the same of both explains the text): Kendall's tau-b of all weights, "
        "RBO and Jaccard of the ten first words (0 where one of two explanations has no word, and no "
        "Kendall then); *refused*: queries that the method refuses, since "
        "its sums miss the score by too much; 95 % bootstrap interval over queries. EXS, LIRME and "
        f"KernelSHAP score {samples} versions of a document.\nMachine: {machine()}."
    ]
    for system in dict.fromkeys(row["system"] for row in rows):
        mine = [row for row in rows if row["system"] == system]
        number = len({row["qid"] for row in mine})
        parts.append(f"## {system}, {number} queries\n\n{table(mine)}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
