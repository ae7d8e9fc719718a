"""Documents from files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intentx.errors import InputError
from intentx.files import numbered_lines
from intentx.ranking import Document

__all__ = ["read_documents", "read_table"]

ID_KEYS = ("id", "_id", "doc_id", "docid", "docno")
TEXT_KEYS = ("text", "contents", "body")


def read_documents(path: str | Path) -> tuple[Document, ...]:
    """Read documents from a JSONL or TSV file.

    Parameters
    ----------
    path
        The file, gzipped or not; ``"-"`` is standard input. When the first line starts with
        ``{`` each line is a JSON object with an id (``id``, ``_id``, ``doc_id``, ``docid`` or
        ``docno``), a text (``text``, ``contents`` or ``body``) and perhaps a ``title``.
        Otherwise each line is ``id<TAB>text`` or ``id<TAB>title<TAB>text``.

    Raises
    ------
    InputError
        If there is no document, or a line is broken or repeats an id; the message names the line.
    """
    lines = numbered_lines(path)
    first = next(lines, None)
    if first is None:
        raise InputError(f"{path} holds no documents")
    parse = _from_json if first[1].lstrip().startswith("{") else _from_tsv
    documents: dict[str, Document] = {}
    for where, line in itertools.chain([first], lines):
        document = parse(line, where)
        if document.id in documents:
            raise InputError(f"{where}: a document {document.id!r} was there before")
        documents[document.id] = document
    return tuple(documents.values())


def read_table(path: str | Path) -> dict[str, str]:
    """Read a two-column TSV file such as ``qid<TAB>query``."""
    table: dict[str, str] = {}
    for where, line in numbered_lines(path):
        key, tab, value = line.partition("\t")
        if not tab or key in table:
            raise InputError(f"{where}: a new key, a tab and a value expected, not {line[:80]!r}")
        table[key] = value
    return table


def _from_json(line: str, where: str) -> Document:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: broken JSON: {error}") from error
    if not isinstance(entry, dict):
        raise InputError(f"{where}: a JSON object expected, not {line[:80]!r}")
    text, title = _value(entry, TEXT_KEYS, where), entry.get("title") or ""
    if not isinstance(text, str) or not isinstance(title, str):
        raise InputError(f"{where}: text and title must be strings")
    return Document(str(_value(entry, ID_KEYS, where)), text, title)


def _value(entry: Mapping[str, Any], keys: tuple[str, ...], where: str) -> Any:
    for key in keys:
        if key in entry:
            return entry[key]
    raise InputError(f"{where}: none of the keys {', '.join(keys)}; it has {', '.join(entry)}")


def _from_tsv(line: str, where: str) -> Document:
    columns = line.split("\t")
    if len(columns) == 2:
        return Document(columns[0], columns[1])
    if len(columns) == 3:
        return Document(columns[0], columns[2], columns[1])
    raise InputError(f"{where}: id<TAB>text or id<TAB>title<TAB>text expected, not {line[:80]!r}")
