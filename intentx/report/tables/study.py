"""The table of a study: a row for each ranker and method, a column for each metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from intentx.evaluation.metrics import FEATURE_METRICS, METRICS, SECONDS
from intentx.evaluation.statistics import probability
from intentx.markup import Html, count, join, tag
from intentx.study.tables import MARKS, TESTED, interval, number
from intentx.study.versus import marks_in_words

if TYPE_CHECKING:
    from intentx.study.tables import Line, Versus

__all__ = ["GROUPS", "SHOWN", "groups", "legend", "main_table", "present", "seconds"]

# Groups of columns from left to right; those of other metrics come behind them.
GROUPS = ("Fidelity", "Held out", "Shuffled", "Published rule", "Known intent", "Faithfulness", "Terms")
SHOWN = {**METRICS, **FEATURE_METRICS, **SECONDS}


def groups(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Keys of metrics in the groups that a page shows, from left to right.

    >>> groups(["tau", "model_calls", "all", "deletion"])
    [('Fidelity', ['all', 'tau']), ('Faithfulness', ['deletion']), ('Cost', ['model_calls'])]
    """
    wanted = set(names)
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for key, metric in SHOWN.items():
        if key in wanted:
            found.setdefault(metric.group, []).append(key)
    return [(group, own) for group, own in found.items() if own]


def seconds(value: float) -> str:
    """Seconds as people read them.

    >>> seconds(0.001), seconds(12.345), seconds(0.0)
    ('< 0.01', '12.35', '0.00')
    """
    return "< 0.01" if 0 < value < 0.005 else f"{value:,.2f}"


def present(lines: Sequence[Line]) -> list[str]:
    """Names of the metrics that some line has, in the order of the columns."""
    have = {name for line in lines for name in (*line.metrics, *line.seconds)}
    return [name for _, own in groups(have) for name in own]


def main_table(lines: Sequence[Line]) -> Html:
    """The table, complete and readable without a script, which makes it sortable."""
    columns = _columns(present(lines))
    best = _best(lines)
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", line.ranker), scope="row", class_="ranker"),
            _method(line),
            _queries(line),
            *(_cell(line, name, kind, best.get((line.ranker, name), "")) for name, kind in columns),
            class_="begins" if not place or lines[place - 1].ranker != line.ranker else None,
        )
        for place, line in enumerate(lines)
    ]
    table = tag("table", _head(columns), tag("tbody", *rows), class_="metrics", id="metrics")
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="All metrics")


def _columns(names: Sequence[str]) -> list[tuple[str, str]]:
    """The metrics of the columns, and the class of each: which group, and whether it begins there."""
    return [
        (name, f"n g{place}{'' if i else ' start'}")
        for place, (_, own) in enumerate(groups(names))
        for i, name in enumerate(own)
    ]


def _head(columns: Sequence[tuple[str, str]]) -> Html:
    """Two lines: groups, and their columns."""
    kinds = dict(columns)
    above = [
        tag("th", group, colspan=len(own), scope="colgroup", class_=f"g{place} start")
        for place, (group, own) in enumerate(groups(kinds))
    ]
    below = [
        tag(
            "th",
            SHOWN[name].title,
            scope="col",
            class_=kind,
            title=SHOWN[name].description,
            data_key=name,
        )
        for name, kind in columns
    ]
    names = (
        tag("th", name, scope="col", rowspan=2, data_key=name, class_="n" if name == "queries" else None)
        for name in ("ranker", "method", "queries")
    )
    return tag("thead", tag("tr", *names, *above), tag("tr", *below))


def _best(lines: Sequence[Line]) -> dict[tuple[str, str], str]:
    """The highest mean of each ranker and metric, as it is written."""
    best: dict[tuple[str, str], float] = {}
    for line in lines:
        for name in TESTED:
            if name in line.metrics:
                mean = line.metrics[name].mean
                best[line.ranker, name] = max(mean, best.get((line.ranker, name), mean))
    return {(ranker, name): number(name, mean) for (ranker, name), mean in best.items()}


def _method(line: Line) -> Html:
    """The name of a method, which stays in sight where its ranker's scrolls away: on a phone."""
    ranker = tag("small", tag("bdi", line.ranker), class_="of", aria_hidden="true")
    return tag("th", tag("bdi", line.method), ranker, scope="row", class_="method")


def _queries(line: Line) -> Html:
    """Over how many queries the means are, and how many have failed."""
    measured = max((estimate.n for estimate in line.metrics.values()), default=0)
    failed = tag("small", f"{count(len(line.failed))} failed", class_="reason") if line.failed else ""
    return tag("td", count(measured), failed, class_="n", data_v=measured)


def _cell(line: Line, name: str, kind: str, best: str) -> Html:
    """A mean with its interval, and the mark of a difference that is hardly chance."""
    if name in SECONDS:
        spent = line.seconds.get(name)
        value = None if spent is None else repr(float(spent))
        return tag("td", "–" if spent is None else seconds(spent), class_=kind, data_v=value)
    estimate = line.metrics.get(name)
    if estimate is None:
        return tag("td", "–", class_=kind)
    mean, versus = number(name, estimate.mean), line.against.get(name)
    mark = MARKS[versus.sign] if versus else ""
    most = max(one.n for one in line.metrics.values())
    around = interval(name, estimate)
    return tag(
        "td",
        tag("b", mean) if mean == best else mean,
        tag("sup", mark) if mark else "",
        tag("small", around, class_="interval") if around else "",
        tag("small", count(estimate.n, "query", "queries")) if estimate.n < most else "",
        class_=kind,
        data_v=repr(float(estimate.mean)),
        title=_against(name, versus) if versus else None,
    )


def _against(name: str, versus: Versus) -> str:
    """The comparison with the best baseline in words."""
    around = f" ({interval(name, versus)})" if interval(name, versus) else ""
    return (
        f"against {versus.baseline}: {number(name, versus.difference)}{around}, "
        f"{probability(versus.p)}, {count(versus.n, 'query', 'queries')}"
    )


def legend(lines: Sequence[Line]) -> Html:
    """What the columns and the marks mean."""
    names = present(lines)
    tested = [line.against[name] for line in lines for name in names if name in line.against]
    said = marks_in_words(tested).replace("'", "’")
    marks = tag(
        "p",
        "Means over queries, with 95 % intervals below where there are two queries or more. ",
        tag("b", "Bold"),
        ": the highest of a ranker. ",
        f"{said} Point at a metric for the difference." if said else "",
        class_="note",
    )
    terms = []
    for group, own in groups(names):
        meanings = join((f"{SHOWN[name].title}: {SHOWN[name].description}" for name in own), "; ")
        terms += [tag("dt", group), tag("dd", meanings)]
    details = tag("details", tag("summary", "What the columns are"), tag("dl", *terms))
    return join([marks, details])
