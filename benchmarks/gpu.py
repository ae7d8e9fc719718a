"""What rankers and explanations cost on a GPU, and on the processors beside it.

Passages a second of four rankers, in batches of given sizes and by default; seconds of explanations of
one document, and of a ranking of 100; the most memory of the card that either took. Rows are kept in a
file: run it once for each device, and the page has both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from problems import write
from train_rankers import CROSS_ENCODER
from trec import DATA, card, clock, load, machine

import intentx as ix
from intentx.rankers import BiEncoder, CrossEncoder, LateInteractionRanker, SparseRanker
from intentx.rankers.transformers.encoders import minilm_folder
from intentx.rankers.transformers.late_tuning import FineTunedTokens

SPLADE = DATA.parent / "models" / "splade-tiny"
SIZES = (None, 32, 256)  # texts of a batch; None: what the ranker takes by itself
DOCUMENTS = 100
CANDIDATES = 20
Row = dict[str, Any]


def late_interaction(device: str, **settings: Any) -> LateInteractionRanker:
    """MiniLM's tokens, projected and not trained: what it costs is the same."""
    return LateInteractionRanker(FineTunedTokens(minilm_folder(), device=device).module, **settings)


RANKERS: Mapping[str, Callable[..., Any]] = {
    "MiniLM": lambda device, **more: BiEncoder.minilm(device=device, remember=0, **more),
    "cross-encoder": lambda device, **more: CrossEncoder(CROSS_ENCODER, device=device, **more),
    "SPLADE, tiny": lambda device, **more: SparseRanker(SPLADE, device=device, remember=0, **more),
    "late interaction": lambda device, **more: late_interaction(device, remember=0, **more),
}


class Question(NamedTuple):
    """What is explained: a ranking of a few documents, and for methods that take it, of 100."""

    few: ix.Ranking
    many: ix.Ranking


METHODS: Mapping[str, Callable[[Question], Any]] = {
    "DeepLIFT": lambda asked: ix.DeepLIFT().explain(asked.few, 0),
    "integrated gradients": lambda asked: ix.IntegratedGradients().explain(asked.few, 0),
    "KernelSHAP, 1,000 versions": lambda asked: ix.KernelSHAP(samples=1000).explain(asked.few, 0),
    "EXS": lambda asked: ix.EXS().explain(asked.few, 0),
    "LIRME": lambda asked: ix.LIRME().explain(asked.few, 0),
    "token pairs, integrated": lambda asked: ix.TokenPairs(method="integrated").explain(asked.few, 0),
    f"effects, {DOCUMENTS} documents": lambda asked: ix.effects(asked.many),
    f"Multiplex, {DOCUMENTS} documents": lambda asked: ix.Multiplex().explain(asked.many),
}
EXPLAINED = ("MiniLM", "cross-encoder")
APART = "token pairs, integrated"  # of encoders that read query and document apart


def timed(device: str, ask: Callable[[], Any]) -> tuple[float, float | None]:
    """Seconds that pass, and the most bytes of the card in use meanwhile."""
    if device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    started = clock(device, wall=True)
    ask()
    seconds = clock(device, wall=True) - started
    return seconds, None if device == "cpu" else torch.cuda.max_memory_allocated(device)


def speeds(name: str, size: int | None, number: int, rounds: int, device: str) -> Iterator[Row]:
    """A row for each round: seconds of ``number`` passages that were not seen before."""
    more = {} if size is None else {"batch_size": size}
    ranker = RANKERS[name](device, **more)
    every = list(itertools.islice(load().texts.values(), number * (rounds + 1)))
    query = next(iter(load().queries.values()))
    ranker(query, every[-number:])  # what is loaded once is not what is measured
    for turn in range(rounds):
        some = every[turn * number : (turn + 1) * number]
        seconds, most = timed(device, lambda some=some: ranker(query, some))  # type: ignore[misc]
        yield {
            "kind": "speed", "ranker": name, "size": size, "turn": turn, "texts": len(some),
            "seconds": seconds, "bytes": most,
        }  # fmt: skip


def explanations(name: str, qid: str, warm: set[str], device: str) -> Iterator[Row]:
    """A row for each method: seconds of one explanation for a query."""
    collection = load()
    query, pool = collection.queries[qid], list(collection.pool("BM25", qid).items())

    def asked() -> Question:  # rankings remember scores: each method has its own
        ranker = RANKERS[name](device)
        few, many = (dict(pool[:most]) for most in (CANDIDATES, DOCUMENTS))
        rankings = [ix.rank(ranker, query, some, truncated="cut") for some in (few, many)]
        return Question(*rankings)

    for method, explain in METHODS.items():
        if method == APART and name != "MiniLM":
            continue
        if method not in warm:
            explain(asked())
            warm.add(method)
        question = asked()
        seconds, most = timed(device, lambda: explain(question))  # noqa: B023
        words = len(question.few.texts[0].split())
        yield {
            "kind": "method", "ranker": name, "method": method, "qid": qid, "words": words,
            "seconds": seconds, "bytes": most,
        }  # fmt: skip


