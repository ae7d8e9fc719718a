"""Documents and queries from files."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator
from pathlib import Path

from intentx.datasets.records import (
    ID_KEYS,
    QID_KEYS,
    QUERY_KEYS,
    TEXT_KEYS,
    columns_of_head,
    document_in,
    filled,
    query_in,
)
from intentx.datasets.topics import trec_topics
from intentx.errors import InputError
from intentx.files import excerpt, file_name, json_object, numbered_lines
from intentx.ranking import Document

__all__ = ["read_documents", "read_queries", "stream_documents"]

Lines = Iterator[tuple[str, str]]  # each behind its place, as `numbered_lines` gives them


def read_documents(path: str | Path, wanted: Container[str] | None = None) -> tuple[Document, ...]:
    """Read documents from a JSONL or TSV file.

    Parameters
    ----------
    path
        The file, packed or not (see `intentx.files.numbered_lines`); ``"-"`` is standard input.
        When the first line starts with ``{`` each line is a JSON object with an id (``id``, ``_id``,
        ``doc_id``, ``docid`` or ``docno``), a text (``text``, ``contents``, ``content``, ``body``,
        ``passage``, ``abstract`` or ``sentences``, the last two also lists) and perhaps a ``title``.
        Otherwise each line is ``id<TAB>text`` or ``id<TAB>title<TAB>text``, and a first line that
        names an id and a text is a head, which may put the columns in another order.
    wanted
        Ids of the documents to keep, so that a collection larger than memory can be read; None: all.

    Raises
    ------
    InputError
        If there is no document, or a line is broken or repeats an id; the message names the line.
    """
    return tuple(stream_documents(path, wanted))


def stream_documents(path: str | Path, wanted: Container[str] | None = None) -> Iterator[Document]:
    """The documents of `read_documents` one by one, so that they need not fit into memory; ids must."""
    lines = numbered_lines(path)
    first = next(lines, None)
    if first is None:
        raise InputError(f"{file_name(path)} holds no documents")
    read = _documents_in_json if first[1].lstrip().startswith("{") else _documents_in_tsv
    known: set[str] = set()
    for where, document in read(itertools.chain([first], lines)):
        if document.id in known:
            raise InputError(
                f"{where}: the document id {excerpt(document.id)} is already used; ids must be distinct"
            )
        known.add(document.id)
        if wanted is None or document.id in wanted:
            yield document
    if not known:
        raise InputError(f"{file_name(path)} has a header line but no documents")


def read_queries(path: str | Path) -> dict[str, str]:
    """Read queries by their ids.

    Parameters
    ----------
    path
        The file, packed or not, in one of three forms, which its first line tells:
        ``qid<TAB>query``, perhaps below a head that names these columns; JSON objects, with an id
        (``qid``, ``_id``, ``id`` or ``query_id``) and a text (``query``, ``text``, ``contents``,
        ``content`` or ``title``); TREC topics, ``<top>`` with ``<num>`` and ``<title>``, or
        ``<topic number="…">`` with ``<query>`` or ``<title>``.

    Raises
    ------
    InputError
        If there is no query, or one is broken or repeats an id; the message names it.
    """
    lines = list(numbered_lines(path))
    if not lines:
        raise InputError(f"{file_name(path)} holds no query")
    start = lines[0][1].lstrip()[:1]
    if start == "<":
        found = trec_topics(lines)
    else:
        found = _queries_in_json(iter(lines)) if start == "{" else _queries_in_tsv(iter(lines))
    queries: dict[str, str] = {}
    for where, qid, query in found:
        if qid in queries:
            raise InputError(
                f"{where}: the query id {excerpt(qid)} is already used; ids must be distinct"
            )
        queries[qid] = query
    if not queries:
        raise InputError(f"{file_name(path)} has a header line but no query")
    return queries


def _documents_in_json(lines: Lines) -> Iterator[tuple[str, Document]]:
    for where, line in lines:
        yield where, document_in(json_object(line, where), where)


def _documents_in_tsv(lines: Lines) -> Iterator[tuple[str, Document]]:
    usual = {2: {"id": 0, "text": 1}, 3: {"id": 0, "title": 1, "text": 2}}
    form = "id<TAB>text or id<TAB>title<TAB>text"
    for number, (where, line) in enumerate(lines):
        cells = line.split("\t")
        named = columns_of_head(cells, ID_KEYS, TEXT_KEYS) if not number else None
        if named is not None:
            usual, form = {len(cells): named}, "\t".join(cells)
            continue
        places = usual.get(len(cells))
        if places is None:
            raise _wrong_columns(where, line, form)
        values = {name: cells[place] for name, place in places.items()}
        yield (
            where,
            Document(filled(values["id"], "the id", where), values["text"], values.get("title", "")),
        )


def _queries_in_tsv(lines: Lines) -> Iterator[tuple[str, str, str]]:
    places, width, form = {"id": 0, "text": 1}, 2, "qid<TAB>query"
    for number, (where, line) in enumerate(lines):
        cells = line.split("\t")
        named = columns_of_head(cells, QID_KEYS, QUERY_KEYS) if not number else None
        if named is not None:
            places, width, form = named, len(cells), "\t".join(cells)
            continue
        if len(cells) != width:
            raise _wrong_columns(where, line, form)
        qid = filled(cells[places["id"]], "the id", where)
        yield where, qid, filled(cells[places["text"]], f"query {excerpt(qid)}", where)


def _queries_in_json(lines: Lines) -> Iterator[tuple[str, str, str]]:
    for where, line in lines:
        yield where, *query_in(json_object(line, where), where)


def _wrong_columns(where: str, line: str, form: str) -> InputError:
    number = line.count("\t") + 1
    columns = "one column" if number == 1 else f"{number} columns"
    hint = ""
    if number > 2:
        hint = "; a text may hold no tab"
        if "<TAB>" in form:  # no first line has named the columns
            named = f"{form.split(' or ')[0]}<TAB>other"
            hint += f", and more columns need a first line that names them, such as {named}"
    elif line.lstrip().startswith("["):
        hint = "; of JSON, one object stands on each line: jq -c '.[]' FILE writes an array so"
    elif "," in line.split(" ")[0]:
        hint = "; tabs stand between columns, and not commas"
    return InputError(
        f"{where}: {form.replace(chr(9), '<TAB>')} expected, not {excerpt(line)}, {columns}{hint}"
    )
