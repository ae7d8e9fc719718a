"""Values of a study and settings of methods, checked against the types of their classes by msgspec."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import reprlib
import sys
import typing
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from intentx.errors import InputError

__all__ = [
    "Amount",
    "Cosine",
    "Count",
    "Part",
    "Positive",
    "Samples",
    "Seed",
    "Share",
    "Size",
    "Text",
    "allowed",
    "check_fields",
    "check_made",
    "check_settings",
    "field_types",
    "shown",
]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, description="a whole number, 0 or more")]
Size = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1, description="a whole number, 1 or more")]
Amount = Annotated[float, msgspec.Meta(ge=0, le=sys.float_info.max, description="a number, 0 or more")]
Positive = Annotated[
    float, msgspec.Meta(gt=0, le=sys.float_info.max, description="a finite number above 0")
]
Share = Annotated[float, msgspec.Meta(ge=0, le=1, description="a number from 0 to 1")]
Part = Annotated[float, msgspec.Meta(gt=0, le=1, description="a number above 0, at most 1")]
Cosine = Annotated[float, msgspec.Meta(ge=-1, le=1, description="a number from -1 to 1")]
Samples = Annotated[int, msgspec.Meta(ge=2, le=2**63 - 1, description="a whole number, 2 or more")]
Seed = Annotated[int, msgspec.Meta(ge=0, description="a whole number, 0 or more")]
Text = Annotated[str, msgspec.Meta(min_length=1, description="a text")]

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "left out",
}
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def shown(value: object) -> str:
    """A value for a message, however large it is.

    >>> shown("no"), len(shown(["x" * 1000] * 1000)) < 500
    ("'no'", True)
    """
    return _SHORT.repr(value)


def check_fields(table: str, owner: Any) -> None:
    """Refuse a dataclass with a value that is not of its field's type, and name the key.

    Values are put in the form that the types say: a list becomes a tuple, 1 becomes 1.0.

    Raises
    ------
    InputError
        It says what is allowed.
    """
    for name, hint in _hints(type(owner)).items():  # type: ignore[arg-type]
        value = getattr(owner, name)
        try:
            found = msgspec.convert(value, hint, strict=True)
        except msgspec.ValidationError:
            message = f"[{table}] {name} must be {allowed(hint)}, not {shown(value)}"
            raise InputError(message) from None
        object.__setattr__(owner, name, found)


def check_settings(where: str, kind: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that a method is made with, as far as their types can be read from a file.

    Those of other types, such as simple rankers, are left to the method itself.
    """
    hints = _hints(kind)
    found = dict(settings)
    for name, value in settings.items():
        hint = hints.get(name)
        if hint is None or not _plain(hint):
            continue
        try:
            found[name] = msgspec.convert(value, hint, strict=True)
        except msgspec.ValidationError:
            raise InputError(f"{where}: {name} must be {allowed(hint)}, not {shown(value)}") from None
    return found


def check_made(name: str, owner: Any) -> None:
    """Refuse a dataclass with a value that does not fit the type of its field, such as NaN for a number.

    Values stay as they are, but numbers of NumPy become Python's, and a list of plain values a tuple.
    Where a type is no class and no plain data, such as a protocol, the class checks the value itself.

    Parameters
    ----------
    name
        What messages call the dataclass.

    Raises
    ------
    InputError
        It names the field, the value and what is allowed.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Method:
    ...     seed: Seed = 0
    >>> check_made("Method", Method(seed=-1))
    Traceback (most recent call last):
    intentx.errors.InputError: Method: seed must be a whole number, 0 or more, not -1
    """
    for key, hint in _hints(type(owner)).items():  # type: ignore[arg-type]
        given = getattr(owner, key)
        value = given.item() if isinstance(given, np.generic) else given
        if isinstance(value, list) and _has_tuples(hint):
            value = tuple(value)
        if not _fits(value, hint):
            raise InputError(f"{name}: {key} must be {allowed(hint, 'None')}, not {shown(given)}")
        if value is not given:
            object.__setattr__(owner, key, value)


def field_types(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields by their names; a TypeError of any other class."""
    return dict(_hints(kind))


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, as far as that can be told."""
    if _plain(hint) or _of_tuples(hint):
        parts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(part, float) and math.isnan(part) for part in parts):
            return False
        try:
            msgspec.convert(value, hint, strict=True)
        except msgspec.ValidationError:
            return False
        return True
    if _is_union(hint):
        return any(_fits(value, part) for part in typing.get_args(hint))
    known = isinstance(hint, type) and not getattr(hint, "_is_protocol", False)
    return isinstance(value, hint) if known and hint is not Any else True


def _of_tuples(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    return _of_tuples(typing.get_args(hint)[0]) if origin is Annotated else origin is tuple


def _has_tuples(hint: Any) -> bool:
    """Whether a list stands for a tuple: of tuples, or of them among others."""
    return any(map(_of_tuples, typing.get_args(hint))) if _is_union(hint) else _of_tuples(hint)


@functools.lru_cache(maxsize=64)
def _hints(kind: Hashable) -> dict[str, Any]:
    """Types of the fields by name; without those that only type checkers know, as a user's may be."""
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    hints: dict[str, Any] = {}
    for one in reversed(typing.cast("type", kind).__mro__):
        for name, written in vars(one).get("__annotations__", {}).items():
            alone = type(one.__name__, (), {"__annotations__": {name: written}})
            alone.__module__ = one.__module__
            hints.pop(name, None)
            with contextlib.suppress(NameError):
                hints |= typing.get_type_hints(alone, include_extras=True)
    return {one.name: hints[one.name] for one in fields if one.init and one.name in hints}


def _plain(hint: Any) -> bool:
    """Whether a file can hold values of a type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _plain(parts[0])
    if origin is Literal or hint in _WORDS:
        return True
    return bool(parts) and origin is not type and all(map(_plain, parts)) and _is_union(hint)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, type(int | str))


def allowed(hint: Any, none: str = "left out") -> str:
    """The values of a type, in words; ``none`` is what stands for None."""
    if typing.get_origin(hint) is Annotated:
        described = [one.description for one in hint.__metadata__ if isinstance(one, msgspec.Meta)]
        return described[0] if described and described[0] else allowed(hint.__origin__)
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, parts))
    if hint is type(None):
        return none
    if _is_union(hint):
        words = [allowed(part, none) for part in parts]
        return (", or " if any(", " in one for one in words) else " or ").join(words)
    if typing.get_origin(hint) is tuple:
        return f"a list, each part {allowed(parts[0])}"
    if isinstance(typing.get_origin(hint), type) and issubclass(typing.get_origin(hint), Mapping):
        return f"a table, each value {allowed(parts[1])}"
    if isinstance(hint, type) and hint not in _WORDS:
        return f"{'an' if hint.__name__[0] in 'AEIOU' else 'a'} {hint.__name__}"
    return _WORDS.get(hint, str(hint))
