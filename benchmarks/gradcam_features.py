"""Kurtosis and sum of Grad-CAM's map as features of LambdaMART: with and without, cross-validated.

The outlook of Choi, Choi & Rhee (2020), tried: a MatchPyramid on GloVe's vectors, trained on DL'21 and
DL'22, reads BM25's first hundred passages of DL'19; LambdaMART learns from text features, and from
what the map adds. The MatchPyramid's own score is a control: what the map tells may be no more than
that.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from fidelity import interval
from problems import write
from rerank import measured
from train_rankers import RECIPES, SYSTEM, collection, reranked, trained_by
from trec import machine

import intentx as ix
from intentx.evaluation.statistics import bootstrap
from intentx.rankers import MatchPyramidSettings, TextFeatures, train_lambdamart

Floats = npt.NDArray[np.float64]

MAP, SCORE = ("kurtosis of the map", "sum of the map"), ("MatchPyramid's score",)
FOLDS, SEEDS = 5, (0, 1, 2, 3, 4)
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "text features": (),
    "and kurtosis and sum of the map": MAP,
    "and MatchPyramid's score": SCORE,
    "and score, kurtosis and sum": (*SCORE, *MAP),
}


class WithMap:
    """Text features, and some of a passage's map, as LambdaMART reads them."""

    def __init__(self, added: tuple[str, ...]) -> None:
        self.added = added
        self.names = (*_features().names, *added)

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        of_map = [[_maps()[query, text][name] for name in self.added] for text in texts]
        return np.hstack([_text(query, tuple(texts)), np.array(of_map).reshape(len(texts), -1)])


@cache
def _features() -> TextFeatures:
    """With the statistics of DL'22, whose passages nobody judged."""
    return TextFeatures(collection("dl22").texts.values())


@cache
def _text(query: str, texts: tuple[str, ...]) -> Floats:
    return np.asarray(_features()(query, texts))


@cache
def _maps() -> dict[tuple[str, str], dict[str, float]]:
    """By query and passage what the map says, for BM25's candidates of all queries."""
    settings = MatchPyramidSettings.published()
    recipe = dataclasses.replace(RECIPES["matchpyramid"], settings=settings, vectors="glove")
    ranker, among = trained_by(recipe, seeds=(0,)), collection("dl19")
    found = {}
    for qid, query in among.queries.items():
        ranking = ix.rank(ranker, query, among.pool(SYSTEM, qid))
        for place, text in enumerate(ranking.texts):
            metrics: Any = ix.GradCAM().explain(ranking, place).metrics
            kurtosis = metrics["kurtosis"]  # none where all cells are equal
            found[query, text] = {
                MAP[0]: 0.0 if np.isnan(kurtosis) else kurtosis,
                MAP[1]: metrics["sum"],
                SCORE[0]: float(ranking.scores[place]),
            }
    return found


def cross_validated(added: tuple[str, ...], seed: int) -> Floats:
    """nDCG@10 of each query of DL'19, held out of the training."""
    among = collection("dl19")
    order = np.random.default_rng(0).permutation(sorted(among.queries)).tolist()
    run: dict[str, dict[str, float]] = {}
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        lists = []
        for qid in order:
            if qid not in held:
                ids = list(among.run(SYSTEM)[qid])
                grades = [among.qrels[qid].get(doc_id, 0) for doc_id in ids]
                lists.append((among.queries[qid], [among.texts[i] for i in ids], grades))
        ranker = train_lambdamart(lists, WithMap(added), leaves=4, seed=seed)
        run |= reranked(ranker, among, held)
    values = measured(run)
    return np.array([values[qid][0] for qid in sorted(values)])


def report() -> Iterator[str]:
    yield "# Grad-CAM's map as features of LambdaMART\n"
    yield (
        f"DL'19, 43 queries, {FOLDS} folds, mean of {len(SEEDS)} seeds of LambdaMART for each query; "
        "nDCG@10 of BM25's first hundred, re-ranked, with a 95 % bootstrap interval over queries. "
        "The MatchPyramid has the published settings, GloVe's vectors and one seed; it learned from "
        "DL'21 and DL'22. "
        f"`python gradcam_features.py --out results`. Machine: {machine()}.\n"
    )
    yield "| LambdaMART learns from | nDCG@10 | more than from text features alone |\n|---|---|---|"
    found: dict[str, Floats] = {}
    for name, added in VARIANTS.items():
        found[name] = np.mean([cross_validated(added, seed) for seed in SEEDS], axis=0)
        more = found[name] - found["text features"]
        yield f"| {name} | {interval(found[name])} | {interval(more) if added else ''} |"
    yield ""
    yield said(found)


def said(found: Mapping[str, Floats]) -> str:
    """What can be told of it, in words."""
    plain, score, both = "text features", "and MatchPyramid's score", "and score, kurtosis and sum"
    alone = found["and kurtosis and sum of the map"] - found[plain]
    beyond = found[both] - found[score]
    return (
        f"Kurtosis and sum of the map {_change(alone)} beside text features, and {_change(beyond)} "
        "where the MatchPyramid's own score is among the features already "
        f"({interval(beyond)})."
    )


def _change(values: Floats) -> str:
    one = bootstrap(values)
    if one.low > 0:
        return "raise nDCG@10"
    return "lower nDCG@10" if one.high < 0 else "change nothing that can be told from chance"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for gradcam_features.md")
    options = parser.parse_args()
    write(report(), options.out, "gradcam_features.md")


if __name__ == "__main__":
    main()
