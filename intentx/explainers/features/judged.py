"""What is known about features of an explanation: their effects, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from intentx.equality import equal_by_values
from intentx.evaluation.base import none_for_nan, restored
from intentx.evaluation.statistics import bootstrap, kendall_tau_b
from intentx.explainers.features.background import MaskedModel
from intentx.explainers.levels import Judgement
from intentx.feature_ranking import FeatureRanking

__all__ = ["FeatureEffect", "FeatureVerdict", "feature_effects"]

CLEAR = 0.5  # of τ, from which on a direction is said
ROUNDING = 1e-12  # of the largest score: a smaller change is none


@equal_by_values
@dataclass(frozen=True)
class FeatureEffect:
    """What the model does when one feature is set to its background in all documents.

    Attributes
    ----------
    feature
        Its name.
    change
        Mean absolute change of a document's score, over documents and background rows.
    places
        Mean number of places that a document moves in the ranking.
    kind
        ``"used"``, or ``"no effect"`` where no score changes.
    low, high
        95 % interval of ``change`` over documents; NaN where there is none.
    direction
        Kendall's τ-b over documents between how far the feature's value is above its background and
        how far the score is above that without it: 1 where higher values raise the score, −1 where
        they lower it. NaN where one of the two is the same in all documents, and for categories.
    """

    feature: str
    change: float
    places: float
    kind: Literal["used", "no effect"]
    low: float = math.nan
    high: float = math.nan
    direction: float = math.nan

    @property
    def way(self) -> str:
        """The direction in words: "rises", "falls", "both ways", or "" where it is not known."""
        if self.kind != "used" or math.isnan(self.direction):
            return ""
        if abs(self.direction) < CLEAR:
            return "both ways"
        return "rises" if self.direction > 0 else "falls"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dict(none_for_nan(asdict(self)))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FeatureEffect:
        """The inverse of `to_dict`; an InputError if it is damaged."""
        found: FeatureEffect = restored(cls, plain)
        return found


@equal_by_values
@dataclass(frozen=True)
class FeatureVerdict(Judgement):
    """How far the features of an explanation can be believed, and what that rests on.

    Attributes
    ----------
    level
        ``"holds"``: features that the method chooses from some documents order the others as the model
        does, clearly better than chance allows, and better than random features. ``"weak"``: clearly
        better than chance, and not than random features. ``"chance"``: no better than chance allows, or
        not measured.
    heldout
        Share of the pairs among left-out documents that are ordered as by the model, over five splits.
    random
        The same by as many random features.
    shuffled
        The same by the method where the scores were shuffled over the documents.
    threshold
        What ``heldout`` must exceed: ``.5 + 1 / sqrt(documents)``, and ``shuffled`` by as much as that
        exceeds one half.
    used
        How many of the features have an effect.
    asked
        Rows that the model was asked for it.
    """

    heldout: float
    random: float
    shuffled: float
    threshold: float
    used: int
    asked: int

    FORMAT: ClassVar[str] = "intentx.feature-verdict/1"


def feature_effects(
    ranking: FeatureRanking, background: npt.NDArray[np.float64], names: Sequence[str]
) -> tuple[FeatureEffect, ...]:
    """What the model does when each of these features is set to its background.

    Examples
    --------
    >>> ranking = FeatureRanking.from_model(
    ...     lambda X: 2 * X[:, 0], "tea", ["a", "b"], [[0, 1], [5, 2]], ["BM25", "length"])
    >>> [(one.kind, one.change, one.places) for one in
    ...     feature_effects(ranking, np.array([[2.5, 1.5]]), ["BM25", "length"])]
    [('used', 5.0, 0.0), ('no effect', 0.0, 0.0)]
    """
    columns = ranking.columns(names)
    kept = np.ones((len(columns), len(ranking.names)), dtype=bool)
    kept[np.arange(len(columns)), columns] = False
    scores = MaskedModel(ranking.ask("effects of features"), ranking.X, background).scores(kept)
    near = ROUNDING * np.abs(ranking.scores).max()
    # Ties keep the ranking's order, so that a feature that makes all equal moves nothing by itself.
    places = np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1, kind="stable")
    moved = np.abs(places - np.arange(len(ranking)))
    return tuple(
        _effect(ranking, background, *one, near)
        for one in zip(columns, ranking.scores - scores, moved, strict=True)
    )


def _effect(
    ranking: FeatureRanking, background: Any, column: int, falls: Any, by: Any, near: float
) -> FeatureEffect:
    """Of one feature: falls (B, N) of scores without it, and places (B, N) that documents move by."""
    name, change = ranking.names[column], np.abs(falls)
    if change.max() <= near:
        return FeatureEffect(name, 0.0, 0.0, "no effect")
    around = bootstrap(change.mean(axis=0), bounds=(0.0, math.inf))
    rows = background[:, column]
    above = ranking.X[:, column] - (rows[~np.isnan(rows)].mean() if (~np.isnan(rows)).any() else 0.0)
    known = ~np.isnan(above)
    direction = math.nan
    if name not in ranking.categories and known.any():
        fall = falls.mean(axis=0)[known]
        fall = np.where(np.abs(fall) <= near, 0.0, fall)
        direction = float(kendall_tau_b(above[known], fall))
    return FeatureEffect(name, around.mean, float(by.mean()), "used", around.low, around.high, direction)
