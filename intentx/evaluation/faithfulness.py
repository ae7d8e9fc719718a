"""Faithfulness: do the words that an explanation names move the document in the ranking?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure, Sheet, none_for_nan
from intentx.perturbation import (
    EditedDocuments,
    Removal,
    keep_units,
    removal_for,
    score_edits,
    within_limit,
)
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import Analyzer

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Faithfulness", "area", "as_read", "curve", "faithfulness", "ranks_of"]

Floats = npt.NDArray[np.float64]
Curve = tuple[float, ...]


class Words(Protocol):
    """What is judged here: an explanation of one document, by terms with signed weights."""

    @property
    def ranking(self) -> Ranking: ...
    @property
    def position(self) -> int: ...
    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def weights(self) -> tuple[float, ...]: ...
    @property
    def analyzer(self) -> Analyzer: ...


@equal_by_values
@dataclass(frozen=True)
class Faithfulness(Measure):
    """How a document's rank changes when words of its explanation are removed, or kept alone.

    Attributes
    ----------
    deletion, preservation
        Rank of the document, from 0, after the first 0, 1, … m words of the explanation were taken
        away; and with only the first 1, 2, … m of them left, at place 0 with none.
    random_deletion, random_preservation
        The same for words of the document drawn at random: means over the draws.
    falls
        Mean rank fall under ``deletion``, steps 1 to m: large where the words matter.
    random_falls
        The same for random words.
    loses
        Mean rank loss under ``preservation``, steps 1 to m: small where the words are enough.
    random_loses
        The same for random words.
    words
        m.
    documents
        N, the length of the ranking.
    deletion_scores, preservation_scores, random_deletion_scores, random_preservation_scores
        The ranker's scores that the ranks of the four curves come from.
    """

    deletion: Curve
    preservation: Curve
    random_deletion: Curve
    random_preservation: Curve
    falls: float
    random_falls: float
    loses: float
    random_loses: float
    words: int
    documents: int
    deletion_scores: Curve
    preservation_scores: Curve
    random_deletion_scores: Curve
    random_preservation_scores: Curve

    NAME: ClassVar[str] = "faithfulness"
    FORMAT: ClassVar[str] = "intentx.faithfulness/1"

    @property
    def falls_more(self) -> float:
        """Ranks that the document falls by more than without random words: large is good."""
        return self.falls - self.random_falls

    @property
    def loses_less(self) -> float:
        """Ranks that it loses by less than with only random words: large is good."""
        return self.random_loses - self.loses

    @property
    def areas(self) -> dict[str, float]:
        """Mean rank over N - 1 under each of the four curves, steps 1 to m: 0 is first, 1 is last.

        NaN where the document is the only one.
        """
        last = self.documents - 1
        curves = ("deletion", "preservation", "random_deletion", "random_preservation")
        return {
            name: float(np.mean(getattr(self, name)[1:])) / last if last else math.nan for name in curves
        }

    def __repr__(self) -> str:
        return (
            f"Faithfulness({self.words} words: without them {self.falls:+.1f} ranks (random "
            f"{self.random_falls:+.1f}), with only them {self.loses:+.1f} ({self.random_loses:+.1f}))"
        )

    @property
    def sentence(self) -> str:
        """What was found, as all that shows the explanation says it."""
        words = "its first word" if self.words == 1 else f"its first 1 to {self.words} words"
        return (
            f"Faithfulness: without {words} the document falls by {_ranks(self.falls)} on average "
            f"({_ranks(self.random_falls)} without random words); with only these it loses "
            f"{_ranks(self.loses)} ({_ranks(self.random_loses)} with only random words)."
        )

    def _sheet(self) -> Sheet:
        columns = (
            self.deletion,
            self.random_deletion,
            self.preservation,
            self.random_preservation,
        )
        rows = tuple(
            (str(step), *(f"{rank + 1:.1f}" for rank in ranks))
            for step, ranks in enumerate(zip(*columns, strict=True))
        )
        return Sheet(("words", "taken away", "random", "alone left", "random"), rows, self.sentence)

    def __rich__(self) -> Table:
        from rich.table import Table

        head, rows, caption = self._sheet()
        title = "Rank of the document, 1 is best"
        table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
        for place, column in enumerate(head):
            table.add_column(column, justify="right" if place else "left")
        for row in rows:
            table.add_row(*row)
        return table

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; NaN becomes None."""
        plain = {"falls_more": self.falls_more, "loses_less": self.loses_less}
        return {**super().to_dict(), **plain, "areas": none_for_nan(self.areas)}


