"""Fidelity: on how many preference pairs does an explanation agree with the ranker?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.evaluation.orders import copeland_scores, kendall_tau_b, rbo_ext
from intentx.preferences import MARGIN, Pairs, PreferenceMatrices, preference_pairs
from intentx.preferences.simple_rankers import SimpleRanker, default_simple_rankers, term_scores
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "Explanation",
    "Fidelity",
    "FidelityRow",
    "HeldoutFidelity",
    "Method",
    "fidelity",
    "heldout_fidelity",
    "judge",
]


class Explanation(Protocol):
    """What the judge needs of an explanation: a ranking and the words that explain it.

    It may also bring ``matrices`` (its terms' `PreferenceMatrices` over the fitted pairs), and
    ``simple_rankers`` and ``analyzer``; without them the default simple rankers score its terms.
    """

    @property
    def ranking(self) -> Ranking: ...
    @property
    def terms(self) -> tuple[str, ...]: ...


class Method(Protocol):
    """A way to explain a ranking by words."""

    def explain(self, ranking: Ranking, /) -> Any: ...


@dataclass(frozen=True)
class FidelityRow:
    """Agreement on one set of pairs.

    Attributes
    ----------
    name
        ``"all"``, ``"far"``, ``"fitted"`` or ``"heldout"``.
    pairs
        Number of pairs.
    vote
        Share covered by the soft vote of the simple rankers, ``sum_r tanh(x M_r) > margin``.
    majority
        Share on which more than half of the simple rankers agree strictly with the ranker (two
        of three, in the published rule).
    by_ranker
        The share for each simple ranker by itself.
    ties
        Pairs with a vote within the margin of zero; they are not covered.
    reason
        Why the shares are NaN, "" when they are not.
    """

    name: str
    pairs: int
    vote: float
    majority: float
    by_ranker: Mapping[str, float]
    ties: int
    reason: str = ""


@dataclass(frozen=True)
class Fidelity:
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

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(caption=self._caption(), caption_justify="left")
        table.add_column("fidelity", no_wrap=True)
        by_ranker = (name.partition(" (")[0] for name in self.rows[0].by_ranker)
        for column in ("pairs", "soft vote", "majority", *by_ranker, "ties"):
            table.add_column(Text(column), justify="right")
        labels = {"far": f"far (≥ {self.gap} ranks)", "heldout": "held out"}
        for row in self.rows:
            if row.pairs:
                shares = (row.vote, row.majority, *row.by_ranker.values())
                cells = (*(f"{share:.3f}" for share in shares), str(row.ties))
                table.add_row(labels.get(row.name, row.name), str(row.pairs), *cells)
        return table

    def _caption(self) -> str:
        tied = f"; {self.ranker_ties} pairs tied by the ranker left out" if self.ranker_ties else ""
        return f"Kendall τ-b {self.tau:.3f}, RBO_ext(p=.9) {self.rbo:.3f}{tied}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; NaN becomes None."""
        plain = asdict(self)
        plain["rows"] = [
            {key: _none_for_nan(value) for key, value in row.items()} for row in plain["rows"]
        ]
        return {key: _none_for_nan(value) for key, value in plain.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Fidelity:
        """The inverse of `to_dict`."""
        rows = tuple(
            FidelityRow(**{key: _nan_for_none(value) for key, value in row.items()})
            for row in plain["rows"]
        )
        return cls(**{key: _nan_for_none(v) for key, v in plain.items() if key != "rows"}, rows=rows)


@dataclass(frozen=True)
class HeldoutFidelity:
    """Fidelity on pairs among documents that the method did not see.

    Attributes
    ----------
    mean, low, high
        Mean over the repeats with a value, and its 95 % bootstrap interval.
    values
        One share per repeat; NaN where it could not be measured.
    terms
        The terms of each repeat.
    reasons
        Why a repeat has no value, "" where it has one.
    """

    mean: float
    low: float
    high: float
    values: tuple[float, ...]
    terms: tuple[tuple[str, ...], ...] = field(repr=False)
    reasons: tuple[str, ...] = field(repr=False)

    def __repr__(self) -> str:
        measured = sum(not math.isnan(value) for value in self.values)
        return (
            f"HeldoutFidelity({self.mean:.3f}, 95 % interval {self.low:.3f} to {self.high:.3f}, "
            f"{measured} of {len(self.values)} splits)"
        )


def fidelity(
    explanation: Explanation,
    *,
    gap: int = 10,
    simple_rankers: Sequence[SimpleRanker] | None = None,
    analyzer: Analyzer | None = None,
) -> Fidelity:
    """Judge any explanation that has words, whatever method found them.

    The words become an expanded query for the simple rankers.

    Parameters
    ----------
    gap
        Least rank distance of the "far" pairs.
    simple_rankers, analyzer
        What to score the words with; None: those of the explanation, else the default ones.

    Raises
    ------
    InputError
        If the ranking has no preference pair, e.g. since all scores are equal.
    """
    fitted: PreferenceMatrices | None = getattr(explanation, "matrices", None)
    if simple_rankers is None and analyzer is None and fitted is not None:
        return judge(explanation.ranking, fitted, fitted.pairs, gap=gap)
    rankers = simple_rankers or getattr(explanation, "simple_rankers", ()) or default_simple_rankers()
    analyzer = analyzer or getattr(explanation, "analyzer", None) or Analyzer()
    ranking = explanation.ranking
    scores = term_scores(explanation.terms, TextIndex(ranking.texts, analyzer), rankers)
    pairs = preference_pairs(ranking) if fitted is None else fitted.pairs
    margin = MARGIN if fitted is None else fitted.margin
    matrices = PreferenceMatrices(scores, preference_pairs(ranking), margin=margin)
    return judge(ranking, matrices, pairs, gap=gap)


def judge(ranking: Ranking, matrices: PreferenceMatrices, fitted: Pairs, *, gap: int = 10) -> Fidelity:
    """Fidelity of all terms of ``matrices`` together; its pairs set the scale only.

    Parameters
    ----------
    fitted
        The pairs on which the terms were chosen.
    """
    if gap < 1:
        raise InputError(f"gap must be 1 or more, not {gap!r}")
    everything = preference_pairs(ranking)
    n = len(ranking)
    seen = np.zeros((n, n), dtype=bool)
    seen[fitted.high, fitted.low] = True
    was_fitted = seen[everything.high, everything.low]
    far = everything.low - everything.high >= gap
    subsets = (
        ("all", np.ones(len(everything), dtype=bool), ""),
        ("far", far, f"no pair is {gap} or more ranks apart"),
        ("fitted", was_fitted, "no pair of the ranking was fitted"),
        ("heldout", ~was_fitted, "every pair was fitted"),
    )
    over_all = PreferenceMatrices(matrices.scores, everything, matrices.scale, matrices.margin)
    differences = over_all.differences(range(matrices.n_terms))
    names = matrices.scores.rankers or tuple(f"ranker {r + 1}" for r in range(matrices.n_rankers))
    rows = tuple(
        _row(name, differences[:, mask], names, matrices.margin, reason)
        for name, mask, reason in subsets
    )
    documents = copeland_scores(over_all, n)
    return Fidelity(
        **{row.name: row.vote for row in rows},
        tau=kendall_tau_b(ranking.scores, documents),
        rbo=rbo_ext(documents),
        gap=gap,
        ranker_ties=n * (n - 1) // 2 - len(everything),
        rows=rows,
    )


def heldout_fidelity(
    method: Method,
    ranking: Ranking,
    share: float = 0.3,
    repeats: int = 5,
    seed: int = 0,
    *,
    simple_rankers: Sequence[SimpleRanker] | None = None,
) -> HeldoutFidelity:
    """Choose terms from some of the documents, judge them on pairs among the others.

    Each repeat hides a random ``share`` of the documents from ``method.explain``, then counts the
    pairs among the hidden documents that its terms cover. Term statistics such as idf, and the
    scale of each simple ranker, come from the documents that were shown.

    Parameters
    ----------
    method
        Anything with ``explain(ranking)`` that yields terms.
    share
        Share of the documents held out, in (0, 1).
    repeats
        Number of random splits.

    Returns
    -------
    HeldoutFidelity
        A split without any pair, or on which the method fails for want of pairs or candidates, is
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
    generators = np.random.default_rng(seed).spawn(repeats)
    outcomes = [
        _one_split(method, ranking, generator.permutation(n)[:held], simple_rankers)
        for generator in generators
    ]
    values = np.array([value for value, _, _ in outcomes])
    measured = values[~np.isnan(values)]
    low, high = _bootstrap(measured, np.random.default_rng(seed))
    return HeldoutFidelity(
        mean=float(measured.mean()) if len(measured) else math.nan,
        low=low,
        high=high,
        values=tuple(values.tolist()),
        terms=tuple(terms for _, terms, _ in outcomes),
        reasons=tuple(reason for _, _, reason in outcomes),
    )


def _one_split(
    method: Method,
    ranking: Ranking,
    held: npt.NDArray[np.intp],
    simple_rankers: Sequence[SimpleRanker] | None,
) -> tuple[float, tuple[str, ...], str]:
    """Share of the held-out pairs covered, the terms, and the reason when there is no share."""
    shown = ranking.subset(set(range(len(ranking))) - set(held.tolist()))
    hidden = ranking.subset(held.tolist())
    try:
        pairs = preference_pairs(hidden)
        explanation = method.explain(shown)
    except InputError as error:
        return math.nan, (), str(error)
    terms: tuple[str, ...] = tuple(explanation.terms)
    rankers = simple_rankers or getattr(explanation, "simple_rankers", ()) or default_simple_rankers()
    analyzer = getattr(explanation, "analyzer", None) or Analyzer()
    background = TextIndex(shown.texts, analyzer)
    scores = term_scores(terms, TextIndex(hidden.texts, analyzer, background), rankers)
    fitted: PreferenceMatrices | None = getattr(explanation, "matrices", None)
    if fitted is None or simple_rankers is not None:
        matrices = PreferenceMatrices(scores, pairs)
    else:
        matrices = PreferenceMatrices(scores, pairs, fitted.scale, fitted.margin)
    return matrices.coverage(range(len(terms))), terms, ""


def _row(
    name: str, differences: npt.NDArray[np.float64], names: Sequence[str], margin: float, reason: str
) -> FidelityRow:
    """One set of pairs, from the (R, P) scaled differences of the explanation."""
    count = differences.shape[1]
    if not count:
        nothing = dict.fromkeys(names, math.nan)
        return FidelityRow(name, 0, math.nan, math.nan, nothing, 0, reason)
    strength = np.tanh(differences)
    vote = strength.sum(axis=0)
    agree = strength > margin
    return FidelityRow(
        name,
        count,
        vote=float((vote > margin).mean()),
        majority=float((2 * agree.sum(axis=0) > len(names)).mean()),
        by_ranker=dict(zip(names, agree.mean(axis=1).tolist(), strict=True)),
        ties=int((np.abs(vote) <= margin).sum()),
    )


def _bootstrap(values: npt.NDArray[np.float64], generator: np.random.Generator) -> tuple[float, float]:
    if not len(values):
        return math.nan, math.nan
    means = generator.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _none_for_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _none_for_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _nan_for_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _nan_for_none(inner) for key, inner in value.items()}
    return math.nan if value is None else value
