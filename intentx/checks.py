"""Values of a study, checked against the types of its classes by msgspec."""

from __future__ import annotations

import dataclasses
import functools
import reprlib
import sys
import typing
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from intentx.errors import InputError

__all__ = ["Amount", "Count", "Size", "Text", "check_fields", "check_settings", "shown"]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, description="a whole number, 0 or more")]
Size = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1, description="a whole number, 1 or more")]
Amount = Annotated[float, msgspec.Meta(ge=0, le=sys.float_info.max, description="a number, 0 or more")]
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
            message = f"[{table}] {name} must be {_allowed(hint)}, not {shown(value)}"
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
            raise InputError(f"{where}: {name} must be {_allowed(hint)}, not {shown(value)}") from None
    return found


@functools.lru_cache(maxsize=64)
def _hints(kind: Hashable) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    return {one.name: hints[one.name] for one in fields if one.init}


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


def _allowed(hint: Any) -> str:
    """The values of a type, in words."""
    if typing.get_origin(hint) is Annotated:
        described = [one.description for one in hint.__metadata__ if isinstance(one, msgspec.Meta)]
        return described[0] if described and described[0] else _allowed(hint.__origin__)
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, parts))
    if _is_union(hint):
        return " or ".join(map(_allowed, parts))
    if typing.get_origin(hint) is tuple:
        return f"a list, each part {_allowed(parts[0])}"
    if isinstance(typing.get_origin(hint), type) and issubclass(typing.get_origin(hint), Mapping):
        return f"a table, each value {_allowed(parts[1])}"
    return _WORDS.get(hint, str(hint))
