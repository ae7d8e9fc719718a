"""Fidelity: on how many preference pairs does an explanation agree with the ranker?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure, Sheet
from intentx.evaluation.expanded_query import ExpandedQuery
from intentx.evaluation.metrics import PAIRS
from intentx.evaluation.orders import copeland_scores, rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.evaluation.tally import FidelityRow, Tally
from intentx.markup import count
from intentx.ordered import Ordered
from intentx.preferences import MARGIN, Pairs, PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.pairs import ROUNDING, EveryPair, refuse_too_many
from intentx.preferences.simple_rankers import (
    SimpleRankers,
    simple_rankers_for,
    term_scores,
)
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "Explained",
    "Fidelity",
    "FidelityRow",
    "Method",
    "all_pairs_row",
    "fidelity",
    "judge",
    "unfitted_matrices",
]

MOST_COLUMNS = 4  # simple rankers whose columns fit 80 signs; more become rows
PAIRS_AT_ONCE = 100_000  # so that they stay in the processor's cache
SCALE_PAIRS = 20_000  # that the scale of a simple ranker is made of
ALONE = "features alone"  # in the place of a simple ranker
WITHOUT_TEXTS = (
    "simple rankers and analyzers read texts; an explanation by features is judged by the order of "
    "these features alone: leave simple_rankers and analyzer out"
)


class Explained(Protocol):
    """What the judge needs of an explanation: a ranking and the words that explain it.

    It may also bring ``intent_terms``, those of its terms that stand for the whole ranking (else
    all of them do), ``matrices`` (its terms' `PreferenceMatrices` over the fitted pairs), and
    ``simple_rankers`` and ``analyzer``; without them the default simple rankers score its terms.
    """

    @property
    def ranking(self) -> Ranking: ...
    @property
    def terms(self) -> tuple[str, ...]: ...


class Method(Protocol):
    """A way to explain a ranking by words."""

    def explain(self, ranking: Ranking, /) -> Any: ...


@equal_by_values
@dataclass(frozen=True)
class Fidelity(Measure):
    """How far an explanation reproduces a ranking; strict: ties are not agreement.

    Attributes
    ----------
    all, far, fitted, heldout
        Share of pairs covered by the soft vote: of all pairs, of those at least `gap` ranks
        apart, of the pairs the explanation was fitted on, and of the others (NaN without any).
    tau
        Kendall's tau-b between the ranker's scores and the explanation's document scores.
    rbo
        Extrapolated rank-biased overlap, RBO_ext of Webber, Moffat & Zobel (2010, eq. 32) with
        p = 0.9; documents that the explanation ties stand in the order that is worst for it.
    gap
        The gap of ``far``, in ranks.
    ranker_ties
        Pairs left out everywhere since the ranker gives both documents the same score.
    rows
        The details, one `FidelityRow` per set of pairs.
    """

    all: float
    far: float
    fitted: float
    heldout: float
    tau: float
    rbo: float
    gap: int
    ranker_ties: int
    rows: tuple[FidelityRow, ...] = field(repr=False)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name):.3f}" for name in ("all", "far", "fitted", "heldout", "tau")
        )
        return f"Fidelity({shown})"

    FORMAT: ClassVar[str] = "intentx.fidelity/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        row = self.rows[0]
        if not row.pairs:
            return f"Fidelity: not measured: {row.reason}."
        far = "" if math.isnan(self.far) else f", {self.far:.3f} of those {self.gap} or more ranks apart"
        return f"Fidelity: {self.all:.3f} of {row.pairs} preferences are reproduced{far}."

    def _sheet(self) -> Sheet:
        by_ranker = _heads(self.rows[0].by_ranker)
        # Beside a column of pairs, so without that word.
        labels = {name: title.removesuffix(" pairs") for name, title in PAIRS.items()}
        labels["far"] += f" (≥{self.gap})"
        lines = [["fidelity", "pairs", "vote", "majority", *by_ranker, "ties"]]
        for row in self.rows:
            if row.pairs:
                shares = (row.vote, row.majority, *row.by_ranker.values())
                cells = (*(f"{share:.3f}" for share in shares), str(row.ties))
                lines.append([labels.get(row.name, row.name), str(row.pairs), *cells])
        if len(by_ranker) > MOST_COLUMNS:
            lines = [*map(list, zip(*lines, strict=True))]
        head, *rows = map(tuple, lines)
        return Sheet(head, tuple(rows), self._caption())

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        head, rows, caption = self._sheet()
        # So many columns fit 80 signs only without blanks.
        blanks = 0 if len(self.rows[0].by_ranker) == MOST_COLUMNS else 1
        table = Table(caption=caption, caption_justify="left", padding=(0, blanks))
        for place, column in enumerate(head):
            table.add_column(Text(column), justify="right" if place else "left", no_wrap=not place)
        for row in rows:
            table.add_row(*map(Text, row))
        return table

    def _caption(self) -> str:
        tied = f"; {count(self.ranker_ties, 'pair')} tied by the ranker left out" * (
            self.ranker_ties > 0
        )
        return f"Kendall τ-b {self.tau:.3f}, RBO_ext(p=.9) {self.rbo:.3f}{tied}"


def _heads(names: Iterable[str]) -> list[str]:
    """Short names of simple rankers; of several text matchings, what tells them apart.

    >>> _heads(["text matching (bm25)", "semantic"])
    ['text matching', 'semantic']
    >>> _heads(["text matching (tf)", "text matching (lm)"])
    ['tf', 'lm']
    """
    parts = [name.partition(" (") for name in names]
    often = Counter(short for short, *_ in parts)
    return [own.removesuffix(")") if often[short] > 1 and own else short for short, _, own in parts]


def fidelity(
    explanation: Explained,
    *,
    gap: int = 10,
    simple_rankers: SimpleRankers | None = None,
    analyzer: Analyzer | None = None,
) -> Fidelity:
    """Judge any explanation that has words, or features, whatever method found them.

    The words become an expanded query for the simple rankers. Of features, the order by these alone is
    judged: a pair is covered where the document that the ranker prefers has the larger score by them.

    Parameters
    ----------
    gap
        Least rank distance of the "far" pairs.
    simple_rankers, analyzer
        What to score the words with; None: those of the explanation, else the default ones. For
        explanations by words only.

    Raises
    ------
    InputError
        If the ranking has no preference pair, e.g. since all scores are equal; or more than a
        billion, which would take too long.
    """
    if by_features(explanation):
        if simple_rankers is not None or analyzer is not None:
            raise InputError(WITHOUT_TEXTS)
        return judge_scores(explanation.ranking, explanation.document_scores, gap=gap)  # type: ignore[attr-defined]
    query = ExpandedQuery.of(explanation)
    fitted = query.matrices
    if simple_rankers is None and analyzer is None and fitted is not None:
        return judge(explanation.ranking, fitted, fitted.pairs, gap=gap)
    ranking = explanation.ranking
    refuse_too_many(len(ranking))
    own_rankers = query.simple_rankers if simple_rankers is None else simple_rankers
    rankers = simple_rankers_for(ranking, own_rankers)
    scores = term_scores(query.terms, TextIndex(ranking.texts, analyzer or query.analyzer), rankers)
    margin = MARGIN if fitted is None else fitted.margin
    matrices = unfitted_matrices(ranking, scores, margin)
    return judge(ranking, matrices, None if fitted is None else fitted.pairs, gap=gap)


def unfitted_matrices(
    ranking: Ranking, scores: TermScores, margin: float = MARGIN
) -> PreferenceMatrices:
    """Matrices whose scale is that of all pairs of ``ranking``; they hold some of them."""
    refuse_too_many(len(ranking))
    every = EveryPair(ranking.scores)
    if not len(every):
        preference_pairs(ranking)  # says why there is none
    return PreferenceMatrices(scores, every.regular(SCALE_PAIRS), margin=margin)


def judge(
    ranking: Ranking, matrices: PreferenceMatrices, fitted: Pairs | None, *, gap: int = 10
) -> Fidelity:
    """Fidelity of all terms of ``matrices`` together; its pairs set the scale only.

    Parameters
    ----------
    fitted
        The pairs on which the terms were chosen; None: all of the ranking.

    Raises
    ------
    InputError
        If the ranking has no preference pair, or more than a billion.
    """
    n, every = len(ranking), _every_pair(ranking, gap)
    sums = matrices.document_sums(range(matrices.n_terms))
    names = matrices.scores.rankers or tuple(f"ranker {r + 1}" for r in range(matrices.n_rankers))
    reasons = {
        "all": "",
        "far": f"no pair is {gap} or more ranks apart",
        "fitted": "no pair of the ranking was fitted",
        "heldout": "every pair was fitted",
    }
    tallies = {name: Tally(names, matrices.margin) for name in reasons}
    known = None if fitted is None else np.sort(fitted.high * n + fitted.low)
    for high, low in every.blocks(PAIRS_AT_ONCE):
        outcomes = tallies["all"].outcomes(np.tanh(sums[:, high] - sums[:, low]))
        tallies["all"].add(outcomes)
        tallies["far"].add(outcomes[:, low - high >= gap])
        if known is None:
            tallies["fitted"].add(outcomes)
            continue
        was_fitted = _among(high * n + low, known)
        tallies["fitted"].add(outcomes[:, was_fitted])
        tallies["heldout"].add(outcomes[:, ~was_fitted])
    rows = tuple(tallies[name].row(name, reason) for name, reason in reasons.items())
    documents = copeland_scores(matrices, n)
    return Fidelity(
        **{row.name: row.vote for row in rows},
        tau=kendall_tau_b(ranking.scores, documents),
        rbo=rbo_ext(documents),
        gap=gap,
        ranker_ties=n * (n - 1) // 2 - len(every),
        rows=rows,
    )


def _every_pair(ranking: Ordered, gap: int) -> EveryPair:
    """All preference pairs, one or more, of a ranking that is not too long."""
    if gap < 1:
        raise InputError(f"gap must be 1 or more, not {gap!r}")
    refuse_too_many(len(ranking))
    every = EveryPair(ranking.scores)
    if not len(every):
        preference_pairs(ranking)  # says why there is none
    return every


def by_features(explanation: Any) -> bool:
    """Whether an explanation is by features: it has scores of the documents, and no words."""
    return hasattr(explanation, "alone") and hasattr(explanation, "document_scores")


def judge_scores(ranking: Ordered, scores: npt.NDArray[np.float64], *, gap: int = 10) -> Fidelity:
    """Fidelity of an order by scores (N,) that is to be the ranker's; all pairs count as fitted.

    Scores that differ by rounding only are tied, and a tied pair is not covered.

    Raises
    ------
    InputError
        If the ranking has no preference pair, or more than a billion.
    """
    n, every = len(ranking), _every_pair(ranking, gap)
    levels = untied_levels(scores)
    all_, far = Tally((ALONE,), 0.0), Tally((ALONE,), 0.0)
    for high, low in every.blocks(PAIRS_AT_ONCE):
        outcomes = all_.outcomes(np.sign(levels[high] - levels[low])[None])
        all_.add(outcomes)
        far.add(outcomes[:, low - high >= gap])
    rows = (
        all_.row("all", ""),
        far.row("far", f"no pair is {gap} or more ranks apart"),
        all_.row("fitted", ""),
        Tally((ALONE,), 0.0).row("heldout", "every pair was fitted"),
    )
    return Fidelity(
        **{row.name: row.vote for row in rows},
        tau=kendall_tau_b(ranking.scores, levels),
        rbo=rbo_ext(levels),
        gap=gap,
        ranker_ties=n * (n - 1) // 2 - len(every),
        rows=rows,
    )


def untied_levels(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N,) whole numbers in the order of scores; those that differ by rounding only have the same.

    >>> untied_levels(np.array([0.3, 0.1 + 0.2, 1.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    scores = np.asarray(scores, dtype=np.float64)
    order = np.argsort(scores, kind="stable")
    steps = np.diff(scores[order], prepend=scores[order[:1]]) > ROUNDING * np.abs(scores).max(initial=0)
    levels = np.empty(len(scores))
    levels[order] = np.cumsum(steps)
    return levels


def scores_row(name: str, ranking: Ordered, scores: npt.NDArray[np.float64]) -> FidelityRow:
    """Agreement of an order by scores (N,) on all pairs of ``ranking``."""
    refuse_too_many(len(ranking))
    tally, levels = Tally((ALONE,), 0.0), untied_levels(scores)
    for high, low in EveryPair(ranking.scores).blocks(PAIRS_AT_ONCE):
        tally.add(tally.outcomes(np.sign(levels[high] - levels[low])[None]))
    return tally.row(name, "")


def all_pairs_row(name: str, ranking: Ranking, matrices: PreferenceMatrices) -> FidelityRow:
    """Agreement on all pairs of ``ranking`` alone; the pairs of ``matrices`` play no part."""
    refuse_too_many(len(ranking))
    tally = Tally(matrices.scores.rankers, matrices.margin)
    sums = matrices.document_sums(range(matrices.n_terms))
    for high, low in EveryPair(ranking.scores).blocks(PAIRS_AT_ONCE):
        tally.add(tally.outcomes(np.tanh(sums[:, high] - sums[:, low])))
    return tally.row(name, "")


def _among(codes: npt.NDArray[np.intp], known: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which of ``codes`` are among ``known``; both are sorted."""
    if not len(known):
        return np.zeros(len(codes), dtype=bool)
    places = np.searchsorted(known, codes)
    return np.equal(known[np.minimum(places, len(known) - 1)], codes)
