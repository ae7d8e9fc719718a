"""Pictures of explanations by matplotlib: signed bars of words, documents with words coloured."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.evaluation.faithfulness import Faithfulness
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.shown import verdict_of
from intentx.explainers.document.signed import sides_of, signed
from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation
from intentx.explainers.inside.token_pairs_explanation import TokenPairsExplanation
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.files import writable, write_file
from intentx.report.pages.curves import CURVES, draw_curves
from intentx.report.pages.explained_document import ONE_SIDED, SIZES
from intentx.report.pictures.bars import ROW, effects_of, fill_bars, label_room, rows_of
from intentx.report.pictures.line_breaks import (
    Line,
    cleaned,
    coloured_lines,
    measured,
    shortened,
    wrapped,
)
from intentx.report.pictures.maps import flattened_figure, map_figure
from intentx.report.pictures.pairs import pairs_figure
from intentx.report.pictures.style import AGAINST, FOR, SIZE, SOFT, mixed, plain_style, told_of_letters
from intentx.scoring import unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "AGAINST",
    "FOR",
    "bars_axis",
    "check_picture",
    "coloured_document",
    "picture",
    "plain_style",
    "save_figure",
    "word_bars",
    "write_png",
]

FORMATS = (".png", ".svg", ".pdf")
DPI = 160
LONGEST = 3_000  # characters of a document in a picture
MOST_OF_TITLE = 1_000  # characters of each line of a title, before it is broken

LEADING, MARGIN, GAP = 16.0, 14.0, 26.0  # in points, as all lengths here
BARS_WIDTH, TEXT_WIDTH = 340.0, 470.0
WITH_EFFECTS = 110.0  # more, where what the ranker does with a term stands beside its bar
BARS_AXIS = 44.0  # room for the numbers of an axis

Image = npt.NDArray[np.uint8]
Explanation = DocumentExplanation | IntentExplanation


def word_bars(explanation: Explanation, most: int = 20) -> Figure:
    """The words of an explanation as signed bars: blue ones speak for it, orange ones against.

    Parameters
    ----------
    explanation
        Of a document or, by its intent terms, of a whole ranking.
    most
        Most bars; those of the largest absolute weight.

    Raises
    ------
    InputError
        If ``most`` is not 1 or more.
    MissingExtraError
        Without matplotlib.
    """
    if most < 1:
        raise InputError(f"most must be 1 or more, not {most!r}")
    with plain_style():
        height = _bars_height(explanation, most)
        sheet = _Sheet(explanation, BARS_WIDTH, height)
        _draw_bars(sheet, explanation, most, 0.0)
        return sheet.figure


def bars_axis(explanation: object, ax: Axes | None = None, most: int = 20) -> Axes:
    """The same bars on an axis of the user's, or of a new figure of pyplot: `Explanation.plot`.

    Raises
    ------
    InputError, MissingExtraError
        As `word_bars`; and for an explanation of another kind.
    """
    if not isinstance(explanation, IntentExplanation | DocumentExplanation):
        raise InputError(
            f"plot draws the terms of an IntentExplanation or a DocumentExplanation, and a "
            f"{type(explanation).__name__} is none: give it a plot of its own"
        )
    if most < 1:
        raise InputError(f"most must be 1 or more, not {most!r}")
    effects = effects_of(explanation)
    with plain_style():
        if ax is None:
            from matplotlib import pyplot

            width = BARS_WIDTH + (WITH_EFFECTS if effects else 0.0)
            sheet = _Sheet(explanation, width, _bars_height(explanation, most), pyplot.figure)
            room = label_room(explanation, most)
            ax = sheet.axes(room, width - room, ROW * rows_of(explanation, most))
            width -= room
        else:
            width = 72 * ax.bbox.width / ax.figure.dpi
        fill_bars(ax, explanation, most, width, effects)
        return ax


def coloured_document(explanation: DocumentExplanation) -> Figure:
    """The text of a document with each word on the colour of its weight, and the scale of colours.

    Of a long text the beginning is shown, and how much is left out is said. Where matplotlib is
    older than 3.11, letters of scripts such as Arabic are not joined; the HTML page has them right.

    Raises
    ------
    InputError
        For an explanation of a whole ranking, which has no document.
    MissingExtraError
        Without matplotlib.
    """
    if not isinstance(explanation, DocumentExplanation):
        raise InputError(
            f"{type(explanation).__name__} explains no single document; word_bars shows its terms"
        )
    with plain_style():
        lines = coloured_lines(explanation, TEXT_WIDTH, SIZE, LONGEST)
        sheet = _Sheet(explanation, TEXT_WIDTH, len(lines) * LEADING + _SCALE)
        _draw_document(sheet, explanation, lines, 0.0)
        return sheet.figure


def picture(explanation: Explanation) -> Figure:
    """What there is to see of an explanation on one sheet: the bars, and beside them the document.

    Below an explanation by Grad-CAM stand its maps, below token pairs their matrix, as images. What was
    measured of the explanation
    stands below the title, and the curves of its faithfulness at the end.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    if not isinstance(explanation, DocumentExplanation):
        return word_bars(explanation)
    with plain_style():
        lines = coloured_lines(explanation, TEXT_WIDTH, SIZE, LONGEST)
        height = max(_bars_height(explanation, 20), len(lines) * LEADING + _SCALE)
        width = BARS_WIDTH + GAP + TEXT_WIDTH
        maps = _maps(explanation, width)
        below = sum(GAP + tall for _, _, tall in maps)
        curves = explanation.measures.get(Faithfulness.NAME)
        below += GAP + CURVES + ROW if curves is not None else 0.0
        sheet = _Sheet(explanation, width, height + below)
        _draw_bars(sheet, explanation, 20, 0.0)
        _draw_document(sheet, explanation, lines, BARS_WIDTH + GAP)
        for image, wide, tall in maps:
            axes = sheet.axes(0.0, wide, tall, height + GAP)
            axes.imshow(image, aspect="auto", interpolation="antialiased")
            axes.axis("off")
            height += GAP + tall
        if isinstance(curves, Faithfulness):
            draw_curves(sheet.axes(BARS_AXIS, BARS_WIDTH + 60, CURVES, height + GAP), curves)
        return sheet.figure


