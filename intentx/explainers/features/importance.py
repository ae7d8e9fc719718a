"""Importances of features by common means, to hold other methods against."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.explainers.features.background import background_rows
from intentx.explainers.features.orders import taus
from intentx.feature_ranking import FeatureRanking
from intentx.models import FeatureModel, booster_of

__all__ = ["gain", "mean_shap", "permutation", "rank_lime"]

Floats = npt.NDArray[np.float64]

REPEATS = 5  # permutations of each feature
RIDGE = 1e-2


def mean_shap(ranking: FeatureRanking, background: Floats, top: int, seed: int) -> Floats:
    """(F,) mean |SHAP| of the first documents: of the model's own trees, else by ``shap``.

    Raises
    ------
    InputError
        If the trees are linear trees of LightGBM, for which it has no SHAP values.
    """
    model, X = ranking.ask("mean |SHAP|"), np.asarray(ranking.X[:top])
    booster = booster_of(model.model)
    if booster is not None:
        if "\nis_linear=1" in booster.model_to_string():
            raise InputError(
                "LightGBM has no SHAP values for linear trees (linear_tree=True); use 'permutation', "
                "'gain' or 'rank-lime'"
            )
        values = np.asarray(booster.predict(X, pred_contrib=True))[:, :-1]
        return np.asarray(np.abs(values).mean(axis=0))
    try:
        import shap
    except ImportError as error:
        raise MissingExtraError("shap", "bench-estimators") from error
    masker = shap.maskers.Independent(background)
    found = shap.explainers.Permutation(model, masker, seed=seed)(X, silent=True)
    return np.asarray(np.abs(found.values).mean(axis=0))


def permutation(ranking: FeatureRanking, seed: int) -> Floats:
    """(F,) 1 − τ with the values of a feature permuted over the documents, the mean of 5."""
    model, drawn = ranking.ask("permutation"), np.random.default_rng(seed)
    found = np.empty(len(ranking.names))
    for column in range(len(found)):
        rows = np.repeat(ranking.X[None], REPEATS, axis=0)
        for one in rows:
            one[:, column] = drawn.permutation(one[:, column])
        scores = model(rows.reshape(-1, len(found))).reshape(REPEATS, -1)
        found[column] = 1 - taus(ranking.scores, scores).mean()
    return found


def gain(model: FeatureModel) -> Floats:
    """(F,) what splits on a feature gained in training: the same for every query.

    Raises
    ------
    InputError
        If the model does not tell.
    """
    booster = booster_of(model.model)
    if booster is not None:
        return np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    if hasattr(model.model, "get_score"):
        gained = model.model.get_score(importance_type="total_gain")
        known = model.model.feature_names or [f"f{i}" for i in range(len(model.names))]
        return np.array([gained.get(name, 0.0) for name in known])
    known = getattr(model.model, "feature_importances_", None)
    if known is None:
        raise InputError(
            f"{type(model.model).__name__} does not tell the gain of its features; use 'permutation' or "
            "'shap'"
        )
    return np.asarray(known, dtype=np.float64)


def rank_lime(ranking: FeatureRanking, samples: int, seed: int) -> Floats:
    """(F,) weights of a linear model of the order near the documents (Chowdhury et al. 2023).

    All documents are moved by noise that is correlated as the features are over the documents; the
    model orders each moved list, and a linear model of standardised features is fitted to the orders by
    ListNet's loss, lists that moved less counting more. Categories and missing values are not moved.
    """
    from scipy.optimize import minimize

    model, drawn = ranking.ask("Rank-LIME"), np.random.default_rng(seed)
    X = np.where(np.isnan(ranking.X), background_rows(ranking, "mean"), ranking.X)
    X = np.nan_to_num(X)
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    covariance = Z.T @ Z / len(Z)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    noise = drawn.normal(size=(samples, *X.shape)) @ root.T
    noise[:, :, [*ranking.columns(ranking.categories)]] = 0
    noise[:, np.isnan(ranking.X)] = 0
    rows = np.where(np.isnan(ranking.X)[None], np.nan, X[None] + noise * spread)
    scores = model(rows.reshape(-1, X.shape[1])).reshape(samples, -1)
    scores = scores / (ranking.scores.std() or 1.0)
    wanted = _softmax(scores)
    distance = np.sqrt((noise**2).mean(axis=(1, 2)))
    near = np.exp(-((distance / max(float(np.median(distance)), 1e-12)) ** 2))
    near = near / near.sum()
    moved = Z[None] + noise

    def loss(weights: Floats) -> tuple[float, Floats]:
        linear = moved @ weights
        chances = _softmax(linear)
        highest = linear.max(axis=1, keepdims=True)
        logs = linear - highest - np.log(np.exp(linear - highest).sum(axis=1, keepdims=True))
        value = -float(near @ (wanted * logs).sum(axis=1)) + RIDGE * float(weights @ weights)
        slope = np.einsum("s,sn,snf->f", near, chances - wanted, moved) + 2 * RIDGE * weights
        return value, slope

    found: Any = minimize(loss, np.zeros(X.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
