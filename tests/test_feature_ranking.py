"""Models over features, and rankings by them: every kind of model, and what is refused."""

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.models import FeatureModel
from intentx.rankers import FeatureRanker, RankerSpec, TextFeatures

NAMES = ["BM25", "length", "PageRank"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = 2 * X[:, 0] - X[:, 2]
IDS = [f"d{i}" for i in range(40)]


def ranking(model, names=NAMES, rows=X):
    return ix.FeatureRanking.from_model(model, "tea", IDS[: len(rows)], rows, names)


def lightgbm_booster():
    import lightgbm

    data = lightgbm.Dataset(X, Y, feature_name=NAMES)
    return lightgbm.train({"verbosity": -1, "min_data_in_leaf": 2, "num_threads": 1}, data, 5)


def xgboost_booster():
    import xgboost

    return xgboost.train({"nthread": 1}, xgboost.DMatrix(X, Y, feature_names=NAMES), 5)


def onnx_file(path):
    import onnx
    from onnx import TensorProto, helper

    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1], [2.0, 0.0, -1.0])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([node], "g", [given], [out], [weights])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.save(made, str(path))
    return path


def test_documents_stand_in_the_order_of_the_model():
    found = ranking(lambda rows: 2 * rows[:, 0] - rows[:, 2])
    order = np.argsort(-Y, kind="stable")
    assert found.doc_ids == tuple(IDS[i] for i in order)
    np.testing.assert_array_equal(found.X, X[order])
    np.testing.assert_allclose(found.scores, Y[order])
    assert (found.model.rows_asked, len(ix.preference_pairs(found))) == (40, 40 * 39 // 2)
    assert found.subset([3, 1]).doc_ids == (found.doc_ids[1], found.doc_ids[3])
    assert not found.X.flags.writeable


def test_every_kind_of_model_gives_its_own_scores(tmp_path):
    import onnxruntime
    import torch
    import xgboost
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression

    booster, boosted = lightgbm_booster(), xgboost_booster()
    linear = torch.nn.Linear(3, 1)
    trees = HistGradientBoostingRegressor(max_iter=5).fit(X, Y)
    classes = LogisticRegression().fit(X, Y > 0)
    session = onnxruntime.InferenceSession(str(onnx_file(tmp_path / "m.onnx")))
    expected = {
        "lightgbm": (booster, booster.predict(X)),
        "xgboost": (boosted, boosted.predict(xgboost.DMatrix(X, feature_names=NAMES))),
        "scikit-learn": (trees, trees.predict(X)),
        "classes": (classes, classes.predict_proba(X)[:, 1]),
        "torch": (linear, linear(torch.tensor(X, dtype=torch.float32)).detach().numpy()[:, 0]),
        "onnx": (session, Y),
        "callable": (lambda rows: rows.sum(axis=1), X.sum(axis=1)),
    }
    for kind, (model, scores) in expected.items():
        found = FeatureModel(model, NAMES, batch_size=7)(X)
        np.testing.assert_allclose(found, scores, rtol=1e-5, atol=1e-5, err_msg=kind)
    assert linear.training


def test_models_from_files_are_what_was_saved(tmp_path):
    booster, boosted = lightgbm_booster(), xgboost_booster()
    booster.save_model(tmp_path / "m.txt")
    boosted.save_model(tmp_path / "m.json")
    onnx_file(tmp_path / "m.onnx")
    for spec, scores in (
        (f"lightgbm:{tmp_path}/m.txt", booster.predict(X)),
        (f"xgboost:{tmp_path}/m.json", FeatureModel(boosted, NAMES)(X)),
        (f"onnx:{tmp_path}/m.onnx", Y),
    ):
        model = RankerSpec.parse(spec).load_model()
        np.testing.assert_allclose(FeatureModel(model, NAMES)(X), scores, rtol=1e-5, atol=1e-5)
        with pytest.raises(InputError, match="scores features, not texts: it is for --letor"):
            RankerSpec.parse(spec).load([])


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost", "onnx"])
def test_broken_files_are_refused(kind, tmp_path):
    path = tmp_path / "model"
    with pytest.raises(InputError, match="cannot read"):
        RankerSpec.parse(f"{kind}:{path}").load_model()
    path.write_text("nothing of the kind")
    with pytest.raises(InputError, match=str(path)):
        RankerSpec.parse(f"{kind}:{path}").load_model()


def test_a_model_of_lightgbm_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "m.txt"
    lightgbm_booster().save_model(path)
    whole = path.read_text()
    assert RankerSpec.parse(f"lightgbm:{path}").load_model().num_trees() == 5
    for cut in (whole[: len(whole) // 2], whole.replace("Tree=3\n", "", 1)):
        path.write_text(cut)
        with pytest.raises(InputError, match="is cut off"):
            RankerSpec.parse(f"lightgbm:{path}").load_model()


def test_text_rankers_are_no_models_of_features():
    with pytest.raises(InputError, match=r"bm25 scores texts; a ranker over features is one of: ltr:"):
        RankerSpec.parse("bm25").load_model()


@pytest.mark.parametrize(
    ("model", "names", "message"),
    [
        (lightgbm_booster(), ["a", "b"], "fitted on 3 features, not on these 2"),
        (lightgbm_booster(), ["BM25", "PageRank", "length"], "other features, or in another order"),
        (xgboost_booster(), ["BM25", "PageRank", "length"], "was fitted on 3 features"),
        (lambda rows: rows[:, 0], ["a", "a"], "the feature 'a' is named twice"),
        (lambda rows: rows[:, 0], None, "does not know what its features are: name them"),
        ("model.onnx", NAMES, "'model.onnx' is no model: load its file first"),
        (7, NAMES, "int is no model"),
        (lambda rows: rows, NAMES, r"must give one score a row: for 40 rows it gave \(40, 3\)"),
        (lambda rows: rows[:, 0] * np.nan, NAMES, "gave the score nan"),
        (lambda rows: 1 / 0, NAMES, "failed on 40 rows of 3 features: ZeroDivisionError"),
    ],
)
def test_models_that_do_not_fit(model, names, message):
    with pytest.raises(InputError, match=message):
        ranking(model, names)


def test_missing_values_are_for_models_that_know_them():
    from sklearn.linear_model import LinearRegression

    rows = X.copy()
    rows[3, 1] = np.nan
    found = ranking(lightgbm_booster(), rows=rows)
    assert found.value(found.doc_ids.index("d3"), 1) == "missing"
    again = ix.FeatureRanking.from_dict("tea", found.to_dict())
    np.testing.assert_array_equal(again.X, found.X)
    with pytest.raises(InputError, match="NaN features are for models that know missing values"):
        ranking(LinearRegression().fit(X, Y), rows=rows)
    rows[3, 1] = np.inf
    with pytest.raises(InputError, match=r"feature 2 of document 4 is inf"):
        ranking(lightgbm_booster(), rows=rows)


def test_categories_are_those_of_the_model():
    import lightgbm
    import pandas

    frame = pandas.DataFrame({"source": pandas.Categorical(["web", "news"] * 20), "BM25": X[:, 0]})
    target = (frame["source"] == "news") * 3.0 + X[:, 0]
    booster = lightgbm.train(
        {"verbosity": -1, "min_data_in_leaf": 2, "min_data_per_group": 1, "cat_smooth": 0},
        lightgbm.Dataset(frame, target),
        5,
    )
    # The same values, categories in another order: those that the model was trained with count.
    other = frame.assign(source=pandas.Categorical(frame["source"], ["web", "other", "news"]))
    found = ix.FeatureRanking.from_model(booster, "tea", IDS, other)
    expected = dict(zip(IDS, booster.predict(frame), strict=True))
    assert dict(zip(found.doc_ids, found.scores, strict=True)) == pytest.approx(expected)
    place = found.doc_ids.index("d1")
    assert found.value(place, 0) == "news"


@pytest.mark.parametrize("kind", ["lightgbm", "sklearn", "xgboost"])
def test_models_fitted_on_frames_get_their_categories(kind):
    """They were refused, or, by scikit-learn, scored as if the categories were missing."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(rng.random((200, 2)), columns=["BM25", "links"])
    frame["source"] = pandas.Categorical(rng.choice(["web", "news", "wiki"], 200))
    target = frame["BM25"] + 3 * (frame["source"] == "news")
    if kind == "lightgbm":
        from lightgbm import LGBMRegressor

        model = LGBMRegressor(n_estimators=9, verbose=-1).fit(frame, target)
    elif kind == "sklearn":
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(max_iter=9, categorical_features="from_dtype")
        model.fit(frame, target)
    else:
        xgboost = pytest.importorskip("xgboost")
        model = xgboost.XGBRegressor(n_estimators=9, enable_categorical=True).fit(frame, target)
    some = frame[:20].assign(
        source=pandas.Categorical(frame["source"][:20], ["wiki", "web", "news"])
    )  # in another order
    ids = [f"d{i}" for i in range(20)]
    found = ix.FeatureRanking.from_model(model, "tea", ids, some)
    expected = dict(zip(ids, model.predict(frame[:20]).tolist(), strict=True))
    assert dict(zip(found.doc_ids, found.scores, strict=True)) == pytest.approx(expected, rel=1e-6)
    chosen = ix.ValidFeatures(k=2).explain(found)
    assert set(chosen.features) == {"source", "BM25"}


def test_a_ranking_of_texts_has_the_features_of_its_ranker():
    from sklearn.linear_model import LinearRegression

    texts = ["green tea", "a grand piano", "tea, tea and more tea", "two boats", "piano and tea"]
    features = TextFeatures(texts, names=["coverage", "length"])
    model = LinearRegression().fit(features("green tea", texts), [3, 0, 2, 0, 1])
    ranked = ix.rank(FeatureRanker(features, model), "green tea", texts)
    found = ix.FeatureRanking.of(ranked)
    assert (found.doc_ids, found.names) == (ranked.doc_ids, ("coverage", "length"))
    np.testing.assert_allclose(found.model(found.X), ranked.scores)
    assert found.texts == ranked.texts
    plain = ix.rank(lambda query, some: [len(t) for t in some], "green tea", texts)
    assert ix.FeatureRanking.of(plain, features).model is None
    with pytest.raises(InputError, match="does not score by features"):
        ix.FeatureRanking.of(plain)


def test_methods_say_what_they_take():
    with pytest.raises(InputError, match="Multiplex explains a Ranking, not a FeatureRanking"):
        ix.Multiplex().explain(ranking(lambda rows: rows[:, 0]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doc_ids": ("a", "a")}, "ids must be distinct|twice|more than once"),
        ({"names": ("x",)}, "a column for each of 1 names"),
        ({"scores": [1.0, np.nan]}, "has the score nan"),
        ({"X": [["a", 1], [2, 3]]}, "features must be numbers"),
        ({"texts": ("one",)}, "2 documents have 1 texts"),
        ({"categories": {"z": ("a",)}}, "'z', which is no feature"),
    ],
)
def test_rankings_that_make_no_sense(changes, message):
    given = {
        "query": "tea", "doc_ids": ("a", "b"), "X": [[0, 1], [5, 2]], "names": ("x", "y"),
        "scores": [1.0, 3.0],
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        ix.FeatureRanking(**{**given, **changes})
