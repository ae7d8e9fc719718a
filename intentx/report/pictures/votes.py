"""A picture of several explanations of one document side by side, and of their contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.signed import signed
from intentx.explainers.document.votes import Votes, WordVotes, numbered, word_votes
from intentx.markup import count
from intentx.report.pictures.line_breaks import cleaned, first_line, measured, shortened, wrapped
from intentx.report.pictures.style import INK, SIZE, SOFT, mixed, plain_style
from intentx.report.pictures.words import check_picture, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["votes_figure", "write_votes"]

WORDS = 20  # rows, beside those that are contradicted
SENTENCES = 8  # of contradictions
MARGIN, ROW, LEADING = 14.0, 19.0, 16.0  # points
LABEL, COLUMN, WIDEST, VOTES, LEAST = 150.0, 62.0, 120.0, 130.0, 460.0


def votes_figure(
    explanations: Sequence[DocumentExplanation],
    labels: Sequence[str] | None = None,
    varies: str = "method",
) -> Figure:
    """The weights of each word by each method, as colours and numbers, contradictions first.

    Parameters
    ----------
    explanations, labels, varies
        As `intentx.explainers.document.votes.word_votes` takes them.

    Raises
    ------
    InputError
        As `word_votes`.
    MissingExtraError
        Without matplotlib.
    """
    told = word_votes(explanations, labels, varies)
    names = labels or numbered(explanations)
    with plain_style():
        return _drawn(told, dict(zip(names, explanations, strict=True)))


def write_votes(
    path: str | Path,
    explanations: Sequence[DocumentExplanation],
    labels: Sequence[str] | None = None,
    varies: str = "method",
) -> Path:
    """Write `votes_figure` to a file and return its path; the endings are those of `write_png`.

    Raises
    ------
    InputError, MissingExtraError
        As `votes_figure` and `intentx.report.write_png`.
    """
    path, kind = check_picture(path)
    return save_figure(path, kind, votes_figure(explanations, labels, varies))


def _drawn(told: Votes, methods: dict[str, DocumentExplanation]) -> Figure:
    from matplotlib.figure import Figure

    columns = [min(WIDEST, max(COLUMN, measured(cleaned(name), SIZE) + 12)) for name in methods]
    rows = told.words[: max(WORDS, len(told.contradictions))]
    width = max(LEAST, LABEL + sum(columns) + VOTES)
    first = next(iter(methods.values()))
    doc = first.ranking.doc_ids[first.position]
    title = f"{doc} (rank {first.position + 1}) for “{first.ranking.query}”, side by side"
    lines = [
        (line, "bold") for line in wrapped(shortened(cleaned(title), 1_000), width, SIZE, bold=True)
    ]
    said = [told.summary, *(word.sentence for word in told.contradictions[:SENTENCES])]
    left = len(told.contradictions) - SENTENCES
    said += [f"… and on {count(left, 'word')} more"] if left > 0 else []
    lines += [(line, "normal") for text in said for line in wrapped(cleaned(text), width, SIZE)]
    top = MARGIN + LEADING * len(lines) + 10
    tall = top + ROW * (len(rows) + 1) + MARGIN
    wide = width + 2 * MARGIN
    figure = Figure(figsize=(wide / 72, tall / 72), facecolor="white")
    for number, (line, weight) in enumerate(lines):
        y = 1 - (MARGIN + LEADING * number) / tall
        figure.text(MARGIN / wide, y, line, va="top", parse_math=False, fontweight=weight)
    height = ROW * (len(rows) + 1)
    axes = figure.add_axes((MARGIN / wide, MARGIN / tall, width / wide, height / tall))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    _head(axes, [*methods], columns)
    for place, word in enumerate(rows, start=1):
        _row(axes, ROW * (place + 0.5), word, methods, columns)
    return figure


def _head(axes: Axes, names: Sequence[str], columns: Sequence[float]) -> None:
    x = LABEL
    for name, column in zip(names, columns, strict=True):
        x += column
        shown = first_line(cleaned(name), column - 8, SIZE)
        _write(axes, x - 6, ROW / 2, shown, ha="right", color=SOFT)
    _write(axes, x + VOTES, ROW / 2, "for : against", ha="right", color=SOFT)


def _row(
    axes: Axes,
    y: float,
    word: WordVotes,
    methods: dict[str, DocumentExplanation],
    columns: Sequence[float],
) -> None:
    """A word, its weight by each method on its colour, and the votes."""
    from matplotlib.patches import Rectangle

    weight = "bold" if word.contradicted else "normal"
    shown = first_line(cleaned(word.term), LABEL - 8, SIZE, word.contradicted)
    _write(axes, 0, y, shown, fontweight=weight)
    x = LABEL
    for one, column in zip(methods.values(), columns, strict=True):
        value = dict(zip(one.terms, one.weights, strict=True)).get(word.term)
        largest = max(map(abs, one.weights), default=0.0)
        if value and largest:
            box = (x + 2, y - ROW / 2 + 1), column - 4, ROW - 2
            axes.add_patch(Rectangle(*box, color=mixed(value / largest), linewidth=0))
        x += column
        number = "–" if value is None else signed(value, largest).replace("-", "−")
        _write(axes, x - 6, y, number, ha="right")
    votes = f"{len(word.votes_for)} : {len(word.votes_against)}"
    votes += " contradicted" if word.contradicted else ""
    _write(axes, x + VOTES, y, votes, ha="right", fontweight=weight)


def _write(axes: Axes, x: float, y: float, text: str, color: str = INK, **how: Any) -> None:
    axes.text(x, y, text, va="center", fontsize=SIZE, parse_math=False, color=color, **how)
