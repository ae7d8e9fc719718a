"""Models over features, and their listwise Shapley values by brute force."""

import itertools
import math

import numpy as np

import intentx as ix

RNG = np.random.default_rng(0)
X = RNG.normal(size=(15, 8))
NAMES = [f"f{i}" for i in range(8)]
BACKGROUND = RNG.normal(size=(4, 8))


def product(rows):
    return rows[:, 0] * rows[:, 1] + 2 * rows[:, 2] - rows[:, 3] + 0.1 * rows[:, 4] ** 2


def ranking_of(model=product, rows=X, names=NAMES):
    return ix.FeatureRanking.from_model(model, "q", [f"d{i}" for i in range(len(rows))], rows, names)


def brute_force(value, number):
    """Shapley values by their definition."""
    known = {}

    def of(some):
        key = frozenset(some)
        if key not in known:
            known[key] = value(key)
        return known[key]

    found = np.zeros(number)
    for player in range(number):
        others = [i for i in range(number) if i != player]
        for size in range(number):
            for some in itertools.combinations(others, size):
                share = math.factorial(size) * math.factorial(number - size - 1) / math.factorial(number)
                found[player] += share * (of({*some, player}) - of(some))
    return found


def masked(ranking, some, rows=BACKGROUND):
    kept = np.isin(np.arange(8), [*some])
    return np.array([ranking.model(np.where(kept, ranking.X, row)) for row in rows])


def trees(missing=False, categories=False):
    import lightgbm

    rows, target = RNG.normal(size=(300, 8)), RNG.normal(size=300)
    target = product(rows) + 0.1 * target
    if missing:
        rows[RNG.random(rows.shape) < 0.2] = np.nan
    if categories:
        rows[:, 0] = RNG.integers(0, 5, 300)
        target = target + 3 * (rows[:, 0] == 2)
    given_ = {"categorical_feature": [0]} if categories else {}
    return lightgbm.train(
        {"verbosity": -1, "min_data_in_leaf": 5, "num_threads": 1, "num_leaves": 12},
        lightgbm.Dataset(rows, target, feature_name=NAMES, **given_),
        20,
    ), rows


def of_sklearn(kind):
    from sklearn import ensemble, tree

    return getattr(tree if kind.startswith("Decision") else ensemble, kind)


def other_trees(kind, missing):
    """A model fitted on rows with 8 features, and these rows."""
    import xgboost

    generator = np.random.default_rng(11)
    rows = generator.normal(size=(200, 8))
    target = product(rows)
    if missing:
        rows[generator.random(rows.shape) < 0.2] = np.nan
    if kind == "XGBRanker":
        model = xgboost.XGBRanker(n_estimators=6, max_depth=4, n_jobs=1)
        return model.fit(rows, np.digitize(target, [-1, 1]), group=[20] * 10), rows
    if kind == "XGBRegressor":
        settings = {"n_estimators": 6, "max_depth": 4, "n_jobs": 1, "base_score": 3.0}
        return xgboost.XGBRegressor(**settings).fit(rows, target), rows
    if kind.endswith("Classifier"):
        target = np.digitize(target, [-1, 1]) + 1
    number = {"n_estimators": 6} if "Forest" in kind or kind.startswith("Gradient") else {}
    number = {"max_iter": 6} if kind.startswith("Hist") else number
    return of_sklearn(kind)(**number, random_state=0).fit(rows, target), rows
