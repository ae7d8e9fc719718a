"""Late interaction trained by `intentx train late-interaction`, beside other rankers on DL'19.

Every ranker re-ranks BM25's first 100 passages of the same queries; what was measured is kept in a
file, so that rankers can be measured one after the other. The memory of token vectors, and the time of
scoring beside the model's own encoding, are measured, too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG
from trec import DATA, load, machine

from intentx.rankers import BiEncoder, CrossEncoder, LateInteractionRanker, SparseRanker

MEASURE = nDCG @ 10
DOCUMENTS = 100
LATE = "late interaction from MiniLM"
MODELS = DATA.parent / "models"


def rankers(folder: Path) -> dict[str, Callable[[], Any]]:
    """What makes each ranker; BM25 is the recorded run."""
    return {
        "BM25": lambda: None,
        "MiniLM, bi-encoder": BiEncoder.minilm,
        "MiniLM, cross-encoder": lambda: CrossEncoder(MODELS / "cross-encoder-minilm"),
        "SPLADE, tiny": lambda: SparseRanker(MODELS / "splade-tiny"),
        LATE: lambda: LateInteractionRanker(folder, remember=200),
    }


def quality(ranker: Any, queries: int | None) -> dict[str, float]:
    """nDCG@10 of each query."""
    collection = load("dl19")
    first = collection.runs["BM25"]
    run: dict[str, Mapping[str, float]] = {}
    known = sorted(q for q in collection.queries if q in first and q in collection.qrels)
    for qid in known[:queries]:
        ids = list(first[qid])[:DOCUMENTS]
        scores: Any = -np.arange(len(ids), dtype=float)  # as BM25 has them
        if ranker is not None:
            scores = ranker(collection.queries[qid], [collection.texts[doc_id] for doc_id in ids])
        run[qid] = dict(zip(ids, np.asarray(scores).tolist(), strict=True))
    qrels = {qid: dict(collection.qrels[qid]) for qid in run}
    return {one.query_id: one.value for one in ir_measures.iter_calc([MEASURE], qrels, run)}


def cost(folder: Path) -> dict[str, float]:
    """Of 100 passages: megabytes of token vectors, and time beside that of the model's own encoding."""
    ranker = LateInteractionRanker(folder)
    collection = load("dl19")
    qid = sorted(collection.runs["BM25"])[0]
    texts = [collection.texts[doc_id] for doc_id in list(collection.runs["BM25"][qid])[:100]]
    ranker.model.encode_document(texts[:8], show_progress_bar=False)
    started = time.process_time()
    ranker.model.encode_document(texts, show_progress_bar=False)
    own = time.process_time() - started
    started = time.process_time()
    ranker(collection.queries[qid], texts)
    ours = time.process_time() - started
    kept = sum(one.nbytes for one in ranker._documents._kept.values())
    return {"megabytes": kept / 1e6, "ratio": ours / own}


def page(kept: Mapping[str, Any], trained: str) -> str:
    """What was measured, as a page."""
    number = len(next(iter(kept["quality"].values())))
    lines = [
        "# Late interaction on DL'19",
        "",
        f"nDCG@10 of BM25's first {DOCUMENTS} passages of {number} queries, re-ranked. {machine()}.",
        "",
        "| ranker | nDCG@10 | standard error |",
        "|---|---|---|",
    ]
    for name, by_query in kept["quality"].items():
        values = np.array([*by_query.values()])
        error = values.std(ddof=1) / np.sqrt(len(values))
        lines.append(f"| {name} | {values.mean():.3f} | {error:.3f} |")
    if "cost" in kept:
        spent = kept["cost"]
        lines += [
            "",
            f"Trained by: {trained}.",
            "",
            f"Token vectors of 100 passages take {spent['megabytes']:.1f} MB. Scoring them for a query takes "
            f"{spent['ratio']:.2f} times the processor time of the model's own encoding, in one run.",
        ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what intentx train late-interaction wrote")
    parser.add_argument("--queries", type=int, help="the first so many; without it, all")
    parser.add_argument("--rankers", nargs="+", help="names in the table; without it, all")
    parser.add_argument("--trained", default="intentx train late-interaction", help="how, in words")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    store = options.out / "late_interaction.json"
    kept = json.loads(store.read_text("utf-8")) if store.exists() else {"quality": {}}
    for name, make in rankers(options.folder).items():
        if options.rankers is None or name in options.rankers:
            kept["quality"][name] = quality(make(), options.queries)
            if name == LATE:
                kept["cost"] = cost(options.folder)
            store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            (options.out / "late_interaction.md").write_text(page(kept, options.trained), "utf-8")


if __name__ == "__main__":
    main()
