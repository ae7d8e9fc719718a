"""How near readable models come to a LightGBM ranker on MQ2008, by number of secondary queries.

The ranker is LambdaMART on three parts of MQ2008, stopped by the fourth. Mimics are fitted to its scores
of queries of the training parts, and measured on the fifth, against the ranker's own order.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import shards
from problems import write
from shards import keep, kept_rows, sharded
from trec import DATA, machine

import intentx as ix
from intentx.datasets import LETOR_4
from intentx.explainers.features.mimic_metrics import best_feature_of, labels_of, mimic_metrics
from intentx.explainers.features.mimics import Kind, fit_mimic

READABLE = (
    "BM25 document", "BM25 title", "BM25 anchor", "BM25 URL", "BM25 body", "TF document",
    "IDF document", "length document", "PageRank", "inlinks", "length of URL", "slashes in URL",
)  # fmt: skip
FEATURES: dict[str, Sequence[str]] = {"46": LETOR_4, "12": READABLE}
SINGLE = "best single feature"
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


def fold(
    number: int, options: argparse.Namespace, known: Collection[tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    """The metrics of one fold, 1 to 5, by features, queries, synthetic ones and method."""
    parts = [DATA / "mq2008" / f"S{(number - 1 + i) % 5 + 1}.txt.gz" for i in range(5)]
    train, valid, test = (ix.read_letor(some) for some in (parts[:3], parts[3], parts[4]))
    booster = ranker(train, valid)
    model = ix.FeatureModel(lambda X: booster.predict(X), LETOR_4)
    heldout = [one for one in test.rankings(model) if np.ptp(one.scores) > 0]
    able = [one for one in train.rankings(model) if np.ptp(one.scores) > 0]
    able = [able[i] for i in np.random.default_rng(0).permutation(len(able))]
    for chosen, queries, more in product(FEATURES, options.secondary, options.synthetic):
        names = FEATURES[chosen]
        columns = heldout[0].columns(names)
        fitted = able[:queries]
        made, their_scores = synthetic(fitted, more)
        X = np.concatenate([*(one.X for one in fitted), made])[:, columns]
        scores = [*(one.scores for one in fitted), *their_scores]
        key = {"fold": number, "features": chosen, "queries": queries, "synthetic": more}
        if (number, chosen, queries, more, SINGLE) not in known:
            yield key | {"mimic": SINGLE, "tau": best_feature_of(fitted, heldout, columns)}
        for kind, leaves, labels in METHODS:
            size = "" if kind == "linear" else f", {leaves} leaves"
            name = f"{kind}{size}, {labels}"
            wanted = not options.kinds or kind in options.kinds
            if not wanted or (number, chosen, queries, more, name) in known:
                continue
            sizes = [len(one) for one in scores]
            y = labels_of(labels, scores)
            mimic = fit_mimic(kind, X, y, sizes, names, max_leaves=leaves, seed=0)
            metrics = mimic_metrics(heldout, mimic.model.predict, columns)
            yield key | {"mimic": name, **{c: float(metrics[c]) for c in COLUMNS}}


def report(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "# Mimics of a LightGBM ranker on MQ2008\n"
    folds = len({row["fold"] for row in rows})
    yield f"`python benchmarks/mimic.py`: means over {folds} of five folds; {machine()}.\n"
    yield "| features | secondary queries | synthetic ones | mimic, labels | τ | τ@10 | NDCG@10 | P@10 |"
    yield "|---|---|---|---|---|---|---|---|"
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["features"], row["queries"], row["synthetic"], row["mimic"]].append(row)
    order = [SINGLE, *dict.fromkeys(row["mimic"] for row in rows)]
    for key in sorted(found, key=lambda one: (-int(one[0]), one[1], one[2], order.index(one[3]))):
        cells = [
            f"{np.mean([r[c] for r in found[key]]):.3f}" if c in found[key][0] else "–" for c in COLUMNS
        ]
        yield f"| {' | '.join(map(str, key))} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--secondary", type=int, nargs="+", default=[100, 200, 300, 400])
    parser.add_argument(
        "--synthetic", type=int, nargs="+", default=[0], help="queries of made-up documents"
    )
    parser.add_argument("--kinds", nargs="+", default=[], help="only these, such as tree lambdarank")
    shards.add_options(parser)
    parser.add_argument("--out", type=Path, help="folder for mimic.md")
    options = parser.parse_args()
    rows = kept_rows(options.kept)
    columns = ("fold", "features", "queries", "synthetic", "mimic")
    known = {tuple(row[c] for c in columns) for row in rows}
    for number in sharded(options.folds, options.shard):
        rows += keep(options.kept, fold(number, options, known))
    write(report(rows), options.out, "mimic.md")


if __name__ == "__main__":
    main()
