"""Documents in the forms that people have them in."""

from __future__ import annotations

import io
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from intentx.errors import InputError

__all__ = ["Document", "Documents", "IntegerId", "as_documents", "documents_in", "id_of", "texts_in"]

ID_COLUMNS = ("docno", "doc_id", "docid", "id", "_id")
TEXT_COLUMNS = ("text", "contents", "content", "body", "passage")
QUERY_COLUMNS = ("qid", "query_id", "query")


@dataclass(frozen=True)
class Document:
    """One document. Rankers and explanations see `content`: title and text."""

    id: str
    text: str
    title: str = ""

    @property
    def content(self) -> str:
        return f"{self.title}\n{self.text}" if self.title else self.text


class IntegerId(str):
    """An id that was given as an integer: the text of that integer, as any other id.

    `Ranking.position` takes no plain integer for a position where there are such ids.
    """

    __slots__ = ()


Documents = Sequence[str] | Sequence[Document] | Sequence[Mapping[str, Any]] | Mapping[Any, Any] | Any


def as_documents(docs: Documents) -> tuple[Document, ...]:
    """Documents in any of the accepted forms as a tuple of `Document` with distinct ids.

    Parameters
    ----------
    docs
        - A sequence of texts. The ids are the places in it: "0", "1", …
        - A mapping of ids to texts, or to mappings with ``text`` and perhaps ``title``.
        - A sequence of `Document`, or of mappings with an id and a text.
        - A pandas Series of texts. Its index gives the ids.
        - A frame (pandas, polars, Arrow) with a column of texts: ``text``, ``contents``,
          ``content``, ``body`` or ``passage``. The ids are in the first of the columns ``docno``,
          ``doc_id``, ``docid``, ``id`` and ``_id``; without one, pandas' index gives them, and
          elsewhere the places do. A column ``title`` may be there. Columns ``qid``, ``query_id`` or
          ``query`` must name one query only.

        Ids are texts or integers. An integer becomes its text, as an `IntegerId`.

    Raises
    ------
    InputError
        For no documents, duplicate ids, ids that are neither text nor integer, texts that are missing
        or no strings, forms without an order (sets), and frames whose columns leave it open what is
        meant.

    Examples
    --------
    >>> as_documents({"a": "green tea", 7: "a boat"})
    (Document(id='a', text='green tea', title=''), Document(id='7', text='a boat', title=''))
    >>> as_documents([{"docno": "d3", "text": "green tea"}])
    (Document(id='d3', text='green tea', title=''),)
    """
    documents = tuple(documents_in(docs))
    if not documents:
        raise InputError("there are no documents to rank")
    refuse_duplicates([document.id for document in documents])
    return documents


def texts_in(docs: Documents) -> Iterator[str]:
    """The contents of documents in any form, one by one; their ids need not be distinct."""
    return (document.content for document in documents_in(docs))


def documents_in(docs: Documents) -> Iterator[Document]:
    """Documents in any of the forms of `as_documents`, one by one, each checked by itself.

    Raises
    ------
    InputError
        As `as_documents`, but for duplicate ids and no documents at all.
    """
    if isinstance(docs, str | bytes | Document):
        raise InputError("docs must be a sequence of documents, not a single one; put it in a list")
    if docs is None:
        raise InputError("there are no documents to rank: docs is None")
    if isinstance(docs, set | frozenset):
        raise InputError("docs is a set, which has no order: give a list, or a mapping of ids to texts")
    if isinstance(docs, io.IOBase):
        raise InputError("docs is an open file; intentx.datasets.read_documents(path) reads documents")
    if isinstance(docs, Mapping):
        return (_named(name, value) for name, value in docs.items())
    if columns_of(docs) is not None:
        return _rows(docs)
    if hasattr(docs, "iloc"):  # a Series of pandas, or of a package made like it
        series: Any = docs
        return (_named(name, value) for name, value in series.items())
    if hasattr(docs, "tolist") and hasattr(docs, "ndim"):  # an array
        if docs.ndim != 1:
            raise InputError(f"docs must have one dimension, not {docs.ndim}: give a list of texts")
        docs = docs.tolist()
    if not isinstance(docs, Iterable):
        raise InputError(
            "docs must be a sequence of texts or documents, a mapping of ids to texts, or a frame, "
            f"not {type(docs).__name__}; intentx.datasets.read_documents(path) reads a file"
        )
    return (_unnamed(place, value) for place, value in enumerate(docs))


