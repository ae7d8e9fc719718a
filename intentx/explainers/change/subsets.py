"""Sets of a given size, those of the largest sum of weights first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

__all__ = ["best_sets"]


def best_sets(weights: Sequence[float], size: int) -> Iterator[tuple[int, ...]]:
    """Every set of ``size`` of the numbers 0, 1, …, by the sum of their weights, the largest first.

    Sets of the same sum come in the order of their numbers, heavier ones first. Each next set takes
    time in the logarithm of those seen so far, so that the first of millions are quickly there.

    Examples
    --------
    >>> list(best_sets([1.0, 3.0, 2.0], 2))
    [(1, 2), (0, 1), (0, 2)]
    >>> list(best_sets([1.0], 2)), list(best_sets([1.0], 0))
    ([], [()])
    """
    if size > len(weights) or size < 0:
        return
    order = sorted(range(len(weights)), key=lambda i: (-weights[i], i))
    first = tuple(range(size))
    heap = [(-sum(weights[order[p]] for p in first), first)]
    seen = {first}
    while heap:
        _, places = heapq.heappop(heap)
        yield tuple(sorted(order[place] for place in places))
        for i, place in enumerate(places):
            limit = places[i + 1] if i + 1 < size else len(order)
            if place + 1 < limit:
                following = (*places[:i], place + 1, *places[i + 1 :])
                if following not in seen:
                    seen.add(following)
                    total = sum(weights[order[p]] for p in following)
                    heapq.heappush(heap, (-total, following))
