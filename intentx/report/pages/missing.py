"""A page about a document that is missing from a result."""

from __future__ import annotations

from pathlib import Path

from intentx.explainers.change.missing_answer import MissingDocument
from intentx.markup import Html, count, join, tag
from intentx.report.pages.layout import html_page, writable, write_file

__all__ = ["missing_page", "missing_section", "write_missing_page"]


def missing_section(answer: MissingDocument) -> Html:
    """Where the document was lost, and the text with the end of what is read marked."""
    parts: list[str] = [Html(answer._repr_html_())]
    if answer.lacks:
        items = (tag("li", tag("bdi", one.word), _holding(one.documents)) for one in answer.lacks)
        parts += [tag("h3", "Words of the query that it lacks"), tag("ul", *items)]
    cut = len(answer.document) if answer.unread is None else answer.unread.start
    text: list[str] = [answer.document[:cut]]
    if cut < len(answer.document):
        text.append(tag("s", answer.document[cut:], title=f"not read by the {answer.lost_at}"))
    parts += [tag("h3", "Text"), tag("p", *text, dir="auto")]
    return tag("section", tag("h2", "Where is ", tag("bdi", answer.doc_id), "?"), join(parts))


def _holding(documents: int | None) -> str:
    """In how many documents a word is, where that is known."""
    return "" if documents is None else f": in {count(documents, 'document')}"


def missing_page(answer: MissingDocument) -> str:
    """The page as HTML without scripts and without requests."""
    head = tag("header", tag("h1", "“", tag("bdi", answer.query), "”"), class_="top")
    title = f"“{answer.query}”: where is {answer.doc_id}?"
    return html_page(title, head, tag("main", missing_section(answer)))


def write_missing_page(path: str | Path, answer: MissingDocument) -> Path:
    """Write `missing_page` to a file, and return its path."""
    path = writable(path)
    return write_file(path, missing_page(answer).encode("utf-8"))
