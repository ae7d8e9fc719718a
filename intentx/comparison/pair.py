"""One pair of documents under several rankers: what speaks for one of them, and what for the other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.errors import IntentxError
from intentx.evaluation.base import restored
from intentx.evaluation.faithfulness import as_read
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.perturbation import EditedDocuments, keep_units, score_edits
from intentx.preferences.pairs import ROUNDING

__all__ = ["PairComparison", "PairSide", "Speaking", "pair_comparison"]

Floats = npt.NDArray[np.float64]


class Speaking(NamedTuple):
    """What one term says of the pair by one simple ranker."""

    term: str
    simple_ranker: str
    value: float


@equal_by_values
@dataclass(frozen=True)
class PairSide:
    """What one ranker makes of the two documents, and what its intent terms say.

    Attributes
    ----------
    ranker
        Its name.
    ranks
        Of the first and of the second document, from 1, among those that are compared.
    scores
        The ranker's scores of both.
    terms
        The terms that explain the whole ranking, most useful first.
    simple_rankers
        The names of the R simple rankers.
    values
        (T, R) by how much each term speaks for the first document by each simple ranker: the difference
        of the term's scores in both documents over the simple ranker's typical difference. Below 0, it
        speaks for the second document.
    together
        (R,) the same of all terms together.
    vote
        Sum of tanh over ``together``: above 0, the terms put the first document above the second.
    lead_lost
        By how much the ranker's own preference shrinks when the term is taken out of both documents:
        1, nothing is left of it; 0, nothing changes; below 0, it grows. NaN where the ranker
        cannot be asked, ties the documents, or neither has the term.
    """

    ranker: str
    ranks: tuple[int, int]
    scores: tuple[float, float]
    terms: tuple[str, ...]
    simple_rankers: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    together: tuple[float, ...]
    vote: float
    lead_lost: tuple[float, ...]

    @property
    def side(self) -> int:
        """1 where the ranker puts the first document above the second, -1 below, 0 for a tie.

        Scores that differ by rounding only are equal.
        """
        one, two = self.scores
        if abs(one - two) <= ROUNDING * max(abs(one), abs(two)):
            return 0
        return 1 if one > two else -1

    @property
    def reproduced(self) -> bool:
        """Whether the terms put the two documents in the ranker's order."""
        return self.side != 0 and self.vote * self.side > 0

    @property
    def speaking(self) -> tuple[Speaking, ...]:
        """What speaks for the document that the ranker prefers, the strongest first."""
        found = [
            Speaking(term, name, value)
            for term, row in zip(self.terms, self.values, strict=True)
            for name, value in zip(self.simple_rankers, row, strict=True)
            if value * self.side > 0
        ]
        return tuple(sorted(found, key=lambda one: -abs(one.value)))


@dataclass(frozen=True)
class PairComparison:
    """Two documents of one query, as several rankers order them.

    Attributes
    ----------
    first, second
        The ids of the documents.
    sides
        One for each ranker.
    """

    first: str
    second: str
    sides: tuple[PairSide, ...] = field(repr=False)

    @property
    def opposed(self) -> bool:
        """Whether one ranker prefers the first document and another the second."""
        return {1, -1} <= {side.side for side in self.sides}

    @property
    def sentence(self) -> str:
        """Who prefers which, in words."""
        prefer = {sign: [side.ranker for side in self.sides if side.side == sign] for sign in (1, -1, 0)}
        said = []
        for sign, doc in ((1, self.first), (-1, self.second)):
            if prefer[sign]:
                verb = "prefers" if len(prefer[sign]) == 1 else "prefer"
                said.append(f"{_listed(prefer[sign])} {verb} {doc!r}")
        if prefer[0]:
            said.append(f"{_listed(prefer[0])} {'ties' if len(prefer[0]) == 1 else 'tie'} them")
        none = "" if self.opposed else " No two rankers order them differently."
        return f"{'; '.join(said)}.{none}"

    def said_of(self, side: PairSide) -> str:
        """What speaks for the document that a ranker prefers, in words."""
        if not side.side:
            return f"{side.ranker} ties the two."
        doc = self.first if side.side > 0 else self.second
        strong = [
            f"{one.term} by {one.simple_ranker} ({abs(one.value):.2f})" for one in side.speaking[:3]
        ]
        by = max(range(len(side.together)), key=lambda i: side.together[i] * side.side)
        if side.together[by] * side.side <= 0:
            most = "together, its terms speak for it by no simple ranker"
        else:
            most = f"together, its terms speak for it most by {side.simple_rankers[by]}"
        against = "" if side.reproduced else " They do not put the two in its order."
        asked = [*zip(side.lead_lost, side.terms, strict=True)]
        share, term = max(((s, t) for s, t in asked if s > 0), default=(0.0, ""))
        if term:
            lost = f"loses {100 * share:.0f} % of its preference"
            if share > 1:
                lost = "prefers the other one"
            against += f" Asked itself, {side.ranker} {lost} without {term} in both."
        if not strong:
            return f"For {doc!r}, that {side.ranker} prefers, none of its terms speaks.{against}"
        return f"For {doc!r} in {side.ranker} speak: {_listed(strong)}; {most}.{against}"

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PairComparison:
        """The inverse of `dataclasses.asdict`, None standing for NaN."""
        found: PairComparison = restored(cls, plain)
        return found


