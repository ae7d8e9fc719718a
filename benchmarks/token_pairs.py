"""Token pairs of MiniLM: do they add up, what do they cost, and do they tell what deleting does?

Of each query the first document of MiniLM's order, or, by ``--unrelated``, a passage whose cosine with
the query is almost 0. How far the cells are from those of 96 points is told beside the gap, which the
adjusted weights make small. A word weighs the sum of its columns, a word of the
query that of its rows. Held against them: by how much the score falls when the word is deleted, from the
document everywhere it occurs, from the query in its place.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from problems import write
from scipy.stats import spearmanr
from trec import clock, load, machine

import intentx as ix
from intentx.perturbation import keep_units
from intentx.rankers import BiEncoder

WAYS = {
    "split": ix.TokenPairs(method="split"),
    "integrated": ix.TokenPairs(method="integrated"),
    "integrated, steps=24": ix.TokenPairs(method="integrated", steps=24),
    "deletion": ix.TokenPairs(method="deletion"),
}
FINE = ix.TokenPairs(method="integrated", steps=96)
CANDIDATES = 20


def falls(ranking: ix.Ranking, found: ix.TokenPairsExplanation) -> list[float]:
    """How far the score falls without each term of the document."""
    text = found.document
    tokens = found.analyzer.tokens(text)
    units = [[(t.start, t.end) for t in tokens if t.term == term] for term in found.terms]
    kept = ~np.eye(len(units), dtype=bool)
    assert ranking.scorer is not None
    scores = ranking.scorer(ranking.query, keep_units(text, units, kept))
    return list(found.metrics["score"] - scores)


def falls_of_query(
    ranking: ix.Ranking, found: ix.TokenPairsExplanation
) -> tuple[list[float], list[float]]:
    """The rows added up over each word of the query, and how far the score falls without it."""
    query, sums, fell = ranking.query, [], []
    assert ranking.scorer is not None
    for word in found.analyzer.tokens(query):
        rows = [
            float(value)
            for token, value in zip(found.query_tokens, found.by_query_token, strict=True)
            if token.start is not None and word.start <= token.start < word.end
        ]
        sums.append(sum(rows))
        without = (query[: word.start].rstrip() + " " + query[word.end :].lstrip()).strip()
        fell.append(found.metrics["score"] - float(ranking.scorer(without, [found.document])[0]))
    return sums, fell


def rankings(number: int, device: str, unrelated: bool) -> Iterator[ix.Ranking]:
    """Of each query the passages to explain the first of."""
    collection, scorer = load(), BiEncoder.minilm(device=device)
    qids = sorted(collection.queries)
    pools = {qid: list(collection.pool("BM25", qid).values())[:CANDIDATES] for qid in qids}
    for qid in qids[:number]:
        query, texts = collection.queries[qid], pools[qid]
        if unrelated:
            texts = [one for other in qids if other != qid for one in pools[other][:3]]
            texts = [texts[int(np.abs(scorer(query, texts)).argmin())]]
        yield ix.rank(scorer, query, texts, truncated="cut")


def _pairs(method: ix.TokenPairs, ranking: ix.Ranking) -> ix.TokenPairsExplanation:
    found = method.explain(ranking, 0)
    assert isinstance(found, ix.TokenPairsExplanation)
    return found


def measured(
    number: int, ways: Sequence[str], device: str, unrelated: bool
) -> dict[str, list[dict[str, float]]]:
    """The numbers of some ways, a row for each query."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for ranking in rankings(number, device, unrelated):
        fine = _pairs(FINE, ranking).matrix
        for name, method in ((name, WAYS[name]) for name in ways):
            if not found[name]:
                method.explain(ranking, 0)  # what is loaded once is not what is measured
            started = clock(device)
            one = _pairs(method, ranking)
            seconds = clock(device) - started
            sums, fell = falls_of_query(ranking, one)
            found[name].append(
                {
                    "gap": one.metrics["relative_gap"],
                    "seconds": seconds,
                    "off": float(np.abs(one.matrix - fine).mean() / np.abs(fine).mean())
                    if one.way == "integrated"
                    else float("nan"),
                    "pairs": float(one.matrix.size),
                    "sum": float(one.matrix.sum()),
                    "rest": one.rest,
                    "score": one.metrics["score"],
                    "columns": _correlation(list(one.weights), falls(ranking, one)),
                    "rows": _correlation(sums, fell),
                }
            )
    return found


def _correlation(one: list[float], other: list[float]) -> float:
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one, other).statistic)


def report(number: int, ways: Sequence[str], device: str, unrelated: bool) -> Iterator[str]:
    yield "# Token pairs of MiniLM\n"
    which = (
        "a passage of another query whose cosine is nearest to 0"
        if unrelated
        else f"the first passage of MiniLM's order of BM25's first {CANDIDATES}"
    )
    yield (
        f"{load().name}, {which}, {number} "
        "queries; `python token_pairs.py --out results`. Off: the mean distance of cells from those of "
        "96 points, as a share of their mean size. Columns: Spearman's correlation of the words' "
        "weights (sums of columns) with how far the score falls without the word; rows: the same of the "
        "words of the query. Mean over queries. Seconds: "
        f"{'of the processor, one thread' if device == 'cpu' else 'those that pass'}. "
        f"Machine: {machine(device)}, torch {torch.__version__}.\n"
    )
    yield (
        "| way | median relative gap | largest | off, largest | pairs | s, median | largest | cells | "
        "rest | score | columns | rows |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for name, rows in measured(number, ways, device, unrelated).items():
        of = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        promised = not np.isnan(of["gap"]).all()
        gaps = f"{np.median(of['gap']):.1e} | **{of['gap'].max():.1e}**" if promised else "– | –"
        off = "–" if np.isnan(of["off"]).all() else f"{of['off'].max():.1e}"
        means = " | ".join(f"{of[key].mean():.2f}" for key in ("sum", "rest", "score"))
        lines = " | ".join(f"{np.nanmean(of[key]):.2f}" for key in ("columns", "rows"))
        yield (
            f"| {name} | {gaps} | {off} | {of['pairs'].mean():.0f} | {np.median(of['seconds']):.2f} | "
            f"{of['seconds'].max():.2f} | {means} | {lines} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[*WAYS])
    parser.add_argument("--device", default="cpu", help="as torch names it, such as cuda")
    parser.add_argument("--unrelated", action="store_true", help="passages whose cosine is almost 0")
    parser.add_argument("--out", type=Path, help="folder for token_pairs.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if options.device == "cpu":
        torch.set_num_threads(1)
    lines = report(options.queries, options.ways, options.device, options.unrelated)
    write(lines, options.out, "token_pairs.md")


if __name__ == "__main__":
    main()
