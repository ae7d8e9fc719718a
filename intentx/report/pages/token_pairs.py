"""Token pairs on a document's page: links between the strongest, and the matrix with words around."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from intentx.explainers.inside.token_pairs_explanation import TokenPairsExplanation
from intentx.explainers.inside.token_pairs_shown import (
    ROWS_SHOWN,
    WAYS,
    Folded,
    ShownPart,
    Token,
    folded,
    links_svg,
    shown_parts,
    written,
)
from intentx.markup import Html, count, join, missed, tag
from intentx.report.pages.explained_document import STRONGEST, DocumentView, number

__all__ = ["pairs_add_up", "token_pairs"]

Floats = npt.NDArray[np.float64]

ACROSS = 40  # tokens beside each other
SHOWN = 80  # the strongest, of a longer document


def token_pairs(view: DocumentView) -> Html:
    """The links, the matrix in blocks of tokens, and what no pair carries."""
    explanation = view.explanation
    if not isinstance(explanation, TokenPairsExplanation):
        return Html("")
    parts = [tag("p", f"Made by: {WAYS.get(explanation.way, explanation.way)}.", class_="note")]
    documents, largest = shown_parts(explanation)
    for one in documents:
        parts += [
            Html("") if one is documents[0] else tag("h4", "Compared with ", tag("bdi", one.name)),
            tag("div", links_svg(explanation, one, largest), class_="scroll"),
            *_blocks(explanation, one, largest),
            _rest(one),
        ]
    return join(parts)


def pairs_add_up(explanation: TokenPairsExplanation) -> str:
    """What the pairs add up to, and by how much they miss the score."""
    pairs, rest = float(explanation.matrix.sum()), explanation.rest
    largest = max(abs(pairs), abs(rest))
    shown = f"The pairs of tokens add up to {number(pairs, largest)}"
    gap = explanation.metrics.get("relative_gap", math.nan)
    but = "" if math.isnan(gap) else f", but for {missed(gap)}"
    score = number(explanation.metrics["score"], largest)
    return f"{shown}, and with what no pair carries ({number(rest, largest)}) to the score {score}{but}."


def _blocks(explanation: TokenPairsExplanation, one: ShownPart, largest: float) -> list[Html]:
    """Tables of tokens that stand beside each other."""
    matrix, text = one.matrix, one.text
    if not matrix.size:
        return [tag("p", "There is no pair of tokens.", class_="note")]
    some = folded(matrix, SHOWN)
    columns = some.columns.tolist()
    tables = []
    for first, last in pairwise([*range(0, len(columns), ACROSS), len(columns)]):
        part = columns[first:last]
        heads = [_head(one.tokens[column], text) for column in part]
        values = matrix[:, part]
        tables.append(
            tag(
                "div",
                tag(
                    "table",
                    tag("thead", tag("tr", tag("td", ""), *heads)),
                    _rows(
                        explanation,
                        [written(one.tokens[c], text) for c in part],
                        values,
                        folded(matrix.T, ROWS_SHOWN),
                        largest,
                    ),
                    class_="map",
                ),
                class_="scroll",
            )
        )
    if some.left:
        together = number(float(some.together.sum()), float(np.abs(some.together).max(initial=1e-9)))
        note = f"{count(some.left, 'weaker token')} left out; their pairs add up to {together}."
        tables.append(tag("p", note, class_="note"))
    return tables


def _head(token: Token, text: str) -> Html:
    title = None if token.kind == "text" else token.kind
    return tag("th", tag("span", tag("bdi", written(token, text))), scope="col", title=title)


def _rows(
    explanation: TokenPairsExplanation,
    names: Sequence[str],
    values: Floats,
    lines: Folded,
    largest: float,
) -> Html:
    """A row of coloured cells for each token of the query that is shown."""
    rows = []
    for place in lines.columns.tolist():
        row = values[place].tolist()
        own = written(explanation.query_tokens[place], explanation.ranking.query)
        cells = (
            tag(
                "td",
                class_="for" if value > 0 else "against" if value < 0 else None,
                style=f"--a:{STRONGEST * abs(value) / largest:.0f}%" if value else None,
                title=f"{own} × {name}: {number(value, largest)}",
            )
            for name, value in zip(names, row, strict=True)
        )
        rows.append(tag("tr", tag("th", tag("bdi", own), scope="row"), *cells))
    if lines.left:
        left = count(lines.left, "weaker token")
        rows.append(tag("tr", tag("th", f"{left} of the query", colspan=1 + len(names), class_="kind")))
    return tag("tbody", *rows)


def _rest(pairs: ShownPart) -> Html:
    """The sum of the pairs, and what no pair carries, part by part."""
    sums = {"all pairs": float(pairs.matrix.sum()), **pairs.parts}
    largest = max(map(abs, sums.values()))
    rows = (
        tag("tr", tag("th", name, scope="row"), tag("td", number(value, largest), class_="n"))
        for name, value in sums.items()
    )
    return tag("table", tag("tbody", *rows))
