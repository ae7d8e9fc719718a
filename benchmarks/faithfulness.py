"""Deletion and preservation curves of every method that explains one document, in ranks.

43 queries, the five first documents of each ranker's own order of BM25's first hundred. DRMM is there
for what only asks for scores: a cell that the published table leaves empty.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from fidelity import interval
from train_rankers import CROSS_ENCODER, trained
from trec import load, machine

import intentx as ix
from intentx.errors import IntentxError
from intentx.evaluation.faithfulness import Faithfulness, faithfulness
from intentx.explainers.document.exs import EXS
from intentx.explainers.document.lirme import LIRME
from intentx.explainers.document.shap import KernelSHAP
from intentx.explainers.inside.gradcam import GradCAM
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.explainers.methods import METHODS
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.scoring import Scorer

TOP = 5
STEPS = 32
DRAWS = 2
SYSTEMS: Mapping[str, Callable[[], Scorer]] = {
    "MatchPyramid": lambda: trained("matchpyramid"),
    "DRMM": lambda: trained("drmm"),
    "MiniLM": BiEncoder.minilm,
    "cross-encoder": lambda: CrossEncoder(CROSS_ENCODER, raw=True),
}
Rows = dict[str, list[list[Any]]]
NEEDS_GRADIENTS = tuple(one.explainer for one in METHODS.values() if one.needs_gradients)


def methods(samples: int) -> dict[str, Any]:
    return {
        "EXS, rank": EXS(samples=samples),
        "EXS, score": EXS(labels="score", k=100, samples=samples),
        "LIRME, uniform": LIRME(sampler="uniform", samples=samples),
        "KernelSHAP": KernelSHAP(samples=samples),
        "saliency": Saliency(),
        "gradient × input": GradientInput(),
        "integrated gradients": IntegratedGradients(steps=STEPS),
        "DeepLIFT": DeepLIFT(),
        "DeepSHAP, collection": DeepSHAP(),
        "Grad-CAM": GradCAM(),
    }


@dataclasses.dataclass(frozen=True)
class QueryWords:
    """A control: the words that the document shares with the query, in the order of their idf."""

    def explain(self, ranking: ix.Ranking, doc: int) -> Any:
        found = KernelSHAP(samples=4, exact_up_to=0).explain(ranking, doc)
        query = set(found.analyzer.terms(ranking.query))
        holders = {t: sum(t in found.analyzer.terms(x) for x in ranking.texts) for t in found.terms}
        weights = [1 / holders[t] if t in query else 0.0 for t in found.terms]
        return dataclasses.replace(found, weights=tuple(weights))


def row(judged: Faithfulness, explanation: Any, seconds: float) -> dict[str, Any]:
    return {
        "falls": judged.falls,
        "random falls": judged.random_falls,
        "loses": judged.loses,
        "random loses": judged.random_loses,
        "deletion": judged.deletion,
        "preservation": judged.preservation,
        "seconds": seconds,
        "calls": explanation.model_calls,
        "gap": explanation.metrics.get("relative_gap"),
    }


def measure(system: str, queries: int, samples: int, only: list[str]) -> Iterator[Rows]:
    """After each query, for each method the list of queries so far, each a list of documents."""
    collection, scorer = load(), SYSTEMS[system]()
    todo = {"query words": QueryWords(), **methods(samples)}
    rows: Rows = {}
    failed: dict[str, str] = {}
    for number, qid in enumerate(sorted(collection.queries)[:queries], start=1):
        ranking = ix.rank(
            scorer, collection.queries[qid], collection.pool("BM25", qid), truncated="warn"
        )
        for name, method in todo.items():
            if (only and name not in only) or name in failed:
                continue
            try:
                found = []
                for place in range(TOP):
                    started = time.perf_counter()
                    explanation = method.explain(ranking, place)
                    seconds = time.perf_counter() - started
                    found.append(row(faithfulness(explanation, draws=DRAWS), explanation, seconds))
                rows.setdefault(name, []).append(found)
            except IntentxError as error:
                if not isinstance(method, NEEDS_GRADIENTS) or number > 1:
                    raise
                failed[name] = str(error).splitlines()[0]
        print(f"{system}: {number} of {queries}", file=sys.stderr, flush=True)
        yield rows


def table(rows: Rows) -> str:
    lines = [
        "| method | ranks lost without its words | ranks lost with only them | texts scored | s |",
        "|---|---|---|---|---|",
    ]
    anyone = next(iter(rows.values()))
    at_random = {key: interval(means(anyone, f"random {key}"), 2) for key in ("falls", "loses")}
    lines.append(f"| random words | {at_random['falls']} | {at_random['loses']} | – | – |")
    for name, queries in rows.items():
        cells = [interval(means(queries, key), 2) for key in ("falls", "loses")]
        calls, seconds = (np.mean(means(queries, key)) for key in ("calls", "seconds"))
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {calls:.0f} | {seconds:.2f} |")
    return "\n".join(lines)


def means(queries: list[list[Any]], key: str) -> list[float]:
    """The mean over documents, for each query."""
    return [float(np.mean([document[key] for document in query])) for query in queries]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--samples", type=int, default=100, help="of EXS, LIRME and KernelSHAP")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--out", type=Path, help="folder for faithfulness.md and faithfulness.json")
    parser.add_argument("--merge", nargs="*", type=Path, default=[], help="json files of other runs")
    options = parser.parse_args()
    raw: dict[str, Rows] = {}
    for file in options.merge:
        raw |= json.loads(file.read_text())
    for system in options.systems:
        kept = raw.get(system, {})
        for rows in measure(system, options.queries, options.samples, options.methods):
            raw[system] = {**kept, **rows}  # what was merged stays, unless measured anew
            write(raw, options)  # after each query, so that a run cut short has what it measured
        print(f"## {system}\n\n{table(raw[system])}", flush=True)
    write(raw, options)


def write(raw: Mapping[str, Rows], options: argparse.Namespace) -> None:
    if not options.out:
        return
    head = (
        f"# Faithfulness\n\nQueries of {load().name}, the {TOP} first documents of "
        "each ranker's order of BM25's first hundred; mean over the first 1 to 10 words, and 95 % "
        "bootstrap interval over queries. Without its words a document should fall far, with only "
        f"them it should stay. EXS, LIRME and KernelSHAP score {options.samples} versions of a "
        f"document, integrated gradients go in {STEPS} steps.\n"
        f"Machine: {machine()}, shared: seconds are upper bounds."
    )
    parts = [
        head,
        *(f"## {name}, {len(next(iter(r.values())))} queries\n\n{table(r)}" for name, r in raw.items()),
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "faithfulness.md").write_text("\n\n".join(parts) + "\n")
    plain = {
        name: {method: [[mean_of(query)] for query in queries] for method, queries in rows.items()}
        for name, rows in raw.items()
    }
    (options.out / "faithfulness.json").write_text(json.dumps(plain, separators=(",", ":")))


def mean_of(query: list[Any]) -> dict[str, Any]:
    """The mean document of a query, for the file; a curve that ends early stays where it ended."""
    found: dict[str, Any] = {}
    for key, value in query[0].items():
        if isinstance(value, list | tuple):
            longest = max(len(document[key]) for document in query)
            curves = [[*d[key], *[d[key][-1]] * (longest - len(d[key]))] for d in query]
            found[key] = np.mean(curves, axis=0).round(2).tolist()
        elif value is not None:
            found[key] = round(float(np.mean([document[key] for document in query])), 3)
    return found


if __name__ == "__main__":
    main()
