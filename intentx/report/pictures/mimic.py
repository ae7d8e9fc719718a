"""A mimic tree as a picture, and the shapes of a mimic's features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intentx.explainers.features.mimic import MimicExplanation
from intentx.report.pictures.style import FOR, INK, LINE, SIZE, SOFT, mixed, plain_style
from intentx.report.tables.tree import leaf_range, node_text, placed_nodes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["shapes_axes", "tree_axis"]

STEP, ROW = 2.0, 0.34  # inches of a level, and of a leaf


def tree_axis(explanation: MimicExplanation, ax: Axes | None = None) -> Axes:
    """The tree from left to right: above each question's line is the side where the answer is yes.

    Leaves are coloured by their answer among all leaves: the highest blue, the lowest orange.
    """
    from matplotlib import pyplot

    placed = placed_nodes(explanation.nodes)
    everywhere = explanation.nodes[0].documents
    deepest, leaves = (
        max(one.depth for one in placed.values()),
        sum(not n.feature for n in explanation.nodes),
    )
    with plain_style():
        if ax is None:
            size = (2.4 + STEP * deepest, 1.0 + ROW * leaves)
            ax = pyplot.figure(figsize=size, layout="constrained").add_subplot()
            ax.set_title(
                f"Mimic: τ {explanation.tau:.3f} on {explanation.queries[1]} held-out queries",
                fontsize=SIZE, loc="left",
            )  # fmt: skip
        low, high = leaf_range(explanation.nodes)
        middle, span = (low + high) / 2, (high - low) / 2 or 1.0
        for one in placed.values():
            if one.parent >= 0:
                before = placed[one.parent]
                ax.plot(
                    [before.depth + 0.04, before.depth + 0.04, one.depth],
                    [before.line, one.line, one.line],
                    color=LINE, linewidth=1.0 + 3.0 * one.node.documents / everywhere,
                    solid_capstyle="butt", zorder=0,
                )  # fmt: skip
                ax.annotate(
                    "no" if one.low else "yes", (before.depth + 0.04, one.line), (4, 2), color=SOFT,
                    textcoords="offset points", fontsize=SIZE - 3,
                )  # fmt: skip
            leaf = not one.node.feature
            colour = mixed((one.node.value - middle) / span) if leaf else "white"
            ax.text(
                one.depth, one.line, node_text(one.node), fontsize=SIZE - 1.5, color=INK, va="center",
                ha="left", bbox={"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": LINE},
            )  # fmt: skip
        ax.set_xlim(-0.05, deepest + 0.95)
        ax.set_ylim(leaves - 0.4, -0.6)
        ax.set_axis_off()
    return ax


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
