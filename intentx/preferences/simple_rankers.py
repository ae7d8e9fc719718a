"""Simple rankers: ways to score a document for a set of terms that a person can follow.

Each is additive over terms: it gives every term a score in every document, and the score of a
term set is the sum. A simple ranker of your own is any object with a ``name`` and a method
``term_scores(terms, index) -> (T, N)``; the `TextIndex` holds the texts, the analyzer, and every
term occurrence as arrays. One that depends on more, such as the query, has a method
``for_ranking(ranking)`` besides, which gives the simple ranker to use for a ranking.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.preferences.matrices import TermScores
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import TextIndex

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = [
    "Dense",
    "Encoder",
    "PositionAware",
    "Semantic",
    "SimpleRanker",
    "TermStatistics",
    "TextMatching",
    "default_simple_rankers",
    "simple_rankers_for",
    "term_scores",
]

Floats = npt.NDArray[np.float64]
Weighting = Literal["bm25", "tf", "lm"]

LEAST_NORM = 1e-6  # a vector this close to the mean of all has no direction of its own
BLOCK = 2_000_000  # cosines held at once: a vocabulary of 100,000 words must not cost gigabytes


class SimpleRanker(Protocol):
    """A named, additive way to score documents for terms."""

    @property
    def name(self) -> str: ...

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        """(T, N) score of each term in each text of the index."""
        ...


class TermStatistics(NamedTuple):
    """What a collection of ``texts`` texts and ``tokens`` tokens knows about T terms.

    ``holding`` (T,) is the number of texts that hold a term, ``occurrences`` (T,) of its tokens.
    """

    holding: Floats
    occurrences: Floats
    texts: int
    tokens: int

    @classmethod
    def of(cls, terms: Sequence[str], index: TextIndex) -> TermStatistics:
        """Those of the texts of an index."""
        counts = index.counts_of(terms)
        holding = np.count_nonzero(counts, axis=1).astype(np.float64)
        return cls(holding, counts.sum(axis=1), len(index.texts), int(index.lengths.sum()))

    @property
    def idf(self) -> Floats:
        """(T,) ``ln(1 + (texts - holding + 0.5) / (holding + 0.5))``."""
        return np.asarray(np.log1p((self.texts - self.holding + 0.5) / (self.holding + 0.5)))


@dataclass(frozen=True)
class TextMatching:
    """Exact matches of a term, weighted.

    Parameters
    ----------
    weighting
        ``"bm25"``: Robertson & Zaragoza 2009, with idf ``ln(1 + (N - df + 0.5) / (df + 0.5))``
        over the texts of the index. ``"tf"``: occurrences over text length. ``"lm"``: log
        likelihood under a unigram model with Dirichlet smoothing, relative to the collection
        model: ``ln(1 + tf / (mu p(t))) + ln(mu / (length + mu))`` (Zhai & Lafferty 2004).
    k1, b
        Term saturation and length normalisation of BM25.
    mu
        Smoothing of the language model, in tokens.
    """

    weighting: Weighting = "bm25"
    k1: float = 0.9
    b: float = 0.4
    mu: float = 1000.0

    def __post_init__(self) -> None:
        if self.weighting not in get_args(Weighting):
            raise InputError(f"no weighting {self.weighting!r}; choose one of {get_args(Weighting)}")
        if self.mu <= 0 or self.k1 < 0 or not 0 <= self.b <= 1:
            raise InputError("text matching needs mu > 0, k1 >= 0 and 0 <= b <= 1")

    @property
    def name(self) -> str:
        """The weighting, with its parameters where they are not the default ones."""
        used = {"bm25": ("k1", "b"), "tf": (), "lm": ("mu",)}[self.weighting]
        changed = [key for key in used if getattr(self, key) != getattr(TextMatching, key)]
        own = [f"{key}={getattr(self, key):g}" for key in changed]
        return f"text matching ({', '.join([self.weighting, *own])})"

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        statistics = TermStatistics.of(terms, index.background)
        return self.weigh(index.counts_of(terms), index.lengths, statistics)

    def weigh(self, counts: Floats, lengths: npt.NDArray[Any], statistics: TermStatistics) -> Floats:
        """(T, N) score of each term from its ``counts`` (T, N) in texts of ``lengths`` (N,)."""
        length = np.maximum(lengths, 1)
        if self.weighting == "tf":
            return np.asarray(counts / length)
        tokens = max(statistics.tokens, 1)
        if self.weighting == "bm25":
            norm = self.k1 * (1 - self.b + self.b * length * statistics.texts / tokens)
            weight = statistics.idf[:, None] * counts * (self.k1 + 1)
            return np.asarray(weight / np.maximum(counts + norm, 1e-12))
        # A term the collection lacks counts as one occurrence: its likelihood is small, not zero.
        p = np.maximum(statistics.occurrences[:, None], 1.0) / tokens
        return np.asarray(np.log1p(counts / (self.mu * p)) + np.log(self.mu / (length + self.mu)))


@dataclass(frozen=True)
class PositionAware:
    """Early and widespread mentions of a term.

    ``(sentences with t / sentences) * ln(1 + sum over sentences s with t of 2^(1 / (1 + s)))``,
    s counted from 0 (Lyu & Anand 2023, as in the authors' code).
    """

    name: str = "position aware"

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        wanted, row = np.unique(index.rows(terms), return_inverse=True)
        shape = (len(wanted), len(index.texts))
        column = np.full(len(index.vocabulary) + 1, -1)
        column[wanted] = np.arange(len(wanted))  # unknown terms, -1, land in the unused last entry
        term = column[index.term]
        used = term >= 0
        cells = shape[0] * shape[1]
        longest = int(index.sentence.max(initial=0)) + 1
        places = (term[used] * shape[1] + index.text[used]) * longest + index.sentence[used]
        cell, sentence = np.divmod(np.unique(places), longest)
        sentences = np.bincount(cell, minlength=cells).reshape(shape)
        gains = np.bincount(cell, weights=np.exp2(1.0 / (1.0 + sentence)), minlength=cells)
        scores = sentences / index.sentence_counts * np.log1p(gains.reshape(shape))
        return np.asarray(scores[row])


@dataclass(frozen=True, eq=False)
class Semantic:
    """How close a text is to a term in meaning, by the cosines of the term with its tokens.

    ``temperature * ln(mean over tokens of exp(cos(term, token) / temperature))``: a mean in which
    close tokens count more. `published` gives the plain mean ``mean of (1 + cos) / 2`` over
    vectors as they are (Lyu & Anand 2023).

    Parameters
    ----------
    vectors
        Static term vectors. Tokens without a vector are left out of the mean; a term without
        one scores 0 everywhere, and so does every term in a text without any. None: latent
        semantic analysis of the documents at hand (`TermVectors.from_lsa`).
    temperature
        Towards 0 only the closest token counts; ``math.inf`` is the plain mean.
    centered
        Take the mean vector of the documents' vocabulary off all vectors first, so that cosines
        tell words apart instead of measuring what all words share (Mu & Viswanath 2018).
    """

    vectors: TermVectors | None = None
    temperature: float = 0.1
    centered: bool = True
    name: str = "semantic"

    def __post_init__(self) -> None:
        if not self.temperature >= 0.01:
            raise InputError(f"temperature must be 0.01 or more, not {self.temperature!r}")

    @classmethod
    def published(cls, vectors: TermVectors | None = None) -> Semantic:
        """The setting of Lyu & Anand (2023)."""
        return cls(vectors, temperature=math.inf, centered=False)

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        background = index.background
        vectors = self.vectors if self.vectors is not None else TermVectors.from_lsa(background)
        terms_in, term_units = vectors.units(terms)
        tokens_in, token_units = vectors.units(index.vocabulary)
        center = np.zeros(token_units.shape[1])
        if self.centered:
            known = token_units if background is index else vectors.units(background.vocabulary)[1]
            center = known.sum(axis=0) / max(len(known), 1)
            term_units = _unit(term_units - center)
        # |token - center| of unit vectors, so that there is no second copy of them
        norms = np.sqrt(np.maximum(1.0 + center @ center - 2.0 * (token_units @ center), 0.0))
        over_norms = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > LEAST_NORM)
        counts = index.counts[np.flatnonzero(tokens_in)]
        length = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
        pooled = np.empty((len(term_units), len(index.texts)))
        block = max(1, BLOCK // max(len(token_units), 1))
        for start in range(0, len(term_units), block):
            part = slice(start, start + block)
            cosines = (
                term_units[part] @ token_units.T - (term_units[part] @ center)[:, None]
            ) * over_norms
            if math.isinf(self.temperature):
                pooled[part] = (1.0 + _mean_over_tokens(cosines, counts, length)) / 2.0
            else:
                heat = np.exp((cosines - 1.0) / self.temperature)
                mean = np.maximum(_mean_over_tokens(heat, counts, length), 1e-300)
                pooled[part] = 1.0 + self.temperature * np.log(mean)
        scores = np.zeros((len(terms), len(index.texts)))
        scores[terms_in] = np.where(length > 0, pooled, 0.0)
        return scores


class Encoder(Protocol):
    """A dense encoder: `BiEncoder` and `DPR` of `intentx.rankers` are."""

    def vectors(self, texts: Sequence[str], side: Literal["query", "document"]) -> Floats:
        """(N, D) vectors of queries or documents, whose dot product is their similarity."""
        ...


@dataclass(frozen=True, eq=False)
class Dense:
    """How close a text as a whole is to the query expanded by a term, by a dense encoder.

    ``(vector of query + vector of term) . vector of text``: feedback by Rocchio (1971), as Li et al.
    (2023, "Pseudo relevance feedback with deep language models and dense retrievers") use it on dense
    vectors. Between the simple and the neural: unlike the others it sees the words of a text in their
    context, and cannot be followed word by word.

    Parameters
    ----------
    encoder
        What makes vectors of terms and texts, such as ``BiEncoder.minilm()``.
    query
        What terms expand; ``""``: nothing, each term stands alone. None: the query of the ranking that
        is explained, but nothing where the ranker is this encoder, since the query would then reproduce
        its ranking whatever the terms.
    """

    encoder: Encoder
    query: str | None = None
    name: str = "dense"

    def __post_init__(self) -> None:
        if not callable(getattr(self.encoder, "vectors", None)):
            raise InputError(
                "the encoder must have vectors(texts, side), as a BiEncoder of intentx.rankers has, "
                f"which takes a sentence-transformers model; {type(self.encoder).__name__} has not"
            )

    def for_ranking(self, ranking: Ranking) -> Dense:
        """With the query of ``ranking``, unless it has one."""
        if self.query is not None:
            return self
        ranker: object = ranking.scorer and ranking.scorer.scorer
        return replace(self, query="" if ranker is self.encoder else ranking.query)

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        if not terms or not index.texts:
            return np.zeros((len(terms), len(index.texts)))
        wanted = np.asarray(self.encoder.vectors(terms, "query"))
        if self.query:
            wanted = wanted + np.asarray(self.encoder.vectors([self.query], "query"))
        return np.asarray(wanted @ np.asarray(self.encoder.vectors(index.texts, "document")).T)


def _mean_over_tokens(by_token: Floats, counts: csr_array, length: Floats) -> Floats:
    """(T, N) mean of (T, V) values over the tokens of each text."""
    return np.asarray((counts.T @ by_token.T).T / np.maximum(length, 1))


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > LEAST_NORM))


def term_scores(
    terms: Sequence[str], index: TextIndex, simple_rankers: Sequence[SimpleRanker]
) -> TermScores:
    """Score each term in each text under each simple ranker.

    Raises
    ------
    InputError
        If a simple ranker returns another shape than (T, N), or values that are not finite.
    """
    if not simple_rankers:
        raise InputError("at least one simple ranker is needed")
    values = []
    for ranker in simple_rankers:
        scores = np.asarray(ranker.term_scores(terms, index), dtype=np.float64)
        if scores.shape != (len(terms), len(index.texts)) or not np.isfinite(scores).all():
            raise InputError(
                f"simple ranker {ranker.name!r} must return finite scores of shape "
                f"({len(terms)}, {len(index.texts)}), terms x texts; it returned {scores.shape}"
            )
        values.append(scores)
    return TermScores(np.stack(values), tuple(terms), tuple(ranker.name for ranker in simple_rankers))


def simple_rankers_for(
    ranking: Ranking, simple_rankers: Sequence[SimpleRanker]
) -> tuple[SimpleRanker, ...]:
    """Those that depend on the ranking, by ``for_ranking``, as they are for it; the others as given."""
    return tuple(
        own.for_ranking(ranking) if hasattr(own, "for_ranking") else own for own in simple_rankers
    )


def default_simple_rankers(
    vectors: TermVectors | None = None, encoder: Encoder | None = None
) -> tuple[SimpleRanker, ...]:
    """Text matching (BM25), position aware, semantic with ``vectors``, and dense with an ``encoder``."""
    dense = () if encoder is None else (Dense(encoder),)
    return (TextMatching(), PositionAware(), Semantic(vectors), *dense)
