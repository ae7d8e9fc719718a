"""Valid features: against enumeration, against greedy, planted features, and bad input."""

import itertools

import numpy as np
import pytest
from scipy.stats import kendalltau

import intentx as ix
from intentx.errors import InputError
from intentx.explainers.features.background import MaskedModel, background_rows
from intentx.explainers.features.forest import forest_of
from intentx.explainers.features.greedy import greedy_features
from intentx.explainers.features.leaf_scores import LeafScores
from intentx.explainers.features.orders import taus
from intentx.explainers.features.sets import FeatureSets, _mixed

RNG = np.random.default_rng(0)


def ranking(model, documents=30, features=7, seed=0, X=None):
    X = np.random.default_rng(seed).normal(size=(documents, features)) if X is None else X
    names = [f"f{i}" for i in range(X.shape[1])]
    return ix.FeatureRanking.from_model(model, "tea", [f"d{i}" for i in range(len(X))], X, names)


def tangled(X):
    return np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2] * X[:, 3] + np.abs(X[:, 4]) - 0.3 * X[:, 5]


def trees(features=20, seed=0, categorical=(), missing=False, rows=400, number=30):
    import lightgbm

    drawn = np.random.default_rng(seed)
    X = drawn.normal(size=(rows, features))
    for column in categorical:
        X[:, column] = drawn.integers(0, 40, rows)
    if missing:
        X[drawn.random(X.shape) < 0.1] = np.nan
        X[drawn.random(X.shape) < 0.1] = 0
    y = tangled(np.nan_to_num(X)) + 0.1 * (X[:, 6] % 3 == 1)
    data = lightgbm.Dataset(
        X, y, feature_name=[f"f{i}" for i in range(features)], categorical_feature=list(categorical)
    )
    options = {"verbosity": -1, "min_data_in_leaf": 3, "num_threads": 1, "min_data_per_group": 5}
    return lightgbm.train(options, data, number), X


def tau_alone(found, model, kept, background):
    rows = np.where(np.isin(np.arange(found.X.shape[1]), kept), found.X, background)
    return kendalltau(found.scores, model(rows)).statistic


@pytest.mark.parametrize("background", ["mean", "zero", "median"])
def test_the_best_of_all_sets_is_found_and_proven(background):
    found = ranking(tangled)
    row = background_rows(found, background)[0]
    best = max(
        np.nan_to_num(tau_alone(found, tangled, kept, row))
        for size in (1, 2, 3)
        for kept in itertools.combinations(range(7), size)
    )
    answer = ix.ValidFeatures(k=3, background=background).explain(found)
    assert answer.validity == pytest.approx(best)
    assert (answer.status, answer.bound) == ("optimal", answer.validity)
    kept = found.columns(answer.features)
    assert answer.validity == pytest.approx(tau_alone(found, tangled, kept, row))
    others = [column for column in range(7) if column not in kept]
    assert answer.completeness == pytest.approx(-tau_alone(found, tangled, others, row))
    assert sum(answer.weights) == pytest.approx(answer.validity)
    assert taus(found.scores, [answer.alone])[0] == pytest.approx(answer.validity)


def test_validity_is_the_mean_over_background_rows():
    found, rows = ranking(tangled), RNG.normal(size=(4, 7))
    answer = ix.ValidFeatures(k=2, background=rows).explain(found)
    kept = found.columns(answer.features)
    each = [tau_alone(found, tangled, kept, row) for row in rows]
    assert answer.validity == pytest.approx(np.mean(each))


def slow_greedy(found, model, k, epsilon=None):
    """The greedy of the paper, pair by pair."""
    row, chosen, most = found.X.mean(axis=0), [], -np.inf
    pairs = list(itertools.combinations(range(len(found)), 2))
    while len(chosen) < k and pairs:
        sums = {}
        for column in set(range(found.X.shape[1])) - set(chosen):
            kept = np.isin(np.arange(found.X.shape[1]), [*chosen, column])
            s = model(np.where(kept, found.X, row))
            r = np.argsort(np.argsort(-s, kind="stable"))
            sums[column] = {(i, j): (s[i] - s[j]) * abs(r[i] - r[j]) for i, j in pairs}
        best = max(sums, key=lambda column: sum(sums[column].values()))
        total = sum(sums[best].values())
        if epsilon is None and total <= most:
            break
        most = total
        chosen.append(best)
        if epsilon is not None:
            pairs = [pair for pair in pairs if sums[best][pair] <= epsilon]
    return chosen


