"""What is measured in one cell of a study of rankers over features."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import IntentxError
from intentx.evaluation.metrics import FEATURE_METRICS, KS
from intentx.evaluation.stability import agreement
from intentx.explainers.features.background import background_rows
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.faithful import orders_by_first
from intentx.explainers.features.set_explanation import judged
from intentx.explainers.features.verdict import feature_verdict
from intentx.feature_ranking import FeatureRanking
from intentx.study.cells import Cell
from intentx.study.plan import Measures

__all__ = ["effects", "measure_features", "stability", "validity"]

Floats = npt.NDArray[np.float64]

FIRST = 5  # features of validity, effects and stability
SHOWN = 10  # features that are named
BACKGROUNDS = ("mean", "median", "zero")


class ExplainedFeatures(NamedTuple):
    """What metrics are measured of: an explanation, where it comes from, and what is asked for."""

    method: Any
    explanation: FeatureExplanation
    ranking: FeatureRanking
    measures: Measures
    background: Floats


def measure_features(
    method: Any, ranking: FeatureRanking, measures: Measures, background: Floats | None
) -> Cell:
    """Explain a ranking, and measure the explanation.

    Parameters
    ----------
    background
        (B, F) rows that stand for features that are left out, the same for all methods; None: the mean
        of the documents.
    """
    model = ranking.ask("a study of rankers over features")
    seconds, started = model.seconds, time.perf_counter()
    rows = background_rows(ranking, "mean") if background is None else background
    metrics: dict[str, float] = {}
    try:
        explanation = method.explain(ranking)
        of = ExplainedFeatures(method, explanation, ranking, measures, rows)
        for part in (validity, curves, effects, stability, verdict):
            metrics |= part(of)
    except IntentxError as error:
        return Cell((), {}, {}, str(error))
    metrics["rows_asked"] = explanation.model_calls
    spent, total = model.seconds - seconds, time.perf_counter() - started
    return Cell(
        explanation.useful[:SHOWN],
        {
            key: float(metrics[key])
            for key in FEATURE_METRICS
            if math.isfinite(metrics.get(key, math.nan))
        },
        {"model": spent, "ours": total - spent, "explain": explanation.seconds["total"]},
    )


def validity(of: ExplainedFeatures) -> dict[str, float]:
    """Of the first five features, with the mean of the documents as background."""
    columns = of.ranking.columns(of.explanation.useful[:FIRST])
    return judged(of.ranking, background_rows(of.ranking, "mean"), columns)[1]


def curves(of: ExplainedFeatures) -> dict[str, float]:
    """τ and exposure with the first k features alone, and without them; of fewer features, of all."""
    if not of.measures.faithfulness:
        return {}
    found = orders_by_first(of.ranking, of.background, of.ranking.columns(of.explanation.useful), KS)
    return {
        f"{name}_{k}": float(value)
        for name, values in found.items()
        for k, value in zip(KS, values, strict=True)
    }


def effects(of: ExplainedFeatures) -> dict[str, float]:
    """What the model does when one of the features that are kept is set to its background."""
    found = of.explanation.effects
    if not found:
        return {}
    return {
        "used": float(np.mean([one.kind == "used" for one in found])),
        "places": float(np.mean([one.places for one in found])),
    }


def stability(of: ExplainedFeatures) -> dict[str, float]:
    """Jaccard similarity of the first features, over seeds and over backgrounds."""
    method, seeds = of.method, of.measures.stability
    if not seeds:
        return {}
    found = {}
    if hasattr(method, "seed"):
        others = [dataclasses.replace(method, seed=method.seed + i) for i in range(1, seeds)]
        explained = [of.explanation, *(one.explain(of.ranking) for one in others)]
        found["same_seeds"] = agreement(explained, FIRST).jaccard
    if hasattr(method, "background"):
        with_each = [dataclasses.replace(method, background=one) for one in BACKGROUNDS]
        explained = [one.explain(of.ranking) for one in with_each]
        found["same_backgrounds"] = agreement(explained, FIRST).jaccard
    return found


def verdict(of: ExplainedFeatures) -> dict[str, float]:
    """What features chosen from some documents do for the order of others; see `intentx.verdict`."""
    if not of.measures.heldout:
        return {}
    found = feature_verdict(of.explanation, of.method)
    return {
        "feature_heldout": found.heldout,
        "feature_random": found.random,
        "feature_shuffled": found.shuffled,
        "holds": float(found.level == "holds"),
    }
