"""Readable models that are fitted to the order of another one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError

__all__ = ["Fitted", "Kind", "boosted_trees", "fit_mimic", "ordered_labels"]

Floats = npt.NDArray[np.float64]
Kind = Literal["tree", "boosted", "lambdarank", "linear"]
GRADES = 30  # the largest label of lambdarank
PAIRS, AMONG = 3, 5  # pairs of features that lambdarank may join, of the most useful ones
ROUNDS = 300  # boosted trees
LEAST = 5  # documents in a leaf


class Fitted(NamedTuple):
    """A readable model.

    Attributes
    ----------
    model
        With ``predict``: of scikit-learn, or a booster of LightGBM.
    importance
        (F,) how much it uses each feature; shares that add up to 1, or 0 where it uses none.
    text
        The model in words.
    """

    model: Any
    importance: Floats
    text: str


def ordered_labels(scores: Floats) -> Floats:
    """(N,) what a mimic is fitted to: the share of the other documents of a query that a score beats.

    Ties count half. That is the order alone: scores of different queries need no common scale.

    >>> ordered_labels(np.array([7.0, 3.0, 3.0, -2.0])).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    scores = np.asarray(scores, dtype=np.float64)
    if len(scores) < 2:
        return np.full(len(scores), 0.5)
    ordered = np.sort(scores)
    below = np.searchsorted(ordered, scores, "left")
    not_above = np.searchsorted(ordered, scores, "right") - 1
    return np.asarray((below + not_above) / 2 / (len(scores) - 1))


def fit_mimic(
    kind: Kind,
    X: Floats,
    labels: Floats,
    sizes: Sequence[int],
    names: Sequence[str],
    *,
    max_leaves: int,
    seed: int,
) -> Fitted:
    """A readable model of labels (M,) by features (M, F) of queries with ``sizes`` documents each.

    ``"tree"``: one regression tree. ``"boosted"``: trees of few leaves, added up. ``"lambdarank"``:
    boosted trees for ranking, each on one feature or on one of three pairs (ILMART, Lucchese et al.
    2022). ``"linear"``: a sum of standardised features.

    Raises
    ------
    MissingExtraError
        For ``"lambdarank"`` without LightGBM.
    InputError
        If the linear model meets a feature that is missing everywhere.
    """
    if kind == "tree":
        return _tree(X, labels, names, max_leaves, seed)
    if kind == "boosted":
        return _boosted(X, labels, names, max_leaves, seed)
    if kind == "linear":
        return _linear(X, labels, names)
    return _lambdarank(X, labels, sizes, names, max_leaves, seed)


def _tree(X: Floats, labels: Floats, names: Sequence[str], leaves: int, seed: int) -> Fitted:
    from sklearn.tree import DecisionTreeRegressor, export_text

    model = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=LEAST, random_state=seed)
    model.fit(X, labels)
    text = export_text(model, feature_names=[*names], decimals=3, max_depth=30)
    return Fitted(model, np.asarray(model.feature_importances_), text)


