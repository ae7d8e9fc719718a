"""What all words of the documents tell of an order, for a search of few words to lean on.

A query of ten words can be fitted to the order of 100 documents to a large part by chance. A ridge
regression on all words is fitted less to chance, though no query: a set of few words that scores
documents as it does holds better on other documents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST", "Leaning", "told_by_all"]

Floats = npt.NDArray[np.float64]

LEAST = 10  # documents of an order that is learned from
LIKE = 2.0  # weight of the correlation with what all words tell, beside the objective
OWN = 0.03  # what a word of the original query is worth
NEARER = 5.0  # times as readily the regression uses a word of the original query
PENALTIES = 10.0 ** np.arange(-2, 5, 0.5)  # of the regression, for features of variance 1
SMALLEST = 1e-12


class Leaning:
    """What is added to the value of a set of columns: how far it scores documents as all words do.

    Parameters
    ----------
    values
        (T, N) score of each term in each document of the order, best first.
    own
        The original query's terms.
    weight
        Of all that is added; the two parts have their proportion from DL'21 and DL'22.
    max_weight
        Column ``c`` is term ``c % T`` of weight ``c // T + 1``, up to this weight.
    """

    def __init__(self, values: Floats, own: Sequence[int], weight: float, max_weight: int) -> None:
        self._terms, self._max_weight = len(values), max_weight
        self._values = values - values.mean(axis=1, keepdims=True)
        target = told_by_all(values, own)
        self._target = LIKE * weight * target / max(float(np.linalg.norm(target)), SMALLEST)
        self._along = self._values @ self._target
        self._squares = (self._values**2).sum(axis=1)
        self._own = np.zeros(self._terms)
        self._own[list(own)] = OWN * weight

    def beside(self, columns: Sequence[int]) -> Floats:
        """(C,) of a set with each column added."""
        terms, weights = self._of(columns)
        scores = weights @ self._values[terms]
        across, length = self._values @ scores, float(scores @ scores)
        along, own = float(scores @ self._target), float(self._own[terms].sum())
        found = [
            (along + w * self._along)
            / np.sqrt(np.maximum(length + 2 * w * across + w * w * self._squares, SMALLEST))
            + self._own
            + own
            for w in range(1, self._max_weight + 1)
        ]
        return np.concatenate(found)

    def of(self, columns: Sequence[int]) -> float:
        """Of a set."""
        terms, weights = self._of(columns)
        scores = weights @ self._values[terms]
        length = math.sqrt(max(float(scores @ scores), SMALLEST))
        return float(scores @ self._target) / length + float(self._own[terms].sum())

    def _of(self, columns: Sequence[int]) -> tuple[npt.NDArray[np.intp], Floats]:
        chosen = np.array(columns, dtype=np.intp)
        return chosen % self._terms, (chosen // self._terms + 1).astype(np.float64)


def told_by_all(values: Floats, own: Sequence[int]) -> Floats:
    """(N,) scores of documents by all terms, as a ridge regression of their ranks makes them.

    The target is minus the logarithm of the rank, and the first documents weigh more, as by the root of
    DCG's discount. The penalty is the one with the least error on documents left out, one at a time.

    Parameters
    ----------
    values
        (T, N) score of each term in each document, best first.
    own
        Terms that the regression uses more readily: those of the original query.

    Examples
    --------
    >>> told_by_all(np.array([[3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]), [0]).argsort().tolist()
    [3, 2, 1, 0]
    """
    places = np.arange(values.shape[1])
    weights = 1 / np.sqrt(np.log2(places + 2))
    weights /= weights.mean()
    centre = values - values.mean(axis=1, keepdims=True)
    scale = np.full(len(values), max(float(values.std(axis=1).mean()), SMALLEST))
    scale[list(own)] /= NEARER
    centre /= scale[:, None]
    target = -np.log1p(places)
    target -= (weights * target).mean()
    roots = np.sqrt(weights)
    alike = centre.T @ centre  # (N, N)
    lengths, axes = np.linalg.eigh(roots[:, None] * alike * roots)
    lengths = np.maximum(lengths, 0.0)
    along = axes.T @ (roots * target)
    errors = []
    for penalty in PENALTIES:
        kept = penalty / (lengths + penalty)  # of each axis, in the residual
        residual, leverage = axes @ (kept * along), (axes**2) @ kept
        errors.append(float(((residual / np.maximum(leverage, SMALLEST)) ** 2).sum()))
    penalty = PENALTIES[int(np.argmin(errors))]
    return np.asarray(alike @ (roots * (axes @ (along / (lengths + penalty)))))
