"""The BM25 weight of each term in each document."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.search.build import Settings
from intentx.search.store import DocumentStore, Ints

if TYPE_CHECKING:
    from bm25s import BM25

__all__ = ["weights_of"]

PART = 50_000  # documents whose terms are counted at a time


def weights_of(store: DocumentStore, settings: Settings) -> BM25:
    """The weights of an index, as bm25s keeps and adds them.

    Lucene's idf, which is never negative, and the factor ``k1 + 1`` that Lucene leaves out, as in
    `intentx.rankers.BM25`; in double precision, so that both give the same scores. bm25s computes
    them document by document; here it is done for many at once, with the same operations.
    """
    from bm25s import BM25

    model = BM25(
        k1=settings.k1,
        b=settings.b,
        method="atire",
        idf_method="lucene",
        dtype="float64",
        csc_backend="scipy",
    )
    terms, lengths = store.occurrences()
    model.scores = _weights(terms, lengths, len(store.vocabulary()), settings)
    model.nonoccurrence_array, model.vocab_dict = None, {}  # the store has the words
    return model


def _weights(
    terms: Ints, lengths: npt.NDArray[np.int64], vocabulary: int, settings: Settings
) -> dict[str, Any]:
    """A sparse matrix of documents and terms, in the form of bm25s."""
    from scipy.sparse import csc_matrix

    places, numbers, times = _counts(terms, lengths, vocabulary)
    frequencies = np.bincount(numbers, minlength=vocabulary)
    idf = _idf(frequencies, len(lengths))
    k1, b, mean = settings.k1, settings.b, lengths.mean()
    norms = k1 * (1 - b + b * lengths / mean)
    data = (times * (k1 + 1)) / (times + norms[places])
    data *= idf[numbers]
    matrix = csc_matrix((data, (places, numbers)), shape=(len(lengths), vocabulary))
    return {
        "data": matrix.data,
        "indices": matrix.indices,
        "indptr": matrix.indptr,
        "num_docs": len(lengths),
    }


def _counts(
    terms: Ints, lengths: npt.NDArray[np.int64], vocabulary: int
) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """(M,) places of documents, numbers of terms in them, and how often each stands there."""
    places, numbers, times = [], [], []
    start = 0
    for first in range(0, len(lengths), PART):
        part = lengths[first : first + PART]
        end = start + int(part.sum())
        keys = np.repeat(np.arange(len(part)), part) * vocabulary + terms[start:end]
        found, count = np.unique(keys, return_counts=True)
        place, number = np.divmod(found, vocabulary)
        places.append((place + first).astype(np.int32))
        numbers.append(number.astype(np.int32))
        times.append(count.astype(np.float64))
        start = end
    return np.concatenate(places), np.concatenate(numbers), np.concatenate(times)


def _idf(frequencies: npt.NDArray[np.intp], documents: int) -> npt.NDArray[np.float64]:
    """Of each term that this many documents hold; 0 of those that none holds."""
    known, inverse = np.unique(frequencies, return_inverse=True)
    values = [math.log(1 + (documents - n + 0.5) / (n + 0.5)) if n else 0.0 for n in known.tolist()]
    return np.array(values)[inverse]
