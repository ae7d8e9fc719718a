"""A mimic on a page: its tree, and the shapes of its features, as drawings."""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import east_asian_width

from intentx.explainers.features.mimic import MimicExplanation
from intentx.markup import Html, join, tag
from intentx.report.tables.tree import leaf_range, node_text, placed_nodes

__all__ = ["mimic_drawings"]

STEP, ROW, LETTER, ROOM = 190, 26, 7.2, 14  # pixels of a level, of a leaf, of a letter, around
WIDE, CAPITAL = 12.0, 9.0  # pixels of a letter such as W, and of other capitals
SHAPES = 6


def mimic_drawings(explanation: MimicExplanation, shape: Callable[..., Html]) -> Html:
    """The tree from left to right, where it is one, and a line for each of the first features.

    Parameters
    ----------
    shape
        What draws a line: ``(name, values, answers, low, high)``.
    """
    drawn = [_tree(explanation)] if explanation.nodes else []
    shapes = [one for one in explanation.shapes if len(one.values) > 1][:SHAPES]
    if shapes:
        import numpy as np

        low = min(min(one.answers) for one in shapes)
        high = max(max(one.answers) for one in shapes)
        lines = (
            shape(one.feature, np.array(one.values), np.array(one.answers), low, high, "answer")
            for one in shapes
        )
        drawn.append(tag("div", *lines, class_="columns"))
    return join(drawn)


def _tree(explanation: MimicExplanation) -> Html:
    placed = placed_nodes(explanation.nodes)
    widths = {place: 12 + _width(node_text(one.node)) for place, one in placed.items()}
    levels = max(one.depth for one in placed.values()) + 1
    step = [
        max([STEP, *(40 + widths[p] for p, one in placed.items() if one.depth == level)])
        for level in range(levels)
    ]
    start = [ROOM + sum(step[:level]) for level in range(levels)]
    leaves = sum(not one.feature for one in explanation.nodes)
    low, high = leaf_range(explanation.nodes)
    parts = []
    for one in placed.values():
        if one.parent >= 0:
            before = placed[one.parent]
            x, y, across = start[before.depth] + 8, _y(before.line), _y(one.line)
            parts.append(tag("path", d=f"M{x} {y:g}V{across:g}H{start[one.depth]}", class_="branch"))
            word = "no" if one.low else "yes"
            # Beside the answer's box: the box of the question would hide it between two leaves.
            end = f"{start[one.depth] - 4:g}"
            parts.append(tag("text", word, x=end, y=f"{across - 3:g}", class_="way", text_anchor="end"))
    for place, one in placed.items():
        x, y = start[one.depth], _y(one.line)
        share = 0.0 if one.node.feature or high <= low else 2 * (one.node.value - low) / (high - low) - 1
        side = "" if one.node.feature else " for" if share >= 0 else " against"
        parts.append(
            tag(
                "rect", x=f"{x:g}", y=f"{y - 9:g}", width=f"{widths[place]:g}", height=18, rx=4,
                class_=f"node{side}", fill_opacity=f"{0.15 + 0.5 * abs(share):.2f}" if side else None,
            )
        )  # fmt: skip
        parts.append(tag("text", node_text(one.node), x=f"{x + 6:g}", y=f"{y + 4:g}"))
    width, height = start[-1] + step[-1], ROW * leaves + 2 * ROOM
    drawing = tag(
        "svg", *parts, viewBox=f"0 0 {width:g} {height:g}", width=f"{width:g}", height=f"{height:g}",
        role="img", aria_label="The tree, as the text below has it", class_="tree",
    )  # fmt: skip
    return tag("div", drawing, class_="scroll", tabindex="0", role="region", aria_label="Mimic tree")


def _width(text: str) -> float:
    """Pixels that a text takes at most, about."""
    wide = sum(one in "MWmw@%" or east_asian_width(one) in "WF" for one in text)
    capitals = sum(one.isupper() and one not in "MW" for one in text)
    return LETTER * len(text) + (WIDE - LETTER) * wide + (CAPITAL - LETTER) * capitals


def _y(line: float) -> float:
    return ROOM + ROW * (line + 0.5)
