"""How near many orders are to the ranker's own, in arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.evaluation.statistics import kendall_tau_b

__all__ = ["LONG", "taus", "tied"]

Floats = npt.NDArray[np.float64]

LONG = 2_000  # documents of an order that is looked at by sorting, and not pair by pair
CELLS = 500_000  # scores looked at in one step, so that they stay near the processor
ROUNDING = 1e-12  # of the largest score: closer scores differ by rounding only


def taus(scores: Any, others: Any) -> Floats:
    """(M,) Kendall's τ-b between scores (N,) and each of others (M, N).

    Scores that differ by rounding only are tied. An order of ties alone has τ 0: it says nothing
    about any pair. NaN where ``scores`` themselves are all tied.

    Examples
    --------
    >>> taus([3, 2, 1], [[3, 2, 1], [1, 2, 3], [1, 1, 1]]).tolist()
    [1.0, -1.0, 0.0]
    """
    scores = np.asarray(scores, dtype=np.float64)
    others = np.asarray(others, dtype=np.float64).reshape(-1, len(scores))
    if len(scores) > LONG:
        own = tied(scores)
        return np.array([_tau_of_long(own, tied(one)) for one in others])
    order = np.argsort(-scores, kind="stable")
    # Where the documents begin that the ranker scores less than each.
    less = np.searchsorted(tied(-scores)[order], np.arange(len(scores)), "right")
    less = less[tied(-scores)[order]]
    pairs = float((len(scores) - less).sum())
    found = np.empty(len(others))
    step = max(1, CELLS // max(1, len(scores)))
    for start in range(0, len(others), step):
        agreed, theirs = _agreement(_places(others[start : start + step, order]), less)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = agreed / np.sqrt(pairs * theirs)
        found[start : start + step] = np.where(theirs == 0, 0.0 if pairs else np.nan, part)
    return np.clip(found, -1, 1)


def _places(scores: Floats) -> npt.NDArray[Any]:
    """(N, M) places of scores (M, N) in each order, from the lowest; those that are tied share one."""
    order = np.argsort(scores, axis=1)
    rising = np.take_along_axis(scores, order, axis=1)
    near = ROUNDING * np.abs(scores).max(axis=1, keepdims=True)
    kind = np.min_scalar_type(scores.shape[1])
    places = np.zeros(scores.shape, dtype=kind)
    np.cumsum(np.diff(rising, axis=1) > near, axis=1, dtype=kind, out=places[:, 1:])
    found = np.empty_like(places)
    np.put_along_axis(found, order, places, axis=1)
    return np.ascontiguousarray(found.T)


def _agreement(places: npt.NDArray[Any], less: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """(M,) of each of M orders (N, M): agreeing pairs less the others, and the pairs it does not tie.

    ``less`` has, for each document, the first of those below it by the ranker; they come in its order.
    """
    number, kind = len(places), places.dtype
    agreed = np.zeros(places.shape[1], dtype=np.int64)
    tied_pairs = np.zeros(places.shape[1], dtype=np.int64)
    for i in range(number - 1):
        mine, below = places[i], places[less[i] :]
        agreed += np.add.reduce(mine > below, axis=0, dtype=kind)
        agreed -= np.add.reduce(mine < below, axis=0, dtype=kind)
        tied_pairs += np.add.reduce(mine == places[i + 1 :], axis=0, dtype=kind)
    apart = number * (number - 1) // 2 - tied_pairs
    return agreed.astype(np.float64), apart.astype(np.float64)


def tied(scores: Floats) -> npt.NDArray[np.intp]:
    """(N,) places of scores in their order; those that differ by rounding only share one."""
    order = np.argsort(scores, kind="stable")
    near = ROUNDING * np.abs(scores).max(initial=0.0)
    found = np.empty(len(scores), dtype=np.intp)
    found[order] = np.concatenate([[0], np.cumsum(np.diff(scores[order]) > near)])
    return found


def _tau_of_long(own: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> float:
    if own.max() > 0 and other.max() == 0:
        return 0.0
    return kendall_tau_b(own.astype(np.float64), other.astype(np.float64))
