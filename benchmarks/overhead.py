"""What asking a transformer through intentx costs, and what leaving out repetitions and sorting save.

Everything is measured in rounds: each way once in each round, in turns, so that what else the
machine does falls on all of them. Ratios are medians over rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sentence_transformers
import torch
from problems import write
from trec import DATA, load, machine

import intentx as ix
from intentx.perturbation import remove_terms
from intentx.rankers import BiEncoder, CrossEncoder

TRAINED = DATA.parent / "models" / "cross-encoder-minilm"
BATCH = 32

Way = Callable[[], Any]


def rounds(ways: dict[str, Way], number: int) -> dict[str, list[float]]:
    """Seconds of each way in each round."""
    next(iter(ways.values()))()  # what is loaded and allocated once is not what is measured
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(number):
        for name in names if turn % 2 == 0 else names[::-1]:
            started = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(over: Sequence[float], under: Sequence[float]) -> tuple[float, float, float]:
    """Median and quartiles of the ratio in each round."""
    middle, low, high = np.percentile(np.array(over) / np.array(under), [50, 25, 75])
    return float(middle), float(low), float(high)


def models() -> dict[str, Any]:
    """The models at hand by name."""
    found = {"MiniLM, bi-encoder": BiEncoder.minilm().model}
    if TRAINED.is_dir():
        found["MiniLM, cross-encoder"] = sentence_transformers.CrossEncoder(str(TRAINED))
    return found


def own_prediction(model: Any, query: str, texts: Sequence[str]) -> Any:
    """The model by itself, in batches, with its own sorting of what it is given."""
    if isinstance(model, sentence_transformers.CrossEncoder):
        pairs = [(query, text) for text in texts]
        return model.predict(pairs, batch_size=BATCH, show_progress_bar=False)
    vectors = model.encode(
        [query, *texts], batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
    )
    return vectors[1:] @ vectors[0]


def ranker(model: Any) -> BiEncoder | CrossEncoder:
    """One that remembers nothing yet."""
    if isinstance(model, sentence_transformers.CrossEncoder):
        return CrossEncoder(model, batch_size=BATCH)
    return BiEncoder(model, batch_size=BATCH)


def in_a_box(model: Any, query: str, texts: Sequence[str]) -> Any:
    """As every method of intentx asks."""
    return ix.BlackBox(ranker(model))(query, texts)


def ranked(model: Any, query: str, texts: Sequence[str]) -> ix.Ranking:
    """A ranking: asked once, and looked at for what is not read."""
    return ix.rank(ranker(model), query, texts, truncated="cut")


def in_input_order(model: Any, query: str, texts: Sequence[str]) -> Any:
    """The naive way: one batch after the other as they come, repetitions and all."""
    parts = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    return np.concatenate([own_prediction(model, query, part) for part in parts])


def perturbations(text: str, number: int, seed: int = 0) -> list[str]:
    """Versions of ``text`` as LIME's sampler and so EXS's makes them, the text itself first.

    How many terms go is uniform from one to all, which ones too; all occurrences go.
    """
    generator = np.random.default_rng(seed)
    analyzer = ix.Analyzer(stopwords=frozenset())
    terms = list(dict.fromkeys(analyzer.terms(text)))
    made = [text]
    for size in generator.integers(1, len(terms) + 1, number - 1):
        gone = generator.choice(len(terms), size, replace=False)
        made.append(remove_terms(text, [terms[i] for i in gone], analyzer))
    return made


def cost(number: int) -> Iterator[str]:
    """A table: through intentx against the model's own prediction, on the same sorted texts."""
    yield "## Cost of asking through intentx\n"
    yield (
        "The 100 candidates of a query, distinct and longest first. `BlackBox` is new in each round, "
        "and so is a bi-encoder's memory; `ix.rank` also finds out which passages are truncated.\n"
    )
    yield (
        "| model | texts | own prediction, s | `BlackBox` / own | quartiles "
        "| `ix.rank` / own | quartiles |"
    )
    yield "|---|---|---|---|---|---|---|"
    collection = load()
    system = next(iter(collection.runs))
    qid = next(iter(collection.runs[system]))
    query = collection.queries[qid]
    texts = sorted(dict.fromkeys(collection.pool(system, qid).values()), key=len, reverse=True)[:100]
    for name, model in models().items():
        seconds = rounds(
            {
                "own": partial(own_prediction, model, query, texts),
                "box": partial(in_a_box, model, query, texts),
                "rank": partial(ranked, model, query, texts),
            },
            number,
        )
        box, rank = (ratio(seconds[way], seconds["own"]) for way in ("box", "rank"))
        yield (
            f"| {name} | {len(texts)} | {np.median(seconds['own']):.2f} | **{box[0]:.3f}** "
            f"| {box[1]:.3f}–{box[2]:.3f} | {rank[0]:.3f} | {rank[1]:.3f}–{rank[2]:.3f} |"
        )


def gain(number: int, versions: int) -> Iterator[str]:
    """A table: perturbations of one passage, against the naive call in input order."""
    yield f"\n## {versions:,} perturbations of one passage\n"
    yield (
        "Words removed at random, as LIME and EXS do. Naive: batches in input order. All at once: one "
        "call of `predict` or `encode` with all of them, which sorts by itself.\n"
    )
    yield (
        "| model | passage, words | distinct | naive, s | naive / intentx | quartiles "
        "| all at once / intentx |"
    )
    yield "|---|---|---|---|---|---|---|"
    collection = load()
    system = next(iter(collection.runs))
    qid = next(iter(collection.runs[system]))
    query = collection.queries[qid]
    pool = sorted(collection.pool(system, qid).values(), key=lambda text: len(text.split()))
    for name, model in models().items():
        for share in (0.05, 0.5, 0.95):
            text = pool[int(share * (len(pool) - 1))]
            texts = perturbations(text, versions)
            seconds = rounds(
                {
                    "naive": partial(in_input_order, model, query, texts),
                    "once": partial(own_prediction, model, query, texts),
                    "box": partial(in_a_box, model, query, texts),
                },
                number,
            )
            naive, once = (ratio(seconds[way], seconds["box"]) for way in ("naive", "once"))
            middle = np.median(seconds["naive"])
            yield (
                f"| {name} | {len(text.split())} | {len(set(texts))} | {middle:.1f} "
                f"| **{naive[0]:.2f}** | {naive[1]:.2f}–{naive[2]:.2f} | {once[0]:.2f} |"
            )


def report(repeats: int, versions: int) -> Iterator[str]:
    """Both tables."""
    yield "# What asking a transformer through intentx costs and saves\n"
    yield (
        f"{load().name}; batches of {BATCH}; medians of {repeats} rounds, ratios within a round. "
        f"Machine: {machine()}, torch {torch.__version__} with {torch.get_num_threads()} threads, "
        f"sentence-transformers {sentence_transformers.__version__}.\n"
    )
    yield from cost(repeats)
    yield from gain(max(repeats // 4, 3), versions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20, help="rounds; a quarter for perturbations")
    parser.add_argument("--versions", type=int, default=1000, help="perturbations of a passage")
    parser.add_argument("--out", type=Path, help="folder for overhead.md")
    options = parser.parse_args()
    write(report(options.repeats, options.versions), options.out, "overhead.md")


if __name__ == "__main__":
    main()
