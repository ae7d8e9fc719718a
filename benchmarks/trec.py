"""The collection that benchmarks run on: TREC DL'19 passages beside the project, else generated data."""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np

import intentx as ix
from intentx.datasets import Collection, read_collection
from intentx.rankers import BiEncoder

__all__ = ["DATA", "Collection", "card", "clock", "load", "machine", "minilm_vectors"]

DATA = Path(os.environ.get("INTENTX_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@cache
def load(name: str = "dl19") -> Collection:
    """TREC DL'19, '21 or '22 where it is present, else generated passages of the same size."""
    folder = DATA / name
    if not folder.is_dir():
        print(f"no {folder}: generated data instead", file=sys.stderr)
        return _generated()
    return dataclasses.replace(read_collection(folder), name=f"TREC DL'{name[2:]} passages")


@cache
def minilm_vectors() -> ix.TermVectors:
    """MiniLM's vector of every term in the collection, kept in the temporary folder.

    Another process makes them, so that a benchmark of memory does not hold the model.
    """
    file = Path(tempfile.gettempdir()) / "intentx-benchmarks" / f"minilm-{len(load().texts)}.npz"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        subprocess.run([sys.executable, __file__, str(file)], check=True)
    with np.load(file) as saved:
        return ix.TermVectors(tuple(saved["terms"].tolist()), saved["matrix"], "MiniLM")


def _write_vectors(file: Path) -> None:
    collection = load()
    vocabulary: set[str] = set()
    for text in [*collection.texts.values(), *collection.queries.values()]:
        vocabulary.update(ix.Analyzer().terms(text))
    terms = sorted(vocabulary)
    vectors = ix.TermVectors.from_sentence_transformer(BiEncoder.minilm().model, terms)
    np.savez(file, terms=np.array(terms), matrix=vectors.matrix.astype(np.float32))


def machine(device: str = "cpu") -> str:
    """The machine in words, for the head of a results file; with its card where a ranker runs on one."""
    own = f"{card('cpu')}, {os.cpu_count()} cores"
    if device != "cpu":
        own = f"{card(device)} beside {own}"
    return f"{own}, Python {platform.python_version()}, NumPy {np.__version__}"


def card(device: str) -> str:
    """What computes on a device, in words: the card, or the processor."""
    if device != "cpu":
        import torch

        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0].split(":")[1].strip() if models else name
    return name


def clock(device: str = "cpu", *, wall: bool = False) -> float:
    """Seconds of this process on the processor; on a card, or with ``wall``, those that pass.

    A card is given work and does it later: what it was given is done first.
    """
    if device != "cpu":
        import torch

        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.perf_counter() if wall else time.process_time()


def _generated(queries: int = 43, documents: int = 100, words: int = 60) -> Collection:
    """Passages of Zipf-distributed words in topics, ranked by a noisy preference for some words."""
    generator = np.random.default_rng(0)
    vocabulary = [f"word{i}" for i in range(4000)]
    zipf = 1.0 / (10 + np.arange(len(vocabulary)))
    texts: dict[str, str] = {}
    run: dict[str, dict[str, float]] = {}
    topics = {}
    for q in range(queries):
        topic = generator.choice(400, size=30, replace=False) + 100
        strength = generator.normal(size=30)
        topics[str(q)] = f"{vocabulary[topic[0]]} {vocabulary[topic[1]]}"
        run[str(q)] = {}
        for d in range(documents):
            drawn = generator.choice(len(vocabulary), size=words, p=zipf / zipf.sum())
            on_topic = generator.choice(30, size=generator.integers(4, 20))
            drawn[: len(on_topic)] = topic[on_topic]
            generator.shuffle(drawn)
            sentences = [" ".join(vocabulary[w] for w in part) for part in np.array_split(drawn, 4)]
            doc_id = f"{q}-{d}"
            texts[doc_id] = ". ".join(sentence.capitalize() for sentence in sentences) + "."
            run[str(q)][doc_id] = float(strength[on_topic].sum() + generator.normal())
    return Collection("generated", texts, topics, {"generated": run})


if __name__ == "__main__":
    _write_vectors(Path(sys.argv[1]))
