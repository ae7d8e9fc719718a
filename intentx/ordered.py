"""Documents in an order, by ids and scores: what rankings of texts and of features share."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.documents import IntegerId, id_of, refuse_duplicates, some
from intentx.errors import InputError

__all__ = ["Ordered", "best_first"]

Floats = npt.NDArray[np.float64]


class Ordered:
    """Documents in a ranker's order for one query.

    Attributes
    ----------
    query
        The query.
    doc_ids
        N document ids, best first; ties keep the order of the input.
    scores
        (N,) scores, not increasing; read-only.
    """

    query: str
    doc_ids: tuple[str, ...]
    scores: Floats

    def __len__(self) -> int:
        return len(self.doc_ids)

    def position(self, doc: str | int) -> int:
        """The 0-based position of a document given by its id, or by the position itself.

        Where ids were given as integers, an integer that may be the position of one document and the
        id of another is refused, and so is one that is no id at all.

        Raises
        ------
        InputError
            If there is no such document, or it is open which one is meant.

        Examples
        --------
        >>> from intentx.ranking import rank
        >>> docs = {"a": "green tea", "b": "a boat"}
        >>> ranking = rank(lambda query, texts: [len(text) for text in texts], "tea", docs)
        >>> ranking.position("b"), ranking.position(1)
        (1, 1)
        """
        if isinstance(doc, str):
            if doc not in self.doc_ids:
                raise InputError(f"no document {doc!r} in the ranking; it has {some(self.doc_ids)}")
            return self.doc_ids.index(doc)
        try:
            place = operator.index(doc)
        except TypeError:
            place = None
        if place is None or isinstance(doc, bool):
            raise InputError(
                f"a document is named by its id, a text, or by its position, an integer; not {doc!r}"
            )
        if any(isinstance(doc_id, IntegerId) for doc_id in self.doc_ids):
            return self._by_integer_id(place)
        if not 0 <= place < len(self):
            raise InputError(
                f"no position {place} in a ranking of {len(self)} documents (0 is the best)"
            )
        return place

    def _by_integer_id(self, number: int) -> int:
        """The position of the document with this id, where it cannot be mistaken for a position."""
        name = str(number)
        named = self.doc_ids.index(name) if name in self.doc_ids else None
        if named is not None and (named == number or not 0 <= number < len(self)):
            return named
        first = (
            f"doc={name!r} for the document with that id"
            if named is not None
            else f"there is no document {name!r}"
        )
        second = (
            f", doc=ranking.doc_ids[{number}] for the one at that position, 0 being the best"
            if 0 <= number < len(self)
            else f"; it has {some(self.doc_ids)}"
        )
        raise InputError(
            f"the documents have integers as ids, and {number} may be an id or a position: "
            f"{first}{second}"
        )


def best_first(
    query: Any, doc_ids: Sequence[Any], scores: Any
) -> tuple[tuple[str, ...], Floats, npt.NDArray[np.intp]]:
    """Ids and scores sorted best first, and the order (N,) that sorts what comes with them.

    Raises
    ------
    InputError
        If the query is empty, there is no document, an id is used twice or is none, or the scores are
        not N finite numbers.

    Examples
    --------
    >>> ids, scores, order = best_first("tea", ["a", "b"], [1, 2])
    >>> ids, scores.tolist(), order.tolist()
    (('b', 'a'), [2.0, 1.0], [1, 0])
    """
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"the query must be a text with at least one character, not {query!r}")
    try:
        values = np.array(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the scores of a ranking must be numbers: {error}") from error
    if values.ndim != 1 or len(doc_ids) != len(values):
        raise InputError(
            "doc_ids and scores must have one entry per document, not "
            f"{len(doc_ids)} and shape {values.shape}"
        )
    if not len(values):
        raise InputError("a ranking needs at least one document, and there is none")
    if np.ma.is_masked(scores):
        bad = int(np.argmax(np.ma.getmaskarray(scores)))
        raise InputError(f"the score of document {doc_ids[bad]!r} is masked, and no number")
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        raise InputError(f"document {doc_ids[bad]!r} has the score {values[bad]}")
    ids = tuple(id_of(given, "a document's id") for given in doc_ids)
    refuse_duplicates(ids)
    order = np.argsort(-values, kind="stable")
    values = values[order]
    values.flags.writeable = False
    return tuple(ids[i] for i in order), values, order
