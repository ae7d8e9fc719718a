"""Do snippets of explanations hold the evidence? SciFact's claims and rationale sentences.

A claim is the query; the abstract that holds its evidence stands among nine others that BM25 finds. Of
each abstract a window of 20 words is shown; how much of it stands in evidence sentences, and how often
more than half does.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fidelity import interval
from plausibility import OTHERS, SYSTEMS, Claim, abstracts, claims
from problems import write
from trec import machine

import intentx as ix
from intentx.search import SearchIndex

WORDS = 20


def methods(samples: int) -> dict[str, Any]:
    return {
        "DeepLIFT": ix.DeepLIFT(),
        "KernelSHAP": ix.KernelSHAP(samples=samples),
        "token pairs, split": ix.TokenPairs(),
        "attention, last layer": ix.Attention(),
    }


def held(one: Any, claim: Claim) -> float:
    """The share of a snippet's characters that stand in evidence."""
    evidence = [span for span, marked in zip(claim.sentences, claim.evidence, strict=True) if marked]
    inside = sum(max(0, min(one.end, end) - max(one.start, start)) for start, end in evidence)
    return float(inside / max(1, one.end - one.start))


def measure(system: str, number: int, samples: int) -> dict[str, list[float]]:
    corpus, scorer = abstracts(), SYSTEMS[system]()
    texts = {doc_id: " ".join(sentences) for doc_id, sentences in corpus.items()}
    index = SearchIndex.build(texts)
    found: dict[str, list[float]] = {}
    for claim in claims(corpus, number):
        hits = index.search(claim.text, OTHERS + 1, fill=True)
        near = [doc_id for doc_id in hits.ids if doc_id != claim.doc_id][:OTHERS]
        pool = {doc_id: texts[doc_id] for doc_id in [claim.doc_id, *near]}
        ranking = ix.rank(scorer, claim.text, pool, truncated="cut")
        kinds = {name: m.explain(ranking, claim.doc_id) for name, m in methods(samples).items()}
        any_one = kinds["DeepLIFT"]
        own = {*any_one.intent_analyzer.terms(claim.text)}  # without stopwords
        nothing = tuple(word._replace(weight=0.0) for word in any_one.words)
        query = tuple(word._replace(weight=float(word.term in own)) for word in any_one.words)
        kinds = {
            "first words": dataclasses.replace(any_one, words=nothing),
            "words of the claim": dataclasses.replace(any_one, words=query),
            **kinds,
        }
        for name, one in kinds.items():
            found.setdefault(name, []).append(held(ix.snippet(one, WORDS), claim))
        share = held(ix.snippet(one, 10_000), claim)
        found.setdefault("whole abstract", []).append(share)
    return found


def report(options: argparse.Namespace) -> Iterator[str]:
    yield "# Do snippets hold the evidence?\n"
    yield (
        f"{options.claims} claims of SciFact, snippets of {WORDS} words from the abstract with the "
        "evidence; `python snippets.py --out results`. Share: of the snippet that stands in evidence "
        "sentences, with a 95 % bootstrap interval over claims; mostly: claims where it is more than "
        f"half. KernelSHAP scores {options.samples} versions. Machine: {machine()}.\n"
    )
    for system in options.systems:
        yield f"## {system}\n\n| snippet by | share | mostly |\n|---|---|---|"
        for name, values in measure(system, options.claims, options.samples).items():
            mostly = float(np.mean(np.array(values) > 0.5))
            yield f"| {name} | {interval(values)} | {mostly:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=20)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--systems", nargs="*", default=["MiniLM"])
    parser.add_argument("--out", type=Path, help="folder for snippets.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    write(report(options), options.out, "snippets.md")


if __name__ == "__main__":
    main()
