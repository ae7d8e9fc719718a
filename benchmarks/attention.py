"""Does attention show what DeepSHAP and KernelSHAP show, and does the document fall without its words?

Of each query the first document of the ranker's order. Agreement: Spearman's correlation of attention
with the size of the other method's weights, and how many of the first five words (the five largest) are
the same. Places: how far the document falls without the first 1 to 10 words, mean, beside random words.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from problems import write
from scipy.stats import spearmanr
from train_rankers import CROSS_ENCODER
from trec import load, machine

import intentx as ix
from intentx.rankers import BiEncoder, CrossEncoder

CANDIDATES = 40
FIRST = 5
DRAWS = 10


def methods(samples: int) -> dict[str, Any]:
    return {
        "attention, last layer": ix.Attention(),
        "attention, mean of layers": ix.Attention(how="mean"),
        "attention rollout": ix.Attention(how="rollout"),
        "DeepSHAP": ix.DeepSHAP(number=4),
        "KernelSHAP": ix.KernelSHAP(samples=samples),
    }


def agreement(one: Any, other: Any) -> tuple[float, float]:
    """Spearman's correlation of the sizes of weights, and the share of the first words in common."""
    own, its = (dict(zip(e.terms, map(abs, e.weights), strict=True)) for e in (one, other))
    terms = sorted(own.keys() & its.keys())
    found = spearmanr([own[t] for t in terms], [its[t] for t in terms]).statistic
    first = [set(sorted(terms, key=lambda t: -d[t])[:FIRST]) for d in (own, its)]
    return float(found), len(first[0] & first[1]) / FIRST


def rows(name: str, scorer: Any, queries: int, samples: int) -> Iterator[str]:
    collection = load()
    measured: dict[str, list[list[float]]] = {}
    for qid in sorted(collection.queries)[:queries]:
        texts = list(collection.pool("BM25", qid).values())[:CANDIDATES]
        ranking = ix.rank(scorer, collection.queries[qid], texts, truncated="cut")
        found = {key: method.explain(ranking, 0) for key, method in methods(samples).items()}
        for key, one in found.items():
            judged = ix.faithfulness(one, draws=DRAWS)
            deep, kernel = (agreement(one, found[other]) for other in ("DeepSHAP", "KernelSHAP"))
            measured.setdefault(key, []).append([*deep, *kernel, judged.falls, judged.random_falls])
    for key, numbers in measured.items():
        deep, deep_first, kernel, kernel_first, falls, at_random = np.mean(numbers, axis=0)
        error = np.std([row[4] for row in numbers], ddof=1) / np.sqrt(len(numbers))
        deep_cells = f"{deep:.2f} | {deep_first:.2f}" if key != "DeepSHAP" else "– | –"
        kernel_cells = f"{kernel:.2f} | {kernel_first:.2f}" if key != "KernelSHAP" else "– | –"
        yield (
            f"| {name} | {key} | {deep_cells} | {kernel_cells} | {falls:.1f} ± {error:.1f} | "
            f"{at_random:.1f} |"
        )


RANKERS: dict[str, Callable[[str], Any]] = {
    "MiniLM, bi-encoder": lambda device: BiEncoder.minilm(device=device),
    "cross-encoder, logit": lambda device: CrossEncoder(CROSS_ENCODER, device=device),
}


def report(queries: int, samples: int, rankers: Sequence[str], device: str) -> Iterator[str]:
    yield "# Attention beside DeepSHAP and KernelSHAP\n"
    yield (
        f"{load().name}, {queries} queries, the first of {CANDIDATES} passages; "
        f"`python attention.py --out results`. KernelSHAP has {samples} versions, DeepSHAP 4 "
        "references. Sizes: Spearman's correlation with the absolute weights; first: share of the "
        f"first {FIRST} words in common. "
        "Ranks lost: without the first 1 to 10 words, mean and standard error; random words beside it. "
        f"Machine: {machine(device)}, torch {torch.__version__}.\n"
    )
    yield (
        "| ranker | method | DeepSHAP: sizes | first | KernelSHAP: sizes | first | ranks lost "
        "without its words | random |\n|---|---|---|---|---|---|---|---|"
    )
    for name in rankers:
        yield from rows(name, RANKERS[name](device), queries, samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--samples", type=int, default=150)
    parser.add_argument("--rankers", nargs="+", choices=RANKERS, default=[*RANKERS])
    parser.add_argument("--device", default="cpu", help="as torch names it, such as cuda")
    parser.add_argument("--out", type=Path, help="folder for attention.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    lines = report(options.queries, options.samples, options.rankers, options.device)
    write(lines, options.out, "attention.md")


if __name__ == "__main__":
    main()
