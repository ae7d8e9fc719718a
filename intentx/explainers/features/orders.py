"""How near many orders are to the ranker's own, in arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.evaluation.statistics import kendall_tau_b

__all__ = ["LONG", "taus", "tied"]

Floats = npt.NDArray[np.float64]

LONG = 2_000  # documents of an order that is looked at by sorting, and not pair by pair
CELLS = 20_000_000  # pairs looked at in one step
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
    high, low = np.triu_indices(len(scores), 1)
    own = _signs(scores[None], high, low)[0]
    pairs = np.abs(own).sum(dtype=np.float64)
    found = np.empty(len(others))
    step = max(1, CELLS // max(1, len(high)))
    for start in range(0, len(others), step):
        signs = _signs(others[start : start + step], high, low)
        agreed = signs @ own.astype(np.float32)
        theirs = np.abs(signs).sum(axis=1, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = agreed / np.sqrt(pairs * theirs)
        found[start : start + step] = np.where(theirs == 0, 0.0 if pairs else np.nan, part)
    return np.clip(found, -1, 1)


def _signs(scores: Floats, high: npt.NDArray[np.intp], low: npt.NDArray[np.intp]) -> Any:
    """(M, P) which of each pair has more, as 1, 0 and -1."""
    difference = scores[:, high] - scores[:, low]
    near = ROUNDING * np.abs(scores).max(axis=1, keepdims=True)
    return ((difference > near).astype(np.float32)) - (difference < -near)


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