def id_of(given: object, what: str = "an id") -> str:
    """An id as text; an integer as `IntegerId`.

    Raises
    ------
    InputError
        If it is neither text nor integer.

    Examples
    --------
    >>> id_of(7) == "7", id_of("7") == "7"
    (True, True)
    """
    if isinstance(given, IntegerId):
        return given
    if isinstance(given, str):
        return str(given)
    if isinstance(given, bytes):
        raise InputError(f"{what} must be text, not the bytes {given!r}; decode it")
    if not isinstance(given, bool) and hasattr(given, "__index__"):
        try:
            return IntegerId(operator.index(given))
        except TypeError:  # an array of several numbers, for one
            pass
    raise InputError(f"{what} must be text or an integer, not {given!r} ({type(given).__name__})")


def refuse_duplicates(ids: Sequence[str]) -> None:
    """An InputError that names ids which stand there twice."""
    repeated = [doc_id for doc_id, times in Counter(ids).items() if times > 1]
    if repeated:
        raise InputError(f"document ids must be distinct; repeated: {some(repeated)}")


def some(names: Sequence[str]) -> str:
    """A few names in quotation marks, and how many more there are."""
    return listed([repr(name) for name in names])


def listed(things: Sequence[str], most: int = 5) -> str:
    """A few things, and how many more there are."""
    shown = ", ".join(things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"


def columns_of(frame: object) -> list[Any] | None:
    """Names of the columns of a frame; None for what is no frame."""
    for name in ("column_names", "columns"):  # Arrow's and Hugging Face's, then all others'
        names = getattr(frame, name, None)
        if names is not None and not callable(names) and hasattr(frame, "__getitem__"):
            return list(names)
    return None


def column_of(frame: Any, name: str) -> list[Any]:
    """The values of one column of a frame."""
    names = columns_of(frame) or []
    if names.count(name) > 1:
        raise InputError(f"the frame has {names.count(name)} columns {name!r}; keep one")
    column = frame[name]
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    try:
        return list(column)
    except TypeError as error:
        raise InputError(
            f"the columns of a {type(frame).__name__} cannot be read; convert it to a pandas DataFrame"
        ) from error


def ids_of_frame(frame: Any) -> tuple[str, list[Any]]:
    """What the ids of a frame's rows are called, and the ids as they are given.

    Raises
    ------
    InputError
        If the frame has several columns for ids without ``docno`` among them, or several queries.
    """
    names = columns_of(frame) or []
    for column in QUERY_COLUMNS:
        if column in names:
            queries = list(dict.fromkeys(map(str, column_of(frame, column))))
            if len(queries) > 1:
                raise InputError(
                    f"the frame has rows of {len(queries)} queries in its column {column!r} "
                    f"({some(queries)}), and one ranking is of one query: take the rows of one, "
                    f"frame[frame[{column!r}] == {queries[0]!r}]"
                )
    found = [name for name in ID_COLUMNS if name in names]
    if found and (len(found) == 1 or found[0] == "docno"):
        return found[0], column_of(frame, found[0])
    if found:
        raise InputError(
            f"the frame has several columns that may be ids: {some(found)}; keep one, or name it 'docno'"
        )
    if hasattr(frame, "iloc"):
        return "index", list(frame.index)
    return "place", [str(place) for place in range(len(frame))]


def _rows(frame: Any) -> Iterator[Document]:
    """The rows of a frame as documents."""
    names = columns_of(frame) or []
    found = [name for name in TEXT_COLUMNS if name in names]
    if len(found) != 1:
        had = f"it has {some([str(name) for name in names])}" if names else "it has no columns"
        problem = f"keep one of {some(found)}" if found else f"one of {', '.join(TEXT_COLUMNS)}; {had}"
        raise InputError(f"the frame needs one column with the texts: {problem}")
    called, ids = ids_of_frame(frame)
    texts = column_of(frame, found[0])
    titles = column_of(frame, "title") if "title" in names else [""] * len(texts)
    for row, (given, text, title) in enumerate(zip(ids, texts, titles, strict=True)):
        if _missing(given):
            raise InputError(f"row {row} of the frame, counted from 0, has no {called}: {given!r}")
        doc_id = id_of(given, f"the {called} of row {row}")
        if _missing(text):
            raise InputError(
                f"row {row} of the frame, counted from 0 ({called} {doc_id!r}), has no {found[0]}: "
                f"{text!r}; leave it out or fill it in"
            )
        yield _checked(Document(doc_id, text, "" if _missing(title) else title))


def _named(name: object, value: Any) -> Document:
    """A document behind its id, in a mapping or a Series."""
    doc_id = id_of(name, "a document's id")
    if isinstance(value, Document):
        document = _checked(value)
    elif isinstance(value, Mapping):
        document = _of_mapping(value, f"document {doc_id!r}", doc_id)
    else:
        return _checked(Document(doc_id, value))
    if document.id != doc_id:
        raise InputError(f"the document under the id {doc_id!r} says that its own id is {document.id!r}")
    return replace(document, id=doc_id)


def _unnamed(place: int, value: Any) -> Document:
    """A document from its place in a sequence."""
    if isinstance(value, Document):
        return _checked(value)
    if isinstance(value, Mapping):
        return _of_mapping(value, f"document {place}, counted from 0,", None)
    if isinstance(value, tuple | list) and len(value) == 2:
        raise InputError(
            f"document {place}, counted from 0, is a {type(value).__name__} of two: give ids and texts "
            "as a mapping, dict(docs)"
        )
    return _checked(Document(str(place), value))


def _of_mapping(plain: Mapping[Any, Any], which: str, known: str | None) -> Document:
    """A document from named parts; its id may be known from elsewhere."""
    ids = [key for key in ID_COLUMNS if key in plain]
    texts = [key for key in TEXT_COLUMNS if key in plain]
    if len(texts) != 1:
        keys = some([str(key) for key in plain])
        raise InputError(
            f"{which} needs one text, under one of {', '.join(TEXT_COLUMNS)}; it has {keys}"
        )
    if not ids and known is None:
        raise InputError(
            f"{which} needs an id, under one of {', '.join(ID_COLUMNS)}; documents without ids "
            "are given as texts alone"
        )
    if len(ids) > 1 and ids[0] != "docno":
        raise InputError(f"{which} has several ids: {some(ids)}; keep one")
    doc_id = id_of(plain[ids[0]] if ids else known, f"the id of {which}")
    title = plain.get("title")
    return _checked(Document(doc_id, plain[texts[0]], "" if _missing(title) else cast("str", title)))


def _checked(document: Document) -> Document:
    """The document with its id as text, if its parts are texts."""
    doc_id = id_of(document.id, "a document's id")
    for part, value in (("text", document.text), ("title", document.title)):
        if not isinstance(value, str):
            hint = "; decode it" if isinstance(value, bytes) else ""
            raise InputError(
                f"the {part} of document {doc_id!r} must be a string, not {type(value).__name__}{hint}"
            )
    return document if document.id is doc_id else replace(document, id=doc_id)


def _missing(value: object) -> bool:
    """Whether it stands for a value that is not there: None, NaN, pandas' NA and NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value