def report(rows: Sequence[Row], device: str) -> Iterator[str]:
    """The lines of the page."""
    on = list(dict.fromkeys(row["on"] for row in rows))
    yield "# On a GPU and on processors\n"
    yield (
        f"{load().name}; `python gpu.py --device cuda --kept rows.jsonl --out results`, and then with "
        "`--device cpu` on the same machine. Seconds that pass, medians; what a card was given is done "
        "before the clock is read, and what is loaded once was loaded before. Memory: the most that "
        f"torch had allocated on the card, weights among it. Machine: {machine(device)}, torch "
        f"{torch.__version__}.\n"
    )
    yield "## Passages a second\n"
    yield (
        "Passages that were not seen before, by tokenizer and model, with a query. Batches by default: "
        "32 texts of up to 128 tokens on processors, on a card what its memory holds. The late "
        "interaction is MiniLM with a projection that was not trained, which costs the same.\n"
    )
    yield from _table(
        [row for row in rows if row["kind"] == "speed"],
        lambda row: (row["ranker"], "default" if row["size"] is None else str(row["size"])),
        ("ranker", "batch"),
        on,
        lambda some: f"{sum(r['texts'] for r in some) / sum(r['seconds'] for r in some):,.0f}",
    )
    methods = [row for row in rows if row["kind"] == "method"]
    words = sorted({row["qid"]: row["words"] for row in methods}.values())
    yield "\n## Seconds of an explanation\n"
    yield (
        f"Of the first of BM25's first {CANDIDATES} passages as the ranker orders them, by default "
        f"settings where nothing is said; medians of {len(words)} queries, passages of "
        f"{words[0] if words else 0} to {words[-1] if words else 0} words.\n"
    )
    yield from _table(
        methods,
        lambda row: (row["ranker"], row["method"]),
        ("ranker", "method"),
        on,
        lambda some: f"{np.median([r['seconds'] for r in some]):.2f}",
    )


def _table(
    rows: Sequence[Row],
    key: Callable[[Row], tuple[str, str]],
    names: tuple[str, str],
    on: Sequence[str],
    told: Callable[[list[Row]], str],
) -> Iterator[str]:
    """A line for each key, a column for each device and one for the memory of each card."""
    groups: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in rows:
        groups.setdefault(key(row), {}).setdefault(row["on"], []).append(row)
    cards = [one for one in on if any(row["on"] == one and row["bytes"] for row in rows)]
    yield "| " + " | ".join([*names, *on, *(f"memory of {one}, MiB" for one in cards)]) + " |"
    yield "|---|---|" + "---:|" * (len(on) + len(cards))
    for names_of, some in groups.items():
        cells = [told(some[one]) if one in some else "–" for one in on]
        for one in cards:
            most = max((row["bytes"] for row in some.get(one, ())), default=None)
            cells.append("–" if most is None else f"{most / 2**20:,.0f}")
        yield "| " + " | ".join([*names_of, *cells]) + " |"


def _missing(options: argparse.Namespace, rows: Sequence[Row], on: str) -> Iterator[Row]:
    """What was not measured yet on this device, row by row."""
    done = {(r["ranker"], r.get("size"), r.get("qid"), r.get("method")) for r in rows if r["on"] == on}
    for name in options.rankers:
        for size in options.sizes:
            if (name, size, None, None) not in done:
                yield from speeds(name, size, options.passages, options.rounds, options.device)
    for name in options.rankers:
        warm: set[str] = set()
        for qid in sorted(load().queries)[: options.queries] if name in EXPLAINED else ():
            if not any(one[0] == name and one[2] == qid for one in done):
                yield from explanations(name, qid, warm, options.device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--rankers", nargs="+", choices=RANKERS, default=[*RANKERS])
    parser.add_argument("--passages", type=int, default=1000, help="scored in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=5, help="explained by each method")
    parser.add_argument("--threads", type=int, help="of torch; without it, as many as it takes")
    parser.add_argument("--kept", type=Path, required=True, help="a file of rows: measured ones stay")
    parser.add_argument("--out", type=Path, help="folder for gpu.md")
    options = parser.parse_args()
    options.sizes = SIZES
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    on = card(options.device)
    if options.device == "cpu":
        on += f", {torch.get_num_threads()} threads"
    rows: list[Row] = []
    if options.kept.exists():
        rows = [json.loads(line) for line in options.kept.read_text("utf-8").splitlines()]
    for row in _missing(options, tuple(rows), on):
        rows.append(row | {"on": on})
        with options.kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    write(report(rows, options.device), options.out, "gpu.md")


if __name__ == "__main__":
    main()
