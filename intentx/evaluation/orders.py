"""Orders of documents: by a vote of terms, and how far two agree at the top."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intentx.preferences import PreferenceMatrices

__all__ = ["copeland_scores", "rbo_ext", "rbo_weights"]

Floats = npt.NDArray[np.float64]

BLOCK = 50_000  # votes at once


def copeland_scores(matrices: PreferenceMatrices, documents: int) -> Floats:
    """(N,) how many documents each one beats by the vote of all terms, minus those that beat it.

    The vote of several simple rankers orders pairs, not documents; Copeland's count makes it an
    order of documents. The pairs of ``matrices`` play no part.
    """
    values = matrices.scores.values.sum(axis=1) / np.asarray(matrices.scale)[:, None]
    score = np.zeros(documents)
    step = max(1, BLOCK // max(1, values.size))
    for start in range(0, documents, step):  # in blocks of rows, so that memory stays linear
        rows, rest = slice(start, start + step), slice(start, None)
        # Against those that come before, the votes are known: they change sign with the sides.
        vote = np.tanh(values[:, rows, None] - values[:, None, rest]).sum(axis=0)
        sign = (vote > matrices.margin).astype(np.int8) - (vote < -matrices.margin)
        score[rows] += sign.sum(axis=1)
        score[start + step :] -= sign[:, step:].sum(axis=0)
    return score


def rbo_ext(scores: Floats, p: float = 0.9) -> float:
    """RBO_ext between the order 0, 1, … N-1 and the order by ``scores``, in [0, 1].

    Extrapolated rank-biased overlap of Webber, Moffat & Zobel (2010, eq. 32) for two lists of the
    same N documents. Ties in ``scores`` stand in the order that is worst, the reverse of the first.

    Examples
    --------
    >>> float(rbo_ext(np.array([3.0, 2.0, 1.0])))
    1.0
    >>> round(rbo_ext(np.array([1.0, 2.0, 3.0])), 3)
    0.855
    """
    n = len(scores)
    order = np.lexsort((-np.arange(n), -scores))
    # Both lists have shown a document once the deeper of its two positions is reached.
    position = np.empty(n, dtype=np.intp)
    position[order] = np.arange(n)
    overlap = np.cumsum(np.bincount(np.maximum(position, np.arange(n)), minlength=n))
    depth = np.arange(1, n + 1)
    agreement = overlap / depth
    return float(agreement[-1] * p**n + (1 - p) / p * np.sum(agreement * p**depth))


def rbo_weights(n: int, p: float = 0.9) -> Floats:
    """(n,) what a document adds to `rbo_ext` by the deeper of its two positions, from 0.

    RBO_ext of two orders of the same n documents is the sum of these over the documents.

    Examples
    --------
    >>> weights = rbo_weights(3)
    >>> round(float(weights.sum()), 12), round(float(weights[2] + weights[1] + weights[2]), 3)
    (1.0, 0.855)
    """
    return np.asarray(np.cumsum(_by_depth(n, p)[::-1])[::-1])


def _by_depth(n: int, p: float) -> Floats:
    """(n,) weight of a document that both lists hold down to each depth."""
    depth = np.arange(1, n + 1)
    weights = (1 - p) / p * p**depth / depth
    weights[-1] += p**n / n
    return np.asarray(weights)
