"""What searches a collection, from the forms in which people have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from intentx.documents import Document, as_documents
from intentx.errors import InputError
from intentx.rankers.pipeline import Searches

__all__ = ["searched"]


def searched(collection: Any) -> Any:
    """A collection as `missing` takes it: documents as they are, and whatever searches as a room.

    An index of bm25s with its corpus is the documents of that corpus. A callable ``(query, k) ->
    documents``, best first, is a room of those that it finds.

    Raises
    ------
    InputError
        For an index without its corpus.

    Examples
    --------
    >>> room = searched(lambda query, k: {"a": "green tea", "b": "tea"})
    >>> room.search("tea", 2)[0], room.document("b").text
    (('a', 'b'), 'tea')
    """
    if isinstance(collection, Searches):
        return collection
    if hasattr(collection, "retrieve") and hasattr(collection, "corpus"):
        if collection.corpus is None:
            raise InputError(
                "the index of bm25s has no corpus, and texts are needed: load it with "
                "load_corpus=True, or give the documents as the collection"
            )
        return _corpus(collection.corpus)
    return _Called(collection) if callable(collection) else collection


def _corpus(corpus: Sequence[Any]) -> Any:
    """The documents of an index of bm25s, which keeps texts, or mappings with a number and a text."""
    if not all(isinstance(one, dict) for one in corpus):
        return list(corpus)
    return {str(one.get("id", i)): one.get("text", "") for i, one in enumerate(corpus)}


class _Called:
    """A search that is a function of the query and of a number."""

    def __init__(self, find: Callable[[str, int], Any]) -> None:
        self._find = find
        self._known: dict[str, Document] = {}

    def search(self, query: str, k: int) -> tuple[tuple[str, ...], Any]:
        """Ids of the first documents found, and numbers in their order."""
        found = as_documents(self._find(query, k))[:k]
        self._known |= {one.id: one for one in found}
        return tuple(one.id for one in found), -np.arange(float(len(found)))

    def document(self, doc_id: str) -> Document:
        """A document that was found."""
        if doc_id not in self._known:
            raise InputError(
                f"no document {doc_id!r} among those that the search found; a function that searches "
                "only gives what it finds, and the text of others is not known: give the documents, or "
                "a room with search and document"
            )
        return self._known[doc_id]
