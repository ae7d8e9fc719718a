"""The models of `closing.py`: their training, and what is measured of each."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from late_interaction import MEASURE
from plausibility import OTHERS, abstracts, claims
from train_rankers import CACHE, SPLADE, SYSTEM, collection
from trec import DATA

import intentx as ix
from intentx.cli import main as intentx_main
from intentx.rankers import CrossEncoder
from intentx.search import SearchIndex
from intentx.text import Analyzer, TextIndex

Floats = npt.NDArray[np.float64]

LOSSES, DATA_SETS, SEEDS = ("hinge", "listwise"), ("dl21", "dl22"), (0, 1, 2)
NAMES = {"hinge": "pairwise hinge", "listwise": "list-wise", "dl21": "DL'21", "dl22": "DL'22"}
BASE = DATA.parent / "models" / "splade-tiny"  # a BERT of two layers, 128 wide: the smallest at hand
STEPS, LEARNING_RATE = 100, 1e-4
DEPTH = 30  # of BM25's candidates that are re-ranked
EFFECT_QUERIES, EFFECT_TEXTS, EFFECT_TERMS = 8, 50, 12


class Model(NamedTuple):
    """One training."""

    loss: str
    data: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.loss}-{self.data}-{self.seed}"

    @property
    def folder(self) -> Path:
        how = f"{BASE.name}-{STEPS}-{LEARNING_RATE:g}"
        return CACHE / "closing" / how / self.name

    def trained(self) -> CrossEncoder:
        """The ranker, trained where it is not there yet."""
        if not (self.folder / "config.json").exists():
            part = self.folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.parent.mkdir(parents=True, exist_ok=True)
            code = intentx_main(
                ["train", "cross-encoder", "--train", str(DATA / self.data), "--teacher", SPLADE,
                 "--heldout", "0", "--base", str(BASE), "--seed", str(self.seed),
                 "--set", f"loss={self.loss}", "--set", f"steps={STEPS}",
                 "--set", f"learning_rate={LEARNING_RATE}", "--out", str(part)]
            )  # fmt: skip
            if code:
                sys.exit(f"{self.name} could not be trained")
            part.rename(self.folder)
        return CrossEncoder(self.folder, raw=True)


def models(seeds: Sequence[int] = SEEDS) -> list[Model]:
    """Seed by seed, so that a run that is stopped has whole ones."""
    return [Model(loss, data, seed) for seed, loss, data in product(seeds, LOSSES, DATA_SETS)]


# What is measured of a model: by query or claim.


def scores(ranker: CrossEncoder) -> dict[str, list[float]]:
    """By query of DL'19 the scores of BM25's first candidates."""
    among = collection("dl19")
    return {
        qid: ranker(among.queries[qid], [among.texts[i] for i in candidates(qid)]).tolist()
        for qid in sorted(among.queries)
    }


def candidates(qid: str) -> list[str]:
    return list(collection("dl19").run(SYSTEM)[qid])[:DEPTH]


@cache
def asked_claims(number: int) -> list[tuple[Any, dict[str, str]]]:
    """Claims of SciFact, each with the abstracts that are ranked for it."""
    corpus = abstracts()
    texts = {doc_id: " ".join(sentences) for doc_id, sentences in corpus.items()}
    index = SearchIndex.build(texts)
    found = []
    for claim in claims(corpus, number):
        hits = index.search(claim.text, OTHERS + 1, fill=True)
        near = [doc_id for doc_id in hits.ids if doc_id != claim.doc_id][:OTHERS]
        found.append((claim, {doc_id: texts[doc_id] for doc_id in [claim.doc_id, *near]}))
    return found


def plausibilities(ranker: CrossEncoder, number: int) -> dict[str, float]:
    """By claim, the average precision of evidence sentences by the mean weight of their words."""
    found = {}
    for claim, pool in asked_claims(number):
        ranking = ix.rank(ranker, claim.text, pool, truncated="cut")
        explanation = ix.DeepLIFT().explain(ranking, claim.doc_id)
        judged = ix.plausibility(explanation, claim.sentences, claim.evidence)
        found[claim.text] = judged.average_precision
        found[f"random: {claim.text}"] = judged.random
    return found


def effects(ranker: CrossEncoder, number: int) -> dict[str, dict[str, float]]:
    """By query the effects of its terms and of the most frequent others, in units of the scores."""
    among, analyzer = collection("dl19"), Analyzer()
    found = {}
    for qid in sorted(among.queries)[:: max(1, len(among.queries) // number)][:number]:
        pool = {doc_id: among.texts[doc_id] for doc_id in candidates(qid)[:20]}
        index = TextIndex(list(pool.values()), analyzer)
        often = np.argsort(-np.diff(index.counts.indptr), kind="stable")
        own = list(dict.fromkeys(analyzer.terms(among.queries[qid])))
        others = [index.vocabulary[place] for place in often if index.vocabulary[place] not in own]
        ranking = ix.rank(ranker, among.queries[qid], pool)
        asked = ix.effects(ranking, [*own, *others[:EFFECT_TERMS]], budget=EFFECT_TEXTS)
        unit = float(np.std(ranking.scores)) or 1.0
        known = {one.term: one.effect / unit for one in asked if np.isfinite(one.effect)}
        found[qid] = {f"{'own' if term in own else 'other'}:{term}": e for term, e in known.items()}
    return found


class Measured:
    """What was measured of all models so far, kept in a file."""

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        self.known: dict[str, dict[str, Any]] = {}
        if kept.exists():
            for line in kept.read_text("utf-8").splitlines():
                row = json.loads(line)
                self.known.setdefault(row["model"], {})[row["what"]] = row["values"]

    def measure(self, model: Model, parts: Mapping[str, Callable[[CrossEncoder], Any]]) -> None:
        """Train a model and measure what is not known of it yet."""
        known = self.known.setdefault(model.name, {})
        missing = [what for what in parts if what not in known]
        if not missing:
            return
        ranker = model.trained()
        for what in missing:
            known[what] = parts[what](ranker)
            with self.kept.open("a", encoding="utf-8") as file:
                row = {"model": model.name, "what": what, "values": known[what]}
                file.write(json.dumps(row) + "\n")
            print(f"{model.name}: {what}", file=sys.stderr, flush=True)

    def done(self, what: str) -> list[int]:
        """Seeds all models of which are measured."""
        return [
            seed for seed in SEEDS if all(what in self.known.get(one.name, {}) for one in models([seed]))
        ]


def ndcgs(by_query: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """nDCG@10 of each query; ties in BM25's order."""
    run = {}
    for qid, values in by_query.items():
        ids, order = candidates(qid), np.argsort(-np.array(values), kind="stable")
        run[qid] = {ids[place]: -float(rank) for rank, place in enumerate(order)}
    import ir_measures

    qrels = {qid: dict(collection("dl19").qrels[qid]) for qid in run}
    return {one.query_id: one.value for one in ir_measures.iter_calc([MEASURE], qrels, run)}
