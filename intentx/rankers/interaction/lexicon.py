"""What interaction rankers know about terms: how text becomes terms, their vectors and their idf."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from intentx.documents import Documents, texts_in
from intentx.errors import InputError
from intentx.preferences.vectors import TermVectors
from intentx.text import Analyzer

__all__ = ["Lexicon", "Memory", "Words", "unknown_vector"]

Floats = npt.NDArray[np.float32]

REMEMBERED = 20_000  # texts whose terms are kept; a passage takes about 10 kB

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """The latest answers of a function, at most ``size`` of them.

    ``functools.lru_cache`` does the same, but what holds one can go to no other process.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._known: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        """What was put under ``key``, or None where it is not known (any more)."""
        try:
            self._known.move_to_end(key)
            return self._known[key]
        except KeyError:
            return None

    def put(self, key: Hashable, value: Value) -> None:
        """Remember ``value``, and forget what was asked for least lately where there is no room."""
        self._known[key] = value
        if len(self._known) > self.size:
            self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._known)

    def __getstate__(self) -> dict[str, Any]:
        return {"size": self.size, "_known": OrderedDict()}  # quick to fill, and slow to send


class Words(NamedTuple):
    """The L terms of a text in order: themselves, and their spans (L, 2)."""

    terms: tuple[str, ...]
    spans: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Terms with a unit vector and an idf each; build one with `Lexicon.build`.

    A term without a vector gets one drawn at random from its own spelling (see `unknown_vector`):
    it matches itself exactly, and other terms about as little as unrelated ones do. So does a term
    that is not in the lexicon; its idf is that of a term in no text of the collection.

    Attributes
    ----------
    analyzer
        How texts become terms. Stopwords are left out, and the terms beside one become neighbours.
    terms
        V terms, as the analyzer writes them.
    vectors
        (V, D) unit vectors.
    idf
        (V,) ``ln((N + 1) / (df + 0.5))`` over the N texts of a collection, 0 or more.
    unknown_idf
        idf of terms that are not in the lexicon.
    source
        Where the vectors came from, in words.

    Examples
    --------
    >>> vectors = TermVectors.from_mapping({"tea": [1, 0], "teas": [0, 1], "boat": [-1, 0]})
    >>> lexicon = Lexicon.build(["green tea", "a boat"], vectors, Analyzer(stem="english"))
    >>> lexicon.terms, np.round(lexicon.vectors[0].astype(float), 2).tolist()
    (('tea', 'boat', 'green'), [0.82, 0.58])
    """

    analyzer: Analyzer
    terms: tuple[str, ...]
    vectors: Floats = field(repr=False)
    idf: Floats = field(repr=False)
    unknown_idf: float
    source: str = "given"

    def __post_init__(self) -> None:
        vectors = np.asarray(self.vectors, dtype=np.float32)
        idf = np.asarray(self.idf, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(self.terms) or not vectors.size:
            raise InputError(
                f"{len(self.terms)} terms need vectors of shape (V, D), not {vectors.shape}"
            )
        if idf.shape != (len(self.terms),):
            raise InputError(f"{len(self.terms)} terms need that many idf, not {idf.shape}")
        if len(set(self.terms)) < len(self.terms):
            raise InputError("the terms of a lexicon must be different from each other")
        for name, values in (("vectors", vectors), ("idf", idf)):
            fixed = values.view()
            fixed.flags.writeable = False  # what rankers have learned goes with these
            object.__setattr__(self, name, fixed)
        object.__setattr__(self, "_read", Memory[Words](REMEMBERED))

    @classmethod
    def build(
        cls,
        collection: Documents,
        vectors: TermVectors,
        analyzer: Analyzer | None = None,
        *,
        pools: Iterable[Sequence[str]] = (),
    ) -> Lexicon:
        """A lexicon with all terms of ``vectors`` and of a collection, and their idf in it.

        Parameters
        ----------
        collection
            Texts that document frequencies come from; a text that stands in it twice counts once.
        vectors
            One for each word as it is written. Where the analyzer stems, a stem gets the mean of
            its words, those that are frequent in the collection counting more: ``sqrt(1 + count)``.
            Words that the analyzer takes for no term, or for several, are left out.
        analyzer
            By default single English words as they are written, without stopwords.
        pools
            For each of several queries, the texts that some retrieval system found for it. A
            collection made of such lists holds the words of its queries far more often than the one
            behind it, so their idf comes out too low. With pools, idf is over their texts; each term
            is counted outside of the one pool that holds it most often.

        Raises
        ------
        InputError
            If the analyzer makes n-grams, the collection is empty, or no vector can be used.
        """
        analyzer = analyzer or Analyzer()
        if analyzer.ngrams != 1:
            raise InputError("interaction rankers read single words; give an analyzer with ngrams=1")
        terms_of: dict[str, tuple[str, ...]] = {}
        words: Counter[str] = Counter()
        surface = dataclasses.replace(analyzer, stem=None)
        for text in texts_in(collection):
            terms_of[text] = analyzer.terms(text)
            if analyzer.stem is not None:
                words.update(token.term for token in surface.tokens(text))
        if not terms_of:
            raise InputError("idf needs a collection of at least one text")
        terms, matrix = _by_term(vectors, analyzer, words)
        others = sorted(set().union(*terms_of.values()) - set(terms))
        terms += tuple(others)
        matrix = np.stack([*matrix, *(unknown_vector(term, matrix.shape[1]) for term in others)])
        drawn = [[terms_of.get(text) or analyzer.terms(text) for text in pool] for pool in pools]
        idf = _idf_outside(terms, drawn) if drawn else _idf_in(terms, terms_of.values())
        return cls(analyzer, terms, matrix, idf[:-1], float(idf[-1]), vectors.source)

    @functools.cached_property
    def rows(self) -> Mapping[str, int]:
        """Place of each term in ``terms``."""
        return {term: row for row, term in enumerate(self.terms)}

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    def read(self, text: str) -> Words:
        """The terms of ``text``; those of texts seen lately are remembered."""
        memory: Memory[Words] = self._read  # type: ignore[attr-defined]
        found = memory.get(text)
        if found is None:
            found = _words(self.analyzer, text)
            memory.put(text, found)
        return found

    def known(self, terms: Sequence[str]) -> npt.NDArray[np.intp]:
        """(T,) rows of ``terms``, -1 for those that are not in the lexicon."""
        return np.array([self.rows.get(term, -1) for term in terms], dtype=np.intp)

    def vectors_of(self, terms: Sequence[str]) -> Floats:
        """(T, D) unit vectors, also of unknown terms."""
        rows = self.known(terms)
        found = self.vectors[rows]
        for place in np.flatnonzero(rows < 0).tolist():
            found[place] = unknown_vector(terms[place], self.dimensions)
        return found

    def idf_of(self, terms: Sequence[str]) -> Floats:
        """(T,) idf, also of unknown terms."""
        rows = self.known(terms)
        return np.where(rows < 0, np.float32(self.unknown_idf), self.idf[rows])


@functools.lru_cache(maxsize=10_000)
def unknown_vector(term: str, dimensions: int) -> Floats:
    """A unit vector of normal numbers drawn from the spelling of a term, the same in every process."""
    seed = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest())
    vector = np.random.default_rng(seed).standard_normal(dimensions)
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    unit.flags.writeable = False  # shared by all who ask
    return unit


def _words(analyzer: Analyzer, text: str) -> Words:
    tokens = analyzer.tokens(text)
    spans = np.array([(token.start, token.end) for token in tokens], dtype=np.intp).reshape(-1, 2)
    return Words(tuple(token.term for token in tokens), spans)


def _idf(holding: npt.NDArray[Any], texts: npt.NDArray[Any] | int) -> Floats:
    return np.maximum(np.log((texts + 1) / (holding + 0.5)), 0.0).astype(np.float32)


def _idf_in(terms: Sequence[str], texts: Collection[Sequence[str]]) -> Floats:
    """(V + 1,) idf of terms in texts, given as their distinct terms; the last of an unknown term."""
    holding = Counter(term for text in texts for term in text)
    return _idf(np.array([*(holding[term] for term in terms), 0]), len(texts))


def _idf_outside(terms: Sequence[str], pools: Sequence[Sequence[Sequence[str]]]) -> Floats:
    """As `_idf_in`, each term counted outside of the pool that holds it most often."""
    holding: Counter[str] = Counter()
    most: dict[str, tuple[int, int]] = {}  # times and size of that pool
    for pool in pools:
        here = Counter(term for text in pool for term in text)
        holding.update(here)
        for term, count in here.items():
            most[term] = max(most.get(term, (0, 0)), (count, len(pool)))
    left = [(holding[term], *most.get(term, (0, 0))) for term in terms]
    total, inside, size = np.array([*left, (0, 0, 0)]).T
    return _idf(total - inside, sum(map(len, pools)) - size)


def _by_term(
    vectors: TermVectors, analyzer: Analyzer, words: Counter[str]
) -> tuple[tuple[str, ...], Floats]:
    """The analyzer's terms, with the unit mean of the vectors of the words that each stands for."""
    found, units = vectors.units(vectors.terms)
    numbers: dict[str, int] = {}
    used, number, weight = [], [], []
    for place, word in enumerate(word for word, has in zip(vectors.terms, found, strict=True) if has):
        tokens = analyzer.tokens(word)
        if len(tokens) == 1:
            used.append(place)
            number.append(numbers.setdefault(tokens[0].term, len(numbers)))
            weight.append(np.sqrt(1.0 + words[word]))
    if not numbers:
        raise InputError("none of the term vectors is for a term of the analyzer")
    sums = np.zeros((len(numbers), units.shape[1]))
    np.add.at(sums, number, units[used] * np.array(weight)[:, None])
    norms = np.linalg.norm(sums, axis=1)
    left = norms > 1e-9  # words that cancel out leave no direction
    terms = tuple(term for term, has in zip(numbers, left, strict=True) if has)
    return terms, (sums[left] / norms[left, None]).astype(np.float32)
