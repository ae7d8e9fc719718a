"""`FeatureRanking`: documents described by features, in the order of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.checks import shown
from intentx.errors import InputError
from intentx.models import FeatureModel
from intentx.ordered import Ordered, best_first
from intentx.ranking import Ranking

if TYPE_CHECKING:
    import pandas

__all__ = ["FeatureRanking"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureRanking(Ordered):
    """Documents that a model orders by their features, for one query.

    Build one with `from_model`, with `of` from a ranking of texts, or with
    `intentx.datasets.Letor.ranking`. This constructor sorts what it is given.

    Attributes
    ----------
    query
        The query, or its id where no more is known.
    doc_ids
        N document ids, best first; ties keep the order of the input.
    X
        (N, F) numbers, in the same order; read-only. NaN is a missing value. A category is the number
        of its place in ``categories``.
    names
        A name for each of F features.
    scores
        (N,) scores, not increasing; read-only.
    model
        What scores rows of features; None where scores were recorded, or come from a ranker of texts.
    texts
        N texts, where the documents have some; else ().
    categories
        By the name of a feature with categories: what each number stands for.

    Examples
    --------
    >>> ranking = FeatureRanking("tea", ("a", "b"), [[0, 1], [5, 2]], ("BM25", "length"), [1.0, 3.0])
    >>> ranking.doc_ids, ranking.X.tolist()
    (('b', 'a'), [[5.0, 2.0], [0.0, 1.0]])
    """

    query: str
    doc_ids: tuple[str, ...]
    X: Floats = field(repr=False)
    names: tuple[str, ...]
    scores: Floats
    model: FeatureModel | None = field(default=None, repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        X, names = matrix_of(self.X), tuple(self.names)
        if X.shape != (len(self.doc_ids), len(names)):
            raise InputError(
                f"X must have a row for each of {len(self.doc_ids)} documents and a column for each of "
                f"{len(names)} names; it has shape {X.shape}"
            )
        if len(set(names)) < len(names) or not all(isinstance(name, str) and name for name in names):
            raise InputError(f"names must be distinct texts, one for each feature, not {shown(names)}")
        if self.model is not None and self.model.names != names:
            raise InputError(
                f"the model's features are {shown(self.model.names)}, those of the documents "
                f"{shown(names)}"
            )
        if self.texts and len(self.texts) != len(self.doc_ids):
            raise InputError(f"{len(self.doc_ids)} documents have {len(self.texts)} texts")
        unknown = [name for name in self.categories if name not in names]
        if unknown:
            raise InputError(f"categories are given for {unknown[0]!r}, which is no feature")
        ids, scores, order = best_first(self.query, self.doc_ids, self.scores)
        X = X[order]
        X.flags.writeable = False
        object.__setattr__(self, "doc_ids", ids)
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "texts", tuple(self.texts[i] for i in order if self.texts))

    def __repr__(self) -> str:
        return (
            f"<FeatureRanking of {len(self)} documents by {len(self.names)} features for "
            f"{self.query!r}, {self.doc_ids[0]!r} first>"
        )

    @classmethod
    def from_model(
        cls,
        model: Any,
        query: str,
        doc_ids: Sequence[str],
        X: Any,
        names: Sequence[str] | None = None,
        *,
        texts: Sequence[str] = (),
    ) -> FeatureRanking:
        """Score documents by a model over their features, and sort them.

        Parameters
        ----------
        model
            As in `intentx.FeatureModel`, which may be given, too.
        X
            (N, F) numbers, or a frame of pandas, whose columns of categories become numbers.
        names
            A name for each feature; None: the columns of the frame, else those of the model.

        Raises
        ------
        InputError
            If the shapes do not fit, the model was fitted on other features, or it fails.

        Examples
        --------
        >>> model = lambda X: X[:, 0] - X[:, 1]
        >>> FeatureRanking.from_model(model, "tea", ["a", "b"], [[0, 1], [5, 2]], ["BM25", "length"])
        <FeatureRanking of 2 documents by 2 features for 'tea', 'b' first>
        """
        categories: Mapping[str, tuple[str, ...]] = {}
        if hasattr(X, "columns"):
            names = [str(name) for name in X.columns] if names is None else names
            X, categories, dtypes = _of_frame(X, model)
            asked = FeatureModel(model, names, dtypes=dtypes)
        else:
            known = isinstance(model, FeatureModel) and names is None
            asked = model if known else FeatureModel(model, names)
        X = matrix_of(X)
        return cls(query, tuple(doc_ids), X, asked.names, asked(X), asked, tuple(texts), categories)

    @classmethod
    def of(cls, ranking: Ranking, features: Any = None) -> FeatureRanking:
        """A ranking of texts with features of these texts.

        Parameters
        ----------
        ranking
            What `intentx.rank` returned, or a recorded one.
        features
            Callable ``(query, texts) -> (N, F)`` with ``names``, such as `intentx.rankers.TextFeatures`.
            None: those that the ranker itself scores by, if it is a `intentx.rankers.FeatureRanker`; its
            model can then be asked.

        Raises
        ------
        InputError
            If the ranker does not score by features, and none are given.
        """
        ranker = None if ranking.scorer is None else ranking.scorer.scorer
        model = None
        if features is None:
            if not hasattr(ranker, "score_features"):
                raise InputError(
                    "the ranker does not score by features that can be read: give features, such as "
                    "intentx.rankers.TextFeatures(texts)"
                )
            features, model = ranker.features, FeatureModel(ranker)  # type: ignore[union-attr]
        X = features(ranking.query, ranking.texts)
        return cls(
            ranking.query,
            ranking.doc_ids,
            X,
            tuple(features.names),
            ranking.scores,
            model,
            ranking.texts,
        )

    def columns(self, names: Iterable[str]) -> list[int]:
        """The places of features given by their names.

        Raises
        ------
        InputError
            If there is no such feature.
        """
        listed = [names] if isinstance(names, str) else list(names)
        for name in listed:
            if name not in self.names:
                raise InputError(f"no feature {shown(name)}; there are {shown(self.names)}")
        return [self.names.index(name) for name in listed]

    def subset(self, positions: Iterable[int]) -> FeatureRanking:
        """The documents at these positions, in the same order and with the same model."""
        kept = sorted(set(positions))
        return FeatureRanking(
            self.query,
            tuple(self.doc_ids[i] for i in kept),
            self.X[kept],
            self.names,
            self.scores[kept],
            self.model,
            tuple(self.texts[i] for i in kept if self.texts),
            self.categories,
        )

    def ask(self, purpose: str) -> FeatureModel:
        """The model, or an InputError that says why ``purpose`` cannot do without it."""
        if self.model is None:
            raise InputError(
                f"{purpose} must ask the model for new scores, and this ranking has none; build it with "
                "FeatureRanking.from_model(model, query, doc_ids, X, names=…)"
            )
        return self.model

    def value(self, row: int, column: int) -> str:
        """A feature of a document as people read it: a number, a category, or "missing"."""
        number, known = self.X[row, column], self.categories.get(self.names[column])
        if np.isnan(number):
            return "missing"
        return f"{number:.4g}" if known is None else known[int(number)]

    def to_dict(self) -> dict[str, Any]:
        """Ids, scores and features as plain data; NaN becomes None. The model is left out."""
        plain: dict[str, Any] = {
            "doc_ids": list(self.doc_ids),
            "scores": self.scores.tolist(),
            "names": list(self.names),
            "features": [[None if x != x else x for x in row] for row in self.X.tolist()],
        }
        if self.categories:
            plain["categories"] = {name: list(known) for name, known in self.categories.items()}
        return plain | ({"texts": list(self.texts)} if self.texts else {})

    @classmethod
    def from_dict(cls, query: str, plain: Mapping[str, Any]) -> FeatureRanking:
        """The inverse of `to_dict`, without a model."""
        return cls(
            query,
            tuple(plain["doc_ids"]),
            np.array(plain["features"], dtype=np.float64).reshape(len(plain["doc_ids"]), -1),
            tuple(plain["names"]),
            plain["scores"],
            texts=tuple(plain.get("texts", ())),
            categories={name: tuple(one) for name, one in plain.get("categories", {}).items()},
        )


def matrix_of(X: Any) -> Floats:
    """(N, F) numbers, a copy; NaN is allowed, infinity is not.

    Raises
    ------
    InputError
        If X is no matrix of numbers.
    """
    try:
        found = np.array(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"features must be numbers, a row for each document: {error}") from error
    if found.ndim != 2 or not found.shape[1]:
        raise InputError(f"features must have shape (N, F), a row for each document, not {found.shape}")
    if np.isinf(found).any():
        row, column = np.argwhere(np.isinf(found))[0]
        raise InputError(
            f"feature {column + 1} of document {row + 1} is {found[row, column]}; use a finite number, "
            "or NaN for a missing value"
        )
    return found


def _of_frame(
    frame: pandas.DataFrame, model: Any
) -> tuple[Floats, dict[str, tuple[str, ...]], dict[str, Any]]:
    """Numbers of a frame's columns, and what those of categories stand for: names, and pandas' types.

    LightGBM numbers categories as it met them in training; others as the frame has them.
    """
    from intentx.models import booster_of

    booster = booster_of(model.model if isinstance(model, FeatureModel) else model)
    trained = iter((booster.pandas_categorical or []) if booster is not None else [])
    columns, categories, dtypes = [], {}, {}
    for name in frame.columns:
        column = frame[name]
        if str(column.dtype) == "category":
            known = next(trained, None)
            column = column if known is None else column.cat.set_categories(known)
            categories[str(name)] = tuple(map(str, column.cat.categories))
            dtypes[str(name)] = column.dtype
            codes = column.cat.codes.to_numpy(dtype=np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            columns.append(matrix_of(column.to_frame())[:, 0])
    return np.column_stack(columns), categories, dtypes
