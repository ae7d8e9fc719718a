"""Late interaction trained by `intentx train late-interaction`, beside other rankers on DL'19.

Every ranker re-ranks BM25's first passages of each query. The memory of token vectors and the time of
scoring beside the model's own encoding are measured, too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG
from trec import load, machine

from intentx.rankers import LateInteractionRanker

MEASURE = nDCG @ 10
# Of benchmarks/results/rerank.md and the note beside the models, over the first 100 of all 43 queries.
OTHERS = {
    "BM25": 0.506,
    "MiniLM, bi-encoder": 0.642,
    "MiniLM, cross-encoder": 0.621,
    "SPLADE, tiny": 0.675,
}


def quality(ranker: Any, most: int) -> tuple[float, int, dict[str, float]]:
    """Mean nDCG@10, its queries, and seconds of processor time."""
    collection = load("dl19")
    first = collection.runs["BM25"]
    run: dict[str, Mapping[str, float]] = {}
    started = time.process_time()
    for qid in sorted(q for q in collection.queries if q in first and q in collection.qrels):
        ids = list(first[qid])[:most]
        scores = ranker(collection.queries[qid], [collection.texts[doc_id] for doc_id in ids])
        run[qid] = dict(zip(ids, np.asarray(scores).tolist(), strict=True))
    qrels = {qid: dict(collection.qrels[qid]) for qid in run}
    return (
        float(ir_measures.calc_aggregate([MEASURE], qrels, run)[MEASURE]),
        len(run),
        {"seconds": time.process_time() - started},
    )


def cost(ranker: LateInteractionRanker) -> dict[str, float]:
    """Of 100 passages: megabytes of token vectors, and seconds beside those of the model's own encoding."""
    collection = load("dl19")
    qid = sorted(collection.queries)[0]
    texts = [collection.texts[doc_id] for doc_id in list(collection.runs["BM25"][qid])[:100]]
    model = ranker.model
    model.encode_document(texts[:8], show_progress_bar=False)
    started = time.process_time()
    model.encode_document(texts, show_progress_bar=False)
    own = time.process_time() - started
    fresh = LateInteractionRanker(model)
    started = time.process_time()
    fresh(collection.queries[qid], texts)
    ours = time.process_time() - started
    kept = sum(one.nbytes for one in fresh._documents._kept.values())
    return {"megabytes": kept / 1e6, "ratio": ours / own}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what intentx train late-interaction wrote")
    parser.add_argument("--most", type=int, default=100, help="passages of each query")
    parser.add_argument("--trained", default="", help="how it was trained, in words")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    ranker = LateInteractionRanker(options.folder, remember=200)
    spent = cost(ranker)
    found, queries, _ = quality(ranker, options.most)
    lines = [
        "# Late interaction on DL'19",
        "",
        f"nDCG@10 of BM25's first {options.most} passages of {queries} queries, re-ranked. {machine()}",
        "",
        "| ranker | nDCG@10 |",
        "|---|---|",
        *(f"| {name} | {value:.3f} |" for name, value in OTHERS.items()),
        f"| late interaction from MiniLM | {found:.3f} |",
        "",
        "The numbers of the other rankers are those of [rerank.md](rerank.md), and for SPLADE of the model's "
        "own note; they are not measured again here.",
        "",
        f"Trained by: {options.trained or 'intentx train late-interaction'}.",
        "",
        f"Token vectors of 100 passages take {spent['megabytes']:.1f} MB. Scoring them takes "
        f"{spent['ratio']:.2f} times the processor time of the model's own encoding in one run.",
        "",
    ]
    options.out.mkdir(exist_ok=True)
    (options.out / "late_interaction.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
