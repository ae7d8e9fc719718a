"""Where the terms of a query stand in texts, as arrays: what text features are computed from."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.documents import Documents, texts_in
from intentx.preferences.simple_rankers import TermStatistics, TextMatching
from intentx.text import Analyzer

__all__ = ["CollectionStatistics", "Matches"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

REMEMBERED = 8192  # texts whose terms are kept, so that a second query over them costs little
ABSENT = -(10**9)  # the place of a term that has not occurred yet


class _Text(NamedTuple):
    terms: tuple[str, ...]
    sentences: tuple[int, ...]  # the number of each term's sentence
    sentence_count: int
    distinct: int
    question_marks: int
    digits: int


@functools.lru_cache(maxsize=REMEMBERED)
def _read(text: str, analyzer: Analyzer) -> _Text:
    tokens = analyzer.tokens(text)
    terms = tuple(token.term for token in tokens)
    return _Text(
        terms,
        tuple(token.sentence for token in tokens),
        len(analyzer.sentences(text)),
        len(set(terms)),
        text.count("?"),
        sum(map(str.isdigit, text)),
    )


@dataclass(frozen=True, eq=False)
class CollectionStatistics:
    """In how many texts of a collection each term occurs, and how often.

    Attributes
    ----------
    texts, tokens
        Texts of the collection, and term occurrences in all of them.
    of_terms
        For each term the texts that hold it and its occurrences.

    Examples
    --------
    >>> CollectionStatistics.from_texts(["green tea, black tea", "a boat"], Analyzer())
    CollectionStatistics(texts=2, tokens=5)
    """

    texts: int
    tokens: int
    of_terms: Mapping[str, tuple[int, int]] = field(repr=False)

    @classmethod
    def from_texts(cls, collection: Documents, analyzer: Analyzer) -> CollectionStatistics:
        """Count the terms of ``collection``, which is read once."""
        texts = 0
        holding: Counter[str] = Counter()
        occurrences: Counter[str] = Counter()
        for text in texts_in(collection):
            texts += 1
            counts = Counter(token.term for token in analyzer.tokens(text))
            holding.update(counts.keys())
            occurrences.update(counts)
        both = {term: (holding[term], occurrences[term]) for term in sorted(holding)}
        return cls(texts, occurrences.total(), both)

    def of(self, terms: Sequence[str]) -> TermStatistics:
        """As `TextMatching.weigh` takes them; a term that no text holds counts 0."""
        known = [self.of_terms.get(term, (0, 0)) for term in terms]
        holding, occurrences = np.array(known, dtype=np.float64).reshape(-1, 2).T
        return TermStatistics(holding, occurrences, self.texts, self.tokens)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        terms = {term: list(both) for term, both in self.of_terms.items()}
        return {"texts": self.texts, "tokens": self.tokens, "terms": terms}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CollectionStatistics:
        """The inverse of `to_dict`."""
        of_terms = {str(term): (int(one), int(two)) for term, (one, two) in plain["terms"].items()}
        return cls(int(plain["texts"]), int(plain["tokens"]), of_terms)


class Matches:
    """Occurrences of Q query terms in N texts.

    Places count terms from 0; stopwords have no place. ``M`` is the number of occurrences.
    Building costs one look at every term of the texts (and reading those that were not read
    lately), each property O(M Q) at most.

    Attributes
    ----------
    terms
        The Q different terms of the query, in order of first appearance.
    sequence
        The query as numbers of terms, repetitions and all.
    idf
        (Q,) idf of the terms in the collection.
    lengths, sentence_counts, distinct, question_marks, digits, characters
        (N,) what the texts are like: terms, sentences, different terms, characters of a kind, all.
    text, place, sentence, term
        (M,) number of the text, place and sentence in it, and number of the query term of each
        occurrence; in the order of the texts.
    """

    def __init__(
        self, query: str, texts: Sequence[str], analyzer: Analyzer, statistics: CollectionStatistics
    ) -> None:
        in_query = _read(query, analyzer).terms
        numbers = {term: number for number, term in enumerate(dict.fromkeys(in_query))}
        self.terms = tuple(numbers)
        self.sequence = np.array([numbers[term] for term in in_query], dtype=np.intp)
        self.statistics = statistics.of(self.terms)
        self.idf = self.statistics.idf
        rows = [_read(text, analyzer) for text in texts]
        self.lengths = np.array([len(row.terms) for row in rows], dtype=np.intp)
        self.sentence_counts = np.array([row.sentence_count for row in rows], dtype=np.intp)
        self.distinct = np.array([row.distinct for row in rows], dtype=np.intp)
        self.question_marks = np.array([row.question_marks for row in rows], dtype=np.intp)
        self.digits = np.array([row.digits for row in rows], dtype=np.intp)
        self.characters = np.array([len(text) for text in texts], dtype=np.intp)
        found = [
            (number, place, row.sentences[place], numbers[term])
            for number, row in enumerate(rows)
            for place, term in enumerate(row.terms)
            if term in numbers
        ]
        columns = np.array(found, dtype=np.intp).reshape(-1, 4).T
        self.text, self.place, self.sentence, self.term = columns

    @functools.cached_property
    def counts(self) -> Floats:
        """(Q, N) times each term occurs in each text."""
        shape = (len(self.terms), len(self.lengths))
        cells = np.bincount(self.term * shape[1] + self.text, minlength=shape[0] * shape[1])
        return cells.reshape(shape).astype(np.float64)

    @functools.cached_property
    def held(self) -> Bools:
        """(Q, N) whether a text holds a term."""
        return self.counts > 0

    def weighted(self, matching: TextMatching) -> Floats:
        """(Q, N) score of each term by a simple ranker."""
        return matching.weigh(self.counts, self.lengths, self.statistics)

    @functools.cached_property
    def latest(self) -> Ints:
        """(M, Q) latest place of each term up to each occurrence, `ABSENT` where there is none."""
        stride = int(self.lengths.max(initial=0))
        start = (self.text * stride)[:, None]  # places that go on from one text to the next
        at = np.full((len(self.text), len(self.terms)), -1)
        at[np.arange(len(at)), self.term] = start[:, 0] + self.place
        np.maximum.accumulate(at, axis=0, out=at)
        return np.where(at >= start, at - start, ABSENT)

    @functools.cached_property
    def window(self) -> Floats:
        """(N,) terms in the shortest stretch with every query term that the text holds.

        The whole length where it holds none.
        """
        needed = np.where(self.held.T[self.text], self.latest, self.place[:, None])
        start = np.minimum(needed.min(axis=1, initial=-ABSENT), self.place)
        return self._least(np.where(start >= 0, self.place - start + 1.0, np.inf))

    @functools.cached_property
    def closest(self) -> Floats:
        """(N,) least distance of two different query terms; the length where there are no two."""
        other = self.latest.copy()
        other[np.arange(len(other)), self.term] = ABSENT
        before = other.max(axis=1, initial=ABSENT)
        return self._least(np.where(before >= 0, self.place - before, np.inf))

    @functools.cached_property
    def first(self) -> Floats:
        """(N,) place of the first query term; the length where there is none."""
        return self._least(self.place)

    @functools.cached_property
    def last(self) -> Floats:
        """(N,) terms up to and with the last query term, 0 where there is none."""
        last = np.zeros(len(self.lengths))
        np.maximum.at(last, self.text, self.place + 1.0)
        return last

    def held_before(self, place: int) -> Bools:
        """(Q, N) whether a text holds a term before ``place``."""
        early = self.place < place
        held = np.zeros((len(self.terms), len(self.lengths)), dtype=bool)
        held[self.term[early], self.text[early]] = True
        return held

    @functools.cached_property
    def best_sentence(self) -> Floats:
        """(N,) largest summed idf of the terms that one sentence holds."""
        places = np.stack([self.text, self.sentence])
        sentences, cell = np.unique(places, axis=1, return_inverse=True)
        held = np.zeros((sentences.shape[1], len(self.terms)), dtype=bool)
        held[cell, self.term] = True
        best = np.zeros(len(self.lengths))
        np.maximum.at(best, sentences[0], held @ self.idf)
        return best

    @functools.cached_property
    def bigrams(self) -> Floats:
        """(N,) share of the query's pairs of neighbours that are neighbours in the text, in order."""
        pairs = set(zip(self.sequence[:-1].tolist(), self.sequence[1:].tolist(), strict=True))
        found = [
            self.text[1:][self._follows & (self.term[:-1] == one) & (self.term[1:] == other)]
            for one, other in pairs
        ]
        return self._share(found)

    def near(self, size: int) -> Floats:
        """(N,) share of the query's pairs of neighbours that stand in one window of ``size`` terms.

        In any order; a term repeated in the query is no pair.
        """
        ordered = zip(self.sequence[:-1].tolist(), self.sequence[1:].tolist(), strict=True)
        pairs = {(min(pair), max(pair)) for pair in ordered if pair[0] != pair[1]}
        gap = self.place[:, None] - self.latest
        found = [
            self.text[
                ((self.term == one) & (gap[:, other] < size))
                | ((self.term == other) & (gap[:, one] < size))
            ]
            for one, other in pairs
        ]
        return self._share(found)

    @functools.cached_property
    def longest_phrase(self) -> Floats:
        """(N,) terms of the longest stretch of the query that the text has word for word."""
        longest = np.zeros(len(self.lengths))
        equal = self.term[:, None] == self.sequence
        ends = equal  # where a stretch of `size` ends, by occurrence and place in the query
        size = 0
        while ends.any():
            size += 1
            longest[self.text[ends.any(axis=1)]] = size
            grown = np.zeros_like(ends)
            grown[1:, 1:] = ends[:-1, :-1] & equal[1:, 1:] & self._follows[:, None]
            ends = grown
        return longest

    @functools.cached_property
    def _follows(self) -> Bools:
        """(M - 1,) whether an occurrence stands right behind the one before it."""
        same_text = self.text[1:] == self.text[:-1]
        return np.asarray(same_text & (self.place[1:] == self.place[:-1] + 1))

    def _least(self, values: Floats | Ints) -> Floats:
        least = np.full(len(self.lengths), np.inf)
        np.minimum.at(least, self.text, values)
        return np.where(np.isfinite(least), least, self.lengths)

    def _share(self, found: Sequence[Ints]) -> Floats:
        """(N,) share of ``found`` that a text is in."""
        number = np.zeros(len(self.lengths))
        for texts in found:
            number[np.unique(texts)] += 1.0
        return number / max(len(found), 1)
