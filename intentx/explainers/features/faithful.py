"""`feature_faithfulness`: the order with only the first features of an explanation, and without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.checks import shown
from intentx.errors import InputError
from intentx.evaluation.feature_faithfulness import FeatureFaithfulness
from intentx.explainers.features.background import Background, MaskedModel, background_rows
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.order_values import order_value
from intentx.explainers.features.orders import taus
from intentx.explainers.features.set_explanation import check_order
from intentx.feature_ranking import FeatureRanking

__all__ = ["feature_faithfulness", "orders_by_first"]

Floats = npt.NDArray[np.float64]
KS = (1, 3, 5, 7, 10)
ROWS = 100  # of the background


def feature_faithfulness(
    explanation: FeatureExplanation,
    *,
    ks: Sequence[int] = KS,
    background: Background | None = None,
    draws: int = 5,
    seed: int = 0,
) -> FeatureFaithfulness:
    """Keep only the first k features of an explanation, or all others, and ask the model for the order.

    The protocol of RankingSHAP (Heuss et al. 2025): preservation and deletion. Features come in the
    order of `FeatureExplanation.useful`: as the explanation has them, and of listwise Shapley values
    the largest first, those below 0 last.

    Parameters
    ----------
    explanation
        Of a ranking by features, not of one document.
    ks
        Numbers of features; those beyond the explanation's are left out.
    background
        What stands for features that are left out, as in
        `intentx.explainers.features.background.background_rows`, at most 100 rows; None: what the
        explanation has.
    draws
        Random orders of all features that the explanation is compared with; the same for all
        explanations of a ranking.

    Raises
    ------
    InputError
        If the explanation is of one document or of words, has no feature, or its ranking no model.

    Examples
    --------
    >>> import intentx as ix
    >>> X = [[3, 0, 5], [2, 3, 1], [1, 1, 1], [0, 2, 2]]
    >>> ranking = ix.FeatureRanking.from_model(
    ...     lambda X: 3 * X[:, 0] + X[:, 1], "tea", list("abcd"), X, ["BM25", "title", "links"])
    >>> found = feature_faithfulness(ix.ListwiseSHAP().explain(ranking), ks=[1])
    >>> [round(one, 2) for one in found.preservation], [round(one, 2) for one in found.deletion]
    ([0.91], [-0.18])
    """
    ranking = explanation.ranking
    if getattr(explanation, "doc", None) is not None or not isinstance(ranking, FeatureRanking):
        raise InputError(
            "faithfulness of features is that of an explanation of a whole ranking by features; explain "
            "the ranking, without a document"
        )
    if explanation.settings.get("units") == "words":
        raise InputError(
            "this explanation is by words, and the model cannot be asked for features of them; "
            'give one with units="features"'
        )
    model = ranking.ask("faithfulness of features")
    check_order(ranking)
    if draws < 1 or not len(ks) or any(isinstance(k, bool) or k < 1 for k in ks):
        raise InputError(f"ks and draws must be 1 or more, not {shown([*ks])} and {draws!r}")
    steps = sorted({int(k) for k in ks if k <= len(explanation.features)})
    if not steps:
        raise InputError(
            f"the explanation has {len(explanation.features)} features, fewer than any of ks "
            f"{shown([*ks])}; give smaller ones"
        )
    if background is None:
        rows = explanation.background()
    else:
        rows = background_rows(ranking, background, most=ROWS, seed=seed)
    generator, before = np.random.default_rng(seed), model.rows_asked
    orders = [ranking.columns(explanation.useful)]
    orders += [generator.permutation(len(ranking.names)).tolist() for _ in range(draws)]
    own, *others = (orders_by_first(ranking, rows, order, steps) for order in orders)
    parts: dict[str, Any] = {name: tuple(values.tolist()) for name, values in own.items()}
    for name in own:
        parts[f"random_{name}"] = tuple(np.mean([one[name] for one in others], axis=0).tolist())
    return FeatureFaithfulness(
        ks=tuple(steps),
        **parts,
        background_rows=len(rows),
        draws=draws,
        rows_asked=model.rows_asked - before,
    )


def orders_by_first(
    ranking: FeatureRanking, background: Floats, columns: Sequence[int], ks: Sequence[int]
) -> dict[str, Floats]:
    """Each curve (K,) of `FeatureFaithfulness`, by its name, of features in an order.

    Parameters
    ----------
    background
        (B, F) rows.
    columns
        Places of features, the most useful first.

    Examples
    --------
    >>> ranking = FeatureRanking.from_model(
    ...     lambda X: X[:, 0], "tea", ["a", "b"], [[0, 1], [5, 2]], ["BM25", "length"])
    >>> found = orders_by_first(ranking, np.array([[2.5, 1.5]]), [0, 1], [1, 2])
    >>> found["preservation"].tolist(), found["deletion"].tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    kept = np.array([np.isin(np.arange(len(ranking.names)), columns[:k]) for k in ks])
    masked = MaskedModel(ranking.ask("orders by some features"), ranking.X, background)
    found: dict[str, list[float]] = {}
    for name, masks in (("preservation", kept), ("deletion", ~kept)):
        for mask in masks:  # one after the other: a long ranking has many scores
            scores = masked.scores(mask[None])[0]
            tau = taus(ranking.scores, scores)
            exposure = order_value("exposure", ranking.scores, scores)
            found.setdefault(name, []).append(float(tau.mean()))
            found.setdefault(f"exposure_{name}", []).append(float(exposure.mean()))
    return {name: np.array(values) for name, values in found.items()}