def boosted_trees(X: Floats, labels: Floats, *, max_leaves: int, seed: int) -> Any:
    """The model of the kind ``"boosted"`` alone, without what it uses and its words."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_leaf_nodes=max_leaves, max_iter=ROUNDS, min_samples_leaf=LEAST, early_stopping=False,
        random_state=seed,
    ).fit(X, labels)  # fmt: skip


def _boosted(X: Floats, labels: Floats, names: Sequence[str], leaves: int, seed: int) -> Fitted:
    model = boosted_trees(X, labels, max_leaves=leaves, seed=seed)
    spread = _spreads(model, X, seed)
    return Fitted(model, _shares(spread), _shapes_in_words(model, X, names, spread))


def _linear(X: Floats, labels: Floats, names: Sequence[str]) -> Fitted:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    empty = np.isnan(X).all(axis=0)
    if empty.any():
        raise InputError(f"the feature {names[int(np.argmax(empty))]!r} is missing everywhere")
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), RidgeCV())
    model.fit(X, labels)
    weights = np.asarray(model[-1].coef_)
    order = np.argsort(-np.abs(weights), kind="stable")
    text = "\n".join(f"{weights[i]:+.3f} x {names[i]}, standardised" for i in order if weights[i])
    return Fitted(model, _shares(np.abs(weights)), text)


def _lambdarank(
    X: Floats, labels: Floats, sizes: Sequence[int], names: Sequence[str], leaves: int, seed: int
) -> Fitted:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "ltr") from error

    def fitted(groups: list[list[int]]) -> Any:
        settings = {
            "objective": "lambdarank", "num_leaves": max(2, leaves), "min_data_in_leaf": LEAST,
            "label_gain": list(range(GRADES + 1)), "lambdarank_truncation_level": max(sizes),
            "interaction_constraints": groups, "seed": seed, "deterministic": True,
            "force_row_wise": True, "verbosity": -1,
        }  # fmt: skip
        data = lightgbm.Dataset(X, np.round(GRADES * labels), group=[*sizes])
        return lightgbm.train(settings, data, ROUNDS)

    single = [[i] for i in range(X.shape[1])]
    alone = fitted(single)
    first = np.argsort(-alone.feature_importance("gain"), kind="stable")[:AMONG]
    pairs = [list(map(int, pair)) for pair in itertools.combinations(first, 2)]
    spread = _spreads(alone, X, seed)
    gains = [_interaction(fitted([*single, pair]), X, pair, seed) for pair in pairs]
    best = [pairs[i] for i in np.argsort(-np.array(gains), kind="stable")[:PAIRS]] if pairs else []
    model = fitted([*single, *best])
    spread = _spreads(model, X, seed)
    joined = "\n".join(f"{names[a]} and {names[b]} together" for a, b in best)
    return Fitted(
        model, _shares(spread), f"{_shapes_in_words(model, X, names, spread)}\n{joined}".strip()
    )


def _interaction(model: Any, X: Floats, pair: list[int], seed: int) -> float:
    """How far the effect of two features together is from a sum of both."""
    rows = X[np.random.default_rng(seed).permutation(len(X))[:200]]
    mean = np.nanmean(X, axis=0)

    def at(*changed: int) -> Floats:
        some = np.tile(mean, (len(rows), 1))
        some[:, changed] = rows[:, changed]
        return np.asarray(model.predict(some))

    return float(np.std(at(*pair) - at(pair[0]) - at(pair[1])))


def _curve(model: Any, X: Floats, feature: int) -> tuple[Floats, Floats]:
    """Ten quantiles of a feature, and the model's mean answer with each in 200 documents."""
    known = X[~np.isnan(X[:, feature]), feature]
    if not len(known):
        return np.zeros(1), np.zeros(1)
    values = np.unique(np.quantile(known, np.linspace(0, 1, 11)))
    rows = X[:: max(1, len(X) // 200)][:200]
    some = np.repeat(rows[None], len(values), axis=0)
    some[:, :, feature] = values[:, None]
    answers = np.asarray(model.predict(some.reshape(-1, X.shape[1])))
    return values, answers.reshape(len(values), -1).mean(axis=1)


def _spreads(model: Any, X: Floats, seed: int) -> Floats:
    """(F,) standard deviation of the model's answers when a feature is drawn from other documents."""
    generator = np.random.default_rng(seed)
    rows = X[generator.permutation(len(X))[:1000]]
    before = np.asarray(model.predict(rows))
    found = np.zeros(X.shape[1])
    for feature in range(X.shape[1]):
        some = rows.copy()
        some[:, feature] = rows[generator.permutation(len(rows)), feature]
        found[feature] = float(np.std(np.asarray(model.predict(some)) - before))
    return found


def _shares(size: Floats) -> Floats:
    total = float(size.sum())
    return size / total if total else np.zeros(len(size))


def _shapes_in_words(model: Any, X: Floats, names: Sequence[str], spread: Floats) -> str:
    """A line for each feature that is used: where its mean answer rises and falls."""
    lines = []
    for feature in np.argsort(-spread, kind="stable"):
        if spread[feature] <= 1e-9:
            continue
        values, answers = _curve(model, X, int(feature))
        step = np.diff(answers)
        up, down = step[step > 0].sum(), -step[step < 0].sum()
        how = "rises" if up > 4 * down else "falls" if down > 4 * up else "rises and falls"
        lines.append(
            f"{names[feature]}: {how}, {answers[0]:+.3f} at {values[0]:.3g} to {answers[-1]:+.3f} at "
            f"{values[-1]:.3g}"
        )
    return "\n".join(lines)
