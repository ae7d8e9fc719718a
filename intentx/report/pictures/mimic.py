"""A mimic tree as a picture, and the shapes of a mimic's features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from intentx.explainers.features.mimic import MimicExplanation
from intentx.report.pictures.style import FOR, INK, LINE, SIZE, SOFT, mixed, plain_style
from intentx.report.tables.tree import Placed, leaf_range, node_text, placed_nodes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["shapes_axes", "tree_axis"]

ROW, GAP, EDGE = 0.34, 0.6, 0.1  # inches of a leaf, between two levels, and around a text
POINTS = 72  # of an inch
SMALLEST = 0.5  # of the size of letters, on an axis that is too narrow for the tree


def tree_axis(explanation: MimicExplanation, ax: Axes | None = None) -> Axes:
    """The tree from left to right: above each question's line is the side where the answer is yes.

    Leaves are coloured by their answer among all leaves: the highest blue, the lowest orange. Each level
    stands right of the longest text of the one before; on an axis that is given, letters become smaller
    where there is no room for them.
    """
    from matplotlib import pyplot

    placed = placed_nodes(explanation.nodes)
    everywhere = explanation.nodes[0].documents
    leaves = sum(not n.feature for n in explanation.nodes)
    with plain_style():
        lefts, across = _levels([*placed.values()])
        if ax is None:
            size = (across + 0.2, 1.0 + ROW * leaves)
            ax = pyplot.figure(figsize=size, layout="constrained").add_subplot()
            ax.set_title(
                f"Mimic: τ {explanation.tau:.3f} on {explanation.queries[1]} held-out queries",
                fontsize=SIZE, loc="left",
            )  # fmt: skip
        room = ax.get_position().width * ax.figure.get_figwidth()  # type: ignore[union-attr]
        smaller = min(1.0, max(SMALLEST, room / across))
        low, high = leaf_range(explanation.nodes)
        middle, span = (low + high) / 2, (high - low) / 2 or 1.0
        for one in placed.values():
            if one.parent >= 0:
                before = placed[one.parent]
                branch = lefts[before.depth] + EDGE
                ax.plot(
                    [branch, branch, lefts[one.depth]],
                    [before.line, one.line, one.line],
                    color=LINE, linewidth=1.0 + 3.0 * one.node.documents / everywhere,
                    solid_capstyle="butt", zorder=0,
                )  # fmt: skip
                ax.annotate(
                    "no" if one.low else "yes", (branch, one.line), (4, 2), color=SOFT,
                    textcoords="offset points", fontsize=smaller * (SIZE - 3),
                )  # fmt: skip
            leaf = not one.node.feature
            colour = mixed((one.node.value - middle) / span) if leaf else "white"
            ax.text(
                lefts[one.depth], one.line, node_text(one.node), color=INK, va="center", ha="left",
                fontsize=smaller * (SIZE - 1.5), parse_math=False,
                bbox={"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": LINE},
            )  # fmt: skip
        ax.set_xlim(-EDGE, across)
        ax.set_ylim(leaves - 0.4, -0.6)
        ax.set_axis_off()
    return ax


def _levels(placed: Sequence[Placed]) -> tuple[list[float], float]:
    """Where the texts of each level begin, and where the last one ends, in inches."""
    from matplotlib.textpath import TextPath

    widths = [0.0] * (1 + max(one.depth for one in placed))
    for one in placed:
        path = TextPath((0, 0), node_text(one.node).replace("$", r"\$"), size=SIZE - 1.5)
        widths[one.depth] = max(widths[one.depth], path.get_extents().width / POINTS)
    lefts, at = [], 0.0
    for width in widths:
        lefts.append(at)
        at += width + GAP
    return lefts, at - GAP + 2 * EDGE


def shapes_axes(explanation: MimicExplanation, most: int = 6) -> list[Axes]:
    """The shape of each of the first features: the mimic's mean answer by the feature's value."""
    from matplotlib import pyplot

    shapes = [one for one in explanation.shapes if len(one.values) > 1][:most]
    if not shapes:
        return []
    with plain_style():
        across = min(3, len(shapes))
        down = -(-len(shapes) // across)
        _, grid = pyplot.subplots(
            down, across, figsize=(2.6 * across, 2.1 * down), sharey=True, squeeze=False,
            layout="constrained",
        )  # fmt: skip
        for ax, one in zip(grid.flat, shapes, strict=False):
            ax.plot(one.values, one.answers, color=FOR, linewidth=1.8, marker="o", markersize=3)
            ax.set_title(one.feature, fontsize=SIZE - 1, color=INK)
            ax.tick_params(length=0, labelsize=SIZE - 3, labelcolor=SOFT)
            ax.spines[["top", "right"]].set_visible(False)
            ax.spines[["left", "bottom"]].set_color(LINE)
        for ax in grid.flat[len(shapes) :]:
            ax.set_visible(False)
        for ax in grid[:, 0]:
            ax.set_ylabel("mean answer", fontsize=SIZE - 2, color=SOFT)
    return [*grid.flat[: len(shapes)]]
