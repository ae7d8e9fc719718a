"""Fidelity against fall: what of the order the terms reproduce, and what the ranker does without them.

The rankers of the study table2 on TREC DL'19, explained by Multiplex at several ``effects``, by the
published Multiplex and by LIRME: fidelity on all pairs, on far ones and on documents left out, and the
places that the first three documents lose without the terms. Rows go to ``--kept`` as they are
measured, and what is there is not measured again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from problems import write
from table2 import rankers
from trec import DATA, machine

import intentx as ix
from intentx.evaluation.metrics import titled
from intentx.study import read_study
from intentx.study.cells import measure
from intentx.study.data import text_topics
from intentx.study.rankings import ranking_of, vectors_of

EFFECTS = (0.0, 0.1, 0.3, 1.0)
METHODS = (*(f"Multiplex, effects {effects:g}" for effects in EFFECTS), "MULTIPLEX literal", "LIRME")
RANKERS = ("BERT", "DPR", "DRMM", "MatchPyramid")
COLUMNS = {
    **titled(["all", "far", "heldout_documents", "deletion", "random_deletion", "terms"]),
    "wanted": "of them wanted",
    **titled(["model_calls"]),
}


def run(
    names: Sequence[str], methods: Sequence[str], queries: int, cache: Path | None, rows: list[Any]
) -> Iterator[dict[str, Any]]:
    """A row for each ranker, query and method that ``rows`` lacks."""
    study = read_study("table2")
    specs = {**study.rankers, **rankers(names)}
    measures = dataclasses.replace(study.measures, stability=0, shuffled=False, heldout_pairs=False)
    data = dataclasses.replace(study.data, folder=str(DATA / "dl19"), queries=queries)
    known = {(row["ranker"], row["query"], row["method"]) for row in rows}
    for topic in text_topics(data):
        for name in names:
            lacking = [m for m in methods if (name, topic.query, m) not in known]
            if not lacking:
                continue
            ranking = ranking_of(specs[name], topic, cache)
            vectors = vectors_of("minilm", ranking.texts)
            for label in lacking:
                if label in study.methods:
                    method = study.method(label, vectors=vectors)
                else:
                    method = ix.Multiplex(vectors=vectors, effects=float(label.split()[-1]))
                asks = isinstance(method, ix.Multiplex)
                found = method.explain(ranking) if asks else None
                kinds = tuple(one.kind for one in found.effects) if found is not None else ()
                cell = measure(method, ranking, measures, explanation=found)
                yield {
                    "ranker": name,
                    "query": topic.query,
                    "method": label,
                    **cell.metrics,
                    "wanted": kinds.count("wanted") if "not asked" not in kinds and kinds else None,
                }


def means(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    """Means by ranker and method, over the queries that all methods of a ranker have."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for name in RANKERS:
        by_query: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        for row in rows:
            if row["ranker"] == name:
                by_query[row["query"]][row["method"]] = row
        present = {method for part in by_query.values() for method in part}
        full = [part for part in by_query.values() if len(part) == len(present)]
        for method in METHODS:
            if method not in present or not full:
                continue
            values = {
                key: [part[method][key] for part in full if part[method].get(key) is not None]
                for key in COLUMNS
            }
            found[name, method] = {key: float(np.mean(v)) for key, v in values.items() if v}
            found[name, method]["queries"] = len(full)
    return found


def report(found: Mapping[tuple[str, str], Mapping[str, float]]) -> Iterator[str]:
    yield "# Fidelity against fall\n"
    yield (
        "TREC DL'19 passages, BM25's first 100 re-ranked, at most ten terms. *Held-out documents*: "
        "terms chosen on 70 % of the documents, judged on pairs of the others, two splits. *Deletion*: "
        "what the first three documents fall without the terms, and without as many random words. The "
        f"default is `effects` .3. Machine: {machine()}.\n"
    )
    yield "![Fidelity on held-out documents against deletion](front.png)\n"
    yield "| ranker | queries | method | " + " | ".join(COLUMNS.values()) + " |"
    yield "|---|---|---|" + "---|" * len(COLUMNS)
    for (name, method), mean in found.items():
        cells = [
            ""
            if key not in mean
            else f"{mean[key]:.3f}".lstrip("0")
            if mean[key] < 1
            else f"{mean[key]:.1f}"
            for key in COLUMNS
        ]
        yield f"| {name} | {mean['queries']:.0f} | {method} | " + " | ".join(cells) + " |"


def picture(found: Mapping[tuple[str, str], Mapping[str, float]], file: Path) -> None:
    """The front of each ranker: Multiplex by effects as a line, the others as points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = [name for name in RANKERS if any(key[0] == name for key in found)]
    figure, axes = plt.subplots(1, len(names), figsize=(3.4 * len(names), 3.4), squeeze=False)
    for name, axis in zip(names, axes[0], strict=True):
        line = {
            effects: found[name, method]
            for effects, method in zip(EFFECTS, METHODS, strict=False)
            if (name, method) in found
        }
        axis.plot(
            [mean["deletion"] for mean in line.values()],
            [mean["heldout_documents"] for mean in line.values()],
            "o-",
            color="tab:blue",
        )
        for effects, mean in line.items():
            axis.annotate(
                f"{effects:g}", (mean["deletion"], mean["heldout_documents"]),
                textcoords="offset points", xytext=(7, -2), fontsize=8,
            )  # fmt: skip
        for method, mark in (("MULTIPLEX literal", "s"), ("LIRME", "^")):
            if (name, method) in found:
                mean = found[name, method]
                shown = "as published" if method != "LIRME" else method
                axis.plot(
                    mean["deletion"], mean["heldout_documents"], mark, color="tab:gray", label=shown
                )
                axis.annotate(
                    shown, (mean["deletion"], mean["heldout_documents"]),
                    textcoords="offset points", xytext=(0, -12), fontsize=8, ha="center",
                )  # fmt: skip
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("deletion, ranks")
        axis.margins(0.25)
    axes[0][0].set_ylabel("fidelity, held-out documents")
    figure.suptitle("Multiplex by its setting effects (blue), beside others", fontsize=10)
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rankers", nargs="+", default=list(RANKERS), choices=RANKERS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--cache", type=Path, help="file of scores")
    parser.add_argument("--kept", type=Path, required=True, help="rows, JSONL: read, and added to")
    parser.add_argument("--out", type=Path, help="folder for front.md and front.png")
    options = parser.parse_args()
    rows = []
    if options.kept.exists():
        rows = [json.loads(line) for line in options.kept.read_text().splitlines()]
    with warnings.catch_warnings(), options.kept.open("a") as kept:
        warnings.simplefilter("ignore", ix.errors.TruncationWarning)
        for row in run(options.rankers, options.methods, options.queries, options.cache, rows):
            rows.append(row)
            kept.write(json.dumps(row) + "\n")
            kept.flush()
    found = means(rows)
    write(report(found), options.out, "front.md")
    if options.out is not None:
        picture(found, options.out / "front.png")


if __name__ == "__main__":
    main()
