"""The curves of faithfulness in a picture: the document's rank as its words go, or come alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intentx.evaluation.faithfulness import Faithfulness
from intentx.report.pictures.style import AGAINST, FOR, INK, LINE, SIZE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CURVES", "draw_curves"]

CURVES = 150.0  # height in points, without the numbers below
SERIES = (
    ("deletion", "its words taken away", AGAINST, "-"),
    ("random_deletion", "random words taken away", AGAINST, ":"),
    ("preservation", "only its words left", FOR, "-"),
    ("random_preservation", "only random words left", FOR, ":"),
)


def draw_curves(axes: Axes, found: Faithfulness) -> None:
    """Ranks by the number of words, rank 1 at the top; dotted lines are random words."""
    from matplotlib.ticker import MaxNLocator

    steps = range(found.words + 1)
    for name, label, colour, style in SERIES:
        ranks = [rank + 1 for rank in getattr(found, name)]
        axes.plot(
            steps, ranks, style, color=colour, label=label, linewidth=1.6, marker="o", markersize=2.6,
            clip_on=False,
        )  # fmt: skip
    room = 0.04 * max(found.documents - 1, 1)
    axes.set_ylim(found.documents + room, 1 - room)
    axes.set_xlim(0, found.words)
    axes.set_ylabel("rank of the document", color=SOFT, fontsize=SIZE - 1)
    axes.set_xlabel("words", color=SOFT, fontsize=SIZE - 1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.tick_params(labelsize=SIZE - 2, colors=SOFT, length=0)
    axes.grid(color=LINE, linewidth=0.6)
    axes.spines[:].set_visible(False)
    axes.legend(
        loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=SIZE - 1,
        labelcolor=INK, handlelength=1.6,
    )  # fmt: skip
