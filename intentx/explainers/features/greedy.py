"""Greedy choice of features by propensity (Singh, Khosla, Wang & Anand 2021)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.sets import CLOSE, FeatureSets

__all__ = ["greedy_features"]

Floats = npt.NDArray[np.float64]


def greedy_features(
    sets: FeatureSets, k: int, *, epsilon: float | None = None, weighted: bool = False
) -> list[int]:
    """Columns in the order in which greedy chooses them.

    Of each pair of documents that the ranker orders, i above j, a set has the propensity
    ``(s_i − s_j)·|r_i − r_j|`` by scores s and ranks r with only the set kept, the mean over background
    rows. Greedy adds the feature that makes the sum largest, and stops at k features or where the sum
    no longer rises.

    Parameters
    ----------
    epsilon
        Greedy-cover: pairs with a propensity above ε count as preserved and are left out from then on,
        and it stops when none is left. None: greedy.
    weighted
        Whether a pair counts ``1/i + 1/j`` by the ranks in the ranking.
    """
    scores = sets.ranking.scores
    high, low = np.triu_indices(len(scores), 1)
    ordered = scores[high] - scores[low] > CLOSE * np.abs(scores).max()
    high, low = high[ordered], low[ordered]
    weight = 1 / (high + 1) + 1 / (low + 1) if weighted else np.ones(len(high))
    chosen: list[int] = []
    most = -np.inf
    while len(chosen) < k and len(high):
        left = [column for column in sets.columns if column not in chosen]
        if not left:
            break
        tried = sets.added(chosen, left)
        sets.remember(chosen, left, tried)
        sums = [float(weight @ _propensity(one, high, low)) for one in tried]
        best = int(np.argmax(sums))  # the first of equal ones
        if epsilon is None and sums[best] <= most + CLOSE * abs(sums[best]):
            break
        most = sums[best]
        chosen.append(left[best])
        if epsilon is not None:
            open_pairs = _propensity(tried[best], high, low) <= epsilon
            high, low, weight = high[open_pairs], low[open_pairs], weight[open_pairs]
    return chosen


def _propensity(scores: Floats, high: npt.NDArray[np.intp], low: npt.NDArray[np.intp]) -> Floats:
    """(P,) of pairs, by scores (B, N)."""
    found = np.zeros(len(high))
    for row in scores:
        ranks = np.empty(len(row))
        ranks[np.argsort(-row, kind="stable")] = np.arange(len(row))
        found += (row[high] - row[low]) * np.abs(ranks[high] - ranks[low])
    return found / len(scores)
