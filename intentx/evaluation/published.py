"""The rule by which the published table of intent explanations was counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure
from intentx.evaluation.expanded_query import ExpandedQuery
from intentx.evaluation.fidelity import PAIRS_AT_ONCE, Explained, unfitted_matrices
from intentx.preferences import MARGIN, Pairs, TermScores, preference_pairs
from intentx.preferences.pairs import ROUNDING, SENTINEL, EveryPair, refuse_too_many
from intentx.preferences.simple_rankers import (
    SimpleRankers,
    simple_rankers_for,
    term_scores,
)
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["PublishedFidelity", "median_gap", "published_by_votes", "published_fidelity"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.intp]

MEDIAN_PAIRS = 1_000_000  # that the median score gap is taken over


@equal_by_values
@dataclass(frozen=True)
class PublishedFidelity(Measure):
    """Agreement of an explanation with a ranking by the rule of the published table.

    Attributes
    ----------
    all
        Agreement on all pairs.
    gap
        Agreement on the pairs whose scores differ by ``tolerance`` or more.
    fitted
        The largest share, over the simple rankers, of the fitted pairs that one of them does not
        contradict, by the terms without those that were added. It has no vote.
    vote
        How many simple rankers must agree strictly.
    tolerance
        Least difference of two scores in ``gap``, in the units of the ranker.
    added
        The query's terms that were counted though they were not among the explanation's.
    reason
        Why a share is NaN, "" when none is.
    """

    all: float
    gap: float
    fitted: float
    vote: int
    tolerance: float
    added: tuple[str, ...] = ()
    reason: str = ""

    FORMAT: ClassVar[str] = "intentx.published-fidelity/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        shares = f"{_share(self.all)} of all pairs, {_share(self.gap)} of those with scores at least"
        return (
            f"By the published rule: {shares} {self.tolerance:.3g} apart, {_share(self.fitted)} of the "
            f"fitted ones{f' ({self.reason})' if self.reason else ''}."
        )


def published_fidelity(
    explanation: Explained,
    *,
    vote: int = 1,
    tolerance: float | None = None,
    fitted: Pairs | None = None,
    simple_rankers: SimpleRankers | None = None,
    analyzer: Analyzer | None = None,
) -> PublishedFidelity:
    """Count agreement as the published table of intent explanations did.

    `intentx.fidelity` is stricter, and is what to judge by. This is for numbers to put beside the
    published ones (see Notes).

    Parameters
    ----------
    explanation
        Any explanation that has a ranking and terms.
    vote
        With several simple rankers, a pair is agreed on when at least so many of them prefer the
        document that the ranker prefers; a tie is no preference. With one simple ranker there is no
        vote.
    tolerance
        Least difference of the ranker's scores in pairs of ``gap``, rounding aside; 0: all pairs.
        The published ones are 2 for logits of BERT and .1 for DRMM. None: `median_gap`.
    fitted
        The pairs of ``fitted``; None: those that the explanation was fitted on, if it has them, else
        all of the ranking.
    simple_rankers, analyzer
        What to score the terms with; None: those of the explanation, else the default ones.

    Raises
    ------
    InputError
        If ``vote`` or ``tolerance`` is out of range, or the ranking has no preference pair or more
        than a billion; or if query terms must be scored, and the explanation has been loaded from
        JSON, without its simple rankers.

    Notes
    -----
    As read in public code for Lyu & Anand (ECIR 2023), Table 2; which ``vote`` was run is not
    known. What the rule rewards:

    - the query's terms are added to the explanation's before ``all`` and ``gap`` are counted;
    - with ``vote=1`` and three simple rankers, random words agree on about three pairs of four;
    - in ``fitted`` ties count, so that a word in no document reaches 1.000 by text matching.

    With one simple ranker, ``all`` and ``gap`` are ``concordant / sqrt(untied by the ranker * untied
    by the explanation)``: ties of the explanation make it larger, not smaller. With several, the
    denominator is the number of pairs that the ranker does not tie. The code also adds .01 to a
    share; this function does not.

    Examples
    --------
    >>> import intentx as ix
    >>> docs = {"a": "tea in a pot", "b": "milk with tea", "c": "milk and honey", "d": "a boat"}
    >>> ranking = ix.Ranking.from_run({"a": 4, "b": 3, "c": 2, "d": 1}, "tea", docs)
    >>> two = ix.TextMatching("tf"), ix.PositionAware()
    >>> explanation = ix.QueryTerms(simple_rankers=two).explain(ranking)
    >>> counted = published_fidelity(explanation, vote=2, tolerance=2)
    >>> round(counted.all, 3), counted.gap, counted.fitted
    (0.667, 1.0, 1.0)
    """
    settings = tolerance, fitted, simple_rankers, analyzer
    return published_by_votes(explanation, (vote,), *settings)[0]


def published_by_votes(
    explanation: Explained,
    votes: Sequence[int],
    tolerance: float | None = None,
    fitted: Pairs | None = None,
    simple_rankers: SimpleRankers | None = None,
    analyzer: Analyzer | None = None,
) -> tuple[PublishedFidelity, ...]:
    """`published_fidelity` by each of several votes, with the terms scored once."""
    ranking = explanation.ranking
    refuse_too_many(len(ranking))
    every = EveryPair(ranking.scores)
    if not len(every):
        preference_pairs(ranking)  # says why there is none
    tolerance = median_gap(ranking.scores) if tolerance is None else _checked_tolerance(tolerance)
    query = ExpandedQuery.of(explanation)
    own = query.matrices
    scores, found = _scores(ranking, query, simple_rankers, analyzer)
    for vote in votes:
        _check_vote(vote, len(scores.values))
    margin = MARGIN if own is None else own.margin
    matrices = unfitted_matrices(ranking, scores, margin)
    sums = matrices.document_sums(range(matrices.n_terms))
    wide = EveryPair(ranking.scores, min_score_gap=tolerance - _rounding(ranking.scores))
    agreed = _Agreed.over(sums, every, margin)
    if len(sums) == 1:  # ties of the ranker are among all pairs, and the explanation may part them
        agreed = _Agreed(agreed.by_number, _untied(sums[0], margin))
    apart = _Agreed.over(sums, wide, margin) if tolerance else agreed
    chosen = fitted if fitted is not None else every if own is None else own.pairs
    utility = _not_contradicted(matrices.document_sums(range(found)), chosen, margin)
    reasons = [agreed.reason("all"), apart.reason("gap", tolerance)]
    reasons += ["fitted: there is no fitted pair"] if math.isnan(utility) else []
    return tuple(
        PublishedFidelity(
            all=agreed.share(vote),
            gap=apart.share(vote),
            fitted=utility,
            vote=int(vote),
            tolerance=tolerance,
            added=scores.terms[found:],
            reason="; ".join(filter(None, reasons)),
        )
        for vote in votes
    )


def median_gap(scores: Floats) -> float:
    """Median difference of two scores of a ranking, over all pairs that it does not tie.

    Of more than a million pairs, a regular sample of a million.

    Parameters
    ----------
    scores
        (N,) scores, the best first.

    Examples
    --------
    >>> median_gap(np.array([5.0, 4.0, 4.0, 1.0]))
    3.0
    """
    pairs = EveryPair(scores).regular(MEDIAN_PAIRS)
    with np.errstate(over="ignore"):  # an infinite gap is a gap
        return float(np.median(scores[pairs.high] - scores[pairs.low]))


@dataclass(frozen=True)
class _Agreed:
    """How many of R simple rankers agree on some pairs.

    Attributes
    ----------
    by_number
        (R + 1,) pairs on which so many of them agree strictly.
    untied
        Pairs that the first one does not tie.
    """

    by_number: Counts
    untied: int

    @classmethod
    def over(cls, sums: Floats, pairs: EveryPair, margin: float) -> _Agreed:
        """Count over pairs, by the explanation's (R, N) document scores."""
        by_number = np.zeros(len(sums) + 1, dtype=np.intp)
        untied = 0
        for high, low in pairs.blocks(PAIRS_AT_ONCE):
            difference = sums[:, high] - sums[:, low]
            agree = np.count_nonzero(difference > margin, axis=0)
            by_number += np.bincount(agree, minlength=len(by_number))
            untied += int(np.count_nonzero(np.abs(difference[0]) > margin))
        return cls(by_number, untied)

    @property
    def _denominator(self) -> float:
        pairs = int(self.by_number.sum())
        return float(pairs) if len(self.by_number) > 2 else math.sqrt(pairs * self.untied)

    def share(self, vote: int) -> float:
        """The share that counts as agreement; NaN where nothing can be counted."""
        least = vote if len(self.by_number) > 2 else 1
        whole = self._denominator
        return float(self.by_number[least:].sum() / whole) if whole else math.nan

    def reason(self, name: str, tolerance: float = 0.0) -> str:
        """Why there is no share, "" where there is one."""
        if self._denominator:
            return ""
        if not self.by_number.sum():
            return f"{name}: no pair differs by {tolerance:g} or more in score"
        return f"{name}: the simple ranker scores all documents the same"


