"""Shapley values of a tree model's score in closed form: interventional TreeSHAP."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.tree_nodes import Node, nodes_of
from intentx.models import FeatureModel

__all__ = ["tree_shares"]

Floats = npt.NDArray[np.float64]
CLOSE = 1e-6  # of the largest score: the trees as they are read must add up to the model's own scores
Condition = tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def tree_shares(model: FeatureModel, row: Floats, background: Floats) -> Floats | None:
    """(F,) Shapley values of the score of a row, beside the mean over (B, F) background rows.

    For each background row, a leaf's value goes to the features that lead the document to it (by a
    plus) and to those that keep the other row from it (by a minus), as in Lundberg et al. (2020,
    interventional TreeSHAP): exact, and without asking the model for mixed rows. The values add up to
    the score less the mean score of the background rows.

    Returns
    -------
    None
        For models whose trees cannot be read (`intentx.explainers.features.tree_nodes`), and where what
        is read does not add up to the model's own scores.
    """
    roots = nodes_of(model)
    if roots is None:
        return None
    found = np.zeros(len(row))
    own, others = 0.0, np.zeros(len(background))
    for root in roots:
        for value, path in _leaves(root, row, background):
            mine, theirs = _reached(path, len(background))
            own += value * float(mine.all())
            others += value * theirs.all(axis=0)
            _share(found, value, path, mine, theirs)
    scores = model(np.concatenate([row[None], background]))
    missed = scores - np.append(own, others)  # the same for all where a model begins at a constant
    if np.ptp(missed) > CLOSE * float(np.abs(scores).max()):
        return None
    return found / len(background)


def _leaves(
    node: Node, row: Floats, background: Floats, path: dict[int, Condition] | None = None
) -> Iterator[tuple[float, list[Condition]]]:
    """Values of the leaves with, by feature, whether the row and the background rows go there."""
    path = path or {}
    if node.feature is None or node.left is None or node.right is None:
        yield node.value, [*path.values()]
        return
    feature = node.feature
    left = node.goes_left(np.concatenate([[row[feature]], background[:, feature]]))
    for child, goes in ((node.left, left), (node.right, ~left)):
        mine, theirs = goes[:1], goes[1:]
        if feature in path:
            _, before, others = path[feature]
            mine, theirs = mine & before, theirs & others
        if mine[0] or theirs.any():
            yield from _leaves(child, row, background, {**path, feature: (feature, mine, theirs)})


def _reached(path: list[Condition], rows: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if not path:
        return np.ones((0,), dtype=bool), np.ones((0, rows), dtype=bool)
    return np.concatenate([one[1] for one in path]), np.stack([one[2] for one in path])


def _share(
    found: Floats,
    value: float,
    path: list[Condition],
    mine: npt.NDArray[np.bool_],
    theirs: npt.NDArray[np.bool_],
) -> None:
    """Add a leaf's part to the features on its path."""
    if not path:
        return
    possible = (mine[:, None] | theirs).all(axis=0)  # else no mix of both rows reaches the leaf
    for_row = (mine[:, None] & ~theirs)[:, possible]
    against = (~mine[:, None] & theirs)[:, possible]
    need, keep = for_row.sum(axis=0), against.sum(axis=0)
    up = np.array([_weight(a - 1, b) for a, b in zip(need, keep, strict=True)])
    down = np.array([_weight(a, b - 1) for a, b in zip(need, keep, strict=True)])
    for place, (feature, _, _) in enumerate(path):
        found[feature] += value * float((for_row[place] * up).sum() - (against[place] * down).sum())


def _weight(first: int, second: int) -> float:
    if first < 0 or second < 0:
        return 0.0
    return math.factorial(first) * math.factorial(second) / math.factorial(first + second + 1)
