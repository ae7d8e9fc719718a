"""One self-contained HTML page about explanations of a ranker over features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

import intentx
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.judged import FeatureEffect
from intentx.explainers.features.listwise import ListwiseExplanation
from intentx.explainers.features.mimic import MimicExplanation
from intentx.explainers.features.shown import visible_lines
from intentx.feature_ranking import FeatureRanking
from intentx.markup import Html, count, join, listing, real, tag
from intentx.models import FeatureModel
from intentx.report.pages.explained_ranking import SHOWN_DOCUMENTS, Senses, View
from intentx.report.pages.layout import Section, check_one_query, html_page, links, section
from intentx.report.pages.mimic import mimic_drawings
from intentx.report.pages.sections import seconds_table, settings_table
from intentx.report.pages.slope import slope_charts
from intentx.report.pages.tables import bar, table

__all__ = ["feature_page", "feature_sections", "partial_dependence"]

SHAPES = 3  # features whose partial dependence is drawn
STEPS = 20  # values of each
COLUMNS = 8  # features shown of each document


@dataclass(frozen=True)
class FeatureView:
    """One explanation as the page shows it."""

    explanation: FeatureExplanation
    label: str
    number: int
    senses: Senses = field(default_factory=Senses)

    @cached_property
    def order(self) -> View:
        """The same as what draws both orders takes."""
        return View(self.explanation, self.label, self.number, self.senses)  # type: ignore[arg-type]


def feature_page(
    explanations: Sequence[FeatureExplanation], *, title: str = "", labels: Sequence[str] | None = None
) -> str:
    """A page about a ranker over features; see `intentx.report.pages.ranking.page`."""
    check_one_query(explanations, labels, "method")
    names = labels or [one.method for one in explanations]
    views = [
        FeatureView(e, name, i) for i, (e, name) in enumerate(zip(explanations, names, strict=True))
    ]
    query = explanations[0].ranking.query
    parts = [part for part in _SECTIONS if any(part.part(view) for view in views)]
    return html_page(
        title or f"“{query}”, explained by intentx",
        _header(views, title, parts),
        tag("main", *(section(part, views) for part in parts)),
    )


def feature_sections(
    explanations: Sequence[FeatureExplanation], labels: Sequence[str] | None
) -> dict[str, tuple[str, Html]]:
    """What a page about words shows of features of the same ranking: headings and sections by anchor."""
    names = labels or [one.method for one in explanations]
    views = [
        FeatureView(e, name, i) for i, (e, name) in enumerate(zip(explanations, names, strict=True))
    ]
    parts = [part for part in _SECTIONS if part.anchor in ("features", "shapes")]
    shown = [part for part in parts if any(part.part(view) for view in views)]
    return {part.anchor: (part.heading, section(part, views)) for part in shown}


def _header(views: Sequence[FeatureView], title: str, parts: Sequence[Section[FeatureView]]) -> Html:
    first = views[0].explanation
    ranking = first.ranking
    model = type(ranking.model.model).__name__ if ranking.model is not None else "recorded scores"
    methods = listing(dict.fromkeys(view.explanation.method for view in views))
    sizes = f"{count(len(ranking), 'document')}, {count(len(ranking.names), 'feature')}"
    return tag(
        "header",
        tag("p", tag("bdi", title)) if title else "",
        tag("h1", "“", tag("bdi", ranking.query), "”"),
        tag("p", model, " · explained by ", methods, " · ", sizes, class_="by"),
        *(_answer(view, len(views) > 1) for view in views),
        links([(part.anchor, part.heading) for part in parts]),
        class_="top",
    )


def _answer(view: FeatureView, several: bool) -> Html:
    """The verdict, and the features in a sentence."""
    one = view.explanation
    said = "" if one.verdict is None else join([tag("b", one.verdict.sentence), " "])
    about = _asked(one)
    who = tag("bdi", f"{view.label}: ") if several else ""
    metrics = "; ".join(f"{one.METRICS.get(k, k)} {real(v)}" for k, v in one.metrics.items())
    weighed = zip(one.features, one.weights, strict=True)
    named = [name for name, weight in weighed if weight][:COLUMNS] or one.features[:COLUMNS]
    features = listing(tag("bdi", name) for name in named)
    return tag("p", who, about, said, features, ". ", tag("small", metrics), class_="answer")


def _asked(one: FeatureExplanation) -> Html:
    """Which document was asked about, or which pair; nothing where it is the whole ranking."""
    ids, places = (
        one.ranking.doc_ids,
        [one.doc, one.above] if isinstance(one, ListwiseExplanation) else [],
    )
    named = [
        join([tag("bdi", ids[place]), f" (rank {count(place + 1)})"])
        for place in places
        if place is not None
    ]
    if not named:
        return Html("")
    return join([*([named[0], " above ", named[1]] if len(named) > 1 else named), ": "])


def _starts(one: FeatureExplanation) -> npt.NDArray[np.float64]:
    """(F,) where bars begin: of one document or a pair, each where the one above it ends."""
    weights = np.array(one.weights, dtype=np.float64)
    if not isinstance(one, ListwiseExplanation) or one.doc is None:
        return np.zeros(len(weights))
    first = one.metrics.get("none", 0.0) if one.above is None else 0.0
    return np.asarray(first + np.cumsum(weights) - weights)


def _features(view: FeatureView) -> Html:
    """Features with their weights as bars; of one document or a pair as a waterfall."""
    one = view.explanation
    starts = _starts(one)
    ends = starts + np.array(one.weights, dtype=np.float64)
    low, high = (float(end) for end in (min(0.0, *starts, *ends), max(0.0, *starts, *ends)))
    span = (high - low) or 1.0
    asked = one.ranking.model is not None
    effects = {effect.feature: effect for effect in (one.effects if asked else ())}
    columns = (
        "feature",
        "weight",
        *(("the model", "change of score", "with higher values", "places") if effects else ()),
    )
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", name, title=name), scope="row"),
            tag("td", bar(weight, low, span, start=start), class_="bar"),
            *(_effect(effects.get(name)) if effects else ()),
        )
        for name, weight, start in zip(one.features, one.weights, starts.tolist(), strict=True)
    ]
    return table(columns, rows, "terms")


def _model(view: FeatureView) -> Html:
    """The readable model, where the explanation is one."""
    text = view.explanation.in_words
    if not text:
        return Html("")
    words = tag("div", tag("pre", visible_lines(text)), class_="scroll")
    if isinstance(view.explanation, MimicExplanation):
        return join([mimic_drawings(view.explanation, _shape), words])
    return words


def _effect(effect: FeatureEffect | None) -> list[Html]:
    """What the model does without the feature, in four cells; empty where it was not asked."""
    if effect is None:
        return [tag("td") for _ in range(4)]
    around: str | Html = ""
    if np.isfinite(effect.low):
        around = tag("small", f" {real(effect.low)} to {real(effect.high)}", class_="interval")
    return [
        tag("td", effect.kind, class_="n"),
        tag("td", real(effect.change), around, class_="n"),
        tag("td", effect.way, class_="n"),
        tag("td", f"{effect.places:.1f}", class_="n"),
    ]


def _beside(view: FeatureView) -> Html:
    return slope_charts(view.order)


def _documents(view: FeatureView) -> Html:
    """Each document with its values of the features that explain."""
    ranking, one = view.explanation.ranking, view.explanation
    shown = [name for name in one.features if name in ranking.names][:COLUMNS]
    places = ranking.columns(shown)
    columns = ("rank", "by these alone", "document", "score", *shown)
    rows = [
        tag(
            "tr",
            tag("td", count(i + 1), class_="n"),
            tag("td", count(view.order.explained_rank[i] + 1), class_="n"),
            tag("th", tag("bdi", ranking.doc_ids[i], title=ranking.doc_ids[i]), scope="row"),
            tag("td", real(float(ranking.scores[i])), class_="n"),
            *(tag("td", ranking.value(i, column), class_="n") for column in places),
            id=view.order.anchor(i),
        )
        for i in range(min(len(ranking), SHOWN_DOCUMENTS))
    ]
    return table(columns, rows, "documents")


def partial_dependence(
    ranking: FeatureRanking, model: FeatureModel, feature: str, steps: int = STEPS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Values of a feature, and the mean score of the documents with each value in all of them.

    The values are evenly spaced between the least and the largest of the documents; of a feature with
    at most ``steps`` different ones, these. Asks the model for a row for each value and document.
    """
    [column] = ranking.columns([feature])
    known = np.unique(ranking.X[~np.isnan(ranking.X[:, column]), column])
    if len(known) > steps:
        known = np.linspace(known[0], known[-1], steps)
    rows = np.repeat(ranking.X[None], len(known), axis=0)
    rows[:, :, column] = known[:, None]
    scores = model(rows.reshape(-1, ranking.X.shape[1])).reshape(len(known), -1)
    return known, scores.mean(axis=1)


