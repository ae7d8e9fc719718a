"""`FeatureBaseline`: the first k features by a common importance, to hold other methods against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from intentx.checks import Samples, Seed, Size
from intentx.explainers.base import Question
from intentx.explainers.features.background import Background, background_rows
from intentx.explainers.features.importance import gain, mean_shap, permutation, rank_lime
from intentx.explainers.features.method import FeatureMethod
from intentx.explainers.features.set_explanation import (
    Clock,
    FeatureSetExplanation,
    check_order,
    judged,
)
from intentx.feature_ranking import FeatureRanking

__all__ = ["FeatureBaseline"]


@dataclass(frozen=True, kw_only=True)
class FeatureBaseline(FeatureMethod[FeatureSetExplanation]):
    """The k features that a common importance puts first, judged as those of `intentx.ValidFeatures`.

    Parameters
    ----------
    by
        ``"shap"``: mean absolute SHAP value of the first documents; ``"permutation"``: 1 − τ with a
        feature's values permuted over the documents; ``"gain"``: of the splits in training;
        ``"rank-lime"``: weights of a linear model of the order near the documents; ``"random"``.
    k
        Features.
    top
        Documents that ``"shap"`` is the mean of.
    samples
        Moved lists that ``"rank-lime"`` asks for.
    background
        What stands for the features that are left out when the answer is judged.
    seed
        Of what is drawn.

    Examples
    --------
    >>> model = lambda X: 3 * X[:, 0] + X[:, 1]
    >>> X = [[3, 0, 5], [2, 2, 1], [1, 1, 1], [0, 2, 2]]
    >>> ranking = FeatureRanking.from_model(model, "tea", list("abcd"), X, ["BM25", "title", "links"])
    >>> FeatureBaseline(by="permutation", k=1).explain(ranking).features
    ('BM25',)
    """

    by: Literal["shap", "permutation", "gain", "random", "rank-lime"] = "shap"
    k: Size = 5
    top: Size = 10
    samples: Samples = 100
    background: Background = "mean"
    seed: Seed = 0

    questions: ClassVar[tuple[Question, ...]] = ("ranking",)

    def _explain(self, ranking: FeatureRanking, doc: Any, above: Any) -> FeatureSetExplanation:
        clock = Clock(ranking.ask("importances of features"))
        check_order(ranking)
        rows = background_rows(ranking, self.background)
        weights = self._importance(ranking, rows)
        # The largest first; of equal ones the first.
        columns = np.argsort(-np.abs(weights), kind="stable")[: self.k].tolist()
        alone, metrics = judged(ranking, rows, columns)
        return FeatureSetExplanation(
            method=f"{self.name}[{self.by}]",
            ranking=ranking,
            features=tuple(ranking.names[column] for column in columns),
            weights=tuple(float(weights[column]) for column in columns),
            alone=alone,
            metrics=metrics,
            status="heuristic",
            settings=self.settings(),
            **clock.spent(),
        )

    def _importance(
        self, ranking: FeatureRanking, rows: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        if self.by == "shap":
            return mean_shap(ranking, rows, self.top, self.seed)
        if self.by == "permutation":
            return permutation(ranking, self.seed)
        if self.by == "gain":
            return gain(ranking.ask("the gain of features"))
        if self.by == "rank-lime":
            return rank_lime(ranking, self.samples, self.seed)
        return np.random.default_rng(self.seed).random(len(ranking.names))
