"""Plots of a study by matplotlib: a panel for each ranker, a row for each method."""

from __future__ import annotations

import dataclasses
import functools
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.evaluation.metrics import METRICS
from intentx.markup import Html, escaped, tag
from intentx.report.pictures.line_breaks import cleaned, first_line, measured
from intentx.report.pictures.style import AGAINST, FOR, INK, LINE, SIZE, SOFT, plain_style
from intentx.report.tables.study import SHOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from intentx.study.results import Results
    from intentx.study.tables import Line

__all__ = ["DPI", "Plot", "distributions", "inline", "plots", "written"]

Floats = npt.NDArray[np.float64]

DPI = 160
WIDTH, LABEL, ACROSS = 760.0, 130.0, 4  # points; panels in a line, at most
TOP, FOOT, GAP, MARGIN = 24.0, 38.0, 16.0, 10.0
DOTS = 100  # queries that are shown one by one; more are summed up
WHITE = "#ffffff"
_THEME = {FOR: "good", AGAINST: "bad", INK: "ink", SOFT: "soft", LINE: "line", WHITE: "paper"}


@dataclasses.dataclass(frozen=True, eq=False)
class Plot:
    """A figure, what it is called as a file, and what people read above and below it."""

    name: str
    title: str
    caption: str
    figure: Figure

    @functools.cached_property
    def svg(self) -> bytes:
        """Its file, drawn once for the page and the folder."""
        return written(self.figure, "svg")


class _Board(NamedTuple):
    """What all plots are of: lines, and the names of panels and rows, in the order of the study."""

    lines: Sequence[Line]
    rankers: Sequence[str]
    methods: Sequence[str]


class _Series(NamedTuple):
    """One metric of all lines, and how it is drawn."""

    name: str
    colour: str
    marker: str
    filled: bool = True


_FITTED = _Series("all", FOR, "o")
_FAR = _Series("far", FOR, "o", False)
_HELDOUT = _Series("heldout_documents", AGAINST, "D")
_RANDOM = _Series("shuffled_all", SOFT, "o", False)
_RANDOM_HELDOUT = _Series("shuffled_heldout_documents", SOFT, "D", False)
_RANKER = _Series("model", AGAINST, "D")
_OURS = _Series("ours", FOR, "o")


def distributions(results: Results) -> tuple[str, dict[tuple[str, str], Floats]]:
    """The main metric of a study, and its values over queries for each ranker and method."""
    names = {name for line in results.lines for name in line.metrics}
    main = "heldout_documents" if "heldout_documents" in names else "all"
    found: dict[tuple[str, str], list[float]] = {}
    for row in results.rows():
        if main in row.metrics:
            found.setdefault((row.ranker, row.method), []).append(row.metrics[main])
    return main, {pair: np.array(values) for pair, values in found.items()}


def plots(results: Results) -> list[Plot]:
    """Those that there is something to show in.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    lines = results.lines
    there = {line.ranker for line in lines}, {line.method for line in lines}
    rankers, methods = (
        [name for name in order if name in some]
        for order, some in zip((results.study.rankers, results.study.methods), there, strict=True)
    )
    board = _Board(lines, rankers, methods)
    names = {name for line in lines for name in line.metrics}
    main, values = distributions(results)
    found: list[Plot] = []
    with plain_style():
        if names & {"all", "far", "heldout_documents"}:
            found.append(_fidelity(board, names))
        if {"all", "heldout_documents"} <= names or {"all", "shuffled_all"} <= names:
            found.append(_overfitting(board, names))
        if values and main in names:
            found.append(_queries(board, main, values))
        if any(line.seconds.get(name, 0) > 0 for line in lines for name in ("model", "ours")):
            found.append(_seconds(board))
    return found


def written(figure: Figure, kind: str) -> bytes:
    """The file of a figure, ``"png"`` or ``"svg"``: the same bytes for the same figure."""
    content = io.BytesIO()
    with plain_style():
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(content, format=kind, dpi=DPI, metadata=metadata)
    return content.getvalue()


def inline(plot: Plot) -> Html:
    """A plot as a part of a page, in the page's colours, light and dark."""
    text = plot.svg.decode("utf-8")
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = text[text.index("<svg") :]
    # Ids are unique within a file, and here several files are one.
    text = re.sub(r'\bid="|(?<=href=")#|(?<=url\()#', lambda m: f"{m[0]}{plot.name}-", text)
    for colour, name in _THEME.items():
        text = text.replace(colour, f"var(--{name})")
    svg = text.replace("<svg", f'<svg role="img" aria-label="{escaped(plot.title)}"', 1)
    scroll = tag("div", Html(svg), class_="scroll", tabindex="0", role="region", aria_label=plot.title)
    caption = tag("figcaption", tag("b", plot.title), " ", plot.caption)
    return tag("figure", caption, scroll, class_="plot", id=f"plot-{plot.name}")


