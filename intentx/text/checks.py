"""Documents that are not the text they seem: markup, and letters that were decoded wrongly."""

from __future__ import annotations

import html.entities
import sys
import warnings
from collections.abc import Sequence

import regex

from intentx.errors import TextWarning
from intentx.text.analyzer import Analyzer

__all__ = ["is_garbled", "is_markup", "warn_about"]

_TAGS = """a abbr address article aside b blockquote body br button center code dd del div dl dt em font
footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins label li link main meta nav ol
option p pre s script section select small span strike strong style sub sup table tbody td textarea tfoot
th thead title tr tt u ul video""".split()
# A closing tag; a tag with attributes; one that HTML knows, with no word right before it as in List<A>;
# a comment or a declaration; an entity, which is looked up.
_MARKUP = regex.compile(
    r"</[a-z][\w:-]*\s*>|<[a-z][\w:-]*(?:\s+[\w:@-]+\s*=\s*[\"'“”\w/#])"
    rf"|(?<!\w)<(?:{'|'.join(_TAGS)})\s*/?>|<br\s*/?>|<!--|<!doctype\s|<!\[CDATA\["
    r"|&(?:#\d{1,7}|#x[\da-f]{1,6}|(?<name>[a-z][a-z\d]{1,30}));",
    regex.I,
)
# What is left of a wrongly decoded apostrophe once its invisible characters are gone, as in "isnâ t";
# no language has a word of these. And the sign that stands for what could not be decoded at all.
_LOST = regex.compile(
    r"(?:\b(?:is|was|are|were|do|does|did|has|have|had|wo|ca|could|should|would|must|ai)nâ|donâ)(?!\p{L})"
    r"|\p{Ll}nâ\s?t(?!\p{L})|\b\p{L}\p{Ll}+â\s?(?:s|re|ve|ll|d)(?!\p{L})|\bIâ\s?(?:m|ve|ll|d)(?!\p{L})|\ufffd",
)


def is_markup(text: str) -> bool:
    """Whether ``text`` holds tags, comments or entities of HTML or XML.

    >>> [is_markup(text) for text in ("<div class='x'>", "tea&nbsp;pot", "a < b <3", "List<String> x")]
    [True, True, False, False]
    """
    if "<" not in text and "&" not in text:
        return False
    return any(
        found["name"] is None or f"{found['name']};" in html.entities.html5
        for found in _MARKUP.finditer(text)
    )


def is_garbled(text: str) -> bool:
    """Whether letters of ``text`` were decoded wrongly (mojibake), as ftfy tells, or lost since.

    >>> [is_garbled(text) for text in ("It isnâ€™t", "isnâ t", "cafÃ©", "café, voilà", "hâlâ")]
    [True, True, True, False, False]
    """
    if text.isascii():
        return False
    from ftfy.badness import is_bad

    return bool(is_bad(text) or _LOST.search(text))


def warn_about(ids: Sequence[str], texts: Sequence[str], analyzer: Analyzer, told: set[str]) -> None:
    """Warn of documents that look like HTML or are garbled, once for each ``told``.

    Parameters
    ----------
    ids, texts
        Of N documents.
    analyzer
        What reads them; where it strips markup, markup is fine.
    told
        What was said already; what is said now comes to it.

    Warns
    -----
    TextWarning
        One for each kind, at the line that called intentx; it names an example.
    """
    for kind, check, advice in (
        (
            "look like HTML",
            is_markup,
            "tags and entities become terms; to strip them: Analyzer(strip_markup=True), on the command "
            "line --strip-markup",
        ),
        (
            "hold letters that were decoded wrongly, such as â€™ for ’",
            is_garbled,
            "their words are not the ones that were written; read the file in its own encoding, or "
            "repair it, e.g. by ftfy.fix_text",
        ),
    ):
        if kind in told or (check is is_markup and analyzer.strip_markup):
            continue
        found = [name for name, text in zip(ids, texts, strict=True) if check(text)]
        if found:
            told.add(kind)
            warnings.warn(
                f"{len(found)} of {len(ids)} documents {kind}, {found[0]!r} for one: {advice}",
                TextWarning,
                stacklevel=_calls_within() - 1,
            )


def _calls_within() -> int:
    """Calls inside intentx that this one came through, and the one from outside."""
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("intentx."):
        depth, frame = depth + 1, frame.f_back
    return depth
