"""First stages of the search page: what finds the documents that rankers then order."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from intentx.datasets import demo_queries, load_demo
from intentx.documents import Document
from intentx.errors import InputError
from intentx.search import SearchIndex

__all__ = ["DemoEngine", "Engine", "Hit", "Passage"]


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


class DemoEngine:
    """The embedded demo collection in memory, searched by BM25.

    Examples
    --------
    >>> engine = DemoEngine()
    >>> len(engine.search("jaguar speed", 5)), engine.place("jaguar speed", "nothing")[0]
    Traceback (most recent call last):
    intentx.errors.InputError: no document 'nothing' in the collection 'demo'
    """

    def __init__(self, name: str = "demo") -> None:
        self.name = name
        self.queries = demo_queries()
        self.index = _demo_index()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name,)

    def __len__(self) -> int:
        return len(self.index)

    def search(self, query: str, k: int) -> list[Hit]:
        found = self.index.search(query, len(self))
        pairs = [Hit(one, float(score)) for one, score in zip(found.ids, found.scores, strict=True)]
        return sorted(pairs, key=lambda hit: (-hit.score, hit.doc_id))[:k]

    def documents(self, ids: Sequence[str]) -> list[Passage]:
        return [Passage(one.id, one.title, one.text) for one in map(self._document, ids)]

    def place(self, query: str, doc_id: str) -> tuple[int | None, float]:
        self._document(doc_id)
        for rank, hit in enumerate(self.search(query, len(self)), start=1):
            if hit.doc_id == doc_id:
                return rank, hit.score
        return None, 0.0

    def close(self) -> None:
        """Nothing to let go of: the index is that of the whole process."""

    def _document(self, doc_id: str) -> Document:
        try:
            return self.index.document(doc_id)
        except InputError as error:
            raise InputError(f"no document {doc_id!r} in the collection {self.name!r}") from error


@functools.cache
def _demo_index() -> SearchIndex:
    """Built once in a process."""
    documents = [one for query in demo_queries() for one in load_demo(query).documents]
    return SearchIndex.build({one.id: one.text for one in documents})