def _fidelity(board: _Board, names: set[str]) -> Plot:
    series = [one for one in (_FITTED, _FAR, _HELDOUT) if one.name in names]

    def draw(axes: Axes, row: int, line: Line) -> None:
        for place, one in enumerate(series):
            _dot(axes, row + (place - (len(series) - 1) / 2) * 0.24, line, one, interval=True)

    limits = _shares(board.lines, series, interval=True)
    figure = _panels(board, draw, series, limits, "fidelity, mean of queries", 26)
    return Plot("fidelity", "Fidelity by method and ranker", "Lines: 95 % intervals.", figure)


def _overfitting(board: _Board, names: set[str]) -> Plot:
    above, below = (
        [one for one in pair if one.name in names]
        for pair in ((_FITTED, _HELDOUT), (_RANDOM, _RANDOM_HELDOUT))
    )

    def draw(axes: Axes, row: int, line: Line) -> None:
        axes.axvline(0.5, color=LINE, linewidth=0.8, zorder=0)
        for pair, shift, colour in ((above, -0.17, INK), (below, 0.17, SOFT)):
            ends = [line.metrics[one.name].mean for one in pair if one.name in line.metrics]
            if len(ends) == 2:
                axes.plot(ends, [row + shift] * 2, color=colour, linewidth=1, zorder=1)
            for one in pair:
                _dot(axes, row + shift, line, one)

    shown = above + below
    figure = _panels(board, draw, shown, _shares(board.lines, shown), "fidelity, mean of queries", 26)
    caption = (
        "The line from all pairs to held-out documents shows how much fidelity on fitted documents "
        "overstates. In a random order there is nothing to find: fidelity above .5 on fitted documents "
        "is overfitting there."
    )
    return Plot("overfitting", "Fitted against held out", caption, figure)


def _queries(board: _Board, main: str, values: Mapping[tuple[str, str], Floats]) -> Plot:
    low = min(float(some.min()) for some in values.values())
    high = max(1.0, max(float(some.max()) for some in values.values()))

    def draw(axes: Axes, row: int, line: Line) -> None:
        some = values.get((line.ranker, line.method))
        if some is None:
            return
        if len(some) <= DOTS:
            around = row + 0.3 * (np.random.default_rng(0).random(len(some)) - 0.5) + 0.16
            axes.scatter(some, around, s=10, color=FOR, alpha=0.45, linewidth=0, zorder=2, clip_on=False)
        start, quarter, middle, most, end = np.percentile(some, [5, 25, 50, 75, 95]).tolist()
        place = row - 0.18 if len(some) <= DOTS else row
        axes.plot([start, end], [place] * 2, color=SOFT, linewidth=1, zorder=1)
        axes.plot([quarter, most], [place] * 2, color=SOFT, linewidth=4, solid_capstyle="butt", zorder=2)
        axes.plot([middle], [place], "|", color=INK, markersize=9, markeredgewidth=2, zorder=3)

    label = f"fidelity, {METRICS[main].title}"
    room = 0.03 * (high - low)
    figure = _panels(board, draw, [], (low - room, high + room), label, 24)
    few = max(map(len, values.values())) <= DOTS
    caption = (
        f"{label.capitalize()}, of each query: the middle half (thick), 5 to 95 % (thin) and the "
        f"median{'; dots are queries' if few else ''}."
    )
    return Plot("queries", "How much queries differ", caption, figure)


def _seconds(board: _Board) -> Plot:
    found = {
        one: [line.seconds[one.name] for line in board.lines if line.seconds.get(one.name, 0) > 0]
        for one in (_OURS, _RANKER)
    }
    series = [one for one, some in found.items() if some]  # recorded runs take no time
    spent = [value for some in found.values() for value in some]

    def draw(axes: Axes, row: int, line: Line) -> None:
        ends = [(one, line.seconds.get(one.name, 0.0)) for one in series]
        ends = [(one, value) for one, value in ends if value > 0]
        axes.plot([value for _, value in ends], [row] * len(ends), color=LINE, linewidth=1.5, zorder=1)
        for one, value in ends:
            _mark(axes, value, row, one)

    start, end = np.floor(np.log10(min(spent))), np.ceil(np.log10(max(spent)))
    # Wider than the numbers below, so that those of two panels do not meet.
    limits = float(10 ** (start - 0.3)), float(10 ** (max(end, start + 1) + 0.3))
    figure = _panels(board, draw, series, limits, "seconds per query, all measures of it", 20, log=True)
    caption = "Per query, all that is measured of it: several explanations. A logarithmic scale."
    return Plot("seconds", "Whose time it takes", caption, figure)


