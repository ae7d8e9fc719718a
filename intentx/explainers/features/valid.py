"""`ValidFeatures`: the few features that keep the order of a ranking with all others left out."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from intentx.checks import Amount, Count, Samples, Seed, Share, Size
from intentx.errors import InputError
from intentx.explainers.base import Question
from intentx.explainers.features.background import Background, background_rows
from intentx.explainers.features.greedy import greedy_features
from intentx.explainers.features.method import FeatureMethod
from intentx.explainers.features.set_explanation import (
    Clock,
    FeatureSetExplanation,
    check_order,
    judged,
)
from intentx.explainers.features.set_search import (
    enumerate_sets,
    forward,
    improve,
    number_of_sets,
    random_sets,
)
from intentx.explainers.features.sets import CLOSE, BudgetSpentError, FeatureSets, Set
from intentx.feature_ranking import FeatureRanking

__all__ = ["ValidFeatures"]

Method = Literal["auto", "greedy", "greedy-cover", "exact", "local"]

FEW = 15  # features of which every set is looked at
SETS = 5_000  # or so many sets
RANDOM = 10  # sets of as many random features, to hold the validity against
SAME = 1e-6  # of τ: what trees and the model may differ by


@dataclass(frozen=True, kw_only=True)
class ValidFeatures(FeatureMethod[FeatureSetExplanation]):
    """At most k features that keep the order, all others having background values.

    Validity is τ between the ranking and the order with only the features kept; completeness is −τ with
    the features at background values and all others kept; with several background rows each is the mean
    over them (Singh, Khosla, Wang & Anand 2021). Features come in the order in which each adds the most
    validity to those before it, and their weights say how much that is: they add up to the validity.

    Parameters
    ----------
    k
        Most features. Fewer are given where more do not help.
    background
        As in `intentx.explainers.features.background.background_rows`.
    method
        ``"greedy"`` and ``"greedy-cover"`` of the paper; ``"exact"``: every set of 1 to k features;
        ``"local"``: from both greedy answers, from one grown by validity itself and from random ones,
        features are added, dropped and exchanged as long as that helps, so that it is never below greedy
        or greedy-cover; ``"auto"``: exact up to 15 features that matter or 5,000 sets, else local.
    epsilon
        Greedy-cover leaves out pairs with a propensity above ε as preserved.
    weighted
        Whether greedy and greedy-cover weight a pair by ``1/i + 1/j``, its ranks.
    completeness
        How much completeness counts in what is sought, from 0 to 1; validity counts for the rest.
    starts
        Random sets that local search starts from, too.
    documents
        Of a longer ranking, so many documents are drawn, and the search goes by these; validity and
        completeness are those of all.
    trees
        Whether trees of LightGBM, XGBoost and scikit-learn are read instead of asked, where that gives
        the model's own scores, up to a constant.
    budget
        Most rows that the model is asked in all; None: as many as are needed.
    seed
        Of random sets and documents.

    Examples
    --------
    >>> model = lambda X: 3 * X[:, 0] + X[:, 1]
    >>> X = [[3, 0, 5], [2, 2, 1], [1, 1, 1], [0, 2, 2]]
    >>> ranking = FeatureRanking.from_model(model, "tea", list("abcd"), X, ["BM25", "title", "links"])
    >>> found = ValidFeatures(k=2).explain(ranking)
    >>> found.features, found.validity, found.status
    (('BM25',), 1.0, 'optimal')
    """

    k: Size = 5
    background: Background = "mean"
    method: Method = "auto"
    epsilon: Amount = 0.0
    weighted: bool = False
    completeness: Share = 0.0
    starts: Count = 2
    documents: Samples = 300
    trees: bool = True
    budget: Size | None = None
    seed: Seed = 0

    questions: ClassVar[tuple[Question, ...]] = ("ranking",)

    def _explain(self, ranking: FeatureRanking, doc: Any, above: Any) -> FeatureSetExplanation:
        clock = Clock(ranking.ask("valid features"))
        check_order(ranking)
        rows = background_rows(ranking, self.background)
        part = _part(ranking, self.documents, self.seed)
        # What is kept back to judge the answer; of a part of the documents, each feature's weight, too.
        last = (2 if part is ranking else 4 + 2 * self.k) * len(rows) * len(ranking)
        if self.budget is not None and self.budget < last:
            raise InputError(
                f"a budget of {self.budget} rows does not last to judge one set of features: "
                f"{len(ranking)} documents and {len(rows)} background rows need {last}"
            )
        found = self._found(part, rows, last, self.trees)
        alone, metrics = judged(ranking, rows, found.columns)
        if found.read and abs(metrics["validity"] - found.validity) > SAME and part is ranking:
            found = self._found(part, rows, last, False)  # the trees read are not what the model does
            alone, metrics = judged(ranking, rows, found.columns)
        if part is not ranking:
            found = self._on_all(ranking, rows, found, metrics["validity"])
            alone, metrics = judged(ranking, rows, found.columns)
        optimal = found.status == "optimal" and not self.completeness
        return FeatureSetExplanation(
            method=self.name,
            ranking=ranking,
            features=tuple(ranking.names[column] for column in found.columns),
            weights=tuple(found.weights),
            alone=alone,
            metrics=metrics | found.others,
            status=found.status,
            bound=metrics["validity"] if optimal else None if self.completeness else 1.0,
            settings=self.settings(),
            notes=tuple(found.notes),
            **clock.spent(),
        )

    def _found(self, ranking: FeatureRanking, rows: Any, last: int, trees: bool) -> _Found:
        left = None if self.budget is None else self.budget - last
        sets = FeatureSets(ranking, rows, budget=left, completeness=self.completeness, trees=trees)
        if not sets.columns:
            note = "No feature makes a difference: each has its background value in every document."
            return _Found([], [], 0.0, "optimal", {}, [note], sets.reads_trees)
        search = _Search(self, sets)
        try:
            search.run()
        except BudgetSpentError:
            search.notes.append(
                f"The budget of {self.budget} rows ended the search: the best set so far."
            )
            search.status = "feasible"
        best = search.chosen if search.chosen is not None else sets.best[1]
        if not best:
            raise InputError(
                f"a budget of {self.budget} rows does not last to look at one set of features; give more"
            )
        columns, weights = _in_order(sets, best)
        return _Found(
            columns, weights, sum(weights), search.status, search.others, search.notes, sets.reads_trees
        )

    def _on_all(self, ranking: FeatureRanking, rows: Any, found: _Found, validity: float) -> _Found:
        """What was found on a part of the documents, with weights by all of them."""
        weights, before = [], 0.0
        for size in range(1, len(found.columns)):
            now = judged(ranking, rows, found.columns[:size])[1]["validity"]
            weights.append(now - before)
            before = now
        weights += [validity - before] if found.columns else []
        note = f"The search went by {self.documents} of {len(ranking)} documents; validity is of all."
        return _Found(
            found.columns, weights, validity, "heuristic", {}, [*found.notes, note], found.read
        )


@dataclass
class _Found:
    columns: list[int]
    weights: list[float]
    validity: float
    status: str
    others: dict[str, float]
    notes: list[str]
    read: bool


class _Search:
    """The search of one explanation; it can be ended at any step."""

    def __init__(self, method: ValidFeatures, sets: FeatureSets) -> None:
        self.method, self.sets = method, sets
        self.status = "heuristic"
        self.chosen: Set | None = None
        self.others: dict[str, float] = {}
        self.notes: list[str] = []

    def run(self) -> None:
        method, sets = self.method, self.sets
        number = len(sets.columns)
        if len(sets.ranking.names) > number:
            self.notes.append(
                f"{len(sets.ranking.names) - number} features make no difference here: the model does "
                "not use them, or they have their background value in all documents."
            )
        if sets.reads_trees:
            self.notes.append("Scores of sets were read from the trees; the answer was asked.")
        sets.values_added(frozenset(), sets.columns)  # so that there is a set, whatever the budget
        greedy = frozenset(greedy_features(sets, method.k, weighted=method.weighted))
        if method.method == "greedy":
            self.chosen = greedy
        else:
            cover = frozenset(
                greedy_features(sets, method.k, epsilon=method.epsilon, weighted=method.weighted)
            )
            if method.method == "greedy-cover":
                self.chosen = cover
            else:
                self.others = {"greedy": sets.validity(greedy), "greedy_cover": sets.validity(cover)}
                sets.values([greedy, cover])
                self._best(greedy, cover)
        drawn = random_sets(sets.columns, len(self.chosen or sets.best[1]), RANDOM, method.seed)
        with contextlib.suppress(BudgetSpentError):
            self.others["random"] = float(np.mean([sets.validity(one) for one in drawn]))

    def _best(self, greedy: Set, cover: Set) -> None:
        method, sets = self.method, self.sets
        few = number_of_sets(len(sets.columns), method.k) <= SETS or len(sets.columns) <= FEW
        if method.method == "exact" or (method.method == "auto" and few):
            enumerate_sets(sets, method.k)
            self.status = "optimal"
            return
        drawn = random_sets(sets.columns, method.k, method.starts, method.seed)
        grown = forward(sets, method.k)
        for start in dict.fromkeys([grown, greedy, cover, *drawn]):
            if sets.best[0] >= 1 - CLOSE:
                self.status = "optimal"  # nothing is above 1
                return
            improve(sets, start, method.k)


def _in_order(sets: FeatureSets, chosen: Set) -> tuple[list[int], list[float]]:
    """Columns, each the one that adds most validity to those before it, and what it adds.

    Where the budget does not last for that, those left come by their columns, and share what is left.
    """
    columns: list[int] = []
    weights: list[float] = []
    before = 0.0
    try:
        while len(columns) < len(chosen):
            left = sorted(chosen - set(columns))
            values = sets.validities(sets.added(columns, left))
            best = int(np.argmax(values))
            columns.append(left[best])
            weights.append(float(values[best]) - before)
            before = float(values[best])
    except BudgetSpentError:
        left = sorted(chosen - set(columns))
        try:
            whole = sets.validity(chosen)
        except BudgetSpentError:
            whole = before
        columns += left
        weights += [(whole - before) / len(left)] * len(left)
    return columns, weights


def _part(ranking: FeatureRanking, most: int, seed: int) -> FeatureRanking:
    """The ranking, or as many of its documents as are drawn: the same share of each part of it."""
    if len(ranking) <= most:
        return ranking
    ends = np.linspace(0, len(ranking), most + 1).astype(np.intp)
    places: Sequence[int] = np.random.default_rng(seed).integers(ends[:-1], ends[1:]).tolist()
    part = ranking.subset(places)
    try:
        check_order(part)
    except InputError:
        return ranking  # nearly all are tied
    return part
