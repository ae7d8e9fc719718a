"""Do word weights stand where people see the evidence? SciFact's claims and rationale sentences.

A claim is the query; the abstract that holds its evidence stands among nine others that BM25 finds.
Sentences are ranked by the mean weight of their words: average precision of the evidence sentences.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fidelity import interval
from train_rankers import CROSS_ENCODER
from trec import DATA, machine

import intentx as ix
from intentx.files import numbered_lines
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.scoring import Scorer
from intentx.search import SearchIndex

OTHERS = 9
FOLDER = DATA / "scifact"
SYSTEMS: Mapping[str, Callable[[], Scorer]] = {
    "MiniLM": BiEncoder.minilm,
    "cross-encoder": lambda: CrossEncoder(CROSS_ENCODER, raw=True),
}


class Claim(NamedTuple):
    """A claim, its abstract as text with the spans of its sentences, and which of them are evidence."""

    text: str
    doc_id: str
    abstract: str
    sentences: list[tuple[int, int]]
    evidence: list[bool]


def methods(samples: int) -> dict[str, Any]:
    return {
        "EXS, rank": ix.EXS(samples=samples),
        "KernelSHAP": ix.KernelSHAP(samples=samples),
        "saliency": ix.Saliency(),
        "gradient × input": ix.GradientInput(),
        "DeepLIFT": ix.DeepLIFT(),
    }


def abstracts() -> dict[str, list[str]]:
    lines = (json.loads(line) for _, line in numbered_lines(FOLDER / "corpus.jsonl.gz"))
    return {plain["id"]: plain["sentences"] for plain in lines}


def claims(corpus: Mapping[str, list[str]], number: int) -> list[Claim]:
    """Claims with evidence, and other sentences beside it, spread over the file."""
    found = list(_claims(corpus))
    return found[:: max(1, len(found) // number)][:number]


def _claims(corpus: Mapping[str, list[str]]) -> Iterator[Claim]:
    for _, line in numbered_lines(FOLDER / "claims.jsonl"):
        plain = json.loads(line)
        marked = {int(number) for number in re.findall(r"\d+", plain["evidence_sentences"])}
        doc_id = plain["evidence_doc_id"]
        if not marked or len(marked) == len(corpus[doc_id]):
            continue
        sentences = corpus[doc_id]
        ends = np.cumsum([len(sentence) + 1 for sentence in sentences]).tolist()
        spans = [(end - 1 - len(s), end - 1) for end, s in zip(ends, sentences, strict=True)]
        evidence = [number in marked for number in range(len(sentences))]
        yield Claim(plain["claim"], doc_id, " ".join(sentences), spans, evidence)


def measure(system: str, number: int, samples: int) -> dict[str, list[float]]:
    corpus, scorer = abstracts(), SYSTEMS[system]()
    texts = {doc_id: " ".join(sentences) for doc_id, sentences in corpus.items()}
    index = SearchIndex.build(texts)
    found: dict[str, list[float]] = {"random order": [], "words of the claim": []}
    for place, claim in enumerate(claims(corpus, number), start=1):
        hits = index.search(claim.text, OTHERS + 1, fill=True)
        near = [doc_id for doc_id in hits.ids if doc_id != claim.doc_id][:OTHERS]
        pool = {doc_id: texts[doc_id] for doc_id in [claim.doc_id, *near]}
        ranking = ix.rank(scorer, claim.text, pool, truncated="cut")
        for name, method in methods(samples).items():
            explanation = method.explain(ranking, claim.doc_id)
            judged = ix.plausibility(explanation, claim.sentences, claim.evidence)
            found.setdefault(name, []).append(judged.average_precision)
        found["random order"].append(judged.random)
        own = {*explanation.analyzer.terms(claim.text)}
        control = [word._replace(weight=float(word.term in own)) for word in explanation.words]
        judged = ix.plausibility(Words(control), claim.sentences, claim.evidence)
        found["words of the claim"].append(judged.average_precision)
        print(f"{system}: {place} of {number}", file=sys.stderr, flush=True)
    return found


class Words(NamedTuple):
    """Weights that no method made."""

    words: list[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100)
    parser.add_argument("--samples", type=int, default=100, help="of EXS and KernelSHAP")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    parser.add_argument("--out", type=Path, help="folder for plausibility.md")
    options = parser.parse_args()
    if not FOLDER.is_dir():
        sys.exit(f"this measures on SciFact, and there is none at {FOLDER}")
    parts = [
        f"# Plausibility\n\n{options.claims} claims of SciFact; average precision of the evidence "
        "sentences, ranked by the mean weight of their words, and 95 % bootstrap interval over claims. "
        f"EXS and KernelSHAP score {options.samples} versions of an abstract.\nMachine: {machine()}."
    ]
    for system in options.systems:
        found = measure(system, options.claims, options.samples)
        lines = ["| words weighed by | average precision |", "|---|---|"]
        lines += [f"| {name} | {interval(values)} |" for name, values in found.items()]
        parts.append(f"## {system}\n\n" + "\n".join(lines))
        print(parts[-1], flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "plausibility.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
