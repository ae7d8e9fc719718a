"""Grad-CAM on MatchPyramids: do the maps of relevant documents differ from those of others?"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path

import numpy as np
from train_rankers import RECIPES, trained_by
from trec import DATA, load, machine

import intentx as ix
from intentx.datasets import read_qrels
from intentx.evaluation.contrast import Contrast, contrast
from intentx.explainers.gradcam import GradCAM, GradCAMExplanation
from intentx.rankers import MatchPyramid, MatchPyramidSettings
from intentx.report.maps import box_figure, flattened_figure, map_figure

RELEVANT = 2
FIGURES = {"kurtosis": "kurtosis of the map", "sum": "sum of contributions"}
TOP = 3  # documents of each query in the first k of which snippets are compared


def studied(ranker: MatchPyramid, queries: int) -> list[tuple[int, GradCAMExplanation]]:
    """Every judged document among BM25's first hundred, with its judgement, explained."""
    collection = load()
    judged = read_qrels(DATA / "dl19" / "qrels.txt")
    found: list[tuple[int, GradCAMExplanation]] = []
    for number, qid in enumerate(sorted(collection.queries)[:queries], start=1):
        ranking = ix.rank(ranker, collection.queries[qid], collection.pool("BM25", qid))
        for place, doc_id in enumerate(ranking.doc_ids):
            if doc_id in judged[qid]:
                explanation = GradCAM().explain(ranking, place)
                assert isinstance(explanation, GradCAMExplanation)
                found.append((judged[qid][doc_id], explanation))
        print(f"query {number}", file=sys.stderr, flush=True)
    return found


def groups(found: list[tuple[int, GradCAMExplanation]], figure: str) -> dict[str, list[float]]:
    """The figure in relevant documents and in the others."""
    return {
        "relevant": [e.figures[figure] for grade, e in found if grade >= RELEVANT],
        "negative": [e.figures[figure] for grade, e in found if grade < RELEVANT],
    }


def within_queries(found: list[tuple[int, GradCAMExplanation]], figure: str) -> str:
    """Mean over queries of the probability that a relevant document has the larger figure."""
    by_query: dict[str, tuple[list[float], list[float]]] = {}
    for grade, explanation in found:
        pair = by_query.setdefault(explanation.ranking.query, ([], []))
        pair[grade < RELEVANT].append(explanation.figures[figure])
    effects = [contrast(*pair).effect for pair in by_query.values() if all(map(len, pair))]
    means = np.random.default_rng(0).choice(effects, (2000, len(effects))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{np.mean(effects):.3f} ({low:.3f}–{high:.3f}), {len(effects)} queries"


def row(name: str, test: Contrast, within: str) -> str:
    return (
        f"| {name} | {test.medians[0]:.3g} | {test.medians[1]:.3g} | {test.u:.0f} | {test.p:.2g} | "
        f"{test.effect:.3f} | {within} | {test.sizes[0]} / {test.sizes[1]} | {test.left_out} |"
    )


def report(name: str, ranker: MatchPyramid, queries: int, out: Path | None) -> str:
    started = time.perf_counter()
    found = studied(ranker, queries)
    seconds = time.perf_counter() - started
    lines = [
        f"## {name}",
        "",
        f"{len(found)} documents explained in {seconds:.0f} s.",
        "",
        "| figure | median, relevant | negative | U | p, one-sided | P(relevant larger) | within a "
        "query | n | undefined |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for figure, label in FIGURES.items():
        both = groups(found, figure)
        test = contrast(both["relevant"], both["negative"])
        lines.append(row(label, test, within_queries(found, figure)))
    snippets = [e.snippets for _, e in found]
    same = np.mean([s["vanilla"] == s["gradcam"] for s in snippets])
    first = [e.snippets for _, e in found if e.position < TOP]
    same_first = np.mean([s["vanilla"] == s["gradcam"] for s in first])
    lines += [
        "",
        f"Snippets of 20 words that are the same by exact matches and by Grad-CAM: {100 * same:.0f} % "
        f"of {len(snippets)}; of the first {TOP} documents of each query, {100 * same_first:.0f} % of "
        f"{len(first)}.",
        "",
        f"Effective terms per document: {np.mean([len(e.effective_terms) for _, e in found]):.1f}, "
        f"{100 * exact_share(found):.0f} % of them terms of the query; filtered terms: "
        f"{np.mean([len(e.filtered_terms) for _, e in found]):.1f}.",
        "",
        *examples(found),
    ]
    if out:
        slug = "gradcam_" + name.lower().replace(" ", "_")
        panels = {label: groups(found, figure) for figure, label in FIGURES.items()}
        box_figure(panels, f"MatchPyramid, {name}").savefig(out / f"{slug}_box.png", dpi=120)
        lines += ["", f"![box plots]({slug}_box.png)"]
        shown = next(e for grade, e in found if grade >= RELEVANT and e.position == 0)
        map_figure(shown).savefig(out / f"{slug}_map.png", dpi=100)
        flattened_figure(shown).savefig(out / f"{slug}_flattened.png", dpi=100)
        lines += ["", f"![map]({slug}_map.png)", "", f"![flattened]({slug}_flattened.png)"]
    return "\n".join(lines)


def exact_share(found: list[tuple[int, GradCAMExplanation]]) -> float:
    terms = [term in e.query_terms for _, e in found for term in e.effective_terms]
    return float(np.mean(terms))


def examples(found: list[tuple[int, GradCAMExplanation]], number: int = 6) -> list[str]:
    """First documents of a few queries, with their terms."""
    lines = ["| query | first document | effective | filtered |", "|---|---|---|---|"]
    firsts = [(grade, e) for grade, e in found if e.position == 0]
    for grade, e in firsts[:: max(1, len(firsts) // number)][:number]:
        doc = e.ranking.doc_ids[0]
        lines.append(
            f"| {e.ranking.query} | {doc} (judged {grade}) | {', '.join(e.effective_terms[:6])} | "
            f"{', '.join(e.filtered_terms[:6]) or '–'} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--out", type=Path, help="folder for gradcam_study.md and its pictures")
    options = parser.parse_args()
    if not (DATA / "dl19").is_dir():
        sys.exit(f"the study needs judged passages, and there are none at {DATA}")
    ours = RECIPES["matchpyramid"]
    papers = dataclasses.replace(ours, settings=MatchPyramidSettings.published())
    rankers = {"our defaults": ours, "published settings": papers}
    parts = [
        f"# Grad-CAM on MatchPyramid\n\nTREC DL'19 passages, {options.queries} queries, all judged "
        f"documents among BM25's first hundred; relevant: judged {RELEVANT} or more, negative: less. "
        f"Machine: {machine()}."
    ]
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    for name, recipe in rankers.items():
        ranker = trained_by(recipe)
        assert isinstance(ranker, MatchPyramid)
        parts.append(report(name, ranker, options.queries, options.out))
        print(parts[-1], flush=True)
        if options.out:
            (options.out / "gradcam_study.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
