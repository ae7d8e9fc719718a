"""Do snippets of explanations hold the evidence? SciFact's claims and rationale sentences.

A claim is the query; the abstract that holds its evidence stands among nine others that BM25 finds. Of
each abstract a window of 20 words is shown; how much of it stands in evidence sentences, and how often
more than half does. With a MatchPyramid on GloVe's vectors, Grad-CAM has a window, too. Claims are
measured one after the other, and ``--kept FILE`` continues where it stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fidelity import interval
from plausibility import OTHERS, Claim, abstracts, claims
from plausibility import SYSTEMS as TRANSFORMERS
from problems import write
from train_rankers import RECIPES, trained_by
from trec import machine

import intentx as ix
from intentx.rankers import MatchPyramidSettings
from intentx.search import SearchIndex

WORDS = 20
PYRAMID = "MatchPyramid"


def pyramid() -> Any:
    """A MatchPyramid with the published settings and GloVe's vectors, one seed."""
    settings = MatchPyramidSettings.published()
    recipe = dataclasses.replace(RECIPES[PYRAMID.lower()], settings=settings, vectors="glove")
    return trained_by(recipe, seeds=(0,))


def methods(system: str, samples: int) -> dict[str, Any]:
    if system == PYRAMID:
        own: dict[str, Any] = {"Grad-CAM": ix.GradCAM()}
    else:
        own = {"token pairs, split": ix.TokenPairs(), "attention, last layer": ix.Attention()}
        if system != "MiniLM":
            del own["token pairs, split"]  # of encoders that read query and document apart
    return {"DeepLIFT": ix.DeepLIFT(), "KernelSHAP": ix.KernelSHAP(samples=samples), **own}


def held(one: Any, claim: Claim) -> float:
    """The share of a snippet's characters that stand in evidence."""
    evidence = [span for span, marked in zip(claim.sentences, claim.evidence, strict=True) if marked]
    inside = sum(max(0, min(one.end, end) - max(one.start, start)) for start, end in evidence)
    return float(inside / max(1, one.end - one.start))


def by_chance(explanation: Any, claim: Claim, words: int) -> float:
    """The share of a window of so many words in evidence, mean over all windows."""
    reader = dataclasses.replace(explanation.analyzer, stopwords=frozenset(), ngrams=1)
    tokens = reader.tokens(explanation.document)
    ends = range(min(words, len(tokens)), len(tokens) + 1)
    windows = [(tokens[max(0, end - words)].start, tokens[end - 1].end) for end in ends]
    return float(np.mean([held(ix.Snippet(a, b, ""), claim) for a, b in windows]))


def measure(system: str, number: int, samples: int, kept: Path | None = None) -> dict[str, list[float]]:
    corpus = abstracts()
    rows: list[dict[str, Any]] = []
    if kept is not None and kept.exists():
        rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    done = {row["claim"]: row["held"] for row in rows if row["system"] == system}
    found: dict[str, list[float]] = {}
    texts = {doc_id: " ".join(sentences) for doc_id, sentences in corpus.items()}
    chosen = claims(corpus, number)
    index = SearchIndex.build(texts) if any(one.text not in done for one in chosen) else None
    scorer = SYSTEMS[system]() if index is not None else None
    for claim in chosen:
        if claim.text not in done:
            assert index is not None
            hits = index.search(claim.text, OTHERS + 1, fill=True)
            near = [doc_id for doc_id in hits.ids if doc_id != claim.doc_id][:OTHERS]
            pool = {doc_id: texts[doc_id] for doc_id in [claim.doc_id, *near]}
            done[claim.text] = shares(system, scorer, claim, pool, samples)
            row = {"system": system, "claim": claim.text, "held": done[claim.text]}
            print(f"{system}: {len(done)} of {len(chosen)}", file=sys.stderr, flush=True)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
        for name, share in done[claim.text].items():
            found.setdefault(name, []).append(share)
    return found


def shares(
    system: str, scorer: Any, claim: Claim, pool: dict[str, str], samples: int
) -> dict[str, float]:
    """For each method the share of its snippet that stands in evidence."""
    # What a MatchPyramid reads of a text is no part of it that could be cut out.
    ranking = ix.rank(scorer, claim.text, pool, truncated="warn" if system == PYRAMID else "cut")
    kinds = {name: m.explain(ranking, claim.doc_id) for name, m in methods(system, samples).items()}
    some = kinds["KernelSHAP"]  # it weighs every word that is no stopword
    own = {*some.intent_analyzer.terms(claim.text)}
    nothing = tuple(word._replace(weight=0.0) for word in some.words)
    query = tuple(word._replace(weight=float(word.term in own)) for word in some.words)
    kinds = {
        "first words": dataclasses.replace(some, words=nothing),
        "words of the claim (vanilla)": dataclasses.replace(some, words=query),
        **kinds,
    }
    return {
        "random window": by_chance(some, claim, WORDS),
        **{name: held(ix.snippet(one, WORDS), claim) for name, one in kinds.items()},
        "whole abstract": held(ix.snippet(some, 10_000), claim),
    }


def paired(values: dict[str, list[float]], name: str) -> str:
    """How much more a method's snippet holds than the vanilla one, over claims."""
    base = np.array(values["words of the claim (vanilla)"])
    return interval(np.array(values[name]) - base)


SYSTEMS = {**TRANSFORMERS, PYRAMID: pyramid}


def report(options: argparse.Namespace) -> Iterator[str]:
    yield "# Do snippets hold the evidence?\n"
    yield (
        f"{options.claims} claims of SciFact, snippets of {WORDS} words from the abstract with the "
        "evidence; `python snippets.py --out results`. Share: of the snippet that stands in evidence "
        "sentences, with a 95 % bootstrap interval over claims; mostly: claims where it is more than "
        "half; beside vanilla: how much larger the share is than that of the window with the most "
        f"words of the claim, over claims. A random window: the mean over all. KernelSHAP "
        f"scores {options.samples} versions. Machine: {machine()}.\n"
    )
    for system in options.systems:
        yield f"## {system}\n\n| snippet by | share | mostly | beside vanilla |\n|---|---|---|---|"
        found = measure(system, options.claims, options.samples, options.kept)
        for name, values in found.items():
            mean = name in ("random window", "whole abstract")
            mostly = "–" if mean else f"{np.mean(np.array(values) > 0.5):.2f}"
            yield f"| {name} | {interval(values)} | {mostly} | {paired(found, name)} |"
        yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=40)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--systems", nargs="*", default=["MiniLM", PYRAMID])
    parser.add_argument("--kept", type=Path, help="what was measured of each claim, to go on with it")
    parser.add_argument("--out", type=Path, help="folder for snippets.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    write(report(options), options.out, "snippets.md")


if __name__ == "__main__":
    main()
