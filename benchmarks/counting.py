"""What counts as agreement: the study table2 with ties refused, and with ties let through."""

from __future__ import annotations

import argparse
import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from problems import write
from table2 import rankers
from trec import DATA, machine

import intentx as ix
from intentx.preferences import Pairs, PreferenceMatrices, preference_pairs
from intentx.study import read_study
from intentx.study.boxes import ranking_of, vectors_of
from intentx.study.data import topics

METHODS = ("RANDOM", "QUERY-TERMS", "GREEDY-LM", "MULTIPLEX literal")
RANKERS = ("BERT", "DPR", "DRMM")
COUNTINGS = ("votes added up", "2 of 3, strict", "2 of 3, ties let through")
PUBLISHED = {  # Lyu & Anand 2023, Table 2, TREC-DL: all, far, sampled
    ("BERT", "QUERY-TERMS"): (0.81, 0.82, 0.63),
    ("BERT", "GREEDY-LM"): (0.59, 0.69, 0.84),
    ("BERT", "MULTIPLEX literal"): (0.86, 0.93, 0.97),
    ("DPR", "QUERY-TERMS"): (0.82, 0.84, 0.64),
    ("DPR", "GREEDY-LM"): (0.63, 0.70, 0.75),
    ("DPR", "MULTIPLEX literal"): (0.87, 0.92, 0.96),
    ("DRMM", "QUERY-TERMS"): (0.80, 0.81, 0.59),
    ("DRMM", "GREEDY-LM"): (0.53, 0.54, 0.34),
    ("DRMM", "MULTIPLEX literal"): (0.85, 0.88, 0.95),
}


def shares(matrices: PreferenceMatrices, pairs: Pairs) -> npt.NDArray[np.float64]:
    """(3,) share of some pairs that all terms of ``matrices`` agree with, by each way of counting."""
    part = matrices.on(pairs)
    difference = part.differences(range(part.n_terms))
    need = len(difference) // 2 + 1
    strict = (difference > part.margin).sum(axis=0) >= need
    lenient = (difference >= -part.margin).sum(axis=0) >= need
    return np.array([part.coverage(range(part.n_terms)), strict.mean(), lenient.mean()])


def counted(method: Any, ranking: ix.Ranking) -> npt.NDArray[np.float64]:
    """(3, 3) all, far and sampled pairs, by each way of counting."""
    matrices = method.explain(ranking).matrices
    sampled = preference_pairs(ranking, "random", m=500, seed=0)
    pairs = (preference_pairs(ranking), preference_pairs(ranking, min_rank_gap=10), sampled)
    return np.array([shares(matrices, some) for some in pairs])


def report(queries: int, cache: Path | None) -> Iterator[str]:
    """A row for each ranker, method and way of counting."""
    study = read_study("table2")
    specs = {**study.rankers, **rankers()}
    data = dataclasses.replace(study.data, folder=str(DATA / "dl19"), queries=queries)
    found: dict[tuple[str, str], list[npt.NDArray[np.float64]]] = {}
    for topic in topics(data):
        for ranker in RANKERS:
            ranking = ranking_of(specs[ranker], topic, cache)
            vectors = vectors_of("minilm", ranking.texts)
            for name in METHODS:
                method = study.method(name, vectors=vectors)
                found.setdefault((ranker, name), []).append(counted(method, ranking))
    yield "# What counts as agreement\n"
    yield f"Machine: {machine()}.\n"
    yield (
        f"TREC DL'19 passages, {queries} queries, BM25's first 100 re-ranked; share of the pairs on "
        "which the terms agree with the ranker. A tie is a pair that a simple ranker scores the same, "
        "mostly because neither document holds any of the terms. GREEDY-LM has one simple ranker.\n"
    )
    names = [
        f"{kind}: {part}" for kind in ("published", *COUNTINGS) for part in ("all", "far", "sampled")
    ]
    yield "| | | " + " | ".join(names) + " |"
    yield "|---|---|" + "---|" * len(names)
    for (ranker, name), values in found.items():
        mean = np.mean(values, axis=0)
        cells = [*PUBLISHED.get((ranker, name), (np.nan,) * 3), *mean.T.ravel()]
        plain = ["–" if np.isnan(cell) else f"{cell:.3f}".lstrip("0") for cell in cells]
        yield f"| {ranker} | {name} | " + " | ".join(plain) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--cache", type=Path, help="file of scores")
    parser.add_argument("--out", type=Path, help="folder for counting.md")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ix.errors.TruncationWarning)
        write(report(options.queries, options.cache), options.out, "counting.md")


if __name__ == "__main__":
    main()
