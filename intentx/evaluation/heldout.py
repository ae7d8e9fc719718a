"""Fidelity on documents that a method has not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure, Sheet
from intentx.evaluation.expanded_query import ExpandedQuery
from intentx.evaluation.fidelity import (
    WITHOUT_TEXTS,
    Method,
    all_pairs_row,
    by_features,
    scores_row,
    unfitted_matrices,
)
from intentx.evaluation.statistics import student_interval
from intentx.evaluation.tally import FidelityRow, Tally
from intentx.preferences import Pairs, PreferenceMatrices, preference_pairs
from intentx.preferences.pairs import refuse_too_many
from intentx.preferences.simple_rankers import (
    SimpleRankers,
    simple_rankers_for,
    term_scores,
)
from intentx.ranking import Ranking
from intentx.signs import visible
from intentx.text import TextIndex

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["HeldoutFidelity", "heldout_fidelity"]


@equal_by_values
@dataclass(frozen=True)
class HeldoutFidelity(Measure):
    """Fidelity on pairs among documents that the method did not see.

    Attributes
    ----------
    mean, low, high
        Mean share of pairs covered by the soft vote, over the repeats that have one, and its 95 %
        interval: Student's t, widened since the splits share documents (Nadeau & Bengio 2003). It
        is about this ranker and this query, with other documents in the place of these. NaN with
        fewer than two repeats that have a value, or when all values are equal: there is no spread to
        make an interval of.
    majority, by_ranker
        The same mean for the rule of the majority and for each simple ranker by itself.
    rows
        One `FidelityRow` per repeat; where nothing could be measured its shares are NaN and it
        says why.
    terms
        The terms of each repeat.
    """

    mean: float
    low: float
    high: float
    majority: float
    by_ranker: Mapping[str, float]
    rows: tuple[FidelityRow, ...] = field(repr=False)
    terms: tuple[tuple[str, ...], ...] = field(repr=False)

    NAME: ClassVar[str] = "heldout_documents"
    FORMAT: ClassVar[str] = "intentx.heldout-fidelity/1"

    @property
    def values(self) -> tuple[float, ...]:
        """The share of each repeat; NaN where it could not be measured."""
        return tuple(row.vote for row in self.rows)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a repeat has no value, "" where it has one."""
        return tuple(row.reason for row in self.rows)

    def __repr__(self) -> str:
        measured = [value for value in self.values if not math.isnan(value)]
        interval = self.interval if measured else "no value"
        return (
            f"HeldoutFidelity({self.mean:.3f}, {interval}, {len(measured)} of {len(self.rows)} splits)"
        )

    @property
    def interval(self) -> str:
        """The interval in words, or why there is none."""
        measured = sum(not math.isnan(value) for value in self.values)
        if not math.isnan(self.low):
            return f"95 % interval {self.low:.3f} to {self.high:.3f}"
        return f"no interval from {'one split' if measured == 1 else 'equal splits'}"

    @property
    def sentence(self) -> str:
        """What was found, as all that shows the explanation says it."""
        measured = sum(not math.isnan(value) for value in self.values)
        of = f"{measured} of {len(self.rows)}" if measured < len(self.rows) else f"{measured}"
        splits = "split" if len(self.rows) == 1 else "splits"
        if not measured:
            why = next(filter(None, self.reasons), "no reason is given")
            return f"Held-out documents: not measured in any of {len(self.rows)} {splits}: {why}."
        return (
            f"Held-out documents: {self.mean:.3f} of the preferences among documents that the method "
            f"had not seen ({self.interval}; {of} {splits})."
        )

    def _sheet(self) -> Sheet:
        head = ("split", "pairs", "vote", "majority", *self.by_ranker, "terms")
        rows = []
        for number, (row, terms) in enumerate(zip(self.rows, self.terms, strict=True), start=1):
            shares = (
                row.vote,
                row.majority,
                *(row.by_ranker.get(name, math.nan) for name in self.by_ranker),
            )
            cells = ("–" if math.isnan(share) else f"{share:.3f}" for share in shares)
            rows.append((str(number), str(row.pairs), *cells, ", ".join(terms) or row.reason))
        return Sheet(head, tuple(rows), self.sentence)

    def _rich_briefly(self) -> Text:
        from rich.text import Text

        return Text(visible(self.sentence))


