"""Documents and queries from files."""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from intentx.errors import InputError
from intentx.files import numbered_lines
from intentx.ranking import Document

__all__ = ["read_documents", "read_queries"]

ID_KEYS = ("id", "_id", "doc_id", "docid", "docno")
TEXT_KEYS = ("text", "contents", "body")
QID_KEYS = ("qid", "_id", "id", "query_id")
QUERY_KEYS = ("query", "text", "title")


def read_documents(path: str | Path, wanted: Container[str] | None = None) -> tuple[Document, ...]:
    """Read documents from a JSONL or TSV file.

    Parameters
    ----------
    path
        The file, gzipped or not; ``"-"`` is standard input. When the first line starts with
        ``{`` each line is a JSON object with an id (``id``, ``_id``, ``doc_id``, ``docid`` or
        ``docno``), a text (``text``, ``contents`` or ``body``) and perhaps a ``title``.
        Otherwise each line is ``id<TAB>text`` or ``id<TAB>title<TAB>text``.
    wanted
        Ids of the documents to keep, so that a collection larger than memory can be read; None: all.

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
        if wanted is None or document.id in wanted:
            documents[document.id] = document
    return tuple(documents.values())


def read_queries(path: str | Path) -> dict[str, str]:
    """Read queries by their ids.

    Parameters
    ----------
    path
        The file, gzipped or not, in one of three forms, which its first line tells: ``qid<TAB>query``;
        JSON objects, with an id (``qid``, ``_id``, ``id`` or ``query_id``) and a text (``query``,
        ``text`` or ``title``); TREC topics, ``<top>`` with ``<num>`` and ``<title>``, or ``<topic
        number="…">`` with ``<query>`` or ``<title>``.

    Raises
    ------
    InputError
        If there is no query, or one is broken or repeats an id; the message names it.
    """
    lines = list(numbered_lines(path))
    if not lines:
        raise InputError(f"{path} holds no query")
    start = lines[0][1].lstrip()[:1]
    parse = {"{": _queries_from_json, "<": _queries_from_trec}.get(start, _queries_from_tsv)
    queries: dict[str, str] = {}
    for where, qid, query in parse(lines):
        if qid in queries:
            raise InputError(f"{where}: a query {qid!r} was there before")
        queries[qid] = query
    return queries


Lines = list[tuple[str, str]]  # each behind its place, as `numbered_lines` gives them
Queries = Iterator[tuple[str, str, str]]  # place, id and text

_TOPIC = re.compile(r"<(topic|top)\b([^>]*)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"""\bnumber\s*=\s*["']?\s*([^"'\s>]+)""", re.IGNORECASE)
_NUM = re.compile(r"<num>\s*(?:number\s*:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<(?:query|title)>\s*(?:topic\s*:)?([^<]*)", re.IGNORECASE)


def _queries_from_tsv(lines: Lines) -> Queries:
    for where, line in lines:
        qid, tab, query = line.partition("\t")
        if not tab:
            raise InputError(f"{where}: qid<TAB>query expected, not {line[:80]!r}")
        yield where, qid, query


def _queries_from_json(lines: Lines) -> Queries:
    for where, line in lines:
        entry = _object(line, where)
        yield where, str(_value(entry, QID_KEYS, where)), str(_value(entry, QUERY_KEYS, where))


def _queries_from_trec(lines: Lines) -> Queries:
    name = lines[0][0].rpartition(", line ")[0]
    topics = list(_TOPIC.finditer("\n".join(line for _, line in lines)))
    if not topics:
        raise InputError(f"{name}: <top> … </top> or <topic number=…> … </topic> expected")
    for number, topic in enumerate(topics, start=1):
        _, head, body = topic.groups()
        found = _NUMBER.search(head) or _NUM.search(body), _TITLE.search(body)
        if not all(found):
            raise InputError(f"{name}, topic {number}: a number, and a <title> or <query>, expected")
        qid, query = (html.unescape(part.group(1)) for part in found if part)
        yield f"{name}, topic {number}", qid, " ".join(query.split())


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: broken JSON: {error}") from error
    if not isinstance(entry, dict):
        raise InputError(f"{where}: a JSON object expected, not {line[:80]!r}")
    return entry


def _from_json(line: str, where: str) -> Document:
    entry = _object(line, where)
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
