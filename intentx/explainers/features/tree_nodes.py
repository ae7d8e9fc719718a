"""Trees of LightGBM, XGBoost and scikit-learn as nested nodes: what `tree_shares` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.models import FeatureModel, booster_of, sklearn_trees, xgboost_of

__all__ = ["Node", "nodes_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ZERO = 1e-35  # LightGBM takes what is nearer to zero for zero


@dataclass(frozen=True, eq=False)
class Node:
    """A leaf with its value, or a split.

    Attributes
    ----------
    value
        Of a leaf: what it adds to the score.
    feature
        The column that is looked at; None for a leaf.
    threshold
        Values up to it go left; with ``strict`` only those below. Of a split by categories None.
    categories
        The numbers of those that go left.
    left, right
        Where values go.
    missing
        Which values are missing ones: ``"nan"``; ``"zero"``, and NaN, too; ``""`` where NaN counts as 0.
    missing_left
        Whether they go left.
    single
        Whether values are rounded to 32 bits first.
    """

    value: float = 0.0
    feature: int | None = None
    threshold: float | None = None
    categories: frozenset[int] = frozenset()
    left: Node | None = None
    right: Node | None = None
    missing: str = "nan"
    missing_left: bool = False
    strict: bool = False
    single: bool = False

    def goes_left(self, values: Floats) -> Bools:
        """(M,) whether each value of the feature goes left."""
        missing = np.isnan(values)
        known = np.where(missing, 0.0, values)
        if self.threshold is None:
            return np.asarray(~missing & np.isin(np.trunc(known), [*self.categories]))
        if self.single:
            known = known.astype(np.float32).astype(np.float64)
        left = known < self.threshold if self.strict else known <= self.threshold
        if self.missing == "nan":
            left = np.where(missing, self.missing_left, left)
        elif self.missing == "zero":
            left = np.where(np.abs(known) <= ZERO, self.missing_left, left)
        return np.asarray(left, dtype=bool)


def nodes_of(model: FeatureModel) -> list[Node] | None:
    """The roots of a model's trees, whose leaves add up to its scores, or miss them by a constant.

    Returns
    -------
    None
        For models of other kinds. Scores that are more than a sum of leaves, such as probabilities, are
        not told apart here.
    """
    booster, xgboost = booster_of(model.model), xgboost_of(model.model)
    if booster is not None:
        read = booster.dump_model()
        trees = read["tree_info"]
        share = 1 / len(trees) if read.get("average_output") and trees else 1.0
        return [_of_lightgbm(tree["tree_structure"], share) for tree in trees]
    if xgboost is not None:
        names = xgboost.feature_names or [f"f{i}" for i in range(len(model.names))]
        dumped = [json.loads(tree) for tree in xgboost.get_dump(dump_format="json")]
        return [_of_xgboost(tree, names) for tree in dumped] if all(map(_is_readable, dumped)) else None
    return _of_sklearn(model.model)


def _of_lightgbm(node: dict[str, Any], share: float) -> Node:
    if "split_feature" not in node:
        return Node(value=share * float(node["leaf_value"]))
    by_category = node["decision_type"] == "=="
    threshold = node["threshold"]
    return Node(
        feature=int(node["split_feature"]),
        threshold=None if by_category else float(threshold),
        categories=frozenset(map(int, str(threshold).split("||"))) if by_category else frozenset(),
        left=_of_lightgbm(node["left_child"], share),
        right=_of_lightgbm(node["right_child"], share),
        missing={"NaN": "nan", "Zero": "zero"}.get(node.get("missing_type", "None"), ""),
        missing_left=bool(node["default_left"]),
    )


def _is_readable(node: dict[str, Any]) -> bool:
    """Whether a tree of XGBoost has splits by numbers only; its linear models have no trees."""
    if "leaf" in node:
        return not isinstance(node["leaf"], list)
    if not isinstance(node.get("split_condition"), int | float):
        return False
    return all(map(_is_readable, node["children"]))


def _of_xgboost(node: dict[str, Any], names: Sequence[str]) -> Node:
    if "leaf" in node:
        return Node(value=float(node["leaf"]))
    below = {child["nodeid"]: child for child in node["children"]}
    return Node(
        feature=names.index(node["split"]),
        threshold=float(np.float32(node["split_condition"])),
        left=_of_xgboost(below[node["yes"]], names),
        right=_of_xgboost(below[node["no"]], names),
        missing_left=node.get("missing", node["yes"]) == node["yes"],
        strict=True,
        single=True,
    )


def _of_sklearn(model: Any) -> list[Node] | None:
    trees = sklearn_trees(model)
    if trees is None:
        return [
            _of_histogram(tree.nodes, 0) for some in getattr(model, "_predictors", []) for tree in some
        ] or None
    boosted = hasattr(model, "learning_rate")
    share = float(model.learning_rate) if boosted else 1 / len(trees)
    classes = np.asarray(getattr(model, "classes_", [0.0, 1.0]))
    if classes.dtype.kind not in "iufb":
        return None
    grades = np.array([0.0, 1.0]) if len(classes) == 2 else classes.astype(np.float64)
    found = []
    for tree in trees:
        values = np.asarray(tree.value)[:, 0, :]
        if values.shape[1] > 1:  # the share of each class
            values = (values / values.sum(axis=1, keepdims=True)) @ grades[:, None]
        found.append(_of_tree(tree, share * values[:, 0], 0))
    return found


def _of_tree(tree: Any, values: Floats, place: int) -> Node:
    left, right = int(tree.children_left[place]), int(tree.children_right[place])
    if left < 0:
        return Node(value=float(values[place]))
    return Node(
        feature=int(tree.feature[place]),
        threshold=float(tree.threshold[place]),
        left=_of_tree(tree, values, left),
        right=_of_tree(tree, values, right),
        missing_left=bool(tree.missing_go_to_left[place]),
        single=True,
    )


def _of_histogram(nodes: Any, place: int) -> Node:
    node = nodes[place]
    if node["is_leaf"] or node["is_categorical"]:  # what is not read does not add up, and is noticed
        return Node(value=float(node["value"]))
    return Node(
        feature=int(node["feature_idx"]),
        threshold=float(node["num_threshold"]),
        left=_of_histogram(nodes, int(node["left"])),
        right=_of_histogram(nodes, int(node["right"])),
        missing_left=bool(node["missing_go_to_left"]),
    )
