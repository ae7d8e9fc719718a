"""What Grad-CAM shows on a document's page: the map and the interactions, word by word, and snippets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation
from intentx.markup import Html, count, join, tag
from intentx.report.pages.explained_document import STRONGEST, DocumentView, number

__all__ = ["grad_cam"]

Floats = npt.NDArray[np.float64]

ACROSS = 40  # words beside each other
SHOWN = 600  # words in all
_NAMES = {"vanilla": "by exact matches", "gradcam": "by exact matches and contributions"}


def grad_cam(view: DocumentView) -> Html:
    """The maps in blocks of words, effective and filtered terms, and the two snippets."""
    explanation = view.explanation
    if not isinstance(explanation, GradCAMExplanation):
        return Html("")
    shown = min(len(explanation.words), SHOWN)
    edges = [*range(0, shown, ACROSS), shown]
    blocks = [_block(explanation, first, last) for first, last in pairwise(edges)]
    left = len(explanation.words) - shown
    return join(
        [
            _legend(explanation),
            *blocks,
            tag("p", f"{count(left, 'more word')} left out.", class_="note") if left else "",
            _kinds(view, explanation),
            _snippets(explanation),
        ]
    )


def _legend(explanation: GradCAMExplanation) -> Html:
    largest = float(explanation.map.max(initial=0.0))
    ends = (float(find(explanation.interaction, initial=0.0)) for find in (np.min, np.max))
    low, high = (number(end, 1.0) for end in ends)
    lines = [
        (tag("i", class_="gradient size"), f"map: 0 to {number(largest, largest)}"),
        (tag("i", class_="gradient signed"), f"similarity: {low} to {high}"),
        (tag("i", class_="swatch contribution"), "contribution: the column’s sum of the map"),
        (tag("i", class_="swatch similarity"), "largest cosine with a query term"),
    ]
    return tag(
        "div", *(tag("span", mark, " ", text, class_="ramp") for mark, text in lines), class_="scale"
    )


def _block(explanation: GradCAMExplanation, first: int, last: int) -> Html:
    """One table: the words of a stretch, and under each one its columns of both matrices."""
    words, text = explanation.words[first:last], explanation.document
    effective, filtered = set(explanation.effective_terms), set(explanation.filtered_terms)
    kinds = ("effective" if w.term in effective else "filtered" if w.term in filtered else None
             for w in words)  # fmt: skip
    heads = [
        tag("th", tag("span", tag("bdi", text[word.start : word.end])), scope="col", class_=kind)
        for word, kind in zip(words, kinds, strict=True)
    ]
    names = [word.term for word in words]
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", tag("td", ""), *heads)),
            _matrix(explanation.query_terms, names, explanation.map, first, "map"),
            _matrix(explanation.query_terms, names, explanation.interaction, first, "similarity"),
            tag("tbody", tag("tr", tag("th", "in sum", scope="row"), *_flat(explanation, first, last))),
            class_="map",
        ),
        class_="scroll",
    )


def _matrix(query: tuple[str, ...], names: list[str], values: Floats, first: int, kind: str) -> Html:
    """A row of coloured cells for each query term."""
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    rows = [tag("tr", tag("th", kind, colspan=1 + len(names), class_="kind"))]
    for term, row in zip(query, values[:, first : first + len(names)].tolist(), strict=True):
        cells = (
            tag(
                "td",
                class_="for" if value > 0 else "against" if value < 0 else None,
                style=f"--a:{STRONGEST * abs(value) / largest:.0f}%" if value else None,
                title=f"{term} × {name}: {kind} {number(value, largest)}",
            )
            for name, value in zip(names, row, strict=True)
        )
        rows.append(tag("tr", tag("th", tag("bdi", term), scope="row"), *cells))
    return tag("tbody", *rows)


def _flat(explanation: GradCAMExplanation, first: int, last: int) -> list[Html]:
    """A bar for the contribution of each word, and one for its similarity."""
    largest = float(explanation.contributions.max(initial=0.0)) or 1.0
    pairs = zip(
        explanation.contributions[first:last].tolist(),
        explanation.similarities[first:last].tolist(),
        strict=True,
    )
    return [
        tag(
            "td",
            tag(
                "span",
                tag("i", class_="contribution", style=f"height:{100 * value / largest:.0f}%"),
                tag("i", class_="similarity", style=f"height:{100 * max(0.0, min(near, 1.0)):.0f}%"),
            ),
            title=f"contribution {number(value, largest)}, similarity {number(near, 1.0)}",
            class_="bars",
        )
        for value, near in pairs
    ]


def _kinds(view: DocumentView, explanation: GradCAMExplanation) -> Html:
    def terms(names: tuple[str, ...]) -> Html:
        return join([view.term(name) for name in names], ", ") if names else Html("none")

    return tag(
        "dl",
        tag("dt", "effective terms"), tag("dd", terms(explanation.effective_terms)),
        tag("dt", "filtered terms"), tag("dd", terms(explanation.filtered_terms)),
    )  # fmt: skip


def _snippets(explanation: GradCAMExplanation) -> Html:
    parts = []
    for name, snippet in explanation.snippets.items():
        parts += [
            tag("dt", f"snippet {_NAMES.get(name, name)}"),
            tag("dd", tag("q", snippet.text) if snippet.text else "none", dir="auto"),
        ]
    return tag("dl", *parts, class_="snippets")
