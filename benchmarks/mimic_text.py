"""How near readable models over text features come to rankers that read text.

Mimics are fitted to a ranker's scores of documents of DL'21 and measured on the queries of DL'19,
against the ranker's own order. Documents are every second one of BM25's first 100. ``--cache FILE``
keeps scores. DRMM is a folder that ``intentx train drmm`` wrote.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trec import DATA, load, machine

import intentx as ix
from intentx.explainers.features.mimic_metrics import mimic_metrics
from intentx.rankers import RankerSpec, TextFeatures

QUERY_FREE = ("length", "distinct_share", "sentences", "question_marks", "digit_share")
METHODS: dict[str, dict[str, Any]] = {
    "query-independent features, boosted, 8 leaves": {
        "features": QUERY_FREE, "kind": "boosted", "max_leaves": 8,
    },
    "tree, 16 leaves": {"kind": "tree", "max_leaves": 16},
    "linear": {"kind": "linear"},
    "lambdarank, single features and three pairs, 8 leaves": {"kind": "lambdarank", "max_leaves": 8},
    "boosted, 8 leaves": {"kind": "boosted", "max_leaves": 8},
}  # fmt: skip
COLUMNS = ("tau", "tau_at_10", "ndcg", "precision")


def rankings(
    name: str, ranker: Any, features: TextFeatures, step: int, cache: Path
) -> list[ix.FeatureRanking]:
    """Each query of a collection: documents of BM25's pool by the ranker, with text features."""
    collection = load(name)
    found: list[ix.FeatureRanking] = []
    cut: Any = "cut" if hasattr(ranker, "seen") else "warn"  # words that are never read explain nothing
    for qid, pool in collection.run("BM25").items():
        docs = {doc: collection.texts[doc] for doc in [*pool][:100:step]}
        ranked = ix.rank(ranker, collection.queries[qid], docs, cache=cache, truncated=cut)
        found.append(ix.FeatureRanking.of(ranked, features))
    return found


def rows_of(fitted: Sequence[ix.FeatureRanking], heldout: Sequence[ix.FeatureRanking]) -> Any:
    """Lines of the table of one ranker: what is held against it, and the metrics."""
    for name in ("bm25", "coverage_idf"):
        column = heldout[0].columns([name])
        yield f"{name} alone", mimic_metrics(heldout, lambda X: X[:, 0], column)
    for name, settings in METHODS.items():
        found = ix.MimicTree(heldout=0.01, seed=0, **settings).explain(fitted)
        yield name, found.measured_on(heldout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--drmm", type=Path, help="a folder of intentx train drmm")
    parser.add_argument("--step", type=int, default=2, help="every so many of BM25's first 100")
    options = parser.parse_args()
    train, test = load("dl21"), load("dl19")
    texts = [*{**train.texts, **test.texts}.values()]
    features = TextFeatures(texts)
    specs = {
        "BM25": "bm25", "MiniLM bi-encoder": "bi-encoder:minilm",
        "MiniLM cross-encoder": f"cross-encoder:{DATA.parent / 'models' / 'cross-encoder-minilm'}",
    }  # fmt: skip
    if options.drmm:
        specs["DRMM"] = f"drmm:{options.drmm}"
    print("# Mimics of rankers that read text\n")
    print(
        f"29 text features (`TextFeatures`). Fitted on {len(train.run('BM25'))} queries of DL'21, "
        f"measured on {len(test.run('BM25'))} queries of DL'19; {100 // options.step} of BM25's first "
        "100 passages, evenly spread; means over queries, against the ranker's own order. The "
        "statistics of words are those of both collections, of BM25 as of the features. Machine: "
        f"{machine()}.\n"
    )
    print("| ranker | mimic | τ | τ@10 | NDCG@10 | P@10 |\n|---|---|---|---|---|---|")
    for name, spec in specs.items():
        ranker = RankerSpec.parse(spec).load(texts)
        fitted, heldout = (
            rankings(one, ranker, features, options.step, options.cache) for one in ("dl21", "dl19")
        )
        for label, metrics in rows_of(fitted, heldout):
            cells = " | ".join(f"{metrics[c]:.3f}" for c in COLUMNS)
            print(f"| {name} | {label} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
