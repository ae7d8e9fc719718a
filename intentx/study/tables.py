"""What a study comes to: a line for each ranker and method, held against the best baseline."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.evaluation.metrics import STUDIED
from intentx.evaluation.statistics import Estimate, bootstrap, holm
from intentx.signs import visible
from intentx.study.store import Row
from intentx.study.versus import Versus, versus

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "MARKS",
    "TESTED",
    "Estimate",
    "Line",
    "Versus",
    "interval",
    "narrow",
    "number",
    "rich_known",
    "rich_tables",
    "short",
    "summarise",
]

Floats = npt.NDArray[np.float64]
Pair = tuple[str, str]  # a ranker and a method, by their names

# Where more is better, there is a best baseline to be held against.
TESTED = tuple(key for key, metric in STUDIED.items() if metric.direction == "higher")
MARKS = {1: "†", -1: "‡", 0: ""}  # by `Versus.sign`
# How far the terms are what the ranker says that it looks for.
KNOWN = ("intent_precision", "intent_recall", "intent_ap")
SHOWN = (  # in a terminal
    *("all", "far", "sampled", "heldout_pairs", "heldout_documents"),
    *("shuffled_all", "terms"),
)
FEATURES_SHOWN = (  # of rankers over features
    *("preservation_5", "deletion_5", "exposure_preservation_5", "validity", "completeness"),
    "feature_heldout",
)


@equal_by_values
@dataclass(frozen=True)
class Line:
    """One ranker explained by one method, over all queries.

    Attributes
    ----------
    metrics
        Those of `intentx.evaluation.metrics.STUDIED` that are defined for some query.
    against
        Of metrics in `TESTED`, the difference to the best other baseline of the same ranker; the p
        values are Holm's, over the methods of that ranker.
    queries
        How many there are, those without metrics among them.
    failed
        The reason of each query without metrics, by its id.
    seconds
        Mean per query of ``"ours"``, of the ``"model"``, and of ``"explain"``: one explanation alone.
    """

    ranker: str
    method: str
    metrics: Mapping[str, Estimate]
    against: Mapping[str, Versus] = field(repr=False)
    queries: int
    failed: Mapping[str, str] = field(repr=False)
    seconds: Mapping[str, float] = field(repr=False)


def summarise(
    rows: Iterable[Row],
    order: Iterable[Pair],
    baselines: Callable[[str], Sequence[str]] = lambda ranker: (),
    seed: int = 0,
) -> tuple[Line, ...]:
    """A line for each ranker and method in ``order``; rows may come in any order.

    Parameters
    ----------
    baselines
        Names of the methods that the others of a ranker are held against.
    """
    found: dict[Pair, _Column] = {pair: _Column() for pair in order}
    for row in rows:
        if (row.ranker, row.method) in found:
            found[row.ranker, row.method].add(row)
    # In the order of ids, so that no draw depends on the order of the rows.
    qids = sorted({qid for column in found.values() for qid in column.qids})
    places = {qid: place for place, qid in enumerate(qids)}
    values = {pair: column.values(places) for pair, column in found.items()}
    lines = [_line(pair, column, values[pair], seed) for pair, column in found.items()]
    versions = {line.ranker: [one for one in lines if one.ranker == line.ranker] for line in lines}
    against: dict[Pair, dict[str, Versus]] = {pair: {} for pair in found}
    for ranker, some in versions.items():
        for name in TESTED:
            for method, one in _held_against(some, values, name, baselines(ranker), seed).items():
                against[ranker, method][name] = one
    return tuple(dataclasses.replace(line, against=against[line.ranker, line.method]) for line in lines)


class _Column:
    """The rows of one ranker and method, in arrays: thousands of queries need little memory."""

    def __init__(self) -> None:
        self.qids: list[str] = []
        self.failed: dict[str, str] = {}
        self.metrics = {name: array("d") for name in STUDIED}
        self.seconds: dict[str, array[float]] = {}

    def add(self, row: Row) -> None:
        self.qids.append(row.qid)
        if row.reason:
            self.failed[row.qid] = row.reason
        for name, numbers in self.metrics.items():
            numbers.append(row.metrics.get(name, np.nan))
        for name, value in row.seconds.items():
            self.seconds.setdefault(name, array("d")).append(value)

    def values(self, places: Mapping[str, int]) -> dict[str, Floats]:
        """(n,) of each metric, by the places of queries, NaN where there is none."""
        where = np.array([places[qid] for qid in self.qids], dtype=np.intp)
        found = {}
        for name, numbers in self.metrics.items():
            found[name] = np.full(len(places), np.nan)
            found[name][where] = numbers
        return found


def _line(pair: Pair, column: _Column, values: Mapping[str, Floats], seed: int) -> Line:
    metrics = {
        name: bootstrap(some[np.isfinite(some)], seed, STUDIED[name].bounds)
        for name, some in values.items()
        if np.isfinite(some).any()
    }
    seconds = {name: float(np.sort(some).mean()) for name, some in column.seconds.items()}
    failed = dict(sorted(column.failed.items()))
    return Line(*pair, metrics, {}, len(column.qids), failed, seconds)


def _held_against(
    lines: Sequence[Line],
    values: Mapping[Pair, Mapping[str, Floats]],
    name: str,
    baselines: Sequence[str],
    seed: int,
) -> dict[str, Versus]:
    """Each method of a ranker against the baseline with the highest mean, itself left out."""
    means = {
        line.method: line.metrics[name].mean
        for line in lines
        if line.method in baselines and name in line.metrics
    }
    found = {}
    for line in lines:
        others = [method for method in means if method != line.method]
        if name not in line.metrics or not others:
            continue
        best = max(others, key=means.__getitem__)
        both = values[line.ranker, line.method][name], values[line.ranker, best][name]
        one = versus(both[0], best, both[1], seed)
        if one is not None:
            found[line.method] = one
    adjusted = holm([one.p for one in found.values()])
    pairs = zip(found.items(), adjusted, strict=True)
    return {method: dataclasses.replace(one, p=p) for (method, one), p in pairs}


def rich_tables(lines: Iterable[Line]) -> list[Table]:
    """One table for each ranker, for a terminal of 80 columns.

    Its title says how many queries there are where some are without metrics.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = list(lines)
    queries = {line.ranker: line.queries for line in lines if line.failed}
    of_features = any(name in line.metrics for line in lines for name in FEATURES_SHOWN)
    names = FEATURES_SHOWN if of_features else SHOWN
    tables: dict[str, Table] = {}
    for line in lines:
        if line.ranker not in tables:
            title = Text(visible(line.ranker), style="bold")
            if line.ranker in queries:
                title.append(f", n of {queries[line.ranker]:,} queries", style="not bold")
            table = Table(
                title=title,
                title_justify="left",
                box=box.SIMPLE_HEAD,
                padding=(0, 0, 0, 0 if of_features else 1),  # their long heads need the room
                pad_edge=False,
            )
            table.add_column("method", overflow="fold", min_width=12 if of_features else 11)
            for head in (*map(narrow, names), "n"):
                table.add_column(head, justify="right", min_width=4)
            tables[line.ranker] = table
        cells = [short(name, line.metrics.get(name)) for name in names]
        measured = max((estimate.n for estimate in line.metrics.values()), default=0)
        tables[line.ranker].add_row(Text(visible(line.method)), *cells, str(measured))
    return list(tables.values())


