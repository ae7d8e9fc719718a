"""How much of an EXS explanation of MiniLM's is our own time, and where it goes.

The model's time is what is spent inside the ranker; the rest is ours: drawing versions of the
passage, writing them, keeping the scores, labels and the linear model.
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
from trec import load, machine

import intentx as ix
from intentx.explainers.document.exs import EXS, Labels, relevance_labels
from intentx.explainers.document.subject import Subject
from intentx.perturbation import keep_units, random_subsets
from intentx.rankers import BiEncoder

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the passages by length, which one is explained
LABELS: tuple[Labels, ...] = ("rank", "topk")
STAGES = ("draw", "write", "keep", "fit", "tell")


def timed(work: Callable[[], Any], repeats: int = 5) -> tuple[Any, float]:
    """What comes out of ``work``, and the median of its milliseconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        done = work()
        seconds.append(time.perf_counter() - started)
    return done, 1e3 * float(np.median(seconds))


def stages(method: EXS, ranking: ix.Ranking, doc: str) -> dict[str, float]:
    """Milliseconds of each stage by itself, the scores being remembered."""
    spent = {}

    def begin() -> Subject:
        return Subject(method.name, ranking, ranking.position(doc), method.analyzer)

    subject = begin()
    number, k = len(subject.terms), min(method.k, len(ranking))
    kept, spent["draw"] = timed(
        lambda: random_subsets(number, method.samples, np.random.default_rng(method.seed))
    )
    texts, spent["write"] = timed(lambda: keep_units(subject.text, subject.units, kept))
    scores, spent["keep"] = timed(lambda: subject.score_texts(texts))

    def weights() -> Any:
        labels, _ = relevance_labels(scores, ranking, subject.position, method.labels, k)
        return method._fit(begin(), kept, scores, labels)

    _, began = timed(begin)
    (found, *_), fitted = timed(weights)
    spent["fit"] = fitted - began
    named = dict(zip(subject.terms, found.tolist(), strict=True))
    _, told = timed(lambda: subject.explanation(named, settings=method.settings(), metrics={}))
    spent["tell"] = told + began
    return spent


def report(samples: int, repeats: int) -> Iterator[str]:
    """A row for each passage and kind of labels."""
    collection = load()
    system = next(iter(collection.runs))
    qid = next(iter(collection.runs[system]))
    pool = collection.pool(system, qid)
    by_length = sorted(pool, key=lambda doc: (len(pool[doc].split()), doc))
    yield "# Our own time in EXS\n"
    yield (
        f"{collection.name}, MiniLM as a bi-encoder, {samples:,} versions; a fresh ranker for each "
        f"explanation, so that nothing is remembered; medians of {repeats}. Own / model: all time less "
        "the time inside the ranker, over that. Stages: drawing versions, writing their texts, finding "
        "and filing scores, labels and linear model, and finding the words and spans. What our ranker "
        "adds to the model inside it is in [overhead.md](overhead.md). Machine: "
        f"{machine()}, torch {torch.__version__} with {torch.get_num_threads()} threads.\n"
    )
    yield (
        "| labels | words | distinct | versions scored | model, s | own, ms | own / model | highest "
        f"| {' | '.join(f'{stage}, ms' for stage in STAGES)} |"
    )
    yield f"|---|{'---|' * (7 + len(STAGES))}"
    encoder = BiEncoder.minilm()
    warm = ix.rank(encoder, collection.queries[qid], pool)
    for labels in LABELS:  # once for what is imported and allocated once
        EXS(labels=labels, samples=30, k=50).explain(warm, by_length[0])
    for share in SHARES:
        doc = by_length[int(share * (len(by_length) - 1))]
        for labels in LABELS if share == 0.5 else LABELS[:1]:
            method = EXS(labels=labels, samples=samples, k=len(pool))
            ratios, own = [], []
            for _ in range(repeats):
                fresh = BiEncoder(encoder.model)
                ranking = ix.Ranking(
                    warm.query, warm.doc_ids, warm.texts, warm.scores, ix.BlackBox(fresh)
                )
                found = method.explain(ranking, doc)
                own.append(found.seconds["total"] - found.seconds["model"])
                ratios.append(own[-1] / found.seconds["model"])
            spent = stages(method, ranking, doc)
            yield (
                f"| {labels} | {len(pool[doc].split())} | {len(found.terms)} | {found.model_calls} "
                f"| {found.seconds['model']:.2f} | {1e3 * np.median(own):.0f} "
                f"| **{np.median(ratios):.2%}** | {max(ratios):.2%} "
                f"| {' | '.join(f'{spent[stage]:.1f}' for stage in STAGES)} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000, help="versions of a passage")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for exs_time.md")
    options = parser.parse_args()
    write(report(options.samples, options.repeats), options.out, "exs_time.md")


if __name__ == "__main__":
    main()
