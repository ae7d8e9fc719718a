"""How like a ranker's order the order of a query of ten terms can be: `EquivalentQuery` and others.

python benchmarks/equivalent_query.py [queries] [collection] > results/equivalent_query.md
"""

from __future__ import annotations

import sys
import time

import numpy as np
from trec import load, machine

import intentx as ix
from intentx.explainers.change.query_search import best_first, greedy
from intentx.explainers.change.term_sets import Likeness, TermSets
from intentx.preferences.candidates import candidate_terms
from intentx.text import TextIndex

COLUMNS = (
    "query", "greedy", "best-first", "ours", "shuffled",
    "query, left out", "ours, left out", "shuffled, left out", "search s", "with controls s",
)  # fmt: skip


def main(queries: int, name: str) -> None:
    collection, analyzer = load(name), ix.Analyzer(stem="english")
    print(
        f"# Equivalent queries\n\n{collection.name}, ten terms, BM25 over the candidates; {machine()}."
    )
    print("Means of RBO (p = 0.9), and of processor seconds.\n")
    print("| run | queries |", " | ".join(COLUMNS), "|")
    print("|---|---|" + "---|" * len(COLUMNS))
    for run in (one for one in collection.runs if "SPLADE" in one or "TASB" in one):
        rows = []
        for qid in [*collection.runs[run]][:queries]:
            ranking = ix.Ranking.from_run(
                collection.runs[run][qid], collection.queries[qid], collection.texts
            )
            rows.append(measured(ranking, analyzer))
        cells = " | ".join(f"{one:.3f}" for one in np.mean(rows, axis=0))
        print(f"| {run} | {len(rows)} | {cells} |", flush=True)


def measured(ranking: ix.Ranking, analyzer: ix.Analyzer) -> list[float]:
    method = ix.EquivalentQuery(analyzer=analyzer)
    started = time.process_time()
    found = method.explain(ranking)
    spent = time.process_time() - started
    index = TextIndex(ranking.texts, analyzer)
    pool = candidate_terms(ranking, method.candidates, index=index, importance="text-matching").terms
    sets = TermSets(ix.TextMatching().term_scores(pool, index), len(ranking))
    likeness = Likeness("rbo", len(ranking), len(ranking))
    one = found.agreement
    assert one is not None
    others = [greedy(sets, likeness).value, best_first(sets, likeness).value]
    shares = found.seconds["search"] / found.seconds["total"]
    held = [one.query_heldout_rbo, one.heldout_rbo, one.shuffled_heldout_rbo]
    return [one.query_rbo, *others, one.rbo, one.shuffled_rbo, *held, spent * shares, spent]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 43, sys.argv[2] if len(sys.argv) > 2 else "dl19")
