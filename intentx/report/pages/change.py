"""One self-contained HTML page about what would change a document's place."""

from __future__ import annotations

from collections.abc import Sequence

from intentx.explainers.change.explanation import ChangeExplanation
from intentx.explainers.change.shown import diff_html, ladder_html, lines_of
from intentx.markup import Html, join, tag
from intentx.report.pages.layout import check_one_query, html_page
from intentx.report.pages.sections import seconds_table, settings_table
from intentx.signs import visible

__all__ = ["change_page"]


def change_page(
    explanations: Sequence[ChangeExplanation], *, title: str = "", labels: Sequence[str] | None = None
) -> str:
    """A page with the text as a diff, the ladder of ranks beside it, and what was tried.

    Raises
    ------
    InputError
        For no explanation, different queries, or labels that are not one per explanation.
    """
    check_one_query(explanations, labels, "explanation")
    query = explanations[0].ranking.query
    names = labels or [one.method for one in explanations]
    head = tag(
        "header",
        tag("p", tag("bdi", title)) if title else "",
        tag("h1", "“", tag("bdi", query), "”"),
        tag("p", "What would change it, by intentx", class_="by"),
        class_="top",
    )
    parts = [_part(one, name) for one, name in zip(explanations, names, strict=True)]
    return html_page(title or f"“{query}”: what would change it", head, tag("main", *parts))


def _part(one: ChangeExplanation, name: str) -> Html:
    return tag(
        "section",
        tag("h2", tag("bdi", name), f" for {one._subject()}"),
        tag("p", tag("strong", visible(one.sentence)), class_="answer"),
        tag("div", tag("div", diff_html(one)), tag("div", ladder_html(one)), class_="columns"),
        tag("ul", *(tag("li", visible(line)) for line in lines_of(one))),
        join([tag("div", seconds_table(one.seconds), settings_table(one.settings), class_="pair")]),
    )
