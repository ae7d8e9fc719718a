"""Explanations side by side as tables: in a terminal, in a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from intentx.evaluation.faithfulness import Faithfulness
from intentx.evaluation.stability import Agreement
from intentx.explainers.document.shown import ShownDocument, verdict_of
from intentx.explainers.document.signed import signed
from intentx.explainers.document.votes import Votes
from intentx.markup import AGAINST, FOR, Html, bar, join, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "ALONE",
    "ShownBeside",
    "agreeing_cells",
    "beside_html",
    "beside_tables",
    "falls_of",
    "judged_cells",
]

ACROSS = 3  # explanations in one table of a terminal
BAR = 8  # characters
ALONE = "Bold and with a *: {label} alone has it among its first ten."


class _Agreeing(Protocol):
    @property
    def first(self) -> str: ...
    @property
    def second(self) -> str: ...
    @property
    def agreement(self) -> Agreement: ...


class ShownBeside(Protocol):
    """What is shown of a `SideBySide`."""

    @property
    def explanations(self) -> Sequence[ShownDocument]: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def varies(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def words(self) -> Sequence[str]: ...
    @property
    def first(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def alone(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def agreements(self) -> Sequence[_Agreeing]: ...
    @property
    def sentence(self) -> str: ...
    @property
    def votes(self) -> Votes: ...
    def faithfulness_of(self, label: str) -> Faithfulness | None: ...


def falls_of(found: Faithfulness | None) -> tuple[str, str]:
    """Ranks lost without the words and with only them, each with that of random words behind it.

    >>> falls_of(None)
    ('–', '–')
    """
    if found is None:
        return "–", "–"
    pairs = ((found.falls, found.random_falls), (found.loses, found.random_loses))
    one, two = (f"{a:z.1f} ({b:z.1f})".replace("-", "−") for a, b in pairs)
    return one, two


def beside_tables(beside: ShownBeside) -> Group:
    """How far the explanations agree, their words beside each other, and how good each is."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [
        Text(visible(beside.sentence), style="bold"),
        *_words(beside),
        Text(ALONE.format(label=f"this {beside.varies}"), style="dim"),
        _agreement(beside),
        _judged(beside),
    ]
    for label, one in zip(beside.labels, beside.explanations, strict=True):
        parts.append(Text(visible(f"{label}: {verdict_of(one)}")))
    parts.append(beside.votes.__rich__())
    return Group(*parts)


def _words(beside: ShownBeside) -> Iterator[Table]:
    """The words with a bar for each explanation; a few explanations to a table."""
    from rich.table import Table
    from rich.text import Text

    columns = [*zip(beside.labels, beside.explanations, strict=True)]
    only = {word for words in beside.alone.values() for word in words}
    for start in range(0, len(columns), ACROSS):
        title = f"Side by side: {beside.subject}" if not start else "continued"
        table = Table(title=Text(visible(title), style="italic"), title_justify="left")
        table.add_column("word", overflow="fold", min_width=10)
        for label, _ in columns[start : start + ACROSS]:
            table.add_column(Text(visible(label)), overflow="fold", min_width=BAR + 9)
        for word in beside.words:
            cells = (_cell(beside, label, one, word) for label, one in columns[start : start + ACROSS])
            name = Text(visible(word), style="bold" if word in only else "")
            table.add_row(name, *cells)
        yield table


