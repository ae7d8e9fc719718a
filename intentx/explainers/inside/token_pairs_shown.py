"""Token pairs in a terminal and in a notebook: the strongest ones, and the matrix with words around."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from intentx.explainers.document.signed import signed
from intentx.markup import Html, join, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.table import Table

    from intentx.ranking import Ranking

__all__ = [
    "ROWS_SHOWN",
    "WAYS",
    "Folded",
    "ShownPairs",
    "ShownPart",
    "folded",
    "links_svg",
    "others",
    "pairs_html",
    "pairs_table",
    "shown_parts",
    "written",
]

Floats = npt.NDArray[np.float64]

ROWS = 12  # pairs in a table
COLUMNS = 40  # tokens of a document beside each other
NOTEBOOK = ROWS_SHOWN = 24  # tokens of a query below each other
LINKS = 16  # pairs with a link
STEP = 22  # from one token to the next
MOST_LETTERS = 28

WAYS: Mapping[str, str] = {
    "maxima": "each token of the query with its best match (exact)",
    "products": "products of the weights that both texts give a term (exact)",
    "split": "the pooled dot product, split into its terms (exact)",
    "integrated": "integrated Jacobians, from a text of empty tokens",
    "deeplift": "DeepLIFT on the interaction matrix, from no similarity at all",
    "deletion": "what the score loses only if both are there (deletion)",
}


class Token(Protocol):
    """A token as it is shown."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int | None: ...
    @property
    def end(self) -> int | None: ...
    @property
    def kind(self) -> str: ...


class _Pairs(Protocol):
    @property
    def tokens(self) -> Sequence[Token]: ...
    @property
    def matrix(self) -> Floats: ...
    @property
    def parts(self) -> Mapping[str, float]: ...


class ShownPairs(Protocol):
    """A `TokenPairsExplanation` as far as it is shown."""

    @property
    def ranking(self) -> Ranking: ...
    @property
    def position(self) -> int: ...
    @property
    def above(self) -> int | None: ...
    @property
    def way(self) -> str: ...
    @property
    def query_tokens(self) -> Sequence[Token]: ...
    @property
    def matrix(self) -> Floats: ...
    @property
    def document_tokens(self) -> Sequence[Token]: ...
    @property
    def parts(self) -> Mapping[str, float]: ...
    @property
    def other(self) -> _Pairs | None: ...
    @property
    def rest(self) -> float: ...
    def strongest(self, number: int = 10) -> Sequence[tuple[Token, Token, float]]: ...


class ShownPart(NamedTuple):
    """One of the documents: name, text, tokens, (Q, D) matrix of its pairs, and what no pair carries."""

    name: str
    text: str
    tokens: Sequence[Token]
    matrix: Floats
    parts: Mapping[str, float]


def shown_parts(explanation: ShownPairs) -> tuple[list[ShownPart], float]:
    """The document, and the one that it is compared with; the largest cell of both, their scale."""
    ranking = explanation.ranking
    parts = [
        ShownPart(
            ranking.doc_ids[explanation.position],
            ranking.texts[explanation.position],
            explanation.document_tokens,
            explanation.matrix,
            explanation.parts,
        )
    ]
    if explanation.other is not None and explanation.above is not None:
        other, place = explanation.other, explanation.above
        names = ranking.doc_ids[place], ranking.texts[place]
        parts.append(ShownPart(*names, other.tokens, other.matrix, other.parts))
    return parts, max(float(np.abs(one.matrix).max(initial=0.0)) for one in parts)


class Folded(NamedTuple):
    """The columns of a matrix that are shown, in the order of the text.

    Attributes
    ----------
    columns
        (K,) their places.
    left
        How many others there are.
    together
        (Q,) what the others add up to in each row.
    """

    columns: npt.NDArray[np.intp]
    left: int
    together: Floats


def folded(matrix: Floats, most: int) -> Folded:
    """The ``most`` columns with the largest absolute cell, in the order of the text.

    >>> folded(np.array([[1.0, 0.0, -3.0], [0.5, 0.1, 0.0]]), 2).columns.tolist()
    [0, 2]
    """
    number = matrix.shape[1]
    if number <= most:
        return Folded(np.arange(number), 0, np.zeros(len(matrix)))
    size = np.abs(matrix).max(axis=0, initial=0.0)
    columns = np.sort(np.argsort(-size, kind="stable")[:most])
    others = np.setdiff1d(np.arange(number), columns)
    return Folded(columns, len(others), np.asarray(matrix[:, others].sum(axis=1)))


def others(left: int) -> str:
    """How many are left out.

    >>> others(1), others(3)
    ('1 other', '3 others')
    """
    return f"{left} other{'' if left == 1 else 's'}"


def written(token: Token, text: str) -> str:
    """A token as people read it: as it is written in the text, and a mark for what is not there."""
    if token.start is None or token.end is None:
        return f"+{token.text}" if token.kind == "expansion" else token.text
    return text[token.start : token.end] or token.text


def pairs_table(explanation: ShownPairs) -> Table:
    """The strongest pairs of tokens, and what no pair carries."""
    from rich.table import Table
    from rich.text import Text

    query, document = explanation.ranking.query, explanation.ranking.texts[explanation.position]
    name = explanation.ranking.doc_ids[explanation.position]
    of = "" if explanation.other is None else f" of {visible(name)!r} alone"
    title = f"which tokens{of} matched: {WAYS.get(explanation.way, explanation.way)}"
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for name in ("query", "document"):
        table.add_column(name)
    table.add_column("value", justify="right")
    found = explanation.strongest(ROWS)
    largest = max((abs(value) for _, _, value in found), default=0.0)
    for one, other, value in found:
        cells = (Text(visible(written(t, s))) for t, s in ((one, query), (other, document)))
        table.add_row(*cells, signed(value, largest))
    cells_shown = sum(value for _, _, value in found)
    left = int(np.count_nonzero(explanation.matrix)) - len(found)
    if left > 0:
        rest = float(explanation.matrix.sum()) - cells_shown
        name = f"{left} other pair{'' if left == 1 else 's'}"
        table.add_row(Text(name, style="italic"), "", signed(rest, largest))
    for name, value in explanation.parts.items():
        table.add_row(Text(name, style="italic"), "", signed(value, max(largest, abs(value))))
    return table


