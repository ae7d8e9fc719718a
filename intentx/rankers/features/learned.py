"""Whether a learned model over features is what it was."""

from __future__ import annotations

import math
import pickle
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from intentx.errors import InputError
from intentx.models import booster_of
from intentx.rankers.watch import Same, array_mark

if TYPE_CHECKING:
    from lightgbm import Booster

__all__ = ["mark_of_model", "quick_mark", "refuse_undefined_leaves", "trees_of"]


def refuse_undefined_leaves(text: str) -> None:
    """Refuse a model of LightGBM with a value that is NaN or infinite."""
    for line in text.splitlines():
        name, _, values = line.partition("=")
        if name in ("leaf_value", "leaf_const", "leaf_coeff", "shrinkage") and not all(
            math.isfinite(float(value)) for value in values.split()
        ):
            raise InputError(f"model.txt has a {name} that is NaN or infinite: fit the model again")


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
