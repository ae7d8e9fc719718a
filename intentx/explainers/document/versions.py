"""Versions of an explained document with some of its words left: what verdicts look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.asked import mark_of_text
from intentx.evaluation.faithfulness import as_read
from intentx.explainers.document.weighed import Weighed
from intentx.perturbation import (
    EditedDocuments,
    Removal,
    all_subsets,
    keep_units,
    score_edits,
    within_limit,
)
from intentx.text import TextIndex

__all__ = ["Drawn", "Versions"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

LEFT = 0.7  # of the words: what is much shorter, methods that look at the document itself cannot tell
FEW = 16  # versions that tell too little
KNOWN = 512  # versions that are looked at, where all of them were asked for before
TRIES = 20  # draws for each version


class Drawn(NamedTuple):
    """Versions of a document.

    Attributes
    ----------
    kept
        (S, T) which terms each one keeps.
    unseen
        Whether the method asked for none of them.
    sample
        Whether they were drawn from unseen ones, and are not all, or known ones.
    """

    kept: Kept
    unseen: bool
    sample: bool


class _Side(NamedTuple):
    """One document: its place in the ranking, what is read of it, its terms and where they are."""

    position: int
    text: str
    terms: tuple[str, ...]
    units: list[list[tuple[int, int]]]


class Versions:
    """Versions of one document, or of two that are compared, and their scores.

    Attributes
    ----------
    terms
        T terms with a weight that occur, in the order of the text: whatever the weights are, the same
        versions are drawn.
    weights, times
        (T,) the weight of each term, and how often it counts: of LIRME, whose weights are of one
        occurrence, by its frequency.
    in_document
        (T,) whether it occurs in the document itself, and not only in the one it is compared with.
    texts_each
        Texts that the ranker scores for a version.
    """

    def __init__(self, explanation: Weighed) -> None:
        self.ranking, self.position = explanation.ranking, explanation.position
        self.method = explanation.method
        # EXS compares with a rank; others explain the difference of two scores.
        pair = explanation.above is not None and "other_score" in explanation.metrics
        places = [self.position, *([explanation.above] if pair else [])]
        weights = dict(zip(explanation.terms, explanation.weights, strict=True))
        self._sides = [_side(explanation, place, weights) for place in places if place is not None]
        self.terms = tuple(dict.fromkeys(term for side in self._sides for term in side.terms))
        self.in_document = np.array([term in self._sides[0].terms for term in self.terms], dtype=bool)
        self.weights = np.array([weights[term] for term in self.terms])
        self.times = np.ones(len(self.terms))
        if self.method == "LIRME":
            self.times = self._times(explanation)
        self._how: Removal = explanation.settings.get("removal") or "delete"
        self._mask = explanation.settings.get("mask") if self._how == "mask" else None
        self._scored = explanation.scored
        box = self.ranking.scorer
        listed = len(self.ranking) if box is not None and box.listwise else 1
        self.texts_each = len(self._sides) * listed

    def _times(self, explanation: Weighed) -> Floats:
        """(T,) occurrences of each term, times its idf where LIRME takes that."""
        [side] = self._sides
        times = np.array([len(spans) for spans in side.units], dtype=np.float64)
        if explanation.settings.get("weighting") != "tf-idf":
            return times
        counts = TextIndex(self.ranking.texts, explanation.analyzer).counts_of(self.terms)
        holders = (counts > 0).sum(axis=1)
        return np.asarray(times * np.log(1 + len(self.ranking) / np.maximum(holders, 1)))

    def _texts(self, kept: Kept) -> list[list[str]]:
        """For each document its versions."""
        column = {term: place for place, term in enumerate(self.terms)}
        return [
            keep_units(
                side.text,
                side.units,
                kept[:, [column[term] for term in side.terms]],
                how=self._how,
                mask=self._mask,
            )
            for side in self._sides
        ]

    def scores(self, kept: Kept) -> Floats:
        """(S, 1 or 2) scores of versions with the terms that ``kept`` (S, T) says."""
        found = []
        for side, texts in zip(self._sides, self._texts(kept), strict=True):
            source = np.full(len(texts), side.position, dtype=np.intp)
            edits = EditedDocuments(tuple(texts), source)
            found.append(score_edits(self.ranking, edits, "a verdict"))
        return np.stack(found, axis=1)

    @staticmethod
    def values(scores: Floats) -> Floats:
        """(S,) what the weights are to tell: the score, or the difference of two."""
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 0] - scores[:, 1]

    def drawn(self, number: int, enumerated: int, generator: np.random.Generator) -> Drawn:
        """Up to ``number`` versions that were not asked for, each with about 70 % of the terms.

        Parameters
        ----------
        enumerated
            Up to so many terms all versions are taken, where no more than ``number`` of them are new.
        """
        terms = len(self.terms)
        if terms <= enumerated:
            every = all_subsets(terms)
            new = self.new(every)
            if int(new.sum()) <= number:
                return Drawn(every, bool(new.all()), False)
        rows: dict[bytes, Kept] = {}
        known: dict[bytes, Kept] = {}
        for _ in range(TRIES):
            some = generator.random((number, terms)) < LEFT
            for row, is_new in zip(some, self.new(some).tolist(), strict=True):
                (rows if is_new else known).setdefault(row.tobytes(), row)
            if len(rows) >= number:
                break
        if len(rows) >= FEW:
            return Drawn(np.array([*rows.values()][:number]), True, True)
        return Drawn(np.array([*known.values()][:KNOWN]), False, False)

    def new(self, kept: Kept) -> npt.NDArray[np.bool_]:
        """(S,) whether the explanation asked for none of a version's texts."""
        new = np.ones(len(kept), dtype=bool)
        box = self.ranking.scorer
        for side, texts in zip(self._sides, self._texts(kept), strict=True):
            for place, text in enumerate(texts):
                whole: str | tuple[str, ...] = text
                if box is not None and box.listwise:
                    listed = list(self.ranking.texts)
                    listed[side.position] = text
                    whole = tuple(listed)
                if mark_of_text(self.ranking.query, whole) in self._scored:
                    new[place] = False
        return new


def _side(explanation: Weighed, position: int, weights: dict[str, float] | Sequence[str]) -> _Side:
    """A document as the ranker reads it, with those of its terms that have a weight."""
    text, _ = within_limit(as_read(explanation.ranking, position), explanation.analyzer)
    spans: dict[str, list[tuple[int, int]]] = {}
    for token in explanation.analyzer.tokens(text):
        if token.term in weights:
            spans.setdefault(token.term, []).append((token.start, token.end))
    return _Side(position, text, tuple(spans), [*spans.values()])
