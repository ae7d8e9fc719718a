"""Documents with the terms marked where they occur."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from intentx.markup import Html, count, join, real, tag
from intentx.ranking import Ranking
from intentx.report.pages.explained_ranking import SHOWN_DOCUMENTS, View

__all__ = ["LONGEST", "documents", "score_of"]

OPEN = 10  # documents that are visible at once
LONGEST = 5_000  # characters of a text that are shown
_LOOKAHEAD = 200  # characters behind the cut, so that a word is not taken for its beginning


def documents(view: View) -> Html:
    """The first documents, then the others to be unfolded, and how many are left out."""
    n = len(view.explanation.ranking)
    shown = min(n, SHOWN_DOCUMENTS)
    cards = [_card(view, position) for position in range(shown)]
    parts = [_legend(view), *cards[:OPEN]]
    if shown > OPEN:
        parts.append(tag("details", tag("summary", f"Ranks {OPEN + 1} to {shown}"), *cards[OPEN:]))
    if n > shown:
        left_out = f"The texts of {count(n - shown, 'document')} below rank {shown} are left out."
        parts.append(tag("p", left_out, class_="note"))
    return join(parts)


def score_of(ranking: Ranking, position: int) -> str:
    """A document's score, and what the ranker makes of it where that is something else."""
    shown = [f"{name} {real(value)}" for name, value in ranking.activation(position).items()]
    return real(float(ranking.scores[position])) + (f" ({', '.join(shown)})" if shown else "")


def _legend(view: View) -> Html:
    terms = (tag("li", view.term(i)) for i in range(len(view.explanation.terms)))
    return tag("ul", *terms, class_="legend")


def _card(view: View, position: int) -> Html:
    ranking = view.explanation.ranking
    doc_id, text = ranking.doc_ids[position], ranking.texts[position]
    place = view.explained_rank[position]
    tie = ", tied" if view.tied[1][position] else ""
    return tag(
        "article",
        tag(
            "header",
            tag("b", str(position + 1)),
            tag("span", tag("bdi", doc_id), class_="id"),
            view.senses.chip(view.senses.of.get(doc_id)),
            tag("span", f"score {score_of(ranking, position)}"),
            tag("span", f"explained rank {place + 1}{tie}", class_=view.move_colour(position)),
        ),
        tag("p", _marked(view, text), dir="auto"),
        id=view.anchor(position),
    )


def _marked(view: View, text: str) -> Html:
    """The text with each occurrence of a term marked; what a long one has beyond is counted."""
    if not text.strip():
        return tag("em", "(empty)")
    parts, done = [], 0
    for start, end, numbers in _segments(view, text):
        terms = view.explanation.terms
        title = ", ".join(terms[number] for number in numbers)
        parts += [text[done:start], view.term(numbers[0], text[start:end], title)]
        done = end
    parts.append(text[done:LONGEST])
    if len(text) > LONGEST:
        parts.append(tag("em", f" … {count(len(text) - LONGEST, 'more character')} not shown"))
    return join(parts)


def _segments(view: View, text: str) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Stretches of text within the same terms: n-grams can overlap, marks cannot."""
    numbers = {term: number for number, term in enumerate(view.explanation.terms)}
    found = [
        (token.start, token.end, numbers[token.term])
        for token in view.explanation.analyzer.tokens(text[: LONGEST + _LOOKAHEAD])
        if token.term in numbers and token.end <= LONGEST
    ]
    edges = sorted({edge for start, end, _ in found for edge in (start, end)})
    active: list[tuple[int, int]] = []
    waiting = iter(found)
    coming = next(waiting, None)
    for left, right in pairwise(edges):
        active = [(end, number) for end, number in active if end > left]
        while coming is not None and coming[0] <= left:
            active.append(coming[1:])
            coming = next(waiting, None)
        if active:
            yield left, right, tuple(sorted({number for _, number in active}))
