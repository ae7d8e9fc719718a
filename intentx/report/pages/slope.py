"""The ranking beside the explanation's ranking, with a line from each document to itself."""

from __future__ import annotations

from intentx.markup import Html, count, join, tag
from intentx.report.pages.explained_ranking import SHOWN_DOCUMENTS, View

__all__ = ["slope_charts"]

FIRST = 30  # places that are visible at once
_END = 8  # characters of a document id that are never cut off
_ROW = 24  # height of a place in pixels, as in style.css


def slope_charts(view: View) -> Html:
    """The first places, and the others to be unfolded."""
    n = len(view.explanation.ranking)
    parts = [_legend(view), _chart(view, 0, min(n, FIRST))]
    if n > FIRST:
        summary = tag("summary", f"Ranks {FIRST + 1} to {count(n)}")
        parts.append(tag("details", summary, _chart(view, FIRST, n)))
    return join(parts)


def _chart(view: View, start: int, stop: int) -> Html:
    """Places ``start`` to ``stop`` of both orders; lines to other places run off the edge."""
    order = view.explanation.explained_order.tolist()
    height = _ROW * (stop - start)
    lines = [
        _line(view, position, start)
        for position, place in enumerate(view.explained_rank)
        if start <= position < stop or start <= place < stop
    ]
    return tag(
        "div",
        tag("div", "ranker", class_="head"),
        tag("div", class_="head"),
        tag("div", "explanation", class_="head"),
        tag("ol", *(_left(view, position) for position in range(start, stop))),
        tag(
            "svg",
            *lines,
            viewBox=f"0 0 100 {height}",
            preserveAspectRatio="none",
            style=f"height:{height}px",
            role="img",
            aria_label="lines join the two ranks of each document",
        ),
        tag("ol", *(_right(view, order[place], place) for place in range(start, stop))),
        class_="slope",
    )


def _left(view: View, position: int) -> Html:
    tied = tag("small", "tie", class_="tied") if view.tied[0][position] else ""
    return tag("li", tag("b", str(position + 1)), *_name(view, position), tied)


def _right(view: View, position: int, place: int) -> Html:
    move = view.moves[position]
    arrow = "=" if not move else f"{'▲' if move > 0 else '▼'}{abs(move)}"
    tied = tag("small", "tie", class_="tied") if view.tied[1][position] else ""
    moved = tag("small", arrow, class_=view.move_colour(position))
    return tag("li", tag("b", str(place + 1)), *_name(view, position), tied, moved)


def _name(view: View, position: int) -> tuple[Html, Html]:
    """The sense, and the id as a link to the text; a lack of space shortens it before its end."""
    doc_id = view.explanation.ranking.doc_ids[position]
    link = f"#{view.anchor(position)}" if position < SHOWN_DOCUMENTS else None
    begins, ends = doc_id[:-_END], doc_id[-_END:]
    parts = (tag("span", begins, class_="begins"), tag("span", ends)) if begins else (ends,)
    name = tag("a" if link else "span", tag("bdi", *parts), href=link, title=doc_id, class_="id")
    return view.senses.dot(doc_id), name


def _line(view: View, position: int, start: int) -> Html:
    place = view.explained_rank[position]
    left, right = (_ROW * (rank - start) + _ROW // 2 for rank in (position, place))
    doc_id = view.explanation.ranking.doc_ids[position]
    return tag(
        "path",
        tag("title", f"{doc_id}: rank {position + 1} → {place + 1}"),
        d=f"M0 {left}C45 {left} 55 {right} 100 {right}",
        class_=view.move_colour(position),
    )


def _legend(view: View) -> Html:
    stays, small, middling = view.move_limits
    ranges = (
        f"at most {count(stays, 'rank')}",
        f"{stays + 1} to {small}" if small > stays + 1 else f"{small}",
        f"{small + 1} to {middling}" if middling > small + 1 else f"{middling}",
        f"more than {middling}",
    )
    items = (tag("li", tag("i", class_=f"stroke m{i}"), " ", text) for i, text in enumerate(ranges))
    return tag("ul", tag("li", "moved by"), *items, class_="legend")
