"""What counts as agreement: the study table2 by our counting, by others, and by the published rule."""

from __future__ import annotations

import argparse
import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from problems import write
from table2 import rankers
from trec import DATA, machine

import intentx as ix
from intentx.evaluation.published import published_by_votes
from intentx.preferences import Pairs, PreferenceMatrices, preference_pairs
from intentx.study import read_study
from intentx.study.data import text_topics
from intentx.study.rankings import ranking_of, vectors_of

METHODS = ("RANDOM", "QUERY-TERMS", "GREEDY-LM", "MULTIPLEX literal", "MULTIPLEX")
RANKERS = ("BERT", "DPR", "DRMM", "MatchPyramid")
SETS = ("all", "far", "sampled")
COUNTINGS = {  # of the pairs in SETS
    "sum": "votes added up",
    "strict": "2 of 3, strict",
    "lenient": "2 of 3, ties let through",
}
RULE = {  # by the published rule
    "vote1_all": "vote 1: all",
    "vote1_gap": "vote 1: gap",
    "vote2_all": "vote 2: all",
    "vote2_gap": "vote 2: gap",
    "fitted": "fitted",
}
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

Row = Mapping[str, Any]


def shares(matrices: PreferenceMatrices, pairs: Pairs) -> tuple[float, float, float]:
    """Share of some pairs that all terms of ``matrices`` agree with, by each of COUNTINGS."""
    part = matrices.on(pairs)
    difference = part.differences(range(part.n_terms))
    need = len(difference) // 2 + 1
    strict = (difference > part.margin).sum(axis=0) >= need
    lenient = (difference >= -part.margin).sum(axis=0) >= need
    return part.coverage(range(part.n_terms)), float(strict.mean()), float(lenient.mean())


def counted(explanation: ix.IntentExplanation, tolerance: float | None, gap: int) -> dict[str, Any]:
    """Every metric of one explanation, by its name, and the tolerance that was used."""
    ranking = explanation.ranking
    sampled = preference_pairs(ranking, "random", m=500, seed=0)
    metrics: dict[str, float] = {}
    sets = (preference_pairs(ranking), preference_pairs(ranking, min_rank_gap=gap), sampled)
    for name, pairs in zip(SETS, sets, strict=True):
        for way, share in zip(COUNTINGS, shares(explanation.matrices, pairs), strict=True):
            metrics[f"{way}_{name}"] = share
    rule = published_by_votes(explanation, (1, 2), tolerance, fitted=sampled)
    for one in rule:
        metrics |= {f"vote{one.vote}_all": one.all, f"vote{one.vote}_gap": one.gap}
    metrics["fitted"] = rule[0].fitted
    plain = {name: None if np.isnan(value) else value for name, value in metrics.items()}
    return {"terms": explanation.terms, "used": rule[0].tolerance, "metrics": plain}


def run(
    names: Sequence[str], queries: int, cache: Path | None, vectors: str | None, kept: Sequence[Row]
) -> Iterator[Row]:
    """A row for each query, ranker and method that ``kept`` has not."""
    study = read_study("table2")
    specs = {**study.rankers, **rankers(names)}
    data = dataclasses.replace(study.data, folder=str(DATA / "dl19"), queries=queries)
    known = {_key(row) for row in kept}
    for topic in text_topics(data):
        for ranker in names:
            tolerance = study.measures.tolerance.get(ranker)
            parts = {"ranker": ranker, "qid": topic.qid, "tolerance": tolerance, "vectors": vectors}
            rows: list[Row] = [{**parts, "method": method} for method in METHODS]
            rows = [row for row in rows if _key(row) not in known]
            if not rows:
                continue
            ranking = ranking_of(specs[ranker], topic, cache)
            found = vectors_of(vectors, ranking.texts)
            for row in rows:
                explanation = study.method(row["method"], vectors=found).explain(ranking)
                yield {**row, **counted(explanation, tolerance, study.measures.gap)}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("ranker", "qid", "method", "tolerance", "vectors"))


def read(file: Path | None) -> list[Row]:
    """The rows of a file; a line that was cut off by a kill is left out, and measured again."""
    if file is None or not file.exists():
        return []
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def add(file: Path, line: str) -> None:
    """Add a line, behind one that a kill may have cut off."""
    cut = file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size
    with file.open("a", encoding="utf-8") as out:
        out.write(f"\n{line}\n" if cut else f"{line}\n")


