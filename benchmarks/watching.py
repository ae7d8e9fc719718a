# mypy: ignore-errors
"""What it costs to notice that a model has changed: looks at its weights, beside scoring texts.

Everything is processor time of one process. A look is asked for at each call of a ranker, a thorough
one at each ranking; the whole of an explanation is measured with the looks taken out and put in.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from problems import write
from train_rankers import CROSS_ENCODER
from trec import load, machine

import intentx as ix
from intentx.rankers import BiEncoder, CrossEncoder

TEXTS = (1, 8, 32, 100)
DOCUMENTS = 30  # of the ranking that is explained


def seconds(what: Callable[[], Any], repeats: int) -> float:
    """Median processor time."""
    what()
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        what()
        taken.append(time.process_time() - started)
    return float(np.median(taken))


def rankers() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {"MiniLM, bi-encoder": lambda: BiEncoder.minilm(remember=0)}
    if CROSS_ENCODER.is_dir():
        found["MiniLM, cross-encoder"] = lambda: CrossEncoder(CROSS_ENCODER)
    return found


def of_calls(query: str, texts: list[str], repeats: int) -> Iterator[str]:
    """A table: a look, beside scoring so many passages without one."""
    yield "\n## A look at the weights, and scoring\n"
    yield "Looks and calls in milliseconds of processor time; shares are of a call, the look left out.\n"
    heads = " | ".join(f"{number} passages | look, share" for number in TEXTS)
    yield f"| ranker | parameters | quick look | thorough look | {heads} |"
    yield "|---" * (4 + 2 * len(TEXTS)) + "|"
    for name, make in rankers().items():
        ranker = make()
        quick = seconds(ranker.state_mark, repeats)
        thorough = seconds(lambda ranker=ranker: ranker.state_mark(thorough=True), repeats)
        cells = []
        for number in TEXTS:
            with_look = seconds(
                lambda r=ranker, n=number: r(query, texts[:n]), max(3, repeats // number)
            )
            alone = with_look - (quick if isinstance(ranker, BiEncoder) else 0.0)
            cells += [f"{1e3 * alone:.0f}", f"{quick / alone:.1%}"]
        size = sum(parameter.numel() for parameter in ranker.module.parameters())
        row = [name, f"{size / 1e6:.1f} M", f"{1e3 * quick:.1f}", f"{1e3 * thorough:.1f}", *cells]
        yield f"| {' | '.join(row)} |"


def of_explanations(query: str, texts: list[str]) -> Iterator[str]:
    """A table: how many looks explanations take, and their share of the whole."""
    yield f"\n## Looks within a ranking of {DOCUMENTS} passages and its explanation\n"
    yield "| ranker | explanation | versions scored | looks | looks, s | all, s | share |"
    yield "|---|---|---|---|---|---|---|"
    for name, make in rankers().items():
        for method in (ix.Multiplex(budget=100, seed=0), ix.KernelSHAP(samples=100, seed=0)):
            ranker = make()
            kind, looks = type(ranker), []
            own = kind.state_mark

            def counted(self: Any, thorough: bool = False, own: Any = own, looks: Any = looks) -> int:
                started = time.process_time()
                found = own(self, thorough)
                looks.append(time.process_time() - started)
                return int(found)

            kind.state_mark = counted
            try:
                started = time.process_time()
                ranking = ix.rank(ranker, query, texts)
                one = ix.KernelSHAP is type(method)
                method.explain(ranking, 0) if one else method.explain(ranking)
                whole = time.process_time() - started
            finally:
                kind.state_mark = own
            yield (
                f"| {name} | {type(method).__name__} | {ranking.scorer.texts_scored} | {len(looks)} "
                f"| {sum(looks):.3f} | {whole:.1f} | **{sum(looks) / whole:.1%}** |"
            )


def report(repeats: int) -> Iterator[str]:
    collection = load()
    system = next(iter(collection.runs))
    qid = next(iter(collection.runs[system]))
    query, texts = collection.queries[qid], list(collection.pool(system, qid).values())[:100]
    yield "# What it costs to notice that a model has changed\n"
    yield (
        f"{collection.name}, one query. Medians of up to {repeats} repetitions. Machine: {machine()}, "
        f"torch {torch.__version__} with {torch.get_num_threads()} threads; other work shared the "
        "cores, and times are processor time."
    )
    yield from of_calls(query, texts, repeats)
    yield from of_explanations(query, texts[:DOCUMENTS])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--out", type=Path, help="folder for watching.md")
    options = parser.parse_args()
    write(report(options.repeats), options.out, "watching.md")


if __name__ == "__main__":
    main()