def _shapes(view: FeatureView) -> Html:
    """Partial dependence of the first features as lines; empty where the model is not at hand."""
    ranking = view.explanation.ranking
    if ranking.model is None:
        return Html("")
    names = [name for name in view.explanation.features if name in ranking.names][:SHAPES]
    drawn = [(name, *partial_dependence(ranking, ranking.model, name)) for name in names]
    drawn = [one for one in drawn if len(one[1]) > 1]
    if not drawn:
        return Html("")
    low = min(float(scores.min()) for _, _, scores in drawn)
    high = max(float(scores.max()) for _, _, scores in drawn)
    return tag("div", *(_shape(*one, low, high) for one in drawn), class_="columns")


def _shape(
    name: str,
    values: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float64],
    low: float,
    high: float,
    unit: str = "score",
) -> Html:
    x = 100 * (values - values[0]) / (values[-1] - values[0])
    y = 95 - 90 * (scores - low) / ((high - low) or 1.0)
    line = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    caption = (
        f"{name}: from {values[0]:.3g} to {values[-1]:.3g}; mean {unit} {scores[0]:.3g} at the left, "
        f"{scores[-1]:.3g} at the right"
    )
    drawing = tag(
        "svg", tag("path", d=f"M{line}"), viewBox="0 0 100 100", preserveAspectRatio="none",
        style="height:140px", role="img", aria_label=caption, class_="m0",
    )  # fmt: skip
    return tag("figure", drawing, tag("figcaption", caption))


