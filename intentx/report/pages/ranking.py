"""One self-contained HTML page about one or more explanations of the same query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from intentx.errors import InputError
from intentx.explainers.base import Explanation
from intentx.explainers.change.explanation import ChangeExplanation
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.markup import Html, count, listing, tag
from intentx.report.pages.answer import answer, comparison, sense_tops
from intentx.report.pages.axioms import axioms_table, has_axioms
from intentx.report.pages.change import change_page
from intentx.report.pages.document import document_page
from intentx.report.pages.explained_ranking import Senses, View
from intentx.report.pages.features import feature_page, feature_sections
from intentx.report.pages.layout import (
    Section,
    check_one_query,
    html_page,
    links,
    section,
    writable,
    write_file,
)
from intentx.report.pages.marked_documents import documents
from intentx.report.pages.sections import fidelity_table, how_it_was_made, ranking_beside, term_table
from intentx.report.pictures.heat import heat_maps

__all__ = ["page", "write_page"]

Explanations = Sequence[Explanation]  # of a ranking or of a document


_SECTIONS: tuple[Section[View], ...] = (
    Section(
        "terms",
        "Intent terms",
        "The shares are Shapley values and add up to the share of fitted pairs that the terms cover "
        "together; a negative one hurts more pairs than it helps. Places: those that a document rises "
        "with the term. Won/lost: fitted pairs that are covered only with the term, and only without "
        "it. Splits: those in which the term is chosen again from 70 % of the documents.",
        term_table,
    ),
    Section(
        "ranking",
        "The ranking beside the explanation’s",
        "On the left the ranker’s order, on the right the explanation’s: by how many documents each "
        "one beats with the terms alone, minus those that beat it.",
        ranking_beside,
    ),
    Section("documents", "Documents", "", documents),
    Section(
        "pairs",
        "Preference pairs",
        "The ranker puts the document of the row above that of the column. Blue: the terms agree, "
        "by the vote of the simple rankers; orange: they would put it below.",
        heat_maps,
    ),
    Section(
        "fidelity",
        "Fidelity",
        "Share of preference pairs on which the terms agree with the ranker. Soft vote: the simple "
        "rankers together, Σ tanh of their score differences above the margin. Majority: more than "
        "half of them agree strictly. Then each one alone. Ties: pairs without a vote either way, "
        "which do not count as agreement.",
        fidelity_table,
    ),
    Section(
        "axioms",
        "Retrieval axioms",
        "How many preference pairs each axiom decides, and on how many of those the ranker agrees; of "
        "the pairs that the terms order right, and of those that they do not, apart.",
        lambda view: axioms_table(view.explanation),
    ),
    Section("made", "How it was made", "", how_it_was_made),
)


def page(
    explanations: Explanations,
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
        One, or several of rankings of the same query: they stand side by side, those by features below
        those by words. Explanations of one document have a page of another kind, `document_page`, and
        so have those by features alone.
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
        For no explanation, different queries, labels that are not one per explanation, or
        explanations of rankings and of documents mixed.
    """
    of_features = [one for one in explanations if isinstance(one, FeatureExplanation)]
    if of_features and len(of_features) == len(explanations):
        return feature_page(of_features, title=title, labels=labels)
    changes = [one for one in explanations if isinstance(one, ChangeExplanation)]
    if changes and len(changes) == len(explanations):
        return change_page(changes, title=title, labels=labels)
    for one in explanations:
        if not isinstance(one, IntentExplanation | DocumentExplanation | FeatureExplanation):
            raise InputError(
                "a page shows an IntentExplanation or a DocumentExplanation, and a "
                f"{type(one).__name__} is none: give it a to_html of its own"
            )
    of_documents = [one for one in explanations if isinstance(one, DocumentExplanation)]
    if of_documents:
        if len(of_documents) + len(of_features) < len(explanations) or of_features:
            raise InputError(
                "a page is about rankings or about one document: write one for each kind of explanation"
            )
        if senses or sense_names:
            raise InputError("senses are shown of a whole ranking, and this page is about one document")
        return document_page(of_documents, title=title, labels=labels)
    check_one_query(explanations, labels, "ranker")
    names = dict(zip(map(id, explanations), labels or (), strict=labels is not None))
    of_words = [one for one in explanations if isinstance(one, IntentExplanation)]
    return _page(
        of_words,
        title,
        [names[id(one)] for one in of_words] if names else None,
        Senses(senses or {}, sense_names or {}),
        feature_sections(of_features, [names[id(one)] for one in of_features] if names else None),
    )


def _page(
    explanations: Sequence[IntentExplanation],
    title: str,
    labels: Sequence[str] | None,
    known: Senses,
    features: Mapping[str, tuple[str, Html]],
) -> str:
    """The page about rankings: words, and ``features`` of the same ranking, by anchor and heading."""
    names = labels or (
        ["The ranker"]
        if len(explanations) == 1
        else [f"Ranker {i + 1}" for i in range(len(explanations))]
    )
    views = [
        View(e, name, i, known) for i, (e, name) in enumerate(zip(explanations, names, strict=True))
    ]
    query = explanations[0].ranking.query
    return html_page(
        title or f"“{query}”, explained by intentx",
        _header(views, title, known, {anchor: heading for anchor, (heading, _) in features.items()}),
        tag(
            "main",
            *(section(part, views) for part in _sections(views)),
            *(part for _, part in features.values()),
        ),
    )


def write_page(
    path: str | Path,
    explanations: Explanations,
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
    path = writable(path)
    text = page(explanations, title=title, labels=labels, senses=senses, sense_names=sense_names)
    return write_file(path, text.encode("utf-8"))


def _header(views: Sequence[View], title: str, senses: Senses, features: Mapping[str, str]) -> Html:
    first = views[0].explanation
    sizes = list(dict.fromkeys(count(len(v.explanation.ranking), "document") for v in views))
    methods = list(dict.fromkeys(view.explanation.method for view in views))
    rankers = listing(tag("bdi", view.label) for view in views)
    return tag(
        "header",
        tag("p", tag("bdi", title)) if title else "",
        tag("h1", "“", tag("bdi", first.ranking.query), "”"),
        tag("p", rankers, " · explained by ", listing(methods), " · ", " / ".join(sizes), class_="by"),
        *(answer(view) for view in views),
        comparison(views),
        sense_tops(views, senses),
        links([*((part.anchor, part.heading) for part in _sections(views)), *features.items()]),
        class_="top",
    )


def _sections(views: Sequence[View]) -> list[Section[View]]:
    """The sections in which there is something to show."""
    with_axioms = any(has_axioms(view.explanation) for view in views)
    return [part for part in _SECTIONS if part.anchor != "axioms" or with_axioms]
