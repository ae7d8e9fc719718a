"""Feature-based rankers: models of many kinds behind one scorer, masking, folders."""

import copy
import gzip
import hashlib
import json
import sys

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import FeatureRanker, TextFeatures, load_ranker, train_lambdamart
from tests.rankers.planted import COLLECTION, FEATURES, WORDS, planted_ranker
from tests.toys import random_documents

pytest.importorskip("lightgbm")
pytest.importorskip("sklearn")

NAMES = ("bm25", "coverage", "first_match", "length")


@pytest.fixture(scope="module")
def table():
    """Four features of 41 texts, and grades from 0 to 2 that follow the first two."""
    X = TextFeatures(COLLECTION, names=NAMES)("tea boat", random_documents(7, 41, WORDS))
    return X, np.digitize(X[:, 0] + X[:, 1], np.quantile(X[:, 0] + X[:, 1], [0.4, 0.8]))


def ranker_of(model, **settings):
    return FeatureRanker(TextFeatures(COLLECTION, names=NAMES), model, **settings)


def test_a_folder_gives_the_same_scores(tmp_path):
    trained = planted_ranker()
    folder = trained.save(tmp_path / "deep" / "ltr")
    texts = random_documents(92, 37, WORDS)
    for loaded in (FeatureRanker.load(folder), load_ranker(f"ltr:{folder}", [])):
        np.testing.assert_array_equal(loaded("green tea", texts), trained("green tea", texts))
        np.testing.assert_array_equal(loaded.background, trained.background)
        assert loaded.names == trained.names
        assert loaded.fingerprint == trained.fingerprint
    again = FeatureRanker.load(folder).save(tmp_path / "again")
    for file in folder.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == [
        "ltr.json",
        "model.txt",
        "statistics.json.gz",
    ]


def test_a_folder_keeps_analyzer_and_chosen_features(tmp_path, table):
    from lightgbm import LGBMRanker

    X, grades = table
    model = LGBMRanker(n_estimators=7, min_child_samples=2, verbosity=-1).fit(X, grades, group=[20, 21])
    analyzer = ix.Analyzer(stem=None, stopwords=frozenset({"boat"}))
    features = TextFeatures(COLLECTION, analyzer=analyzer, names=NAMES)
    ranker = FeatureRanker(features, model)
    loaded = FeatureRanker.load(ranker.save(tmp_path))
    texts = random_documents(93, 23, WORDS)
    np.testing.assert_array_equal(loaded("tea boats", texts), ranker("tea boats", texts))
    assert loaded.features.analyzer == analyzer
    assert loaded.background is None
    assert loaded.fingerprint == ranker.fingerprint


def models(X, grades):
    """Fitted models by name, with the scores each is to give for X."""
    import lightgbm
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC
    from sklearn.tree import DecisionTreeRegressor

    two = grades > 0
    small = {"n_estimators": 5, "min_child_samples": 2, "verbosity": -1}
    for model, target, scores in [
        (LinearRegression(), grades, lambda m: m.predict(X)),
        (DecisionTreeRegressor(max_depth=3, random_state=0), grades, lambda m: m.predict(X)),
        (GradientBoostingRegressor(n_estimators=5), grades, lambda m: m.predict(X)),
        (LinearSVC(dual="auto", random_state=0), two, lambda m: m.decision_function(X)),
        (make_pipeline(StandardScaler(), LogisticRegression()), two, lambda m: m.predict_proba(X)[:, 1]),
        (
            RandomForestClassifier(n_estimators=9, random_state=0),
            np.where(grades == 2, 4, grades),
            lambda m: m.predict_proba(X)[:, 1] + 4 * m.predict_proba(X)[:, 2],
        ),
        (
            LogisticRegression(max_iter=500),
            np.where(two, "relevant", "other"),
            lambda m: m.predict_proba(X)[:, 1],
        ),
        (lightgbm.LGBMRegressor(**small), grades, lambda m: m.predict(X)),
        (lightgbm.LGBMClassifier(**small), two, lambda m: m.booster_.predict(X)),
        (lightgbm.LGBMClassifier(**small), grades, lambda m: m.predict_proba(X) @ [0, 1, 2]),
    ]:
        yield model.fit(X, target), scores(model)


