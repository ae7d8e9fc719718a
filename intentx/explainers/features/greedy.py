"""Greedy choice of features by propensity (Singh, Khosla, Wang & Anand 2021)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.sets import CLOSE, FeatureSets

__all__ = ["greedy_features"]

Floats = npt.NDArray[np.float64]
AT_ONCE = 100_000  # scores looked at in one step, so that they stay near the processor


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
    weight = np.zeros((len(scores), len(scores)))
    weight[high, low] = np.where(ordered, 1 / (high + 1) + 1 / (low + 1) if weighted else 1.0, 0.0)
    chosen: list[int] = []
    most = -np.inf
    while len(chosen) < k and weight.any():
        left = [column for column in sets.columns if column not in chosen]
        if not left:
            break
        tried = sets.added(chosen, left)
        sets.remember(chosen, left, tried)
        sums = _sums(tried, weight)
        best = int(np.argmax(sums))  # the first of equal ones
        if epsilon is None and sums[best] <= most + CLOSE * abs(sums[best]):
            break
        most = float(sums[best])
        chosen.append(left[best])
        if epsilon is not None:
            weight[_propensities(tried[best]) > epsilon] = 0
    return chosen


def _ranks(scores: Floats) -> Floats:
    """(M, N) 0-based ranks by scores (M, N), best first."""
    ranks = np.empty_like(scores)
    order = np.argsort(-scores, axis=1, kind="stable")
    np.put_along_axis(ranks, order, np.arange(scores.shape[1], dtype=np.float64)[None], axis=1)
    return ranks


def _sums(scores: Floats, weight: Floats) -> Floats:
    """(C,) sums over pairs of propensities by scores (C, B, N), times a weight (N, N), the mean of B."""
    flat = scores.reshape(-1, scores.shape[2])
    found = np.empty(len(flat))
    step = max(1, AT_ONCE // flat.shape[1])
    for start in range(0, len(flat), step):
        some = flat[start : start + step]
        ranks = np.ascontiguousarray(_ranks(some).T)
        # What a document's score counts: what it wins of those below it, less what those above win.
        counts = np.zeros_like(ranks)
        for i, row in enumerate(weight[:-1]):
            pairs = np.abs(ranks[i + 1 :] - ranks[i])
            pairs *= row[i + 1 :, None]
            counts[i] += pairs.sum(axis=0)
            counts[i + 1 :] -= pairs
        found[start : start + step] = (counts.T * some).sum(axis=1)
    return np.asarray(found.reshape(len(scores), -1).mean(axis=1))


def _propensities(scores: Floats) -> Floats:
    """(N, N) propensity of each pair, the mean over scores (B, N)."""
    found = np.zeros((scores.shape[1], scores.shape[1]))
    for row, ranks in zip(scores, _ranks(scores), strict=True):
        found += (row[:, None] - row[None]) * np.abs(ranks[:, None] - ranks[None])
    return found / len(scores)
