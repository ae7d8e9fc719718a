"""Simple rankers that compare a term with a text by meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import TextIndex

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Dense", "Encoder", "Semantic"]

Floats = npt.NDArray[np.float64]

LEAST_NORM = 1e-6  # a vector this close to the mean of all has no direction of its own
BLOCK = 2_000_000  # cosines held at once: a vocabulary of 100,000 words must not cost gigabytes


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
        is_the_ranker = ranking.can.scorer is self.encoder
        return replace(self, query="" if is_the_ranker else ranking.query)

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
