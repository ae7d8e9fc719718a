"""The value of sets of features, or of words, as listwise Shapley values ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from intentx.explainers.document.asking import asked
from intentx.explainers.document.interactions import expected_shapley_values
from intentx.explainers.document.shap import shapley_values
from intentx.explainers.features.background import MaskedModel
from intentx.explainers.features.order_values import OrderValue, order_value
from intentx.explainers.features.tree_shares import tree_shares
from intentx.feature_ranking import FeatureRanking
from intentx.models import used_features
from intentx.perturbation import all_subsets, keep_units, removal_for
from intentx.ranking import Ranking

__all__ = ["FeatureGame", "WordGame"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]
EXACT = 10  # features: a thousand sets


class _Settings(Protocol):
    """What a game takes of the method."""

    @property
    def value(self) -> OrderValue: ...
    @property
    def k(self) -> int: ...
    @property
    def samples(self) -> int: ...
    @property
    def draws(self) -> int: ...
    @property
    def seed(self) -> int: ...


class FeatureGame:
    """The value of sets of features, as an explanation asks for it."""

    def __init__(
        self,
        method: _Settings,
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
        number, notes = len(self.players), list[str]()
        weights = np.zeros(len(self.ranking.names))
        left = len(weights) - number
        if left:
            notes.append(
                f"{left} features make no difference here: the model does not use them, or they have "
                "their background value in all documents."
            )
        if self.places and self.ranking.model is not None:
            model = self.ranking.model
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


class WordGame(FeatureGame):
    """The same of words: those that a set leaves out are taken from all documents at once."""

    def __init__(
        self,
        method: _Settings,
        ranking: Ranking,
        counted: FeatureRanking,
        doc: int | None,
        above: int | None,
    ) -> None:
        self.method, self.ranking, self.texts = method, counted, ranking
        self.rows = np.zeros((1, len(counted.names)))
        self.places = [place for place in (doc, above) if place is not None]
        self.players = np.arange(len(counted.names))
        self.generator = np.random.default_rng(method.seed)

    def scores(self, kept: Kept) -> Floats:
        """(S, 1, N) scores of the documents with the words that each of (S, T) sets keeps."""
        ranking, names = self.texts, self.ranking.names
        how, mask = removal_for(ranking)
        box, analyzer = ranking.black_box("listwise Shapley values of words"), ranking.analyzer
        places = self.places or range(len(ranking))
        versions = []
        for place in places:
            text = ranking.texts[place]
            here = [i for i, name in enumerate(names) if analyzer.spans(text, [name])]
            units = [analyzer.spans(text, [names[i]]) for i in here]
            versions.append(keep_units(text, units, kept[:, here], how=how, mask=mask))
        found = np.empty((len(kept), 1, len(versions)))
        if not box.listwise:  # all at once, each text once
            box(ranking.query, list(dict.fromkeys(text for one in versions for text in one)))
        for number, texts in enumerate(zip(*versions, strict=True)):
            found[number, 0] = box(ranking.query, list(texts))
        return found

    def _values(self, kept: Kept, draws: int) -> Floats:
        return self._worth(self.scores(kept))
