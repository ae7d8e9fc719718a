"""DRMM, KNRM and MatchPyramid: trained on DL'21 and DL'22, kept outside of the repository.

`python train_rankers.py` makes them, and `rerank.py` re-ranks DL'19 with them. Others call
`trained`, which trains what is not there yet. Settings were chosen by `python train_rankers.py
--choose --out results`: cross-validation on DL'21, without DL'19.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG
from trec import DATA, machine

import intentx as ix
from intentx.datasets import Collection, read_collection
from intentx.rankers import CrossEncoder
from intentx.rankers.interaction import base as interaction
from intentx.rankers.interaction import drmm, knrm, lexicon, matchpyramid, training
from intentx.rankers.interaction.base import TermRanker
from intentx.rankers.interaction.lexicon import Lexicon
from intentx.rankers.interaction.training import Training, heldout_quality, train
from intentx.rankers.interaction.training_data import TrainingList, training_lists
from intentx.rankers.interaction.word_vectors import term_vectors, words_of
from intentx.scoring import Scorer

__all__ = [
    "CACHE",
    "GLOVE",
    "RECIPES",
    "SEEDS",
    "SYSTEM",
    "Recipe",
    "by_seed",
    "collection",
    "prepare",
    "reranked",
    "seconds_of",
    "trained",
    "trained_by",
]

CACHE = Path(os.environ.get("INTENTX_CACHE", Path.home() / ".cache" / "intentx")) / "benchmarks"
CROSS_ENCODER = DATA.parent / "models" / "cross-encoder-minilm"
GLOVE = DATA.parent / "vectors" / "glove.6B.50d.subset.txt.gz"
SYSTEM, SPLADE = "BM25", "SPLADE_P_P_ENSEMBLE_DISTIL"
LEARNED_FROM = ("dl21", "dl22")
SEEDS = (0, 1, 2)
LONG = Training(steps=1000, lists=4, patience=8, margin=0.3)


@dataclass(frozen=True)
class Recipe:
    """How one ranker is trained.

    ``settings`` decide which ranker it is. ``teacher`` orders what nobody judged: SPLADE's recorded
    scores, or the ``cross-encoder`` beside the project. With ``pools``, idf leaves out the pool that
    holds a term most often. ``heldout`` of the DL'21 queries stop the training. ``vectors`` are
    MiniLM's, word by word, or those of the ``glove`` file beside the project.
    """

    settings: Any
    training: Training = LONG
    teacher: str = "cross-encoder"
    stem: str | None = "english"
    pools: bool = True
    heldout: int = 13
    vectors: str = "minilm"

    @property
    def ranker(self) -> type[TermRanker]:
        """The ranker that has such settings."""
        rankers: tuple[type[TermRanker], ...] = (drmm.DRMM, knrm.KNRM, matchpyramid.MatchPyramid)
        return next(ranker for ranker in rankers if ranker.settings_type is type(self.settings))

    def train(
        self, lists: Sequence[TrainingList], heldout: Sequence[TrainingList], seed: int
    ) -> TermRanker:
        """A ranker from one seed, its training described in it."""
        settings = dataclasses.replace(self.settings, seed=seed)
        ranker: TermRanker = self.ranker(  # type: ignore[call-arg]
            _lexicon(self.stem, self.pools, self.vectors), settings
        )
        how = dataclasses.replace(self.training, seed=seed)
        ranker.training = train(ranker, lists, heldout, how).to_dict()
        return ranker

    def folder(self, seeds: Sequence[int] = SEEDS) -> Path:
        """Where it is kept: another recipe, or another version of the code, has another place."""
        own = sys.modules[self.ranker.__module__]
        files = [Path(m.__file__ or "") for m in (own, interaction, lexicon, training)]
        text = repr((self, tuple(seeds))).encode() + b"".join(file.read_bytes() for file in files)
        return CACHE / f"{self.ranker.name}-{hashlib.sha256(text).hexdigest()[:12]}"


RECIPES = {
    "drmm": Recipe(drmm.DRMMSettings()),
    "knrm": Recipe(knrm.KNRMSettings(), Training(steps=600, lists=4)),
    "matchpyramid": Recipe(matchpyramid.MatchPyramidSettings(), Training(steps=600, lists=2)),
}


def trained(name: str) -> TermRanker:
    """The ranker of a recipe in `RECIPES`."""
    return trained_by(RECIPES[name])


def trained_by(recipe: Recipe, seeds: Sequence[int] = SEEDS) -> TermRanker:
    """The ranker of a recipe, the best of several seeds on held-out queries.

    It is trained when it is not in the cache yet, which takes minutes on two cores.
    """
    folder = recipe.folder(seeds)
    if not (folder / "ranker.json").exists():
        lists, heldout = _split(recipe)
        started = time.perf_counter()
        rankers = [recipe.train(lists, heldout, seed) for seed in seeds]
        seconds = time.perf_counter() - started
        best = max(rankers, key=lambda ranker: heldout_quality(ranker, heldout)[1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "seconds.json").write_text(json.dumps(seconds))
        for seed, ranker in zip(seeds, rankers, strict=True):
            ranker.save(folder / f"seed-{seed}")
        best.save(folder)
    return recipe.ranker.load(folder)


def prepare() -> None:
    """Make what trainings share, before several of them begin at once."""
    for name in LEARNED_FROM:
        _taught(name)
    _vectors()


def by_seed(recipe: Recipe) -> list[TermRanker]:
    """All that `trained_by` chooses from: one ranker for each of `SEEDS`."""
    trained_by(recipe)
    return [recipe.ranker.load(recipe.folder() / f"seed-{seed}") for seed in SEEDS]


def seconds_of(name: str) -> float:
    """Seconds that the training of a ranker took, all seeds together."""
    return float(json.loads((RECIPES[name].folder() / "seconds.json").read_text()))


@cache
def collection(name: str) -> Collection:
    """One of the collections beside the project."""
    return read_collection(DATA / name)


def reranked(
    scorer: Scorer, among: Collection, qids: Iterable[str] | None = None
) -> dict[str, dict[str, float]]:
    """A run: the scorer's order of BM25's candidates, ties in BM25's order."""
    run = {}
    for qid in among.queries if qids is None else qids:
        ids = list(among.run(SYSTEM)[qid])
        scores = np.asarray(scorer(among.queries[qid], [among.texts[doc_id] for doc_id in ids]))
        order = np.argsort(-scores, kind="stable")
        run[qid] = {ids[place]: -float(rank) for rank, place in enumerate(order)}
    return run


