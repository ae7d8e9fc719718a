"""Edits of a text, and the text with some of them made."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from intentx.errors import InputError
from intentx.explainers.plain import number, table
from intentx.random_edits import rewritten

__all__ = ["Edit", "Kind", "Unit", "in_order", "written"]

Kind = Literal["remove", "insert", "replace"]
Unit = Literal["word", "sentence", "passage"]


@dataclass(frozen=True)
class Edit:
    """One change of a text.

    Attributes
    ----------
    kind
        ``"remove"``, ``"insert"`` or ``"replace"``.
    text
        What is removed, inserted, or written instead, as it is written.
    places
        Character spans in the text before any edit: of a word that is removed or replaced all its
        occurrences, of what is inserted one empty span.
    unit
        What it is: a ``"word"``, a ``"sentence"`` or a ``"passage"``.
    instead_of
        Of a replacement, the word that was there; else "".
    """

    kind: Kind
    text: str
    places: tuple[tuple[int, int], ...]
    unit: Unit = "word"
    instead_of: str = ""

    @property
    def start(self) -> int:
        """Where the first of the `places` begins."""
        return self.places[0][0]

    @property
    def end(self) -> int:
        """Where the first of the `places` ends."""
        return self.places[0][1]

    @property
    def words(self) -> str:
        """The edit in a few words: ``− piano``, ``+ piano``, ``piano → organ``."""
        if self.kind == "replace":
            return f"{self.instead_of} → {self.text}"
        return f"{'−' if self.kind == 'remove' else '+'} {self.text}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``start`` and ``end`` are those of the first place."""
        return {
            "kind": self.kind,
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "places": [list(place) for place in self.places],
            "unit": self.unit,
            "instead_of": self.instead_of,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Edit:
        """The inverse of `to_dict`."""
        if plain["kind"] not in get_args(Kind) or plain["unit"] not in get_args(Unit):
            raise InputError(f"no kind and unit of a change: {plain['kind']!r}, {plain['unit']!r}")
        if not isinstance(plain["text"], str) or not isinstance(plain["instead_of"], str):
            raise InputError(f"the text of a change must be a string, not {plain['text']!r}")
        spans = [table({"place": dict(zip("se", one, strict=True))}, "place") for one in plain["places"]]
        places = tuple((number(one, "s"), number(one, "e")) for one in spans)
        if not places:
            raise InputError("a change has no place")
        return cls(plain["kind"], plain["text"], places, plain["unit"], plain["instead_of"])


def written(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with edits made; what is inserted at one place stands there in the order of the edits.

    Examples
    --------
    >>> edits = [Edit("remove", "grand", ((2, 7),)), Edit("insert", "tuned", ((0, 0),))]
    >>> written("A grand piano", edits)
    'tuned A piano'
    """
    out: list[tuple[int, int]] = []
    where: dict[int, list[str]] = {}
    instead: dict[tuple[int, int], str] = {}
    for edit in edits:
        if edit.kind == "remove":
            out += edit.places
        elif edit.kind == "insert":
            where.setdefault(edit.start, []).append(edit.text)
        else:
            instead |= {place: edit.text for place in edit.places if place not in instead}
    _spaced(text, where)
    gone = set(out)
    return rewritten(text, out, where, {one: new for one, new in instead.items() if one not in gone})


def _spaced(text: str, where: Mapping[int, list[str]]) -> None:
    """A blank between what is put in at the front and an opening sign, such as a quotation mark."""
    for place, words in where.items():
        follows = text[place : place + 1]
        if follows and unicodedata.category(follows)[0] == "P" and not text[:place].strip():
            words[-1] += " "


def in_order(edits: Sequence[Edit], chosen: Iterable[int]) -> tuple[Edit, ...]:
    """Those of the edits that are chosen, in the order of all."""
    return tuple(edits[i] for i in sorted(chosen))
