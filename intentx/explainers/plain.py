"""Explanations and settings as plain data and plain text."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
import numpy as np

from intentx.answers import json_text, kind_of, printed
from intentx.errors import InputError
from intentx.files import excerpt
from intentx.preferences import Pairs
from intentx.ranking import Activated, Ranking
from intentx.text import Analyzer

__all__ = [
    "current",
    "json_text",
    "number",
    "numbers",
    "parts_of",
    "plain_settings",
    "plain_value",
    "printed",
    "ranking_of",
    "spent",
    "strings",
    "table",
]


LARGEST = sys.float_info.max
# Whole numbers stay whole; a bool is none, and NaN and infinity are no numbers.
Finite = (
    Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    | Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
)


def plain_settings(method: Any) -> dict[str, Any]:
    """The fields of a method, save term vectors; the same for the same settings, on every machine."""
    return {
        field.name: plain_value(getattr(method, field.name))
        for field in dataclasses.fields(method)
        if field.name != "vectors"
    }


def plain_value(value: Any) -> Any:
    """A setting as plain data."""
    if isinstance(value, Analyzer):
        return value.to_dict()
    if isinstance(value, Pairs):
        return f"{len(value)} given"
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [plain_value(part) for part in value]
    return getattr(value, "name", value)  # a simple ranker goes by its name


# Earlier formats that are still read: the keys that had another name there, and today's.
EARLIER: Mapping[str, Mapping[str, str]] = {
    "intentx.intent/1": {},
    "intentx.document/1": {"figures": "metrics"},
    "intentx.gradcam/1": {"figures": "metrics"},
    "intentx.comparison/1": {},
}


def current(plain: Mapping[str, Any], form: str) -> Mapping[str, Any]:
    """Plain data of a format as today's has it; that of another format as it is.

    Parameters
    ----------
    form
        Today's format, such as ``"intentx.document/2"``.

    Examples
    --------
    >>> current({"format": "intentx.document/1", "figures": {"fit": 0.9}}, "intentx.document/2")
    {'format': 'intentx.document/2', 'metrics': {'fit': 0.9}}
    """
    found = plain.get("format")
    if not isinstance(found, str) or found not in EARLIER:
        return plain
    if kind_of(found) != kind_of(form):
        return plain
    renamed = EARLIER[found]
    return {renamed.get(key, key): value for key, value in plain.items()} | {"format": form}


@contextlib.contextmanager
def parts_of(what: str, plain: Any, form: str) -> Iterator[Mapping[str, Any]]:
    """Around what is made of plain data, which it gives with today's keys.

    It must be an object of that format or of an earlier one; what is missing or of another kind is said
    in words.
    """
    if not isinstance(plain, Mapping):
        raise InputError(f"no {what}: an object with format {form!r} is needed, not {excerpt(plain)}")
    now = current(plain, form)
    if now.get("format") != form:
        raise InputError(f"no {what}: format is {excerpt(plain.get('format'))}, not {form!r}")
    try:
        yield now
    except InputError as error:
        raise InputError(f"the {what} is damaged: {error}") from error
    except KeyError as error:
        raise InputError(f"the {what} lacks {error}") from error
    except (ArithmeticError, AttributeError, IndexError, RecursionError, TypeError, ValueError) as error:
        raise InputError(f"the {what} is damaged: {error}") from error


def strings(plain: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of strings that plain data has under a key."""
    found: tuple[str, ...] = _read(plain, key, tuple[str, ...], "a list of strings")
    return found


def numbers(plain: Mapping[str, Any], key: str) -> tuple[float, ...]:
    """A list of finite numbers that plain data has under a key; those of NumPy become Python's.

    >>> numbers({"weights": [np.float64(0.5), 2]}, "weights")
    (0.5, 2)
    """
    found: tuple[float, ...] = _read(plain, key, tuple[Finite, ...], "a list of finite numbers")
    return found


def number(plain: Mapping[str, Any], key: str) -> Any:
    """A finite number that plain data has under a key."""
    return _read(plain, key, Finite, "a finite number")


def _read(plain: Mapping[str, Any], key: str, kind: Any, what: str) -> Any:
    """What plain data has under a key, if it is of a kind as msgspec reads it."""
    value = plain[key]
    if isinstance(value, list | tuple):
        value = [one.item() if isinstance(one, np.generic) else one for one in value]
    elif isinstance(value, np.generic):
        value = value.item()
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        raise InputError(f"{key} must be {what}, not {excerpt(plain[key])}") from None


def table(plain: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object that plain data has under a key."""
    if not isinstance(plain[key], Mapping):
        raise InputError(f"{key} must be an object, not {excerpt(plain[key])}")
    found: Mapping[str, Any] = plain[key]
    return found


def spent(plain: Mapping[str, Any]) -> Mapping[str, float]:
    """The seconds that plain data has: of a "model" and in "total", and perhaps of stages."""
    seconds = table(plain, "seconds")
    for stage in {"model": 0, "total": 0} | dict(seconds):
        number(seconds, stage)
    return seconds


def ranking_of(plain: Mapping[str, Any]) -> Ranking:
    """The ranking that an explanation as plain data is of."""
    query, listed = plain["query"], table(plain, "ranking")
    scores = np.array(numbers(listed, "scores"), dtype=np.float64)
    named = table(listed, "activated") if "activated" in listed else {}
    activated = [Activated(name, np.array(numbers(named, name))) for name in named]
    return Ranking(
        query,
        strings(listed, "doc_ids"),
        strings(listed, "texts"),
        scores,
        activated=activated[0] if activated else None,
    )
