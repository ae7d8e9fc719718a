"""Which edits move a document in one order and not in another, on the page that compares rankers."""

from __future__ import annotations

from collections.abc import Sequence

from intentx.comparison.edits import ComparedEdit, EditComparison
from intentx.markup import Html, count, join, tag
from intentx.report.pages.comparison_head import named
from intentx.report.pages.tables import table
from intentx.signs import visible

__all__ = ["edits_section"]

SHOWN = 12  # edits of a document
NOTE = (
    "The smallest changes of a document that move it out of the first documents of each ranker, and "
    "each of their single edits, made for all rankers: its rank with them, bold where it is moved out. "
    "All rankers were asked."
)


def edits_section(found: Sequence[EditComparison]) -> list[Html]:
    """A heading and a table for each document; nothing where none was asked about."""
    if not found:
        return []
    return [
        tag("h4", "What moves a document in one order and not in another"),
        tag("p", NOTE, class_="note"),
        *(_document(one) for one in found),
    ]


def _document(one: EditComparison) -> Html:
    names = list(one.rank_before)
    before = (tag("td", count(one.rank_before[name]), class_="n") for name in names)
    rows = [tag("tr", tag("th", tag("i", "as it is"), scope="row"), tag("td", ""), *before)]
    rows += [_row(edit, names) for edit in one.edits[:SHOWN]]
    columns = ("change", "smallest for", *names)
    return join([tag("p", visible(one.sentence)), table(columns, rows, "edits")])


def _row(edit: ComparedEdit, names: Sequence[str]) -> Html:
    ranks = {name: count(edit.ranks[name]) for name in names}
    cells = (tag("b", ranks[name]) if edit.reached[name] else ranks[name] for name in names)
    found_for = tag("td", named(edit.found_for) if edit.found_for else "")
    return tag(
        "tr",
        tag("th", named(", ".join(edit.changes)), scope="row"),
        found_for,
        *(tag("td", cell, class_="n") for cell in cells),
    )
