"""TREC topics: tags that need not be well formed, as people have them."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from intentx.datasets.records import filled
from intentx.errors import InputError
from intentx.files import excerpt

__all__ = ["trec_topics"]

TOPIC = frozenset({"top", "topic"})
NUMBER = frozenset({"num", "number", "qid", "id"})
TEXTS = ("query", "title")  # the first that a topic has
MARKUP = frozenset({"b", "i", "em", "strong", "sub", "sup", "u", "span", "br", "p"})  # within a text

_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)(?P<commented>-->|\Z)"
    r"|<!\[CDATA\[(?P<cdata>.*?)(?P<quoted>\]\]>|\Z)"
    r"|<![^<>]*(?:\[[^\]]*\]\s*)?>|<\?.*?\?>"
    r"|<(?P<end>/?)(?P<tag>[A-Za-z][\w.:-]*)(?P<attributes>(?:\s[^<>]*)?)(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(?:number|num|qid|id)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>/]+))""", re.I
)
_NUMBER_WORD = re.compile(r"\s*number\s*:\s*", re.IGNORECASE)
_TOPIC_WORD = re.compile(r"\s*topic\s*:\s*", re.IGNORECASE)


@dataclass
class _Topic:
    """A topic as it is read: texts of its fields by their tags."""

    where: str
    number: str | None
    fields: dict[str, list[str]] = field(default_factory=dict)
    at: str | None = None  # the field that text goes to
    cut: dict[str, str] = field(default_factory=dict)  # fields without an end tag, and what came then

    def begin(self, tag: str) -> None:
        name = "number" if tag in NUMBER else tag
        if name in self.fields and name in ("number", *TEXTS):
            raise InputError(
                f"{self.where}: two <{tag}> in one topic; keep one, or close the topic first"
            )
        if self.at in ("number", *TEXTS):
            self.cut[self.at] = tag
        self.fields[name], self.at = [], name

    def end(self, tag: str, where: str) -> None:
        name = "number" if tag in NUMBER else tag
        if name in self.cut:
            raise InputError(
                f"{where}: <{self.cut[name]}> stands inside <{tag}>, which holds text alone"
            )
        self.at = None

    def add(self, text: str) -> None:
        if self.at is not None:
            self.fields[self.at].append(text)

    def query(self) -> tuple[str, str, str]:
        """Place, id and text."""
        written = "".join(self.fields.get("number", ()))
        number = (self.number if self.number is not None else _NUMBER_WORD.sub("", written, 1)).strip()
        name = next((tag for tag in TEXTS if tag in self.fields), None)
        if not number or name is None:
            raise InputError(f"{self.where}: a number, and a <title> or <query>, expected")
        if len(number.split()) > 1:
            raise InputError(f"{self.where}: its number must be one word, not {excerpt(number)}")
        text = " ".join(_TOPIC_WORD.sub("", "".join(self.fields[name]), 1).split())
        return self.where, number, filled(text, f"<{name}> of topic {excerpt(number)}", self.where)


def trec_topics(lines: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Place, id and text of each topic.

    A topic is ``<top>`` or ``<topic>``; its number is an attribute (``number``, ``num``, ``id``,
    ``qid``) or a field (``<num>``, perhaps with "Number:" in front), its text is ``<query>``, or else
    ``<title>``. Fields need no end tag, and a topic ends where the next one begins. Comments are left
    out, CDATA is text as it stands, entities are characters.

    Parameters
    ----------
    lines
        Each behind its place, as `intentx.files.numbered_lines` gives them.

    Raises
    ------
    InputError
        If there is no topic, or one is broken: the message names its line and number.
    """
    text = "\n".join(line for _, line in lines)
    starts = list(accumulate((len(line) + 1 for _, line in lines), initial=0))[:-1]
    open_topic: _Topic | None = None
    count = done = 0
    for token in _TOKEN.finditer(text):
        where = lines[bisect_right(starts, token.start()) - 1][0]
        if open_topic is not None:
            open_topic.add(html.unescape(text[done : token.start()]))
        done = token.end()
        if token["comment"] is not None or token["cdata"] is not None:
            if not (token["commented"] or token["quoted"]):
                begun = "<!--" if token["cdata"] is None else "<![CDATA["
                raise InputError(f"{where}: {begun} … is never closed")
            if open_topic is not None and token["cdata"] is not None:
                open_topic.add(token["cdata"])
            continue
        if token["tag"] is None:
            continue
        tag = token["tag"].lower()
        if tag in TOPIC:
            if open_topic is not None:
                yield open_topic.query()
            elif token["end"]:
                raise InputError(
                    f"{where}: </{tag}> ends a topic that does not begin: <{tag}> is missing"
                )
            count += not token["end"]
            open_topic = None if token["end"] else _begun(token, where, count)
        elif open_topic is None:
            if tag in (*NUMBER, *TEXTS):
                raise InputError(
                    f"{where}: <{tag}> is in no topic: <top> or <topic> is missing before it"
                )
        elif tag in MARKUP:
            open_topic.add(" " if tag in ("br", "p") else "")
        elif token["end"]:
            open_topic.end(tag, where)
        else:
            open_topic.begin(tag)
            if token["empty"] or token["attributes"].endswith("/"):
                open_topic.end(tag, where)
    if not count:
        name = lines[0][0].rpartition(", line ")[0]
        raise InputError(f"{name}: <top> … </top> or <topic number=…> … </topic> expected")
    if open_topic is not None:
        raise InputError(
            f"{open_topic.where}: the file ends inside this topic: close it, or fetch the file again"
        )


def _begun(token: re.Match[str], where: str, count: int) -> _Topic:
    attribute = _ATTRIBUTE.search(token["attributes"])
    number = next((one for one in attribute.groups() if one is not None), "") if attribute else None
    return _Topic(f"{where}, topic {count}", None if number is None else html.unescape(number))
