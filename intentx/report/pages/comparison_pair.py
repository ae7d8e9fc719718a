"""One pair of documents under several rankers, as a section of a page."""

from __future__ import annotations

from intentx.comparison.pair import PairComparison, PairSide
from intentx.comparison.results import Comparison, QueryComparison
from intentx.markup import Html, count, join, real, tag
from intentx.report.pages.comparison_head import named
from intentx.report.pages.tables import bar, table
from intentx.report.tables.comparison_pair import lost

__all__ = ["PAIR", "pairs_section"]

PAIR = "One pair of documents"
LONGEST = 3_000  # characters of a document


def pairs_section(comparison: Comparison) -> Html:
    """The pair in every query that has both documents."""
    intro = (
        "For each ranker, the terms that explain its whole ranking, and by how much each speaks for one "
        "of the two documents by each simple ranker: blue for the first, orange for the second, in "
        "typical differences of that simple ranker. Lead lost: the ranker itself was asked for both "
        "documents without the term; so much of its preference goes with it (–: neither has the term, "
        "or the ranker ties them or cannot be asked)."
    )
    parts = [_of_query(query, query.pair) for query in comparison.queries if query.pair is not None]
    return join([tag("p", intro, class_="note"), *parts])


def _of_query(query: QueryComparison, pair: PairComparison) -> Html:
    sides = (_side(pair, side) for side in pair.sides)
    texts = (_text(query, doc) for doc in (pair.first, pair.second))
    return tag(
        "div",
        tag("h3", "“", named(query.query), "”: ", named(pair.first), " and ", named(pair.second)),
        tag("p", pair.sentence),
        tag("div", *sides, class_="columns"),
        tag("div", *texts, class_="columns"),
        class_="ranker",
    )


def _side(pair: PairComparison, side: PairSide) -> Html:
    every = [*(value for row in side.values for value in row), *side.together]
    low = min(0.0, *every)
    span = (max(0.0, *every) - low) or 1.0

    def cell(value: float) -> Html:
        sign = "+" if round(value, 2) > 0 else ""
        return tag("td", bar(value, low, span, f"{sign}{real(value, 2)}"), class_="bar")

    rows = [
        tag(
            "tr",
            tag("th", named(term), scope="row"),
            tag("td", lost(share), class_="n"),
            *map(cell, row),
        )
        for term, row, share in zip(side.terms, side.values, side.lead_lost, strict=True)
    ]
    rows.append(
        tag("tr", tag("th", tag("em", "together"), scope="row"), tag("td"), *map(cell, side.together))
    )
    ranks = join(
        [named(pair.first), f" has rank {count(side.ranks[0])}, ", named(pair.second),
         f" rank {count(side.ranks[1])}"]
    )  # fmt: skip
    return tag(
        "div",
        tag("h4", named(side.ranker), ": ", ranks),
        tag("p", pair.said_of(side)),
        table(("term", "lead lost", *side.simple_rankers), rows, "beside close"),
    )


def _text(query: QueryComparison, doc: str) -> Html:
    text = query.documents[doc]
    more = tag("em", f" … {count(len(text) - LONGEST, 'more character')}") if len(text) > LONGEST else ""
    shown = tag("p", text[:LONGEST] or tag("em", "(empty)"), more, dir="auto", class_="text")
    return tag("div", tag("h4", named(doc)), shown)
