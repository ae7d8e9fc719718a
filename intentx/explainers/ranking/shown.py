"""An explanation of a ranking as a table: in a terminal, in a notebook, on a page."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group

    from intentx.explainers.ranking.explanation import IntentExplanation

__all__ = ["AVOIDED", "COLUMNS", "intent_html", "intent_tables", "term_rows"]

COLUMNS = ("intent term", "the ranker", "places", "share", "won/lost", "docs", "splits")
AVOIDED = 5  # terms that the ranker avoids, as shown


def term_rows(explanation: IntentExplanation) -> list[tuple[str, ...]]:
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


def _opening(explanation: IntentExplanation) -> list[str]:
    """What is said first: cautions, and the verdict."""
    said = [f"Caution: {caution}" for caution in explanation.cautions]
    return [*said, explanation.verdict.sentence] if explanation.verdict is not None else said


def _closing(explanation: IntentExplanation) -> str:
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


def intent_tables(explanation: IntentExplanation) -> Group:
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


def intent_html(explanation: IntentExplanation) -> str:
    """The same for a notebook, in short."""
    rows = [COLUMNS, *term_rows(explanation)]
    cells = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    head = cells[0].replace("td>", "th>")
    body = "".join(f"<tr>{row}</tr>" for row in cells[1:])
    first = "".join(f"<p><b>{html.escape(line)}</b></p>" for line in _opening(explanation))
    fidelity = explanation.fidelity
    return first + (
        f"<p><b>{html.escape(explanation.method)}</b> for “{html.escape(explanation.ranking.query)}”: "
        f"fidelity {fidelity.all:.3f} of all pairs, {fidelity.far:.3f} of pairs at least "
        f"{fidelity.gap} ranks apart</p><table><tr>{head}</tr>{body}</table>"
        + explanation._html_measures()
    )
