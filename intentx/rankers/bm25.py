"""BM25 as a scorer, by rank-bm25."""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.text import Analyzer

__all__ = ["BM25"]


class BM25:
    """BM25 (rank-bm25's ``BM25Okapi``) over an analyzer's terms.

    Parameters
    ----------
    collection
        Texts that document frequencies and the average length are taken from: a whole collection,
        or the candidates to be ranked. Any text can be scored, in the collection or not.
    analyzer
        How texts become terms; by default English stems, stopwords left out.
    k1, b
        Term saturation and length normalisation.

    Notes
    -----
    A term in more than half of the collection gets rank-bm25's floor: a quarter of the mean idf.

    Examples
    --------
    >>> collection = ["green tea", "black tea", "a piano", "a boat", "a house"]
    >>> BM25(collection)("tea", ["green tea", "piano"]).round(2).tolist()
    [0.31, 0.0]
    """

    def __init__(
        self,
        collection: Sequence[str],
        *,
        analyzer: Analyzer | None = None,
        k1: float = 0.9,
        b: float = 0.4,
    ) -> None:
        from rank_bm25 import BM25Okapi

        self.analyzer = analyzer or Analyzer(stem="english")
        rows = [self._terms(text) for text in collection]
        if not any(rows):
            raise InputError("BM25 needs a collection with at least one word that is not a stopword")
        self._model = BM25Okapi(rows, k1=k1, b=b)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Stands for the settings and the collection's statistics."""
        model = self._model
        statistics = {"idf": model.idf, "mean_length": model.avgdl}
        settings = {"k1": model.k1, "b": model.b, "analyzer": self.analyzer.to_dict()}
        return fingerprint_of({"ranker": "BM25", **settings, **statistics})

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        rows = [self._terms(text) for text in texts]
        model = copy.copy(self._model)  # the collection's statistics, other documents
        model.doc_freqs = [Counter(row) for row in rows]
        model.doc_len = [len(row) for row in rows]
        model.corpus_size = len(rows)
        return np.asarray(model.get_scores(self._terms(query)), dtype=np.float64)

    def _terms(self, text: str) -> list[str]:
        return [token.term for token in self.analyzer.tokens(text)]
