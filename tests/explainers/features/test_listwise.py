"""Listwise Shapley values against brute force, their axioms, and what is refused."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.errors import InputError
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.features.listwise import ListwiseSHAP
from intentx.explainers.features.order_values import VALUES, order_value
from intentx.explainers.features.tree_shares import tree_shares
from intentx.models import FeatureModel

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


def test_the_values_are_those_of_the_definition():
    ranking = ranking_of()
    found = ListwiseSHAP(background=BACKGROUND).explain(ranking)
    expected = brute_force(
        lambda some: np.mean([kendall_tau_b(ranking.scores, one) if np.ptp(one) > 1e-9 else 0.0
                              for one in masked(ranking, some)]), 8,
    )  # fmt: skip
    weights = dict(zip(found.features, found.weights, strict=True))
    np.testing.assert_allclose([weights[name] for name in NAMES], expected, atol=1e-9)
    assert sum(found.weights) == pytest.approx(found.metrics["all"] - found.metrics["none"])
    assert weights["f7"] == pytest.approx(0, abs=1e-12)  # the model does not look at it
    assert list(np.abs(found.weights)) == sorted(np.abs(found.weights), reverse=True)


@pytest.mark.parametrize("value", VALUES)
def test_weights_add_up_for_every_value(value):
    ranking = ranking_of()
    found = ListwiseSHAP(value=value, background=BACKGROUND, k=3).explain(ranking)
    none = np.mean([order_value(value, ranking.scores, one, 3) for one in masked(ranking, ())])
    assert found.metrics["none"] == pytest.approx(none)
    assert sum(found.weights) == pytest.approx(1.0 - none)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=9), st.integers(0, 2**32 - 1))
def test_values_of_orders_beside_slow_versions(scores, seed):
    scores = np.array(sorted(scores, reverse=True), dtype=float)
    others = np.random.default_rng(seed).integers(0, 4, (3, len(scores))).astype(float)
    np.testing.assert_allclose(
        order_value("rbo", scores, others), [rbo_ext(one) for one in others], atol=1e-12
    )
    for one, tau in zip(others, order_value("tau", scores, others), strict=True):
        if np.ptp(scores) and np.ptp(one):
            assert tau == pytest.approx(kendall_tau_b(scores, one), abs=1e-6)
    if np.ptp(scores):
        for value in VALUES:
            best = order_value(value, scores, -np.arange(len(scores), dtype=float), 3)[0]
            assert (order_value(value, scores, others, 3) <= best + 1e-9).all() or value == "tau"


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


def test_why_one_document_is_above_another():
    model, _ = trees()
    ranking = ranking_of(model)
    method = ListwiseSHAP(background=BACKGROUND)
    first, last, both = (
        method.explain(ranking, 0), method.explain(ranking, 14), method.explain(ranking, 0, above=14)
    )  # fmt: skip
    assert "closed form" in " ".join(both.notes)
    assert sum(both.weights) == pytest.approx(ranking.scores[0] - ranking.scores[14])
    one, two = (dict(zip(x.features, x.weights, strict=True)) for x in (first, last))
    for name, weight in zip(both.features, both.weights, strict=True):
        assert weight == pytest.approx(one[name] - two[name])
    by_sets = method.explain(ranking_of(lambda rows: model.predict(rows)), 0, above=14)
    expected = dict(zip(both.features, both.weights, strict=True))
    for name, weight in zip(by_sets.features, by_sets.weights, strict=True):
        assert weight == pytest.approx(expected[name], abs=1e-9)


def test_an_estimate_is_near_the_exact_values():
    rows = RNG.normal(size=(20, 14))
    weights = RNG.normal(size=14)
    ranking = ranking_of(lambda some: some @ weights, rows, [f"f{i}" for i in range(14)])
    exact = ListwiseSHAP(samples=2**14).explain(ranking)
    some = ListwiseSHAP(samples=400).explain(ranking)
    assert (exact.metrics["exact"], some.metrics["exact"]) == (1.0, 0.0)
    found = dict(zip(some.features, some.weights, strict=True))
    errors = [found[n] - w for n, w in zip(exact.features, exact.weights, strict=True)]
    assert np.abs(errors).max() < 0.02
    assert sum(some.weights) == pytest.approx(sum(exact.weights))
    again = ListwiseSHAP(samples=400).explain(ranking)
    assert again.weights == some.weights


def test_features_that_make_no_difference_are_not_asked_about():
    model, _ = trees()
    rows = X.copy()
    rows[:, 5] = 1.0
    ranking = ranking_of(model, rows)
    found = ListwiseSHAP(background="mean").explain(ranking)
    assert dict(zip(found.features, found.weights, strict=True))["f5"] == 0
    assert found.model_calls <= 2**7 * 15 + 2 * 15


def test_json_both_ways(tmp_path):
    ranking = ranking_of()
    found = ListwiseSHAP().explain(ranking, 1, above="d3")
    again = ix.load(found.save(tmp_path / "x.json"))
    assert type(again) is type(found)
    assert (again.features, again.weights, again.doc, again.above) == (
        found.features, found.weights, 1, ranking.position("d3"),
    )  # fmt: skip
    assert again.to_json() == found.to_json()
    assert repr(found).startswith("<ListwiseSHAP for 'q': ")


def test_bad_input():
    tied = ranking_of(lambda rows: np.zeros(len(rows)))
    with pytest.raises(InputError, match=r"without a preference pair .*\(documents: 15\)"):
        ListwiseSHAP().explain(tied)
    with pytest.raises(InputError, match=r"without a preference pair .*\(documents: 1\)"):
        ListwiseSHAP().explain(ranking_of(rows=X[:1]))
    with pytest.raises(InputError, match="not above itself"):
        ListwiseSHAP().explain(ranking_of(), 1, above=1)
    with pytest.raises(InputError, match="background must be 'mean', 'median', 'zero' or rows"):
        ListwiseSHAP(background="middle").explain(ranking_of())
    with pytest.raises(InputError, match="background rows need 8 features"):
        ListwiseSHAP(background=[[1.0]]).explain(ranking_of())
    with pytest.raises(InputError, match="must ask the model"):
        ListwiseSHAP().explain(ix.FeatureRanking("q", ("a", "b"), [[1], [2]], ("x",), [1.0, 2.0]))
    with pytest.raises(InputError, match="value must be one of"):
        ListwiseSHAP(value="taus")


WORDS = ["green tea tea pot", "green boat", "tea boat lamp", "lamp pot", "boat", "green lamp tea"]


def by_words(query, texts):
    return [
        3.0 * t.split().count("green") + 2.0 * ("tea" in t) * ("pot" in t) - ("lamp" in t) for t in texts
    ]


def test_words_are_taken_from_all_documents_at_once():
    ranking = ix.rank(by_words, "q", WORDS)
    found = ListwiseSHAP(units="words").explain(ranking)
    names = sorted(found.terms)

    def value(some):
        kept = {names[i] for i in some}
        texts = [" ".join(w for w in text.split() if w in kept) for text in ranking.texts]
        scores = np.array(by_words("q", texts))
        return kendall_tau_b(ranking.scores, scores) if np.ptp(scores) else 0.0

    weights = dict(zip(found.terms, found.weights, strict=True))
    np.testing.assert_allclose([weights[n] for n in names], brute_force(value, len(names)), atol=1e-6)
    assert found.terms[0] == "green"
    assert weights["boat"] == pytest.approx(0, abs=1e-9)
    pair = ListwiseSHAP(units="words").explain(ranking, 0, above=2)
    assert sum(pair.weights) == pytest.approx(ranking.scores[0] - ranking.scores[2])
    assert found.to_json() == type(found).from_json(found.to_json()).to_json()


def test_words_and_features_are_not_mixed_up():
    ranking = ix.rank(by_words, "q", WORDS)
    with pytest.raises(InputError, match="cannot explain a Ranking: it has words, units='words'"):
        ListwiseSHAP().explain(ranking)
    with pytest.raises(InputError, match="cannot explain a FeatureRanking: it has features"):
        ListwiseSHAP(units="words").explain(ranking_of())
    recorded = ix.Ranking.from_run({"a": 2, "b": 1}, "q", {"a": "tea", "b": "boat"})
    with pytest.raises(InputError, match="must ask the ranker"):
        ListwiseSHAP(units="words").explain(recorded)
    empty = ix.rank(lambda query, texts: [len(t) for t in texts], "q", ["?", "!!"])
    with pytest.raises(InputError, match="no candidate term"):
        ListwiseSHAP(units="words").explain(empty)


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


def test_estimates_of_a_pair_are_differences_and_turn_round():
    rows = np.random.default_rng(6).normal(size=(6, 12))
    ranking = ranking_of(lambda some: np.tanh(some).prod(axis=1) + product(some), rows,
                         [f"f{i}" for i in range(12)])  # fmt: skip
    method = ListwiseSHAP(samples=60, background=np.random.default_rng(7).normal(size=(40, 12)))
    weights = [
        dict(zip(e.features, e.weights, strict=True))
        for e in (
            method.explain(ranking, 0), method.explain(ranking, 3),
            method.explain(ranking, 0, above=3), method.explain(ranking, 3, above=0),
        )
    ]  # fmt: skip
    for name in ranking.names:
        one, other, both, turned = (w[name] for w in weights)
        assert both == one - other == -turned
    assert sum(weights[2].values()) == pytest.approx(ranking.scores[0] - ranking.scores[3])


def test_scores_that_are_too_large_to_subtract_are_refused():
    ranking = ranking_of(lambda rows: np.where(rows[:, 0] > 0, 1.7e308, -1.7e308))
    assert sum(ListwiseSHAP(background="zero").explain(ranking).weights) == pytest.approx(1.0)
    with pytest.raises(InputError, match="difference of two is no finite number"):
        ListwiseSHAP(background="zero").explain(ranking, 0, above=14)
    with pytest.raises(InputError, match="difference of two is no finite number"):
        ListwiseSHAP(background="zero").explain(ranking, 0)
    half = ranking_of(lambda rows: np.where(rows[:, 0] > 0, 0.8e308, -0.8e308))
    found = ListwiseSHAP(background="zero").explain(half, 0, above=14)
    assert sum(found.weights) == pytest.approx(1.6e308)


def test_long_orders_are_weighed_as_short_ones(monkeypatch):
    from intentx.explainers.features import order_values

    generator = np.random.default_rng(8)
    for number in (2, 5, 40):
        scores = np.sort(generator.integers(0, number, number))[::-1].astype(float)
        scores[0] += 1  # some differ
        others = generator.integers(0, max(2, number // 2), (4, number)).astype(float)
        others[0] = 1.0
        short = order_value("weighted-tau", scores, others)
        monkeypatch.setattr(order_values, "LONG", 1)
        np.testing.assert_allclose(order_value("weighted-tau", scores, others), short, atol=1e-12)
        monkeypatch.undo()


def test_the_error_of_an_estimate_is_about_what_it_says():
    rows = np.random.default_rng(9).normal(size=(12, 13))
    background = np.random.default_rng(10).normal(size=(30, 13))
    ranking = ranking_of(lambda some: product(some) + some[:, 8] * some[:, 9], rows,
                         [f"f{i}" for i in range(13)])  # fmt: skip
    exact = ListwiseSHAP(samples=2**13, background=background).explain(ranking)
    truth = dict(zip(exact.features, exact.weights, strict=True))
    assert exact.metrics["error"] == 0.0
    errors, said = [], []
    for seed in range(4):
        some = ListwiseSHAP(samples=200, draws=5, background=background, seed=seed).explain(ranking)
        missed = [w - truth[n] for n, w in zip(some.features, some.weights, strict=True)]
        errors.append(np.mean(np.square(missed)))
        said.append(some.metrics["error"] ** 2)
    assert 1 / 3 < np.sqrt(np.mean(errors) / np.mean(said)) < 3
    few = ListwiseSHAP(samples=4, background=background).explain(ranking)
    assert "These are few for 13" in " ".join(few.notes)