def _check_vote(vote: int, rankers: int) -> None:
    if isinstance(vote, bool) or not isinstance(vote, Integral) or vote < 1:
        raise InputError(
            f"vote must be a whole number, 1 or more, not {vote!r}: how many simple rankers must agree"
        )
    if vote > rankers > 1:
        raise InputError(
            f"vote must be at most {rankers}, the number of simple rankers, not {vote!r}: no pair "
            "could be agreed on"
        )


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _checked_tolerance(tolerance: float) -> float:
    number = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not number or not 0 <= tolerance < math.inf:
        raise InputError(
            f"tolerance must be a number, 0 or more, not {tolerance!r}: the least difference of two "
            "scores; None for the median one"
        )
    return float(tolerance)


def _scores(
    ranking: Ranking,
    query: ExpandedQuery,
    simple_rankers: SimpleRankers | None,
    analyzer: Analyzer | None,
) -> tuple[TermScores, int]:
    """Scores of the explanation's terms and then of the query's others; and how many are the first."""
    own, terms = query.matrices, query.terms
    known = simple_rankers is None and analyzer is None and own is not None
    words = analyzer or query.analyzer
    added = tuple(term for term in words.terms(ranking.query) if term not in terms)
    if known and own is not None and not added:
        return own.scores, own.n_terms
    given = query.simple_rankers if simple_rankers is None else simple_rankers
    if known and given is None:
        raise InputError(
            f"the query's term {added[0]!r} must be scored, too, and an explanation from JSON has no "
            "simple rankers: give them by simple_rankers="
        )
    rankers = simple_rankers_for(ranking, given)
    index = TextIndex(ranking.texts, words)
    return term_scores((*terms, *added), index, rankers), len(terms)


