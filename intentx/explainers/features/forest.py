"""Trees read leaf by leaf: every node, and the way to every leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.tree_nodes import Node, nodes_of
from intentx.models import FeatureModel, booster_of

__all__ = ["Forest", "forest_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

ZERO = 1e-35  # LightGBM takes what is nearer to zero for zero


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees, and the way to each leaf.

    Attributes
    ----------
    feature, threshold, kind
        (nodes,) the column that a node looks at, what it is held against, and LightGBM's
        ``decision_type``: bit 1 a set of categories, bit 2 missing values go left, from bit 3 on which
        values are missing (0 none, 1 zero and NaN, 2 NaN).
    categories
        The numbers of the categories that go left, by node.
    value
        (leaves,) what a leaf adds to the score.
    leaf, node, left
        (steps,) the leaves, the nodes on the way to them, and whether the way goes left there.
    """

    feature: Ints
    threshold: Floats
    kind: Ints
    categories: Mapping[int, Ints]
    value: Floats
    leaf: Ints
    node: Ints
    left: Bools

    def goes_left(self, X: Floats) -> Bools:
        """(nodes, N) whether each row of features (N, F) goes left at each node."""
        values = np.ascontiguousarray(X.T)[self.feature]
        missing = np.isnan(values)
        kind = (self.kind >> 2)[:, None]
        known = np.where(missing, 0.0, values)
        found: Bools = known <= self.threshold[:, None]
        default = ((self.kind & 2) > 0)[:, None]
        found = np.where((kind == 2) & missing, default, found)
        found = np.where((kind == 1) & (np.abs(known) <= ZERO), default, found)
        for node, numbers in self.categories.items():
            whole = np.where(missing[node], -1, known[node]).astype(np.intp)  # towards 0, as LightGBM
            found[node] = np.isin(whole, numbers)
        return found


@dataclass(frozen=True)
class NodeForest(Forest):
    """Trees of XGBoost or scikit-learn, whose nodes say themselves where a value goes.

    Attributes
    ----------
    nodes
        The nodes, in the order of ``feature``.
    """

    nodes: tuple[Node, ...] = ()

    def goes_left(self, X: Floats) -> Bools:
        """(nodes, N) whether each row of features (N, F) goes left at each node."""
        columns = np.ascontiguousarray(X.T)
        found = np.empty((len(self.nodes), len(X)), dtype=bool)
        for row, node, feature in zip(found, self.nodes, self.feature.tolist(), strict=True):
            row[:] = node.goes_left(columns[feature])
        return found


def forest_of(model: FeatureModel) -> Forest | None:
    """The trees of a model that adds up their leaves; None for any other model.

    Whether they give the model's own scores, up to a constant, is for the caller to see: of XGBoost and
    scikit-learn that is not known here.
    """
    booster = booster_of(model.model)
    if booster is None:
        roots = nodes_of(model)
        return None if not roots else _of_nodes(roots)
    if booster.num_model_per_iteration() != 1:
        return None
    head, *trees = booster.model_to_string().split("\nTree=")
    if not trees or "average_output" in head:
        return None
    parsed = [_fields(tree.split("\n\n")[0]) for tree in trees]
    if any(tree.get("is_linear", "0") != "0" for tree in parsed):
        return None
    return _joined(parsed)


def _of_nodes(roots: Sequence[Node]) -> Forest | None:
    nodes: list[Node] = []
    values: list[float] = []
    steps: list[tuple[int, int, bool]] = []
    for root in roots:
        waiting: list[tuple[Node, tuple[tuple[int, bool], ...]]] = [(root, ())]
        while waiting:
            node, way = waiting.pop()
            if node.feature is None or node.left is None or node.right is None:
                steps += [(len(values), one, went) for one, went in way]
                values.append(node.value)
                continue
            nodes.append(node)
            waiting += [
                (node.left, (*way, (len(nodes) - 1, True))),
                (node.right, (*way, (len(nodes) - 1, False))),
            ]
    if not nodes:
        return None
    way_of = np.array(steps, dtype=np.intp).reshape(-1, 3)
    return NodeForest(
        np.array([node.feature for node in nodes], dtype=np.intp),
        np.zeros(len(nodes)),
        np.zeros(len(nodes), dtype=np.intp),
        {},
        np.array(values),
        way_of[:, 0],
        way_of[:, 1],
        way_of[:, 2] > 0,
        tuple(nodes),
    )


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _numbers(tree: Mapping[str, str], key: str, kind: Any) -> Any:
    return np.array(tree.get(key, "").split(), dtype=kind)


def _joined(trees: Sequence[Mapping[str, str]]) -> Forest:
    parts: dict[str, list[Any]] = {key: [] for key in ("feature", "threshold", "kind", "value")}
    steps: list[tuple[int, int, bool]] = []
    categories: dict[int, Ints] = {}
    nodes = leaves = 0
    for tree in trees:
        feature = _numbers(tree, "split_feature", np.intp)
        threshold, kind = _numbers(tree, "threshold", float), _numbers(tree, "decision_type", np.intp)
        parts["feature"].append(feature)
        parts["threshold"].append(threshold)
        parts["kind"].append(kind)
        value = _numbers(tree, "leaf_value", float)
        parts["value"].append(value)
        for node in np.flatnonzero(kind & 1):
            categories[nodes + int(node)] = _left_categories(tree, int(threshold[node]))
        if len(feature):
            left = _numbers(tree, "left_child", np.intp).tolist()
            right = _numbers(tree, "right_child", np.intp).tolist()
            steps += [(leaves + leaf, nodes + node, go) for leaf, node, go in _steps(left, right)]
        nodes, leaves = nodes + len(feature), leaves + len(value)
    way = np.array(steps, dtype=np.intp).reshape(-1, 3)
    return Forest(
        np.concatenate(parts["feature"]),
        np.concatenate(parts["threshold"]),
        np.concatenate(parts["kind"]),
        categories,
        np.concatenate(parts["value"]),
        way[:, 0],
        way[:, 1],
        way[:, 2] > 0,
    )


def _left_categories(tree: Mapping[str, str], place: int) -> Ints:
    """The categories in a set of LightGBM's, which is written as bits in words of 32."""
    bounds = _numbers(tree, "cat_boundaries", np.intp)
    words = _numbers(tree, "cat_threshold", np.uint32)[bounds[place] : bounds[place + 1]]
    bits = (words[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    return np.flatnonzero(bits.reshape(-1))


def _steps(left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """Leaf, node, and whether it goes left there, for every node on the way to every leaf."""
    waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(0, ())]
    while waiting:
        node, way = waiting.pop()
        for child, go in ((left[node], True), (right[node], False)):
            longer = (*way, (node, go))
            if child < 0:  # a leaf, by its complement
                yield from ((~child, one, went) for one, went in longer)
            else:
                waiting.append((child, longer))
