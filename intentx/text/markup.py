"""HTML as the text that a reader sees, with the place of each character in the source."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import accumulate

__all__ = ["Stripped", "strip_markup"]

# Elements within a line, which separate no words; all others do, and end a sentence.
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q s samp small
    span strike strong sub sup time tt u var wbr""".split()
)
_IN_SENTENCE = frozenset({"br", "img", "input", "label", "button", "select", "option"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})  # what they hold is not text


@dataclass(frozen=True)
class Stripped:
    """Text without markup; character i of it comes from ``source[starts[i]:ends[i]]``."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of ``text[start:end]``, which is not empty."""
        return self.starts[start], self.ends[end - 1]


def strip_markup(source: str) -> Stripped:
    """What a reader sees of HTML: no tags, comments, scripts or styles; entities as their characters.

    A tag such as ``<p>`` becomes a blank line, so that words and sentences end there; one within a line,
    such as ``<b>``, becomes nothing.

    >>> strip_markup('<p class="x">AT&amp;T&nbsp;<b>key</b>board').text
    '\\n\\nAT&T\\xa0keyboard'
    """
    if "<" not in source and "&" not in source:
        return Stripped(source, range(len(source)), range(1, len(source) + 1))
    parser = _Parser(source)
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    bounds = [*(start for start, _ in parser.parts), len(source)]
    for (start, shown), end in zip(parser.parts, bounds[1:], strict=True):
        text.append(shown)
        if shown == source[start:end]:
            starts += range(start, end)
            ends += range(start + 1, end + 1)
        else:
            starts += [start] * len(shown)
            ends += [end] * len(shown)
    return Stripped("".join(text), starts, ends)


class _Parser(HTMLParser):
    """``parts``: where each piece of the source begins, and what is shown for it."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[tuple[int, str]] = []
        self._lines = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]
        self._source = source
        self._unseen = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._tag(tag)
        if tag in _UNSEEN and not self._unseen:
            self._unseen = tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self._tag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""
        self._tag(tag)

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_entityref(self, name: str) -> None:
        self._entity(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self._entity(f"&#{name}")

    def handle_comment(self, data: str) -> None:
        self._add("")

    def handle_decl(self, decl: str) -> None:
        self._add("")

    def handle_pi(self, data: str) -> None:
        self._add("")

    def unknown_decl(self, data: str) -> None:
        self._add("")

    def _entity(self, name: str) -> None:
        start = self._start
        closed = self._source.startswith(f"{name};", start)
        shown = html.unescape(f"{name};" if closed else name)
        self._add(shown)
        after = start + len(name) + closed
        if after < len(self._source):  # what follows may be a part of its own only to the parser
            self.parts.append((after, ""))

    def _tag(self, tag: str) -> None:
        self._add("" if tag in _INLINE else "\n" if tag in _IN_SENTENCE else "\n\n")

    @property
    def _start(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _add(self, shown: str) -> None:
        self.parts.append((self._start, "" if self._unseen else shown))