def test_models_of_many_kinds(table):
    X, grades = table
    prints = []
    for model, expected in models(X, grades):
        ranker = ranker_of(model)
        np.testing.assert_allclose(ranker.score_features(X), expected, rtol=1e-12)
        assert np.ptp(expected) > 0
        texts = random_documents(7, 41, WORDS)
        np.testing.assert_allclose(ranker("tea boat", texts), expected, rtol=1e-12)
        assert ranker("tea boat", []).shape == (0,)
        assert copy.deepcopy(ranker)("tea boat", texts).tolist() == ranker("tea boat", texts).tolist()
        prints.append(ranker.fingerprint)
        assert ranker_of(copy.deepcopy(model)).fingerprint == prints[-1]
    assert len(set(prints)) == len(prints)
    ranker = ranker_of(Fixed(lambda X: X[:, 0]))
    assert not hasattr(ranker, "fingerprint"), "a lambda has none"


def test_models_fitted_on_named_columns(table):
    pandas = pytest.importorskip("pandas")
    from lightgbm import LGBMRegressor
    from sklearn.linear_model import LinearRegression

    X, grades = table
    for model in (LinearRegression(), LGBMRegressor(n_estimators=3, verbosity=-1)):
        named = copy.deepcopy(model).fit(pandas.DataFrame(X, columns=list(NAMES)), grades)
        scores = ranker_of(named).score_features(X)
        np.testing.assert_allclose(scores, named.predict(pandas.DataFrame(X, columns=list(NAMES))))
        turned = model.fit(pandas.DataFrame(X, columns=list(NAMES[::-1])), grades)
        with pytest.raises(ix.InputError, match="on other features, or in another order: length, first"):
            ranker_of(turned)


def test_any_features_with_names_will_do(table):
    from sklearn.linear_model import LinearRegression

    class Letters:
        names = ("a", "b")

        def __call__(self, query, texts):
            return [[text.count(letter) for letter in "ab"] for text in texts]

    model = LinearRegression().fit([[0, 0], [1, 0], [0, 1]], [0, 1, 5])
    ranker = FeatureRanker(Letters(), model)
    np.testing.assert_allclose(ranker("any", ["abba", "b", ""]), [12, 5, 0], atol=1e-12)
    assert not hasattr(ranker, "fingerprint")
    assert repr(ranker) == "<FeatureRanker LinearRegression over 2 features>"
    with pytest.raises(ix.InputError, match="only LightGBM models over TextFeatures are saved"):
        ranker.save("never")


