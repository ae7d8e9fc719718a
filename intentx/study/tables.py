"""What a study comes to: means over queries with intervals, and what could not be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.study.cells import FIGURES
from intentx.study.store import Row

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Estimate", "Line", "bootstrap", "rich_tables", "summarise"]

Floats = npt.NDArray[np.float64]

DRAWS = 2000
SHOWN = {  # in a terminal, with heads that are short
    "all": "all",
    "far": "far",
    "sampled": "sampled",
    "heldout_pairs": "new pairs",
    "heldout_documents": "new docs",
    "shuffled_all": "shuffled",
    "terms": "terms",
}


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` queries, and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Line:
    """One ranker explained by one method, over all queries.

    Attributes
    ----------
    figures
        Those of `intentx.study.cells.FIGURES` that are defined for some query.
    queries
        How many there are, those without figures among them.
    failed
        The reason of each query without figures, by its id.
    seconds
        Mean per query of ``"ours"`` and of the ``"model"``.
    """

    ranker: str
    method: str
    figures: Mapping[str, Estimate]
    queries: int
    failed: Mapping[str, str] = field(repr=False)
    seconds: Mapping[str, float] = field(repr=False)


def summarise(rows: Iterable[Row], order: Iterable[tuple[str, str]], seed: int = 0) -> tuple[Line, ...]:
    """A line for each ranker and method in ``order``; rows may come in any order.

    The interval is over queries: 2.5 and 97.5 % of the means of 2,000 samples with replacement.
    """
    values: dict[tuple[str, str], dict[str, dict[str, float]]] = {pair: {} for pair in order}
    failed: dict[tuple[str, str], dict[str, str]] = {pair: {} for pair in values}
    spent: dict[tuple[str, str], dict[str, list[float]]] = {pair: {} for pair in values}
    for row in rows:
        pair = row.ranker, row.method
        if pair not in values:
            continue
        if row.reason:
            failed[pair][row.qid] = row.reason
        for name, value in row.figures.items():
            values[pair].setdefault(name, {})[row.qid] = value
        for name, value in row.seconds.items():
            spent[pair].setdefault(name, []).append(value)
    lines = []
    for pair, found in values.items():
        # Sorted by query, so that the draws do not hang on the order of the rows.
        figures = {
            name: bootstrap(np.array([found[name][qid] for qid in sorted(found[name])]), seed)
            for name in FIGURES
            if name in found
        }
        measured = max((estimate.n for estimate in figures.values()), default=0)
        seconds = {name: float(np.mean(sorted(some))) for name, some in spent[pair].items()}
        lines.append(
            Line(
                *pair, figures, measured + len(failed[pair]), dict(sorted(failed[pair].items())), seconds
            )
        )
    return tuple(lines)


def bootstrap(values: Floats, seed: int = 0) -> Estimate:
    """The mean of one value or more, and its interval.

    >>> bootstrap(np.array([0.5, 0.5, 0.5]))
    Estimate(mean=0.5, low=0.5, high=0.5, n=3)
    """
    generator = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for start in range(0, DRAWS, 100):  # in blocks, so that many queries need little memory
        drawn = generator.integers(len(values), size=(100, len(values)))
        means[start : start + 100] = values[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def rich_tables(lines: Iterable[Line]) -> list[Table]:
    """One table for each ranker, for a terminal."""
    from rich.table import Table
    from rich.text import Text

    tables: dict[str, Table] = {}
    for line in lines:
        if line.ranker not in tables:
            table = Table(title=Text(line.ranker, style="italic"), title_justify="left")
            table.add_column("method", overflow="fold", min_width=11)
            for head in (*SHOWN.values(), "n", "failed"):
                table.add_column(head, justify="right", min_width=4)
            tables[line.ranker] = table
        cells = [_short(name, line.figures.get(name)) for name in SHOWN]
        number = max((estimate.n for estimate in line.figures.values()), default=0)
        tables[line.ranker].add_row(Text(line.method), *cells, str(number), str(len(line.failed)))
    return list(tables.values())


def _short(name: str, estimate: Estimate | None) -> str:
    """A share without its leading zero, a number of terms with one digit behind the point."""
    if estimate is None:
        return "–"
    return f"{estimate.mean:.1f}" if name == "terms" else f"{estimate.mean:.3f}".replace("0.", ".", 1)
