"""What an order is worth beside the ranker's own: the values that listwise Shapley values share out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from intentx.evaluation.statistics import weighted_kendall_tau
from intentx.explainers.features.orders import LONG, taus, tied

__all__ = ["VALUES", "OrderValue", "order_value"]

Floats = npt.NDArray[np.float64]
OrderValue = Literal["tau", "weighted-tau", "rbo", "ndcg", "exposure", "top-k"]
P = 0.9  # of rank-biased overlap
ROUNDING = 1e-12


def order_value(value: OrderValue, scores: Any, others: Any, k: int = 10) -> Floats:
    """(M,) worth of the orders by each of others (M, N), beside the order by scores (N,), best first.

    ``"tau"``: Kendall's τ-b. ``"weighted-tau"``: the pairs that agree less those that do not, a pair of
    ranks i and j counting 1/i + 1/j, over all. ``"rbo"``: extrapolated rank-biased overlap, p = .9.
    ``"ndcg"``: nDCG@k, a document's gain being the number of documents that the ranker puts below it.
    ``"exposure"``: 1 less the exposure, 1 / log2(1 + rank), that moves, over the most that can.
    ``"top-k"``: share of an order's first k that score as high as the ranker's k-th, or higher. In all
    but the two τ, documents that an order ties stand in the worst order, the reverse of the ranker's.

    Examples
    --------
    >>> for name in VALUES:
    ...     print(name, order_value(name, [3, 2, 1], [[3, 2, 1], [1, 2, 3]], k=1).round(3).tolist())
    tau [1.0, -1.0]
    weighted-tau [1.0, -1.0]
    rbo [1.0, 0.855]
    ndcg [1.0, 0.0]
    exposure [1.0, 0.0]
    top-k [1.0, 0.0]
    """
    scores = np.asarray(scores, dtype=np.float64)
    others = np.asarray(others, dtype=np.float64).reshape(-1, len(scores))
    return VALUES[value](scores, others, min(k, len(scores)))


def _positions(scores: Floats, others: Floats) -> npt.NDArray[np.intp]:
    """(M, N) 0-based place of each document in each order."""
    near = ROUNDING * np.abs(others).max(axis=1, keepdims=True)
    rounded = np.where(near > 0, np.round(others / np.where(near > 0, near, 1)) * near, others)
    # Reversed, so that a stable sort puts tied documents in the reverse of the ranker's order.
    order = others.shape[1] - 1 - np.argsort(-rounded[:, ::-1], axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(others.shape[1])[None], axis=1)
    return np.asarray(places)


def _tau(scores: Floats, others: Floats, k: int) -> Floats:
    return taus(scores, others)


def _weighted_tau(scores: Floats, others: Floats, k: int) -> Floats:
    if len(scores) > LONG:
        own = tied(scores)
        return np.array([_weighted_tau_of_long(own, tied(one)) for one in others])
    high, low = np.triu_indices(len(scores), 1)
    apart = scores[high] > scores[low]
    high, low = high[apart], low[apart]
    weight = 1 / (high + 1) + 1 / (low + 1)
    found = np.empty(len(others))
    step = max(1, 4_000_000 // max(1, len(high)))
    for start in range(0, len(others), step):
        some = others[start : start + step]
        near = ROUNDING * np.abs(some).max(axis=1, keepdims=True)
        difference = some[:, high] - some[:, low]
        found[start : start + step] = (
            ((difference > near).astype(float) - (difference < -near))
            @ weight
            / (weight.sum() or np.nan)
        )
    return found


def _weighted_tau_of_long(own: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> float:
    """The same in time N log N, of orders by their places."""
    if not own.max() or not other.max():
        return 0.0 if own.max() else math.nan
    weight = 1 / np.arange(1, len(own) + 1)

    def apart(groups: npt.NDArray[np.intp]) -> float:
        """Weight of the pairs that are not in one group."""
        return float(weight @ (len(groups) - np.bincount(groups)[groups]))

    return weighted_kendall_tau(own, other) * math.sqrt(apart(other) / apart(own))


def _rbo(scores: Floats, others: Floats, k: int) -> Floats:
    n = len(scores)
    deeper = np.maximum(_positions(scores, others), np.arange(n)[None])
    depth = np.arange(1, n + 1)
    by_depth = (1 - P) / P * P**depth / depth
    by_depth[-1] += P**n / n
    return np.asarray(np.cumsum(by_depth[::-1])[::-1][deeper].sum(axis=1))


def _ndcg(scores: Floats, others: Floats, k: int) -> Floats:
    n = len(scores)
    gains = np.searchsorted(np.sort(scores), scores).astype(float)
    places = _positions(scores, others)
    discount = np.where(np.arange(n) < k, 1 / np.log2(np.arange(n) + 2), 0)
    best = float(discount @ gains)
    return (
        np.asarray((discount[places] * gains).sum(axis=1) / best) if best else np.full(len(others), 1.0)
    )


def _exposure(scores: Floats, others: Floats, k: int) -> Floats:
    exposed = 1 / np.log2(np.arange(len(scores)) + 2)
    most = float(np.abs(exposed - exposed[::-1]).sum())
    moved = np.abs(exposed[_positions(scores, others)] - exposed[None]).sum(axis=1)
    return np.asarray(1 - moved / most) if most else np.full(len(others), 1.0)


def _top(scores: Floats, others: Floats, k: int) -> Floats:
    first = scores >= np.sort(scores)[-k]  # all that the ranker ties at the k-th place
    return np.asarray(((_positions(scores, others) < k) & first).sum(axis=1) / k)


VALUES: Mapping[str, Callable[[Floats, Floats, int], Floats]] = MappingProxyType(
    {
        "tau": _tau, "weighted-tau": _weighted_tau, "rbo": _rbo, "ndcg": _ndcg,
        "exposure": _exposure, "top-k": _top,
    }
)  # fmt: skip
