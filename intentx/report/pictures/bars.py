"""Signed bars of the words of an explanation, on an axis of matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.signed import signed
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.markup import count
from intentx.report.pictures.line_breaks import cleaned, first_line, measured
from intentx.report.pictures.style import AGAINST, FOR, INK, LINE, SIZE, SOFT
from intentx.scoring import unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ROW", "effects_of", "fill_bars", "label_room", "rows_of"]

LABEL, ROW = 130.0, 17.0  # points: most of a word, and the height of a bar with the room around it

Explanation = DocumentExplanation | IntentExplanation


def rows_of(explanation: Explanation, most: int) -> int:
    """Rows of bars: one at least, which then says that there is no word."""
    return max(1, min(most, len(explanation.terms)))


def label_room(explanation: Explanation, most: int) -> float:
    """Points that the words take on the left of the bars."""
    words = _labels(explanation, _shown(explanation, most))
    return max((measured(word, SIZE) for word in words), default=0.0) + 8


def effects_of(explanation: Explanation) -> dict[str, str]:
    """What the ranker does with each term, in words and in score; nothing where it was not asked."""
    if not isinstance(explanation, IntentExplanation):
        return {}
    asked = [one for one in explanation.effects if one.kind != "not asked"]
    return {one.term: one.cells()[0].replace("-", "−") for one in asked}


def _shown(explanation: Explanation, most: int) -> list[int]:
    """Places of the terms that have a bar, the largest weight first."""
    return sorted(range(len(explanation.terms)), key=lambda i: -abs(explanation.weights[i]))[:most]


def _labels(explanation: Explanation, order: Sequence[int]) -> list[str]:
    return [first_line(cleaned(explanation.terms[i]), LABEL, SIZE) for i in order]


def fill_bars(
    axes: Axes,
    explanation: Explanation,
    most: int,
    width: float,
    effects: Mapping[str, str] | None = None,
) -> None:
    """Bars from the largest weight down, with the words on their left and numbers at their ends.

    Parameters
    ----------
    width
        Of the axes, in points.
    effects
        What stands beside the number of a term.
    """
    order = _shown(explanation, most)
    weights = [explanation.weights[i] for i in order]
    words = _labels(explanation, order)
    rows = max(1, len(order))
    unit = unit_of(weights)
    lengths = [weight / unit for weight in weights]
    axes.barh(range(len(order)), lengths, height=0.7, color=[AGAINST if w < 0 else FOR for w in weights])
    axes.set_yticks(range(len(order)), words, parse_math=False)
    axes.set_ylim(rows - 0.5, -0.5)
    largest = max(map(abs, weights), default=0.0)
    numbers = [signed(weight, largest).replace("-", "−") for weight in weights]
    if effects:
        said = (effects.get(explanation.terms[i], "") for i in order)
        numbers = ["   ".join(filter(None, both)) for both in zip(numbers, said, strict=True)]
    _make_room(axes, lengths, numbers, width)
    for row, (weight, number) in enumerate(zip(lengths, numbers, strict=True)):
        axes.annotate(
            number, (weight, row), xytext=(-4 if weight < 0 else 4, 0), textcoords="offset points",
            ha="right" if weight < 0 else "left", va="center", fontsize=SIZE - 2, color=SOFT,
        )  # fmt: skip
    if not order:
        axes.text(0.5, 0.5, "no word", transform=axes.transAxes, ha="center", va="center", color=SOFT)
        axes.set_xticks([])
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.tick_params(axis="x", labelsize=SIZE - 2, colors=SOFT)
    axes.locator_params(axis="x", nbins=4)
    if unit != 1:  # sizes beyond what an axis can be drawn for; the bars have their numbers
        axes.set_xticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    left_out = len(explanation.terms) - len(order)
    more = f"; {count(left_out, 'smaller weight')} left out" if left_out else ""
    smaller = sorted(explanation.weights, key=abs)[:left_out]
    share = isinstance(explanation, IntentExplanation)
    rest = explanation.wordless if isinstance(explanation, DocumentExplanation) else math.nan
    if smaller and not share:
        part = unit_of(smaller)
        more += f", together {_sum(math.fsum(w / part for w in smaller) * part, largest)}"
    if not math.isnan(rest):
        more += f"\nthe rest, no word: {_sum(rest, largest)}"
    axes.set_xlabel(explanation.WEIGHTS + more, color=SOFT)


def _sum(value: float, largest: float) -> str:
    return signed(value, max(largest, abs(value))).replace("-", "−")


def _make_room(axes: Axes, weights: list[float], numbers: list[str], width: float) -> None:
    """Limits such that the numbers fit at the ends of the bars, on ``width`` points."""
    low, high = min(0.0, *weights, 0.0), max(0.0, *weights, 0.0)
    room = max((measured(number, SIZE - 2) for number in numbers), default=0.0) + 8
    left, right = room if low < 0 else 4.0, room if high > 0 else 4.0
    unit = (high - low) / (width - left - right) or 1.0  # of weight, a point
    axes.set_xlim(low - left * unit, high + right * unit)