def report(rows: Sequence[Row], names: Sequence[str], vectors: str | None) -> Iterator[str]:
    """The page: means over queries, by every way of counting."""
    tolerances = read_study("table2").measures.tolerance
    rows = [  # of one way to run it
        row
        for row in rows
        if row["vectors"] == vectors and row["tolerance"] == tolerances.get(row["ranker"])
    ]
    groups = {
        (ranker, method): [row for row in rows if (row["ranker"], row["method"]) == (ranker, method)]
        for ranker in names
        for method in METHODS
    }
    yield "# What counts as agreement\n"
    yield f"Machine: {machine()}.\n"
    numbers = sorted({len(some) for some in groups.values()})
    yield (
        f"TREC DL'19 passages, {' to '.join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))} "
        "queries, BM25's first 100 re-ranked; share of the pairs on which the terms agree with the "
        "ranker. *MULTIPLEX literal* is the published method with the published settings, *MULTIPLEX* "
        "our default. GREEDY-LM has one simple ranker, the others three. "
        f"Term vectors of the semantic one: {vectors or 'learned from the documents'}.\n"
    )
    yield "## Our counting, and two others\n"
    yield (
        "A tie is a pair that a simple ranker scores the same, mostly because neither document holds "
        "any of the terms. Far pairs are ten ranks apart or more.\n"
    )
    heads = {f"{way}_{name}": f"{COUNTINGS[way]}: {name}" for way in COUNTINGS for name in SETS}
    yield from _table(groups, heads, SETS)
    yield "\n## The published rule\n"
    yield from _rule(groups, names)
    yield from _table(groups, RULE, ("all", "gap", "fitted"))


def _rule(groups: Mapping[tuple[str, str], Sequence[Row]], names: Sequence[str]) -> Iterator[str]:
    """What is counted, and by which tolerances."""
    told = []
    for ranker in names:
        rows = [row for (name, _), some in groups.items() if name == ranker for row in some]
        if not rows:
            continue
        used = [row["used"] for row in rows]
        asked = rows[0]["tolerance"]
        median = f"the median of each ranking, {min(used):.3g} to {max(used):.3g}"
        told.append(f"{ranker} {median if asked is None else f'{asked:g}'}")
    yield (
        "`intentx.published_fidelity`. The query's terms are added to those found. *All*: pairs on "
        "which at least *vote* simple rankers agree strictly. *Gap*: the same among the pairs whose "
        f"scores differ by a tolerance or more: {'; '.join(told)}. *Fitted*: the largest share, over "
        "the simple rankers, of the sampled pairs that one of them does not contradict, by the terms "
        "found alone; ties count, and there is no vote. With one simple ranker: concordant pairs over "
        "the root of (pairs untied by the ranker × pairs untied by the terms).\n"
    )


def _table(
    groups: Mapping[tuple[str, str], Sequence[Row]], heads: Mapping[str, str], sets: Sequence[str]
) -> Iterator[str]:
    names = [*(f"published: {name}" for name in sets), *heads.values()]
    yield "| | | " + " | ".join(names) + " |"
    yield "|---|---|" + "---|" * len(names)
    for (ranker, method), rows in groups.items():
        cells = [*PUBLISHED.get((ranker, method), (None,) * 3)]
        for name in heads:
            values = [row["metrics"][name] for row in rows if row["metrics"][name] is not None]
            cells.append(float(np.mean(values)) if values else None)
        plain = ["–" if cell is None else f"{cell:.3f}".removeprefix("0") for cell in cells]
        yield f"| {ranker} | {method} | " + " | ".join(plain) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--rankers", nargs="+", choices=RANKERS, default=list(RANKERS))
    parser.add_argument("--vectors", default="minilm", help='"none": learned from the documents')
    parser.add_argument("--cache", type=Path, help="file of scores")
    parser.add_argument(
        "--kept", type=Path, help="JSONL file that rows are added to; run again, it goes on from there"
    )
    parser.add_argument("--out", type=Path, help="folder for counting.md")
    options = parser.parse_args()
    vectors = None if options.vectors == "none" else options.vectors
    rows = read(options.kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ix.errors.TruncationWarning)
        for row in run(options.rankers, options.queries, options.cache, vectors, list(rows)):
            rows.append(row)
            line = json.dumps(row, ensure_ascii=False)
            print(line, flush=True)
            if options.kept:
                add(options.kept, line)
    write(report(rows, options.rankers, vectors), options.out, "counting.md")


if __name__ == "__main__":
    main()
