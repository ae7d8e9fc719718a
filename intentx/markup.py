"""HTML from Python: text is escaped unless it is `Html`, and numbers as people read them."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable

__all__ = [
    "AGAINST",
    "FOR",
    "FORBIDDEN",
    "Html",
    "bar",
    "count",
    "escaped",
    "join",
    "listing",
    "missed",
    "percent",
    "real",
    "tag",
]

# Colours of notebooks, as numbers: what speaks for something, and what speaks against it.
FOR, AGAINST = "47,127,214", "224,107,18"
_VOID = frozenset({"br", "img", "meta", "path"})
# What no HTML file may hold: control characters and halves of surrogate pairs.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Html(str):
    """Markup: a text that is not escaped again."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """``text`` as HTML, one character for one; `Html` is returned as it is.

    >>> escaped("<b> & co")
    '&lt;b&gt; &amp; co'
    """
    return text if isinstance(text, Html) else Html(html.escape(FORBIDDEN.sub("\ufffd", text)))


def join(parts: Iterable[str], separator: str = "") -> Html:
    """Parts one after the other, escaped where they are plain text."""
    return Html(escaped(separator).join(map(escaped, parts)))


def tag(name: str, /, *children: str, **attributes: str | int | None) -> Html:
    """One element; attribute names may end in "_" and write "-" as "_", and None leaves one out.

    >>> tag("p", "a < b, ", tag("b", "c"), class_="note")
    '<p class="note">a &lt; b, <b>c</b></p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not children:
        return Html(f"<{name}{written}/>" if name == "path" else f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def bar(share: float, colour: str, widest: int = 90) -> Html:
    """A bar for a notebook, ``share`` (-1 to 1) of ``widest`` pixels wide; nothing where it is unknown.

    >>> bar(-0.5, "224,107,18")
    '<span style="display:inline-block;width:45px;height:.7em;background:rgba(224,107,18,.75)"></span>'
    """
    if not math.isfinite(share):
        return Html("")
    width = max(1, round(widest * min(abs(share), 1.0)))
    style = f"display:inline-block;width:{width}px;height:.7em;background:rgba({colour},.75)"
    return tag("span", style=style)


def listing(words: Iterable[str], last: str = "and") -> Html:
    """Words as a person lists them: "a, b and c"."""
    items = [escaped(word) for word in words]
    if len(items) < 2:
        return join(items)
    return join([join(items[:-1], ", "), f" {last} ", items[-1]])


def count(number: int, noun: str = "", plural: str = "") -> str:
    """A whole number with its noun.

    >>> count(4950, "pair"), count(1, "pair")
    ('4,950 pairs', '1 pair')
    """
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def missed(gap: float) -> str:
    r"""By how much a sum misses what it should be, as a percentage.

    >>> missed(0.0123), missed(3e-7), missed(2.0)
    ('1.2\xa0%', 'less than 0.001\xa0%', '200\xa0%')
    """
    if gap >= 1:
        return percent(gap)
    return f"{100 * gap:.2g}\u00a0%" if gap >= 1e-5 else "less than 0.001\u00a0%"


def percent(share: float) -> str:
    r"""A share as a percentage that is 0 or 100 only when it truly is.

    >>> percent(0.844), percent(0.9996), percent(1.0), percent(float("nan"))
    ('84\xa0%', '99.9\xa0%', '100\xa0%', '–')
    """
    if math.isnan(share):
        return "–"
    if 0.995 <= share < 1:
        return f"{min(99.9, 100 * share):.1f}\u00a0%"
    if 0 < share < 0.005:
        return f"{max(0.1, 100 * share):.1f}\u00a0%"
    return f"{100 * share:.0f}\u00a0%"


def real(number: float, digits: int = 3) -> str:
    """A number with a true minus sign, "–" for NaN.

    >>> real(-0.5), real(float("nan"))
    ('−0.500', '–')
    """
    return "–" if math.isnan(number) else f"{number:.{digits}f}".replace("-", "−")
