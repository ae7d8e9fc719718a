"""An explanation of one document as a table: in a terminal, in a notebook."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from intentx.evaluation.metrics import document_title
from intentx.explainers.document.signed import SIZES, sides_of, signed, two_sided
from intentx.explainers.document.weighed import Weighed, Word
from intentx.explainers.levels import Judgement
from intentx.markup import AGAINST, FOR, Html, bar, join, tag
from intentx.scoring import unit_of
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

__all__ = ["ShownDocument", "document_html", "document_tables", "opening", "verdict_of"]

SHOWN = 20  # rows of the text table
BAR = 12  # characters of a bar to either side
NAMED = 20  # words that the ranker never read
IN_NOTEBOOK = 10  # words with their weights below the text


class ShownDocument(Weighed, Protocol):
    """What is shown of a `DocumentExplanation`."""

    @property
    def document(self) -> str: ...
    @property
    def words(self) -> Sequence[Word]: ...
    @property
    def wordless(self) -> float: ...
    @property
    def unseen(self) -> tuple[str, ...]: ...
    @property
    def verdict(self) -> Judgement | None: ...
    @property
    def unjudged(self) -> str: ...
    @property
    def cautions(self) -> Sequence[str]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    def _subject(self) -> str: ...
    def _rich_measures(self) -> list[RenderableType]: ...
    def _html_measures(self) -> str: ...


def verdict_of(explanation: ShownDocument) -> str:
    """The sentence of the verdict, or why there is none."""
    if explanation.verdict is not None:
        return explanation.verdict.sentence
    first, *_ = explanation.unjudged.splitlines()
    return f"No verdict: {first}"


def opening(explanation: ShownDocument) -> list[str]:
    """What is said first: cautions, and the verdict."""
    return [*(f"Caution: {one}" for one in explanation.cautions), verdict_of(explanation)]


def document_tables(explanation: ShownDocument) -> Group:
    """The verdict and the words, for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text(visible(f"{explanation.method} for {explanation._subject()}"), style="italic")
    table = Table()
    table.add_column("word", overflow="fold", min_width=10)
    table.add_column("weight", justify="right", no_wrap=True)
    said = sides_of(explanation.method)
    table.add_column(two_sided(*said, " ", width=BAR), no_wrap=True, overflow="crop")
    times = Counter(word.term for word in explanation.words)
    if explanation.above is None:
        there: Counter[str] | None = None
    else:
        text = explanation.ranking.texts[explanation.above]
        there = Counter(token.term for token in explanation.analyzer.tokens(text))
    table.add_column("times", justify="right", no_wrap=True)
    largest = max(map(abs, explanation.weights), default=0.0)
    for term, weight in list(zip(explanation.terms, explanation.weights, strict=True))[:SHOWN]:
        length = round(2 * BAR * (abs(weight) / largest)) if largest else 0  # in half blocks
        whole, half = divmod(length, 2)
        sides = ("▐" * half + "█" * whole, "") if weight < 0 else ("", "█" * whole + "▌" * half)
        number = str(times[term] or "–")
        if there is not None:
            number += f" / {there[term] or '–'}"
        shown = _number(explanation, weight, largest)
        table.add_row(Text(visible(term)), shown, two_sided(*sides, width=BAR), number)
    for name, weight in _others(explanation):
        shown = _number(explanation, weight, max(largest, abs(weight)))
        table.add_row(Text(name, style="italic"), shown)
    first = [Text(visible(line), style="bold") for line in opening(explanation)]
    closing = Text(visible(_closing(explanation)), style="dim")
    return Group(*first, title, table, *explanation._rich_measures(), closing)


def _number(explanation: ShownDocument, weight: float, largest: float) -> str:
    """A weight, with a sign where it has a direction."""
    shown = signed(weight, largest)
    return shown.removeprefix("+") if explanation.method in SIZES else shown


def _others(explanation: ShownDocument) -> list[tuple[str, float]]:
    """What no shown row carries: the words of smaller weight together, and the rest."""
    smaller = explanation.weights[SHOWN:]
    unit = unit_of(smaller)
    together = math.fsum(weight / unit for weight in smaller) * unit
    rows = [(f"{len(smaller)} smaller words", together)] if smaller else []
    left = explanation.wordless
    return rows if math.isnan(left) else [*rows, ("the rest: no word", left)]


def _closing(explanation: ShownDocument) -> str:
    lines = []
    if explanation.above is not None:
        one, other = (explanation.ranking.doc_ids[i] for i in (explanation.position, explanation.above))
        lines.append(f"times in {one!r} / in {other!r}; – / 1: only in {other!r}")
    metrics = {key: value for key, value in explanation.metrics.items() if key != "rest"}
    if metrics:
        shown = (f"{document_title(key)} {value:.4g}" for key, value in metrics.items())
        lines.append(", ".join(shown))
    if explanation.unseen:
        others = len(explanation.unseen) - NAMED
        more = f" and {others} more words" if others > 0 else ""
        lines.append(f"the ranker never read: {', '.join(explanation.unseen[:NAMED])}{more}")
    versions = "1 version" if explanation.model_calls == 1 else f"{explanation.model_calls} versions"
    lines.append(
        f"{versions} scored by the ranker; {explanation.seconds['total']:.2f} s, "
        f"{explanation.seconds['model']:.2f} s of them the ranker's"
    )
    return "\n".join([*lines, *(note for note in explanation.notes if note not in explanation.cautions)])


def _legend(explanation: ShownDocument) -> list[Html]:
    """What the colours mean, and the first words with their weights."""
    shown = list(zip(explanation.terms, explanation.weights, strict=True))[:IN_NOTEBOOK]
    if not shown:
        return []
    largest = max(abs(weight) for _, weight in shown) or 1.0
    against, pro = sides_of(explanation.method)
    pro = "for the document" if pro == "for" else pro
    colours = [
        tag("span", said, style=f"background:rgba({colour},.75);padding:0 .3em")
        for said, colour in ((pro, FOR), (f"{against} it" if against else "", AGAINST))
        if said
    ]
    rows = [
        tag(
            "tr",
            tag("td", term),
            tag("td", bar(weight / largest, FOR if weight > 0 else AGAINST)),
            tag("td", _plain(explanation, weight)),
        )
        for term, weight in shown
    ]
    return [tag("p", *colours, " the stronger, the more"), tag("table", *rows)]


def _plain(explanation: ShownDocument, weight: float) -> str:
    """A weight for a notebook, with a sign where it has a direction."""
    return f"{weight:.4g}" if explanation.method in SIZES else f"{weight:+.4g}"


def document_html(explanation: ShownDocument) -> str:
    """The same for a notebook: the verdict, and the coloured text."""
    largest = max((abs(word.weight) for word in explanation.words), default=0.0) or 1.0
    parts: list[str] = []
    done = 0
    for word in explanation.words:
        colour = FOR if word.weight > 0 else AGAINST
        parts += [
            explanation.document[done : word.start],
            tag(
                "span",
                explanation.document[word.start : word.end],
                style=f"background:rgba({colour},{abs(word.weight) / largest:.2f})",
                title=_plain(explanation, word.weight),
            ),
        ]
        done = word.end
    lines = [tag("p", tag("b", visible(line))) for line in opening(explanation)]
    lines.append(tag("p", tag("b", explanation.method), f" for {explanation._subject()}"))
    lines += _legend(explanation)
    lines.append(tag("p", *parts, explanation.document[done:]))
    if not math.isnan(explanation.wordless):
        rest = _plain(explanation, explanation.wordless)
        lines.append(tag("p", f"the rest, which no word carries: {rest}"))
    return join([*lines, explanation._html_measures()])
