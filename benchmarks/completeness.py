"""By how much attributions miss the difference of scores that they should add up to.

Each query's first passage, from BM25's first candidates in the ranker's own order. Trained rankers
are those of `train_rankers.py`, and are trained where they are not there yet. On generated passages,
without the models beside the project, only MiniLM is measured.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import sentence_transformers
import torch
from problems import write
from train_rankers import CROSS_ENCODER, SYSTEM, trained
from trec import DATA, load, machine

import intentx as ix
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    GradientMethod,
    IntegratedGradients,
)
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.scoring import Scorer

CANDIDATES = 20  # that a ranking has, and DeepSHAP draws its references from
STEPS = (16, 32, 64, 128)


def rankers() -> dict[str, Callable[[], Scorer]]:
    """The rankers at hand, by name."""
    found: dict[str, Callable[[], Scorer]] = {"MiniLM, bi-encoder": BiEncoder.minilm}
    if CROSS_ENCODER.is_dir():
        found["cross-encoder, logit"] = lambda: CrossEncoder(CROSS_ENCODER, raw=True)
        found["cross-encoder, sigmoid"] = lambda: CrossEncoder(CROSS_ENCODER, raw=False)
    if (DATA / "dl21").is_dir():
        found["MatchPyramid"] = lambda: trained("matchpyramid")
        found["KNRM"] = lambda: trained("knrm")
    return found


def methods() -> dict[str, GradientMethod]:
    """What is measured, by name."""
    found: dict[str, GradientMethod] = {
        f"integrated gradients, {steps} steps": IntegratedGradients(steps=steps) for steps in STEPS
    }
    return {
        **found,
        "DeepLIFT": DeepLIFT(),
        "DeepLIFT from a passage": DeepLIFT(reference="collection"),
        "DeepSHAP": DeepSHAP(),
        "gradient × input": GradientInput(),
    }


def rankings(scorer: Scorer, number: int | None) -> Iterator[ix.Ranking]:
    """One for each query."""
    collection = load()
    system = SYSTEM if SYSTEM in collection.runs else next(iter(collection.runs))
    for qid in list(collection.queries)[:number]:
        texts = list(collection.pool(system, qid).values())[:CANDIDATES]
        query = collection.queries[qid]
        if hasattr(scorer, "seen"):
            yield ix.rank(scorer, query, texts, truncated="cut")
        else:
            yield ix.rank(scorer, query, texts)


def rows(name: str, scorer: Scorer, number: int | None) -> Iterator[str]:
    """The rows of a table for one ranker."""
    lists = list(rankings(scorer, number))
    for title, method in methods().items():
        found, notes = [], set()
        for ranking in lists:
            try:
                found.append(method.explain(ranking, 0))
            except ix.InputError as error:
                if "miss the difference" not in str(error):
                    raise
        if len(found) < len(lists):
            notes.add(f"{len(lists) - len(found)} of {len(lists)} refused: they miss too much")
        if not found:
            yield f"| {name} | {title} | – | – | – | – | – | – | {'; '.join(notes)} |"
            continue
        gap = np.abs([one.metrics["gap"] for one in found])
        share = np.array([one.metrics["relative_gap"] for one in found])
        seconds = np.median([one.seconds["model"] for one in found])
        own = np.median([one.seconds["total"] - one.seconds["model"] for one in found])
        notes |= {note for one in found for note in one.notes if "no DeepLIFT rule" in note}
        yield (
            f"| {name} | {title} | {np.nanmedian(share):.1e} | **{np.nanmax(share):.1e}** "
            f"| {gap.max():.1e} | {found[0].model_calls} | {seconds:.2f} | {own:.3f} "
            f"| {'; '.join(sorted(notes)) or 'none'} |"
        )


def report(number: int | None) -> Iterator[str]:
    """The page."""
    yield "# Attributions and the difference they should add up to\n"
    yield (
        f"{load().name}, the first passage of {number or len(load().queries)} queries. The gap is the "
        "sum of all attributions less the difference of score and reference; relative, over that "
        "difference. The reference is a text of zero vectors, or of the mean vector where these break "
        "the model; DeepSHAP has 8 other passages, "
        "DeepLIFT from a passage one. Versions of a passage that the model ran on and the medians "
        "of its seconds and of our own are for one explanation. "
        f"Machine: {machine()}, torch {torch.__version__} with {torch.get_num_threads()} threads, "
        f"sentence-transformers {sentence_transformers.__version__}.\n"
    )
    yield (
        "| ranker | method | median relative gap | largest | largest absolute | versions "
        "| model, s | own, s | without a rule, or refused |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, make in rankers().items():
        yield from rows(name, make(), number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, help="only so many")
    parser.add_argument("--out", type=Path, help="folder for completeness.md")
    options = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    write(report(options.queries), options.out, "completeness.md")


if __name__ == "__main__":
    main()
