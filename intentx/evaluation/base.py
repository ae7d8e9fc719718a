"""What all measures share: a table, a notebook view, and JSON both ways."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import msgspec

from intentx.answers import Answer, json_text, kind_of
from intentx.checks import allowed
from intentx.errors import InputError
from intentx.files import excerpt
from intentx.markup import Html, join, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Measure", "Sheet", "none_for_nan"]


class Sheet(NamedTuple):
    """A table of a measure in words: its head, its rows, and what stands below it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


class Measure(Answer):
    """What was measured of an explanation; a frozen dataclass of numbers.

    Attributes
    ----------
    sentence
        What was found, in words.
    """

    if TYPE_CHECKING:  # a property of some, a field of others

        @property
        def sentence(self) -> str: ...

    NAME: ClassVar[str] = ""  # under which an explanation keeps it

    def _sheet(self) -> Sheet:
        """The table: by default a row for each number, and the sentence below."""
        rows = tuple(
            (field.name, _cell(getattr(self, field.name)))
            for field in dataclasses.fields(typing.cast("Any", self))
            if isinstance(getattr(self, field.name), int | float)
        )
        return Sheet(("metric", "value"), rows, self.sentence)

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        head, rows, caption = self._sheet()
        table = Table()
        for place, column in enumerate(head):
            table.add_column(Text(visible(column)), justify="right" if place else "left")
        for row in rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        return Group(table, Text(visible(caption)))

    def _rich_briefly(self) -> RenderableType:
        """What stands among the tables of an explanation that keeps the measure."""
        return self.__rich__()

    def _repr_html_(self) -> str:
        head, rows, caption = self._sheet()
        lines = _row("th", head), *(_row("td", row) for row in rows)
        return join([tag("p", visible(caption)), tag("table", *lines)])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; NaN becomes None."""
        plain = dataclasses.asdict(typing.cast("Any", self))
        return {key: none_for_nan(value) for key, value in plain.items()}

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON, with its ``format``."""
        return json_text({"format": self.FORMAT, **self.to_dict()}, indent)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises
        ------
        InputError
            If the data is of another format, lacks a part, or has one of another kind.
        """
        cls._check_format(plain)
        return typing.cast("Self", restored(cls, plain))

    @classmethod
    def _check_format(cls, plain: Any) -> None:
        """Refuse what is no object, or says that it is something else."""
        if not isinstance(plain, Mapping):
            raise InputError(f"no {cls.__name__}: an object is needed, not {excerpt(plain)}")
        form = plain.get("format", cls.FORMAT)
        if not isinstance(form, str) or kind_of(form) != kind_of(cls.FORMAT):
            raise InputError(f"no {cls.__name__}: format is {excerpt(form)}, not {cls.FORMAT!r}")


def restored(kind: Any, plain: Mapping[str, Any]) -> Any:
    """A dataclass from plain data, None standing for NaN; what it does not know is left out."""
    values, hints = _with_nan(plain, kind), typing.get_type_hints(kind)
    for key in (one.name for one in dataclasses.fields(kind) if one.name in values):
        try:
            msgspec.convert(values[key], hints[key], strict=True)
        except msgspec.ValidationError as error:
            said = f"{key} must be {allowed(hints[key])}, not {excerpt(plain[key])}"
            raise InputError(f"the {kind.__name__} is damaged: {said}") from error
    try:
        return msgspec.convert(values, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InputError(f"the {kind.__name__} is damaged: {error}") from error


def _with_nan(value: Any, hint: Any) -> Any:
    """A value with NaN where a number is missing."""
    if hint is float:
        return math.nan if value is None else value
    of = typing.get_args(hint)
    if isinstance(value, list | tuple) and of:
        return [_with_nan(one, of[0]) for one in value]
    if isinstance(value, Mapping) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return {key: _with_nan(one, hints.get(key)) for key, one in value.items()}
    if isinstance(value, Mapping) and len(of) == 2:
        return {key: _with_nan(one, of[1]) for key, one in value.items()}
    return value


def none_for_nan(value: Any) -> Any:
    """A value with None in the place of NaN, in lists and tables, too."""
    if isinstance(value, Mapping):
        return {key: none_for_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [none_for_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _cell(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if math.isnan(value) else f"{value:.3f}"


def _row(kind: str, cells: Sequence[str]) -> Html:
    return tag("tr", *(tag(kind, visible(cell)) for cell in cells))