@pytest.mark.parametrize("epsilon", [None, 0.0, 0.7])
def test_greedy_is_the_papers(epsilon):
    found = ranking(tangled, documents=12)
    sets = FeatureSets(found, background_rows(found, "mean"))
    assert greedy_features(sets, 4, epsilon=epsilon) == slow_greedy(found, tangled, 4, epsilon)


@pytest.mark.parametrize("seed", range(4))
def test_local_search_is_never_below_greedy_or_greedy_cover(seed):
    found = ranking(lambda X: tangled(X) + X[:, 7:].prod(axis=1), features=22, seed=seed)
    ours = ix.ValidFeatures(k=4).explain(found)
    for method in ("greedy", "greedy-cover"):
        other = ix.ValidFeatures(k=4, method=method).explain(found)
        assert ours.validity >= other.validity
        assert ours.metrics[method.replace("-", "_")] == pytest.approx(other.validity)
    assert ours.status == "heuristic"
    assert ours.bound == 1.0  # no τ is larger; no more is proven


def test_no_exchange_of_one_feature_improves_what_local_search_found():
    found = ranking(tangled, features=9)
    answer = ix.ValidFeatures(k=3, method="local").explain(found)
    row, kept = found.X.mean(axis=0), set(found.columns(answer.features))
    for out, new in itertools.product(kept, set(range(9)) - kept):
        assert tau_alone(found, tangled, [*kept - {out} | {new}], row) <= answer.validity + 1e-12


@pytest.mark.parametrize(
    ("model", "planted"),
    [
        (lambda X: 3 * X[:, 2] + 2 * X[:, 5] - X[:, 11], {2, 5, 11}),
        (lambda X: np.where(X[:, 4] > 0, np.where(X[:, 9] > 0.5, 3, 2), X[:, 9] > -1), {4, 9}),
        (lambda X: (X[:, 1] + 2) * (X[:, 3] + 2) + X[:, 8] * X[:, 1], {1, 3, 8}),
    ],
    ids=["sum", "tree", "interaction"],
)
def test_planted_features_are_found(model, planted):
    found = ranking(model, documents=60, features=20)
    answer = ix.ValidFeatures(k=5).explain(found)
    assert {int(name[1:]) for name in answer.features} == planted
    assert (answer.validity, answer.status, answer.bound) == (1.0, "optimal", 1.0)


def test_weight_of_completeness_buys_completeness():
    booster, X = trees()
    found = ranking(booster, X=X[:25])
    plain = ix.ValidFeatures(k=3).explain(found)
    both = ix.ValidFeatures(k=3, completeness=0.5).explain(found)
    assert both.validity + both.completeness >= plain.validity + plain.completeness
    assert both.completeness > plain.completeness


@pytest.mark.parametrize(
    ("kind", "documents", "background"),
    [
        ("plain", 23, 1), ("plain", 64, 65), ("missing", 64, 65), ("categorical", 100, 3),
        ("both", 100, 3), ("both", 23, 1),
    ],
)  # fmt: skip
def test_leaves_give_the_models_own_scores(kind, documents, background):
    categorical = (6, 8) if kind in ("categorical", "both") else ()
    booster, X = trees(categorical=categorical, missing=kind in ("missing", "both"))
    model = ix.FeatureModel(booster)
    X, rows = X[:documents], X[100 : 100 + background]
    leaves, masked = LeafScores(forest_of(model), X, rows), MaskedModel(model, X, rows)
    kept = RNG.random((15, 20)) < 0.4
    got = [leaves.scores(np.flatnonzero(one).tolist()) for one in kept]
    np.testing.assert_allclose(got, masked.scores(kept), atol=1e-12)
    some = np.arange(background)[::-2]
    np.testing.assert_allclose(leaves.scores([2, 4], some), leaves.scores([2, 4])[some])
    for base in ([], [3], [0, 1, 8]):
        others = [column for column in range(20) if column not in base]
        wanted = np.zeros((len(others), 20), dtype=bool)
        wanted[:, base] = True
        wanted[range(len(others)), others] = True
        got = leaves.added(base, others)
        np.testing.assert_allclose(got, masked.scores(wanted), atol=1e-12)


