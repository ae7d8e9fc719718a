"""Preference pairs: which documents a ranking prefers to which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.ranking import Ranking

__all__ = ["PairStrategy", "Pairs", "preference_pairs", "split_pairs"]

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Array = TypeVar("Array", bound=npt.NDArray[Any])
ROUNDING = 1e-12  # of the largest score: closer scores differ by rounding only
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
    ranking: Ranking,
    strategy: PairStrategy = "all",
    *,
    m: int | None = None,
    top: int = 10,
    min_rank_gap: int = 1,
    min_score_gap: float = 0.0,
    log_weights: bool = False,
    seed: int = 0,
) -> Pairs:
    """Preference pairs of a ranking.

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
    if strategy in ("random", "rank-biased") and m is None:
        raise InputError(f"the pair strategy {strategy!r} needs m, the number of pairs to draw")
    if m is not None and m < 1:
        raise InputError(f"m must be 1 or more, not {m!r}")
    if min_rank_gap < 1:
        raise InputError(f"min_rank_gap must be 1 or more, not {min_rank_gap!r}")
    if not min_score_gap >= 0:
        raise InputError(f"min_score_gap must be 0 or more, not {min_score_gap!r}")
    if strategy == "top-tail" and not 1 <= top < len(ranking):
        raise InputError(f"top must leave documents on both sides of {len(ranking)}, not {top!r}")

    high, low = (part.astype(np.intp) for part in np.triu_indices(len(ranking), min_rank_gap))
    with np.errstate(over="ignore"):  # an infinite gap is a gap
        gap = ranking.scores[high] - ranking.scores[low]
    kept = (gap > _rounding(ranking.scores, high, low)) & (gap >= min_score_gap)
    if strategy == "top-tail":
        kept &= (high < top) & (low >= top)
    high, low = high[kept], low[kept]
    if not len(high):
        raise InputError(_no_pair(ranking, min_rank_gap, min_score_gap))
    if m is not None and m < len(high):
        probability = None
        if strategy == "rank-biased":
            probability = 1.0 / (1.0 + high)
            probability /= probability.sum()
        generator = np.random.default_rng(seed)
        drawn = np.sort(generator.choice(len(high), size=m, replace=False, p=probability))
        high, low = high[drawn], low[drawn]
    return Pairs(high, low, 1.0 + np.log(low - high) if log_weights else None)


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
        raise InputError(f"two pairs or more can be split, not {len(pairs)}")
    held = min(len(pairs) - 1, max(1, round(share * len(pairs))))
    mask = np.zeros(len(pairs), dtype=bool)
    mask[np.random.default_rng(seed).permutation(len(pairs))[:held]] = True
    return pairs.take(~mask), pairs.take(mask)


def _no_pair(ranking: Ranking, min_rank_gap: int, min_score_gap: float) -> str:
    spread = float(ranking.scores[0]) - float(ranking.scores[-1])
    if len(ranking) == 1:
        why = "it has one document only"
    elif spread == 0:
        why = f"all {len(ranking)} documents have the same score"
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
