"""BM25 as a scorer of short lists, by rank-bm25."""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.documents import Documents, texts_in
from intentx.errors import InputError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.watch import Same, Watch
from intentx.text import Analyzer

if TYPE_CHECKING:
    from intentx.search import SearchIndex

__all__ = ["BM25"]

MOST_TERMS = 1_000_000  # distinct terms of all remembered texts together: some 100 MB
CHARACTERS = 64  # of a text are kept at the price of one term


class BM25:
    """BM25 over an analyzer's terms, with an idf that is never negative.

    It scores the texts it is given, by the statistics of a collection. To find the best texts of a
    large collection, use `intentx.search.SearchIndex`, which gives the same scores.

    Parameters
    ----------
    collection
        Texts that document frequencies and the average length are taken from: a whole collection,
        or the candidates to be ranked. Any text can be scored, in the collection or not. Documents
        in the other forms of `intentx.rank` do as well.
    analyzer
        How texts become terms; by default English stems, stopwords left out.
    k1, b
        Term saturation, 0 or more, and length normalisation, from 0 to 1.

    Raises
    ------
    InputError
        If no text of the collection has a term, or ``k1`` or ``b`` is out of range.

    Notes
    -----
    The sum over the query's terms of ``idf tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length))``,
    a term that stands twice in the query counting twice. The idf is that of Lucene,
    ``ln(1 + (N - df + 0.5) / (df + 0.5))``: a term in half of the texts or more still counts for a
    text (Kamphuis, de Vries, Boytsov & Lin, ECIR 2020). The sum is rank-bm25's ``BM25Okapi``, whose
    own idf is 0 there, or a floor that may be negative. Lucene leaves the constant ``k1 + 1`` out.

    The counts of the texts it scored last are remembered, up to a million distinct terms in all.

    Examples
    --------
    >>> collection = ["green tea", "black tea", "a piano", "a boat", "a house"]
    >>> BM25(collection)("tea", ["green tea", "piano"]).round(2).tolist()
    [0.81, 0.0]
    """

    def __init__(
        self,
        collection: Documents,
        *,
        analyzer: Analyzer | None = None,
        k1: float = 0.9,
        b: float = 0.4,
    ) -> None:
        from intentx.rankers.okapi import Okapi  # here, because it imports rank-bm25

        if not (0 <= k1 < math.inf and 0 <= b <= 1):
            raise InputError(f"BM25 needs k1 of 0 or more and b from 0 to 1, not {k1!r} and {b!r}")
        self.analyzer = analyzer or Analyzer(stem="english")
        rows = [self._terms(text) for text in texts_in(collection)]
        if not any(rows):
            raise InputError("BM25 needs a collection with at least one word that is not a stopword")
        self._model = Okapi(rows, k1=k1, b=b)
        self._counted = _Counted()
        self._watch = Watch()

    @classmethod
    def of_index(cls, index: SearchIndex) -> BM25:
        """The scorer with the statistics and settings of an index: it gives any text the index's score.

        >>> from intentx.search import SearchIndex
        >>> index = SearchIndex.build(["green tea", "a boat"])
        >>> index.search("tea").scores == BM25.of_index(index)("tea", ["green tea"])
        array([ True])
        """
        from intentx.rankers.okapi import Okapi

        made = cls.__new__(cls)
        made.analyzer = index.analyzer
        made._model = Okapi.of_statistics(_Weights(index), index.mean_length, k1=index.k1, b=index.b)
        made._counted, made._watch = _Counted(), Watch()
        return made

    @property
    def fingerprint(self) -> str:
        """Stands for the settings and the collection's statistics as they are now."""
        model = self._model
        quick = model.k1, model.b, model.avgdl, Same(model.idf), Same(self.analyzer)
        changes = self._watch.look(quick, lambda: None, thorough=False)
        return self._watch.text(changes, self._fingerprint)

    def _fingerprint(self) -> str:
        model = self._model
        statistics: dict[str, Any] = {"idf": model.idf, "mean_length": model.avgdl}
        if isinstance(model.idf, _Weights):
            statistics = {"index": model.idf.index.fingerprint}
        settings = {"k1": model.k1, "b": model.b, "analyzer": self.analyzer.to_dict()}
        return fingerprint_of({"ranker": "BM25", **settings, **statistics})

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        counted = self._counted.of(texts, self._terms)
        counts, lengths = [counts for counts, _ in counted], [length for _, length in counted]
        # Repeated terms next to each other: texts of equal scores then get equal sums.
        asked = list(Counter(self._terms(query)).elements())
        return self._model.scores_of(asked, counts, lengths)

    def term_scores(self, terms: Sequence[str], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """(T, N) what each of some terms of the analyzer adds to the score of each text."""
        counted = self._counted.of(texts, self._terms)
        counts, lengths = [counts for counts, _ in counted], [length for _, length in counted]
        scores = [self._model.scores_of([term], counts, lengths) for term in terms]
        return np.array(scores).reshape(len(terms), len(texts))

    def additions(self, query: str, text: str, most: int) -> list[tuple[tuple[str, ...], float]]:
        """The terms of a query whose addition raises a text's score most: 1 term, 2 terms, … ``most``.

        By the formula: for a given length, what each further occurrence of a term adds falls, so that
        taking the largest gain each time gives the best choice of that many.

        Returns
        -------
        list
            For each number, the terms, with repetition, and the score of the text with them.

        Examples
        --------
        >>> bm25 = BM25(["green tea", "black tea", "a piano"])
        >>> [terms for terms, _ in bm25.additions("green tea", "black tea", 2)]
        [('green',), ('green', 'green')]
        """
        model, asked = self._model, self.term_weights(query)
        (counts, length), *_ = self._counted.of([text], self._terms)
        found = []
        for number in range(1, most + 1 if asked else 1):
            norm = model.k1 * (1 - model.b + model.b * (length + number) / model.avgdl)

            def score(term: str, times: float, norm: float = norm) -> float:
                weight = asked[term] * (model.idf.get(term) or 0.0)
                return weight * times * (model.k1 + 1) / (times + norm) if times else 0.0

            now = {term: counts.get(term, 0) for term in asked}
            chosen = []
            for _ in range(number):
                gains = {term: score(term, n + 1) - score(term, n) for term, n in now.items()}
                best = max(gains, key=gains.__getitem__)
                now[best] += 1
                chosen.append(best)
            found.append((tuple(chosen), sum(score(term, n) for term, n in now.items())))
        return found

    def term_weights(self, query: str) -> Mapping[str, float]:
        """What it looks for: the query's terms that the collection holds, and their times.

        >>> dict(BM25(["green tea", "a piano"]).term_weights("tea room tea"))
        {'tea': 2.0}
        """
        times = Counter(self._terms(query))
        return {term: float(n) for term, n in times.items() if term in self._model.idf}

    def _terms(self, text: str) -> list[str]:
        return [token.term for token in self.analyzer.tokens(text)]


class _Weights:
    """The idf of an index's terms, each computed when it is first asked for."""

    def __init__(self, index: SearchIndex) -> None:
        self.index = index
        self._known: dict[str, float] = {}

    def get(self, term: str) -> float | None:
        """None for a term that no document holds."""
        from intentx.rankers.okapi import idf

        if term not in self._known and (holding := self.index.frequency(term)):
            self._known[term] = idf(len(self.index), holding)
        return self._known.get(term)

    def __contains__(self, term: str) -> bool:
        return self.get(term) is not None


Count = tuple[Mapping[str, int], int]


class _Counted:
    """The counts and lengths of the texts that were asked for last.

    Of a list that is too long to be remembered whole, the first texts are: forgetting the oldest
    for each new one would forget each text right before it is asked for again.
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._known: OrderedDict[str, tuple[Count, int, int]] = OrderedDict()  # with price and call
        self._price = self._call = 0
        self._one = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._clear()

    def of(self, texts: Sequence[str], terms: Any) -> list[Count]:
        """Of each text how often it holds each term, and its length in terms."""
        with self._one:
            self._call += 1
            call = self._call
        return [self._one_of(text, terms, call) for text in texts]

    def _one_of(self, text: str, terms: Any, call: int) -> Count:
        with self._one:
            entry = self._known.get(text)
            if entry is not None:
                self._known[text] = (entry[0], entry[1], call)
                self._known.move_to_end(text)
                return entry[0]
        row = terms(text)
        count: Count = Counter(row), len(row)
        price = len(count[0]) + len(text) // CHARACTERS + 1
        with self._one:
            while self._price + price > MOST_TERMS and self._known:
                oldest = next(iter(self._known.values()))
                if oldest[2] >= call or price > MOST_TERMS:
                    return count
                self._known.popitem(last=False)
                self._price -= oldest[1]
            if text not in self._known and price <= MOST_TERMS:
                self._known[text] = (count, price, call)
                self._price += price
        return count