def _rounding(scores: Floats) -> float:
    """By how much a difference of scores may miss the tolerance from rounding alone."""
    size = np.abs(scores)
    return float(ROUNDING * size[size <= SENTINEL].max(initial=0.0))


def _untied(sums: Floats, margin: float) -> int:
    """Pairs of all documents whose scores, (N,), differ."""
    ordered = np.sort(sums)
    return int((len(ordered) - np.searchsorted(ordered, ordered + margin, side="right")).sum())


def _not_contradicted(sums: Floats, pairs: Pairs | EveryPair, margin: float) -> float:
    """The largest share of pairs that a simple ranker agrees with or ties, by (R, N) scores."""
    if not len(pairs):
        return math.nan
    last, documents = int(pairs.low.max()) if isinstance(pairs, Pairs) else 0, sums.shape[1]
    if last >= documents:
        raise InputError(f"a fitted pair names position {last}, and there are {documents} documents")
    count = np.zeros(len(sums), dtype=np.intp)
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = slice(start, min(start + PAIRS_AT_ONCE, len(pairs)))
        if isinstance(pairs, Pairs):
            high, low = pairs.high[part], pairs.low[part]
        else:
            high, low = pairs.at(np.arange(part.start, part.stop))
        count += np.count_nonzero(sums[:, high] - sums[:, low] >= -margin, axis=1)
    return float(count.max() / len(pairs))