class Fixed:
    """A model whose answer is known."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, X):
        return self.answer(X) if callable(self.answer) else self.answer


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 5)), r"shape \(N, 4\), one column for each of bm25, coverage.*\(3, 5\)"),
        (np.zeros(4), r"this one has \(4,\)"),
        ([[0, 1, np.nan, 3]], "feature 'first_match' of text 1 is nan"),
        ([[0, 1, 2, 3], [0, -np.inf, 2, 3]], "feature 'coverage' of text 2 is -inf"),
    ],
)
def test_broken_feature_matrices(X, message):
    with pytest.raises(ix.InputError, match=message):
        ranker_of(Fixed(lambda X: X[:, 0])).score_features(X)


def test_masking_needs_a_background_and_known_names():
    X = np.arange(8.0).reshape(2, 4)
    ranker = ranker_of(Fixed(lambda X: X.sum(axis=1)), background=[10, 20, 30, 40])
    assert ranker.score_features(X, masked=["length", "bm25"]).tolist() == [53, 61]
    assert ranker.score_features(X).tolist() == [6, 22]
    assert ranker.score_features(np.empty((0, 4))).shape == (0,)
    with pytest.raises(ix.InputError, match="no feature 'size'; there are: bm25, coverage"):
        ranker.score_features(X, masked=["size"])
    with pytest.raises(ix.InputError, match="masking needs background values"):
        ranker_of(Fixed(0)).score_features(X, masked=["bm25"])
    for background in ([1, 2, 3], [1, 2, 3, np.nan]):
        with pytest.raises(ix.InputError, match="background must have one finite value for each of 4"):
            ranker_of(Fixed(0), background=background)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda X: X[:, :2], r"one finite score per text; for 3 texts it gave shape \(3, 2\)"),
        (lambda X: np.where(X[:, 0] > 0, np.nan, 1.0), "values that are not finite"),
        (1.0, r"gave shape \(\)"),
        (lambda X: ["good"] * len(X), "Fixed must give numbers"),
    ],
)
def test_models_that_give_no_scores(answer, message):
    ranker = ranker_of(Fixed(answer))
    with pytest.raises(ix.InputError, match=message):
        ranker("tea", ["tea", "tea and a boat", "green"])
    with pytest.raises(ix.ScorerError, match="query: 'tea'"):
        ix.rank(ranker, "tea", ["tea", "tea and a boat", "green"])


def test_models_and_features_that_cannot_be_used(table):
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.svm import LinearSVC

    X, grades = table
    with pytest.raises(ix.InputError, match="object has none of the methods predict_proba, decision_f"):
        ranker_of(object())
    with pytest.raises(ix.InputError, match="fitted on 3 features, not on these 4: bm25"):
        ranker_of(LinearRegression().fit(X[:, :3], grades))
    from lightgbm import LGBMRanker
    from sklearn.exceptions import NotFittedError

    with pytest.raises(ix.InputError, match="LGBMRanker must be fitted first"):
        ranker_of(LGBMRanker())
    with pytest.raises(NotFittedError):
        ranker_of(LinearRegression())("tea", ["tea"])
    with pytest.raises(ix.InputError, match=r"features must be a callable.*TextFeatures, not function"):
        FeatureRanker(lambda query, texts: X, Fixed(0))
    named = LogisticRegression(max_iter=500).fit(X, np.array(["bad", "fair", "good"])[grades])
    with pytest.raises(ix.InputError, match=r"must be numbers, such as grades.*bad, fair, good"):
        ranker_of(named).score_features(X)
    with pytest.raises(ix.InputError, match=r"LinearSVC must give one finite score.*\(41, 3\)"):
        ranker_of(LinearSVC(dual="auto").fit(X, grades)).score_features(X)

    class Short(TextFeatures):
        def __call__(self, query, texts):
            return super().__call__(query, texts)[:-1]

    with pytest.raises(ix.InputError, match=r"features must return shape \(2, 29\).*not \(1, 29\)"):
        FeatureRanker(Short(COLLECTION), Fixed(0))("tea", ["a", "b"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda f: (f / "ltr.json").unlink(),
            "no ranker in folder.*cannot read .*ltr.json: No such file",
        ),
        (lambda f: (f / "model.txt").unlink(), r"cannot read .*model\.txt: No such file"),
        (lambda f: (f / "ltr.json").write_text("{"), r"ltr\.json: broken JSON"),
        (lambda f: (f / "ltr.json").write_text("[" * 100_000), r"ltr\.json: broken JSON: .* nested"),
        (lambda f: (f / "ltr.json").write_bytes(b"\xff\xfe"), r"ltr\.json is UTF-16"),
        (lambda f: (f / "ltr.json").write_text("[]"), r"a JSON object expected, not \[\]"),
        (lambda f: change(f, format=2), r"must be a JSON object with format 1"),
        (lambda f: cut(f / "model.txt"), r"model\.txt is not the file that was saved"),
        (
            lambda f: cut(f / "statistics.json.gz"),
            r"statistics\.json\.gz is not the file that was saved",
        ),
        (lambda f: change(f, sha256=None), "not the file that was saved"),
        (lambda f: change(f, names=["bm25", "invented"]), "no feature 'invented'"),
        (lambda f: change(f, names=["bm25"]), "fitted on 29 features, not on these 1"),
        (lambda f: change(f, background=[1]), "background must have one finite value for each of 29"),
        (lambda f: change(f, analyzer={"stem": "klingon", "stopwords": None, "ngrams": 1}), "klingon"),
        (lambda f: change(f, analyzer=None), "holds no ranker that can be read"),
        (lambda f: statistics(f, b"no gzip"), "holds no ranker that can be read"),
        (lambda f: statistics(f, gzip.compress(b'{"texts": 1}')), "holds no ranker that can be read"),
        (lambda f: statistics(f, gzip.compress(b'{"a"')), "holds no ranker that can be read"),
    ],
)
def test_broken_folders(tmp_path, damage, message):
    trained = planted_ranker()
    folder = trained.save(tmp_path)
    FeatureRanker.load(folder)
    damage(folder)
    with pytest.raises(ix.InputError, match=message):
        FeatureRanker.load(folder)


def change(folder, **settings):
    plain = json.loads((folder / "ltr.json").read_text())
    (folder / "ltr.json").write_text(json.dumps({**plain, **settings}))


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def statistics(folder, data):
    """Other statistics, whose digest is right."""

    (folder / "statistics.json.gz").write_bytes(data)
    digests = json.loads((folder / "ltr.json").read_text())["sha256"]
    change(folder, sha256={**digests, "statistics.json.gz": hashlib.sha256(data).hexdigest()})


def test_no_folder_and_a_spec_without_one(tmp_path):
    with pytest.raises(ix.InputError, match="no ranker in folder"):
        FeatureRanker.load(tmp_path / "nowhere")
    for spec in ("ltr", "ltr:"):
        with pytest.raises(ix.InputError, match="ltr:PATH"):
            load_ranker(spec, [])


def test_missing_packages_name_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[ltr\]"):
        train_lambdamart([], FEATURES)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[ltr\]"):
        FeatureRanker.load(tmp_path)
    assert ranker_of(Fixed(lambda X: X[:, 0]))("tea", ["tea"]).shape == (1,)