def _maps(explanation: DocumentExplanation, width: float) -> list[tuple[Image, float, float]]:
    """What Grad-CAM or token pairs show as images, with width and height, no wider than ``width``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    found: list[tuple[Image, float, float]] = []
    figures: list[Figure] = []
    if isinstance(explanation, GradCAMExplanation) and explanation.map.size:
        figures = [map_figure(explanation), flattened_figure(explanation)]
    if isinstance(explanation, TokenPairsExplanation) and explanation.matrix.size:
        figures = [pairs_figure(explanation)]
    for figure in figures:
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        image = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        scale = min(1.0, width / (72 * figure.get_figwidth()))
        wide, tall = (72 * scale * inches for inches in figure.get_size_inches())
        found.append((image, float(wide), float(tall)))
    return found


def write_png(path: str | Path, explanation: Explanation) -> Path:
    """Write `picture` to a file and return its path; ``.svg`` and ``.pdf`` work as well as ``.png``.

    Raises
    ------
    InputError
        For another ending, or if the file cannot be written, e.g. since its folder does not exist.
    MissingExtraError
        Without matplotlib.
    """
    path, kind = check_picture(path)
    return save_figure(path, kind, picture(explanation))


def save_figure(path: Path, kind: str, figure: Figure) -> Path:
    """Write a figure to a path that was checked, with the ending ``kind``; the same file twice."""
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    content = io.BytesIO()
    with plain_style(), told_of_letters():
        figure.savefig(content, format=kind[1:], dpi=DPI, metadata=dates.get(kind))
    return write_file(path, content.getvalue())


def check_picture(path: str | Path) -> tuple[Path, str]:
    """The path of a picture that can be written, and its ending in small letters.

    Raises
    ------
    InputError, MissingExtraError
        As `write_png`, before there is a picture.
    """
    path = writable(path)
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"a picture ends in {', '.join(FORMATS)}, not {path.suffix!r}: {path}")
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "plot")
    return path, kind


_SCALE = 44.0  # height of the scale of colours and the room above it


class _Sheet:
    """A figure with a title and axes that are placed in points from its upper left corner."""

    def __init__(
        self,
        explanation: Explanation,
        width: float,
        height: float,
        make: Callable[..., Figure] | None = None,
    ) -> None:
        from matplotlib.figure import Figure

        said = [*(f"Caution: {one}" for one in explanation.cautions), *_verdict(explanation)]
        said.append(_title(explanation))
        more = [measure.sentence for measure in explanation.measures.values()]
        first, *others = [shortened(cleaned(text), MOST_OF_TITLE) for text in (*said, *more)]
        title = [(line, "bold") for line in wrapped(first, width, SIZE, bold=True)]
        title += [(line, "normal") for text in others for line in wrapped(text, width, SIZE)]
        self._top = MARGIN + len(title) * LEADING + 8
        self._height = self._top + height + MARGIN
        self._width = width + 2 * MARGIN
        size = self._width / 72, self._height / 72
        self.figure = (make or Figure)(figsize=size, facecolor="white")
        for number, (line, weight) in enumerate(title):
            x, y = MARGIN / self._width, 1 - (MARGIN + number * LEADING) / self._height
            self.figure.text(x, y, line, va="top", parse_math=False, fontweight=weight)

    def axes(self, left: float, width: float, height: float, down: float = 0.0) -> Axes:
        """Axes of so many points, ``down`` points below the title."""
        bottom = self._height - self._top - down - height
        return self.figure.add_axes(
            (
                (MARGIN + left) / self._width,
                bottom / self._height,
                width / self._width,
                height / self._height,
            )
        )


def _verdict(explanation: Explanation) -> list[str]:
    """How far to believe it, in a line."""
    if isinstance(explanation, DocumentExplanation):
        return [verdict_of(explanation)]
    return [explanation.sentence] if explanation.sentence else []


def _title(explanation: Explanation) -> str:
    ranking = explanation.ranking
    if isinstance(explanation, IntentExplanation):
        return f"{explanation.method}: {explanation.claim} for “{ranking.query}”"
    name = f"{ranking.doc_ids[explanation.position]} (rank {explanation.position + 1})"
    if explanation.above is not None:
        name += f" above {ranking.doc_ids[explanation.above]} (rank {explanation.above + 1})"
    return f"{explanation.method}: {name} for “{ranking.query}”"


def _bars_height(explanation: Explanation, most: int) -> float:
    return ROW * rows_of(explanation, most) + 48


def _draw_bars(sheet: _Sheet, explanation: Explanation, most: int, left: float) -> None:
    """The bars with the words on their left."""
    room = label_room(explanation, most)
    axes = sheet.axes(left + room, BARS_WIDTH - room, ROW * rows_of(explanation, most))
    fill_bars(axes, explanation, most, BARS_WIDTH - room)


def _draw_document(
    sheet: _Sheet, explanation: DocumentExplanation, lines: list[Line], left: float
) -> None:
    """Lines of text with a coloured box behind each word that has a weight, and the scale below."""
    from matplotlib.patches import Rectangle

    height = len(lines) * LEADING
    axes = sheet.axes(left, TEXT_WIDTH, height)
    axes.set(xlim=(0, TEXT_WIDTH), ylim=(height, 0))
    axes.axis("off")
    largest = max((abs(word.weight) for word in explanation.words), default=0.0)
    for number, line in enumerate(lines):
        for x, text, weight in line:
            y = number * LEADING
            if weight and largest:
                box = Rectangle(
                    (x - 1, y + 1), measured(text, SIZE) + 2, LEADING - 2,
                    color=mixed(weight / largest), linewidth=0,
                )  # fmt: skip
                box.set_label(f"{text}\t{weight!r}")
                axes.add_patch(box)
            axes.text(x, y + 0.72 * LEADING, text, fontsize=SIZE, parse_math=False)
    _draw_scale(sheet, explanation, largest, left, height + 16)


def _draw_scale(
    sheet: _Sheet, explanation: DocumentExplanation, largest: float, left: float, down: float
) -> None:
    """Which colour stands for which weight."""
    from matplotlib.colors import ListedColormap

    if not largest:
        axes = sheet.axes(left, TEXT_WIDTH, 9, down)
        axes.text(0, 0, "no word makes a difference", fontsize=SIZE - 2, color=SOFT)
        axes.axis("off")
        return
    axes = sheet.axes(left + 50, 180, 9, down)
    number = signed(largest, largest).removeprefix("+")
    largest /= unit_of(largest)
    sized = explanation.method in SIZES + ONE_SIDED
    low = 0 if sized else -largest
    colours = ListedColormap(
        [mixed((low + (largest - low) * step / 100) / largest) for step in range(101)]
    )
    axes.imshow([range(101)], aspect="auto", cmap=colours, extent=(low, largest, 0, 1))
    axes.set_xticks([0, largest], ["0", f"+{number}"])
    if not sized:
        axes.set_xticks([-largest, 0, largest], [f"−{number}", "0", f"+{number}"])
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=SIZE - 2, colors=SOFT, length=2)
    axes.spines[:].set_visible(False)
    ends = sides_of(explanation.method)
    for x, side, word in ((-0.03, "right", ends[0]), (1.03, "left", ends[1])):
        axes.text(x, 0.5, word, transform=axes.transAxes, ha=side, va="center", color=SOFT, fontsize=8)