def _split(recipe: Recipe) -> tuple[list[TrainingList], list[TrainingList]]:
    """Lists to learn from, and those of random queries of DL'21 to stop by."""
    qids = np.random.default_rng(0).permutation(list(collection("dl21").queries)).tolist()
    held = _lists("dl21", recipe.teacher, qids[: recipe.heldout])
    return _lists("dl21", recipe.teacher, qids[recipe.heldout :]) + _lists("dl22", recipe.teacher), held


def _lists(name: str, teacher: str, qids: Iterable[str] | None = None) -> list[TrainingList]:
    among = collection(name)
    chosen = among.queries if qids is None else qids
    scores = among.run(SPLADE) if teacher == "splade" else _taught(name)
    first_stage = {qid: among.run(SYSTEM)[qid] for qid in chosen}
    return training_lists(among.queries, among.texts, first_stage, qrels=among.qrels, teacher=scores)


@cache
def _taught(name: str) -> Mapping[str, Mapping[str, float]]:
    """The cross-encoder's scores of BM25's candidates, computed once."""
    if not CROSS_ENCODER.is_dir():
        print(f"no {CROSS_ENCODER}: SPLADE is the teacher instead", file=sys.stderr)
        return collection(name).run(SPLADE)
    file = CACHE / f"teacher-{name}.json"
    if not file.exists():
        among, scorer = collection(name), CrossEncoder(CROSS_ENCODER, raw=True)
        found = {
            qid: dict(zip(run, scorer(among.queries[qid], list(texts.values())).tolist(), strict=True))
            for qid, run in among.run(SYSTEM).items()
            for texts in [among.pool(SYSTEM, qid)]
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found))
    scores: Mapping[str, Mapping[str, float]] = json.loads(file.read_text())
    return scores


@cache
def _vectors() -> ix.TermVectors:
    """MiniLM's vectors of all words of the collections, and of the whole words that it knows."""
    texts = [text for name in (*LEARNED_FROM, "dl19") for text in collection(name).texts.values()]
    texts += [query for name in (*LEARNED_FROM, "dl19") for query in collection(name).queries.values()]
    words = words_of(texts, ix.Analyzer())
    file = CACHE / f"minilm-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:12]}.npz"
    if not file.exists():
        made = term_vectors("minilm", words)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, terms=np.array(made.terms), matrix=made.matrix.astype(np.float32))
    with np.load(file) as saved:
        return ix.TermVectors(tuple(saved["terms"].tolist()), saved["matrix"], "MiniLM, word by word")


@cache
def _glove() -> ix.TermVectors:
    """GloVe's vectors of all words of the collections."""
    return term_vectors(str(GLOVE), ())


