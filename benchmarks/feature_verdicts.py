"""How often features are said to hold: on the scores of a LambdaMART of MQ2008, and on shuffled ones.

Shuffled scores belong to no document, so that no features explain them: what is said to hold there is
a false alarm. Rows go to ``--kept`` as they are measured, and what is there is not measured again.

python benchmarks/feature_verdicts.py --queries 30 --kept FILE --out benchmarks/results
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shards
from ltr_explanations import LEAST, trained
from problems import write
from shards import keep, kept_rows, sharded
from trec import DATA, machine

import intentx as ix
from intentx.datasets.letor import read_letor
from intentx.models import FeatureModel

METHODS: Mapping[str, Any] = {
    "ValidFeatures": ix.ValidFeatures(),
    "ValidFeatures, half completeness": ix.ValidFeatures(completeness=0.5),
    "greedy": ix.ValidFeatures(method="greedy"),
    "greedy-cover": ix.ValidFeatures(method="greedy-cover"),
    "ListwiseSHAP": ix.ListwiseSHAP(samples=100),
    **{
        f"FeatureBaseline, {by}": ix.FeatureBaseline(by=by)
        for by in ("shap", "permutation", "gain", "rank-lime", "random")
    },
}
SCORES = ("the model's", "shuffled")


def rows(
    queries: int, known: set[tuple[str, str, str]], shard: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    """The verdict of each query, method and kind of scores that is not known yet."""
    parts = [DATA / "mq2008" / f"S{i + 1}.txt.gz" for i in range(5)]
    train, valid, test = read_letor(parts[:3]), read_letor(parts[3]), read_letor(parts[4])
    model = FeatureModel(trained(train, valid), train.names)
    able = [qid for qid, one in test.queries.items() if len(one.doc_ids) >= LEAST]
    drawn = [able[i] for i in np.random.default_rng(1).permutation(len(able))]
    rankings = [one for one in (test.ranking(qid, model) for qid in drawn) if np.ptp(one.scores)]
    for number, ranking in sharded([*enumerate(rankings[:queries])], shard):
        mixed = np.random.default_rng([7, number]).permutation(ranking.scores)
        other = ix.FeatureRanking(
            ranking.query, ranking.doc_ids, ranking.X, ranking.names, mixed, ranking.model
        )
        for scores, one in zip(SCORES, (ranking, other), strict=True):
            for name, method in METHODS.items():
                if (ranking.query, name, scores) not in known:
                    key = {"query": ranking.query, "method": name, "scores": scores}
                    yield key | {"level": ix.verdict(method.explain(one)).level}


def report(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    queries = len({row["query"] for row in found})
    yield (
        f"# Verdicts of features\n\n{queries} test queries of fold 1 of MQ2008, {LEAST} documents or "
        f"more; LambdaMART, five features, the background the mean of the documents; {machine()}. On "
        "shuffled scores, *holds* is a false alarm.\n"
    )
    yield "| method | queries | holds | weak | shuffled scores: holds | weak |"
    yield "|---|---|---|---|---|---|"
    alarms = []
    for name in METHODS:
        cells = []
        for scores in SCORES:
            levels = [r["level"] for r in found if (r["method"], r["scores"]) == (name, scores)]
            cells += [levels.count("holds"), levels.count("weak")]
        if levels:
            alarms.append(cells[2] / len(levels))
            yield f"| {name} | {len(levels)} | {' | '.join(map(str, cells))} |"
    yield f"\nFalse alarms, the mean over methods: {np.mean(alarms):.1%}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=30)
    shards.add_options(parser)
    parser.add_argument("--out", type=Path, help="folder for feature_verdicts.md")
    options = parser.parse_args()
    found = kept_rows(options.kept)
    known = {(row["query"], row["method"], row["scores"]) for row in found}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found += keep(options.kept, rows(options.queries, known, options.shard))
        write(report(found), options.out, "feature_verdicts.md")


if __name__ == "__main__":
    main()
