"""Preference pairs: which documents a ranking prefers to which."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.ordered import Ordered

__all__ = [
    "EveryPair",
    "PairStrategy",
    "Pairs",
    "check_draws",
    "preference_pairs",
    "refuse_too_many",
    "split_pairs",
]

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Array = TypeVar("Array", bound=npt.NDArray[Any])
ROUNDING = 1e-12  # of the largest score: closer scores differ by rounding only
MOST_PAIRS = 50_000_000  # that are listed: those of 10,000 documents
MOST_JUDGED = 1_000_000_000  # that are looked at one by one: some minutes
PAIR_BYTES = 60  # of memory that a listed pair takes, what is worked out for it included
SENTINEL = 1e100  # larger scores stand for "never" or "always", and say nothing of how others round
PairStrategy = Literal["all", "random", "top-tail", "rank-biased"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of positions in a ranking; the ranker prefers ``high[i]`` to ``low[i]``.

    Attributes
    ----------
    high, low
        (P,) positions, ``high < low`` (0 is the best document); read-only.
    weight
        (P,) positive weights, or None when every pair counts the same.
    """

    high: Indices
    low: Indices
    weight: Floats | None = None

    def __post_init__(self) -> None:
        high = _frozen(np.array(self.high, dtype=np.intp))
        low = _frozen(np.array(self.low, dtype=np.intp))
        if high.ndim != 1 or high.shape != low.shape:
            raise InputError(f"high and low must both be (P,), not {high.shape} and {low.shape}")
        if len(high) and (high.min() < 0 or (high >= low).any()):
            bad = int(np.argmax((high < 0) | (high >= low)))
            raise InputError(f"a pair needs 0 <= high < low; pair {bad} is ({high[bad]}, {low[bad]})")
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "low", low)
        if self.weight is not None:
            weight = _frozen(np.array(self.weight, dtype=np.float64))
            if weight.shape != high.shape or not (np.isfinite(weight) & (weight > 0)).all():
                raise InputError("weight must hold one positive finite number per pair")
            object.__setattr__(self, "weight", weight)

    def __len__(self) -> int:
        return len(self.high)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.high.tolist(), self.low.tolist(), strict=True))

    def take(self, chosen: Indices | npt.NDArray[np.bool_]) -> Pairs:
        """The pairs at these indices, or where this mask is true."""
        weight = None if self.weight is None else self.weight[chosen]
        return Pairs(self.high[chosen], self.low[chosen], weight)

    def among(self, positions: Indices) -> Pairs:
        """The pairs whose two documents are both at one of these positions."""
        inside = np.zeros(max(int(self.low.max(initial=0)), int(np.max(positions, initial=0))) + 1, bool)
        inside[positions] = True
        return self.take(inside[self.high] & inside[self.low])


def preference_pairs(
    ranking: Ordered,
    strategy: PairStrategy = "all",
    *,
    m: int | None = None,
    top: int = 10,
    min_rank_gap: int = 1,
    min_score_gap: float = 0.0,
    log_weights: bool = False,
    seed: int = 0,
) -> Pairs:
    """Preference pairs of a ranking, of texts or by features.

    Documents with equal scores, rounding aside, are never a pair: the ranker prefers neither.

    Parameters
    ----------
    strategy
        ``"all"``: every pair. ``"random"``: ``m`` pairs drawn uniformly. ``"top-tail"``: each of
        the ``top`` best documents against each of the rest. ``"rank-biased"``: ``m`` pairs, each
        drawn with a probability proportional to ``1 / (1 + position of the better document)``.
    m
        Most pairs; None for no limit. With ``"all"`` and ``"top-tail"``, a uniform draw.
    top
        Number of top documents, for ``"top-tail"`` only.
    min_rank_gap, min_score_gap
        Only pairs at least so many ranks, and at least so much score, apart.
    log_weights
        Weigh each pair by ``1 + ln(rank gap)``.
    seed
        For the draws, which are without replacement.

    Returns
    -------
    Pairs
        Sorted by ``high``, then ``low``.

    Raises
    ------
    InputError
        If no pair is left, with the filter that removed the last ones; or for a bad setting.

    Notes
    -----
    Strategies and weights follow Singh & Anand (2020) and Lyu & Anand (2023).
    """
    if strategy not in get_args(PairStrategy):
        raise InputError(f"no pair strategy {strategy!r}; choose one of {get_args(PairStrategy)}")
    check_draws(strategy, m)
    if m is not None and m < 1:
        raise InputError(f"m must be 1 or more, not {m!r}")
    if min_rank_gap < 1:
        raise InputError(f"min_rank_gap must be 1 or more, not {min_rank_gap!r}")
    if not min_score_gap >= 0:
        raise InputError(f"min_score_gap must be 0 or more, not {min_score_gap!r}")
    if strategy == "top-tail" and not 1 <= top < len(ranking):
        raise InputError(f"top must leave documents on both sides of {len(ranking)}, not {top!r}")

    every = EveryPair(
        ranking.scores, min_rank_gap, min_score_gap, top if strategy == "top-tail" else None
    )
    if not len(every):
        raise InputError(_no_pair(ranking, min_rank_gap, min_score_gap))
    generator = np.random.default_rng(seed)
    if m is None or m >= len(every):
        high, low = every.at(np.arange(_listable(len(every), len(ranking))))
    elif strategy == "rank-biased":
        high, low = every.at(np.sort(_rank_biased(every, m, generator)))
    else:
        _listable(m, len(ranking))
        high, low = every.at(np.sort(generator.choice(len(every), size=m, replace=False)))
    return Pairs(high, low, 1.0 + np.log(low - high) if log_weights else None)