@cache
def _lexicon(stem: str | None, pools: bool, vectors: str = "minilm") -> Lexicon:
    """Vectors of all words at hand; idf of the collections that are learned from, not of DL'19."""
    found = [collection(name) for name in LEARNED_FROM]
    texts = [text for one in found for text in one.texts.values()]
    drawn = [pool for one in found for pool in one.pools()] if pools else []
    known = _glove() if vectors == "glove" else _vectors()
    return Lexicon.build(texts, known, ix.Analyzer(stem=stem), pools=drawn)


def _variants() -> dict[str, Recipe]:
    """What was compared to choose the recipes."""
    change = dataclasses.replace
    gaussian = matchpyramid.MatchPyramidSettings(comparison="gaussian", gamma=4.0, term_weights="idf")
    found: dict[str, Recipe] = {}
    for name, recipe in RECIPES.items():
        found |= {
            f"**{name}**": recipe,
            f"{name}, taught by SPLADE": change(recipe, teacher="splade"),
            f"{name}, words not stemmed": change(recipe, stem=None),
            f"{name}, idf without regard to pools": change(recipe, pools=False),
        }
    for name, settings in {
        "drmm, gated by vectors": drmm.DRMMSettings(gating="vector"),
        "knrm, terms of equal weight": knrm.KNRMSettings(term_weights="equal"),
        "knrm, vectors tuned": knrm.KNRMSettings(tune_vectors=True),
        "matchpyramid, Gaussian and rows times idf": gaussian,
        "matchpyramid, two columns": matchpyramid.MatchPyramidSettings(pool=(8, 2)),
        "matchpyramid as published": matchpyramid.MatchPyramidSettings.published(),
    }.items():
        found[name] = change(RECIPES[name.split()[0].strip(",")], settings=settings)
    return found


def _cross_validated(recipe: Recipe, folds: int = 5) -> np.ndarray[Any, Any]:
    """nDCG@10 of each query of DL'21, held out of the training, which stops by others."""
    among = collection("dl21")
    order = np.random.default_rng(42).permutation(list(among.queries)).tolist()
    run: dict[str, dict[str, float]] = {}
    for fold in range(folds):
        held = order[fold::folds]
        rest = [qid for qid in order if qid not in held]
        stop, learn = rest[: recipe.heldout], rest[recipe.heldout :]
        lists = _lists("dl21", recipe.teacher, learn) + _lists("dl22", recipe.teacher)
        ranker = recipe.train(lists, _lists("dl21", recipe.teacher, stop), seed=fold)
        run |= reranked(ranker, among, held)
    return _ndcg(run, among)


def _ndcg(run: Mapping[str, Mapping[str, float]], among: Collection) -> np.ndarray[Any, Any]:
    qrels = {qid: dict(among.qrels[qid]) for qid in run}
    found = ir_measures.iter_calc([nDCG @ 10], qrels, {qid: dict(scores) for qid, scores in run.items()})
    by_query = {metric.query_id: metric.value for metric in found}
    return np.array([by_query[qid] for qid in among.queries])


def _choose(out: Path) -> None:
    """Write the page of the variants that were compared."""
    among = collection("dl21")
    base = _ndcg(reranked(lambda query, texts: -np.arange(len(texts)), among), among)
    lines = [
        "# How DRMM, KNRM and MatchPyramid were chosen\n",
        f"{machine()}. `python train_rankers.py --choose --out results`. Re-ranking BM25's first 100 "
        "for the 53 queries of DL'21, each held out of the training, five folds; thirteen of the other "
        "queries stop the training. In brackets the standard error over queries: rows a hundredth "
        "apart cannot be told from each other. The hidden queries of DL'21 chose.\n",
        "| | nDCG@10 | minutes |",
        "|---|---|---|",
        f"| BM25, recorded | {base.mean():.3f} | |",
    ]
    for name, recipe in _variants().items():
        started = time.perf_counter()
        values = _cross_validated(recipe)
        error = values.std(ddof=1) / np.sqrt(len(values))
        minutes = (time.perf_counter() - started) / 60
        lines.append(f"| {name} | {values.mean():.3f} [{error:.3f}] | {minutes:.1f} |")
        print(lines[-1], flush=True)
        out.mkdir(parents=True, exist_ok=True)
        (out / "train_rankers.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Train what is not there yet; or compare variants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for train_rankers.md")
    parser.add_argument("--choose", action="store_true", help="cross-validate the variants instead")
    options = parser.parse_args()
    if options.choose:
        if options.out is None:
            parser.error("--choose needs --out")
        _choose(options.out)
        return
    for name in RECIPES:
        started = time.perf_counter()
        ranker = trained(name)
        print(f"{name}: {time.perf_counter() - started:.0f} s, {ranker.training['quality'][-1]:.3f}")


if __name__ == "__main__":
    main()
