"""The value of sets of features, or of words, as listwise Shapley values ask for it."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.document.asking import asked
from intentx.explainers.document.interactions import expected_shapley_values
from intentx.explainers.document.shap import shapley_values
from intentx.explainers.features.background import MaskedModel
from intentx.explainers.features.leaf_scores import LeafScores, leaf_scores
from intentx.explainers.features.order_values import OrderValue, order_value
from intentx.explainers.features.tree_shares import tree_shares
from intentx.feature_ranking import FeatureRanking
from intentx.markup import count
from intentx.models import used_features
from intentx.perturbation import all_subsets, keep_units, removal_for
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import Analyzer

__all__ = ["FeatureGame", "Solution", "WordGame"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]
EXACT = 10  # features: a thousand sets
AT_ONCE = 2_000_000  # scores in memory at once
CLOSED = "by the trees themselves (interventional TreeSHAP)"


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


class Solution(NamedTuple):
    """(F,) Shapley values, what is known of them by name, and what a reader should know."""

    weights: Floats
    metrics: dict[str, float]
    notes: list[str]


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
        self._leaves = None if self.places else self._read()

    def _read(self) -> LeafScores | None:
        """The leaves of trees, where they order the documents as the model does."""
        leaves = leaf_scores(self.ranking, self.rows)
        if leaves is None:
            return None
        whole = leaves.scores(range(len(self.ranking.names)))[:1, None]
        return (
            leaves if self._worth(whole)[0] == self._worth(self.ranking.scores[None, None])[0] else None
        )

    def solved(self) -> Solution:
        """Weights, metrics and notes.

        Raises
        ------
        InputError
            If scores are so large that what lies between them is no finite number.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            found = self._difference() if len(self.places) > 1 else self._solved()
        if not np.isfinite(found.weights).all() or not np.isfinite(found.metrics["all"]):
            raise InputError(
                "scores of the documents are so large that a difference of two is no finite number; "
                "divide the model's scores by a large number"
            )
        return found

    def _solved(self) -> Solution:
        number, notes = len(self.players), list[str]()
        weights = np.zeros(len(self.ranking.names))
        left = len(weights) - number
        if left:
            notes.append(
                f"{count(left, 'feature')} without a difference here: the model does not use "
                f"{'it' if left == 1 else 'them'}, or all documents have the background value."
            )
        closed = self._closed()
        if closed is not None:
            return Solution(*closed, [*notes, f"In closed form, {CLOSED}."])
        exact = number <= EXACT or (number < 60 and 2**number <= self.method.samples)
        if exact:
            values = self._values(all_subsets(number), len(self.rows))
            unit = unit_of(values)
            found, error = shapley_values(values / unit), 0.0
            none, everything = float(values[0]), float(values[-1])
        else:
            ends = self._values(np.array([[False], [True]]).repeat(number, axis=1), len(self.rows))
            none, everything = ends.tolist()
            kept, values = asked(
                lambda some: self._values(some, self.method.draws), lambda values: values, number,
                self.method.samples - 2, self.generator,
            )  # fmt: skip
            unit = unit_of(values, ends)
            found, error = _estimated(
                kept, values[2:] / unit, none / unit, everything / unit, self.generator
            )
            notes.append(f"Estimated from {count(len(kept) + 2, 'set')} of {count(number, 'feature')}.")
            if len(kept) < 2 * number:
                notes.append(f"These are few for {number}: the weights depend on the seed.")
        if self._leaves is not None:
            notes.append("Scores of sets were read from the trees; the answer was asked.")
        weights[self.players] = found * unit
        metrics = {"all": everything, "none": none, "exact": float(exact), "error": error * unit}
        return Solution(weights, metrics, notes)

    def _difference(self) -> Solution:
        """Of two documents: the values of one less those of the other, so that both ways round agree."""
        one, other = (self._alone(place).solved() for place in self.places)
        metrics = {key: one.metrics[key] - other.metrics[key] for key in ("all", "none")}
        metrics["exact"] = min(one.metrics["exact"], other.metrics["exact"])
        metrics["error"] = math.hypot(one.metrics["error"], other.metrics["error"])
        return Solution(
            one.weights - other.weights, metrics, list(dict.fromkeys([*one.notes, *other.notes]))
        )

    def _alone(self, place: int) -> FeatureGame:
        """The game of one document."""
        return FeatureGame(self.method, self.ranking, self.rows, place, None)

    def _closed(self) -> tuple[Floats, dict[str, float]] | None:
        """Weights and metrics of the score of one document, where trees tell them."""
        model = self.ranking.model
        if not self.places or model is None:
            return None
        [row] = self.X
        shares = tree_shares(model, row, self.rows)
        if shares is None:
            return None
        everything, none = float(model(row[None])[0]), _mean(model(self.rows))
        return shares, {"all": everything, "none": none, "exact": 1.0, "error": 0.0}

    def _values(self, kept: Kept, draws: int) -> Floats:
        """(S,) values of sets of players, each with so many rows of the background."""
        whole = np.zeros((len(kept), len(self.ranking.names)), dtype=bool)
        whole[:, self.players] = kept
        if self._leaves is not None:
            return self._values_read(self._leaves, whole, draws)
        model = self.ranking.ask("listwise Shapley values")
        if self.places or draws >= len(self.rows):  # of one document all rows are few
            step = max(1, AT_ONCE // (len(self.rows) * len(self.X)))
            masked = MaskedModel(model, self.X, self.rows)
            parts = [whole[start : start + step] for start in range(0, len(whole), step)]
            return np.concatenate([self._worth(masked.scores(part)) for part in parts])
        found = np.empty(len(kept))
        for number, (mask, some) in enumerate(zip(whole, self._in_turn(draws), strict=False)):
            scores = MaskedModel(model, self.X, self.rows[some]).scores(mask[None])
            found[number] = self._worth(scores)[0]
        return found

    def _values_read(self, leaves: LeafScores, whole: Kept, draws: int) -> Floats:
        """The same, from the leaves of trees."""
        turns = itertools.repeat(None) if draws >= len(self.rows) else self._in_turn(draws)
        scores = (leaves.scores(np.flatnonzero(m), some) for m, some in zip(whole, turns, strict=False))
        return np.array([self._worth(one[None])[0] for one in scores])

    def _in_turn(self, draws: int) -> Iterator[npt.NDArray[np.intp]]:
        """Places of so many background rows, again and again, so that all come as often."""
        order = self.generator.permutation(len(self.rows))
        for start in itertools.count(0, draws):
            yield order[np.arange(start, start + draws) % len(order)]

    def _worth(self, scores: Floats) -> Floats:
        """(S,) mean value over the rows of (S, B, N) scores."""
        if self.places:
            unit = unit_of(scores)
            return np.asarray((scores[:, :, 0] / unit).mean(axis=1) * unit)
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
        self._leaves = None
        self.generator = np.random.default_rng(method.seed)

        how, mask = removal_for(ranking)
        spans = [_spans(ranking.analyzer, ranking.texts[place], counted.names) for place in self._asked]
        self._versions = [
            functools.partial(keep_units, ranking.texts[place], units, how=how, mask=mask)
            for place, (_, units) in zip(self._asked, spans, strict=True)
        ]
        self._columns = [columns for columns, _ in spans]

    @property
    def _asked(self) -> Sequence[int]:
        """Places of the documents that are asked about."""
        return self.places or range(len(self.ranking))

    def _alone(self, place: int) -> WordGame:
        return WordGame(self.method, self.texts, self.ranking, place, None)

    def _closed(self) -> None:
        return None

    def scores(self, kept: Kept) -> Floats:
        """(S, 1, N) scores of the documents with the words that each of (S, T) sets keeps."""
        box, query = self.texts.black_box("listwise Shapley values of words"), self.texts.query
        versions = [
            made(kept[:, columns]) for made, columns in zip(self._versions, self._columns, strict=True)
        ]
        found = np.empty((len(kept), 1, len(versions)))
        if not box.listwise:  # all at once, each text once
            box(query, list(dict.fromkeys(text for one in versions for text in one)))
        for number, texts in enumerate(zip(*versions, strict=True)):
            found[number, 0] = box(query, list(texts))
        return found

    def _values(self, kept: Kept, draws: int) -> Floats:
        return self._worth(self.scores(kept))


def _spans(
    analyzer: Analyzer, text: str, names: Sequence[str]
) -> tuple[list[int], list[list[tuple[int, int]]]]:
    """The words of a text, as places among names, and where in it each of them stands."""
    place = {name: number for number, name in enumerate(names)}
    found: dict[int, list[tuple[int, int]]] = {}
    for token in analyzer.tokens(text):
        if token.term in place:
            found.setdefault(place[token.term], []).append((token.start, token.end))
    columns = sorted(found)
    return columns, [found[column] for column in columns]


def _mean(scores: Floats) -> float:
    unit = unit_of(scores)
    return float((scores / unit).mean() * unit)


def _estimated(
    kept: Kept, values: Floats, none: float, everything: float, generator: np.random.Generator
) -> tuple[Floats, float]:
    """(T,) Shapley values from some sets (S, T), and the standard error of one of them.

    The error is the root mean square, over the players, of half the difference of two estimates, each
    from half of the sets.
    """
    found = expected_shapley_values(kept, values, none, everything)
    paired = len(kept) % 2 == 0 and bool((kept[::2] == ~kept[1::2]).all())
    order = generator.permutation(len(kept) // 2 if paired else len(kept))
    halves = [np.sort(part) for part in (order[::2], order[1::2])]
    if paired:  # a set and its complement stay together
        halves = [np.stack([2 * part, 2 * part + 1], axis=1).reshape(-1) for part in halves]
    if not all(len(part) for part in halves):
        return found, math.nan
    one, other = (expected_shapley_values(kept[part], values[part], none, everything) for part in halves)
    return found, float(np.sqrt(np.mean((one - other) ** 2)) / 2)