def _cell(beside: ShownBeside, label: str, one: ShownDocument, word: str) -> Text:
    from rich.text import Text

    weight = dict(zip(one.terms, one.weights, strict=True)).get(word, math.nan)
    if math.isnan(weight):
        return Text("–")
    largest = max(map(abs, one.weights), default=0.0)
    only = word in beside.alone[label]
    halves = round(2 * BAR * abs(weight) / largest) if largest else 0
    drawn = "█" * (halves // 2) + "▌" * (halves % 2)
    colour = "blue" if weight > 0 else "dark_orange"
    shown = Text(f"{signed(weight, largest):>7} ", style="bold" if only else "")
    shown.append(drawn, style=f"{colour} not bold")
    return shown.append(" *" if only else "")


def _agreement(beside: ShownBeside) -> Table:
    from rich.table import Table
    from rich.text import Text

    title = Text("How far they agree on their first ten words", style="italic")
    table = Table(title=title, title_justify="left")
    table.add_column("", overflow="fold")
    for name in ("RBO", "Jaccard", "τ-b, all words"):
        table.add_column(name, justify="right")
    for one in beside.agreements:
        table.add_row(Text(visible(f"{one.first} and {one.second}")), *agreeing_cells(one.agreement))
    return table


def agreeing_cells(found: Agreement) -> tuple[str, str, str]:
    """Rank-biased overlap, Jaccard and τ-b as people read them."""
    values = (found.rbo, found.jaccard, found.kendall)
    one, two, three = ("–" if math.isnan(v) else f"{v:.2f}".replace("-", "−") for v in values)
    return one, two, three


def _judged(beside: ShownBeside) -> Table:
    from rich.table import Table
    from rich.text import Text

    title = Text("How far each can be believed; in brackets: random words", style="italic")
    table = Table(title=title, title_justify="left")
    table.add_column(beside.varies, overflow="fold")
    table.add_column("rank", justify="right")
    table.add_column("verdict")
    for name in ("ranks lost without its words", "ranks lost with only them"):
        table.add_column(name, justify="right")
    table.add_column("words it alone names", overflow="fold")
    for label, one in zip(beside.labels, beside.explanations, strict=True):
        table.add_row(*map(Text, map(visible, judged_cells(beside, label, one))))
    return table


def judged_cells(beside: ShownBeside, label: str, one: ShownDocument) -> tuple[str, ...]:
    """The row of one explanation: label, rank, verdict, faithfulness, words that it alone names."""
    level = "none" if one.verdict is None else one.verdict.level
    only = ", ".join(beside.alone[label]) or "–"
    faithful = falls_of(beside.faithfulness_of(label))
    return (label, str(one.position + 1), level, *faithful, only)


def beside_html(beside: ShownBeside) -> str:
    """The same for a notebook."""
    columns = [*zip(beside.labels, beside.explanations, strict=True)]
    only = {word for words in beside.alone.values() for word in words}
    head = tag("tr", tag("th", "word"), *(tag("th", visible(label)) for label, _ in columns))
    rows = [
        tag(
            "tr",
            tag("td", tag("b", word) if word in only else word),
            *(_html_cell(beside, label, one, word) for label, one in columns),
        )
        for word in beside.words
    ]
    agreeing = [
        tag("tr", *(tag("td", cell) for cell in (f"{one.first} and {one.second}", *cells)))
        for one in beside.agreements
        for cells in [agreeing_cells(one.agreement)]
    ]
    judged = [
        tag("tr", *(tag("td", visible(cell)) for cell in judged_cells(beside, label, one)))
        for label, one in columns
    ]
    titles = ("", "RBO", "Jaccard", "τ-b, all words")
    names = (
        beside.varies,
        "rank",
        "verdict",
        "lost without (random)",
        "lost with only (random)",
        "alone",
    )
    verdicts = (tag("p", tag("b", label), f": {visible(verdict_of(one))}") for label, one in columns)
    return join(
        [
            tag("p", tag("b", visible(beside.sentence))),
            tag("table", head, *rows),
            tag("p", ALONE.format(label=f"this {beside.varies}")),
            tag("table", tag("tr", *(tag("th", name) for name in titles)), *agreeing),
            tag("table", tag("tr", *(tag("th", name) for name in names)), *judged),
            *verdicts,
        ]
    )


def _html_cell(beside: ShownBeside, label: str, one: ShownDocument, word: str) -> Html:
    weight = dict(zip(one.terms, one.weights, strict=True)).get(word, math.nan)
    if math.isnan(weight):
        return tag("td", "–")
    largest = max(map(abs, one.weights), default=0.0) or 1.0
    number = signed(weight, largest).replace("-", "−")
    drawn = bar(weight / largest, FOR if weight > 0 else AGAINST) if weight else ""
    if word in beside.alone[label]:
        return tag("td", tag("b", f"{number}* "), drawn)
    return tag("td", f"{number} ", drawn)
