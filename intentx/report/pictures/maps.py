"""Pictures of what Grad-CAM sees: maps with words on the axes, flattened maps, and box plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation
from intentx.report.pictures.line_breaks import cleaned, first_line, fitted
from intentx.report.pictures.style import AGAINST, FOR, INK, LINE, SOFT, plain_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = [
    "axis_label",
    "axis_words",
    "box_figure",
    "figure_title",
    "flattened_figure",
    "heat",
    "map_figure",
]

COLUMNS = 40  # terms of a document in one line of a map; a longer document has several lines
LINES = 4  # lines at most
SIDE = 0.24  # inches, of a cell
TITLE_LINES, NAME_LINES = 12, 4  # at most, of a figure's title and of what stands at a panel or a box
LINE_HEIGHT = 0.18  # inches
BOX = 1.05  # inches, the width of a box plot with its room


def map_figure(explanation: GradCAMExplanation) -> Figure:
    """Grad-CAM's map above the ranker's interaction matrix, query terms down, document terms across.

    A document of more than 40 terms goes on in lines below, and one of more than 160 is cut off.

    Raises
    ------
    InputError
        If there is no term to show.
    MissingExtraError
        Without matplotlib.
    """
    rows, number = explanation.map.shape
    if not explanation.map.size:
        raise InputError("the document has no term that the ranker knows: there is no map to draw")
    shown = min(number, COLUMNS * LINES)
    with plain_style():
        from matplotlib.figure import Figure

        terms, query = _as_written(explanation), _query(explanation)
        starts = range(0, shown, COLUMNS)
        width = SIDE * min(shown, COLUMNS)
        size = (max(5.0, width + 2.6), len(starts) * 2 * (SIDE * rows + 1.15) + 0.7)
        figure = Figure(figsize=size, facecolor="white", layout="constrained")
        grid = figure.subplots(2 * len(starts), 1, squeeze=False)[:, 0]
        pictures = (("Grad-CAM’s map", explanation.map), ("interaction matrix", explanation.interaction))
        for line, start in enumerate(starts):
            for place, (name, values) in enumerate(pictures):
                axes = grid[2 * line + place]
                part = values[:, start : min(start + COLUMNS, shown)]
                axis_words(axes, query, terms[start : start + part.shape[1]])
                blank = np.full((rows, min(shown, COLUMNS) - part.shape[1]), np.nan)
                part = np.hstack([part, blank])  # the last line has cells of the same size
                heat(axes, part, values, name if not line else f"{name}, continued")
        left = len(terms) - shown
        more = f"; {left} more terms of the document are not shown" if left else ""
        doc = explanation.ranking.doc_ids[explanation.position]
        title = f"{doc} (rank {explanation.position + 1}) for “{explanation.ranking.query}”{more}"
        figure_title(figure, title)
        return figure


def flattened_figure(explanation: GradCAMExplanation) -> Figure:
    """Contribution of each document term beside its similarity to the query, in the order of the text.

    Contributions and interactions are the column sums of the two matrices of `map_figure`; below stands
    the largest cosine with a query term. Of a document of more than 80 terms, the first are shown.

    Raises
    ------
    InputError
        If there is no term to show.
    MissingExtraError
        Without matplotlib.
    """
    if not explanation.words:
        raise InputError("the document has no term that the ranker knows: there is nothing to draw")
    with plain_style():
        from matplotlib.figure import Figure

        terms = _as_written(explanation)[: COLUMNS * 2]
        size = (max(5.0, SIDE * len(terms) + 1.6), 5.6)
        figure = Figure(figsize=size, facecolor="white", layout="constrained")
        rows = figure.subplots(3, 1, sharex=True)
        place = np.arange(len(terms))
        shown = (
            ("contribution", explanation.contributions, FOR),
            ("interaction", explanation.flattened, SOFT),
            ("largest cosine", explanation.similarities, SOFT),
        )
        for axes, (name, values, colour) in zip(rows, shown, strict=True):
            axes.bar(place, values[: len(terms)], color=colour)
            axes.set_ylabel(name, color=SOFT)
            axes.axhline(0, color=SOFT, linewidth=0.8)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8, colors=INK)
            axes.margins(x=0.01)
        rows[-1].set_xticks(place, terms, rotation=90, parse_math=False)
        _mark(rows[-1], explanation)
        doc = explanation.ranking.doc_ids[explanation.position]
        left = len(explanation.document_terms) - len(terms)
        more = f"; {left} more terms are not shown" if left else ""
        kinds = "effective terms bold, filtered ones slanted and orange"
        figure_title(figure, f"{doc} for “{explanation.ranking.query}”: {kinds}{more}")
        return figure


def box_figure(groups: Mapping[str, Mapping[str, Sequence[float]]], title: str = "") -> Figure:
    """Box plots: one panel for each metric, one box for each group of documents.

    Parameters
    ----------
    groups
        Values of each group by the name of the group, by the name of the figure. Boxes are the
        quartiles, whiskers reach to 1.5 times their distance; what lies outside is counted, not drawn.

    Raises
    ------
    InputError
        If there is no metric, or a group without values.
    MissingExtraError
        Without matplotlib.
    """
    if not groups or not all(
        len(panel) and all(np.isfinite(group).any() for group in panel.values())
        for panel in groups.values()
    ):
        raise InputError("box plots need one metric or more, with a finite value in each group")
    with plain_style():
        from matplotlib.figure import Figure

        titles = {
            name: fitted(cleaned(name), 72 * BOX * len(panel) - 6, 10, NAME_LINES)
            for name, panel in groups.items()
        }
        named = {
            key: fitted(cleaned(key), 72 * BOX - 10, 9, NAME_LINES)
            for panel in groups.values()
            for key in panel
        }
        lines = max(map(len, titles.values())) + max(map(len, named.values())) - 2
        width = max(1.0 + BOX * len(panel) for panel in groups.values()) * len(groups)
        size = width, 3.8 + LINE_HEIGHT * lines
        figure = Figure(figsize=size, facecolor="white", layout="constrained")
        for axes, (name, panel) in zip(
            figure.subplots(1, len(groups), squeeze=False)[0], groups.items(), strict=True
        ):
            values = [np.array([v for v in group if np.isfinite(v)]) for group in panel.values()]
            drawn = axes.boxplot(values, showfliers=False, patch_artist=True, widths=0.6)
            for number, box in enumerate(drawn["boxes"]):
                box.set(facecolor=FOR if not number else LINE, edgecolor=INK, alpha=0.8)
            for line in drawn["medians"]:
                line.set(color=INK, linewidth=1.6)
            labels = [
                "\n".join([*named[key], f"n = {len(v)}", f"{_outside(v)} outside"])
                for key, v in zip(panel, values, strict=True)
            ]
            axes.set_xticks(range(1, len(values) + 1), labels, parse_math=False)
            axes.set_title("\n".join(titles[name]), fontsize=10, parse_math=False)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=9, colors=INK)
        if title:
            figure_title(figure, title)
        return figure


def _as_written(explanation: GradCAMExplanation) -> list[str]:
    """The document's terms, as they stand in the text: the ranker may know them by their stems."""
    return [axis_label(explanation.document[word.start : word.end]) for word in explanation.words]


