"""Late interaction trained by `intentx train late-interaction`, beside other rankers on DL'19.

Every ranker re-ranks BM25's first 100 passages of the same queries; what was measured of each query is
kept in a file, so that a run can be continued. The memory of token vectors, and the time of
scoring beside the model's own encoding, are measured, too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def quality(
    make: Callable[[], Any], queries: int | None, known: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """nDCG@10 of each query that is not known."""
    collection = load("dl19")
    first = collection.runs["BM25"]
    judged = sorted(q for q in collection.queries if q in first and q in collection.qrels)
    left = [qid for qid in judged[:queries] if qid not in known]
    ranker = make() if left else None
    for qid in left:
        ids = list(first[qid])[:DOCUMENTS]
        scores: Any = -np.arange(len(ids), dtype=float)  # as BM25 has them
        if ranker is not None:
            scores = ranker(collection.queries[qid], [collection.texts[doc_id] for doc_id in ids])
        run = {qid: dict(zip(ids, np.asarray(scores).tolist(), strict=True))}
        [one] = ir_measures.iter_calc([MEASURE], {qid: dict(collection.qrels[qid])}, run)
        yield qid, one.value


def cost(folder: Path) -> dict[str, float]:
    """Of 100 passages: megabytes of token vectors, and time beside that of the model's own encoding."""
    ranker = LateInteractionRanker(folder)
    collection = load("dl19")
    qid = sorted(collection.runs["BM25"])[0]
    texts = [collection.texts[doc_id] for doc_id in list(collection.runs["BM25"][qid])[:100]]
    found = {"ratio": _ratio(ranker, collection.queries[qid], texts)}
    kept = sum(one.nbytes for one in ranker._documents._kept.values())
    sparse = SparseRanker(MODELS / "splade-tiny")
    return found | {
        "megabytes": kept / 1e6,
        "sparse ratio": _ratio(sparse, collection.queries[qid], texts),
        "sparse megabytes": sum(one.nbytes for one in sparse._documents._kept.values()) / 1e6,
    }


def _ratio(ranker: Any, query: str, texts: Sequence[str]) -> float:
    """Processor time of scoring texts over that of their own encoding by the model, by turns."""
    ranker.model.encode_document(texts[:8], show_progress_bar=False)
    own, ours = 0.0, 0.0
    for some in (texts[::2], texts[1::2]):
        started = time.process_time()
        ranker.model.encode_document(some, show_progress_bar=False)
        own -= started - time.process_time()
        started = time.process_time()
        ranker(query, some)
        ours -= started - time.process_time()
    return ours / own


def earlier() -> dict[str, float]:
    """nDCG@10 of other rankers, where another benchmark re-ranked the same passages."""
    lines = (Path(__file__).parent / "results" / "rerank.md").read_text("utf-8").splitlines()
    cells = [
        [one.strip() for one in line.split("|")[1:3]] for line in lines if line.startswith("| MiniLM")
    ]
    return {name: float(value) for name, value in cells}


def page(kept: Mapping[str, Any], trained: str) -> str:
    """What was measured, as a page."""
    every = {name: by_query for name, by_query in kept["quality"].items() if by_query}
    common = sorted(set.intersection(*map(set, every.values())))
    number = len(common)
    lines = [
        "# Late interaction on DL'19",
        "",
        f"nDCG@10 of BM25's first {DOCUMENTS} passages of {number} queries, re-ranked. {machine()}.",
        "",
        "| ranker | nDCG@10 | standard error | less late interaction's |",
        "|---|---|---|---|",
    ]
    late = np.array([every[LATE][qid] for qid in common]) if LATE in every else None
    for name, by_query in every.items():
        values = np.array([by_query[qid] for qid in common])
        error = values.std(ddof=1) / np.sqrt(number)
        less = ""
        if late is not None and name != LATE:
            by = values - late
            less = f"{by.mean():+.3f} ± {by.std(ddof=1) / np.sqrt(number):.3f}"
        lines.append(f"| {name} | {values.mean():.3f} | {error:.3f} | {less} |")
    for name, value in earlier().items():
        if name not in every:
            lines.append(f"| {name}, all 43 queries, from [rerank.md](rerank.md) | {value:.3f} | | |")
    if "cost" in kept:
        spent = kept["cost"]
        lines += [
            "",
            f"Trained by: {trained}.",
            "",
            f"Token vectors of 100 passages take {spent['megabytes']:.1f} MB. Scoring these passages "
            f"for a query, the encoding included, takes {spent['ratio']:.2f} times the processor time "
            "of the model's own `encode_document`, in one run by turns. SPLADE, tiny: "
            f"{spent['sparse ratio']:.2f} times, and {spent['sparse megabytes']:.1f} MB of weights.",
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
    options.out.mkdir(parents=True, exist_ok=True)
    store = options.out / "late_interaction.json"
    kept = json.loads(store.read_text("utf-8")) if store.exists() else {"quality": {}}
    for name, make in rankers(options.folder).items():
        if options.rankers is None or name in options.rankers:
            known = kept["quality"].setdefault(name, {})
            for qid, value in quality(make, options.queries, known):
                known[qid] = value
                store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if "cost" not in kept:
        kept["cost"] = cost(options.folder)
        store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (options.out / "late_interaction.md").write_text(page(kept, options.trained), "utf-8")


if __name__ == "__main__":
    main()
