"""Retrieval axioms as votes on pairs of documents, from counts of the query's terms.

Named as in Fang, Tao & Zhai (SIGIR 2004; TOIS 2011), Shi et al. (SIGIR 2005, M-TDC), Hagen et al. (CIKM
2016, AND, DIV, PROX, REG), Völske et al. (ICTIR 2021) and Bondarenko et al. (SIGIR 2022).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from intentx.preferences.vectors import TermVectors
from intentx.text import TextIndex

__all__ = ["AXIOMS", "Axiom", "Facts"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Votes = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

DIGITS = 12  # of a similarity: what differs behind them is rounding


@dataclass(frozen=True, eq=False)
class Facts:
    """What axioms look at, in N documents and T distinct terms of the query.

    Attributes
    ----------
    index
        The documents; their statistics are all there is of a collection.
    terms, of_query
        (T,) the query's terms in their order, and how often each occurs in the query.
    sequence
        The query's terms as they follow each other.
    scores
        (N,) of the ranker; LB1 alone looks at them.
    vectors
        Of terms, for STMC1, STMC2 and REG.
    margin
        By how much, as a share of the larger one, two numbers may differ and count as equal.
    """

    index: TextIndex
    sequence: tuple[str, ...]
    scores: Floats
    vectors: TermVectors
    margin: float

    @functools.cached_property
    def terms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.sequence))

    @functools.cached_property
    def of_query(self) -> Floats:
        return np.array([self.sequence.count(term) for term in self.terms], dtype=np.float64)

    @functools.cached_property
    def counts(self) -> Floats:
        """(T, N) how often each term occurs in each document."""
        return self.index.counts_of(self.terms)

    @functools.cached_property
    def lengths(self) -> Floats:
        return self.index.lengths.astype(np.float64)

    @functools.cached_property
    def idf(self) -> Floats:
        """(T,) ``ln((N + 1) / (df + 1))`` over the documents at hand."""
        held = (self.counts > 0).sum(axis=1)
        return np.asarray(np.log((self.counts.shape[1] + 1) / (held + 1)))

    @functools.cached_property
    def held(self) -> Indices:
        """(N,) how many of the terms a document has."""
        return np.asarray((self.counts > 0).sum(axis=0))

    @functools.cached_property
    def subset(self) -> Indices:
        """(N,) a number for the set of terms that a document has."""
        return np.unique(self.counts.T > 0, axis=0, return_inverse=True)[1].reshape(-1)

    @functools.cached_property
    def first(self) -> Floats:
        """(T, N) number of the word at which a term first occurs; NaN where it does not."""
        found = np.full(self.counts.shape, np.nan)
        places, rows = self.index.words[0], self.index.rows(self.terms)
        for number, row in enumerate(rows.tolist()):
            here = np.flatnonzero(self.index.term == row)[::-1]  # backwards: the first one stays
            found[number, self.index.text[here]] = places[here]
        return found

    @functools.cached_property
    def gap(self) -> Floats:
        """(N,) mean number of words between the first places of two terms; NaN below two terms."""
        total, pairs = np.zeros(len(self.lengths)), np.zeros(len(self.lengths))
        for one, other in combinations(range(len(self.terms)), 2):
            between = np.abs(self.first[one] - self.first[other]) - 1
            total += np.nan_to_num(between)
            pairs += ~np.isnan(between)
        return np.asarray(np.divide(total, pairs, out=np.full(len(total), np.nan), where=pairs > 0))

    @functools.cached_property
    def phrase(self) -> Floats:
        """(N,) at which term of a document the whole query stands as a phrase; infinity: nowhere."""
        wanted = self.index.rows(self.sequence)
        found = np.full(len(self.lengths), np.inf)
        ends = np.cumsum(self.index.lengths)
        for number, (start, end) in enumerate(zip(ends - self.index.lengths, ends, strict=True)):
            words = self.index.term[start:end]
            if len(words) >= len(wanted):
                windows = np.lib.stride_tricks.sliding_window_view(words, len(wanted))
                places = np.flatnonzero((windows == wanted).all(axis=1))
                found[number] = places[0] if len(places) else np.inf
        return found

    @functools.cached_property
    def overlap(self) -> Floats:
        """(N,) Jaccard similarity of the vocabularies of the query and of a document."""
        distinct = np.diff(self.index.counts.tocsc().indptr)
        return np.asarray(self.held / (len(self.terms) + distinct - self.held))

    @functools.cached_property
    def cosines(self) -> tuple[Indices, Indices, Floats]:
        """Rows of the words with a vector, of the terms with one, and their cosines (W, K)."""
        known, units = self.vectors.units(self.index.vocabulary)
        of_terms, term_units = self.vectors.units(self.terms)
        found = np.round(units @ term_units.T, DIGITS)
        return np.flatnonzero(known), np.flatnonzero(of_terms), found

    @functools.cached_property
    def similarity(self) -> Floats:
        """(N,) mean cosine of a document's distinct words and the query's terms; NaN without any."""
        words, terms, cosines = self.cosines
        if not len(terms) or not len(words):
            return np.full(len(self.lengths), np.nan)
        there = self.index.counts[words] > 0
        total = np.asarray(there.T @ cosines.mean(axis=1))
        number = np.asarray(there.sum(axis=0)).ravel()
        mean = np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)
        return np.asarray(np.round(mean, DIGITS))

    @functools.cached_property
    def nearest(self) -> tuple[Indices, Indices, Floats]:
        """(N,) thrice: the document's word nearest to a term, that term, their cosine (NaN: none)."""
        words, terms, cosines = self.cosines
        n = len(self.lengths)
        word, term, value = np.zeros(n, np.intp), np.zeros(n, np.intp), np.full(n, np.nan)
        best = np.full(len(self.index.vocabulary), -np.inf)
        of = np.zeros(len(self.index.vocabulary), np.intp)
        if len(terms):
            best[words], of[words] = cosines.max(axis=1), terms[cosines.argmax(axis=1)]
        rows = self.index.rows(self.terms)
        best[rows[rows >= 0]] = -np.inf  # words of the query are not near to it, they are it
        ends = np.cumsum(self.index.lengths)
        for number, (start, end) in enumerate(zip(ends - self.index.lengths, ends, strict=True)):
            here = np.unique(self.index.term[start:end])
            if len(here) and np.isfinite(best[here]).any():
                word[number] = here[best[here].argmax()]  # ties: the word that came first
                term[number], value[number] = of[word[number]], best[word[number]]
        return word, term, value

    @functools.cached_property
    def outstanding(self) -> int | None:
        """The term that is least like the others of the query; None below two with a vector."""
        known, units = self.vectors.units(self.terms)
        if known.sum() < 2:
            return None
        like = np.round((units @ units.T).sum(axis=1) - 1.0, DIGITS)
        return int(np.flatnonzero(known)[like.argmin()])

    def close(self, one: Floats, other: Floats) -> Mask:
        """Whether numbers, 0 or more, are equal but for the margin."""
        return np.asarray(np.abs(one - other) <= self.margin * np.maximum(one, other) + 1e-12)

    def same_length(self, high: Indices, low: Indices) -> Mask:
        return self.close(self.lengths[high], self.lengths[low])


