"""One self-contained HTML page about one or more explanations of the same query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from intentx.errors import InputError
from intentx.explainers.explanation import IntentExplanation
from intentx.report.answer import answer, comparison, sense_tops
from intentx.report.documents import documents
from intentx.report.heat import heat_maps
from intentx.report.markup import Html, count, listing, tag
from intentx.report.sections import fidelity_table, how_it_was_made, ranking_beside, term_table
from intentx.report.view import Senses, View

__all__ = ["page", "write_page"]


class _Section(NamedTuple):
    """One part of the page: what stands in it once, and what once per explanation."""

    anchor: str
    heading: str
    intro: str
    part: Callable[[View], Html]


_SECTIONS = (
    _Section(
        "terms",
        "Intent terms",
        "The shares are Shapley values and add up to the share of fitted pairs that the terms cover "
        "together; a negative one hurts more pairs than it helps. Pairs won and lost: covered only "
        "with the term, and only without it.",
        term_table,
    ),
    _Section(
        "ranking",
        "The ranking beside the explanation’s",
        "On the left the ranker’s order, on the right the explanation’s: by how many documents each "
        "one beats with the terms alone, minus those that beat it.",
        ranking_beside,
    ),
    _Section("documents", "Documents", "", documents),
    _Section(
        "pairs",
        "Preference pairs",
        "The ranker puts the document of the row above that of the column. Blue: the terms agree, "
        "by the vote of the simple rankers; orange: they would put it below.",
        heat_maps,
    ),
    _Section(
        "fidelity",
        "Fidelity",
        "Share of preference pairs on which the terms agree with the ranker. Soft vote: the simple "
        "rankers together, Σ tanh of their score differences above the margin. Majority: more than "
        "half of them agree strictly. Then each one alone. Ties: pairs without a vote either way, "
        "which do not count as agreement.",
        fidelity_table,
    ),
    _Section("made", "How it was made", "", how_it_was_made),
)

# The page asks nobody for anything: a browser refuses what is not in the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(
    explanations: Sequence[IntentExplanation],
    *,
    title: str = "",
    labels: Sequence[str] | None = None,
    senses: Mapping[str, str] | None = None,
    sense_names: Mapping[str, str] | None = None,
) -> str:
    """A page that shows what rankers read a query as, and how far that can be believed.

    Parameters
    ----------
    explanations
        One, or several of rankings of the same query: they stand side by side.
    title
        Of the page; "" for one made from the query.
    labels
        Name of the ranker behind each explanation.
    senses
        Sense label of each document id, for an ambiguous query.
    sense_names
        What each sense label stands for.

    Returns
    -------
    str
        HTML without scripts and without requests; the same for the same explanations.

    Raises
    ------
    InputError
        For no explanation, different queries, or labels that are not one per explanation.
    """
    _check(explanations, labels)
    names = labels or (
        ["The ranker"]
        if len(explanations) == 1
        else [f"Ranker {i + 1}" for i in range(len(explanations))]
    )
    known = Senses(senses or {}, sense_names or {})
    views = [
        View(e, name, i, known) for i, (e, name) in enumerate(zip(explanations, names, strict=True))
    ]
    query = explanations[0].ranking.query
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title or f"“{query}”, explained by intentx"),
        tag("style", Html(files("intentx.report").joinpath("style.css").read_text(encoding="utf-8"))),
    )
    body = tag(
        "body", _header(views, title, known), tag("main", *(_section(part, views) for part in _SECTIONS))
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def write_page(
    path: str | Path,
    explanations: Sequence[IntentExplanation],
    *,
    title: str = "",
    labels: Sequence[str] | None = None,
    senses: Mapping[str, str] | None = None,
    sense_names: Mapping[str, str] | None = None,
) -> Path:
    """Write `page` to a file and return its path.

    Raises
    ------
    InputError
        As `page`, and if the file cannot be written, e.g. since its folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}; create it first")
    text = page(explanations, title=title, labels=labels, senses=senses, sense_names=sense_names)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _check(explanations: Sequence[IntentExplanation], labels: Sequence[str] | None) -> None:
    if not explanations:
        raise InputError("a page needs at least one explanation")
    queries = list(dict.fromkeys(explanation.ranking.query for explanation in explanations))
    if len(queries) > 1:
        raise InputError(
            f"a page is about one query, not {len(queries)}: {', '.join(map(repr, queries))}"
        )
    if labels is not None and len(labels) != len(explanations):
        raise InputError(
            f"labels must name each ranker: {len(labels)} labels for {len(explanations)} explanations"
        )


def _header(views: Sequence[View], title: str, senses: Senses) -> Html:
    first = views[0].explanation
    sizes = list(dict.fromkeys(count(len(v.explanation.ranking), "document") for v in views))
    methods = list(dict.fromkeys(view.explanation.method for view in views))
    rankers = listing(tag("bdi", view.label) for view in views)
    links = (tag("a", section.heading, href=f"#{section.anchor}") for section in _SECTIONS)
    return tag(
        "header",
        tag("p", tag("bdi", title)) if title else "",
        tag("h1", "“", tag("bdi", first.ranking.query), "”"),
        tag("p", rankers, " · explained by ", listing(methods), " · ", " / ".join(sizes), class_="by"),
        *(answer(view) for view in views),
        comparison(views),
        sense_tops(views, senses),
        tag("nav", *links),
        class_="top",
    )


def _section(section: _Section, views: Sequence[View]) -> Html:
    several = len(views) > 1
    parts = (
        tag("div", tag("h3", tag("bdi", view.label)) if several else "", section.part(view))
        for view in views
    )
    intro = tag("p", section.intro, class_="note") if section.intro else ""
    columns = tag("div", *parts, class_="columns")
    return tag("section", tag("h2", section.heading), intro, columns, id=section.anchor)