def pair_comparison(
    first: str, second: str, explanations: Mapping[str, IntentExplanation]
) -> PairComparison:
    """What the intent terms of several rankers, and the rankers themselves, say of two documents.

    Parameters
    ----------
    first, second
        Ids of documents that are in every ranking.
    explanations
        Of the same documents, by the names of the rankers.

    Raises
    ------
    InputError
        If a ranking lacks one of the documents.

    Examples
    --------
    >>> import intentx as ix
    >>> docs = {"a": "piano keys", "b": "keyboard switches", "c": "a desk", "d": "piano stool"}
    >>> method = ix.Multiplex(budget=0, pool=0, candidates=9, simple_rankers=(ix.TextMatching(),))
    >>> found = {
    ...     word: method.explain(ix.rank(lambda q, ts, w=word: [t.count(w) for t in ts], "x", docs))
    ...     for word in ("piano", "switches")
    ... }
    >>> pair_comparison("a", "b", found).sentence
    "piano prefers 'a'; switches prefers 'b'."
    """
    sides = (_side(name, one, first, second) for name, one in explanations.items())
    return PairComparison(first, second, tuple(sides))


def _side(name: str, explanation: IntentExplanation, first: str, second: str) -> PairSide:
    ranking, matrices = explanation.ranking, explanation.matrices
    one, two = ranking.position(first), ranking.position(second)
    values = (matrices.scaled[:, :, one] - matrices.scaled[:, :, two]).T
    together = values.sum(axis=0)
    side = PairSide(
        ranker=name,
        ranks=(one + 1, two + 1),
        scores=(float(ranking.scores[one]), float(ranking.scores[two])),
        terms=explanation.words,
        simple_rankers=matrices.scores.rankers,
        values=tuple(map(tuple, values.tolist())),
        together=tuple(together.tolist()),
        vote=float(np.tanh(together).sum()),
        lead_lost=(math.nan,) * len(explanation.terms),
    )
    if ranking.scorer is None or not side.side:
        return side
    try:
        return dataclasses.replace(side, lead_lost=_lead_lost(explanation, one, two))
    except IntentxError:  # what the terms say is right without it
        return side


def _lead_lost(explanation: IntentExplanation, one: int, two: int) -> tuple[float, ...]:
    """The share of the preference that goes with each term; asks for two texts a term at most."""
    ranking = explanation.ranking
    lead = float(ranking.scores[one] - ranking.scores[two])
    texts: list[str] = []
    positions: list[int] = []
    places: dict[tuple[str, int], int] = {}
    for position in (one, two):
        text = as_read(ranking, position)
        spans: dict[str, list[tuple[int, int]]] = {}
        for token in explanation.analyzer.tokens(text):
            spans.setdefault(token.term, []).append((token.start, token.end))
        held = [term for term in explanation.terms if term in spans]
        for term in held:
            places[term, position] = len(texts)
            texts += keep_units(text, [spans[term]], np.zeros((1, 1), dtype=bool))
            positions.append(position)
    if not texts:
        return (math.nan,) * len(explanation.terms)
    edits = EditedDocuments(tuple(texts), np.array(positions, dtype=np.intp))
    scores = score_edits(ranking, edits, "a pair of documents")
    found = []
    for term in explanation.terms:
        ends = [
            float(scores[places[term, p]]) if (term, p) in places else float(ranking.scores[p])
            for p in (one, two)
        ]
        there = (term, one) in places or (term, two) in places
        found.append(1 - (ends[0] - ends[1]) / lead if there else math.nan)
    return tuple(found)


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
