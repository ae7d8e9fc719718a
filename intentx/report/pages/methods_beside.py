"""Several explanations of one document side by side: a table, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from intentx.explainers.document.beside import SideBySide
from intentx.explainers.document.beside_shown import agreeing_cells, judged_cells
from intentx.explainers.document.votes import Votes, WordVotes
from intentx.markup import Html, count, join, tag
from intentx.report.pages.explained_document import DocumentView
from intentx.report.pages.tables import bar, table
from intentx.scoring import unit_of

__all__ = ["BESIDE", "beside", "contradictions", "folded"]

BESIDE = "The words side by side"
ROWS = 30  # words in the open part of the table of all words
CONTRADICTED = 10  # words of contradictions in the answer


def folded(
    columns: tuple[str, ...],
    rows: list[Html],
    shown: int,
    kind: str,
    last: Sequence[Html] = (),
    together: str = "",
) -> Html:
    """A table of the first rows and the last ones, and one of the others to be unfolded."""
    rest = rows[shown:]
    summary = tag("summary", f"{count(len(rest), 'more word')} of smaller weight{together}")
    return join(
        [
            table(columns, [*rows[:shown], *last], kind),
            tag("details", summary, table(columns, rest, kind)) if rest else "",
        ]
    )


def contradictions(told: Votes) -> Html:
    """The words that methods contradict each other on, in words."""
    listed = [tag("li", tag("bdi", word.sentence)) for word in told.contradictions[:CONTRADICTED]]
    left = len(told.contradictions) - len(listed)
    more = tag("p", f"… and on {count(left, 'word')} more.", class_="note") if left else ""
    return join([tag("p", told.summary, class_="answer"), tag("ul", *listed) if listed else "", more])


def beside(views: Sequence[DocumentView], found: SideBySide) -> Html:
    """All words with a bar for each explanation, how far they agree, and how good each is."""
    terms = dict.fromkeys(term for view in views for term in view.of_term)

    def size(term: str) -> float:
        """The largest share that a word has of the largest weight of an explanation."""
        return max(abs(v.of_term.get(term, 0.0)) / v.largest if v.largest else 0.0 for v in views)

    place = {word: number for number, word in enumerate(found.words)}
    order = sorted(terms, key=lambda term: (place.get(term, len(place)), -size(term)))
    votes = {word.term: word for word in found.votes.words}
    only = {word for words in found.alone.values() for word in words}
    rows = [
        tag(
            "tr",
            tag("th", tag("b" if term in only else "span", tag("bdi", term)), scope="row"),
            *(_weight_cell(v, term, term in found.alone[v.label]) for v in views),
            _votes_cell(votes.get(term), found.varies),
        )
        for term in order
    ]
    cells = (tag("td", *(view.rest(rest) for _, rest in view.others)) for view in views)
    last = tag("tr", tag("th", tag("em", "the rest: no word"), scope="row"), *cells, tag("td"))
    columns = ("word", *(view.label for view in views), "for : against")
    note = (
        f"Each {found.varies} has its own unit, so bars compare only the words of one column. In bold: "
        f"words that this {found.varies} alone has among its first ten. The last column counts the "
        f"{found.varies}s that speak for and against a word by a tenth of their largest weight or "
        "more; words that they contradict each other on are marked."
    )
    return tag(
        "section",
        tag("h2", BESIDE),
        tag("p", found.sentence),
        tag("p", note, class_="note"),
        folded(columns, rows, max(ROWS, len(place)), "weights beside", [last]),
        tag("div", _agreement(found), _judged(found), class_="pair"),
        id="beside",
    )


def _agreement(found: SideBySide) -> Html:
    """How far each two agree."""
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", one.first), " and ", tag("bdi", one.second), scope="row"),
            *(tag("td", cell, class_="n") for cell in agreeing_cells(one.agreement)),
        )
        for one in found.agreements
    ]
    head = tag("h4", "How far they agree on their first ten words")
    return tag("div", head, table(("", "RBO", "Jaccard", "τ-b, all words"), rows, "agreements"))


def _judged(found: SideBySide) -> Html:
    """How far each can be believed, and which words it alone names."""
    rows = []
    for label, one in zip(found.labels, found.explanations, strict=True):
        name, rank, level, *faithful, _ = judged_cells(found, label, one)
        only = tag("td", *_commas(tag("b", tag("bdi", word)) for word in found.alone[label]))
        numbers = (tag("td", cell, class_="n") for cell in faithful)
        rows.append(
            tag("tr", tag("th", tag("bdi", name), scope="row"), tag("td", rank, class_="n"),
                tag("td", level), *numbers, only)
        )  # fmt: skip
    columns = (found.varies, "rank", "verdict", "lost without", "lost with only", "words it alone names")
    note = (
        "Ranks that the document loses without the first 1 to 10 words, the more the better, and with "
        "only them, the fewer the better: means; in brackets the same for random words."
    )
    head = tag("h4", "How far each can be believed")
    return tag("div", head, tag("p", note, class_="note"), table(columns, rows, "agreements"))


def _commas(words: Iterable[Html]) -> list[Html]:
    shown = [*words]
    return [join(shown, ", ")] if shown else [Html("–")]


def _weight_cell(view: DocumentView, term: str, alone: bool) -> Html:
    if term not in view.of_term:
        return tag("td", "–", title=f"not in what {view.label} explains")
    weight, unit = view.of_term[term], unit_of(view.explanation.weights)
    low = min(0.0, *view.explanation.weights, 0.0) / unit
    span = (max(0.0, *view.explanation.weights, 0.0) / unit - low) or 1.0
    shown = bar(weight / unit, low, span, view.number(weight))
    return tag("td", tag("b", shown) if alone else shown, class_="bar")


def _votes_cell(word: WordVotes | None, varies: str) -> Html:
    if word is None:
        return tag("td", "–", class_="n", title=f"no {varies} gives it a notable weight")
    counts = f"{len(word.votes_for)} : {len(word.votes_against)}"
    shown = tag("strong", f"{counts} contradicted") if word.contradicted else counts
    return tag("td", shown, class_="n", title=word.sentence)
