"""Signs that must not reach a terminal as they are, or that it cannot show."""

from __future__ import annotations

import codecs
import contextlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

__all__ = ["UNSHOWN", "can_show", "drawn", "encodable", "first_line", "visible"]

# Control characters save tab and newline, signs that end or reorder a line, halves of surrogate pairs.
UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

REPLACED, ESCAPED = "intentx.replaced", "intentx.escaped"
# One sign for one, so that columns stay where they are.
_STAND_INS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−─━═╌┄┈╴╶╸╺", "-"),
        **dict.fromkeys("│┃║╎┆┊╵╷", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┡┢┩┪┣┫┳┻╇╈╉╊╋┠┨┯┷╭╮╯╰╔╗╚╝╠╣╦╩╬†", "+"),
        **dict.fromkeys("█▉▊▋▓", "#"),
        **dict.fromkeys("▌▐▍▎▏▒░", "="),
        **dict.fromkeys("‘’‚′", "'"),
        **dict.fromkeys("“”„″«»", '"'),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f", " "),
        **{"×": "x", "·": ".", "•": "*", "→": ">", "←": "<", "≥": ">", "≤": "<", "≈": "~", "τ": "t"},
        **{"…": "...", "‡": "*"},
    }
)


def visible(text: str) -> str:
    r"""A text with what a terminal would obey, and not show, as an escape; newlines and tabs stay.

    Control characters (ESC and BEL among them), marks that reorder a line, line separators and
    halves of surrogate pairs.

    >>> print(visible("a\x1b[31m b\u202e"))
    a\x1b[31m b\u202e
    """
    return UNSHOWN.sub(_escape, text)


def _escape(sign: re.Match[str]) -> str:
    code = ord(sign.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def first_line(text: str) -> str:
    """What of a message fits a list: up to its first newline, and no other sign that ends lines."""
    return text.partition("\n")[0]


def can_show(text: str, stream: TextIO) -> bool:
    """Whether a stream's encoding has all the signs of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def drawn(text: str, stream: TextIO) -> str:
    """A text with other lines, bars, dashes and quotation marks where a stream lacks those it has."""
    if can_show(text, stream):
        return text
    lacking = {sign: other for sign, other in _STAND_INS.items() if not can_show(chr(sign), stream)}
    return text.translate(lacking)


@contextlib.contextmanager
def encodable(replaced: Iterable[Any], escaped: Iterable[Any] = ()) -> Iterator[None]:
    """Within it, no sign is an error on these streams, whatever their encoding.

    Signs that an encoding lacks become others that are like them, such as "-" for "─". Letters
    become "?" on streams where they are ``replaced``, as wide as they are, and escapes as in Python
    where they are ``escaped``.
    """
    before = []
    for how, streams in ((REPLACED, replaced), (ESCAPED, escaped)):
        for stream in streams:
            if hasattr(stream, "reconfigure"):
                before.append((stream, stream.errors))
                stream.reconfigure(errors=how)
    try:
        yield
    finally:
        for stream, errors in before:
            if not stream.closed:
                stream.reconfigure(errors=errors)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end].translate(_STAND_INS)
    return "".join(sign if sign.isascii() else "?" * _cells(sign) for sign in found), error.end


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end].translate(_STAND_INS)
    return found.encode("ascii", "backslashreplace").decode("ascii"), error.end


def _cells(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


codecs.register_error(REPLACED, _replaced)
codecs.register_error(ESCAPED, _escaped)
