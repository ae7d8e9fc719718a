"""Features and their weights as a picture; of a pair, as a waterfall."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from intentx.errors import InputError
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.mimic import MimicExplanation
from intentx.report.pictures.mimic import tree_axis
from intentx.report.pictures.style import AGAINST, FOR, INK, LINE, SIZE, SOFT, plain_style
from intentx.report.pictures.words import check_picture, save_figure
from intentx.signs import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["feature_axis", "write_feature_picture"]

ROW = 0.28  # height of a bar in inches


def feature_axis(explanation: FeatureExplanation, ax: Axes | None = None, most: int = 20) -> Axes:
    """The first features as horizontal bars; of one document or a pair each begins where the last ends.

    A mimic that is one tree is drawn as a tree.

    Raises
    ------
    InputError
        If ``most`` is not 1 or more.
    """
    if most < 1:
        raise InputError(f"most must be 1 or more, not {most!r}")
    if isinstance(explanation, MimicExplanation) and explanation.nodes:
        return tree_axis(explanation, ax)
    from matplotlib import pyplot

    with plain_style():
        if ax is None:
            rows = min(most, len(explanation.features))
            ax = pyplot.figure(figsize=(7, 1.2 + ROW * rows), layout="constrained").add_subplot()
            ax.set_title(_title(explanation), fontsize=SIZE, wrap=True, parse_math=False)
        _draw(ax, explanation, most)
    return ax


def _title(explanation: FeatureExplanation) -> str:
    """The verdict, if there is one, and what was explained by which method."""
    said = explanation.verdict
    if isinstance(explanation, MimicExplanation):  # of many rankings
        return explanation.method if said is None else said.sentence
    doc, above = (getattr(explanation, name, None) for name in ("doc", "above"))
    ranking = explanation.ranking
    asked = f"{explanation.method} of “{visible(ranking.query)}”"
    if doc is not None:
        asked += f", document {visible(str(ranking.doc_ids[doc]))}"
    if above is not None:
        asked += f" above {visible(str(ranking.doc_ids[above]))}"
    return asked if said is None else f"{said.sentence}\n{asked}"


def _draw(ax: Axes, explanation: FeatureExplanation, most: int) -> None:
    names, weights = [*explanation.features[:most]], [*explanation.weights[:most]]
    steps = getattr(explanation, "doc", None) is not None
    if steps and len(explanation.features) > most:  # so that the bars add up
        names.append(f"{len(explanation.features) - most} others")
        weights.append(sum(explanation.weights[most:]))
    start = 0.0
    if steps and getattr(explanation, "above", None) is None:
        start = explanation.metrics.get("none", 0.0)
    for place, weight in enumerate(weights):
        ax.barh(
            place,
            weight,
            left=start if steps else 0.0,
            height=0.7,
            color=FOR if weight >= 0 else AGAINST,
        )
        end = (start if steps else 0.0) + weight
        ax.annotate(f"{weight:+.3g}", (end, place), (4 if weight >= 0 else -4, 0), fontsize=SIZE - 2,
                    textcoords="offset points", va="center", color=INK,
                    ha="left" if weight >= 0 else "right")  # fmt: skip
        start += weight
    ax.set_yticks(range(len(names)), names, fontsize=SIZE - 1, color=INK)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.axvline(0, color=LINE, linewidth=0.8)
    ax.set_xlabel(_unit(explanation), fontsize=SIZE - 1, color=SOFT)
    ax.tick_params(length=0, labelsize=SIZE - 2)
    ax.spines[:].set_visible(False)


def _unit(explanation: FeatureExplanation) -> str:
    doc, above = getattr(explanation, "doc", None), getattr(explanation, "above", None)
    ids = explanation.ranking.doc_ids
    if doc is None:
        return "weight"
    if above is None:
        return f"score of {ids[doc]}, from the mean of the background"
    return f"score of {ids[doc]} less that of {ids[above]}"


def write_feature_picture(path: str | Path, explanation: FeatureExplanation) -> Path:
    """Write the picture to a file and return its path; errors as of `intentx.report.write_png`."""
    path, kind = check_picture(path)
    from matplotlib import pyplot

    figure: Any = feature_axis(explanation).figure
    try:
        return save_figure(path, kind, figure)
    finally:
        pyplot.close(figure)
