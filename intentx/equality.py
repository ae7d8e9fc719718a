"""When two answers are equal, although numbers in them are not known."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, TypeVar

__all__ = ["equal_by_values"]

T = TypeVar("T")


def equal_by_values(cls: type[T]) -> type[T]:
    """A dataclass whose objects are equal if their fields are, NaN to NaN included.

    Numbers that are not known are NaN in answers. NaN is not equal to itself, so that since Python 3.13
    an answer with one would differ from itself, and before from what is read from its JSON.

    >>> @equal_by_values
    ... @dataclasses.dataclass(frozen=True)
    ... class Answer:
    ...     value: float
    >>> Answer(float("nan")) == Answer(float("nan")), Answer(1.0) == Answer(2.0)
    (True, False)
    """
    names = tuple(one.name for one in dataclasses.fields(cls) if one.compare)  # type: ignore[arg-type]

    def values(answer: Any) -> tuple[Any, ...]:
        return tuple(_known(getattr(answer, name)) for name in names)

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    cls.__eq__ = __eq__  # type: ignore[method-assign]
    if cls.__hash__ is not None:
        cls.__hash__ = __hash__  # type: ignore[method-assign]
    return cls


def _known(value: Any) -> Any:
    """The one NaN that equals itself in tuples, for any, also inside of tuples and dicts."""
    if isinstance(value, float):
        return math.nan if math.isnan(value) else value
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    return tuple(map(_known, value)) if type(value) is tuple else value
