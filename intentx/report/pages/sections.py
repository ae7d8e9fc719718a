"""The parts of the page that are tables and lists: terms, errors, fidelity, how it was made."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

import intentx
from intentx.evaluation.fidelity import FidelityRow
from intentx.evaluation.metrics import PAIRS
from intentx.explainers.ranking.shown import AVOIDED, COLUMNS, term_rows
from intentx.explainers.ranking.term_effect import TermEffect
from intentx.markup import Html, count, join, percent, real, tag
from intentx.report.pages.explained_ranking import View
from intentx.report.pages.measures import heldout_row
from intentx.report.pages.slope import slope_charts
from intentx.report.pages.tables import bar, share_cell, table

__all__ = [
    "fidelity_table",
    "how_it_was_made",
    "ranking_beside",
    "seconds_table",
    "settings_table",
    "term_table",
]

_WORST = 10  # documents in the list of those most often wrong

_STATUS = {
    "optimal": "proven best for what the solver maximised",
    "feasible": "a good selection, not proven best",
    "heuristic": "no proof that these terms are the best",
}


def term_table(view: View) -> Html:
    """Terms with their share of the coverage as bars, and the pairs each one decides."""
    roles = view.explanation.roles
    low = min(0.0, *(role.share for role in roles)) if roles else 0.0
    high = max(0.0, *(role.share for role in roles)) if roles else 0.0
    span = (high - low) or 1.0
    columns = ("term", *COLUMNS[1:3], "share", *COLUMNS[4:])
    rows = [
        tag(
            "tr",
            tag("th", view.term(i), scope="row"),
            tag("td", cells[1].partition(" ±")[0], class_="n", title=_interval(effect)),
            tag("td", cells[2], class_="n"),
            tag("td", bar(role.share, low, span), class_="bar"),
            *(tag("td", cell, class_="n") for cell in cells[4:]),
        )
        for i, (role, cells, effect) in enumerate(
            zip(roles, term_rows(view.explanation), view.explanation.effects, strict=True)
        )
    ]
    worst = [f"{one.term} ({one.effect:+.2g})" for one in view.explanation.avoids[:AVOIDED]]
    avoided = tag("p", "The ranker avoids: ", ", ".join(worst), ".", class_="note") if worst else ""
    return join([table(columns, rows, "terms"), avoided])


def _interval(effect: TermEffect) -> str | None:
    if effect.kind == "not asked":
        return None
    return f"95 % interval {real(effect.low)} to {real(effect.high)}, {effect.tested} edited documents"


def ranking_beside(view: View) -> Html:
    """Both orders, and the documents that the explanation gets most wrong."""
    ranker, explained = (sum(tied) for tied in view.tied)
    ties = (
        f"{count(ranker, 'document')} tied by the ranker, {count(explained)} by the explanation; ties "
        "stand in the ranker’s order and count as no move."
    )
    note = tag("p", ties, class_="note") if ranker or explained else ""
    halves = tag("div", tag("div", slope_charts(view)), tag("div", _most_wrong(view)), class_="halves")
    return join([note, halves])


def _most_wrong(view: View) -> Html:
    ranking, lost = view.explanation.ranking, view.explanation.lost_pairs
    worst = [int(i) for i in np.argsort(-lost, kind="stable")[:_WORST] if lost[i] > 0]
    title = tag("h4", "Documents it gets most wrong")
    if not worst:
        return join([title, tag("p", "None: every pair of the ranking is covered.")])
    columns = ("document", "lost pairs", "rank", "explained", "begins")
    rows = [
        tag(
            "tr",
            tag("th", view.senses.dot(ranking.doc_ids[i]), tag("bdi", ranking.doc_ids[i]), scope="row"),
            tag("td", f"{count(int(lost[i]))} of {count(_preferences(view, i))}", class_="n"),
            tag("td", count(i + 1), class_="n"),
            tag("td", count(view.explained_rank[i] + 1), class_="n"),
            tag(
                "td", tag("span", ranking.texts[i][:90].strip() or "(empty)", dir="auto"), class_="begin"
            ),
        )
        for i in worst
    ]
    return join([title, table(columns, rows, "worst")])


def _preferences(view: View, position: int) -> int:
    """Pairs of the ranking that the document is in: those that the ranker does not tie."""
    scores = view.explanation.ranking.scores
    return int((scores != scores[position]).sum())


def fidelity_table(view: View) -> Html:
    """`Fidelity.rows`, and the measures of whole orders below."""
    fidelity = view.explanation.fidelity
    names = tuple(fidelity.rows[0].by_ranker) if fidelity.rows else ()
    columns = ("preference pairs", "number", "soft vote", "majority", *names, "ties")
    rows = [_fidelity_row(row, fidelity.gap) for row in fidelity.rows]
    rows += heldout_row(view.explanation, names)
    verb = "is" if fidelity.ranker_ties == 1 else "are"
    tied = f"{count(fidelity.ranker_ties, 'pair')} of documents tied by the ranker"
    notes = [
        f"Kendall’s τ-b {real(fidelity.tau)} between the two orders of all documents, ties included "
        "(1 the same, 0 unrelated, −1 reversed)"
        + (": undefined, because one of them ties everything." if math.isnan(fidelity.tau) else "."),
        f"RBO_ext {real(fidelity.rbo)} with p = 0.9: overlap from the top, where the first ten places "
        "count most; extrapolated, ties in the worst order.",
        f"{tied} {verb} left out everywhere." if fidelity.ranker_ties else "The ranker ties no pair.",
    ]
    return join(
        [
            table(columns, rows, "fidelity"),
            tag("ul", *(tag("li", n) for n in notes), class_="note"),
        ]
    )


def _fidelity_row(row: FidelityRow, gap: int) -> Html:
    meaning = {
        "all": "every pair that the ranker has an order for",
        "far": f"at least {count(gap, 'rank')} apart in the ranking",
        "fitted": "the pairs that the terms were chosen on",
        "heldout": "pairs of this ranking that the terms were not chosen on",
    }.get(row.name, "")
    shares = (row.vote, row.majority, *row.by_ranker.values())
    missing = tag("small", f"not measured: {row.reason}", class_="reason") if row.reason else ""
    return tag(
        "tr",
        tag("th", PAIRS.get(row.name, row.name), tag("small", meaning), missing, scope="row"),
        tag("td", count(row.pairs), class_="n"),
        *(share_cell(share) for share in shares),
        tag("td", count(row.ties) if row.pairs else "–", class_="n"),
    )


def how_it_was_made(view: View) -> Html:
    """Method, solver, cost, settings and notes."""
    explanation = view.explanation
    bound = explanation.bound
    reached = "" if bound is None else " is the best coverage that any selection could reach"
    facts = [
        ("method", explanation.method),
        (
            "coverage",
            f"{percent(explanation.coverage)} of {count(explanation.matrices.n_pairs, 'fitted pair')}",
        ),
        ("status", f"{explanation.status}: {_STATUS.get(explanation.status, 'as the solver says')}"),
        ("bound", "not known" if bound is None else f"{real(bound)}{reached}"),
        (
            "model calls",
            count(explanation.model_calls, "text") + " for the ranker to score, besides the documents",
        ),
        ("simple rankers", ", ".join(explanation.matrices.scores.rankers) or "without names"),
        ("intentx", intentx.__version__),
    ]
    notes = [("note", note) for note in explanation.notes]
    return join(
        [
            tag(
                "dl",
                *(join([tag("dt", name), tag("dd", text, dir="auto")]) for name, text in facts + notes),
            ),
            tag(
                "div",
                seconds_table(explanation.seconds),
                settings_table(explanation.settings),
                class_="pair",
            ),
        ]
    )


def seconds_table(seconds: Mapping[str, float]) -> Html:
    """Seconds per stage, in total, and the ranker's part."""
    stages = [name for name in seconds if name not in ("model", "total")]
    labels = {"model": "of which the ranker"}
    rows = [
        tag(
            "tr",
            tag("th", labels.get(name, name), scope="row"),
            tag("td", real(seconds[name]), class_="n"),
        )
        for name in (*stages, "total", "model")
        if name in seconds
    ]
    return table(("stage", "seconds"), rows, "seconds")


def settings_table(settings: Mapping[str, object]) -> Html:
    """Settings, to be unfolded."""
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", _plain(value)))
        for name, value in settings.items()
    ]
    return tag("details", tag("summary", "Settings"), table(("setting", "value"), rows, "settings"))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
