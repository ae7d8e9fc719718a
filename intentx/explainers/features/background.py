"""What stands for a feature that is left out: background values, and the model asked with them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from intentx.checks import shown
from intentx.errors import InputError
from intentx.feature_ranking import FeatureRanking, matrix_of
from intentx.models import FeatureModel

__all__ = ["Background", "MaskedModel", "background_rows", "check_background", "plain_background"]

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

Background = Literal["mean", "median", "zero"] | Any
"""The name of a value for each feature, taken over the documents of the ranking, or (B, F) rows."""

NAMES = ("mean", "median", "zero")
AT_ONCE = 262_144  # rows of features in memory at once


def check_background(background: Background) -> None:
    """Refuse what is neither the name of a background nor rows of numbers."""
    if isinstance(background, str) and background in NAMES:
        return
    try:
        rows = np.ndim(np.asarray(background, dtype=np.float64))
    except (TypeError, ValueError):
        rows = 0
    if isinstance(background, str) or rows not in (1, 2):
        raise InputError(
            f"background must be {', '.join(map(repr, NAMES))} or rows of features, (B, F) numbers, not "
            f"{shown(background)}"
        )


def background_rows(
    ranking: FeatureRanking, background: Background, *, most: int | None = None, seed: int = 0
) -> Floats:
    """(B, F) background values of features.

    Parameters
    ----------
    background
        ``"mean"``, ``"median"`` or ``"zero"`` for one row: that of each feature over the documents of
        the ranking, missing values aside; the most frequent value of a feature with categories. Or
        (B, F) or (F,) rows, such as documents of other queries, for an expectation over them.
    most
        Most rows: as many are drawn from ``background``, without putting back; None: all.

    Raises
    ------
    InputError
        If there is no such name, or the rows have another number of features.

    Examples
    --------
    >>> ranking = FeatureRanking("tea", ("a", "b"), [[0, 1], [5, 2]], ("BM25", "length"), [1.0, 3.0])
    >>> background_rows(ranking, "mean").tolist()
    [[2.5, 1.5]]
    """
    check_background(background)
    if isinstance(background, str):
        return _named(ranking, background)[None]
    rows = matrix_of(np.atleast_2d(np.asarray(background)))
    if rows.shape[1] != len(ranking.names) or not len(rows):
        raise InputError(
            f"background rows need {len(ranking.names)} features, as the documents have them; they have "
            f"shape {rows.shape}"
        )
    if most is None or len(rows) <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return rows[np.sort(chosen)]


def _named(ranking: FeatureRanking, name: str) -> Floats:
    """(F,) one value for each feature."""
    X = ranking.X
    found = np.zeros(X.shape[1])
    for column, feature in enumerate(ranking.names):
        known = X[~np.isnan(X[:, column]), column]
        if not len(known):
            found[column] = np.nan
        elif feature in ranking.categories:
            values, counts = np.unique(known, return_counts=True)
            found[column] = values[np.argmax(counts)]
        elif name != "zero":
            found[column] = np.mean(known) if name == "mean" else np.median(known)
    return found


def plain_background(background: Background) -> Any:
    """A background as a setting in JSON: its name, or how many rows were given.

    >>> plain_background("mean"), plain_background([[0.0, 1.0], [2.0, 3.0]])
    ('mean', '2 rows')
    """
    if isinstance(background, str):
        return background
    return f"{len(np.atleast_2d(np.asarray(background)))} rows"


class MaskedModel:
    """A model asked for documents of which only some features are kept.

    Parameters
    ----------
    model
        The model.
    X
        (N, F) features of the documents.
    background
        (B, F) rows; what is not kept has the values of each of them in turn.

    Examples
    --------
    >>> model = FeatureModel(lambda X: X.sum(axis=1), ["a", "b"])
    >>> masked = MaskedModel(model, [[1, 2]], [[0, 0], [9, 9]])
    >>> masked.scores([[True, False], [True, True]]).tolist()
    [[[1.0], [10.0]], [[3.0], [3.0]]]
    """

    def __init__(self, model: FeatureModel, X: Any, background: Any) -> None:
        self.model = model
        self.X = np.asarray(X, dtype=np.float64)
        self.background = np.atleast_2d(np.asarray(background, dtype=np.float64))
        if self.X.shape[1:] != self.background.shape[1:]:
            raise InputError(f"features of {shown(self.X.shape)} and {shown(self.background.shape)}")

    def scores(self, kept: Any) -> Floats:
        """(M, B, N) scores of N documents with the features kept as each of (M, F) masks says.

        Masks that are the same are asked once; with all features kept, once for all of B.
        """
        kept = np.asarray(kept, dtype=bool).reshape(-1, self.X.shape[1])
        different, where = np.unique(kept, axis=0, return_inverse=True)
        rows, documents = len(self.background), len(self.X)
        found = np.empty((len(different), rows, documents))
        whole = different.all(axis=1)
        if whole.any():
            found[whole] = self.model(self.X)
        left = np.flatnonzero(~whole)
        step = max(1, AT_ONCE // (rows * documents))
        for start in range(0, len(left), step):
            some = left[start : start + step]
            mixed = np.where(
                different[some][:, None, None, :],
                self.X[None, None, :, :],
                self.background[None, :, None, :],
            )
            answers = self.model(mixed.reshape(-1, self.X.shape[1]))
            found[some] = answers.reshape(len(some), rows, documents)
        return found[where.reshape(-1)]
