"""What a mimic is like, as data that can be drawn: nodes of a tree, and shapes of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.evaluation.base import restored

__all__ = ["Shape", "TreeNode", "shapes_of", "tree_nodes"]

Floats = npt.NDArray[np.float64]
STEPS = 11  # quantiles of a feature
ROWS = 200  # documents that a shape is the mean of


@dataclass(frozen=True)
class TreeNode:
    """A node of a mimic tree.

    Attributes
    ----------
    value
        Mean label of the fitted documents there: a leaf's answer.
    documents
        How many these are.
    feature, threshold
        What is asked: documents up to the threshold go to ``low``, others to ``high``; of a leaf "" and
        0.
    low, high
        Places of the next nodes; −1 at a leaf.
    missing
        Where a missing value goes: ``"low"`` or ``"high"``.
    """

    value: float
    documents: int
    feature: str = ""
    threshold: float = 0.0
    low: int = -1
    high: int = -1
    missing: str = "low"


@dataclass(frozen=True)
class Shape:
    """What a mimic does with one feature: its mean answer with each value in all documents."""

    feature: str
    values: tuple[float, ...]
    answers: tuple[float, ...]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Shape:
        """The inverse of ``dataclasses.asdict``; an InputError if it is damaged."""
        found: Shape = restored(cls, plain)
        return found


def tree_nodes(model: Any, names: Sequence[str]) -> tuple[TreeNode, ...]:
    """The nodes of one tree of scikit-learn, the root first; () of any other model."""
    tree = getattr(model, "tree_", None)
    if tree is None:
        return ()
    goes_left = getattr(tree, "missing_go_to_left", np.ones(tree.node_count))
    found = []
    for i in range(tree.node_count):
        value, documents = float(tree.value[i].ravel()[0]), int(tree.n_node_samples[i])
        if tree.children_left[i] < 0:
            found.append(TreeNode(value, documents))
            continue
        low, high = int(tree.children_left[i]), int(tree.children_right[i])
        way = "low" if goes_left[i] else "high"
        name = names[int(tree.feature[i])]
        found.append(TreeNode(value, documents, name, float(tree.threshold[i]), low, high, way))
    return tuple(found)


def shapes_of(model: Any, X: Floats, names: Sequence[str], columns: Sequence[int]) -> tuple[Shape, ...]:
    """The shape of each feature at ``columns``, at quantiles of its known values.

    Examples
    --------
    >>> class Model:
    ...     def predict(self, X):
    ...         return X[:, 0] ** 2
    >>> shapes_of(Model(), np.array([[-1.0], [0.0], [1.0]]), ["age"], [0])[0].answers[::5]
    (1.0, 0.0, 1.0)
    """
    rows, found = X[:: max(1, len(X) // ROWS)][:ROWS], []
    for column in columns:
        known = X[~np.isnan(X[:, column]), column]
        if not len(known):
            continue
        values = np.unique(np.quantile(known, np.linspace(0, 1, STEPS)))
        some = np.repeat(rows[None], len(values), axis=0)
        some[:, :, column] = values[:, None]
        answers = np.asarray(model.predict(some.reshape(-1, X.shape[1]))).reshape(len(values), -1)
        found.append(Shape(names[column], tuple(values.tolist()), tuple(answers.mean(axis=1).tolist())))
    return tuple(found)
