"""How far does a readable model order documents as a ranker over features does?

``python mimic.py --data FOLDER``: MQ2008, five folds. LightGBM's lambdarank is trained on three parts;
the mimics are fitted to it on queries of the same parts, and measured on the fifth part.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

import intentx as ix
from intentx.explainers.features.mimic import metrics_of

READABLE = (
    "BM25 body", "BM25 title", "BM25 anchor", "BM25 URL", "LM JM body", "LM JM title", "LM JM anchor",
    "LM JM URL", "length body", "PageRank", "inlinks", "length of URL",
)  # fmt: skip
QUERIES = (100, 200, 300, 400)
SYNTHETIC = 20
METRICS = ("tau", "tau_at_10", "ndcg", "precision")
KINDS = ("tree", "boosted", "lambdarank", "linear")


def ranker(data: Any, seed: int = 0) -> ix.FeatureModel:
    import lightgbm

    X, grades, sizes = data.rows()
    settings = {
        "objective": "lambdarank", "num_leaves": 31, "learning_rate": 0.1, "seed": seed,
        "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip
    return ix.FeatureModel(
        lightgbm.train(settings, lightgbm.Dataset(X, grades, group=sizes), 100), data.names
    )


def measured(
    model: Any, train: Any, test: list[ix.FeatureRanking], setting: dict[str, Any]
) -> list[float]:
    """The four metrics on the fifth part, of a mimic fitted on some queries of the first three."""
    queries, method = setting["queries"], ix.MimicTree(**setting["method"])
    rankings = [one for one in train if np.ptp(one.scores) > 0][:queries]
    found = method.explain([*rankings, *rankings[:1]] if len(rankings) < 2 else rankings)
    names = list(found.settings["features"] or test[0].names)
    columns = test[0].columns(names)
    kept = [one for one in test if np.ptp(one.scores) > 0]
    metrics = metrics_of(kept, found.mimic.predict, columns)
    return [metrics[name] for name in METRICS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("INTENTX_DATA", "../shared/data"))
    )
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    parts = [options.data / "mq2008" / f"S{i}.txt.gz" for i in range(1, 6)]
    rows: dict[tuple[str, str, int, int], list[list[float]]] = {}
    for fold in range(options.folds):
        three = [parts[(fold + i) % 5] for i in range(3)]
        data, fifth = ix.read_letor(three), ix.read_letor(parts[(fold + 4) % 5])
        model = ranker(data)
        train, test = data.rankings(model), fifth.rankings(model)
        train = [train[i] for i in np.random.default_rng(fold).permutation(len(train))]
        for features, label in ((None, "all 46"), (READABLE, "12 readable")):
            for kind in KINDS:
                for queries in QUERIES if kind in ("tree", "boosted") else QUERIES[-1:]:
                    for synthetic in (0, SYNTHETIC) if kind == "boosted" else (0,):
                        method = {
                            "features": features, "kind": kind, "synthetic": synthetic,
                            "heldout": 0.01, "seed": fold, "max_leaves": 16,
                        }  # fmt: skip
                        found = measured(model, train, test, {"queries": queries, "method": method})
                        rows.setdefault((label, kind, synthetic, queries), []).append(found)
                        print(fold, label, kind, synthetic, queries, np.round(found, 3), flush=True)
    lines = [
        "| features | mimic | synthetic documents a query | queries | τ-b | τ-b of the first ten | "
        "nDCG@10 | P@10 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (label, kind, synthetic, queries), values in rows.items():
        means = " | ".join(f"{value:.3f}" for value in np.mean(values, axis=0))
        lines.append(f"| {label} | {kind} | {synthetic} | {queries} | {means} |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
