"""`FeatureSetExplanation`: a few features of a ranking, judged by the order that they keep."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.features.background import MaskedModel
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.orders import taus
from intentx.feature_ranking import FeatureRanking
from intentx.models import FeatureModel
from intentx.preferences.pairs import EveryPair

__all__ = ["Clock", "FeatureSetExplanation", "check_order", "judged"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FeatureSetExplanation(FeatureExplanation):
    """A few features, and how well they alone keep the order.

    Attributes
    ----------
    bound
        The highest validity that any set of so many features can have, as far as it is proven: 1.0,
        which no τ exceeds, where the search has not looked at every set. None: where something else
        was sought, too.
    """

    bound: float | None = None

    FORMAT: ClassVar[str] = "intentx.feature-set/1"
    METRICS: ClassVar[Mapping[str, str]] = {
        "validity": "validity",
        "completeness": "completeness",
        "greedy": "validity of greedy",
        "greedy_cover": "of greedy-cover",
        "random": "of as many random features",
    }

    @property
    def validity(self) -> float:
        """τ between the ranking and the order with only the features kept, the mean over the rows."""
        return self.metrics["validity"]

    @property
    def completeness(self) -> float:
        """−τ between the ranking and the order with the features at background values."""
        return self.metrics["completeness"]

    def _own_parts(self) -> dict[str, Any]:
        return {"bound": self.bound}

    @classmethod
    def _own_values(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        bound = plain["bound"]
        return {"bound": None if bound is None else float(bound)}


class Clock:
    """Rows that a model was asked and seconds that passed since it was made."""

    def __init__(self, model: FeatureModel) -> None:
        self.model, self.start = model, time.perf_counter()
        self.rows, self.seconds = model.rows_asked, model.seconds

    def spent(self) -> dict[str, Any]:
        """``model_calls`` and ``seconds`` of an explanation."""
        total = time.perf_counter() - self.start
        return {
            "model_calls": self.model.rows_asked - self.rows,
            "seconds": {"model": self.model.seconds - self.seconds, "total": total},
        }


def check_order(ranking: FeatureRanking) -> None:
    """Refuse a ranking without a preference pair."""
    if not len(EveryPair(ranking.scores)):
        raise InputError(
            f"a ranking without a preference pair has no order to explain (documents: {len(ranking)}); "
            "at least two different scores are needed"
        )


def judged(
    ranking: FeatureRanking, background: Floats, columns: Sequence[int]
) -> tuple[Floats, dict[str, float]]:
    """(N,) scores with only these columns kept, and validity and completeness, asked of the model."""
    kept = np.zeros((2, ranking.X.shape[1]), dtype=bool)
    kept[0, [*columns]] = True
    kept[1] = ~kept[0]
    scores = MaskedModel(ranking.ask("features of a ranking"), ranking.X, background).scores(kept)
    validity, lost = (float(taus(ranking.scores, one).mean()) for one in scores)
    return scores[0].mean(axis=0), {"validity": validity, "completeness": -lost}
