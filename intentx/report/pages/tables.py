"""Tables of a page, and cells with bars."""

from __future__ import annotations

import math

from intentx.markup import Html, join, real, tag

__all__ = ["bar", "share_cell", "table"]


def table(columns: tuple[str, ...], rows: list[Html], kind: str) -> Html:
    """A table that scrolls where it is too wide."""
    head = tag("thead", tag("tr", *(tag("th", column, scope="col") for column in columns)))
    return tag("div", tag("table", head, tag("tbody", *rows), class_=kind), class_="scroll")


def bar(value: float, low: float, span: float, text: str = "", start: float = 0.0) -> Html:
    """A signed number as a bar from ``start``, on a track from ``low``, ``span`` long, and as text."""
    left, width = (start + min(value, 0.0) - low) / span, abs(value) / span
    style = f"left:{100 * left:.2f}%;width:{100 * width:.2f}%"
    track = tag("i", tag("i", style=style, class_="minus" if value < 0 else "plus"), class_="track")
    return join([track, tag("span", text or real(value))])


def share_cell(share: float) -> Html:
    """A share as a number on a ground of that width."""
    style = None if math.isnan(share) else f"--p:{100 * share:.1f}%"
    return tag("td", real(share), class_="n share", style=style)
