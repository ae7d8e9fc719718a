"""The selection problems that the solver benchmarks share: real rankings, candidates and scores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trec import load, minilm_vectors

import intentx as ix
from intentx.preferences import PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.candidates import candidate_terms
from intentx.preferences.pairs import PairStrategy
from intentx.preferences.simple_rankers import default_simple_rankers, term_scores
from intentx.text import TextIndex

__all__ = ["all_pairs", "pooled_ranking", "problems", "write"]


def problems(
    queries: int, pairs: int | None = None, rankers: int = 3, terms: int = 200
) -> Iterator[tuple[str, PreferenceMatrices]]:
    """Name and matrices of each problem: the 100 documents of a recorded ranking.

    ``pairs`` drawn at random, None for all of them; the first ``rankers`` simple rankers.
    """
    collection = load()
    for qid in sorted(collection.queries)[:queries]:
        ranking = collection.ranking(_system(), qid)
        strategy: PairStrategy = "all" if pairs is None else "random"
        scores = TermScores(_scores(ranking, terms).values[:rankers])
        yield qid, PreferenceMatrices(scores, preference_pairs(ranking, strategy, m=pairs))


def all_pairs(ranking: ix.Ranking, terms: int) -> PreferenceMatrices:
    """All pairs of a ranking under three simple rankers."""
    return PreferenceMatrices(_scores(ranking, terms), preference_pairs(ranking))


def pooled_ranking(documents: int) -> ix.Ranking:
    """A ranking of any length: the passages of several queries, each with its own query's score."""
    collection = load()
    run: dict[str, float] = {}
    pool: dict[str, str] = {}
    for qid in sorted(collection.queries):
        for doc_id, score in collection.runs[_system()][qid].items():
            if len(run) < documents and doc_id not in run:
                run[doc_id], pool[doc_id] = score, collection.texts[doc_id]
    return ix.Ranking.from_run(run, collection.queries[sorted(collection.queries)[0]], pool)


def write(lines: Iterator[str], folder: Path | None, name: str) -> None:
    """Print lines as they come, and keep a file of them up to date."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")
    for line in lines:
        print(line, flush=True)
        if folder:
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _system() -> str:
    return "generated" if "generated" in load().runs else "SPLADE_P_P_ENSEMBLE_DISTIL"


def _scores(ranking: ix.Ranking, terms: int) -> TermScores:
    index = TextIndex(ranking.texts, ix.Analyzer())
    names = candidate_terms(ranking, terms, index=index).terms
    return term_scores(names, index, default_simple_rankers(minilm_vectors()))
