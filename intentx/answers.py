"""What every answer has, explanations and measures alike: text, JSON both ways, a file."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from intentx.files import json_object, write_text
from intentx.signs import UNSHOWN, drawn

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Answer", "Stored", "json_text", "kind_of", "printed"]


class Stored(ABC):
    """What can be written as JSON, and read back.

    Attributes
    ----------
    FORMAT
        The ``format`` of its JSON, such as ``"intentx.intent/1"``: a kind, and the number of its
        version. `intentx.load` finds the class of a file by the kind.
    """

    FORMAT: ClassVar[str] = ""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""

    @classmethod
    @abstractmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON; the same for the same seed and versions, seconds aside."""
        return json_text(self.to_dict(), indent)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises
        ------
        InputError
            If the text is no JSON, or that of something else.
        """
        return cls.from_dict(json_object(text))

    def save(self, path: str | Path) -> Path:
        """Write `to_json` to a file, and return its path; `intentx.load` reads it.

        Parameters
        ----------
        path
            The file is packed where its name ends in ``.gz``, ``.bz2`` or ``.xz``.

        Raises
        ------
        InputError
            If the file cannot be written, for instance since its folder does not exist.
        """
        return write_text(path, self.to_json() + "\n")


class Answer(Stored):
    """What can be shown, too."""

    @abstractmethod
    def __rich__(self) -> RenderableType:
        """Tables for a terminal."""

    @abstractmethod
    def _repr_html_(self) -> str:
        """The same for a notebook."""

    def text(self, width: int = 100) -> str:
        """The same tables as plain text of so many columns."""
        return printed(self, width)


def kind_of(form: str) -> str:
    """The kind of answer that a format names, without its version.

    >>> kind_of("intentx.intent/1")
    'intentx.intent'
    """
    return form.rpartition("/")[0]


def json_text(plain: Any, indent: int | None = None) -> str:
    """Plain data as JSON, in which every sign can be printed and written to a UTF-8 file.

    Letters stand as they are; control characters, signs that reorder a line, and halves of surrogate
    pairs are escaped.

    >>> json_text({"query": "café \x9b \u202e"})
    '{"query": "café \\\\u009b \\\\u202e"}'
    """
    text = json.dumps(plain, ensure_ascii=False, indent=indent, allow_nan=False)
    return UNSHOWN.sub(lambda sign: f"\\u{ord(sign.group()):04x}", text)


def printed(something: Any, width: int) -> str:
    """What a terminal of so many columns shows, as plain text.

    Its lines and bars are of signs that standard output has; words stand as they are.
    """
    from rich.console import Console

    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(something)
    return drawn(captured.get(), sys.stdout)
