"""Verdicts on explanations of one document: of rankers that look for words, of one that looks for
nothing, and of weights put on words at random. How often is each level given, and what does it cost?
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from problems import write
from train_rankers import trained
from trec import load, machine

import intentx as ix
from intentx.explainers.methods import METHODS as TABLE
from intentx.rankers import BM25, BiEncoder

NAMES = ("exs", "lirme", "shap", "saliency", "gradient-input", "ig", "deeplift", "gradcam")
CHOSEN = [TABLE[name] for name in NAMES]
METHODS: dict[str, Any] = {one.explainer.__name__: one.explainer for one in CHOSEN}
ANY = ("EXS", "LIRME", "KernelSHAP")  # for every ranker, by versions of the document
ABLE = {"MiniLM": tuple(name for name in METHODS if name != "GradCAM"), "MatchPyramid": tuple(METHODS)}
NEURAL: dict[str, Callable[[], Any]] = {
    "MiniLM": BiEncoder.minilm,
    "DRMM": lambda: trained("drmm"),
    "MatchPyramid": lambda: trained("matchpyramid"),
}
DOCUMENTS = 2  # of a query: the first one, and one in the middle


def hashed(query: str, texts: Sequence[str]) -> list[float]:
    """Looks for nothing."""
    return [zlib.crc32(f"{query} {text}".encode()) / 2**32 for text in texts]


def explained(
    name: str, ranker: str, methods: Sequence[str], queries: int | None, samples: int, depth: int
) -> Iterator[tuple[dict[str, Any], Callable[[], ix.DocumentExplanation]]]:
    """Explanations, each with what names it; they are made when they are asked for."""
    collection = load(name)
    run = collection.runs["BM25"]
    neural = NEURAL[ranker]() if ranker in NEURAL else None
    for qid in [q for q in collection.queries if q in run][:queries]:
        texts = {i: collection.texts[i] for i in list(run[qid])[:depth]}
        scorer = neural or (hashed if ranker == "hash" else BM25(list(texts.values())))
        ranking = ix.rank(scorer, collection.queries[qid], texts)
        for place in (0, len(ranking) // 2)[:DOCUMENTS]:
            for method in methods:
                how = {"samples": samples} if method in ANY else {}
                how |= {"k": len(ranking)} if method == "EXS" else {}  # else most have no weight
                names = {"collection": name, "ranker": ranker, "method": method, "qid": qid}
                explain = partial(METHODS[method](**how).explain, ranking, place)
                yield names | {"position": place}, explain


def shuffled(found: ix.DocumentExplanation, seed: int) -> ix.DocumentExplanation:
    """The same weights on words at random."""
    weights = np.random.default_rng(seed).permutation(found.weights).tolist()
    return dataclasses.replace(found, weights=tuple(weights))


def rows(options: argparse.Namespace, kept: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for each explanation and each shuffle of it, but for those that are kept."""
    done = {_key(row) for row in kept}
    for collection in options.collections:
        for ranker in options.rankers:
            methods = [m for m in options.methods if m in ABLE.get(ranker, ANY)]
            for number, (names, explain) in enumerate(
                explained(collection, ranker, methods, options.queries, options.samples, options.depth)
            ):
                kinds = [k for k in ("true", "shuffled") if k == "true" or ranker != "hash"]
                kinds = [kind for kind in kinds if _key(names | {"weights": kind}) not in done]
                if not kinds:
                    continue
                started = time.process_time()
                found = explain()
                seconds = time.process_time() - started
                for kind in kinds:
                    started = time.process_time()
                    one = found if kind == "true" else shuffled(found, number)
                    verdict = ix.verdict(one).to_dict()
                    yield (
                        names
                        | {
                            "weights": kind,
                            "calls": found.model_calls,
                            "seconds": seconds,
                            "own": time.process_time() - started,
                        }
                        | verdict
                    )


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("collection", "ranker", "method", "qid", "position", "weights")
    return tuple(row[name] for name in names)


def report(found: Sequence[Mapping[str, Any]], depth: int) -> Iterator[str]:
    yield "# Verdicts on explanations of one document"
    yield ""
    yield (
        f"BM25's first {depth} documents of a query, ranked by each ranker; the first document and the "
        "one in the middle explained. fit: mean over explanations of the verdict's `fit` and of "
        "`shuffled`; falls: places that the document falls by without its first words, and without "
        "random ones; share of explanations with each level; texts scored for the explanation and for "
        "the verdict, and seconds of one core; what is asked of shuffled weights is mostly remembered, "
        f"and so takes no time. EXS looks at all ranks (k). Machine: {machine()}."
    )
    yield ""
    yield (
        "| ranker | weights | method | collection | explanations | fit | shuffled | falls | random "
        "| holds | weak | chance | texts, explanation | verdict | explanation, s | verdict, s |"
    )
    yield "|" + "---|" * 16
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in sorted(found, key=_place):
        names = tuple(row[name] for name in ("ranker", "weights", "method", "collection"))
        groups.setdefault(names, []).append(row)
    for names, some in groups.items():
        means = [_mean(some, key) for key in ("fit", "shuffled", "falls", "random_falls")]
        levels = Counter(row["level"] for row in some)
        shares = [f"{levels[level] / len(some):.2f}" for level in ("holds", "weak", "chance")]
        costs = [_mean(some, key) for key in ("calls", "asked", "seconds", "own")]
        cells = [
            *names, str(len(some)), *(f"{one:.2f}" for one in means[:2]),
            *(f"{one:.1f}" for one in means[2:]), *shares,
            *(f"{one:.0f}" for one in costs[:2]), *(f"{one:.2f}" for one in costs[2:]),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _place(row: Mapping[str, Any]) -> tuple[int, ...]:
    """Where a row stands in the table."""
    rankers, collections = ("BM25", "hash", *NEURAL), ("dl21", "dl22", "dl19")
    return (
        rankers.index(row["ranker"]),
        row["weights"] != "true",
        collections.index(row["collection"]),
    )


def _mean(some: Sequence[Mapping[str, Any]], key: str) -> float:
    values = [row[key] for row in some if row[key] is not None]
    return float(np.mean(values)) if values else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--kept", type=Path, help="JSONL: rows are read from it and added to it")
    parser.add_argument("--queries", type=int, help="of each collection, at most")
    parser.add_argument("--samples", type=int, default=300, help="versions for EXS, LIRME, KernelSHAP")
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--collections", nargs="+", default=["dl21", "dl22", "dl19"])
    parser.add_argument("--rankers", nargs="+", default=["BM25", "hash", *NEURAL])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ix.errors.TextWarning)
    kept = []
    if options.kept is not None and options.kept.exists():
        kept = [json.loads(line) for line in options.kept.read_text(encoding="utf-8").splitlines()]
    for row in rows(options, list(kept)):
        kept.append(row)
        if options.kept is not None:
            with options.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    write(report(kept, options.depth), options.out, "document_verdicts.md")


if __name__ == "__main__":
    main()