def heldout_fidelity(
    method: Method,
    ranking: Ranking,
    share: float = 0.3,
    repeats: int = 5,
    seed: int = 0,
    *,
    simple_rankers: SimpleRankers | None = None,
) -> HeldoutFidelity:
    """Choose terms or features from some of the documents, judge them on pairs among the others.

    Each repeat hides a random ``share`` of the documents from ``method.explain``, then counts the
    pairs among the hidden documents that its terms cover. Term statistics such as idf, and the
    scale of each simple ranker, come from the documents that were shown. Of a `FeatureRanking`, the
    hidden documents are ordered by the model with only the features that the method chose; the others
    have background values, taken over the documents that were shown.

    Parameters
    ----------
    method
        Anything with ``explain(ranking)`` that yields terms, or features.
    share
        Share of the documents held out, in (0, 1).
    repeats
        Number of random splits. One gives a mean and no interval; few give a wide one.

    Returns
    -------
    HeldoutFidelity
        A split without any pair, or on which the method fails for lack of pairs or candidates, is
        NaN with its reason and is left out of the mean.
    """
    if not 0 < share < 1:
        raise InputError(f"share must lie between 0 and 1, not {share!r}")
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more, not {repeats!r}")
    if isinstance(getattr(method, "pairs", None), Pairs):
        raise InputError(
            "pairs given by position do not fit the part of the ranking that is shown to the method; "
            "give it the name of a pair strategy"
        )
    n = len(ranking)
    held = min(n - 2, max(2, round(share * n)))
    if held < 2:
        raise InputError(f"held-out documents need a ranking of 4 documents or more, not {n}")
    refuse_too_many(max(held, n - held))
    generators = np.random.default_rng(seed).spawn(repeats)
    outcomes = [
        _one_split(method, ranking, generator.permutation(n)[:held], simple_rankers)
        for generator in generators
    ]
    rows = tuple(row for row, _ in outcomes)
    measured = [row for row in rows if row.pairs]
    shares = np.array([row.vote for row in measured])
    low, high = student_interval(shares, tested_to_fitted=held / (n - held), bounds=(0.0, 1.0))
    names = measured[0].by_ranker if measured else {}
    return HeldoutFidelity(
        mean=_mean(shares),
        low=low,
        high=high,
        majority=_mean([row.majority for row in measured]),
        by_ranker={name: _mean([row.by_ranker[name] for row in measured]) for name in names},
        rows=rows,
        terms=tuple(terms for _, terms in outcomes),
    )


def _one_split(
    method: Method,
    ranking: Ranking,
    held: npt.NDArray[np.intp],
    simple_rankers: SimpleRankers | None,
) -> tuple[FidelityRow, tuple[str, ...]]:
    """Agreement on the held-out pairs, and the terms; without pairs when it cannot be measured."""
    shown = ranking.subset(set(range(len(ranking))) - set(held.tolist()))
    hidden = ranking.subset(held.tolist())
    try:
        preference_pairs(hidden, "random", m=1)  # says why there is none
        explanation = method.explain(shown)
    except InputError as error:
        return Tally((), 0.0).row("held-out documents", str(error)), ()
    if by_features(explanation):
        if simple_rankers is not None:
            raise InputError(WITHOUT_TEXTS)
        row = scores_row("held-out documents", hidden, explanation.scores_alone(hidden))
        return row, tuple(explanation.kept)
    query = ExpandedQuery.of(explanation)
    own_rankers = query.simple_rankers if simple_rankers is None else simple_rankers
    rankers = simple_rankers_for(shown, own_rankers)
    background = TextIndex(shown.texts, query.analyzer)
    scores = term_scores(query.terms, TextIndex(hidden.texts, query.analyzer, background), rankers)
    fitted = query.matrices
    matrices = unfitted_matrices(hidden, scores)
    if fitted is not None and simple_rankers is None:
        matrices = PreferenceMatrices(scores, matrices.pairs, fitted.scale, fitted.margin)
    return all_pairs_row("held-out documents", hidden, matrices), query.terms


def _mean(values: Sequence[float] | npt.NDArray[np.float64]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