def _made(view: FeatureView) -> Html:
    one = view.explanation
    facts = [
        ("method", one.method),
        *([("status", one.status)] if one.status else []),
        ("model calls", count(one.model_calls, "row") + " of features asked of the model"),
        ("intentx", intentx.__version__),
        *(("note", note) for note in one.notes),
    ]
    listed = (join([tag("dt", name), tag("dd", text, dir="auto")]) for name, text in facts)
    tables = (seconds_table(one.seconds), settings_table(one.settings))
    return join([tag("dl", *listed), tag("div", *tables, class_="pair")])


_SECTIONS = (
    Section(
        "features",
        "Features",
        "The weights are what the method counts; of one document, or of one above another, each bar "
        "begins where the one above it ends. Beside them is what the model does when one feature "
        "is set to its background in all documents: the mean change of score with its 95 % interval "
        "over documents, whether the score rises or falls with higher values, and the mean number of "
        "places that a document moves.",
        _features,
    ),
    Section(
        "model",
        "The mimic",
        "What orders documents in the ranker’s place. A tree’s leaves are in the unit that it was "
        "fitted to, blue the higher, orange the lower ones. The lines are the mean answer when a "
        "feature is set to a value in all documents, on one vertical scale.",
        _model,
    ),
    Section(
        "ranking",
        "The ranking beside the explanation’s",
        "On the left the model’s order, on the right that by the explanation alone.",
        _beside,
    ),
    Section(
        "shapes",
        "What the model does with the first features",
        "The mean score of the documents when one feature is set to a value in all of them, and all "
        "others stay (partial dependence). The vertical scale is the same for all.",
        _shapes,
    ),
    Section("documents", "Documents", "", _documents),
    Section("made", "How it was made", "", _made),
)
