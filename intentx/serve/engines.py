"""First stages of the search page: what finds the documents that rankers then order."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from intentx.datasets import demo_queries, load_demo
from intentx.documents import Document
from intentx.errors import InputError
from intentx.search import SearchIndex

__all__ = ["DemoEngine", "Engine", "Hit", "IndexEngine", "Passage"]

Queries = Mapping[str, str] | Sequence[str]


class Hit(NamedTuple):
    """A document that a search found."""

    doc_id: str
    score: float


class Passage(NamedTuple):
    """A document as the page shows it."""

    doc_id: str
    title: str
    text: str


@runtime_checkable
class Engine(Protocol):
    """What searches one collection."""

    name: str

    def __len__(self) -> int: ...

    def search(self, query: str, k: int) -> list[Hit]:
        """The ``k`` best documents, best first, ties by id."""
        ...

    def documents(self, ids: Sequence[str]) -> list[Passage]:
        """The documents of these ids; an InputError names unknown ones."""
        ...

    def place(self, query: str, doc_id: str) -> tuple[int | None, float]:
        """Rank in the whole collection, from 1, and score; None: not found by the query."""
        ...

    def close(self) -> None: ...


class IndexEngine:
    """A collection that is searched by BM25 in an index on this machine.

    Parameters
    ----------
    name
        What the page calls the collection.
    index
        Its index. One in a folder goes to other processes as that folder.
    queries
        Queries to suggest, or texts by the ids that recorded runs have.

    Examples
    --------
    >>> index = SearchIndex.build({"a": "green tea", "b": "a boat", "c": "black tea in a tea pot"})
    >>> with IndexEngine("drinks", index) as engine:
    ...     [hit.doc_id for hit in engine.search("green tea", 10)], engine.place("green tea", "c")[0]
    (['a', 'c'], 2)
    """

    def __init__(self, name: str, index: SearchIndex, queries: Queries = ()) -> None:
        self.name, self.index, self.queries = name, index, queries

    @classmethod
    def opened(cls, name: str, folder: str | Path, queries: Queries = ()) -> IndexEngine:
        """One whose index is in a folder."""
        return cls(name, SearchIndex.open(folder), queries)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.index.folder is None:
            return type(self), (self.name, self.index, self.queries)  # which the index refuses
        return type(self).opened, (self.name, self.index.folder, self.queries)

    def __len__(self) -> int:
        return len(self.index)

    def __enter__(self) -> IndexEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def search(self, query: str, k: int) -> list[Hit]:
        found = self.index.search(query, k, by_id=True)
        return [Hit(*one) for one in zip(found.ids, found.scores.tolist(), strict=True)]

    def documents(self, ids: Sequence[str]) -> list[Passage]:
        found = [self._document(doc_id) for doc_id in ids]
        return [Passage(one.id, one.title, one.text) for one in found]

    def place(self, query: str, doc_id: str) -> tuple[int | None, float]:
        self._document(doc_id)
        return self.index.rank(query, doc_id)

    def close(self) -> None:
        self.index.close()

    def _document(self, doc_id: str) -> Document:
        found = self.index.find(doc_id)
        if found is None:
            raise InputError(f"no document {doc_id!r} in the collection {self.name!r}")
        return found


class DemoEngine(IndexEngine):
    """The embedded demo collection in memory, searched by BM25.

    Examples
    --------
    >>> engine = DemoEngine()
    >>> len(engine.search("jaguar speed", 5)), engine.place("jaguar speed", "nothing")[0]
    Traceback (most recent call last):
    intentx.errors.InputError: no document 'nothing' in the collection 'demo'
    """

    def __init__(self, name: str = "demo") -> None:
        super().__init__(name, _demo_index(), demo_queries())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name,)

    def close(self) -> None:
        """Nothing to let go of: the index is that of the whole process."""


@functools.cache
def _demo_index() -> SearchIndex:
    """Built once in a process."""
    documents = [one for query in demo_queries() for one in load_demo(query).documents]
    return SearchIndex.build({one.id: one.text for one in documents})
