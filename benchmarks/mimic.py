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
from intentx.explainers.features.mimic import _best_feature, _labels, _metrics
from intentx.explainers.features.mimics import Kind, fit_mimic

READABLE = (
    "BM25 document", "BM25 title", "BM25 anchor", "BM25 URL", "BM25 body", "TF document",
    "IDF document", "length document", "PageRank", "inlinks", "length of URL", "slashes in URL",
)  # fmt: skip
METHODS: tuple[tuple[Kind, int, Any], ...] = (
    ("tree", 16, "scores"), ("tree", 16, "order"), ("tree", 64, "scores"), ("tree", 64, "order"),
    ("boosted", 8, "scores"), ("boosted", 8, "order"), ("linear", 2, "scores"), ("linear", 2, "order"),
)  # fmt: skip
SETTINGS = {
    "objective": "lambdarank", "metric": "ndcg", "eval_at": [10], "learning_rate": 0.05, "seed": 0,
    "deterministic": True, "verbosity": -1, "num_threads": 1,
}  # fmt: skip
COLUMNS = ("tau", "tau_at_10", "ndcg", "precision")


def ranker(train: ix.datasets.Letor, valid: ix.datasets.Letor) -> lightgbm.Booster:
    X, grades, sizes = train.rows()
    data = lightgbm.Dataset(X, grades, group=sizes)
    X, grades, sizes = valid.rows()
    stop = lightgbm.early_stopping(50, verbose=False)
    heldout = data.create_valid(X, grades, group=sizes)
    return lightgbm.train(SETTINGS, data, 300, valid_sets=[heldout], callbacks=[stop])


def fold(number: int, secondary: Sequence[int], found: dict[Any, list[Any]]) -> None:
    """Adds the metrics of one fold, 1 to 5, by features, queries and method."""
    parts = [DATA / "mq2008" / f"S{(number - 1 + i) % 5 + 1}.txt.gz" for i in range(5)]
    train, valid, test = (ix.read_letor(some) for some in (parts[:3], parts[3], parts[4]))
    booster = ranker(train, valid)
    model = ix.FeatureModel(lambda X: booster.predict(X), LETOR_4)
    heldout = [one for one in test.rankings(model) if np.ptp(one.scores) > 0]
    known = [one for one in train.rankings(model) if np.ptp(one.scores) > 0]
    known = [known[i] for i in np.random.default_rng(0).permutation(len(known))]
    for chosen, names in (("46", LETOR_4), ("12", READABLE)):
        columns = heldout[0].columns(names)
        for queries in secondary:
            fitted = known[:queries]
            X = np.concatenate([one.X[:, columns] for one in fitted])
            scores, sizes = [one.scores for one in fitted], [len(one) for one in fitted]
            single = {"tau": _best_feature(fitted, heldout, columns)}
            found[chosen, queries, "best single feature"].append(single)
            for kind, leaves, labels in METHODS:
                y = _labels(labels, scores)
                mimic = fit_mimic(kind, X, y, sizes, names, max_leaves=leaves, seed=0)
                size = "" if kind == "linear" else f", {leaves} leaves"
                metrics = _metrics(heldout, mimic.model.predict, columns)
                found[chosen, queries, f"{kind}{size}, {labels}"].append(metrics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--secondary", type=int, nargs="+", default=[100, 400])
    options = parser.parse_args()
    found: dict[Any, list[Any]] = defaultdict(list)
    for number in options.folds:
        fold(number, options.secondary, found)
    print("# Mimics of a LightGBM ranker on MQ2008\n")
    print(f"`python benchmarks/mimic.py`: means over {len(options.folds)} of five folds; {machine()}.\n")
    print("| features | secondary queries | mimic, labels | τ | τ@10 | NDCG@10 | P@10 |")
    print("|---|---|---|---|---|---|---|")
    for (chosen, queries, name), rows in found.items():
        cells = [f"{np.mean([r[c] for r in rows]):.3f}" if c in rows[0] else "–" for c in COLUMNS]
        print(f"| {chosen} | {queries} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
