"""A learned model over features: what it scores, and whether it is what it was."""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from intentx.errors import InputError
from intentx.rankers.watch import Same, array_mark

if TYPE_CHECKING:
    from lightgbm import Booster

__all__ = [
    "booster_of",
    "check_model",
    "mark_of_model",
    "quick_mark",
    "raw_scores",
    "refuse_undefined_leaves",
    "trees_of",
]

METHODS = ("predict_proba", "decision_function", "predict")


def refuse_undefined_leaves(text: str) -> None:
    """Refuse a model of LightGBM with a value that is NaN or infinite."""
    for line in text.splitlines():
        name, _, values = line.partition("=")
        if name in ("leaf_value", "leaf_const", "leaf_coeff", "shrinkage") and not all(
            math.isfinite(float(value)) for value in values.split()
        ):
            raise InputError(f"model.txt has a {name} that is NaN or infinite: fit the model again")


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
    fitted = list(
        getattr(model, "feature_names_in_", names) if booster is None else booster.feature_name()
    )
    # LightGBM writes an underscore for white space, and names of its own where it was given none.
    spelled = [name.replace(" ", "_") for name in names]
    if fitted not in ([*names], spelled, [f"Column_{i}" for i in range(len(names))]):
        raise InputError(
            f"{type(model).__name__} was fitted on other features, or in another order: "
            f"{', '.join(fitted)}; here they are {', '.join(names)}"
        )


def raw_scores(model: Any, X: Any, names: tuple[str, ...]) -> Any:
    """(N,) scores of rows of features: of classes that are grades, the expected grade."""
    if getattr(model, "feature_names_in_", None) is not None:  # fitted on a DataFrame
        import pandas

        X = pandas.DataFrame(X, columns=list(names))
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


def mark_of_model(model: Any) -> str:
    """What differs for models that score differently."""
    booster = booster_of(model)
    return _digest(model) if booster is None else trees_of(booster)


def quick_mark(model: Any) -> Hashable:
    """The same in less time, for models fitted again, further trees, and changed coefficients."""
    booster = booster_of(model)
    if booster is not None:
        return Same(booster), booster.num_trees()
    parts = sorted(getattr(model, "__dict__", {}).items())
    return tuple(
        (name, array_mark(part) if isinstance(part, np.ndarray) and part.dtype != object else Same(part))
        for name, part in parts
    )


def trees_of(booster: Booster) -> str:
    """The trees as LightGBM writes them, without what it was trained with."""
    return booster.model_to_string().partition("end of trees")[0]


def _digest(model: Any) -> str:
    try:
        import joblib

        # The hash tells apart equal strings that are one object or two; a copy made of bytes has
        # one form, whatever the model went through before. They are made here, not read.
        copied = pickle.loads(pickle.dumps(model))  # noqa: S301
        return str(joblib.hash(copied))
    except (pickle.PicklingError, TypeError, AttributeError, ImportError) as error:
        raise AttributeError(f"no fingerprint of {type(model).__name__}: {error}") from error
