"""Where the nodes of a mimic tree stand in a picture, and what is written there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from intentx.explainers.features.mimic_shapes import TreeNode
from intentx.markup import count

__all__ = ["Placed", "leaf_range", "node_text", "placed_nodes"]


class Placed(NamedTuple):
    """A node at its depth, from 0, and its line; lines are those of the leaves, halves between them."""

    node: TreeNode
    depth: int
    line: float
    parent: int
    low: bool


def placed_nodes(nodes: Sequence[TreeNode]) -> dict[int, Placed]:
    """The nodes by their place in the tree: the leaves on lines 0, 1, …, the high side above.

    >>> tree = [TreeNode(0.5, 9, "age", 2.0, 1, 2), TreeNode(0.1, 4), TreeNode(0.9, 5)]
    >>> [(one.depth, one.line) for one in placed_nodes(tree).values()]
    [(0, 0.5), (1, 1.0), (1, 0.0)]
    """
    lines: dict[int, float] = {}
    order: list[int] = []
    about: dict[int, tuple[int, int, bool]] = {0: (0, -1, False)}
    stack = [0]
    while stack:  # the high side first
        place = stack.pop()
        order.append(place)
        node, (depth, _, _) = nodes[place], about[place]
        if node.feature:
            about[node.low], about[node.high] = (depth + 1, place, True), (depth + 1, place, False)
            stack += [node.low, node.high]
        else:
            lines[place] = float(len(lines))
    for place in reversed(order):
        node = nodes[place]
        if node.feature:
            lines[place] = (lines[node.low] + lines[node.high]) / 2
    return {
        place: Placed(nodes[place], about[place][0], lines[place], *about[place][1:])
        for place in sorted(order)
    }


def node_text(node: TreeNode) -> str:
    """What a node says: its question, or a leaf's answer and how many documents are there."""
    if node.feature:
        return f"{node.feature} > {node.threshold:.3g}?"
    return f"{node.value:+.2f}, {count(node.documents, 'document')}"


def leaf_range(nodes: Sequence[TreeNode]) -> tuple[float, float]:
    """The least and the largest answer of a leaf."""
    values = [one.value for one in nodes if not one.feature]
    return min(values), max(values)
