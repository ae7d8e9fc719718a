"""rank-bm25's ``BM25Okapi`` with the idf that is never negative."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi

__all__ = ["Okapi", "idf"]


def idf(texts: int, holding: int) -> float:
    """Lucene's weight of a term that ``holding`` of ``texts`` texts hold; always above 0.

    ``ln(1 + (N - df + 0.5) / (df + 0.5))``. The idf of Robertson and Spärck Jones, without the 1, is
    0 for a term in half of the texts and negative beyond.

    >>> round(idf(6, 3), 3), round(idf(3, 3), 3)
    (0.693, 0.134)
    """
    return math.log(1 + (texts - holding + 0.5) / (holding + 0.5))


class Okapi(BM25Okapi):  # type: ignore[misc]
    """The statistics of a collection, and scores of any texts by them.

    Parameters
    ----------
    corpus
        The terms of each text.
    k1, b
        As in `intentx.rankers.BM25`.
    """

    def __init__(self, corpus: Sequence[Sequence[str]], *, k1: float, b: float) -> None:
        super().__init__(corpus, k1=k1, b=b)
        # The counts of the collection's own texts are not needed.
        self.doc_freqs: Sequence[Mapping[str, int]] = ()
        self.doc_len: Sequence[int] = ()

    @classmethod
    def of_statistics(cls, weights: Any, mean_length: float, *, k1: float, b: float) -> Okapi:
        """From the idf of each term, as ``weights.get`` gives it, and the mean length of a text."""
        made = cls.__new__(cls)
        made.k1, made.b, made.idf, made.avgdl = k1, b, weights, mean_length
        made.doc_freqs, made.doc_len = (), ()
        return made

    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {term: idf(self.corpus_size, holding) for term, holding in nd.items()}

    def scores_of(
        self, query: Sequence[str], counts: Sequence[Mapping[str, int]], lengths: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """(N,) scores of texts that are given by their counts of terms and their lengths in terms."""
        asked = Okapi.__new__(Okapi)  # one call's own, so that threads do not meet
        asked.__dict__.update(self.__dict__)
        asked.doc_freqs, asked.corpus_size = counts, len(counts)
        asked.doc_len = [max(length, 1) for length in lengths]  # with b = 1 an empty text is 0 / 0
        asked.k1 = self.k1 or np.finfo(float).tiny  # likewise without the term, where k1 = 0
        return np.asarray(asked.get_scores(query), dtype=np.float64)