def _query(explanation: GradCAMExplanation) -> list[str]:
    """The query's terms, as they stand there."""
    query = explanation.ranking.query
    tokens = explanation.analyzer.tokens(query)
    if tuple(token.term for token in tokens) != explanation.query_terms:  # read by other rules
        return [axis_label(term) for term in explanation.query_terms]
    return [axis_label(query[token.start : token.end]) for token in tokens]


def figure_title(figure: Figure, title: str) -> None:
    """A title that fits into the figure, which grows by its lines."""
    lines = fitted(cleaned(title), 72 * figure.get_figwidth() - 20, 10, TITLE_LINES)
    figure.set_figheight(figure.get_figheight() + LINE_HEIGHT * (len(lines) - 1))
    figure.suptitle("\n".join(lines), parse_math=False, fontsize=10)


def _mark(axes: Axes, explanation: GradCAMExplanation) -> None:
    """Labels of effective and of filtered terms, told apart by more than their colour."""
    effective, filtered = {*explanation.effective_terms}, {*explanation.filtered_terms}
    for term, label in zip(explanation.document_terms, axes.get_xticklabels(), strict=False):
        if term in effective:
            label.set_fontweight("bold")
        if term in filtered:
            label.set(fontstyle="italic", color=AGAINST)


def _outside(values: npt.NDArray[np.float64]) -> int:
    """How many values the whiskers of a box plot leave out."""
    low, high = np.percentile(values, [25, 75])
    reach = 1.5 * (high - low)
    return int(((values < low - reach) | (values > high + reach)).sum())


def heat(axes: Axes, part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64], name: str) -> None:
    """Cells from white to blue; 0 is white, and what is below 0 goes to orange."""
    limit = float(np.abs(whole).max()) or 1.0
    signed = bool((whole < 0).any())
    image = axes.imshow(
        part, cmap=_ramp(signed), vmin=-limit if signed else 0.0, vmax=limit, aspect="equal"
    )
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, colors=SOFT)
    axes.set_title(name, fontsize=10, loc="left")
    axes.set_anchor("W")  # the title may be wider than a map of few columns: its room is on the right


def axis_words(axes: Axes, query: Sequence[str], document: Sequence[str]) -> None:
    axes.set_yticks(range(len(query)), query, parse_math=False)
    axes.set_xticks(range(len(document)), document, rotation=90, parse_math=False)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.spines[:].set_color(LINE)


def _ramp(signed: bool) -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    colours = [AGAINST, "#ffffff", FOR] if signed else ["#ffffff", FOR, "#0b3c74"]
    return LinearSegmentedColormap.from_list("intentx", colours)


def axis_label(word: str) -> str:
    """A word as it fits beside an axis."""
    return first_line(cleaned(word), 80, 8)
