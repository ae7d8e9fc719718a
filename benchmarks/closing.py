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
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from closing_models import (
    DATA_SETS,
    DEPTH,
    EFFECT_QUERIES,
    LOSSES,
    NAMES,
    SEEDS,
    STEPS,
    Measured,
    Model,
    candidates,
    effects,
    models,
    ndcgs,
    plausibilities,
    scores,
)
from fidelity import interval
from problems import write
from train_rankers import collection
from trec import machine

import intentx as ix
from intentx.comparison.biases import find_biases
from intentx.comparison.compare import compare_rankers
from intentx.comparison.disagreements import PROPERTIES, Evidence
from intentx.evaluation.statistics import bootstrap, kendall_tau_b, student_interval
from intentx.markup import count
from intentx.rankers import CrossEncoder
from intentx.report.pages.comparison import write_comparison
from intentx.study.data import Topic

Floats = npt.NDArray[np.float64]


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


KINDS: dict[str, Callable[[Model, Model], bool]] = {
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
            [among.texts[i] for i in candidates(qid)],
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
            found = biases(known, Model(first[0], first[1], seed), Model(second[0], second[1], seed))[1]
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
    base = {qid: [-float(i) for i in range(len(candidates(qid)))] for qid in collection("dl19").queries}
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
    first = {qid: tuple(candidates(qid)[:20]) for qid in among.queries}
    topics = [
        Topic(qid, among.queries[qid], {i: among.texts[i] for i in first[qid]}, first[qid])
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