def faithfulness(
    explanation: Words,
    *,
    words: int = 10,
    draws: int = 5,
    removal: Removal = "delete",
    mask: str | None = None,
    seed: int = 0,
) -> Faithfulness:
    """Remove the words of an explanation, or all others, and measure how the document's rank changes.

    Words come in the order of their weights, those that speak most for the document first, those
    that speak against it last. All occurrences of a word are removed together; punctuation,
    and words that the explanation does not weigh, stay. A rank is the number of the other documents with
    a higher score, and of those with the same score half. If the ranker exposes by ``seen``
    what it reads of the document, only that is edited: what it cuts off does not come into its view as
    words before it go. Of a document longer than
    `intentx.perturbation.LONGEST_EDITED` only the beginning is used, as a document of its own.

    Parameters
    ----------
    words
        m, the most words that are taken away, or left; no more than the document has.
    draws
        Random orders of the document's words that the explanation is compared with.
    removal, mask
        As in `intentx.perturbation.removal_for`.

    Raises
    ------
    InputError
        If the explanation has no words, words are to be masked for a ranker that names no mask, or
        the ranking is a recorded one, without a ranker to ask.

    Notes
    -----
    Deletion and preservation as for images in Petsiuk, Das & Saenko (BMVC 2018), in ranks: scores
    mean different things for different rankers. The ranker scores no more than
    ``2 m (1 + draws) + 2`` texts, all of them in one go.
    """
    ranking, position = explanation.ranking, explanation.position
    ranking.black_box("faithfulness")
    if words < 1 or draws < 1:
        raise InputError(f"words and draws must be 1 or more, not {words!r} and {draws!r}")
    how, mask = removal_for(ranking, removal, mask)
    text, cut = within_limit(as_read(ranking, position), explanation.analyzer)
    spans: dict[str, list[tuple[int, int]]] = {}
    for token in explanation.analyzer.tokens(text):
        spans.setdefault(token.term, []).append((token.start, token.end))
    order = _by_weight(explanation, spans)
    if not order:
        raise InputError("the explanation names no word of the document that could be taken away")
    steps = min(words, len(order))
    generator = np.random.default_rng(seed)
    # From the text's order, so that all explanations of a document meet the same random words.
    orders = [np.array(order)] + [generator.permutation(np.sort(order)) for _ in range(draws)]
    left = _left(orders, steps, len(spans))
    units = list(spans.values())
    texts = keep_units(text, units, left.reshape(-1, len(spans)), how=how, mask=mask)
    edits = EditedDocuments(tuple(texts), np.full(len(texts), position, dtype=np.intp))
    scores = score_edits(ranking, edits, "faithfulness").reshape(len(orders), 2, steps + 1)
    if not cut:
        scores[:, 0, 0] = ranking.scores[position]  # to the last bit, in a batch of other texts, too
    ranks = ranks_of(scores, ranking, position)
    (deleted, kept), at_random = ranks[0], ranks[1:].mean(axis=0)
    unit = unit_of(scores)
    (deleted_scores, kept_scores), random_scores = scores[0], (scores[1:] / unit).mean(axis=0) * unit
    start = deleted[0]
    return Faithfulness(
        deletion=curve(deleted),
        preservation=curve(kept),
        random_deletion=curve(at_random[0]),
        random_preservation=curve(at_random[1]),
        falls=area(deleted, start),
        random_falls=area(at_random[0], start),
        loses=area(kept, start),
        random_loses=area(at_random[1], start),
        words=steps,
        documents=len(ranking),
        deletion_scores=curve(deleted_scores),
        preservation_scores=curve(kept_scores),
        random_deletion_scores=curve(random_scores[0]),
        random_preservation_scores=curve(random_scores[1]),
    )


def ranks_of(scores: Floats, ranking: Ranking, position: int) -> Floats:
    """Ranks, from 0, of versions of the document at ``position`` among the others; shaped as ``scores``.

    A version has above it the documents with a higher score, and half of those with its own.
    """
    others = np.sort(np.delete(ranking.scores, position))
    right = np.searchsorted(others, scores, side="right")
    left = np.searchsorted(others, scores, side="left")
    return len(others) - (left + right) / 2


def as_read(ranking: Ranking, position: int) -> str:
    """The document as far as the ranker reads it, if it exposes that."""
    [text] = ranking.can.read(ranking.query, [ranking.texts[position]]).texts
    return text


def _by_weight(explanation: Words, held: Iterable[str]) -> list[int]:
    """Places among the document's terms of those that are explained, the largest weight first."""
    place = {term: number for number, term in enumerate(held)}
    pairs = zip(explanation.terms, explanation.weights, strict=True)
    return [place[term] for term, _ in sorted(pairs, key=lambda pair: -pair[1]) if term in place]


def _left(orders: Sequence[npt.NDArray[np.intp]], steps: int, terms: int) -> npt.NDArray[np.bool_]:
    """(O, 2, steps + 1, terms): what is left of a document without its first words, and of only them."""
    left = np.ones((len(orders), 2, steps + 1, terms), dtype=bool)
    for number, order in enumerate(orders):
        left[number, 1][:, order] = False  # words that no explanation weighs stay as they are
        for step in range(1, steps + 1):
            left[number, 0, step, order[:step]] = False
            left[number, 1, step, order[:step]] = True
    return left


def curve(ranks: Floats) -> Curve:
    """Ranks as plain numbers."""
    return tuple(ranks.tolist())


def area(ranks: Floats, start: float) -> float:
    """Mean number of ranks below the start, from the first step on."""
    return float((ranks[1:] - start).mean())


def _ranks(number: float) -> str:
    """A number of ranks with its noun.

    >>> _ranks(1.0), _ranks(-0.04), _ranks(12.25)
    ('1.0 rank', '0.0 ranks', '12.2 ranks')
    """
    shown = f"{number:z.1f}".replace("-", "\u2212")
    return f"{shown} rank" if shown == "1.0" else f"{shown} ranks"
