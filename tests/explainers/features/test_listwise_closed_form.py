"""Values that are read from trees in closed form, and where there is none."""

import numpy as np
import pytest

from intentx.explainers.features.listwise import ListwiseSHAP
from intentx.explainers.features.tree_shares import tree_shares
from intentx.models import FeatureModel
from tests.explainers.features.listwise_oracles import (
    NAMES,
    X,
    brute_force,
    of_sklearn,
    other_trees,
    product,
    ranking_of,
    trees,
)


@pytest.mark.parametrize("kind", ["plain", "missing", "categories"])
def test_trees_have_their_values_in_closed_form(kind):
    model, rows = trees(missing=kind == "missing", categories=kind == "categories")
    asked, background = FeatureModel(model), rows[:5]
    for row in rows[5:8]:
        found = tree_shares(asked, row, background)
        expected = brute_force(
            lambda some, row=row: asked(
                np.where(np.isin(np.arange(8), [*some]), row, background)
            ).mean(), 8,
        )  # fmt: skip
        np.testing.assert_allclose(found, expected, atol=1e-8)


WITH_MISSING = [
    "XGBRanker", "XGBRegressor", "DecisionTreeRegressor", "RandomForestRegressor",
    "RandomForestClassifier", "HistGradientBoostingRegressor",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "missing"),
    [*((kind, False) for kind in [*WITH_MISSING, "GradientBoostingRegressor"]),
     *((kind, True) for kind in WITH_MISSING)],
)  # fmt: skip
def test_trees_of_other_packages_are_read_too(kind, missing):
    model, rows = other_trees(kind, missing)
    asked, background, row = FeatureModel(model, NAMES), rows[:4], rows[9]
    expected = brute_force(
        lambda some: asked(np.where(np.isin(np.arange(8), [*some]), row, background)).mean(), 8
    )
    found = tree_shares(asked, row, background)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.filterwarnings("ignore:.*gblinear.*deprecated:UserWarning")  # from XGBoost 3.4 on
def test_scores_that_are_no_sum_of_leaves_have_no_closed_form():
    import xgboost

    rows = np.random.default_rng(12).normal(size=(100, 8))
    grades = (product(rows) > 0).astype(int)
    for model in (
        xgboost.XGBClassifier(n_estimators=3, n_jobs=1),  # a probability
        xgboost.XGBRegressor(n_estimators=3, booster="gblinear", n_jobs=1),
        of_sklearn("GradientBoostingClassifier")(n_estimators=3),
        of_sklearn("HistGradientBoostingRegressor")(max_iter=3, categorical_features=[7]),
    ):
        some = rows.copy()
        some[:, 7] = np.arange(100) % 3
        target = product(rows) + 3 * (some[:, 7] == 1) if "Hist" in type(model).__name__ else grades
        asked = FeatureModel(model.fit(some, target), NAMES)
        assert tree_shares(asked, some[0], some[1:4]) is None


@pytest.mark.parametrize(
    "kind",
    ["XGBRegressor", "DecisionTreeRegressor", "RandomForestRegressor", "GradientBoostingRegressor",
     "HistGradientBoostingRegressor"],
)  # fmt: skip
def test_features_that_no_tree_uses_have_weight_zero(kind):
    import xgboost

    rows = np.random.default_rng(3).normal(size=(80, 13))
    target = product(rows)
    rows[:, 8:] = 0.0  # nothing to split by
    settings = {"max_iter": 5} if kind.startswith("Hist") else {"n_estimators": 5, "random_state": 0}
    settings = {"random_state": 0} if kind.startswith("Decision") else settings
    model = (xgboost.XGBRegressor if kind == "XGBRegressor" else of_sklearn(kind))(**settings)
    model.fit(rows, target)
    names = [f"f{i}" for i in range(13)]
    ranking = ranking_of(model, np.random.default_rng(4).normal(size=(9, 13)), names)
    found = ListwiseSHAP(samples=2**9).explain(ranking)
    weights = dict(zip(found.features, found.weights, strict=True))
    assert [weights[name] for name in names[8:]] == [0.0] * 5
    assert found.metrics["exact"] == 1.0  # only of the others
    assert found.model_calls <= 2**8 * 9 + 2 * 9


def test_models_of_several_parts_may_use_every_feature():
    from intentx.models import used_features

    rows, target = X, product(X)
    tree = of_sklearn("DecisionTreeRegressor")(max_depth=1)
    for kind, settings in (
        ("BaggingRegressor", {"max_features": 2, "n_estimators": 3}),  # their trees count other columns
        ("StackingRegressor", {"estimators": [("tree", tree)], "passthrough": True, "cv": 2}),
        ("GradientBoostingRegressor", {"init": of_sklearn("RandomForestRegressor")(3)}),
    ):
        model = of_sklearn(kind)(**settings).fit(rows, target)
        assert used_features(FeatureModel(model, NAMES)).all()


def test_linear_trees_have_no_closed_form_however_small_their_scores():
    import lightgbm

    rows = np.random.default_rng(5).normal(size=(200, 8))
    data = lightgbm.Dataset(rows, 1e-9 * product(rows), feature_name=NAMES)
    settings = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "linear_tree": True}
    model = FeatureModel(lightgbm.train(settings, data, 5))
    assert tree_shares(model, rows[0], rows[1:4]) is None
