"""One self-contained HTML page about one document, explained by one or several methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import intentx
from intentx.errors import InputError
from intentx.evaluation.metrics import document_title
from intentx.explainers.document.beside import SideBySide, Varies, side_by_side
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.signed import sides_of
from intentx.explainers.document.votes import Votes, numbered
from intentx.explainers.inside.attention_explanation import AttentionExplanation
from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation
from intentx.explainers.inside.token_pairs_explanation import TokenPairsExplanation
from intentx.markup import Html, count, join, listing, percent, tag
from intentx.report.pages.attention import attention_grid
from intentx.report.pages.document_answer import answer, other_document
from intentx.report.pages.document_map import grad_cam
from intentx.report.pages.explained_document import DocumentView
from intentx.report.pages.layout import (
    Section,
    check_one_query,
    html_page,
    links,
    section,
    writable,
    write_file,
)
from intentx.report.pages.marked_documents import score_of
from intentx.report.pages.measures import (
    FAITHFULNESS,
    faithfulness_table,
    has_faithfulness,
    has_stages,
    stages_table,
)
from intentx.report.pages.methods_beside import BESIDE, beside, contradictions, folded
from intentx.report.pages.sections import seconds_table, settings_table
from intentx.report.pages.tables import bar
from intentx.report.pages.token_pairs import token_pairs
from intentx.scoring import unit_of

__all__ = ["document_page", "write_document_page"]

BARS = 20  # words with a bar
NAMED_UNSEEN = 200


def document_page(
    explanations: Sequence[DocumentExplanation],
    *,
    title: str = "",
    labels: Sequence[str] | None = None,
    varies: Varies | None = None,
) -> str:
    """A page that shows which words put a document where it is, and how far that can be believed.

    Parameters
    ----------
    explanations
        One, or several of the same document for the same query: by several methods, or of several
        rankers. They stand side by side.
    title
        Of the page; "" for one made from the query.
    labels
        What tells the explanations apart; by default their methods.
    varies
        As in `intentx.side_by_side`.

    Returns
    -------
    str
        HTML without scripts and without requests; the same for the same explanations.

    Raises
    ------
    InputError
        For no explanation, different queries or documents, or labels that are not one per explanation.
    """
    _check(explanations, labels)
    views = [
        DocumentView(explanation, label)
        for explanation, label in zip(explanations, labels or numbered(explanations), strict=True)
    ]
    sections = [part for part in _SECTIONS if any(_has(part.anchor, view) for view in views)]
    if all(view.signless for view in views):
        sections = [p._replace(heading="Words") if p.anchor == "words" else p for p in sections]
    contents = [(part.anchor, part.heading) for part in sections]
    if len(views) > 1:
        contents.insert(0, ("beside", BESIDE))
    parts = [section(part, [v for v in views if _has(part.anchor, v)]) for part in sections]
    found: SideBySide | None = None
    if len(views) > 1:
        names = [view.label for view in views]
        found = side_by_side(explanations, names, varies=varies, faithful=False)
        parts.insert(0, beside(views, found))
    first = explanations[0]
    name = first.ranking.doc_ids[first.position]
    return html_page(
        title or f"“{first.ranking.query}”: {name}, explained by intentx",
        _header(views, title, contents, None if found is None else found.votes),
        tag("main", *parts),
    )


def write_document_page(
    path: str | Path,
    explanations: Sequence[DocumentExplanation],
    *,
    title: str = "",
    labels: Sequence[str] | None = None,
    varies: Varies | None = None,
) -> Path:
    """Write `document_page` to a file and return its path.

    Raises
    ------
    InputError
        As `document_page`, and if the file cannot be written, e.g. since its folder does not exist.
    """
    path = writable(path)
    return write_file(
        path, document_page(explanations, title=title, labels=labels, varies=varies).encode("utf-8")
    )


def _check(explanations: Sequence[DocumentExplanation], labels: Sequence[str] | None) -> None:
    check_one_query(explanations, labels, "explanation")
    names = list(dict.fromkeys(one.ranking.doc_ids[one.position] for one in explanations))
    if len(names) > 1:
        raise InputError(
            f"a page is about one document, not {len(names)}: {', '.join(map(repr, names))}"
        )
    longest = max((one.document for one in explanations), key=len)
    if any(one.document not in longest for one in explanations):  # one may be cut to what is read
        raise InputError(f"the explanations are of different documents with the same id {names[0]!r}")


def _header(
    views: Sequence[DocumentView],
    title: str,
    contents: Sequence[tuple[str, str]],
    told: Votes | None,
) -> Html:
    first = views[0].explanation
    places = listing(dict.fromkeys(_place(view.explanation) for view in views), "or")
    methods = listing(dict.fromkeys(view.explanation.method for view in views))
    return tag(
        "header",
        tag("p", tag("bdi", title)) if title else "",
        tag("h1", "“", tag("bdi", first.ranking.query), "”"),
        tag(
            "p",
            tag("strong", tag("bdi", first.ranking.doc_ids[first.position])),
            " · ",
            places,
            " · explained by ",
            methods,
            class_="by",
        ),
        *(answer(view, alone=len(views) == 1) for view in views),
        "" if told is None else contradictions(told),
        links(contents),
        class_="top",
    )


def _place(explanation: DocumentExplanation) -> str:
    number = len(explanation.ranking)
    score = score_of(explanation.ranking, explanation.position)
    return f"rank {count(explanation.position + 1)} of {count(number)} with the score {score}"


def _bars(view: DocumentView) -> Html:
    """The words of the largest weights as bars to the left or right of a common line."""
    if not view.explanation.terms:
        return tag("p", "The document has no word that could be explained.", class_="note")
    unit = unit_of(view.explanation.weights)
    low = min(0.0, *view.explanation.weights, 0.0) / unit
    span = (max(0.0, *view.explanation.weights, 0.0) / unit - low) or 1.0
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", term), scope="row"),
            tag("td", bar(weight / unit, low, span, view.number(weight)), class_="bar"),
        )
        for term, weight in view.of_term.items()
    ]
    last = [
        tag("tr", tag("th", tag("em", name), scope="row"), tag("td", view.rest(weight), class_="bar"))
        for name, weight in view.others
    ]
    return folded(("word", "weight"), rows, BARS, "signed", last, _together(view))


def _together(view: DocumentView) -> str:
    """The words behind the bars, added up."""
    smaller = view.explanation.weights[BARS:]
    unit = unit_of(smaller)
    return f", together {view.rest(math.fsum(weight / unit for weight in smaller) * unit)}"


def _text(view: DocumentView) -> Html:
    """The document and, where it is compared with another one, that; words that were never read."""
    explanation = view.explanation
    largest = max((abs(word.weight) for word in explanation.words), default=0.0)
    parts = [_scale(view, largest), tag("p", view.text, dir="auto", class_="text")]
    if explanation.unseen:
        shown = explanation.unseen[:NAMED_UNSEEN]
        left = len(explanation.unseen) - len(shown)
        names = join([tag("bdi", term) for term in shown], ", ")
        number = count(len(explanation.unseen), "word")
        more = f" and {count(left)} more" if left else ""
        parts.append(
            tag("p", f"The ranker never read {number} of it, that have no weight: ", names, more, ".",
                class_="note unseen")
        )  # fmt: skip
    if explanation.above is not None:
        score = score_of(explanation.ranking, explanation.above)
        parts += [
            tag("h4", "Compared with ", other_document(explanation), f", score {score}"),
            tag("p", "Words with a weight have its colour here, too.", class_="note"),
            tag("p", view.text_of_other, dir="auto", class_="text"),
        ]
    return join(parts)


def _scale(view: DocumentView, largest: float) -> Html:
    """The colours with their weights."""
    if not largest:
        return tag("p", "No word makes a difference.", class_="note")
    number = view.number(largest).removeprefix("+")
    sized = view.signless or view.one_sided
    against, high = sides_of(view.explanation.method)
    low = f"−{number} {against}" if against else "0"
    ramp = tag("i", class_="gradient size" if sized else "gradient signed")
    return tag("div", tag("span", f"{low} ", ramp, f" +{number} {high}", class_="ramp"), class_="scale")


def _made(view: DocumentView) -> Html:
    """Method, metrics, cost, settings and notes."""
    explanation = view.explanation
    facts = [("method", explanation.method)]
    facts += [
        (
            document_title(name),
            "not defined" if math.isnan(value) else f"{value:.6g}".replace("-", "−"),
        )
        for name, value in explanation.metrics.items()
    ]
    fidelity = explanation.fidelity
    if fidelity is not None and not math.isnan(fidelity.all):
        words = count(len(explanation.intent_terms), "word")
        facts.append(
            ("as intent", f"the {words} that speak most for it reproduce {percent(fidelity.all)} of all "
             "preferences of the ranking")
        )  # fmt: skip
    facts.append(("model calls", f"{count(explanation.model_calls, 'version')} for the ranker to score"))
    facts.append(("intentx", intentx.__version__))
    facts += [("note", note) for note in explanation.notes]
    pairs = (join([tag("dt", name), tag("dd", text, dir="auto")]) for name, text in facts)
    tables = tag(
        "div", seconds_table(explanation.seconds), settings_table(explanation.settings), class_="pair"
    )
    return join([tag("dl", *pairs), tables])


def _has(anchor: str, view: DocumentView) -> bool:
    """Whether there is something of an explanation in a section."""
    if anchor == "faithfulness":
        return has_faithfulness(view.explanation)
    if anchor == "stages":
        return has_stages(view.explanation)
    kinds = {
        "map": GradCAMExplanation,
        "pairs": TokenPairsExplanation,
        "attention": AttentionExplanation,
    }
    return anchor not in kinds or isinstance(view.explanation, kinds[anchor])


_SECTIONS: tuple[Section[DocumentView], ...] = (
    Section("words", "Words for and against", "", _bars),
    Section(
        "document",
        "The document",
        "The background colour of each word shows its weight; point at it for the number. Words without "
        "a colour have next to no weight.",
        _text,
    ),
    Section(
        "map",
        "Which matches make the score",
        "A column is a word of the document, a row a term of the query: above, how much their match "
        "adds to the score (the map), below, how similar they are. Effective terms are bold: they add "
        "much. Filtered ones are struck out: they add little, though a query term is similar.",
        grad_cam,
    ),
    Section(
        "pairs",
        "Which tokens matched",
        "A row is a token of the query, a column one of the document, a cell what the pair adds to the "
        "score: blue for it, orange against. Point at a cell or a link for the number.",
        token_pairs,
    ),
    Section(
        "attention",
        "Heads and layers",
        "What each head of each layer attends to. Attention is where the model looks; what it does with "
        "that, attention does not say. Open one at a time.",
        attention_grid,
    ),
    Section(
        "faithfulness",
        "Faithfulness",
        FAITHFULNESS,
        lambda view: faithfulness_table(view.explanation),
    ),
    Section(
        "stages",
        "Stages",
        "The ranker has stages. A dash: the document was not given to the stage, or it was not found.",
        lambda view: stages_table(view.explanation),
    ),
    Section("made", "How it was made", "", _made),
)
