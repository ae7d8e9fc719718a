"""What a mimic is fitted to, and how near it comes to the ranker's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.mimics import ordered_labels
from intentx.explainers.features.order_values import order_value
from intentx.explainers.features.orders import taus
from intentx.feature_ranking import FeatureRanking

__all__ = ["METRICS", "Labels", "best_feature_of", "labels_of", "mimic_metrics", "tau_of"]

Floats = npt.NDArray[np.float64]
Labels = Literal["auto", "scores", "order"]
TOP = 10
METRICS = ("tau", "tau_at_10", "ndcg", "precision")


def labels_of(how: Labels, by_query: Sequence[Floats]) -> Floats:
    """(M,) what a mimic is fitted to, of the scores of each query."""
    if how == "order":
        return np.concatenate([ordered_labels(scores) for scores in by_query])
    scores = np.concatenate(by_query)
    return np.asarray((scores - scores.mean()) / (scores.std() or 1.0))


def tau_of(ranking: FeatureRanking, scores: Any) -> float:
    return float(taus(ranking.scores, np.asarray(scores)[None])[0])


def mimic_metrics(
    rankings: Sequence[FeatureRanking], predict: Callable[[Floats], Any], columns: Sequence[int]
) -> dict[str, float]:
    """The four metrics, in the mean over queries; τ@10 where the first ten are not all tied."""
    rows: dict[str, list[float]] = {name: [] for name in METRICS}
    for one in rankings:
        found = np.asarray(predict(one.X[:, columns]), dtype=np.float64)
        rows["tau"].append(tau_of(one, found))
        if np.ptp(one.scores[:TOP]) > 0:
            rows["tau_at_10"].append(float(taus(one.scores[:TOP], found[None, :TOP])[0]))
        rows["ndcg"].append(float(order_value("ndcg", one.scores, found[None], TOP)[0]))
        rows["precision"].append(float(order_value("top-k", one.scores, found[None], TOP)[0]))
    return {name: float(np.mean(values)) if values else float("nan") for name, values in rows.items()}


def best_feature_of(
    fitted: Sequence[FeatureRanking], heldout: Sequence[FeatureRanking], columns: Sequence[int]
) -> float:
    """τ on held-out queries of the feature, up or down, that is best on the fitted ones."""

    def mean(rankings: Sequence[FeatureRanking]) -> Floats:
        found = [taus(one.scores, np.nan_to_num(one.X[:, columns].T)) for one in rankings]
        return np.asarray(np.mean(found, axis=0))

    before, after = mean(fitted), mean(heldout)
    best = int(np.argmax(np.abs(before)))
    return float(np.sign(before[best]) * after[best])
