"""Several texts as arrays of their terms."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.text.analyzer import Analyzer

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["TextIndex"]


class TextIndex:
    """Several texts as arrays: every term occurrence, with its text and its sentence.

    Attributes
    ----------
    texts, analyzer
        What was indexed, and how.
    background
        The index that collection statistics (document frequencies, mean length, …) come from:
        this one, unless another was given. Edited or unseen documents get that of the ranking.
    vocabulary
        The V distinct terms, in order of first appearance.
    text, term, sentence
        (M,) integer arrays, one entry per occurrence: number of the text, of the term in the
        vocabulary, and of the sentence.
    counts
        (V, N) sparse array, the times a term occurs in a text.
    lengths, sentence_counts
        (N,) arrays; length in occurrences.
    """

    def __init__(
        self, texts: Sequence[str], analyzer: Analyzer, background: TextIndex | None = None
    ) -> None:
        self.texts = tuple(texts)
        self.analyzer = analyzer
        self.background = self if background is None else background
        numbers: dict[str, int] = {}
        text: list[int] = []
        term: list[int] = []
        sentence: list[int] = []
        sentence_counts: list[int] = []
        for i, content in enumerate(self.texts):
            tokens = analyzer.tokens(content)
            sentence_counts.append(len(analyzer.sentences(content)))
            text += [i] * len(tokens)
            term += [numbers.setdefault(token.term, len(numbers)) for token in tokens]
            sentence += [token.sentence for token in tokens]
        self.vocabulary = tuple(numbers)
        self._numbers = numbers
        self.text = np.array(text, dtype=np.intp)
        self.term = np.array(term, dtype=np.intp)
        self.sentence = np.array(sentence, dtype=np.intp)
        self.sentence_counts = np.array(sentence_counts, dtype=np.intp)
        self.lengths = np.bincount(self.text, minlength=len(self.texts))

    @functools.cached_property
    def counts(self) -> csr_array:
        from scipy.sparse import csr_array

        shape = (len(self.vocabulary), len(self.texts))
        return csr_array((np.ones(len(self.term)), (self.term, self.text)), shape=shape)

    @functools.cached_property
    def words(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """(M,) twice: numbers of the first and of the last word of each occurrence in its text.

        Words that the analyzer leaves out, such as stopwords, are not counted. Only n-grams, and words
        that a segmenter of a user's own lets overlap, have more than one.
        """
        first: list[npt.NDArray[np.intp]] = [np.zeros(0, dtype=np.intp)]
        last = first.copy()
        for content in self.texts:
            tokens = self.analyzer.tokens(content)
            starts = np.array([token.start for token in tokens], dtype=np.intp)
            ends = np.array([token.end for token in tokens], dtype=np.intp)
            places = np.unique(starts)
            first.append(np.searchsorted(places, starts))
            last.append(np.maximum(np.searchsorted(places, ends) - 1, first[-1]))
        return np.concatenate(first), np.concatenate(last)

    def rows(self, terms: Sequence[str]) -> npt.NDArray[np.intp]:
        """(T,) numbers of ``terms`` in the vocabulary, -1 for a term that no text holds."""
        return np.array([self._numbers.get(term, -1) for term in terms], dtype=np.intp)

    def counts_of(self, terms: Sequence[str]) -> npt.NDArray[np.float64]:
        """(T, N) times each of ``terms`` occurs in each text."""
        rows = self.rows(terms)
        counts = np.zeros((len(rows), len(self.texts)))
        known = rows >= 0
        if known.any():
            counts[known] = self.counts[rows[known]].toarray()
        return counts
