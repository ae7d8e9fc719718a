"""`FeatureModel`: the only caller of a user's model over features."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.checks import shown
from intentx.errors import InputError

if TYPE_CHECKING:
    from lightgbm import Booster

__all__ = [
    "FeatureModel",
    "booster_of",
    "check_model",
    "raw_scores",
    "sklearn_trees",
    "used_features",
    "xgboost_of",
]

Floats = npt.NDArray[np.float64]

METHODS = ("predict_proba", "decision_function", "predict")
BATCH = 65_536  # rows of one call


class FeatureModel:
    """A model over features, asked for scores of rows in batches; it counts what it is asked.

    Parameters
    ----------
    model
        A fitted model of LightGBM, XGBoost or scikit-learn, or with their methods; a module of torch
        that takes (M, F); an ``onnxruntime.InferenceSession``; a callable of (M, F) numbers; an
        `intentx.rankers.FeatureRanker`. Scores are (M,) or (M, 1), higher is better. Of models with
        several methods ``predict_proba`` comes first (the probability of the second of two classes, or
        the expected one of more), then ``decision_function``, ``predict``.
    names
        A name for each of F features; None: those that the model was fitted on, if it knows them.
    batch_size
        Most rows of one call.
    dtypes
        pandas' types of features with categories, by name: X has their codes, and models that read
        frames get the categories. LightGBM knows its own.

    Attributes
    ----------
    rows_asked
        Rows that the model was asked for so far.
    seconds
        Time spent in it.

    Raises
    ------
    InputError
        If the model is nothing that can be asked, or was fitted on other features.

    Examples
    --------
    >>> model = FeatureModel(lambda X: X[:, 0] + 2 * X[:, 1], ["BM25", "PageRank"])
    >>> model([[1, 0], [0, 1]]).tolist(), model.rows_asked
    ([1.0, 2.0], 2)
    """

    model: Any
    names: tuple[str, ...]
    dtypes: dict[str, Any]

    def __init__(
        self,
        model: Any,
        names: Sequence[str] | None = None,
        *,
        batch_size: int = BATCH,
        dtypes: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(model, FeatureModel):
            dtypes = model.dtypes if dtypes is None else dtypes
            names, model = names if names is not None else model.names, model.model
        if hasattr(model, "score_features"):  # a ranker over features of texts, with its model
            names, model = names or model.names, model.model
        if names is None:
            names = _names_of(model)
        if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
            raise InputError(f"names must be a text for each feature, not {shown(names)}")
        self.model = model
        self.names = tuple(names)
        self.dtypes = dict(dtypes or {})
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise InputError(f"the feature {repeated[0]!r} is named twice; names must be distinct")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise InputError(f"batch_size must be a whole number, 1 or more, not {shown(batch_size)}")
        self.batch_size = batch_size
        self.rows_asked = 0
        self.seconds = 0.0
        self._check()

    def __repr__(self) -> str:
        return f"<FeatureModel {type(self.model).__name__} over {len(self.names)} features>"

    def __call__(self, X: Any) -> Floats:
        """Scores (M,) of rows (M, F); NaN stands for a missing value, which trees know.

        Raises
        ------
        InputError
            If X has another number of columns, or the model fails or gives anything but a finite
            number for each row.
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise InputError(
                f"features must have shape (M, {len(self.names)}), a column for each of "
                f"{len(self.names)} names, not {X.shape}"
            )
        parts = [
            self._asked(X[start : start + self.batch_size])
            for start in range(0, len(X), self.batch_size)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def _asked(self, X: Floats) -> Floats:
        start = time.perf_counter()
        name = type(self.model).__name__
        try:
            answer = np.asarray(_answer(self.model, X, self.names, self.dtypes))
            scores = answer.astype(np.float64).reshape(len(answer), -1)
        except InputError:
            raise
        except Exception as error:  # other people's code
            nan = "; NaN features are for models that know missing values" * bool(np.isnan(X).any())
            raise InputError(
                f"the model {name} failed on {len(X)} rows of {X.shape[1]} features: "
                f"{type(error).__name__}: {error}{nan}"
            ) from error
        finally:
            self.seconds += time.perf_counter() - start
        self.rows_asked += len(X)
        if scores.shape != (len(X), 1):
            raise InputError(
                f"the model {name} must give one score a row: for {len(X)} rows it gave {answer.shape}"
            )
        if not np.isfinite(scores).all():
            bad = int(np.argmin(np.isfinite(scores[:, 0])))
            raise InputError(f"the model {name} gave the score {scores[bad, 0]} for {shown(X[bad])}")
        return scores[:, 0]

    def _check(self) -> None:
        model = self.model
        if _is_xgboost(model):
            known, number = model.feature_names, model.num_features()
            if number != len(self.names) or (known is not None and tuple(known) != self.names):
                raise InputError(_other_features(model, known or range(1, number + 1), self.names))
        elif _is_onnx(model):
            width = model.get_inputs()[0].shape[-1]
            if isinstance(width, int) and width != len(self.names):
                raise InputError(_other_features(model, range(1, width + 1), self.names))
        elif not _is_torch(model) and any(hasattr(model, one) for one in METHODS):
            check_model(model, self.names)
        elif isinstance(model, str | PurePath):
            loaders = "lightgbm.Booster(model_file=…), onnxruntime.InferenceSession(…) or joblib.load(…)"
            raise InputError(f"{shown(str(model))} is no model: load its file first, such as {loaders}")
        elif not callable(model):
            raise InputError(
                f"{type(model).__name__} is no model: one of LightGBM, XGBoost, scikit-learn, torch or "
                f"ONNX is needed, a callable, or an object with {', '.join(METHODS)}"
            )


def _answer(model: Any, X: Floats, names: tuple[str, ...], dtypes: Mapping[str, Any]) -> Any:
    """What a model of any kind says of rows."""
    if _is_xgboost(model):
        import xgboost

        if dtypes:
            return model.predict(xgboost.DMatrix(_frame(X, names, dtypes), enable_categorical=True))
        known = None if model.feature_names is None else list(names)
        return model.predict(xgboost.DMatrix(X, feature_names=known, feature_types=model.feature_types))
    if _is_onnx(model):
        [first] = model.get_inputs()[:1]
        kind = np.float64 if "double" in first.type else np.float32
        return model.run(None, {first.name: X.astype(kind)})[0]
    if _is_torch(model):
        return _of_torch(model, X)
    if any(hasattr(model, one) for one in METHODS):
        return raw_scores(model, X, names, dtypes)
    return model(X)


def _of_torch(model: Any, X: Floats) -> Any:
    """Of a module of torch: without gradients, in its own type and place, and left as it was."""
    import torch

    first = next(iter([*model.parameters(), *model.buffers()]), torch.zeros(0))
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return model(torch.as_tensor(X, dtype=first.dtype, device=first.device)).cpu().numpy()
    finally:
        model.train(training)


def _loaded(module: str, kind: str, model: Any) -> bool:
    """Whether a model is of a class of a package, which is then loaded."""
    found = getattr(sys.modules.get(module), kind, None)
    return isinstance(found, type) and isinstance(model, found)


def _is_xgboost(model: Any) -> bool:
    return _loaded("xgboost", "Booster", model)


def _is_onnx(model: Any) -> bool:
    return _loaded("onnxruntime", "InferenceSession", model)


def _is_torch(model: Any) -> bool:
    return _loaded("torch.nn", "Module", model)


def _names_of(model: Any) -> list[str]:
    """The names of the features that a model was fitted on."""
    booster = booster_of(model)
    if booster is not None:
        return list(booster.feature_name())
    known = getattr(model, "feature_names_in_", None)
    if _is_xgboost(model):
        known = model.feature_names or [f"feature {i + 1}" for i in range(model.num_features())]
    if known is None:
        number = getattr(model, "n_features_in_", None)
        if number is None:
            raise InputError(f"{type(model).__name__} does not know what its features are: name them")
        known = [f"feature {i + 1}" for i in range(number)]
    return [str(name) for name in known]


def _other_features(model: Any, fitted: Any, names: tuple[str, ...]) -> str:
    return (
        f"{type(model).__name__} was fitted on {len(fitted)} features, {shown([*fitted])}, not on these "
        f"{len(names)}: {shown([*names])}"
    )


def check_model(model: Any, names: tuple[str, ...]) -> None:
    """Refuse a model that cannot score, or that was fitted on other features."""
    if not any(callable(getattr(model, method, None)) for method in METHODS):
        raise InputError(f"{type(model).__name__} has none of the methods {', '.join(METHODS)}")
    booster = booster_of(model)
    number = getattr(model, "n_features_in_", None) if booster is None else booster.num_feature()
    if number is not None and number != len(names):
        raise InputError(
            f"{type(model).__name__} was fitted on {number} features, not on these {len(names)}: "
            f"{', '.join(names)}"
        )
    fitted = [*getattr(model, "feature_names_in_", names)] if booster is None else booster.feature_name()
    # LightGBM writes an underscore for white space, and names of its own where it was given none.
    spelled = [name.replace(" ", "_") for name in names]
    if fitted not in ([*names], spelled, [f"Column_{i}" for i in range(len(names))]):
        raise InputError(
            f"{type(model).__name__} was fitted on other features, or in another order: "
            f"{', '.join(fitted)}; here they are {', '.join(names)}"
        )


def _frame(X: Floats, names: Sequence[str], dtypes: Mapping[str, Any]) -> Any:
    """Rows as a frame of pandas; codes of categories become these, and codes of none a missing value."""
    import pandas

    frame = pandas.DataFrame(X, columns=list(names))
    for name, dtype in dtypes.items():
        codes = np.nan_to_num(frame[name].to_numpy(), nan=-1).astype(np.intp)
        frame[name] = pandas.Categorical.from_codes(codes, dtype=dtype)
    return frame


def raw_scores(
    model: Any, X: Any, names: tuple[str, ...], dtypes: Mapping[str, Any] | None = None
) -> Any:
    """(N,) scores of rows of features: of classes that are grades, the expected grade."""
    booster = booster_of(model)
    if getattr(booster, "pandas_categorical", None):
        # It takes codes of categories in an array only: in a frame it wants the categories themselves.
        model = _OfArrays(model)
    elif getattr(model, "feature_names_in_", None) is not None:  # fitted on a DataFrame
        X = _frame(X, names, dtypes or {})
    if hasattr(model, "predict_proba"):
        chances = np.asarray(model.predict_proba(X))
        if chances.shape == (len(X), 2):
            return chances[:, 1]
        if np.asarray(model.classes_).dtype.kind not in "iufb":
            raise InputError(
                f"classes of {type(model).__name__} must be numbers, such as grades, for a score to "
                f"be the expected one; they are {', '.join(map(str, model.classes_))}"
            )
        return chances @ np.asarray(model.classes_, dtype=np.float64)
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    return model.predict(X)


class _OfArrays:
    """A model of LightGBM that was fitted on a frame, asked about arrays."""

    def __init__(self, model: Any) -> None:
        self._booster: Any = booster_of(model)
        if hasattr(model, "predict_proba"):
            self.classes_, self.predict_proba = model.classes_, self._chances

    def predict(self, X: Floats) -> Any:
        """What the booster says."""
        return self._booster.predict(X)

    def _chances(self, X: Floats) -> Any:
        found = np.asarray(self.predict(X))
        return found if found.ndim > 1 else np.column_stack([1 - found, found])


def booster_of(model: Any) -> Booster | None:
    """What of LightGBM is in a model; None for models of another kind."""
    lightgbm = sys.modules.get("lightgbm")  # whoever has a model of it has loaded it
    if lightgbm is None:
        return None
    if isinstance(model, lightgbm.LGBMModel):
        if not model.__sklearn_is_fitted__():
            raise InputError(f"{type(model).__name__} must be fitted first")
        model = model.booster_
    return model if isinstance(model, lightgbm.Booster) else None


def xgboost_of(model: Any) -> Any:
    """The booster of XGBoost that is in a model; None for models of another kind."""
    if _loaded("xgboost", "XGBModel", model):
        return model.get_booster() if model.__sklearn_is_fitted__() else None
    return model if _is_xgboost(model) else None


def sklearn_trees(model: Any) -> list[Any] | None:
    """The trees of a tree, a forest or boosted trees of scikit-learn; None for models of another kind.

    Boosted trees have none where they stand on top of another model, which may use any feature.
    """
    kinds = ("RandomForest", "ExtraTrees", "GradientBoosting")
    names = [kind + what for kind in kinds for what in ("Regressor", "Classifier")]
    if any(_loaded("sklearn.ensemble", name, model) for name in names):
        if getattr(model, "init", None) not in (None, "zero"):
            return None
        return [one.tree_ for one in np.ravel(model.estimators_)]
    return [model.tree_] if _loaded("sklearn.tree", "BaseDecisionTree", model) else None


def _split_by_sklearn(model: Any) -> npt.NDArray[np.intp] | None:
    """The columns that trees of scikit-learn look at; None for models of another kind."""
    trees = sklearn_trees(model)
    if trees is not None:
        return np.unique(np.concatenate([tree.feature for tree in trees]))  # -2 at a leaf
    names = ("HistGradientBoostingRegressor", "HistGradientBoostingClassifier")
    if not any(_loaded("sklearn.ensemble", name, model) for name in names):
        return None
    if getattr(model, "_preprocessor", 0) is not None:  # it puts columns in another order
        return None
    nodes = [tree.nodes for some in model._predictors for tree in some]
    return np.unique(np.concatenate([one["feature_idx"][one["is_leaf"] == 0] for one in nodes]))


def used_features(model: FeatureModel | None) -> npt.NDArray[np.bool_]:
    """(F,) whether a model can use a feature: False where its trees or coefficients say no.

    Examples
    --------
    >>> used_features(FeatureModel(lambda X: X[:, 0], ["a", "b"])).tolist()
    [True, True]
    """
    if model is None:
        return np.ones(0, dtype=bool)
    booster, number = booster_of(model.model), len(model.names)
    if booster is not None:
        return np.asarray(booster.feature_importance("split") > 0)
    xgboost = xgboost_of(model.model)
    if xgboost is not None:
        known = xgboost.feature_names or [f"f{i}" for i in range(number)]
        used = xgboost.get_score(importance_type="weight")
        return np.array([name in used for name in known])
    split = _split_by_sklearn(model.model)
    if split is not None:
        return np.isin(np.arange(number), split)
    weights = getattr(model.model, "coef_", None)
    if weights is not None and np.shape(weights)[-1:] == (number,):
        return np.asarray(np.any(np.reshape(weights, (-1, number)) != 0, axis=0))
    return np.ones(number, dtype=bool)
