"""An explanation by features as a table: in a terminal and in a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from intentx.feature_ranking import FeatureRanking
from intentx.markup import join, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

    from intentx.explainers.features.judged import FeatureEffect
    from intentx.explainers.levels import Judgement

__all__ = [
    "ShownFeatures",
    "decimal",
    "document_rows",
    "effect_cells",
    "feature_html",
    "feature_rows",
    "feature_tables",
    "visible_lines",
]

LARGE = 1e6
BAR = 20  # signs of the longest bar
SHOWN = 10  # documents


class ShownFeatures(Protocol):
    """What is shown of a `FeatureExplanation`."""

    METRICS: ClassVar[Mapping[str, str]]

    @property
    def method(self) -> str: ...
    @property
    def ranking(self) -> FeatureRanking: ...
    @property
    def features(self) -> Sequence[str]: ...
    @property
    def weights(self) -> Sequence[float]: ...
    @property
    def explained_order(self) -> npt.NDArray[np.intp]: ...
    @property
    def in_words(self) -> str: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def status(self) -> str: ...
    @property
    def verdict(self) -> Judgement | None: ...
    @property
    def known_effects(self) -> Mapping[str, FeatureEffect]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def model_calls(self) -> int: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    def _rich_measures(self) -> list[RenderableType]: ...
    def _html_measures(self) -> str: ...


def visible_lines(text: str) -> str:
    """A text of several lines, with no sign that cannot be shown."""
    return "\n".join(map(visible, text.splitlines()))


def feature_rows(explanation: ShownFeatures) -> list[tuple[str, str, str]]:
    """For each feature its name, its weight, and a bar as long as the weight is large."""
    largest = max((abs(weight) for weight in explanation.weights), default=0) or 1
    return [
        (name, f"{weight:+.3g}", "█" * round(BAR * abs(weight) / largest))
        for name, weight in zip(explanation.features, explanation.weights, strict=True)
    ]


EFFECTS = ("score changes by", "with higher values", "places")


def effect_cells(explanation: ShownFeatures) -> list[tuple[str, ...]]:
    """For each feature what the model does without it, as far as it was asked; () where it was not."""
    known = explanation.known_effects
    if not known:
        return [() for _ in explanation.features]
    return [_effect(known.get(name)) for name in explanation.features]


def _effect(one: FeatureEffect | None) -> tuple[str, str, str]:
    """The change of score with its interval, the way it goes, and places; empty if not asked."""
    if one is None:
        return "", "", ""
    if one.kind == "no effect":
        return "no effect", "", "0.0"
    around = "" if math.isnan(one.low) else f" [{one.low:.3g}, {one.high:.3g}]"
    return f"{one.change:.3g}{around}", one.way, f"{one.places:.1f}"


def decimal(value: float) -> str:
    """A metric with three digits behind the point; very large ones in powers of ten.

    >>> decimal(0.5), decimal(2e30)
    ('0.500', '2e+30')
    """
    return f"{value:.3f}" if not abs(value) >= LARGE else f"{value:.4g}"


def document_rows(explanation: ShownFeatures) -> list[tuple[str, str, str]]:
    """The first documents: rank, rank by the explanation alone, id."""
    places = np.empty(len(explanation.ranking), dtype=np.intp)
    places[explanation.explained_order] = np.arange(len(places))
    shown = zip(explanation.ranking.doc_ids, places[:SHOWN], strict=False)
    return [(str(rank), str(place + 1), doc) for rank, (doc, place) in enumerate(shown, start=1)]


def _metrics(explanation: ShownFeatures) -> str:
    return "; ".join(
        f"{explanation.METRICS.get(name, name)} {decimal(value)}"
        for name, value in explanation.metrics.items()
    )


def _closing(explanation: ShownFeatures) -> str:
    seconds, status = explanation.seconds, f" ({explanation.status})" if explanation.status else ""
    spent = f", {seconds['total']:.2f} s" if "total" in seconds else ""
    first = f"{_metrics(explanation)}{status}; {explanation.model_calls} rows asked of the model{spent}"
    return "\n".join([first, *explanation.notes])


def feature_tables(explanation: ShownFeatures) -> Group:
    """The verdict, the features, the first documents by them alone, for a terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text(visible(f"{explanation.method} for “{explanation.ranking.query}”"))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    effects = EFFECTS if explanation.known_effects else ()
    for place, column in enumerate(("feature", "weight", "", *effects)):
        table.add_column(column, justify="right" if place in (1, 5) else "left", overflow="fold")
    for row, more in zip(feature_rows(explanation), effect_cells(explanation), strict=True):
        name, weight, bar = row
        cells = (name, weight, bar[: BAR // 2] if effects else bar, *more)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    order = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, column in enumerate(("rank", "by these alone", "document")):
        order.add_column(column, justify="left" if place == 2 else "right", overflow="fold")
    for row in document_rows(explanation):
        order.add_row(*(Text(visible(cell)) for cell in row))
    verdict = explanation.verdict
    first = [] if verdict is None else [Text(visible(verdict.sentence), style="bold")]
    closing = Text(visible(_closing(explanation)), style="dim")
    words = [Text(visible_lines(explanation.in_words))] if explanation.in_words else []
    return Group(*first, table, *words, order, *explanation._rich_measures(), closing)


def feature_html(explanation: ShownFeatures) -> str:
    """The same for a notebook."""
    verdict = explanation.verdict
    first = [] if verdict is None else [tag("p", tag("b", visible(verdict.sentence)))]
    about = tag(
        "p", tag("b", explanation.method), f" for “{visible(explanation.ranking.query)}”: ",
        visible(_metrics(explanation)),
    )  # fmt: skip
    return join(
        [
            *first,
            about,
            _table(
                ("feature", "weight", "", *(EFFECTS if explanation.known_effects else ())),
                [
                    (*row, *more)
                    for row, more in zip(
                        feature_rows(explanation), effect_cells(explanation), strict=True
                    )
                ],
            ),
            tag("pre", visible_lines(explanation.in_words)) if explanation.in_words else "",
            _table(("rank", "by these alone", "document"), document_rows(explanation)),
            explanation._html_measures(),
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [("th", head), *(("td", row) for row in rows)]
    return tag("table", *(tag("tr", *(tag(kind, visible(cell)) for cell in row)) for kind, row in lines))
