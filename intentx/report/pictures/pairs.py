"""Pictures of token pairs: links between the strongest over the two texts, and the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.inside.token_pairs_explanation import Pairing, TokenPairsExplanation
from intentx.explainers.inside.token_pairs_shown import ROWS_SHOWN, WAYS, folded, others, written
from intentx.report.pictures.line_breaks import cleaned, direction, first_line, measured
from intentx.report.pictures.maps import axis_label, axis_words, figure_title, heat
from intentx.report.pictures.style import AGAINST, FOR, INK, SIZE, SOFT, mixed, plain_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["pairs_axis", "pairs_figure"]

Floats = npt.NDArray[np.float64]

COLUMNS = 40  # tokens of a document beside each other
LINKS = 14  # pairs with a link
CELL = 0.24  # inches
LINE, BETWEEN = 18.0, 74.0  # points: of a line of text, and between the two texts
BLANK = 9.0  # points between tokens
LONGEST = 120.0  # points of a token
HEAD = 1.1  # inches, for the words on top of a matrix


class _Part(NamedTuple):
    """One document: its name, its text and its pairs."""

    name: str
    text: str
    pairs: Pairing


class _Placed(NamedTuple):
    """A token in the picture of links, in points."""

    x: float
    line: int
    width: float
    text: str


_Laid = tuple[list[_Placed], list[_Placed], list[int], list[int]]


def pairs_figure(explanation: TokenPairsExplanation, most: int = COLUMNS) -> Figure:
    """Links between the strongest pairs over the two texts, and below them the matrix.

    Of a long document the strongest tokens are shown, in the order of the text. Where it is compared
    with another one, the other's links and matrix stand below.

    Raises
    ------
    InputError
        If ``most`` is not 1 or more, or there is no token to show.
    MissingExtraError
        Without matplotlib.
    """
    with plain_style():
        from matplotlib.figure import Figure

        return _figure(explanation, most, Figure)[0]


def pairs_axis(explanation: TokenPairsExplanation, ax: Axes | None, most: int) -> Axes:
    """The matrix on an axis of the user's, or of a new figure of pyplot with the links above it."""
    with plain_style():
        if ax is None:
            from matplotlib import pyplot

            return _figure(explanation, most, pyplot.figure)[1]
        _check(explanation, most)
        _matrix(ax, explanation, _parts(explanation)[0], most)
        return ax


def _figure(explanation: TokenPairsExplanation, most: int, make: Any) -> tuple[Figure, Axes]:
    _check(explanation, most)
    parts = _parts(explanation)
    rows = min(len(explanation.query_tokens), ROWS_SHOWN)
    shown = max(min(len(part.pairs.tokens), most) + 1 for part in parts)
    width = max(6.4, CELL * shown + 3.0)
    room = 72 * width - 40
    heights, laid = [], []
    for part in parts:
        placed = _links_of(explanation, part, most, room)
        lines = 1 + max((one.line for one in placed[0]), default=0)
        lines_below = 1 + max((one.line for one in placed[1]), default=0)
        laid.append(placed)
        heights += [((lines + lines_below) * LINE + BETWEEN) / 72, CELL * rows + HEAD + 0.3]
    figure = make(figsize=(width, sum(heights) + 0.5), facecolor="white", layout="constrained")
    grid = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, part in enumerate(parts):
        _links(grid[2 * place], explanation, part, laid[place], (room, 72 * heights[2 * place]))
        _matrix(grid[2 * place + 1], explanation, part, most)
    doc = explanation.ranking.doc_ids[explanation.position]
    way = WAYS.get(explanation.way, explanation.way)
    title = f"{doc} (rank {explanation.position + 1}) for “{explanation.ranking.query}”: {way}"
    figure_title(figure, title)
    return figure, grid[1]


def _check(explanation: TokenPairsExplanation, most: int) -> None:
    if most < 1:
        raise InputError(f"most must be 1 or more, not {most!r}")
    if not explanation.matrix.size:
        raise InputError("there is no pair of tokens to draw: the ranker reads none of one of the texts")


def _parts(explanation: TokenPairsExplanation) -> list[_Part]:
    """The document, and the one that it is compared with, where that has tokens."""
    ranking = explanation.ranking
    own = ranking.doc_ids[explanation.position], ranking.texts[explanation.position]
    parts = [_Part(*own, explanation.pairs)]
    if explanation.other is not None and explanation.above is not None and explanation.other.tokens:
        other = ranking.doc_ids[explanation.above], ranking.texts[explanation.above]
        parts.append(_Part(*other, explanation.other))
    return parts


