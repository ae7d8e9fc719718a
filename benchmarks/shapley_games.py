"""Games whose Shapley values are known: planted ones, and passages of MiniLM by all versions."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from trec import load

from intentx.explainers.document.shap import shapley_values
from intentx.perturbation import all_subsets, keep_units
from intentx.rankers import BiEncoder

__all__ = ["KINDS", "Game", "Passage", "Planted", "passages", "planted"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

KINDS = ("sum", "pairs", "triples", "saturation", "negation")
WORDS = 14  # of a passage: 16,384 versions


class Game(Protocol):
    """A value for each coalition, and what it is known to give each player."""

    @property
    def name(self) -> str: ...

    @property
    def players(self) -> int: ...

    def __call__(self, kept: Kept) -> Floats:
        """(S,) values of coalitions (S, T)."""

    def exact(self) -> Floats:
        """(T,) Shapley values."""


@dataclass(frozen=True)
class Planted:
    """A sum of small games, whose Shapley values are the sum of theirs.

    Attributes
    ----------
    tables
        Players (P,) and the values (2^P,) of their coalitions, in the order of `all_subsets`.
    counts
        Players (P,) and the value of each number of them (P + 1,): all get the same.
    """

    name: str
    players: int
    tables: tuple[tuple[npt.NDArray[np.intp], Floats], ...]
    counts: tuple[tuple[npt.NDArray[np.intp], Floats], ...]

    def __call__(self, kept: Kept) -> Floats:
        total = np.zeros(len(kept))
        for who, table in self.tables:
            total += table[kept[:, who] @ (1 << np.arange(len(who)))]
        for who, table in self.counts:
            total += table[kept[:, who].sum(axis=1)]
        return total

    def exact(self) -> Floats:
        found = np.zeros(self.players)
        for who, table in self.tables:
            found[who] += shapley_values(table)
        for who, table in self.counts:
            found[who] += (table[-1] - table[0]) / len(who)
        return found


def planted(kind: str, players: int, number: int) -> Planted:
    """A game of a kind; in every second one all players matter, in the others eight.

    Numbers 0 and 1 of ``"sum"`` have a few weak pairs; ``"negation"``: words that count only where
    others are absent, and the logarithm of a count; ``"saturation"``: the largest of some weights, the
    logarithm of their sum, BM25's saturation, and in dense games the logarithm of a text's length.
    """
    generator = np.random.default_rng([KINDS.index(kind), players, number])
    dense = bool(number % 2)
    active = np.arange(players) if dense else generator.permutation(players)[:8]
    tables: list[tuple[npt.NDArray[np.intp], Floats]] = []
    counts: list[tuple[npt.NDArray[np.intp], Floats]] = []

    def some(size: int) -> npt.NDArray[np.intp]:
        return generator.choice(active, size=size, replace=False)

    def together(size: int, weight: float) -> None:
        table = np.zeros(2**size)
        table[-1] = weight * generator.normal()
        tables.append((some(size), table))

    if kind != "saturation":
        scale = 0.5 if kind == "negation" else 1.0
        for player in active.tolist():
            tables.append((np.array([player]), np.array([0.0, scale * generator.normal()])))
    if kind == "sum":
        for _ in range(4):
            together(2, 0.3)
    if kind in ("pairs", "triples"):
        for _ in range(max(4, len(active) // 2)):
            together(2 if kind == "pairs" else 3, 1.5)
    if kind == "triples":
        for _ in range(max(3, len(active) // 4)):
            together(2, 1.0)
    if kind == "saturation":
        for group in range(max(3, players // 8) if dense else 3):
            who = some(int(generator.integers(2, 7)))
            weights = generator.uniform(0.5, 2, len(who))
            those = all_subsets(len(who)) * weights
            total = those.sum(axis=1)
            shapes = (those.max(axis=1), 2 * np.log1p(total), 2.5 * total / (total + 1.2))
            tables.append((who, shapes[group % 3]))
        if dense:
            lengths = np.arange(players + 1) / players
            counts.append((np.arange(players), -np.log1p(3 * lengths)))
    if kind == "negation":
        for _ in range(max(3, len(active) // 5)):
            there = all_subsets(3)
            alone = there[:, 0] * (1 - 0.9 * there[:, 1:].max(axis=1))
            tables.append((some(3), generator.uniform(1, 3) * alone))
            total = all_subsets(5).sum(axis=1)
            tables.append((some(5), -generator.uniform(0.5, 1.5) * np.log1p(total)))
    return Planted(f"{kind} {number}", players, tuple(tables), tuple(counts))


@dataclass(frozen=True)
class Passage:
    """A text whose every version was scored: values (2^T,) in the order of `all_subsets`."""

    name: str
    players: int
    values: Floats

    def __call__(self, kept: Kept) -> Floats:
        return self.values[kept @ (1 << np.arange(self.players))]

    def exact(self) -> Floats:
        return shapley_values(self.values)


def passages(number: int) -> list[Passage]:
    """Relevant passages, cut before their fifteenth different word, and MiniLM's scores of all versions.

    Scores are kept in the temporary folder.
    """
    collection = load()
    found, model = [], None
    for qid in sorted(collection.queries)[:number]:
        file = Path(tempfile.gettempdir()) / "intentx-benchmarks" / f"versions-{WORDS}-{qid}.npy"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            model = model or BiEncoder.minilm()
            run = collection.runs[next(iter(collection.runs))][qid]
            best = max(run, key=lambda doc: (run[doc], doc))
            text, units = _cut(collection.texts[best])
            versions = keep_units(text, units, all_subsets(WORDS))
            np.save(file, np.asarray(model(collection.queries[qid], versions), dtype=np.float64))
        found.append(Passage(f"MiniLM {qid}", WORDS, np.load(file)))
    return found


def _cut(text: str) -> tuple[str, list[list[tuple[int, int]]]]:
    """A text before its word number `WORDS` + 1, and the spans of each different word."""
    units: dict[str, list[tuple[int, int]]] = {}
    for match in re.finditer(r"\w+", text):
        word = match.group().lower()
        if word not in units and len(units) == WORDS:
            return text[: match.start()], list(units.values())
        units.setdefault(word, []).append(match.span())
    return text, list(units.values())
