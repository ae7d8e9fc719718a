"""How like a ranker's order the order of a query of ten terms can be: `EquivalentQuery` and others.

Over the candidates, for runs of TREC DL'19 and for MiniLM and the cross-encoder on BM25's first hundred;
over the whole collection of passages; and how often a random order is called better than chance.

python benchmarks/equivalent_query.py --queries 43 --scored 12 --whole 10 --shuffled 43 --kept FILE
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shards
from problems import write
from shards import keep, kept_rows, sharded
from train_rankers import CROSS_ENCODER
from trec import load, machine

import intentx as ix
from intentx.explainers.change.query_controls import (
    SHUFFLES,
    chance_threshold,
    heldout_likeness,
)
from intentx.explainers.change.query_search import greedy
from intentx.explainers.change.term_sets import Likeness, TermSets
from intentx.preferences.candidates import candidate_terms
from intentx.rankers import RankerSpec
from intentx.text import TextIndex

ANALYZER = ix.Analyzer(stem="english")
COLUMNS = (
    "query", "greedy", "best-first", "ours", "shuffled",
    "query, left out", "ours, left out", "shuffled, left out", "search s", "with controls s",
)  # fmt: skip
WHOLE = ("query", "best-first", "ours", "shuffled", "s")
SCORED = {"MiniLM": "bi-encoder:minilm", "cross-encoder": f"cross-encoder:{CROSS_ENCODER}"}
ORDERS = SHUFFLES + 1  # random orders of each query
Rankings = Iterator[ix.Ranking]


def recorded(run: str, queries: int, shard: tuple[int, int], known: set[str]) -> Rankings:
    collection = load()
    for qid in sharded([*collection.runs[run]][:queries], shard):
        query = collection.queries[qid]
        if query not in known:
            yield ix.Ranking.from_run(collection.runs[run][qid], query, collection.texts)


def scored(
    name: str, queries: int, cache: Path | None, shard: tuple[int, int], known: set[str]
) -> Rankings:
    collection = load()
    for qid in sharded(sorted(collection.queries)[:queries], shard):
        if collection.queries[qid] in known:
            continue
        pool = collection.pool("BM25", qid)
        scorer = RankerSpec.parse(SCORED[name]).load(list(pool.values()))
        yield ix.rank(scorer, collection.queries[qid], pool, truncated="warn", cache=cache)


def measured(ranking: ix.Ranking) -> list[float]:
    method = ix.EquivalentQuery(analyzer=ANALYZER)
    started = time.process_time()
    found = method.explain(ranking)
    spent = time.process_time() - started
    index = TextIndex(ranking.texts, ANALYZER)
    pool = candidate_terms(ranking, method.candidates, index=index, importance="text-matching").terms
    sets = TermSets(ix.TextMatching().term_scores(pool, index), len(ranking))
    plain = greedy(sets, Likeness("rbo", len(ranking), len(ranking))).value
    one = found.agreement
    assert one is not None
    share = found.seconds["search"] / found.seconds["total"]
    held = [one.query_heldout_rbo, one.heldout_rbo, one.shuffled_heldout_rbo]
    fitted = [one.query_rbo, plain, one.best_first_rbo, one.rbo, one.shuffled_rbo]
    return [*fitted, *held, spent * share, spent]


def among_all(ranking: ix.Ranking, method: ix.EquivalentQuery) -> list[float]:
    started = time.process_time()
    one = method.explain(ranking).agreement
    assert one is not None
    spent = time.process_time() - started
    return [one.query_rbo, one.best_first_rbo, one.rbo, one.shuffled_rbo, spent]


def alarm(ranking: ix.Ranking, number: int) -> list[float]:
    """What queries found in random orders reach on documents left out."""
    method = ix.EquivalentQuery(analyzer=ANALYZER, seed=number)
    index, draws = TextIndex(ranking.texts, ANALYZER), np.random.default_rng([7, number])
    return [
        heldout_likeness(method, ranking.shuffled(draws), index, draws, method.steps).found
        for _ in range(ORDERS)
    ]


def _run(name: str) -> str:
    return next(run for run in load().runs if name in run)


def rows(options: argparse.Namespace, known: set[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    """What is not known yet: the table, the ranker, the query, and its numbers."""
    queries, shard = options.queries, options.shard

    def done(table: str, name: str) -> set[str]:
        return {query for their, one, query in known if (their, one) == (table, name)}

    sources = {
        _run(run): recorded(_run(run), queries, shard, done("candidates", _run(run)))
        for run in ("SPLADE", "TASB")
    }
    sources |= {
        name: scored(name, options.scored, options.cache, shard, done("candidates", name))
        for name in SCORED
    }
    for name, rankings in sources.items():
        for one in rankings:
            yield _row("candidates", name, one, measured(one))
    for by in ("bm25", "lm"):
        found = [*recorded(_run("SPLADE"), options.whole, shard, done("whole", by))]
        if found:
            whole = ix.EquivalentQuery(analyzer=ANALYZER, collection=dict(load().texts)).collection
            method = ix.EquivalentQuery(analyzer=ANALYZER, collection=whole, simple_ranker=by)
            for one in found:
                yield _row("whole", by, one, among_all(one, method))
    for run in ("SPLADE", "TASB"):
        numbers = {load().queries[qid]: n for n, qid in enumerate(load().runs[_run(run)])}
        for one in recorded(_run(run), options.shuffled, shard, done("shuffled", run)):
            yield _row("shuffled", run, one, alarm(one, numbers[one.query]))


def _row(table: str, name: str, ranking: ix.Ranking, numbers: Sequence[float]) -> dict[str, Any]:
    return {"table": table, "name": name, "query": ranking.query, "numbers": [*map(float, numbers)]}


def report(kept: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    collection = load()
    yield f"# Equivalent queries\n\n{collection.name}, ten terms; {machine()}, shared."
    yield "Means over queries of RBO (p = 0.9), and of processor seconds.\n"
    heads = {
        "candidates": ("Over the candidates, by BM25", ("ranker", "queries", *COLUMNS)),
        "whole": (
            f"Among all {len(collection.texts):,} passages, {_run('SPLADE')}",
            ("ranked by", "queries", *WHOLE),
        ),
    }
    for table, (title, columns) in heads.items():
        if not any(row["table"] == table for row in kept):
            continue
        yield f"## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
        for name in dict.fromkeys(row["name"] for row in kept if row["table"] == table):
            found = [r["numbers"] for r in kept if (r["table"], r["name"]) == (table, name)]
            cells = " | ".join(f"{one:.3f}" for one in np.mean(found, axis=0))
            yield f"| {name} | {len(found)} | {cells} |"
        yield ""
    yield (
        f"Random orders: {ORDERS} for each query, each held against the threshold of the others, as the "
        "verdict does.\n"
    )
    for run in dict.fromkeys(row["name"] for row in kept if row["table"] == "shuffled"):
        found = [row["numbers"] for row in kept if (row["table"], row["name"]) == ("shuffled", run)]
        called = [
            one >= chance_threshold([*orders[:i], *orders[i + 1 :]])
            for orders in found
            for i, one in enumerate(orders)
        ]
        yield (
            f"- {_run(run)}, {len(found)} queries: {sum(called)} of {len(called)} "
            f"({np.mean(called):.1%}) are called better than chance."
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43, help="of the recorded runs")
    parser.add_argument("--scored", type=int, default=43, help="queries that rankers score")
    parser.add_argument("--whole", type=int, default=10, help="queries among all passages")
    parser.add_argument("--shuffled", type=int, default=43, help="queries of random orders")
    parser.add_argument("--cache", type=Path, help="file of scores")
    shards.add_options(parser)
    parser.add_argument("--out", type=Path, help="folder for equivalent_query.md")
    options = parser.parse_args()
    kept = kept_rows(options.kept)
    known = {(row["table"], row["name"], row["query"]) for row in kept}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept += keep(options.kept, rows(options, known))
        write(report(kept), options.out, "equivalent_query.md")


if __name__ == "__main__":
    main()
