"""Listwise Shapley values: what each feature, or each word, does for a whole order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from intentx.asked import asking
from intentx.checks import Samples, Seed, Size
from intentx.errors import InputError
from intentx.explainers.base import Question
from intentx.explainers.features.background import (
    Background,
    MaskedModel,
    background_rows,
)
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.listwise_games import FeatureGame, WordGame
from intentx.explainers.features.method import FeatureMethod
from intentx.explainers.features.order_values import OrderValue
from intentx.feature_ranking import FeatureRanking
from intentx.markup import count
from intentx.preferences.candidates import candidate_terms
from intentx.preferences.pairs import EveryPair
from intentx.ranking import Ranking

__all__ = ["ListwiseExplanation", "ListwiseSHAP"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]
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
        "error": "standard error of a weight",
    }

    @property
    def kept(self) -> tuple[str, ...]:
        """The first features, which `alone` is by."""
        return self.features[:ALONE]

    @property
    def useful(self) -> tuple[str, ...]:
        """The features from the largest weight to the smallest: those below 0 work against the order."""
        return tuple(self.features[i] for i in np.argsort(-np.array(self.weights), kind="stable"))

    def _own_parts(self) -> dict[str, Any]:
        return {"doc": self.doc, "above": self.above}

    @classmethod
    def _own_values(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        return {"doc": plain["doc"], "above": plain["above"]}


@dataclass(frozen=True, kw_only=True)
class ListwiseSHAP(FeatureMethod[ListwiseExplanation]):
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
        that over all rows. Where all sets are asked, and for single documents, all rows are used.
    units
        ``"features"`` of a `intentx.FeatureRanking`, or ``"words"`` of a ranking of texts: words that
        are left out are taken from all documents at once, and every set asks the ranker for all
        documents.
    max_terms
        Most words: those of `intentx.preferences.candidates.candidate_terms`.
    seed
        Of the rows and sets.

    Notes
    -----
    From a part of the sets the values are estimated as those of `intentx.KernelSHAP`. The metric
    ``error`` is then the standard error of a weight, the root mean square over features: half the
    difference of two estimates by half of the sets each. Trees of LightGBM, XGBoost and scikit-learn are
    read instead of asked where that gives the model's own scores, up to a constant, and its order; of
    single documents they then give the values in closed form (interventional TreeSHAP). The values of a
    document above another are those of the one less those of the other. Features that no tree uses, and
    those that have their background value in all documents, have weight 0 and are not asked about.

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
    units: Literal["features", "words"] = "features"
    max_terms: Size = 20
    seed: Seed = 0

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")
    takes: ClassVar[tuple[type, ...]] = (FeatureRanking, Ranking)

    def _explain(
        self, ranking: FeatureRanking | Ranking, doc: str | int | None, above: str | int | None
    ) -> ListwiseExplanation:
        self._check_order(ranking, doc, above)
        if isinstance(ranking, FeatureRanking):
            return self._of_features(ranking, doc, above)
        return self._of_words(ranking, doc, above)

    def _check_order(
        self, ranking: FeatureRanking | Ranking, doc: str | int | None, above: str | int | None
    ) -> None:
        if isinstance(ranking, FeatureRanking) != (self.units == "features"):
            wanted = "words" if isinstance(ranking, Ranking) else "features"
            more = "; FeatureRanking.of(ranking) has features" * (wanted == "words")
            raise InputError(
                f"ListwiseSHAP(units={self.units!r}) cannot explain a {type(ranking).__name__}: it has "
                f"{wanted}, units={wanted!r}{more}"
            )
        if doc is not None and above is not None and ranking.position(doc) == ranking.position(above):
            raise InputError("a document is not above itself: doc and above are the same")
        if doc is None and not len(EveryPair(ranking.scores)):
            raise InputError(
                f"a ranking without a preference pair has no order to explain (documents: "
                f"{len(ranking)}); at least two different scores are needed"
            )

    def _of_words(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> ListwiseExplanation:
        start, box = time.perf_counter(), ranking.black_box("listwise Shapley values of words")
        place, other = (None if one is None else ranking.position(one) for one in (doc, above))
        with asking(box) as asked:
            names = candidate_terms(ranking, self.max_terms, analyzer=ranking.analyzer).terms
            if not names:
                raise InputError(
                    "the documents have no word that the ranker reads: nothing to explain by"
                )
            counts = [Counter(ranking.analyzer.terms(text)) for text in ranking.texts]
            X = np.array([[one[name] for name in names] for one in counts], dtype=np.float64)
            counted = FeatureRanking(
                ranking.query, ranking.doc_ids, X, names, ranking.scores, texts=ranking.texts
            )
            weights, metrics, notes = WordGame(self, ranking, counted, place, other).solved()
            order = np.lexsort((np.arange(len(weights)), -np.abs(weights)))
            best = np.isin(np.arange(len(weights)), order[:ALONE])[None]
            alone = WordGame(self, ranking, counted, None, None).scores(best)[0, 0]
        return ListwiseExplanation(
            method=self.name,
            ranking=counted,
            features=tuple(names[i] for i in order),
            weights=tuple(float(weights[i]) for i in order),
            alone=alone,
            metrics=metrics,
            settings=self.settings(),
            model_calls=asked.besides(ranking.query, ranking.texts),
            seconds={"model": asked.seconds, "total": time.perf_counter() - start},
            notes=(*notes, f"The order by these alone keeps {min(ALONE, len(order))} of these words."),
            doc=place,
            above=other,
        )

    def _of_features(
        self, ranking: FeatureRanking, doc: str | int | None, above: str | int | None
    ) -> ListwiseExplanation:
        start, model = time.perf_counter(), ranking.ask("listwise Shapley values")
        rows_before, seconds_before = model.rows_asked, model.seconds
        place, other = (None if one is None else ranking.position(one) for one in (doc, above))
        rows = background_rows(ranking, self.background, most=ROWS, seed=self.seed)
        game = FeatureGame(self, ranking, rows, place, other)
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
                f"The order by these alone keeps the first {count(min(ALONE, len(order)), 'feature')}.",
            ),
            doc=place,
            above=other,
        )
