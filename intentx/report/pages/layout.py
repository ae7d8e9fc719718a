"""What all pages are made of: the file around them, sections with a part per explanation, writing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Generic, NamedTuple, Protocol, TypeVar

from intentx.errors import InputError
from intentx.files import writable, write_file
from intentx.markup import Html, tag
from intentx.ordered import Ordered

__all__ = ["Section", "check_one_query", "html_page", "links", "section", "writable", "write_file"]

# The page makes no network requests: a browser refuses what is not in the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class _Labelled(Protocol):
    @property
    def label(self) -> str: ...


One = TypeVar("One", bound=_Labelled)


class Section(NamedTuple, Generic[One]):
    """One part of a page: what stands in it once, and what once per explanation."""

    anchor: str
    heading: str
    intro: str
    part: Callable[[One], Html]


class _Explained(Protocol):
    @property
    def ranking(self) -> Ordered: ...


def check_one_query(explanations: Sequence[_Explained], labels: Sequence[str] | None, each: str) -> None:
    """Refuse no explanation, several queries, and labels that do not name ``each`` of what is shown."""
    if not explanations:
        raise InputError("a page needs at least one explanation")
    queries = list(dict.fromkeys(explanation.ranking.query for explanation in explanations))
    if len(queries) > 1:
        raise InputError(
            f"a page is about one query, not {len(queries)}: {', '.join(map(repr, queries))}"
        )
    if labels is not None and len(labels) != len(explanations):
        raise InputError(
            f"labels must name each {each}: {len(labels)} labels for {len(explanations)} explanations"
        )


def section(one: Section[One], views: Sequence[One]) -> Html:
    """A section with the parts of all explanations beside each other."""
    several = len(views) > 1
    parts = (
        tag("div", tag("h3", tag("bdi", view.label)) if several else "", one.part(view))
        for view in views
    )
    intro = tag("p", one.intro, class_="note") if one.intro else ""
    columns = tag("div", *parts, class_="columns")
    return tag("section", tag("h2", one.heading), intro, columns, id=one.anchor)


def links(sections: Sequence[tuple[str, str]]) -> Html:
    """The page's contents, from anchors and headings."""
    return tag("nav", *(tag("a", heading, href=f"#{anchor}") for anchor, heading in sections))


def html_page(title: str, *body: Html, style: str = "", script: str = "") -> str:
    """A file of HTML with the style in it, without requests.

    Parameters
    ----------
    style, script
        Of this page alone. A browser runs this script, and no other: it is known by its digest.
    """
    shared = files("intentx.report.pages").joinpath("style.css").read_text(encoding="utf-8")
    policy, last = _POLICY, Html("")
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
        policy = f"{_POLICY}; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        last = tag("script", Html(script))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(shared + style)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', *body, last), lang='en')}\n"