def _links_of(explanation: TokenPairsExplanation, part: _Part, most: int, width: float) -> _Laid:
    """The tokens of query and document with their places, and which ones these are."""
    lines = folded(part.pairs.matrix.T, ROWS_SHOWN).columns.tolist()
    query = [_shown(written(explanation.query_tokens[i], explanation.ranking.query)) for i in lines]
    columns = folded(part.pairs.matrix, most).columns.tolist()
    words: list[str] = []
    last = -1
    for column in columns:
        gap = "… " if column != last + 1 else ""
        words.append(gap + _shown(written(part.pairs.tokens[column], part.text)))
        last = column
    above = _laid(query, width, direction(explanation.ranking.query) < 0)
    return above, _laid(words, width, direction(part.text) < 0), lines, columns


def _shown(text: str) -> str:
    return first_line(cleaned(text), LONGEST, SIZE)


def _laid(words: Sequence[str], width: float, leftwards: bool) -> list[_Placed]:
    """Words in lines no wider than ``width``; each text from the side where it begins."""
    placed: list[_Placed] = []
    x, line = 0.0, 0
    for word in words:
        wide = measured(word, SIZE)
        if x and x + wide > width:
            x, line = 0.0, line + 1
        placed.append(_Placed(width - x - wide if leftwards else x, line, wide, word))
        x += wide + BLANK
    return placed


def _links(
    axes: Axes,
    explanation: TokenPairsExplanation,
    part: _Part,
    laid: _Laid,
    size: tuple[float, float],
) -> None:
    """The query above, the document below, and curves between their strongest pairs."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    above, below, rows, columns = laid
    width, height = size
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    name = f"{part.name}: " if explanation.other is not None else ""
    axes.set_title(f"{name}the strongest pairs", fontsize=10, loc="left", parse_math=False)
    lines = 1 + max((one.line for one in above), default=0)
    top, low = lines * LINE, lines * LINE + BETWEEN - 20
    matrix = part.pairs.matrix[rows]
    every = [matrix] if explanation.other is None else [explanation.matrix, explanation.other.matrix]
    largest = max(float(np.abs(one).max(initial=0.0)) for one in every) or 1.0
    for places, start, sums in (
        (above, 0.0, matrix.sum(axis=1)),
        (below, low, matrix.sum(axis=0)[columns]),
    ):
        strongest = float(np.abs(sums).max(initial=0.0)) or 1.0
        for one, value in zip(places, sums.tolist(), strict=True):
            behind = {"facecolor": mixed(value / strongest), "edgecolor": "none", "pad": 1.5}
            axes.text(
                one.x, start + one.line * LINE + LINE / 2, one.text, va="center", color=INK,
                fontsize=SIZE, parse_math=False,
                bbox=behind if value else None,
            )  # fmt: skip
    part_shown = matrix[:, columns]
    order = np.argsort(-np.abs(part_shown), axis=None, kind="stable")[:LINKS]
    for flat in order.tolist():
        row, column = divmod(flat, part_shown.shape[1])
        value = float(part_shown[row, column])
        if not value:
            continue
        one, other = above[row], below[column]
        a = (one.x + one.width / 2, one.line * LINE + LINE)
        b = (other.x + other.width / 2, low + other.line * LINE)
        middle = (max(a[1], top) + low) / 2
        path = Path([a, (a[0], middle), (b[0], middle), b], [Path.MOVETO, *[Path.CURVE4] * 3])
        share = abs(value) / largest
        axes.add_patch(
            PathPatch(path, fill=False, edgecolor=FOR if value > 0 else AGAINST,
                      linewidth=0.4 + 2.6 * share, alpha=0.25 + 0.65 * share, zorder=0)
        )  # fmt: skip


def _matrix(axes: Axes, explanation: TokenPairsExplanation, part: _Part, most: int) -> None:
    matrix = part.pairs.matrix
    some, lines = folded(matrix, most), folded(matrix.T, ROWS_SHOWN)
    values = matrix[:, some.columns]
    words = [axis_label(written(part.pairs.tokens[j], part.text)) for j in some.columns.tolist()]
    if some.left:
        values = np.column_stack([values, some.together])
        words.append(others(some.left))
    values = values[lines.columns]
    tokens = [explanation.query_tokens[i] for i in lines.columns.tolist()]
    query = [axis_label(written(one, explanation.ranking.query)) for one in tokens]
    axis_words(axes, query, words)
    name = f"{part.name}: " if explanation.other is not None else ""
    rest = sum(part.pairs.parts.values())
    title = f"{name}all pairs {matrix.sum():+.3g}, what no pair carries {rest:+.3g}"
    every = [explanation.matrix] if explanation.other is None else [
        explanation.matrix, explanation.other.matrix,
    ]  # fmt: skip
    cells = np.concatenate([one.ravel() for one in every])  # one scale for both documents
    heat(axes, np.clip(values, *_range(cells)), cells, title.replace("-", "−"))
    if direction(part.text) < 0:
        axes.invert_xaxis()
    if some.left:
        axes.axvline(len(words) - 1.5, color=SOFT, linewidth=0.8)


def _range(matrix: Floats) -> tuple[float, float]:
    largest = float(np.abs(matrix).max(initial=0.0)) or 1.0
    return -largest, largest