def _shares(
    lines: Sequence[Line], series: Sequence[_Series], interval: bool = False
) -> tuple[float, float]:
    """Limits of an axis of shares: of what is there, and to 1."""
    there = [line.metrics[one.name] for line in lines for one in series if one.name in line.metrics]
    low = min(float(np.fmin(one.low, one.mean)) if interval else one.mean for one in there)
    start = np.floor(10 * low - 0.2) / 10
    return float(start), 1.0 + 0.03 * (1.0 - float(start))


def _dot(axes: Axes, row: float, line: Line, one: _Series, interval: bool = False) -> None:
    estimate = line.metrics.get(one.name)
    if estimate is None:
        return
    if interval and not np.isnan(estimate.low):
        ends = [estimate.low, estimate.high]
        axes.plot(ends, [row, row], color=one.colour, linewidth=1.2, zorder=1, clip_on=False)
    _mark(axes, estimate.mean, row, one)


def _mark(axes: Axes, value: float, row: float, one: _Series) -> None:
    axes.plot(
        [value], [row], one.marker, color=one.colour, markersize=4.6 if one.marker == "D" else 5.4,
        markerfacecolor=one.colour if one.filled else WHITE, markeredgewidth=1.2, zorder=3,
        clip_on=False,
    )  # fmt: skip


def _panels(
    board: _Board,
    draw: Callable[[Axes, int, Line], None],
    series: Sequence[_Series],
    limits: tuple[float, float],
    label: str,
    row: float,
    log: bool = False,
) -> Figure:
    """A figure with a panel for each ranker, all of the same scale, and a row for each method."""
    from matplotlib.figure import Figure

    lines, rankers, methods = board
    across = min(len(rankers), ACROSS)
    down = -(-len(rankers) // ACROSS)
    names = [first_line(cleaned(method), LABEL, SIZE) for method in methods]
    left = MARGIN + max(measured(name, SIZE) for name in names) + 8
    wide = min(380.0, (WIDTH - left - MARGIN - (across - 1) * GAP) / across)
    tall, above = row * len(methods), 22.0 if series else 0.0
    size = left + across * (wide + GAP) - GAP + MARGIN, above + down * (TOP + tall + FOOT) + MARGIN
    figure = Figure(figsize=(size[0] / 72, size[1] / 72), facecolor=WHITE)
    for place, ranker in enumerate(rankers):
        x = left + place % ACROSS * (wide + GAP)
        y = size[1] - MARGIN - above - place // ACROSS * (TOP + tall + FOOT) - TOP - tall
        axes = figure.add_axes((x / size[0], y / size[1], wide / size[0], tall / size[1]))
        _scale(axes, limits, wide, log)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        first = not place % ACROSS
        axes.set_yticks(range(len(methods)), names if first else [""] * len(methods), parse_math=False)
        title = first_line(cleaned(ranker), 0.98 * wide, SIZE, bold=True)
        axes.set_title(title, loc="left", fontsize=SIZE, fontweight="bold", parse_math=False, pad=7)
        axes.set_xlabel(label if first else "", fontsize=SIZE - 1.5, color=SOFT, loc="left")
        for line in lines:
            if line.ranker == ranker:
                draw(axes, methods.index(line.method), line)
    _legend(figure, series, size, left)
    return figure


def _scale(axes: Axes, limits: tuple[float, float], wide: float, log: bool) -> None:
    """The axes of a panel, drawn with as little ink as will do."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=max(3, int(wide / 36))))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(max(3, int(wide / 26)), steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _share(value)))
    axes.set_xlim(*limits)
    axes.tick_params(axis="x", labelsize=SIZE - 1.5, colors=SOFT, length=0)
    axes.tick_params(axis="y", labelsize=SIZE, labelcolor=INK, length=0)
    axes.grid(axis="both", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _share(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("0.", ".", 1).replace("-", "−") or "0"


def _legend(figure: Figure, series: Sequence[_Series], size: tuple[float, float], left: float) -> None:
    if not series:
        return
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], marker=one.marker, color=one.colour, linestyle="", markersize=5.4,
            markerfacecolor=one.colour if one.filled else WHITE, label=SHOWN[one.name].title,
        )
        for one in series
    ]  # fmt: skip
    narrow = size[0] < 560 and len(series) > 2
    figure.legend(
        handles=handles, loc="upper left", ncols=2 if narrow else len(series), frameon=False,
        fontsize=SIZE - 1.5, borderpad=0, handletextpad=0.2, columnspacing=1.4, labelcolor=INK,
        bbox_to_anchor=(MARGIN / size[0], 1 - MARGIN / size[1]), bbox_transform=figure.transFigure,
    )  # fmt: skip
