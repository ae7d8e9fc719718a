"""Insertion: do the terms of an explanation lift a document that the ranker put last?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure, Sheet
from intentx.evaluation.expanded_query import intent_terms
from intentx.evaluation.faithfulness import area, curve, ranks_of
from intentx.perturbation import EditedDocuments, insert_terms, score_edits, within_limit
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["Insertion", "insertion"]

Curve = tuple[float, ...]


class Terms(Protocol):
    """An explanation by terms; its ``intent_terms``, if it has them, stand for the whole ranking."""

    @property
    def terms(self) -> tuple[str, ...]: ...


@equal_by_values
@dataclass(frozen=True)
class Insertion(Measure):
    """How far the last document of a ranking rises when terms are put in front of it.

    Attributes
    ----------
    curve, random
        Rank of the document, from 0, with 0, 1, … m terms; and with terms of the ranking's documents
        drawn at random, the mean over the draws; NaN where there are none to draw.
    rises, random_rises
        Mean number of ranks that it rises by, steps 1 to m.
    terms
        The terms that were put in, in this order.
    """

    curve: Curve
    random: Curve
    rises: float
    random_rises: float
    terms: tuple[str, ...] = field(repr=False)

    FORMAT: ClassVar[str] = "intentx.insertion/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        put_in = "the term" if len(self.terms) == 1 else f"1 to {len(self.terms)} terms"
        at_random = "–" if math.isnan(self.random_rises) else f"{self.random_rises:.1f}"
        return (
            f"Insertion: with {put_in} in front the last document rises by {self.rises:.1f} ranks on "
            f"average ({at_random} with random terms)."
        )

    def _sheet(self) -> Sheet:
        rows = tuple(
            (str(step), term, f"{rank + 1:.1f}", "–" if math.isnan(other) else f"{other + 1:.1f}")
            for step, (term, rank, other) in enumerate(
                zip(("", *self.terms), self.curve, self.random, strict=True)
            )
        )
        return Sheet(("terms", "put in", "rank", "random"), rows, self.sentence)


def insertion(
    terms: Terms | Sequence[str],
    ranking: Ranking,
    *,
    words: int = 10,
    draws: int = 5,
    pool: Sequence[str] | None = None,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> Insertion:
    """Put intent terms in front of the last document, one more each time, and measure how far it rises.

    Of a document longer than `intentx.perturbation.LONGEST_EDITED` only the beginning is used.

    Parameters
    ----------
    terms
        An explanation, or terms, the most useful first.
    words
        m, the most terms that are put in: the first ones.
    draws
        How many times as many terms are drawn at random, to compare.
    pool
        Terms to draw from; None: all of the ranking's documents.
    analyzer
        How texts become terms to draw from.

    Raises
    ------
    InputError
        If there is no term, or the ranking is a recorded one, without a ranker to ask.
    """
    ranking.black_box("insertion")
    put_in = _texts("terms", intent_terms(terms) if hasattr(terms, "terms") else terms)
    if not put_in or words < 1 or draws < 1:
        raise InputError(
            "insertion needs one term or more, words of 1 or more and draws of 1 or more, not "
            f"{len(put_in)} terms, {words!r} and {draws!r}"
        )
    put_in = put_in[:words]
    known = TextIndex(ranking.texts, analyzer or Analyzer()).vocabulary if pool is None else pool
    vocabulary, number = _texts("pool", known), len(put_in)
    generator = np.random.default_rng(seed)
    lists = [put_in]
    for _ in range(draws if vocabulary else 0):
        drawn = generator.choice(len(vocabulary), number, replace=number > len(vocabulary))
        lists.append(tuple(vocabulary[i] for i in drawn))
    last = len(ranking) - 1
    text, _ = within_limit(ranking.texts[last], analyzer or Analyzer())
    texts = [
        insert_terms(text, some[:step]) if step else text for some in lists for step in range(number + 1)
    ]
    edits = EditedDocuments(tuple(texts), np.full(len(texts), last, dtype=np.intp))
    scores = score_edits(ranking, edits, "insertion")
    ranks = ranks_of(scores, ranking, last).reshape(len(lists), number + 1)
    at_random = ranks[1:].mean(axis=0) if len(ranks) > 1 else np.full(number + 1, np.nan)
    return Insertion(
        curve=curve(ranks[0]),
        random=curve(at_random),
        rises=0.0 - area(ranks[0], ranks[0, 0]),
        random_rises=0.0 - area(at_random, ranks[0, 0]),
        terms=put_in,
    )


def _texts(name: str, given: object) -> tuple[str, ...]:
    """Terms, checked: a single text is not a sequence of them, though Python says so."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name} must be a sequence of one term or more, not {given!r}")
    found = tuple(given)
    wrong = [one for one in found if not isinstance(one, str)]
    if wrong:
        raise InputError(f"{name} must be texts, not {wrong[0]!r}")
    return found