def check_draws(strategy: PairStrategy | Pairs, m: int | None) -> None:
    """Refuse a strategy that draws pairs without the number of pairs to draw."""
    if isinstance(strategy, str) and strategy in ("random", "rank-biased") and m is None:
        raise InputError(f"the pair strategy {strategy!r} needs m, the number of pairs to draw")


class EveryPair:
    """The preference pairs of a ranking, numbered by ``high``, then ``low``, and listed on demand only.

    Scores do not increase, so what a document is preferred to is all from some position on: N numbers
    stand for all pairs.

    Parameters
    ----------
    scores
        (N,) scores of the ranking.
    min_rank_gap, min_score_gap
        As in `preference_pairs`.
    top
        Only pairs of one of so many best documents with one of the rest.

    Examples
    --------
    >>> every = EveryPair(np.array([3.0, 2.0, 2.0, 1.0]))
    >>> len(every), [part.tolist() for part in every.at(np.arange(5))]
    (5, [[0, 0, 0, 1, 2], [1, 2, 3, 3, 3]])
    """

    def __init__(
        self,
        scores: Floats,
        min_rank_gap: int = 1,
        min_score_gap: float = 0.0,
        top: int | None = None,
    ) -> None:
        n = len(scores)
        high = np.arange(n)
        least = np.minimum(np.arange(n) + min_rank_gap, n)
        most = np.full(n, n)
        while (open_ := least < most).any():  # bisection, of all documents at once
            middle = (least + most) // 2
            low = np.minimum(middle, n - 1)
            with np.errstate(over="ignore"):  # an infinite gap is a gap
                gap = scores - scores[low]
            enough = (gap > _rounding(scores, high, low)) & (gap >= min_score_gap)
            most = np.where(open_ & enough, middle, most)
            least = np.where(open_ & ~enough, middle + 1, least)
        self.first = least if top is None else np.maximum(least, top)
        counts = n - self.first
        if top is not None:
            counts[top:] = 0
        self.ends = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self.ends[-1])

    @property
    def counts(self) -> Indices:
        """(N,) to how many documents each one is preferred."""
        return np.diff(self.ends, prepend=0)

    def at(self, numbers: Indices) -> tuple[Indices, Indices]:
        """Positions ``high`` and ``low``, both (P,), of the pairs with these numbers."""
        high = np.searchsorted(self.ends, numbers, side="right")
        before = self.ends - self.counts
        return high, numbers - (before - self.first)[high]

    def blocks(self, size: int) -> Iterator[tuple[Indices, Indices]]:
        """All pairs, so many at a time."""
        for start in range(0, len(self), size):
            yield self.at(np.arange(start, min(start + size, len(self))))

    def regular(self, most: int) -> Pairs:
        """All pairs, or a regular sample of at most so many."""
        return Pairs(*self.at(np.arange(0, len(self), max(1, -(-len(self) // most)))))


def refuse_too_many(documents: int) -> None:
    """Raise an InputError where documents make more pairs than can be looked at one by one.

    That takes time, not memory: they are never listed.
    """
    pairs = documents * (documents - 1) // 2
    if pairs > MOST_JUDGED:
        raise InputError(
            f"{documents:,} documents make {pairs:,} preference pairs, and fidelity is measured on all "
            f"of them; at most {MOST_JUDGED:,} are allowed, those of {math.isqrt(2 * MOST_JUDGED):,} "
            "documents. Take fewer documents, as in ranking.subset(range(1000))"
        )


def _listable(number: int, documents: int) -> int:
    """``number``, unless so many pairs are too many to list."""
    if number > MOST_PAIRS:
        raise InputError(
            f"{number:,} preference pairs of {documents:,} documents would need about "
            f"{number * PAIR_BYTES / 2**30:,.0f} GiB of memory, and at most {MOST_PAIRS:,} are allowed. "
            'Draw some of them, as in pairs="random", m=5000; or take fewer documents, as in '
            "ranking.subset(range(1000))"
        )
    return number


def _rank_biased(every: EveryPair, m: int, generator: np.random.Generator) -> Indices:
    """``m`` different pairs, drawn one after the other by ``1 / (1 + position of the better one)``."""
    if len(every) <= MOST_PAIRS:
        probability = np.repeat(1.0 / (1.0 + np.arange(len(every.first))), every.counts)
        probability /= probability.sum()
        return generator.choice(len(every), size=m, replace=False, p=probability)
    _listable(m if m <= len(every) // 10 else len(every), len(every.first))
    share = np.cumsum(every.counts / (1.0 + np.arange(len(every.first))))
    drawn = np.empty(0, dtype=np.intp)
    while len(drawn) < m:  # what comes again is passed over
        high = np.searchsorted(share, generator.random(m) * share[-1], side="right")
        number = every.ends[high] - 1 - generator.integers(every.counts[high])
        drawn = np.concatenate([drawn, number])
        drawn = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
    return drawn[:m]


def split_pairs(pairs: Pairs, share: float = 0.3, *, seed: int = 0) -> tuple[Pairs, Pairs]:
    """Split pairs at random into two disjoint parts, fitted and held out.

    Both parts share documents; to hold out *documents*, see `intentx.heldout_fidelity`.

    Parameters
    ----------
    share
        Share of the pairs held out, in (0, 1); each side gets at least one pair.

    Examples
    --------
    >>> fitted, heldout = split_pairs(Pairs([0, 0, 1], [1, 2, 2]), share=0.3)
    >>> len(fitted), len(heldout)
    (2, 1)
    """
    if not 0 < share < 1:
        raise InputError(f"share must lie between 0 and 1, not {share!r}")
    if len(pairs) < 2:
        raise InputError(f"a split needs two pairs or more, not {len(pairs)}")
    held = min(len(pairs) - 1, max(1, round(share * len(pairs))))
    mask = np.zeros(len(pairs), dtype=bool)
    mask[np.random.default_rng(seed).permutation(len(pairs))[:held]] = True
    return pairs.take(~mask), pairs.take(mask)


def _no_pair(ranking: Ordered, min_rank_gap: int, min_score_gap: float) -> str:
    spread = float(ranking.scores[0]) - float(ranking.scores[-1])
    if len(ranking) == 1:
        why = "it has one document only"
    elif spread == 0:
        why = (
            f"all {len(ranking)} documents have the same score, so there is no order to explain; "
            "check what the ranker returns for texts that it should tell apart"
        )
    elif min_score_gap > spread:
        why = f"min_score_gap={min_score_gap} exceeds the spread of the scores, {spread:.4g}"
    else:  # the first and the last document pass every other filter
        why = f"min_rank_gap={min_rank_gap} leaves nothing of {len(ranking)} documents"
    return f"the ranking for {ranking.query!r} has no preference pair: {why}"


def _rounding(scores: Floats, high: Indices, low: Indices) -> Floats:
    """(P,) by how much the two scores of each pair may differ from rounding alone."""
    size = np.abs(scores)
    usual = size[size <= SENTINEL].max(initial=0.0)
    own = np.maximum(size[high], size[low])
    return np.asarray(ROUNDING * np.where(own > SENTINEL, own, usual))


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
