"""Several explanations of one document side by side: a table, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from intentx.explainers.document.votes import SideBySide, WordVotes
from intentx.markup import Html, count, join, tag
from intentx.report.pages.explained_document import DocumentView
from intentx.report.pages.tables import table

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


def contradictions(told: SideBySide) -> Html:
    """The words that methods contradict each other on, in words."""
    listed = [tag("li", tag("bdi", word.sentence)) for word in told.contradictions[:CONTRADICTED]]
    left = len(told.contradictions) - len(listed)
    more = tag("p", f"… and on {count(left, 'word')} more.", class_="note") if left else ""
    return join([tag("p", told.summary, class_="answer"), tag("ul", *listed) if listed else "", more])


def beside(views: Sequence[DocumentView], told: SideBySide) -> Html:
    """A table of all words with their weights by each method, and how many speak for and against."""
    terms = dict.fromkeys(term for view in views for term in view.of_term)

    def size(term: str) -> float:
        """The largest share that a word has of the largest weight of a method."""
        return max(abs(v.of_term.get(term, 0.0)) / v.largest if v.largest else 0.0 for v in views)

    order = sorted(terms, key=lambda term: -size(term))
    votes = {word.term: word for word in told.words}
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", term), scope="row"),
            *(_weight_cell(v, term) for v in views),
            _votes_cell(votes.get(term)),
        )
        for term in order
    ]
    cells = (tag("td", *(view.rest(rest) for _, rest in view.others), class_="n") for view in views)
    last = tag("tr", tag("th", tag("em", "the rest: no word"), scope="row"), *cells, tag("td"))
    columns = ("word", *(view.label for view in views), "for : against")
    note = (
        "Each method has its own unit, so colours compare only the words of one column. The last column "
        "counts the methods that speak for and against a word by a tenth of their largest weight or "
        "more; words that they contradict each other on are marked."
    )
    return tag(
        "section",
        tag("h2", BESIDE),
        tag("p", note, class_="note"),
        folded(columns, rows, ROWS, "weights", [last]),
        id="beside",
    )


def _weight_cell(view: DocumentView, term: str) -> Html:
    if term not in view.of_term:
        return tag("td", "–", class_="n", title="not in what this method explains")
    return tag("td", view.term(term, view.number(view.of_term[term])), class_="n")


def _votes_cell(word: WordVotes | None) -> Html:
    if word is None:
        return tag("td", "–", class_="n", title="no method gives it a notable weight")
    counts = f"{len(word.votes_for)} : {len(word.votes_against)}"
    shown = tag("strong", f"{counts} contradicted") if word.contradicted else counts
    return tag("td", shown, class_="n", title=word.sentence)
