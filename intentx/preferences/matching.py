"""Simple rankers that count exact matches of a term in a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, assert_never, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.text import TextIndex

__all__ = ["TermStatistics", "TextMatching", "Weighting"]

Floats = npt.NDArray[np.float64]
Weighting = Literal["bm25", "tf", "tfidf", "lm"]


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
        over the texts of the index. ``"tf"``: occurrences over text length. ``"tfidf"``: that
        times the same idf (tf·idf, Salton & Buckley 1988). ``"lm"``: log
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
        used = {"bm25": ("k1", "b"), "lm": ("mu",)}.get(self.weighting, ())
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
        if self.weighting == "tfidf":
            return np.asarray(statistics.idf[:, None] * counts / length)
        tokens = max(statistics.tokens, 1)
        if self.weighting == "bm25":
            norm = self.k1 * (1 - self.b + self.b * length * statistics.texts / tokens)
            weight = statistics.idf[:, None] * counts * (self.k1 + 1)
            return np.asarray(weight / np.maximum(counts + norm, 1e-12))
        if self.weighting != "lm":
            assert_never(self.weighting)
        # A term the collection lacks counts as one occurrence: its likelihood is small, not zero.
        p = np.maximum(statistics.occurrences[:, None], 1.0) / tokens
        return np.asarray(np.log1p(counts / (self.mu * p)) + np.log(self.mu / (length + self.mu)))