def pairs_html(explanation: ShownPairs, most: int = NOTEBOOK) -> Html:
    """Links and matrix, a table of coloured cells, without style sheet and script; for a notebook."""
    documents, largest = shown_parts(explanation)
    parts = [tag("p", tag("b", "Which tokens matched"), ": ", WAYS.get(explanation.way, ""))]
    for one in documents:
        rest = (f"{name} {value:+.4g}" for name, value in one.parts.items())
        sum_of_rest = math.fsum(one.parts.values())
        parts += [
            tag("p", tag("bdi", one.name)) if len(documents) > 1 else Html(""),
            links_svg(explanation, one, largest),
            _matrix(explanation, one, largest, most),
            tag("p", f"No pair carries {sum_of_rest:+.4g}: ", "; ".join(rest) or "nothing"),
        ]
    return join(parts)


def _matrix(explanation: ShownPairs, one: ShownPart, largest: float, most: int) -> Html:
    """One matrix, its columns folded to the strongest."""
    matrix = one.matrix
    part, lines = folded(matrix, most), folded(matrix.T, NOTEBOOK)
    turned = "writing-mode:vertical-rl;transform:rotate(180deg);font-weight:normal;text-align:left"
    heads = [
        tag("th", tag("bdi", written(one.tokens[j], one.text)), style=turned, scope="col")
        for j in part.columns.tolist()
    ]
    if part.left:
        heads.append(tag("th", others(part.left), style=turned, scope="col"))
    rows = []
    for i in lines.columns.tolist():
        name = written(explanation.query_tokens[i], explanation.ranking.query)
        values = [*matrix[i, part.columns].tolist(), *([float(part.together[i])] if part.left else [])]
        cells = (_cell(value, largest, name) for value in values)
        rows.append(
            tag("tr", tag("th", tag("bdi", name), scope="row", style="text-align:right"), *cells)
        )
    if lines.left:
        rows.append(tag("tr", tag("th", others(lines.left), scope="row")))
    return tag("table", tag("tr", tag("td", ""), *heads), *rows)


def links_svg(explanation: ShownPairs, one: ShownPart, largest: float) -> Html:
    """Links between the strongest pairs: the query's tokens on the left, the document's on the right.

    Both stand in the order of their texts. No letter has to be measured, so that it is the same with
    every font. ``largest``: the cell with the widest link.
    """
    document, matrix = one.text, one.matrix
    if not matrix.any():
        return Html("")
    order = np.argsort(-np.abs(matrix), axis=None, kind="stable")[:LINKS]
    cells = [divmod(int(flat), matrix.shape[1]) for flat in order]
    cells = [(i, j) for i, j in cells if matrix[i, j]]
    rows, columns = (sorted({cell[side] for cell in cells}) for side in (0, 1))
    height = STEP * max(len(rows), len(columns))
    own = {row: STEP * (k + 0.5) * (height / (STEP * len(rows))) for k, row in enumerate(rows)}
    its = {c: STEP * (k + 0.5) * (height / (STEP * len(columns))) for k, c in enumerate(columns)}
    drawn = []
    for i, j in cells:
        value = float(matrix[i, j])
        share = abs(value) / largest
        path = f"M210 {own[i]:.1f} C270 {own[i]:.1f} 330 {its[j]:.1f} 390 {its[j]:.1f}"
        colour = "rgb(47,127,214)" if value > 0 else "rgb(224,107,18)"
        names = (
            written(explanation.query_tokens[i], explanation.ranking.query),
            written(one.tokens[j], document),
        )
        title = tag("title", f"{names[0]} × {names[1]}: {signed(value, largest)}")
        drawn.append(
            tag("path", title, d=path, style=f"fill:none;stroke:{colour};stroke-width:"
                f"{0.5 + 4 * share:.1f};stroke-opacity:{0.25 + 0.65 * share:.2f}")
        )  # fmt: skip
    for places, x, anchor, tokens, text in (
        (own, 204, "end", explanation.query_tokens, explanation.ranking.query),
        (its, 396, "start", one.tokens, document),
    ):
        # Which side "end" is depends on the direction of the text; isolated, all begin on the left.
        drawn += [
            tag("text", written(tokens[place], text)[:MOST_LETTERS], x=x, y=f"{y + 4:.1f}",
                text_anchor=anchor, direction="ltr", unicode_bidi="isolate")
            for place, y in places.items()
        ]  # fmt: skip
    box = f"0 0 600 {height:.0f}"
    return tag(
        "svg", *drawn, viewBox=box, width=600, height=f"{height:.0f}", font_size=13, fill="currentColor",
        role="img", aria_label="links between the strongest pairs of tokens",
    )  # fmt: skip


def _cell(value: float, largest: float, name: str) -> Html:
    colour = "47,127,214" if value > 0 else "224,107,18"
    share = min(1.0, abs(value) / largest) if largest else 0.0
    style = f"background:rgba({colour},{share:.2f});min-width:1.2em;padding:0"
    return tag("td", "", style=style, title=f"{name}: {signed(value, largest)}")
