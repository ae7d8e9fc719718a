"""What documents and queries are called in files, and what their ids, texts and scores may be.

One rule for every reader: an id is a string of at least one character that is not blank, or a whole
number; a text is a string, ``abstract`` and ``sentences`` also lists of them; a score is a finite
number. Nothing else is turned into one of these:
``null``, ``true``, ``1.0`` and other lists are refused by name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from intentx.documents import TEXT_COLUMNS
from intentx.errors import InputError
from intentx.files import excerpt
from intentx.ranking import Document

__all__ = [
    "ID_KEYS",
    "QID_KEYS",
    "QUERY_KEYS",
    "TEXT_KEYS",
    "TITLE_KEYS",
    "columns_of_head",
    "document_in",
    "filled",
    "id_in",
    "query_in",
    "score_in",
    "text_in",
]

ID_KEYS = ("id", "_id", "doc_id", "docid", "docno")
SENTENCES = ("abstract", "sentences")  # may be lists
TEXT_KEYS = (*TEXT_COLUMNS, *SENTENCES)
TITLE_KEYS = ("title",)
QID_KEYS = ("qid", "_id", "id", "query_id")
QUERY_KEYS = ("query", "text", "contents", "content", "title")


def document_in(entry: Mapping[str, Any], where: str) -> Document:
    """The document that a JSON object holds."""
    title = entry.get("title")
    key, value = _entry(entry, TEXT_KEYS, where)
    if key in SENTENCES and isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = " ".join(value)  # of sentences, as SciFact has them
    return Document(
        id_in(*_entry(entry, ID_KEYS, where), where),
        text_in(key, value, where),
        "" if title is None else text_in("title", title, where),
    )


def query_in(entry: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Id and text of the query that a JSON object holds."""
    qid = id_in(*_entry(entry, QID_KEYS, where), where)
    key, value = _entry(entry, QUERY_KEYS, where)
    return qid, filled(text_in(key, value, where), f"query {excerpt(qid)}", where)


def _entry(entry: Mapping[str, Any], keys: Sequence[str], where: str) -> tuple[str, Any]:
    """The first of some keys that an object has, and what stands there."""
    for key in keys:
        if key in entry:
            return key, entry[key]
    known = ", ".join(entry) or "no key"
    raise InputError(f"{where}: none of the keys {', '.join(keys)}; it has {known}")


def id_in(name: str, value: Any, where: str) -> str:
    """An id: a string that is not blank, or a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(
            f"{where}: {name} must be an id, a string or a whole number, not {_json(value)}"
        )
    return filled(str(value), name, where)


def text_in(name: str, value: Any, where: str) -> str:
    """A text: a string."""
    if not isinstance(value, str):
        raise InputError(f"{where}: {name} must be a string, not {_json(value)}")
    return value


def filled(text: str, name: str, where: str) -> str:
    """A text that is not blank."""
    if not text.strip():
        raise InputError(f"{where}: {name} must hold at least one character, not {excerpt(text)}")
    return text


def score_in(name: str, value: Any, where: str) -> float:
    """A score: a finite number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= sys.float_info.max:
        raise InputError(f"{where}: {name} must be a finite number, not {_json(value)}")
    return float(value)


def _json(value: Any) -> str:
    """A value as JSON names it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return excerpt(value)


def columns_of_head(
    cells: Sequence[str], ids: Sequence[str], texts: Sequence[str]
) -> dict[str, int] | None:
    """Places of the columns "id", "text" and perhaps "title", where a line names them; else None.

    A line is a head when one of its cells is one of ``ids`` and another one of ``texts``, whatever
    their case.

    >>> columns_of_head(["docid", "title", "text"], ID_KEYS, TEXT_KEYS)
    {'id': 0, 'text': 2, 'title': 1}
    >>> columns_of_head(["7", "text"], ID_KEYS, TEXT_KEYS)
    """
    names = [cell.strip().lstrip("#").strip().lower().replace("-", "_") for cell in cells]
    found: dict[str, int] = {}
    for column, known in (("id", ids), ("text", texts), ("title", TITLE_KEYS)):
        place = next((names.index(name) for name in known if name in names), None)
        if place is not None and place not in found.values():
            found[column] = place
    return found if {"id", "text"} <= found.keys() else None