def rich_known(lines: Iterable[Line]) -> Table | None:
    """The terms held against what the rankers look for; None where none of them says it."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    some = [line for line in lines if any(name in line.metrics for name in KNOWN)]
    if not some:
        return None
    title = Text("Against what the ranker says it looks for", style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for head in ("ranker", "method"):
        table.add_column(head, overflow="fold")
    for head in (*map(narrow, KNOWN), "n"):
        table.add_column(head, justify="right")
    last = ""
    for line in some:
        found = [line.metrics.get(name) for name in KNOWN]
        cells = [short(name, one) for name, one in zip(KNOWN, found, strict=True)]
        measured = max(one.n for one in found if one is not None)
        ranker = visible(line.ranker) if line.ranker != last else ""
        table.add_row(Text(ranker), Text(visible(line.method)), *cells, str(measured))
        last = line.ranker
    return table


def narrow(name: str) -> str:
    """The title of a metric with a word on each line, as the head of a narrow column.

    >>> narrow("heldout_documents")
    'held-out\\ndocuments'
    """
    return STUDIED[name].title.replace(" ", "\n")


def interval(name: str, one: Estimate | Versus) -> str:
    """An interval as tables have it: ".780 to .850"; "" where there is none."""
    if np.isnan(one.low):
        return ""
    return f"{number(name, one.low)} to {number(name, one.high)}"


def short(name: str, estimate: Estimate | None) -> str:
    """A mean as tables have it: ".834", "−.120", "12.9", "–" where there is none."""
    if estimate is None:
        return "–"
    return number(name, estimate.mean)


def number(name: str, value: float) -> str:
    """Shares with three digits and no leading zero; counts and ranks with one digit; "–" for NaN."""
    if np.isnan(value):
        return "–"
    digits = STUDIED[name].digits
    shown = f"{value:,.{digits}f}"
    return (shown if digits < 3 else shown.replace("0.", ".", 1)).replace("-", "−")
