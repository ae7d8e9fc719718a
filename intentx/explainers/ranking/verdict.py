"""`Verdict`: whether an explanation of a ranking holds, is weak, or may be chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from intentx.equality import equal_by_values
from intentx.explainers.levels import Judgement

__all__ = ["Verdict"]


@equal_by_values
@dataclass(frozen=True)
class Verdict(Judgement):
    """How far the terms of a ranking can be believed, and what that rests on.

    Attributes
    ----------
    level
        ``"holds"``: on documents left out, terms chosen in the same way reproduce the order clearly
        better than chance allows; and where the ranker was asked, it wants one of them at least. With
        too few documents to leave some out: the ranker wants one of them beyond doubt.
        ``"chance"``: they do not. ``"weak"``: in between.
    sentence
        The same in words, with the numbers.
    heldout, low, high
        Share of the pairs among left-out documents that terms chosen from the others cover, averaged
        over ten splits, and its 95 % interval, widened since splits share documents.
    shuffled
        The same on shuffled orders.
    threshold
        What ``heldout`` must reach for "holds".
    query_terms, random_terms
        The same for the terms of the query, and for as many candidates drawn at random.
    stability
        For each term the share of the splits that choose it.
    wanted
        Terms that the ranker wants, of those it was asked about; None where it was not asked.
    asked
        Texts that the ranker scored for the verdict, besides those for the explanation.
    """

    heldout: float
    low: float
    high: float
    shuffled: float
    threshold: float
    query_terms: float
    random_terms: float
    stability: tuple[float, ...]
    wanted: int | None
    asked: int = 0

    FORMAT: ClassVar[str] = "intentx.verdict/1"
