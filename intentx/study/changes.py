"""Whether the words that an explanation names first are a short way out of the first documents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.faithfulness import ranks_of
from intentx.explainers.change.counterfactual import Counterfactual
from intentx.perturbation import EditedDocuments, remove_terms, score_edits
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["Changes", "changes"]

FIRST = 10  # documents that are to be left
MOST = 10  # words that are taken out one after the other


@equal_by_values
@dataclass(frozen=True)
class Changes:
    """Of the first documents of one ranking: which leave the first ones, and by how many words.

    Attributes
    ----------
    reached, size
        Share of documents that leave without the first 1, 2, … of an explanation's words, and the mean
        number of those that it takes; NaN where none leaves.
    random_reached
        That share for random words of the document.
    smallest_reached, smallest_size
        The same of the smallest change that `intentx.Counterfactual` finds.
    """

    reached: float
    size: float
    random_reached: float
    smallest_reached: float
    smallest_size: float


def changes(
    ranking: Ranking, terms: Sequence[str], analyzer: Analyzer, documents: int, seed: int = 0
) -> Changes:
    """Take words out of the first documents, in the order of an explanation, until they leave.

    Parameters
    ----------
    terms
        Those of the explanation, the most important first.
    documents
        How many documents from the top.

    Examples
    --------
    >>> from intentx import rank
    >>> texts = ["piano keys", "piano tea", "tea pot", "a tea cup for you"]
    >>> score = lambda query, some: [t.count("piano") + len(t) / 999 for t in some]
    >>> found = changes(rank(score, "x", texts), ["piano", "keys"], Analyzer(), 1)
    >>> found.reached, found.size, found.smallest_size
    (1.0, 1.0, 1.0)
    """
    k = min(FIRST, max(1, len(ranking) // 2))
    generator = np.random.default_rng(seed)
    named, drawn, smallest = [], [], []
    for place in range(min(documents, k, len(ranking) - k)):
        held = list(dict.fromkeys(analyzer.terms(ranking.texts[place])))
        own = set(held)
        drawn_words = [held[i] for i in generator.permutation(len(held)).tolist()]
        named.append(_size(ranking, place, k, [t for t in terms if t in own], analyzer))
        drawn.append(_size(ranking, place, k, drawn_words, analyzer))
        smallest.append(_smallest(ranking, place, k))
    return Changes(*_summary(named), _summary(drawn)[0], *_summary(smallest))


def _size(ranking: Ranking, place: int, k: int, words: Sequence[str], analyzer: Analyzer) -> float:
    """How many of the words it takes; NaN where all of them are not enough."""
    words = words[:MOST]
    text = ranking.texts[place]
    texts = tuple(remove_terms(text, words[: n + 1], analyzer) for n in range(len(words)))
    if not texts:
        return math.nan
    source = np.full(len(texts), place, dtype=np.intp)
    ranks = ranks_of(score_edits(ranking, EditedDocuments(texts, source), "changes"), ranking, place)
    left = np.flatnonzero(ranks >= k)
    return float(left[0] + 1) if len(left) else math.nan


def _smallest(ranking: Ranking, place: int, k: int) -> float:
    """The size of the smallest change; NaN where none is found, or the document has no words."""
    try:
        found = Counterfactual(goal="leave", k=k, prove=0).explain(ranking, place)
    except InputError:
        return math.nan
    return float(len(found.changes)) if found.changes else math.nan


def _summary(sizes: Sequence[float]) -> tuple[float, float]:
    """The share that is reached, and the mean size there."""
    known = [size for size in sizes if not math.isnan(size)]
    share = len(known) / len(sizes) if sizes else math.nan
    return share, float(np.mean(known)) if known else math.nan
