"""An explanation of a ranking as a table: in a terminal, in a notebook, on a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from intentx.evaluation.fidelity import Fidelity
from intentx.explainers.ranking.roles import TermRole
from intentx.explainers.ranking.term_effect import TermEffect
from intentx.explainers.ranking.verdict import Verdict
from intentx.markup import AGAINST, FOR, Html, bar, join, tag
from intentx.preferences import PreferenceMatrices
from intentx.ranking import Ranking
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

__all__ = ["AVOIDED", "COLUMNS", "ShownIntent", "intent_html", "intent_tables", "term_rows"]

COLUMNS = ("intent term", "the ranker", "places", "share", "won/lost", "docs", "splits")
AVOIDED = 5  # terms that the ranker avoids, as shown
COLOURS = {"wanted": FOR, "unwanted": AGAINST}
NEITHER = "128,128,128"


class ShownIntent(Protocol):
    """What is shown of an `IntentExplanation`."""

    @property
    def method(self) -> str: ...
    @property
    def ranking(self) -> Ranking: ...
    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def words(self) -> tuple[str, ...]: ...
    @property
    def effects(self) -> Sequence[TermEffect]: ...
    @property
    def avoids(self) -> Sequence[TermEffect]: ...
    @property
    def roles(self) -> Sequence[TermRole]: ...
    @property
    def verdict(self) -> Verdict | None: ...
    @property
    def cautions(self) -> Sequence[str]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def matrices(self) -> PreferenceMatrices: ...
    @property
    def coverage(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def fidelity(self) -> Fidelity: ...
    @property
    def model_calls(self) -> int: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    def _rich_measures(self) -> list[RenderableType]: ...
    def _html_measures(self) -> str: ...


def term_rows(explanation: ShownIntent) -> list[tuple[str, ...]]:
    """For each term the cells of `COLUMNS`.

    ``places``: those that a document rises with the term. ``won/lost``: fitted pairs that are covered
    with the term only, and without it only. ``splits``: how many of the verdict's splits choose it.
    """
    verdict = explanation.verdict
    stability = (math.nan,) * len(explanation.terms) if verdict is None else verdict.stability
    rows: list[tuple[str, ...]] = []
    for word, effect, role, share in zip(
        explanation.words, explanation.effects, explanation.roles, stability, strict=True
    ):
        counts = (f"{role.share:.3f}", f"{role.won}/{role.lost}", str(role.documents))
        chosen = "" if math.isnan(share) else f"{share:.0%}"
        rows.append((word, *effect.cells(), *counts, chosen))
    return rows


def _opening(explanation: ShownIntent) -> list[str]:
    """What is said first: cautions, and the verdict."""
    said = [f"Caution: {caution}" for caution in explanation.cautions]
    return [*said, explanation.verdict.sentence] if explanation.verdict is not None else said


def _closing(explanation: ShownIntent) -> str:
    n_pairs, seconds = explanation.matrices.n_pairs, explanation.seconds
    lines = [
        f"{round(explanation.coverage * n_pairs)} of {n_pairs} fitted pairs covered "
        f"({explanation.status}); {explanation.model_calls} texts scored by the ranker; "
        f"{seconds['total']:.2f} s, {seconds['model']:.2f} s of them the ranker's"
    ]
    if explanation.avoids:
        worst = (f"{one.term} ({one.effect:+.2g})" for one in explanation.avoids[:AVOIDED])
        lines.append("the ranker avoids: " + ", ".join(worst))
    return "\n".join([*lines, *(n for n in explanation.notes if n not in explanation.cautions)])


def intent_tables(explanation: ShownIntent) -> Group:
    """The verdict, the terms and the fidelity, for a terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    # Texts, so that "[b]" is no markup
    title = Text(visible(f"{explanation.method} for “{explanation.ranking.query}”"))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if place < 2 else "right", overflow="fold")
    for row in term_rows(explanation):
        table.add_row(*(Text(visible(cell)) for cell in row))
    first = [Text(visible(line), style="bold") for line in _opening(explanation)]
    closing = Text(visible(_closing(explanation)), style="dim")
    return Group(*first, table, explanation.fidelity.__rich__(), *explanation._rich_measures(), closing)


def _bars(explanation: ShownIntent) -> list[Html]:
    """For each term a bar of its effect: blue is wanted, orange unwanted, grey neither or not asked.

    Without effects, bars of the terms' shares.
    """
    known = [one.effect for one in explanation.effects]
    if not any(map(math.isfinite, known)):
        known = [role.share for role in explanation.roles]
    largest = max((abs(one) for one in known if math.isfinite(one)), default=0.0) or 1.0
    return [
        bar(one / largest, COLOURS.get(effect.kind, NEITHER))
        for one, effect in zip(known, explanation.effects, strict=True)
    ]


def intent_html(explanation: ShownIntent) -> str:
    """The same for a notebook, in short."""
    head = tag("tr", *(tag("th", column) for column in (COLUMNS[0], "", *COLUMNS[1:])))
    lines = [head]
    for (word, *cells), drawn in zip(term_rows(explanation), _bars(explanation), strict=True):
        lines.append(tag("tr", *(tag("td", cell) for cell in (word, drawn, *cells))))
    first = (tag("p", tag("b", line)) for line in _opening(explanation))
    fidelity = explanation.fidelity
    about = tag(
        "p",
        tag("b", explanation.method),
        f" for “{explanation.ranking.query}”: fidelity {fidelity.all:.3f} of all pairs, "
        f"{fidelity.far:.3f} of pairs at least {fidelity.gap} ranks apart",
    )
    return join([*first, about, tag("table", *lines), explanation._html_measures()])