def test_trees_read_and_asked_give_the_same_answer_at_other_costs():
    booster, X = trees()
    found = ranking(booster, X=X[:40])
    read = ix.ValidFeatures(k=4).explain(found)
    asked = ix.ValidFeatures(k=4, trees=False).explain(found)
    assert read.features == asked.features
    assert read.validity == pytest.approx(asked.validity)
    assert read.model_calls == 80
    assert asked.model_calls > 1000


def test_models_that_do_not_add_leaves_are_asked():
    import lightgbm

    booster, X = trees()
    label = (booster.predict(X) > 0).astype(int)
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(X, label)
    answer = ix.ValidFeatures(k=2).explain(ranking(model, X=X[:20]))
    assert not any("read from the trees" in note for note in answer.notes)
    assert answer.model_calls > 80


def test_equal_rows_are_asked_once_and_the_count_is_right():
    asked = []

    def model(X):
        asked.append(X)
        return X[:, 0] + X[:, 1]

    X = RNG.integers(0, 2, size=(40, 4)).astype(float)
    X[:, 3] = 1
    found = ranking(model, X=X)
    asked.clear()
    answer = ix.ValidFeatures(k=2).explain(found)
    assert answer.model_calls == sum(map(len, asked))
    searched = np.concatenate(asked[:-1])
    assert len(np.unique(searched, axis=0)) == len(searched) <= 3**3
    assert any("1 features make no difference" in note for note in answer.notes)


def test_a_budget_is_kept_and_said():
    found = ranking(tangled, features=18)
    whole = ix.ValidFeatures(k=4).explain(found)
    answer = ix.ValidFeatures(k=4, budget=2000).explain(found)
    assert answer.model_calls <= 2000 < whole.model_calls
    assert answer.status == "feasible"
    assert answer.features
    with pytest.raises(InputError, match="need 60"):
        ix.ValidFeatures(budget=59).explain(found)


def test_k_may_be_larger_than_the_number_of_features():
    answer = ix.ValidFeatures(k=50).explain(ranking(tangled, features=6))
    assert (answer.validity, answer.status) == (1.0, "optimal")


def test_constant_and_missing_features():
    X = RNG.normal(size=(20, 5))
    X[:, 0] = 7
    X[::3, 1] = np.nan
    X[:, 4] = np.nan
    found = ranking(lambda X: np.nan_to_num(X[:, 1], nan=-1) + X[:, 0] + np.nan_to_num(X[:, 4]), X=X)
    answer = ix.ValidFeatures(k=3).explain(found)
    assert (answer.features, answer.validity) == (("f1",), 1.0)


def test_categories():
    import pandas

    booster, X = trees(categorical=(6,))
    frame = pandas.DataFrame(X[:30], columns=[f"f{i}" for i in range(20)])
    found = ix.FeatureRanking.from_model(booster, "tea", [f"d{i}" for i in range(30)], frame)
    answer = ix.ValidFeatures(k=3).explain(found)
    assert answer.validity > answer.metrics["random"]


def test_a_ranking_without_an_order_is_refused():
    for found in (ranking(tangled, documents=1), ranking(lambda X: np.ones(len(X)))):
        with pytest.raises(InputError, match="no order to explain"):
            ix.ValidFeatures().explain(found)
    no_model = ix.FeatureRanking("tea", ("a", "b"), [[0], [1]], ("x",), [1, 0])
    with pytest.raises(InputError, match="must ask the model"):
        ix.ValidFeatures().explain(no_model)
    with pytest.raises(InputError, match="7 features"):
        ix.ValidFeatures(background=[[0, 1]]).explain(ranking(tangled))
    with pytest.raises(InputError, match="k must be a whole number, 1 or more"):
        ix.ValidFeatures(k=0)


def test_ten_thousand_documents():
    found = ranking(lambda X: 2 * X[:, 0] + X[:, 1] - X[:, 2], documents=10_001, features=16)
    answer = ix.ValidFeatures(k=3, starts=0).explain(found)
    assert set(answer.features) == {"f0", "f1", "f2"}
    assert answer.validity == pytest.approx(1.0)
    assert any("300 of 10001 documents" in note for note in answer.notes)
    assert sum(answer.weights) == pytest.approx(1.0)