def _more(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> Votes:
    """1 where the first is more, -1 where the second is, 0 where neither is or one is not known."""
    return np.asarray((one > other).astype(np.int8) - (one < other))  # type: ignore[operator]


def _tfc1(f: Facts, high: Indices, low: Indices) -> Votes:
    total = f.of_query @ f.counts
    differ = ~f.close(total[high], total[low])
    return _more(total[high], total[low]) * (differ & f.same_length(high, low))


def _tfc3(f: Facts, high: Indices, low: Indices) -> Votes:
    won = np.zeros(len(high))
    for i, j in combinations(range(len(f.terms)), 2):
        if f.close(f.idf[i], f.idf[j]):
            a, b = f.counts[i], f.counts[j]
            won += _both_beat_one(a, b, high, low)
            won -= _both_beat_one(a, b, low, high)
    return _more(won, np.zeros(1)) * f.same_length(high, low)


def _both_beat_one(a: Floats, b: Floats, one: Indices, other: Indices) -> Mask:
    """One has both terms, the other has one of them as often as that."""
    total = a[one] + b[one]
    single = ((a[other] == total) & (b[other] == 0)) | ((b[other] == total) & (a[other] == 0))
    return np.asarray((a[one] > 0) & (b[one] > 0) & single)


def _mtdc(f: Facts, high: Indices, low: Indices) -> Votes:
    total = f.counts.sum(axis=0)
    differ = (f.counts[:, high] != f.counts[:, low]).any(axis=0)
    won = np.zeros(len(high))
    for one, other in combinations(range(len(f.terms)), 2):
        if f.idf[one] == f.idf[other]:
            continue
        i, j = (one, other) if f.idf[one] > f.idf[other] else (other, one)  # the rarer one first
        a, b = f.counts[i], f.counts[j]
        swapped = (a[high] == b[low]) & (b[high] == a[low])
        won += _more(a[high], a[low]) * (swapped | (f.of_query[i] >= f.of_query[j]))
    return np.asarray(_more(won, np.zeros(1)) * ((total[high] == total[low]) & differ))


def _lnc1(f: Facts, high: Indices, low: Indices) -> Votes:
    alike = f.close(f.counts[:, high], f.counts[:, low]).all(axis=0)
    return _more(f.lengths[low], f.lengths[high]) * alike


def _tf_lnc(f: Facts, high: Indices, low: Indices) -> Votes:
    won = np.zeros(len(high))
    for count in f.counts:
        rest = f.lengths - count
        won += _more(count[high], count[low]) * f.close(rest[high], rest[low])
    return _more(won, np.zeros(1))


def _lb1(f: Facts, high: Indices, low: Indices) -> Votes:
    there = f.counts > 0
    only_high = (there[:, high] & ~there[:, low]).any(axis=0)
    only_low = (there[:, low] & ~there[:, high]).any(axis=0)
    near = f.scores[high] - f.scores[low] <= f.margin * np.ptp(f.scores)
    return np.asarray(_more(np.asarray(only_high), np.asarray(only_low)) * near)


def _same_terms(f: Facts, high: Indices, low: Indices) -> Mask:
    return np.asarray((f.subset[high] == f.subset[low]) & (f.held[high] > 1))


def _prox1(f: Facts, high: Indices, low: Indices) -> Votes:
    return _more(f.gap[low], f.gap[high]) * _same_terms(f, high, low)


def _prox2(f: Facts, high: Indices, low: Indices) -> Votes:
    start = np.nansum(f.first, axis=0)
    return _more(start[low], start[high]) * _same_terms(f, high, low)


def _prox3(f: Facts, high: Indices, low: Indices) -> Votes:
    return _more(f.phrase[low], f.phrase[high]) * _same_terms(f, high, low)


def _stmc1(f: Facts, high: Indices, low: Indices) -> Votes:
    return _more(f.similarity[high], f.similarity[low])


def _stmc2(f: Facts, high: Indices, low: Indices) -> Votes:
    word, term, value = f.nearest
    known = np.unique(word)
    counts = f.index.counts[known].toarray()
    nearer = np.nan_to_num(value, nan=-np.inf)
    chosen = np.where(nearer[high] >= nearer[low], high, low)
    row, query = np.searchsorted(known, word[chosen]), term[chosen]

    def holds(one: Indices, other: Indices) -> Mask:
        # len(other) / len(one) is about tf(word, other) / tf(term, one), without the fractions
        exact = f.counts[query, one]
        there = (exact > 0) & np.isfinite(value[chosen])
        return np.asarray(there & f.close(f.lengths[other] * exact, f.lengths[one] * counts[row, other]))

    return _more(holds(high, low), holds(low, high))


def _and(f: Facts, high: Indices, low: Indices) -> Votes:
    every = f.held == len(f.terms)
    return _more(every[high], every[low])


def _m_and(f: Facts, high: Indices, low: Indices) -> Votes:
    return _more(f.held[high], f.held[low])


def _reg(f: Facts, high: Indices, low: Indices) -> Votes:
    if f.outstanding is None:
        return np.zeros(len(high), np.int8)
    count = f.counts[f.outstanding]
    return _more(count[high], count[low]) * f.same_length(high, low)


def _div(f: Facts, high: Indices, low: Indices) -> Votes:
    return _more(f.overlap[low], f.overlap[high])


@dataclass(frozen=True)
class Axiom:
    """A retrieval axiom.

    Attributes
    ----------
    name
        As in the literature.
    about
        What it looks at.
    says
        Which document it prefers, and when, in words.
    votes
        ``(facts, high, low) -> (P,)``: 1 for ``high``, -1 for ``low``, 0 where it decides nothing.
    """

    name: str
    about: str
    says: str
    votes: Callable[[Facts, Indices, Indices], Votes]


_ALL: Sequence[Axiom] = (
    Axiom("TFC1", "term frequency", "of equal length: the one with more query terms in it", _tfc1),
    Axiom(
        "TFC3", "term frequency",
        "of equal length and occurrences: the one with both of two equally rare terms", _tfc3,
    ),
    Axiom("M-TDC", "term frequency", "of equal occurrences: the one with more of the rarer term", _mtdc),
    Axiom("LNC1", "length", "with the same occurrences: the shorter one", _lnc1),
    Axiom("TF-LNC", "length", "otherwise of equal length: the one with more of a query term", _tf_lnc),
    Axiom("LB1", "length", "with about the same score: the one that has a term the other lacks", _lb1),
    Axiom("PROX1", "proximity", "with the same terms: the one in which they are nearer", _prox1),
    Axiom("PROX2", "proximity", "with the same terms: the one in which they come earlier", _prox2),
    Axiom("PROX3", "proximity", "with the same terms: the one with the query as a phrase first", _prox3),
    Axiom("STMC1", "semantic match", "the one whose words are nearer to the query's terms", _stmc1),
    Axiom(
        "STMC2", "semantic match",
        "the one that has a term as often, by length, as the other has the word nearest to it", _stmc2,
    ),
    Axiom("AND", "coverage", "the one with all terms of the query", _and),
    Axiom("M-AND", "coverage", "the one with more of the query's terms", _m_and),
    Axiom("REG", "coverage", "of equal length: the one with more of the odd term of the query", _reg),
    Axiom("DIV", "coverage", "the one whose vocabulary is less like the query's", _div),
)  # fmt: skip
AXIOMS: Mapping[str, Axiom] = MappingProxyType({one.name: one for one in _ALL})
"""Every axiom by its name, in the order of tables."""
