"""The verdict of an explanation by features: the method on parts of the documents, against chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from intentx.errors import InputError
from intentx.evaluation.heldout import heldout_fidelity
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.judged import FeatureVerdict
from intentx.explainers.levels import OPENINGS, Level
from intentx.feature_ranking import FeatureRanking

__all__ = ["feature_verdict"]

SPLITS = 5
SEED = 0


def feature_verdict(explanation: FeatureExplanation, method: Any) -> FeatureVerdict:
    """Try the method on five parts of the documents, as it is and with shuffled scores.

    Raises
    ------
    InputError
        If the ranking has no model to ask, or one document is explained and not the order.
    """
    if getattr(explanation, "doc", None) is not None:
        raise InputError(
            "a verdict is of features that explain the order; explain the ranking, without a document"
        )
    if "ranking" not in getattr(method, "questions", ("ranking",)):
        raise InputError(
            f"{explanation.method} explains several rankings together, and is judged on queries left "
            "out: see the metrics of the explanation"
        )
    if explanation.settings.get("units") == "words":
        raise InputError(
            "a verdict on words by their listwise Shapley values is not offered: explain the ranking by "
            "intentx.Multiplex, which has one"
        )
    ranking, number = explanation.ranking, len(explanation.kept)
    model = ranking.ask("a verdict of features")
    before = model.rows_asked
    used = sum(one.kind == "used" for one in explanation.effects)
    try:
        heldout, why = _heldout(method, ranking)
        random, _ = _heldout(_Random(explanation, number), ranking)
        shuffled, _ = _heldout(method, _shuffled(ranking))
    except InputError as error:  # fewer documents than can be split
        heldout, random, shuffled, why = math.nan, math.nan, math.nan, str(error)
    least = 1 / math.sqrt(len(ranking))
    threshold = max(0.5, 0.0 if math.isnan(shuffled) else shuffled) + least
    level: Level = "chance"
    if heldout > threshold and used:
        level = "holds" if heldout > random else "weak"
    if math.isnan(heldout):
        said = f"not measured on documents left out: {why}"
    else:
        said = (
            f"on documents left out, {number} features chosen in the same way order {heldout:.2f} of "
            f"the pairs as the model does; as many random features {random:.2f}, the method on shuffled "
            f"scores {shuffled:.2f}; {used} of the {number} features change scores when set to "
            "their background"
        )
    return FeatureVerdict(
        level=level, sentence=f"{OPENINGS[level]}: {said}.", heldout=heldout, random=random,
        shuffled=shuffled, threshold=threshold, used=used, asked=model.rows_asked - before,
    )  # fmt: skip


def _heldout(method: Any, ranking: FeatureRanking) -> tuple[float, str]:
    found = heldout_fidelity(method, ranking, repeats=SPLITS, seed=SEED)  # type: ignore[arg-type]
    return found.mean, next(filter(None, found.reasons), "")


def _shuffled(ranking: FeatureRanking) -> FeatureRanking:
    """The same documents and model, with the scores shuffled over the documents."""
    scores = np.random.default_rng(SEED).permutation(ranking.scores)
    return FeatureRanking(
        ranking.query, ranking.doc_ids, ranking.X, ranking.names, scores, ranking.model,
        ranking.texts, ranking.categories,
    )  # fmt: skip


@dataclass
class _Random:
    """As many random features as an explanation has, others for each part of the documents."""

    like: FeatureExplanation
    number: int

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(SEED)
        self.background = getattr(vars(self.like).get("_method"), "background", "mean")

    def explain(self, ranking: FeatureRanking) -> FeatureExplanation:
        drawn = sorted(self.generator.choice(len(ranking.names), self.number, replace=False).tolist())
        names = tuple(ranking.names[column] for column in drawn)
        found = FeatureExplanation(
            method="random", ranking=ranking, features=names, weights=(1.0,) * len(names),
            alone=ranking.scores, settings={},
        )  # fmt: skip
        found.made_by(self)
        return found
