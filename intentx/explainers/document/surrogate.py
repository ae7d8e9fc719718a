"""Weighted linear models that stand in for a ranker near one document."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError

__all__ = ["Surrogate", "accuracy", "fit_surrogate", "influence", "r_squared", "ridge"]

Floats = npt.NDArray[np.float64]
Surrogate = Literal["ridge", "svr", "logistic", "svm"]
CLASSIFIERS = ("logistic", "svm")
LITTLE = 0.01  # penalty of LIME's selection of features


def ridge(features: Floats, labels: Floats, weights: Floats, penalty: float) -> tuple[Floats, float]:
    """Coefficients (T,) and intercept of least ``sum_i w_i (y_i - b - x_i c)² + penalty |c|²``.

    Parameters
    ----------
    features, labels, weights
        (S, T), (S,) and (S,).
    """
    total = weights.sum()
    center, mean = weights @ features / total, float(weights @ labels / total)
    moved = features - center
    if moved.shape[1] > len(moved):  # the same by way of an S x S matrix, which is the smaller one
        root = np.sqrt(weights)
        rooted = moved * root[:, None]
        inner = rooted @ rooted.T + penalty * np.eye(len(moved))
        dual = np.linalg.lstsq(inner, root * (labels - mean), rcond=None)[0]
        coefficients = rooted.T @ dual
        return coefficients, mean - float(center @ coefficients)
    weighted = moved * weights[:, None]
    matrix = weighted.T @ moved + penalty * np.eye(features.shape[1])
    right = weighted.T @ (labels - mean)
    coefficients = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return coefficients, mean - float(center @ coefficients)


def influence(features: Floats, scores: Floats, weights: Floats) -> Floats:
    """(T,) how much scores go with each feature: coefficients of a linear model, 1 in mean square.

    Labels that are cut off or coarse leave much to chance in a small sample; scores leave less. A
    feature multiplied by its influence is penalised by its inverse, as in the adaptive lasso (Zou 2006).

    Parameters
    ----------
    features, scores, weights
        (S, T), (S,) and (S,).
    """
    scores = scores / (np.abs(scores).max() or 1.0)
    spread = float(scores.std())
    if spread == 0:
        return np.ones(features.shape[1])
    sizes = np.abs(ridge(features, (scores - scores.mean()) / spread, weights, LITTLE)[0])
    return np.asarray(sizes / math.sqrt(np.mean(sizes**2))) if sizes.any() else np.ones(len(sizes))


def fit_surrogate(
    kind: Surrogate, features: Floats, labels: Floats, weights: Floats, regularization: float, seed: int
) -> tuple[Floats, float, float]:
    """Coefficients (T,) of a linear model, how well it fits, and its intercept.

    Parameters
    ----------
    kind
        ``"ridge"`` or ``"svr"`` for numbers, ``"logistic"`` or ``"svm"`` for labels 0 and 1.
    regularization
        Penalty of the squared coefficients beside the weighted loss; C is its inverse.

    Returns
    -------
    tuple
        The fit is the weighted R² for numbers, and the weighted accuracy for labels 0 and 1.
    """
    if kind not in get_args(Surrogate):
        raise InputError(f"no surrogate {kind!r}; choose one of {get_args(Surrogate)}")
    if kind == "ridge":
        coefficients, intercept = ridge(features, labels, weights, regularization)
    else:
        coefficients, intercept = _by_sklearn(kind, features, labels, weights, regularization, seed)
    predicted = features @ coefficients + intercept
    if kind in CLASSIFIERS:
        return coefficients, accuracy(labels, predicted > 0, weights), intercept
    return coefficients, r_squared(labels, predicted, weights), intercept


def _by_sklearn(
    kind: str, features: Floats, labels: Floats, weights: Floats, regularization: float, seed: int
) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC, LinearSVR

    inverse = 1 / regularization
    model = {
        "logistic": lambda: LogisticRegression(C=inverse, max_iter=5_000),
        "svm": lambda: LinearSVC(C=inverse, dual=False, max_iter=20_000, random_state=seed),
        "svr": lambda: LinearSVR(
            C=inverse, loss="squared_epsilon_insensitive", dual=False, max_iter=20_000, random_state=seed
        ),
    }[kind]()
    model.fit(features, labels, sample_weight=weights)
    return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])


def r_squared(labels: Floats, predicted: Floats, weights: Floats) -> float:
    """Weighted share of the variance that is explained, 1 at best; NaN where there is none."""
    spread = weights @ (labels - weights @ labels / weights.sum()) ** 2
    return float(1 - weights @ (labels - predicted) ** 2 / spread) if spread > 0 else math.nan


def accuracy(labels: Floats, predicted: npt.NDArray[np.bool_], weights: Floats) -> float:
    """Weighted share of the labels 0 and 1 that are told rightly."""
    return float(weights @ (predicted == (labels > 0.5)) / weights.sum())
