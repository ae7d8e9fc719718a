"""Keys of services: filled in where they are sent, and taken out of all that is shown or written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from intentx.errors import InputError

__all__ = ["filled_in", "named_in", "redacted", "value_of", "without_secrets"]

LONGEST_READ = 65_536  # characters of a message that are looked through
_NAMED = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def value_of(variable: str) -> str:
    """The key that an environment variable holds.

    Raises
    ------
    InputError
        If it is not set, or holds something that no header can carry.
    """
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        what = "is not set" if not key else "holds no key: a key is of printable ASCII characters"
        raise InputError(f"the environment variable {variable!r} {what}")
    return key


def named_in(text: str) -> list[str]:
    """The environment variables that ``text`` names.

    >>> named_in("Bearer $KEY"), named_in("https://host/?key=${KEY}&v=1"), named_in("5 $")
    (['KEY'], ['KEY'], [])
    """
    return [first or second for first, second in _NAMED.findall(text)]


def filled_in(text: str) -> str:
    """``text`` with the environment's value for each variable that it names; errors as `value_of`."""
    return _NAMED.sub(lambda found: value_of(found[1] or found[2]), text)


def redacted(text: str, keys: Iterable[str]) -> str:
    r"""``text`` without any of ``keys``, also where its characters are escaped.

    Known are the escapes of JSON and Python, of URLs and of HTML. Text behind the first 65,536
    characters is cut off: a key that begins there could not be told.

    >>> redacted(r'{"bad": "sk\u002d1\/2", "again": "sk%2d1/2"}', ["sk-1/2"])
    '{"bad": "…", "again": "…"}'
    """
    text = text[:LONGEST_READ]
    for key in sorted(filter(None, keys), key=len, reverse=True):
        text = re.sub("".join(map(_any_way, key)), "…", text)
    return text


def _any_way(sign: str) -> str:
    """A pattern of all the ways in which a message may write a character."""
    code = ord(sign)
    hexadecimal = "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in f"{code:02x}")
    ways = [
        rf"\\*{re.escape(sign)}",
        rf"\\+u00{hexadecimal}",
        rf"\\+x{hexadecimal}",
        rf"%(?:25)*{hexadecimal}",
        rf"&#0*{code};?",
        rf"&#[xX]0*{hexadecimal};?",
    ]
    names = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
    if sign in names:
        ways.append(f"&{names[sign]};")
    return f"(?:{'|'.join(ways)})"


def without_secrets(spec: str) -> str:
    """The URL or the spec of a ranker without what may be a password or a key.

    That is the user, and the value of each field of the query, unless it names an environment
    variable. What comes behind a ``#`` are settings, and none of them holds a key.

    >>> without_secrets("https://me:pw@host/rank?api_key=sk-1&v=${VERSION}#model=m")
    'https://…@host/rank?api_key=…&v=${VERSION}#model=m'
    >>> without_secrets("bm25"), without_secrets("https://host/?sk-1")
    ('bm25', 'https://host/?…')
    """
    where, sign, settings = spec.partition("#")
    if "//" not in where:
        return spec
    where = re.sub(r"//[^/?#]*@", "//…@", where)
    path, asks, query = where.partition("?")
    if not asks:
        return where + sign + settings
    return f"{path}?{'&'.join(map(_without_value, query.split('&')))}{sign}{settings}"


def _without_value(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return "…" if part else ""
    return part if not value or _NAMED.fullmatch(value) else f"{name}=…"
