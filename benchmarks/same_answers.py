"""Are answers the same, digit by digit, as those of another checkout?

``python same_answers.py --before ../../earlier``: both versions explain the same queries of TREC DL'19
by every method, each in a process of its own. Terms, weights, effects, fidelity, verdicts, model calls
and measures are compared as JSON writes them, whatever their parts are called. It ends with exit code 1
where any differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
RECORDED = "SPLADE_P_P_ENSEMBLE_DISTIL"
PARTS = (
    "query", "doc_id", "above", "terms", "weights", "words", "fidelity", "coverage", "bound", "status",
    "model_calls", "effects", "avoids", "verdict", "scale", "unseen", "metrics",
)  # fmt: skip
ALONE = ("LIRME", "Saliency", "GradientInput")  # explain no pair of documents
RENAMED = {"figures": "metrics"}


def worker(queries: int, asked: bool) -> None:
    """Print each answer, a line of JSON."""
    warnings.simplefilter("ignore")
    for name, ranking in rankings(queries, asked):
        for label, explain in methods(ranking):
            answer = explain()
            plain = {RENAMED.get(key, key): value for key, value in answer.to_dict().items()}
            parts = {key: [*leaves(plain[key])] for key in PARTS if key in plain}
            parts |= {key: [*leaves(value.to_dict())] for key, value in measured(label, ranking, answer)}
            print(json.dumps([f"{name}, {ranking.query!r}, {label}", parts]), flush=True)


def rankings(queries: int, asked: bool) -> Iterator[tuple[str, Any]]:
    """Recorded ones, of BM25, and of MiniLM, which takes a while."""
    from trec import load

    import intentx as ix
    from intentx.rankers import BM25, BiEncoder

    collection = load()
    for qid in sorted(collection.queries)[:queries]:
        recorded = collection.ranking(RECORDED, qid)
        yield "recorded", recorded
        docs = dict(zip(recorded.doc_ids, recorded.texts, strict=True))
        yield "BM25", ix.rank(BM25(recorded.texts), recorded.query, docs)
        if asked:
            some = dict([*docs.items()][:30])
            yield "MiniLM", ix.rank(BiEncoder.minilm(), recorded.query, some)


def methods(ranking: Any) -> Iterator[tuple[str, Any]]:
    """Every method that can explain the ranking, by its name."""
    import intentx as ix

    whole = {
        "multiplex": ix.Multiplex(),
        "generality 0": ix.Multiplex(generality=0),
        "effects 0": ix.Multiplex(effects=0),
        "effects 1": ix.Multiplex(effects=1),
        "100 texts": ix.Multiplex(budget=100, max_terms=5),
        "published": ix.Multiplex.published(),
        "greedy": ix.IntentGreedy(),
        "query terms": ix.QueryTerms(),
        "random terms": ix.RandomTerms(),
    }
    single: dict[str, Any] = {}
    if ranking.scorer is not None:
        single = {
            f"EXS {labels}": ix.EXS(labels=labels, samples=100) for labels in ("rank", "score", "topk")
        }
        single |= {"LIRME": ix.LIRME(samples=100), "KernelSHAP": ix.KernelSHAP(samples=100)}
        if hasattr(ranking.scorer.scorer, "module"):
            whole = {"100 texts": whole["100 texts"]}
            kinds = ("Saliency", "GradientInput", "IntegratedGradients", "DeepLIFT", "DeepSHAP")
            single |= {name: getattr(ix, name)() for name in kinds}
    for label, method in whole.items():
        yield label, lambda method=method: method.explain(ranking)
    for label, method in single.items():
        yield label, lambda method=method: method.explain(ranking, 2)
        if label not in ALONE:
            yield f"{label}, a pair", lambda method=method: method.explain(ranking, 0, above=3)


def measured(label: str, ranking: Any, answer: Any) -> Iterator[tuple[str, Any]]:
    """What is measured of some of the answers."""
    import intentx as ix

    if label == "multiplex":
        yield "heldout", ix.heldout_fidelity(ix.Multiplex(budget=0), ranking, repeats=2)
    if label == "LIRME":
        yield "faithfulness", ix.faithfulness(answer)


def leaves(plain: Any) -> Iterator[Any]:
    """Values of plain data in their order, whatever they are called."""
    if isinstance(plain, dict):
        for value in plain.values():
            yield from leaves(value)
    elif isinstance(plain, list | tuple):
        for value in plain:
            yield from leaves(value)
    else:
        yield plain


def answers(folder: Path, queries: int, asked: bool) -> dict[str, dict[str, list[Any]]]:
    """What the version in a folder answers."""
    command = [sys.executable, __file__, "--worker", "--queries", str(queries)]
    command += ["--asked"] if asked else []
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    return dict(map(json.loads, done.stdout.splitlines()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="folder of the other checkout")
    parser.add_argument("--kept", type=Path, help="JSON file of its answers: read, or else written")
    parser.add_argument("--queries", type=int, default=3)
    parser.add_argument("--asked", action="store_true", help="MiniLM, too: minutes")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.queries, options.asked)
        return 0
    if options.kept and options.kept.exists():
        before = json.loads(options.kept.read_text())
    else:
        before = answers(options.before, options.queries, options.asked)
        if options.kept:
            options.kept.write_text(json.dumps(before))
    after, values, differing = answers(HERE, options.queries, options.asked), 0, []
    for key, parts in before.items():
        for part, earlier in parts.items():
            earlier = [*leaves(earlier)]  # which an older version of this script left in lists
            values += len(earlier)
            now = after.get(key, {}).get(part)
            if now != earlier:
                differing.append(f"{key}: {part}")
                print(f"{key}: {part} was {earlier!r:.200}, and is {now!r:.200}")
    print(f"{len(before)} answers, {values:,} values; {len(differing)} parts of answers differ")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
