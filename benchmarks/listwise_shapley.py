"""Listwise Shapley values on MQ2008: errors by numbers of sets and background rows, and their cost.

Fold 1, LambdaMART of LightGBM with 300 trees of 31 leaves, 100 background rows of training documents.
The values that estimates are held against come from 2,500 sets with all 100 rows each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from trec import DATA, machine

import intentx as ix
from intentx.datasets.letor import Letor, read_letor
from intentx.models import FeatureModel

ROWS, LONG = 100, 2_500
BUDGETS = ((500, 25), (1000, 12), (1250, 10), (2500, 5))


def trained(train: Letor) -> FeatureModel:
    import lightgbm

    X, grades, sizes = train.rows()
    model = lightgbm.LGBMRanker(
        n_estimators=300, num_leaves=31, learning_rate=0.05, random_state=0, n_jobs=1, verbose=-1,
        deterministic=True,
    )  # fmt: skip
    return FeatureModel(model.fit(X, grades.astype(int), group=sizes), train.names)


def weights(found: ix.ListwiseExplanation) -> np.ndarray:
    return np.array(found.weights)[np.argsort(found.ranking.columns(found.features))]


def errors(
    rankings: list[ix.FeatureRanking], rows: np.ndarray, seeds: int
) -> Iterator[tuple[tuple[int, int], float, float, int]]:
    """Of each budget and query: relative squared error, said error over the true one, rows asked."""
    for ranking in rankings:
        exact = weights(
            ix.ListwiseSHAP(background=rows, samples=LONG, draws=ROWS, seed=99).explain(ranking)
        )
        for samples, draws in BUDGETS:
            for seed in range(seeds):
                found = ix.ListwiseSHAP(
                    background=rows, samples=samples, draws=draws, seed=seed
                ).explain(ranking)
                missed = ((weights(found) - exact) ** 2).mean()
                said = found.metrics["error"] ** 2 / missed
                yield (samples, draws), missed / (exact**2).mean(), said, found.model_calls


def cost(ranking: ix.FeatureRanking, rows: np.ndarray) -> Iterator[str]:
    """Processor time of one explanation by the defaults, and of a pair."""
    last: Any = len(ranking) - 1
    asked = FeatureModel(lambda X: ranking.ask("asked").model.predict(X), ranking.names)
    callable_one = ix.FeatureRanking.from_model(asked, "asked", ranking.doc_ids, ranking.X)
    listwise, valid = ix.ListwiseSHAP(background=rows), ix.ValidFeatures(k=5)
    many = ix.ValidFeatures(k=5, background=rows)
    for name, method, one, question in (
        ("listwise Shapley values of the ranking", listwise, ranking, {}),
        ("the same, trees not read", listwise, callable_one, {}),
        ("of the first document", listwise, ranking, {"doc": 0}),
        ("of the first above the last", listwise, ranking, {"doc": 0, "above": last}),
        ("valid features, k = 5, the mean as background", valid, ranking, {}),
        ("the same, trees not read", valid, callable_one, {}),
        (f"valid features, k = 5, {len(rows)} background rows", many, ranking, {}),
    ):
        start = time.process_time()
        found: Any = method.explain(one, **question)
        spent = time.process_time() - start
        yield f"| {name} | {found.model_calls:,} | {spent:.2f} |"


def report(queries: int, seeds: int) -> Iterator[str]:
    files = [DATA / "mq2008" / f"S{i}.txt.gz" for i in (1, 2, 3, 5)]
    train, test = read_letor(files[:3]), read_letor(files[3])
    model, X = trained(train), train.rows()[0]
    rows = X[np.random.default_rng(0).choice(len(X), ROWS, replace=False)]
    able = [q for q, one in test.queries.items() if len(one.doc_ids) >= 10]
    drawn = [able[i] for i in np.random.default_rng(0).permutation(len(able))[:queries]]
    measured = [*errors(test.rankings(model, drawn), rows, seeds)]
    yield "# Listwise Shapley values: errors and cost\n"
    yield (
        f"Machine: {machine()}. {queries} queries of MQ2008 with 10 documents or more, {seeds} seeds, "
        f"τ, {ROWS} background rows, against {LONG:,} sets with all rows. Error: mean squared error "
        "over the mean square of the weights. Said / true: the root of the mean of the metric `error`, "
        "squared, over the mean squared error.\n"
    )
    yield "| sets | rows for each | rows asked | error | said / true |"
    yield "|---|---|---|---|---|"
    for budget in BUDGETS:
        mine = [one[1:] for one in measured if one[0] == budget]
        missed, said, asked = (np.array(part) for part in zip(*mine, strict=True))
        true = np.sqrt((said * missed).mean() / missed.mean())
        yield (
            f"| {budget[0]:,} | {budget[1]} | {asked.mean():,.0f} | {missed.mean():.4f} | {true:.2f} |"
        )
    longest = max(test.queries, key=lambda q: len(test.queries[q].doc_ids))
    ranking = test.ranking(longest, model)
    yield (
        f"\nThe longest query, {len(ranking)} documents, {len(ranking.names)} features, 300 trees. "
        "Of trees, scores of sets are read from the leaves; a callable is asked for every row.\n"
    )
    yield "| question | rows asked | processor seconds |"
    yield "|---|---|---|"
    yield from cost(ranking, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="the report; default: standard output")
    given = parser.parse_args()
    text = "\n".join([*report(given.queries, given.seeds), ""])
    given.out.write_text(text) if given.out else print(text)


if __name__ == "__main__":
    main()
