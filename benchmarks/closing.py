"""Which of two models of one architecture is more human-like, and what does training change?

Cross-encoders from one base are trained by `intentx train cross-encoder`: two losses (pairwise hinge,
list-wise), two collections (DL'21, DL'22), three seeds. Measured of each: nDCG@10 on DL'19,
plausibility on SciFact's evidence sentences, effects of terms, and its orders, which are compared with
those of the others. What seeds or queries alone could have made is said to be so.

Models are kept in `~/.cache/intentx`, and what was measured of each in ``--kept FILE``: a run that
was stopped goes on where it was. The page says how many models there were.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from fidelity import interval
from late_interaction import MEASURE
from plausibility import OTHERS, abstracts, claims
from problems import write
from train_rankers import CACHE, SPLADE, SYSTEM, collection
from trec import DATA, machine

import intentx as ix
from intentx.cli import main as intentx_main
from intentx.comparison.biases import find_biases
from intentx.comparison.compare import compare_rankers
from intentx.comparison.disagreements import PROPERTIES, Evidence
from intentx.evaluation.statistics import bootstrap, kendall_tau_b, student_interval
from intentx.markup import count
from intentx.rankers import CrossEncoder
from intentx.report.pages.comparison import write_comparison
from intentx.search import SearchIndex
from intentx.study.data import Topic
from intentx.text import Analyzer, TextIndex

Floats = npt.NDArray[np.float64]

LOSSES, DATA_SETS, SEEDS = ("hinge", "listwise"), ("dl21", "dl22"), (0, 1, 2)
NAMES = {"hinge": "pairwise hinge", "listwise": "list-wise", "dl21": "DL'21", "dl22": "DL'22"}
BASE = DATA.parent / "models" / "splade-tiny"  # a BERT of two layers, 128 wide: the smallest at hand
STEPS, LEARNING_RATE = 50, 5e-4
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
        qid: ranker(among.queries[qid], [among.texts[i] for i in _candidates(qid)]).tolist()
        for qid in sorted(among.queries)
    }


def _candidates(qid: str) -> list[str]:
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
        pool = {doc_id: among.texts[doc_id] for doc_id in _candidates(qid)[:20]}
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
        ids, order = _candidates(qid), np.argsort(-np.array(values), kind="stable")
        run[qid] = {ids[place]: -float(rank) for rank, place in enumerate(order)}
    import ir_measures

    qrels = {qid: dict(collection("dl19").qrels[qid]) for qid in run}
    return {one.query_id: one.value for one in ir_measures.iter_calc([MEASURE], qrels, run)}


# From numbers to what can be told.


class Table(NamedTuple):
    """Values (loss, data, seed, item) of one metric."""

    title: str
    values: Floats

    def cell(self, loss: int, data: int) -> str:
        """The mean, and its interval over items, seeds together."""
        return interval(self.values[loss, data].mean(axis=0))

    def contrast(self, axis: str) -> Contrast:
        """List-wise minus hinge, or DL'22 minus DL'21."""
        values = self.values if axis == "loss" else self.values.swapaxes(0, 1)
        return Contrast((values[1] - values[0]).mean(axis=0))


class Contrast(NamedTuple):
    """A difference (seed, item)."""

    difference: Floats

    @property
    def over_items(self) -> tuple[float, float]:
        found = bootstrap(self.difference.mean(axis=0))
        return found.low, found.high

    @property
    def over_seeds(self) -> tuple[float, float]:
        return student_interval(self.difference.mean(axis=1))

    @property
    def told(self) -> bool:
        """Whether neither queries nor seeds alone could have made it."""
        return all(low > 0 or high < 0 for low, high in (self.over_items, self.over_seeds))

    @property
    def cells(self) -> str:
        mean = self.difference.mean()
        spans = [
            "–" if np.isnan(low) else f"{low:+.3f} to {high:+.3f}"
            for low, high in (self.over_items, self.over_seeds)
        ]
        return f"{mean:+.3f} | {spans[0]} | {spans[1]} | {'yes' if self.told else 'no'}"


def tables(known: Mapping[str, Mapping[str, Any]], seeds: Sequence[int]) -> list[Table]:
    """All metrics of one number for each query or claim."""

    def stacked(title: str, of: Callable[[Mapping[str, Any]], Sequence[float]]) -> Table:
        return Table(
            title,
            np.array(
                [
                    [[of(known[Model(loss, data, seed).name]) for seed in seeds] for data in DATA_SETS]
                    for loss in LOSSES
                ]
            ),
        )

    def of_query(one: Mapping[str, Any]) -> list[float]:
        return [_share(by_term) for by_term in one["effects"].values()]

    found = [
        stacked("nDCG@10 on DL'19", lambda one: list(ndcgs(one["scores"]).values())),
        stacked("plausibility on SciFact", lambda one: _of_claims(one["plausibility"])),
    ]
    if all("effects" in known[one.name] for one in models(seeds)):
        found.append(stacked("share of the effects on words of the query", of_query))
    return found


def _of_claims(values: Mapping[str, float]) -> list[float]:
    return [value for claim, value in values.items() if not claim.startswith("random: ")]


def _share(by_term: Mapping[str, float]) -> float:
    """Of the sum of all effects, without signs, the share of the query's own words."""
    own = sum(abs(effect) for term, effect in by_term.items() if term.startswith("own:"))
    return own / (sum(map(abs, by_term.values())) or 1.0)


