"""Listwise Shapley values: what each feature, or each word, does for a whole order."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.checks import Samples, Seed, Size
from intentx.errors import InputError
from intentx.explainers.base import Explainer, Question
from intentx.explainers.document.asking import asked
from intentx.explainers.document.interactions import expected_shapley_values
from intentx.explainers.document.shap import shapley_values
from intentx.explainers.features.background import (
    Background,
    MaskedModel,
    background_rows,
    plain_background,
)
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.order_values import OrderValue, order_value
from intentx.explainers.features.tree_shares import tree_shares
from intentx.feature_ranking import FeatureRanking
from intentx.models import used_features
from intentx.perturbation import all_subsets
from intentx.preferences.pairs import EveryPair

__all__ = ["ListwiseExplanation", "ListwiseSHAP"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]
EXACT = 10  # features: a thousand sets
ROWS = 100  # of the background
ALONE = 5  # features that the order by these alone is of


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ListwiseExplanation(FeatureExplanation):
    """Shapley values of features.

    Attributes
    ----------
    doc, above
        0-based positions, where one document is explained, or why one is above another; else None.
    """

    doc: int | None = None
    above: int | None = None

    FORMAT: ClassVar[str] = "intentx.listwise/1"
    METRICS: ClassVar[Mapping[str, str]] = {
        "all": "value with all features",
        "none": "value with none",
        "exact": "exact",
    }

    @property
    def kept(self) -> tuple[str, ...]:
        """The first features, which `alone` is by."""
        return self.features[:ALONE]

    def _own_parts(self) -> dict[str, Any]:
        return {"doc": self.doc, "above": self.above}

    @classmethod
    def _own_values(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        return {"doc": plain["doc"], "above": plain["above"]}


@dataclass(frozen=True, kw_only=True)
class ListwiseSHAP(Explainer[ListwiseExplanation]):
    """Shapley values of features for a whole order (RankingSHAP, Heuss et al. 2025; RankSHAP).

    The value of a set of features is what the order is worth in which only these are kept and all
    others have background values, in the mean over the background rows. The weights add up to the value
    with all features less that with none. Of one document, the value is its score; of a document above
    another, the difference of their scores.

    Parameters
    ----------
    value
        What an order is worth, as `intentx.explainers.features.order_values.order_value` says.
    k
        Ranks that ``"ndcg"`` and ``"top-k"`` look at.
    background
        As in `intentx.explainers.features.background.background_rows`; at most 100 rows are drawn.
    samples
        Sets of features, at most, that the model is asked about. Up to 10 features that matter, all sets
        are asked, and the values are exact.
    draws
        Background rows that each set is asked with: others for each set, so that the mean over sets is
        that over all rows. With all features exact, all rows are used.
    seed
        Of the rows and sets.

    Notes
    -----
    From a part of the sets the values are estimated as those of `intentx.KernelSHAP`. Scores of single
    documents by trees of LightGBM have their values in closed form (interventional TreeSHAP). Features
    that no tree uses, and those that have their background value in all documents, have weight 0 and
    are not asked about.

    Examples
    --------
    >>> model = lambda X: 3 * X[:, 0] + X[:, 1]
    >>> X = [[3, 0, 5], [2, 3, 1], [1, 1, 1], [0, 2, 2]]
    >>> ranking = FeatureRanking.from_model(model, "tea", list("abcd"), X, ["BM25", "title", "links"])
    >>> found = ListwiseSHAP().explain(ranking)
    >>> found.features, [round(weight, 2) for weight in found.weights]
    (('BM25', 'title', 'links'), [1.05, -0.05, 0.0])
    >>> pair = ListwiseSHAP().explain(ranking, "a", above="b")
    >>> dict(zip(pair.features, [round(weight, 2) for weight in pair.weights]))
    {'BM25': 3.0, 'title': -3.0, 'links': 0.0}
    """

    value: OrderValue = "tau"
    k: Size = 10
    background: Background = "mean"
    samples: Samples = 500
    draws: Size = 25
    seed: Seed = 0

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")
    takes: ClassVar[tuple[type, ...]] = (FeatureRanking,)

    def settings(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {**super().settings(), "background": plain_background(self.background)}

    def _explain(
        self, ranking: FeatureRanking, doc: str | int | None, above: str | int | None
    ) -> ListwiseExplanation:
        start, model = time.perf_counter(), ranking.ask("listwise Shapley values")
        rows_before, seconds_before = model.rows_asked, model.seconds
        place, other = (None if one is None else ranking.position(one) for one in (doc, above))
        if place is not None and place == other:
            raise InputError("a document is not above itself: doc and above are the same")
        if place is None and not len(EveryPair(ranking.scores)):
            raise InputError(
                f"{len(ranking)} documents without a preference pair have no order to explain: at least "
                "two different scores are needed"
            )
        rows = background_rows(ranking, self.background, most=ROWS, seed=self.seed)
        game = _Game(self, ranking, rows, place, other)
        weights, metrics, notes = game.solved()
        order = np.lexsort((np.arange(len(weights)), -np.abs(weights)))
        best = np.zeros((1, len(weights)), dtype=bool)
        best[0, order[:ALONE]] = True
        alone = MaskedModel(model, ranking.X, rows).scores(best)[0].mean(axis=0)
        total = time.perf_counter() - start
        return ListwiseExplanation(
            method=self.name,
            ranking=ranking,
            features=tuple(ranking.names[i] for i in order),
            weights=tuple(float(weights[i]) for i in order),
            alone=alone,
            metrics=metrics,
            settings=self.settings(),
            model_calls=model.rows_asked - rows_before,
            seconds={"model": model.seconds - seconds_before, "total": total},
            notes=(
                *notes,
                f"The order by these alone keeps the first {min(ALONE, len(order))} features.",
            ),
            doc=place,
            above=other,
        )


class _Game:
    """The value of sets of features, as an explanation asks for it."""

    def __init__(
        self,
        method: ListwiseSHAP,
        ranking: FeatureRanking,
        rows: Floats,
        doc: int | None,
        above: int | None,
    ) -> None:
        self.method, self.ranking, self.rows = method, ranking, rows
        self.places = [place for place in (doc, above) if place is not None]
        self.X = ranking.X[self.places] if self.places else ranking.X
        self.generator = np.random.default_rng(method.seed)
        same = (self.X[:, None, :] == rows[None]) | (np.isnan(self.X[:, None, :]) & np.isnan(rows[None]))
        self.players = np.flatnonzero(used_features(ranking.model) & ~same.all(axis=(0, 1)))

    def solved(self) -> tuple[Floats, dict[str, float], list[str]]:
        """(F,) weights, metrics and notes."""
        model, number = self.ranking.ask("listwise Shapley values"), len(self.players)
        weights, notes = np.zeros(len(self.ranking.names)), []
        left = len(weights) - number
        if left:
            notes.append(
                f"{left} features make no difference here: the model does not use them, or they have "
                "their background value in all documents."
            )
        if self.places:
            shares = [tree_shares(model, row, self.rows) for row in self.X]
            if all(share is not None for share in shares):
                return self._closed(model, [s for s in shares if s is not None], notes)
        exact = number <= EXACT or (number < 60 and 2**number <= self.method.samples)
        if exact:
            kept = all_subsets(number)
            values = self._values(kept, len(self.rows))
            found, none, everything = shapley_values(values), values[0], values[-1]
            weights[self.players] = found
        else:
            ends = self._values(np.array([[False], [True]]).repeat(number, axis=1), len(self.rows))
            none, everything = ends
            kept, scores = asked(
                lambda some: self._values(some, self.method.draws), lambda values: values, number,
                self.method.samples - 2, self.generator,
            )  # fmt: skip
            weights[self.players] = expected_shapley_values(
                kept, scores[2:], float(none), float(everything)
            )
            notes.append(f"Estimated from {len(kept) + 2} sets of {number} features.")
        metrics = {"all": float(everything), "none": float(none), "exact": float(exact)}
        return weights, metrics, notes

    def _closed(
        self, model: Any, shares: Sequence[Floats], notes: list[str]
    ) -> tuple[Floats, dict[str, float], list[str]]:
        notes.append("In closed form, by the trees themselves (interventional TreeSHAP).")
        signs = [1.0, -1.0][: len(shares)]
        weights = sum(sign * share for sign, share in zip(signs, shares, strict=True))
        scores, base = model(self.X), float(model(self.rows).mean())
        difference = float(np.dot(signs, scores))
        none = base if len(shares) == 1 else 0.0
        return np.asarray(weights), {"all": difference, "none": none, "exact": 1.0}, notes

    def _values(self, kept: Kept, draws: int) -> Floats:
        """(S,) values of sets of players, each with so many rows of the background."""
        whole = np.zeros((len(kept), len(self.ranking.names)), dtype=bool)
        whole[:, self.players] = kept
        model = self.ranking.ask("listwise Shapley values")
        if draws >= len(self.rows):
            scores = MaskedModel(model, self.X, self.rows).scores(whole)
            return self._worth(scores)
        found = np.empty(len(kept))
        order = self.generator.permutation(len(self.rows))
        for number, mask in enumerate(whole):  # rows in turn, so that all come as often
            some = order[np.arange(number * draws, (number + 1) * draws) % len(order)]
            scores = MaskedModel(model, self.X, self.rows[some]).scores(mask[None])
            found[number] = self._worth(scores)[0]
        return found

    def _worth(self, scores: Floats) -> Floats:
        """(S,) mean value over the rows of (S, B, N) scores."""
        if self.places:
            signs = np.array([1.0, -1.0][: len(self.places)])
            return np.asarray((scores @ signs).mean(axis=1))
        sets, rows, documents = scores.shape
        flat = scores.reshape(-1, documents)
        worth = order_value(self.method.value, self.ranking.scores, flat, self.method.k)
        return np.asarray(worth.reshape(sets, rows).mean(axis=1))
