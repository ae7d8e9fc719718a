"""Faithfulness: do the words that an explanation names move the document in the ranking?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.perturbation import (
    EditedDocuments,
    Removal,
    insert_terms,
    keep_units,
    score_edits,
)
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Faithfulness", "Insertion", "faithfulness", "insertion"]

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


@dataclass(frozen=True)
class Faithfulness:
    """What happens to a document's rank when words of its explanation go, or are all that stays.

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
        Length of the ranking; a fall or loss divided by ``documents - 1`` lies in [-1, 1].
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

    def __repr__(self) -> str:
        return (
            f"Faithfulness({self.words} words: without them {self.falls:+.1f} ranks (random "
            f"{self.random_falls:+.1f}), with only them {self.loses:+.1f} ({self.random_loses:+.1f}))"
        )

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table(title="Rank of the document, 1 is best", title_justify="left")
        table.add_column("words")
        for column in ("taken away", "random", "alone left", "random"):
            table.add_column(column, justify="right")
        columns = (
            self.deletion,
            self.random_deletion,
            self.preservation,
            self.random_preservation,
        )
        for step, ranks in enumerate(zip(*columns, strict=True)):
            table.add_row(str(step), *(f"{rank + 1:.1f}" for rank in ranks))
        return table

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Insertion:
    """How far the last document of a ranking rises when terms are put in front of it.

    Attributes
    ----------
    curve, random
        Rank of the document, from 0, with 0, 1, … m terms; and with terms of the ranking's documents
        drawn at random, the mean over the draws.
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

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def faithfulness(
    explanation: Words,
    *,
    words: int = 10,
    draws: int = 5,
    removal: Removal = "delete",
    mask: str = "[MASK]",
    seed: int = 0,
) -> Faithfulness:
    """Take the words of an explanation away, or all others, and see where the document goes.

    Words come in the order of their weights, those that speak most for the document first, those
    that speak against it last. All occurrences of a word go together; stopwords and signs stay. A
    rank is the number of the other documents with a higher score, and of those with the same score
    half.

    Parameters
    ----------
    words
        m, the most words that are taken away, or left; no more than the document has.
    draws
        Random orders of the document's words that the explanation is compared with.
    removal, mask
        As in `intentx.perturbation.remove_terms`.

    Raises
    ------
    InputError
        If the explanation has no words, or the ranking is a recorded one, without a ranker to ask.

    Notes
    -----
    Deletion and preservation as for images in Petsiuk, Das & Saenko (BMVC 2018), in ranks: scores
    mean different things for different rankers. The ranker scores ``2 m (1 + draws)`` texts at most.
    """
    ranking, position = explanation.ranking, explanation.position
    ranking.black_box("faithfulness")
    if words < 1 or draws < 1:
        raise InputError(f"words and draws must be 1 or more, not {words!r} and {draws!r}")
    text, analyzer = ranking.texts[position], explanation.analyzer
    held = analyzer.terms(text)
    by_weight = sorted(
        zip(explanation.terms, explanation.weights, strict=True), key=lambda pair: -pair[1]
    )
    order = [held.index(term) for term, _ in by_weight if term in held]
    if not order:
        raise InputError("the explanation names no word of the document that could be taken away")
    steps = min(words, len(order))
    generator = np.random.default_rng(seed)
    # From the text's order, so that all explanations of a document meet the same random words.
    orders = [np.array(order)] + [generator.permutation(np.sort(order)) for _ in range(draws)]
    left = np.ones((len(orders), 2, steps + 1, len(held)), dtype=bool)
    for number, some in enumerate(orders):
        left[number, 1][:, order] = False  # words that the ranker never read stay as they are
        for step in range(1, steps + 1):
            left[number, 0, step, some[:step]] = False
            left[number, 1, step, some[:step]] = True
    units = [analyzer.spans(text, [term]) for term in held]
    texts = keep_units(text, units, left.reshape(-1, len(held)), how=removal, mask=mask)
    edits = EditedDocuments(tuple(texts), np.full(len(texts), position, dtype=np.intp))
    scores = score_edits(ranking, edits, "faithfulness")
    ranks = ranks_of(scores, ranking, position).reshape(len(orders), 2, steps + 1)
    (deleted, kept), at_random = ranks[0], ranks[1:].mean(axis=0)
    start = deleted[0]
    return Faithfulness(
        deletion=_curve(deleted),
        preservation=_curve(kept),
        random_deletion=_curve(at_random[0]),
        random_preservation=_curve(at_random[1]),
        falls=_area(deleted, start),
        random_falls=_area(at_random[0], start),
        loses=_area(kept, start),
        random_loses=_area(at_random[1], start),
        words=steps,
        documents=len(ranking),
    )


def insertion(
    terms: Sequence[str],
    ranking: Ranking,
    *,
    draws: int = 5,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> Insertion:
    """Put intent terms in front of the last document, one more each time, and see it rise.

    Parameters
    ----------
    terms
        The most useful first, such as ``explanation.terms`` of a whole ranking.
    draws
        How many times as many terms are drawn at random from the ranking's documents, to compare.
    analyzer
        How texts become terms to draw from.

    Raises
    ------
    InputError
        If there is no term, or the ranking is a recorded one, without a ranker to ask.
    """
    ranking.black_box("insertion")
    if not terms or isinstance(terms, str) or draws < 1:
        raise InputError("insertion needs a sequence of one term or more, and draws of 1 or more")
    vocabulary = TextIndex(ranking.texts, analyzer or Analyzer()).vocabulary
    generator = np.random.default_rng(seed)
    number = len(terms)
    lists = [tuple(terms)]
    for _ in range(draws if vocabulary else 0):
        drawn = generator.choice(len(vocabulary), number, replace=number > len(vocabulary))
        lists.append(tuple(vocabulary[i] for i in drawn))
    last = len(ranking) - 1
    texts = [
        insert_terms(ranking.texts[last], some[:step]) if step else ranking.texts[last]
        for some in lists
        for step in range(number + 1)
    ]
    edits = EditedDocuments(tuple(texts), np.full(len(texts), last, dtype=np.intp))
    scores = score_edits(ranking, edits, "insertion")
    ranks = ranks_of(scores, ranking, last).reshape(len(lists), number + 1)
    at_random = ranks[1:].mean(axis=0) if len(ranks) > 1 else np.full(number + 1, np.nan)
    return Insertion(
        curve=_curve(ranks[0]),
        random=_curve(at_random),
        rises=0.0 - _area(ranks[0], ranks[0, 0]),
        random_rises=0.0 - _area(at_random, ranks[0, 0]),
        terms=tuple(terms),
    )


def ranks_of(scores: Floats, ranking: Ranking, position: int) -> Floats:
    """(S,) ranks, from 0, of versions of the document at ``position`` among the other documents.

    A version has above it the documents with a higher score, and half of those with its own.
    """
    others = np.sort(np.delete(ranking.scores, position))
    right = np.searchsorted(others, scores, side="right")
    left = np.searchsorted(others, scores, side="left")
    return len(others) - (left + right) / 2


def _curve(ranks: Floats) -> Curve:
    return tuple(ranks.tolist())


def _area(ranks: Floats, start: float) -> float:
    """Mean number of ranks below the start, from the first step on."""
    return float((ranks[1:] - start).mean())
