"""How near readable models come to a LightGBM ranker on MQ2008, by number of secondary queries.

The ranker is LambdaMART on three parts of MQ2008, stopped by the fourth. Mimics are fitted to its scores
of queries of the training parts, and measured on the fifth, against the ranker's own order.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np
from trec import DATA, machine

import intentx as ix
from intentx.datasets import LETOR_4
from intentx.explainers.features.mimic_metrics import best_feature_of, labels_of, mimic_metrics
from intentx.explainers.features.mimics import Kind, fit_mimic

READABLE = (
    "BM25 document", "BM25 title", "BM25 anchor", "BM25 URL", "BM25 body", "TF document",
    "IDF document", "length document", "PageRank", "inlinks", "length of URL", "slashes in URL",
)  # fmt: skip
METHODS: tuple[tuple[Kind, int, Any], ...] = (
    ("tree", 16, "scores"), ("tree", 16, "order"), ("tree", 64, "scores"), ("tree", 64, "order"),
    ("boosted", 8, "scores"), ("boosted", 8, "order"), ("linear", 2, "scores"), ("linear", 2, "order"),
    ("lambdarank", 8, "order"),
)  # fmt: skip
SETTINGS = {
    "objective": "lambdarank", "metric": "ndcg", "eval_at": [10], "learning_rate": 0.05, "seed": 0,
    "deterministic": True, "verbosity": -1, "num_threads": 1,
}  # fmt: skip
SIZE = 20  # documents of a synthetic query
COLUMNS = ("tau", "tau_at_10", "ndcg", "precision")


def ranker(train: ix.datasets.Letor, valid: ix.datasets.Letor) -> lightgbm.Booster:
    X, grades, sizes = train.rows()
    data = lightgbm.Dataset(X, grades, group=sizes)
    X, grades, sizes = valid.rows()
    stop = lightgbm.early_stopping(50, verbose=False)
    heldout = data.create_valid(X, grades, group=sizes)
    return lightgbm.train(SETTINGS, data, 300, valid_sets=[heldout], callbacks=[stop])


def synthetic(
    fitted: Sequence[ix.FeatureRanking], number: int, seed: int = 0
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Queries of made-up documents, as `intentx.MimicTree` makes them, and the ranker's scores."""
    generator, pool = np.random.default_rng((seed, 1)), np.concatenate([one.X for one in fitted])
    parts = [pool[:0]]
    for _ in range(number):
        drawn = generator.integers(0, len(pool), (SIZE, pool.shape[1]))
        parts.append(np.take_along_axis(pool, drawn, axis=0))
    model = fitted[0].ask("synthetic documents")
    return np.concatenate(parts), [model(part) for part in parts[1:]]


def fold(number: int, options: argparse.Namespace, found: dict[Any, list[Any]]) -> None:
    """Adds the metrics of one fold, 1 to 5, by features, queries, synthetic ones and method."""
    parts = [DATA / "mq2008" / f"S{(number - 1 + i) % 5 + 1}.txt.gz" for i in range(5)]
    train, valid, test = (ix.read_letor(some) for some in (parts[:3], parts[3], parts[4]))
    booster = ranker(train, valid)
    model = ix.FeatureModel(lambda X: booster.predict(X), LETOR_4)
    heldout = [one for one in test.rankings(model) if np.ptp(one.scores) > 0]
    known = [one for one in train.rankings(model) if np.ptp(one.scores) > 0]
    known = [known[i] for i in np.random.default_rng(0).permutation(len(known))]
    for chosen, names in (("46", LETOR_4), ("12", READABLE)):
        columns = heldout[0].columns(names)
        for queries, more in ((q, m) for q in options.secondary for m in options.synthetic):
            fitted = known[:queries]
            made, their_scores = synthetic(fitted, more)
            X = np.concatenate([*(one.X for one in fitted), made])[:, columns]
            scores = [*(one.scores for one in fitted), *their_scores]
            sizes = [len(one) for one in scores]
            single = {"tau": best_feature_of(fitted, heldout, columns)}
            found[chosen, queries, more, "best single feature"].append(single)
            for kind, leaves, labels in METHODS:
                if options.kinds and kind not in options.kinds:
                    continue
                y = labels_of(labels, scores)
                mimic = fit_mimic(kind, X, y, sizes, names, max_leaves=leaves, seed=0)
                size = "" if kind == "linear" else f", {leaves} leaves"
                metrics = mimic_metrics(heldout, mimic.model.predict, columns)
                found[chosen, queries, more, f"{kind}{size}, {labels}"].append(metrics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--secondary", type=int, nargs="+", default=[100, 200, 300, 400])
    parser.add_argument(
        "--synthetic", type=int, nargs="+", default=[0], help="queries of made-up documents"
    )
    parser.add_argument("--kinds", nargs="+", default=[], help="only these, such as tree lambdarank")
    options = parser.parse_args()
    found: dict[Any, list[Any]] = defaultdict(list)
    for number in options.folds:
        fold(number, options, found)
    print("# Mimics of a LightGBM ranker on MQ2008\n")
    print(f"`python benchmarks/mimic.py`: means over {len(options.folds)} of five folds; {machine()}.\n")
    print(
        "| features | secondary queries | synthetic ones | mimic, labels | τ | τ@10 | NDCG@10 | P@10 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for (chosen, queries, more, name), rows in found.items():
        cells = [f"{np.mean([r[c] for r in rows]):.3f}" if c in rows[0] else "–" for c in COLUMNS]
        print(f"| {chosen} | {queries} | {more} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