def test_taus_of_many_documents_are_those_of_pairs(monkeypatch):
    from intentx.explainers.features import orders

    scores, others = RNG.integers(0, 9, 60), RNG.integers(0, 5, (4, 60))
    pairs = taus(scores, others)
    monkeypatch.setattr(orders, "LONG", 10)
    np.testing.assert_allclose(taus(scores, others), pairs)
    assert taus(scores, [np.ones(60)])[0] == 0


def test_json_both_ways(tmp_path):
    answer = ix.ValidFeatures(k=2).explain(ranking(tangled))
    again = ix.load(answer.save(tmp_path / "valid.json"))
    assert again.to_json() == answer.to_json()
    assert (again.validity, again.bound) == (answer.validity, answer.bound)
    same = ix.ValidFeatures(k=2).explain(ranking(tangled)).to_dict()
    assert {**same, "seconds": {}} == {**answer.to_dict(), "seconds": {}}
    assert "greedy_cover" in str(answer)
    assert "<table>" in answer._repr_html_()


@pytest.mark.parametrize("by", ["shap", "permutation", "gain", "rank-lime"])
def test_baselines_find_what_a_simple_model_uses(by):
    import lightgbm

    X = RNG.normal(size=(300, 8))
    data = lightgbm.Dataset(X, 3 * X[:, 2] + 2 * X[:, 6], feature_name=[f"f{i}" for i in range(8)])
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1}, data, 30)
    answer = ix.FeatureBaseline(by=by, k=2).explain(ranking(booster, X=X[:30]))
    assert set(answer.features) == {"f2", "f6"}
    assert answer.validity > 0.7
    assert type(answer).from_json(answer.to_json()).to_json() == answer.to_json()


def test_baselines_at_random_and_what_they_refuse():
    found = ranking(tangled)
    answers = [ix.FeatureBaseline(by="random", seed=seed).explain(found).features for seed in (0, 0, 1)]
    assert answers[0] == answers[1] != answers[2]
    with pytest.raises(InputError, match="does not tell the gain"):
        ix.FeatureBaseline(by="gain").explain(found)
    with pytest.raises(InputError, match="by must be one of"):
        ix.FeatureBaseline(by="best")


def test_linear_trees_have_no_shap_values():
    import lightgbm

    rows = np.random.default_rng(5).normal(size=(200, 4))
    data = lightgbm.Dataset(rows, rows[:, 0] + rows[:, 1] ** 2)
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1, "linear_tree": True}, data, 3)
    found = ix.FeatureRanking.from_model(booster, "q", [f"d{i}" for i in range(20)], rows[:20])
    with pytest.raises(InputError, match=r"linear trees.*use 'permutation'"):
        ix.FeatureBaseline(by="shap").explain(found)
    assert ix.FeatureBaseline(by="gain", k=1).explain(found).features


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.98, 1.0])
def test_rows_put_together_are_those_of_the_sets(share):
    drawn = np.random.default_rng(0)
    kept, X = drawn.random((7, 200)) < share, drawn.normal(size=(9, 200))
    X[drawn.random(X.shape) < 0.1] = np.nan
    background = drawn.normal(size=(4, 200))
    mask, document, row = (drawn.integers(0, size, 50) for size in (7, 9, 4))
    expected = np.where(kept[mask], X[document], background[row])
    np.testing.assert_array_equal(_mixed(kept, mask, X, document, background, row), expected)


@pytest.mark.parametrize("ties", [1, 3, 1000])
def test_taus_are_those_of_scipy(ties):
    drawn = np.random.default_rng(ties)
    scores = drawn.integers(0, 3 * ties, 300)
    others = drawn.normal(size=(7, 300)).round(2) if ties > 3 else drawn.integers(0, ties + 1, (7, 300))
    wanted = [kendalltau(scores, one).statistic for one in others]
    np.testing.assert_allclose(taus(scores, others), wanted, atol=1e-12)
    small = slice(0, 40)  # in numbers of one byte
    wanted = [kendalltau(scores[small], one[small]).statistic for one in others]
    np.testing.assert_allclose(taus(scores[small], others[:, small]), wanted, atol=1e-12)
    assert taus(scores, scores + 1e-14 * drawn.normal(size=300))[0] == pytest.approx(1)
