"""Do explanations of the same document agree: over seeds, over samplers?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Protocol

import numpy as np

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure
from intentx.evaluation.expanded_query import ExpandedQuery, content_terms
from intentx.evaluation.statistics import kendall_tau_b
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import Analyzer

__all__ = ["Agreement", "agreement", "consistency", "correctness", "first_words", "stability"]

P = 0.9  # of rank-biased overlap


class Weighed(Protocol):
    """An explanation: terms, the largest weight first, and their signed weights."""

    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def weights(self) -> tuple[float, ...]: ...


@equal_by_values
@dataclass(frozen=True)
class Agreement(Measure):
    """How far explanations agree, mean over all pairs of them; 1 at most.

    Attributes
    ----------
    kendall
        Kendall's tau-b of the weights, over the terms of both; a term that one lacks weighs 0 there.
        Pairs in which all weights of one are equal have none and are left out; NaN without any.
    rbo
        Extrapolated rank-biased overlap (Webber, Moffat & Zobel 2010, p = .9) of the k first
        words or features.
    jaccard
        Words or features that both have among their k first, over those that either has.
    k
        Only what has a weight counts, k words or features at most.
    pairs
        Pairs of explanations.
    """

    kendall: float
    rbo: float
    jaccard: float
    k: int
    pairs: int

    FORMAT: ClassVar[str] = "intentx.agreement/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        of = "two explanations" if self.pairs == 1 else f"{self.pairs} pairs of explanations"
        tau = "–" if math.isnan(self.kendall) else f"{self.kendall:.3f}"
        return (
            f"Agreement of {of}: Kendall’s τ-b {tau} of all weights; of the first {self.k} by weight, "
            f"rank-biased overlap {self.rbo:.3f}, Jaccard {self.jaccard:.3f}."
        )


def agreement(explanations: Sequence[Weighed], k: int = 10) -> Agreement:
    """How far two or more explanations of the same document, or of the same ranking, agree.

    Raises
    ------
    InputError
        For fewer than two, or k below 1.
    """
    if len(explanations) < 2 or k < 1:
        raise InputError(
            "agreement needs two explanations or more and k of 1 or more, not "
            f"{len(explanations)} and {k!r}"
        )
    pairs = list(combinations(explanations, 2))
    tops = [(first_words(one, k), first_words(other, k)) for one, other in pairs]
    kendalls = [tau for tau in (_kendall(*pair) for pair in pairs) if not math.isnan(tau)]
    return Agreement(
        kendall=float(np.mean(kendalls)) if kendalls else math.nan,
        rbo=float(np.mean([_overlap(*pair) for pair in tops])),
        jaccard=float(np.mean([_jaccard(*pair) for pair in tops])),
        k=k,
        pairs=len(pairs),
    )


def stability(
    method: Any, ranking: Ranking, doc: str | int | None = None, *, seeds: int = 5, k: int = 10
) -> Agreement:
    """How far a method's explanations with different seeds agree.

    Parameters
    ----------
    method
        A dataclass with a ``seed``, such as ``ix.EXS()``.
    doc
        As in ``method.explain``; None: the whole ranking.
    seeds
        How many: 0, 1, … on top of the method's own.
    """
    if not dataclasses.is_dataclass(method) or isinstance(method, type) or not hasattr(method, "seed"):
        raise InputError(f"{type(method).__name__} has no seed that could be changed")
    if seeds < 2:
        raise InputError(f"seeds must be 2 or more, not {seeds!r}")
    which = () if doc is None else (doc,)
    seeded: list[Any] = [
        dataclasses.replace(method, seed=method.seed + number) for number in range(seeds)
    ]
    return agreement([one.explain(ranking, *which) for one in seeded], k)


def consistency(explanations: Sequence[Weighed]) -> float:
    """Mean Kendall tau-b between explanations by different samplers or runs (LIRME, section 4)."""
    return agreement(explanations).kendall


def correctness(
    explanation: Weighed, relevant: Sequence[str], analyzer: Analyzer | None = None
) -> float:
    """Cosine between an explanation's weights and the terms of relevant documents (LIRME, section 4).

    Stopwords count on neither side.

    Parameters
    ----------
    relevant
        Texts of *all* documents judged relevant for the query.

    Returns
    -------
    float
        In [-1, 1]; NaN where the explanation has no weight or the documents have no term.
    """
    if isinstance(relevant, str) or not relevant:
        raise InputError("correctness needs the texts of one relevant document or more, in a list")
    analyzer = analyzer or ExpandedQuery.of(explanation).analyzer
    counts: dict[str, float] = {}
    for text in relevant:
        tokens = analyzer.tokens(text)
        for token in tokens:  # each document counts the same, however long
            counts[token.term] = counts.get(token.term, 0.0) + 1 / len(tokens)
    weight_of = dict(zip(explanation.terms, explanation.weights, strict=True))
    terms = content_terms(explanation)
    weights = np.array([weight_of[term] for term in terms], dtype=np.float64)
    weights /= unit_of(weights)
    share = np.array([counts.get(term, 0.0) for term in terms])
    norms = math.hypot(*weights) * math.hypot(*counts.values())
    return float(weights @ share / norms) if norms else math.nan


def first_words(explanation: Weighed, k: int) -> list[str]:
    """The k first words, by absolute weight."""
    weighed = [(t, w) for t, w in zip(explanation.terms, explanation.weights, strict=True) if w]
    return [term for term, _ in sorted(weighed, key=lambda pair: -abs(pair[1]))[:k]]


def _kendall(one: Weighed, other: Weighed) -> float:
    first, second = (dict(zip(e.terms, e.weights, strict=True)) for e in (one, other))
    terms = list(dict.fromkeys([*first, *second]))
    values = [np.array([weights.get(term, 0.0) for term in terms]) for weights in (first, second)]
    return kendall_tau_b(*values)


def _jaccard(one: Sequence[str], other: Sequence[str]) -> float:
    union = len({*one, *other})
    return len({*one} & {*other}) / union if union else 1.0


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """RBO_ext of two lists of distinct words, perhaps of different lengths (eq. 32)."""
    short, long = sorted((one, other), key=len)
    if not short:
        return 1.0 if not long else 0.0
    s, n = len(short), len(long)
    overlap = np.array([len({*short[:d]} & {*long[:d]}) for d in range(1, n + 1)], dtype=np.float64)
    depth = np.arange(1, n + 1)
    total = float(np.sum(overlap / depth * P**depth))
    beyond = np.arange(s + 1, n + 1)
    total += float(np.sum(overlap[s - 1] * (beyond - s) / (s * beyond) * P**beyond))
    at_end = (overlap[-1] - overlap[s - 1]) / n + overlap[s - 1] / s
    return float((1 - P) / P * total + at_end * P**n)
