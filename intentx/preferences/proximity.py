"""The simple ranker that looks at how near a term stands to the terms of the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.ranking import Ranking
from intentx.text import TextIndex

__all__ = ["Proximity"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Proximity:
    """How near to terms of the query a term stands in a text.

    ``ln(1 + sum over occurrences i of t of exp(-d_i^2 / (2 width^2)))``, where d_i is the distance in
    words from occurrence i to the nearest occurrence of *another* term of the query that it does not
    overlap. The kernel is the Gaussian one of positional language models (Lv & Zhai 2009), and weighing
    a term by its distance to the query's terms is what their positional relevance model does (2010);
    the nearest occurrence is what the minimum distance of Tao & Zhai (2007) goes by.

    A term of the query is not near itself: only its distance to the other terms of the query counts, so
    that the term of a query of one word scores 0. So does every term in a text without another term of
    the query, and a query without terms gives 0 everywhere. Distances are those of the text that is
    scored: a word that is put into a text or taken out of it moves the words around it. Words that the
    analyzer leaves out are not counted. M occurrences take ``O(M log M)`` time.

    Measured, it adds nothing to the other simple rankers: see ``docs/methods.md``.

    Parameters
    ----------
    query
        Whose terms count. None: the query of the ranking that is explained.
    width
        The distance in words at which closeness has fallen to ``exp(-1/2)``, .61.

    Examples
    --------
    >>> from intentx.text import Analyzer
    >>> index = TextIndex(["piano keyboard", "piano desk keyboard", "piano"], Analyzer())
    >>> Proximity("piano reviews", width=1.0).term_scores(["keyboard"], index).round(3).tolist()
    [[0.474, 0.127, 0.0]]
    """

    query: str | None = None
    width: float = 10.0
    name: str = "proximity"

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise InputError(f"width is a number of words above 0, not {self.width!r}")

    def for_ranking(self, ranking: Ranking) -> Proximity:
        """With the query of ``ranking``, unless it has one."""
        return self if self.query is not None else replace(self, query=ranking.query)

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        if self.query is None:
            raise InputError("Proximity needs a query: Proximity(query), or for_ranking(ranking)")
        wanted, row = np.unique(index.rows(terms), return_inverse=True)
        of_query = index.rows(index.analyzer.terms(self.query))
        of_query = of_query[of_query >= 0]
        nears = np.isin(index.term, of_query)
        closeness = np.zeros(len(index.term))
        asked = np.isin(index.term, wanted)
        by_others = asked & ~nears
        closeness[by_others] = self._closeness(index, by_others, nears)
        for term in np.intersect1d(wanted, of_query):
            own = index.term == term
            closeness[own] = self._closeness(index, own, nears & ~own)
        column = np.full(len(index.vocabulary) + 1, -1)
        column[wanted] = np.arange(len(wanted))  # unknown terms, -1, land in the unused last entry
        cells = column[index.term[asked]] * len(index.texts) + index.text[asked]
        shape = (len(wanted), len(index.texts))
        sums = np.bincount(cells, weights=closeness[asked], minlength=shape[0] * shape[1])
        return np.asarray(np.log1p(sums.reshape(shape))[row])

    def _closeness(
        self, index: TextIndex, these: npt.NDArray[np.bool_], nears: npt.NDArray[np.bool_]
    ) -> Floats:
        """Of each occurrence of ``these``, the closeness of the nearest of ``nears`` in its text."""
        first, last = index.words
        length = int(last.max(initial=0)) + 1
        begin = index.text * length  # so that one line of numbers holds the words of all texts
        before, after = np.sort((begin + last)[nears]), np.sort((begin + first)[nears])
        text, left, right = begin[these], (begin + first)[these], (begin + last)[these]
        distance = np.full(len(text), np.inf)
        if len(before):
            place = np.searchsorted(before, left) - 1
            found = before[np.maximum(place, 0)]
            inside = (place >= 0) & (found >= text)
            distance[inside] = (left - found)[inside]
            place = np.searchsorted(after, right, side="right")
            found = after[np.minimum(place, len(after) - 1)]
            inside = (place < len(after)) & (found < text + length)
            distance[inside] = np.minimum(distance, found - right)[inside]
        return np.asarray(np.exp(-0.5 * (distance / self.width) ** 2))
