"""The smallest change as a picture: the ladder of ranks, and the text as a diff beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from intentx.errors import InputError
from intentx.explainers.change.explanation import ChangeExplanation
from intentx.explainers.change.shown import diff
from intentx.report.pictures.line_breaks import (
    Line,
    cleaned,
    first_line,
    measured,
    part_lines,
    shortened,
    wrapped,
)
from intentx.report.pictures.style import AGAINST, FOR, INK, LINE, SIZE, SOFT, mixed, plain_style
from intentx.report.pictures.words import check_picture, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["change_axis", "write_change_picture"]

LEADING, ROW = 16.0, 26.0  # in points, as all lengths here
TEXT, LADDER, LABELS, MARGIN, GAP = 430.0, 250.0, 130.0, 14.0, 24.0
LONGEST = 3_000  # characters of a text
WEIGHTS = {"same": 0.0, "removed": -1.0, "inserted": 1.0}


def change_axis(explanation: ChangeExplanation, ax: Axes | None = None, most: int = 20) -> Axes:
    """The rank after each change, on an axis of the user's; on a new figure with the text as a diff.

    Raises
    ------
    InputError
        If ``most`` is not 1 or more.
    """
    if most < 1:
        raise InputError(f"most must be 1 or more, not {most!r}")
    with plain_style():
        if ax is not None:
            _draw_ladder(ax, explanation, most)
            return ax
        from matplotlib import pyplot

        return _sheet(explanation, most, pyplot.figure)


def write_change_picture(path: str | Path, explanation: ChangeExplanation) -> Path:
    """Write the ladder and the diff to a file, and return its path.

    Raises
    ------
    InputError, MissingExtraError
        As `intentx.report.pictures.words.write_png`.
    """
    path, kind = check_picture(path)
    with plain_style():
        from matplotlib.figure import Figure

        figure: Any = _sheet(explanation, 20, Figure).figure
    return save_figure(path, kind, figure)


def _sheet(explanation: ChangeExplanation, most: int, make: Any) -> Axes:
    """A figure with the sentence above, the diff on the left, and the ladder on the right."""
    width = TEXT + GAP + LABELS + LADDER
    sentence = shortened(cleaned(explanation.sentence), 1_000)
    subject = shortened(cleaned(f"{explanation.method} for {explanation._subject()}"), 1_000)
    title = [(line, "bold") for line in wrapped(sentence, width, SIZE, bold=True)]
    title += [(line, "normal") for line in wrapped(subject, width, SIZE)]
    lines = _diff_lines(explanation)
    steps = min(most, len(explanation.changes)) + 1
    top = MARGIN + len(title) * LEADING + 8
    body = max(len(lines) * LEADING, steps * ROW + 34)
    high, wide = top + body + MARGIN, width + 2 * MARGIN
    figure: Figure = make(figsize=(wide / 72, high / 72), facecolor="white")
    for number, (line, weight) in enumerate(title):
        y = 1 - (MARGIN + number * LEADING) / high
        figure.text(MARGIN / wide, y, line, va="top", parse_math=False, fontweight=weight)

    def axes(left: float, across: float, down: float) -> Axes:
        bottom = high - top - down
        return figure.add_axes(((MARGIN + left) / wide, bottom / high, across / wide, down / high))

    _draw_diff(axes(0.0, TEXT, len(lines) * LEADING), lines)
    ladder = axes(TEXT + GAP + LABELS, LADDER, steps * ROW)
    _draw_ladder(ladder, explanation, most)
    return ladder


def _diff_lines(explanation: ChangeExplanation) -> list[Line]:
    parts, left = [], LONGEST
    for part, words in diff(explanation.text_before, explanation.changes):
        if left <= 0:
            parts.append((" …", 0.0))
            break
        parts.append((words[:left], WEIGHTS[part]))
        left -= len(words)
    return part_lines(parts, TEXT, SIZE) or [[(0.0, "(empty)", 0.0)]]


def _draw_diff(axes: Axes, lines: list[Line]) -> None:
    """Lines of text: what is removed struck out on orange, what is inserted underlined on blue."""
    from matplotlib.patches import Rectangle

    height = len(lines) * LEADING
    axes.set(xlim=(0, TEXT), ylim=(height, 0))
    axes.axis("off")
    for number, line in enumerate(lines):
        for x, text, weight in line:
            y = number * LEADING
            if weight:
                wide, colour = measured(text, SIZE), AGAINST if weight < 0 else FOR
                box = Rectangle(
                    (x - 1, y + 1), wide + 2, LEADING - 2, color=mixed(0.45 * weight), linewidth=0
                )
                axes.add_patch(box)
                level = y + (0.5 if weight < 0 else 0.9) * LEADING
                axes.plot([x, x + wide], [level, level], color=colour, linewidth=1.2)
            axes.text(x, y + 0.72 * LEADING, text, fontsize=SIZE, parse_math=False)


def _draw_ladder(axes: Axes, explanation: ChangeExplanation, most: int) -> None:
    """One row for the text as it is and for each change, with the rank; better ranks on the left."""
    from matplotlib.ticker import MaxNLocator

    ranks = [explanation.rank_before, *explanation.ranks[:most]]
    names = ["as it is", *(one.words for one in explanation.changes[:most])]
    if len(explanation.changes) > most:
        names[-1] += f" … {len(explanation.changes) - most} more"
    rows = range(len(ranks))
    falls = explanation.rank_after > explanation.rank_before
    colour = AGAINST if falls else FOR
    axes.plot(ranks, rows, color=colour, linewidth=1.4, marker="o", markersize=6, zorder=3)
    for row, rank in zip(rows, ranks, strict=True):
        axes.annotate(
            f"{rank}", (rank, row), (8, 0), textcoords="offset points", va="center",
            fontsize=SIZE - 1, color=INK,
        )  # fmt: skip
    bound = _bound(explanation)
    if bound is not None:
        axes.axvline(bound, color=SOFT, linestyle="--", linewidth=0.9, zorder=1)
    shown = [first_line(cleaned(name), LABELS - 8, SIZE - 1) for name in names]
    axes.set_yticks(list(rows), shown, fontsize=SIZE - 1, color=INK, parse_math=False)
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    values = [*ranks, *([] if bound is None else [bound])]
    room = max(1.0, 0.15 * (max(values) - min(values)))
    axes.set_xlim(max(0.5, min(values) - room), max(values) + 1.5 * room)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    dashed = "" if bound is None else ", dashed"
    label = f"rank ({explanation.target}{dashed})"
    axes.set_xlabel(label, fontsize=SIZE - 1, color=SOFT, parse_math=False)
    axes.tick_params(length=0, labelsize=SIZE - 2)
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _bound(explanation: ChangeExplanation) -> float | None:
    """Where the goal begins; None for a goal beside another document, whose place may move."""
    if explanation.goal in ("leave", "enter"):
        return min(int(explanation.settings["k"]), len(explanation.ranking)) + 0.5
    if explanation.goal == "rank":
        rank = int(explanation.settings["rank"])
        return rank + (0.5 if rank < explanation.rank_before else -0.5)
    return None