KINDS = {
    "another seed": lambda a, b: a.loss == b.loss and a.data == b.data,
    "another loss, same data and seed": lambda a, b: a.loss != b.loss and a[1:] == b[1:],
    "other data, same loss and seed": lambda a, b: a.data != b.data and a[::2] == b[::2],
}


def agreements(known: Mapping[str, Mapping[str, Any]], seeds: Sequence[int]) -> Iterator[str]:
    """How far orders and effects of two models agree, by what their trainings differ in."""
    yield (
        "| two models differ in | pairs of models | τ-b of their orders | correlation of effects "
        "| biases that hold |\n|---|---|---|---|---|"
    )
    for name, alike in KINDS.items():
        taus, corr, held = [], [], []
        some = [pair for pair in combinations(models(seeds), 2) if alike(*pair)]
        for one, other in some:
            a, b = known[one.name], known[other.name]
            taus.append(
                np.mean(
                    [
                        kendall_tau_b(np.array(a["scores"][q]), np.array(b["scores"][q]))
                        for q in a["scores"]
                    ]
                )
            )
            if "effects" in a and "effects" in b:
                corr.append(
                    np.mean([_correlation(a["effects"][q], b["effects"][q]) for q in a["effects"]])
                )
            held.append(len(biases(known, one, other)[0].held))
        cells = [
            f"{np.mean(v):.2f} ({np.min(v):.2f}–{np.max(v):.2f})" if v else "–"
            for v in (taus, corr, held)
        ]
        yield f"| {name} | {len(some)} | {' | '.join(cells)} |"


