"""The set of features of the highest value: by enumeration, or by local search."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from intentx.explainers.features.sets import CLOSE, FeatureSets, Set

__all__ = ["enumerate_sets", "forward", "improve", "number_of_sets", "random_sets"]


def number_of_sets(features: int, k: int) -> int:
    """How many sets there are of 1 to k of the features.

    >>> number_of_sets(15, 5)
    4943
    """
    return sum(math.comb(features, size) for size in range(1, k + 1))


def enumerate_sets(sets: FeatureSets, k: int) -> None:
    """Look at every set of 1 to k features; `FeatureSets.best` has the best then."""
    for size in range(min(k, len(sets.columns))):
        for kept in itertools.combinations(sets.columns, size):
            after = kept[-1] if kept else -1
            columns = [column for column in sets.columns if column > after]
            if columns:
                sets.values_added(frozenset(kept), columns)


def forward(sets: FeatureSets, k: int) -> Set:
    """Add the feature that makes the value highest, up to k; the best set on the way."""
    kept: Set = frozenset()
    found: list[tuple[float, Set]] = []
    while len(kept) < min(k, len(sets.columns)):
        left = [column for column in sets.columns if column not in kept]
        values = sets.values_added(kept, left)
        best = int(np.argmax(values))
        kept = kept | {left[best]}
        found.append((values[best], kept))
    return max(found, key=lambda one: one[0])[1] if found else kept


def improve(sets: FeatureSets, start: Set, k: int) -> Set:
    """Add, drop or exchange one feature as long as that helps.

    At the end no set that differs by one such step is better. The features that the set can spare most
    easily are exchanged first.
    """
    current, value = start, sets.values([start])[0]
    while True:
        better = _step(sets, current, value, k)
        if better is None:
            return current
        value, current = better


def _step(sets: FeatureSets, current: Set, value: float, k: int) -> tuple[float, Set] | None:
    """A better neighbour of a set: the best of the first kind of step that has one."""
    others = [column for column in sets.columns if column not in current]
    if len(current) < k and others:
        values = sets.values_added(current, others)
        best = int(np.argmax(values))
        if values[best] > value + CLOSE:
            return values[best], current | {others[best]}
    members = sorted(current)
    smaller = [current - {member} for member in members]
    spared = sets.values(smaller) if len(current) > 1 else [0.0] * len(members)
    best = int(np.argmax(spared))
    if len(current) > 1 and spared[best] > value + CLOSE:
        return spared[best], smaller[best]
    for place in np.argsort(-np.array(spared), kind="stable"):
        if not others:
            break
        values = sets.values_added(smaller[place], others)
        best = int(np.argmax(values))
        if values[best] > value + CLOSE:
            return values[best], smaller[place] | {others[best]}
    return None


def random_sets(columns: Sequence[int], size: int, number: int, seed: int) -> list[Set]:
    """Sets of that size drawn at random, each on its own."""
    drawn = np.random.default_rng(seed)
    size = min(size, len(columns))
    return [
        frozenset(int(one) for one in drawn.choice(columns, size, replace=False)) for _ in range(number)
    ]