def _correlation(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    both = [term for term in one if term in other]
    return float(np.corrcoef([one[t] for t in both], [other[t] for t in both])[0, 1])


def biases(known: Mapping[str, Mapping[str, Any]], one: Model, other: Model) -> Any:
    """What one prefers and the other does not, by their orders of DL'19."""
    among = collection("dl19")
    evidence = [
        Evidence(
            qid,
            among.queries[qid],
            [among.texts[i] for i in _candidates(qid)],
            {m.name: np.array(known[m.name]["scores"][qid]) for m in (one, other)},
        )
        for qid in known[one.name]["scores"]
    ]
    return find_biases(evidence, [one.name, other.name])


def bias_rows(known: Mapping[str, Mapping[str, Any]], seeds: Sequence[int]) -> Iterator[str]:
    """The net preference of each property, seed by seed."""
    yield f"| of the second against the first | data or loss | {' | '.join(PROPERTIES)} |"
    yield f"|---|---|{'---|' * len(PROPERTIES)}"
    pairs = [
        *((NAMES[data], *((loss, data) for loss in LOSSES)) for data in DATA_SETS),
        *((NAMES[loss], *((loss, data) for data in DATA_SETS)) for loss in LOSSES),
    ]
    for beside, first, second in pairs:
        title = ", ".join(NAMES[a] for a, b in zip(first, second, strict=True) if a != b)
        title += ", " + ", ".join(NAMES[b] for a, b in zip(first, second, strict=True) if a != b)
        nets: dict[str, list[float]] = {name: [] for name in PROPERTIES}
        for seed in seeds:
            found = biases(known, Model(*first, seed), Model(*second, seed))[1]
            for one in found.properties:
                nets[one.name].append(one.net)
        cells = [" ".join(f"{value:+.2f}" for value in values) or "–" for values in nets.values()]
        yield f"| {title} | {beside} | {' | '.join(cells)} |"
    taken: dict[str, list[float]] = {name: [] for name in PROPERTIES}
    for one, other in combinations(models(seeds), 2):
        if KINDS["another seed"](one, other):
            for bias in biases(known, one, other)[1].properties:
                taken[bias.name].append(abs(bias.net))
    if any(taken.values()):
        cells = [f"±{max(values):.2f}" if values else "–" for values in taken.values()]
        yield f"| one seed, another: the largest | all | {' | '.join(cells)} |"


def report(measured: Measured, options: argparse.Namespace) -> Iterator[str]:
    known = measured.known
    parts = [measured.done(what) for what in ("scores", "plausibility")]
    seeds = [seed for seed in parts[0] if seed in parts[1]]
    yield "# What training changes\n"
    if not seeds:
        yield "No seed has all four models yet."
        return
    queries = len(known[models(seeds)[0].name]["scores"])
    yield (
        "Cross-encoders from the smallest transformer at hand, a BERT of two layers, 128 wide (that of "
        f"`splade-tiny`, with a new head), trained by `intentx train cross-encoder` for {STEPS} steps "
        "of 4 queries and 8 texts each: two losses, two collections (DL'21 with its judgements and, "
        "where there are none, SPLADE's scores; DL'22 with SPLADE's scores), "
        f"{count(len(seeds), 'seed')}: {4 * len(seeds)} models. {queries} queries of DL'19, BM25's "
        f"first {DEPTH} passages re-ranked; {options.claims} claims of SciFact, words weighed by "
        f"DeepLIFT; effects of terms for {options.effects} queries. `python closing.py --kept FILE "
        f"--out results`. Machine: {machine()}.\n"
    )
    base = {qid: [-float(i) for i in range(len(_candidates(qid)))] for qid in collection("dl19").queries}
    yield f"BM25's own order of these passages has nDCG@10 {np.mean(list(ndcgs(base).values())):.3f}.\n"
    heads = [f"{NAMES[loss]}, {NAMES[data]}" for data in DATA_SETS for loss in LOSSES]
    yield f"## Each kind of training\n\n| | {' | '.join(heads)} |"
    yield "|---|---|---|---|---|"
    found = tables(known, seeds)
    for one in found:
        cells = [one.cell(loss, data) for data in range(2) for loss in range(2)]
        yield f"| {one.title} | {' | '.join(cells)} |"
    chance = known[models(seeds)[0].name]["plausibility"]
    random = np.mean([value for claim, value in chance.items() if claim.startswith("random: ")])
    yield (
        "\nMean over seeds, in brackets 95 % over queries or claims. Plausibility of a random order: "
        f"{random:.3f}.\n"
    )
    yield "## What loss and data change\n"
    yield (
        "A difference is told apart from chance where its 95 % interval over queries (or claims; means "
        "over seeds) and that over seeds (Student's, means over queries) both leave out 0.\n"
    )
    yield "| | change | difference | over queries | over seeds | told apart |\n|---|---|---|---|---|---|"
    for one in found:
        yield f"| {one.title} | list-wise less hinge | {one.contrast('loss').cells} |"
        yield f"| {one.title} | DL'22 less DL'21 | {one.contrast('data').cells} |"
    yield "\n" + "\n".join(said(found, len(seeds))) + "\n"
    yield "## How much another seed changes\n"
    yield from agreements(known, seeds)
    yield (
        "\nMeans, in brackets the smallest and the largest. Biases: terms and properties that one of "
        "the two consistently prefers, as `intentx compare` finds them.\n\n## Biases, seed by seed\n"
    )
    yield from bias_rows(known, seeds)
    yield (
        "\nNet shares: of the pairs that two models order differently, the share in which the one "
        "preferred by the second holds more, minus that in which it holds less. A column is one seed. "
        "The last row is what another seed alone makes."
    )


def said(found: Sequence[Table], seeds: int) -> Iterator[str]:
    """What can be told, in sentences."""
    told, not_told = [], []
    for one in found:
        for axis, (less, more) in {
            "loss": ("pairwise hinge", "list-wise"),
            "data": ("DL'21", "DL'22"),
        }.items():
            change = one.contrast(axis)
            if change.told:
                higher = more if change.difference.mean() > 0 else less
                told.append(f"{one.title} is higher with {higher}")
            else:
                not_told.append(f"{one.title} ({less} against {more})")
    yield f"Told apart with {seeds} seeds: {'; '.join(told) or 'nothing'}."
    if not_told:
        yield f"Cannot be told apart: {'; '.join(not_told)}."


def page(path: Path, queries: int, seed: int = 0) -> None:
    """A page of `intentx compare` with the four models of one seed."""
    among = collection("dl19")
    topics = [
        Topic(qid, among.queries[qid], {i: among.texts[i] for i in _candidates(qid)[:20]})
        for qid in sorted(among.queries)[:: max(1, len(among.queries) // queries)][:queries]
    ]
    rankers = {
        f"{NAMES[one.loss]}, {NAMES[one.data]}": f"cross-encoder:{one.folder}" for one in models([seed])
    }
    write_comparison(path, compare_rankers(rankers, topics, method=ix.Multiplex(budget=60)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many are trained")
    parser.add_argument("--claims", type=int, default=12)
    parser.add_argument("--effects", type=int, default=EFFECT_QUERIES, help="queries; 0: none")
    parser.add_argument("--kept", type=Path, required=True, help="rows, JSONL: read, and added to")
    parser.add_argument("--page", type=Path, help="write a page that compares the models of seed 0")
    parser.add_argument("--out", type=Path, help="folder for closing.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    parts: dict[str, Callable[[CrossEncoder], Any]] = {
        "scores": scores,
        "plausibility": lambda ranker: plausibilities(ranker, options.claims),
    }
    if options.effects:
        parts["effects"] = lambda ranker: effects(ranker, options.effects)
    measured = Measured(options.kept)
    for model in models(SEEDS[: options.seeds]):
        measured.measure(model, parts)
    write(report(measured, options), options.out, "closing.md")
    if options.page:
        page(options.page, 8)


if __name__ == "__main__":
    main()
