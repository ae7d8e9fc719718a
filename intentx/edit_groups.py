"""Which edited documents a ranker of lists is asked about in one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["in_order", "packed"]


def in_order(sources: Sequence[int], most: int) -> Iterator[list[int]]:
    """Edits in their order, as many at a time as are of different documents, up to ``most``.

    >>> [*in_order([0, 1, 1, 2, 3], 2)]
    [[0, 1], [2, 3], [4]]
    """
    some: list[int] = []
    for i, source in enumerate(sources):
        if len(some) == most or source in {sources[j] for j in some}:
            yield some
            some = []
        some.append(i)
    if some:
        yield some


def packed(sources: Sequence[int], most: int) -> Iterator[list[int]]:
    """Edits in as few lists as can be, each of up to ``most`` different documents.

    >>> [*packed([0, 0, 1, 1, 2], 2)]
    [[0, 2], [1, 3], [4]]
    """
    lists: list[list[int]] = []
    first = 0  # all lists before it are full
    for i, source in enumerate(sources):
        place = next(
            (k for k in range(first, len(lists)) if len(lists[k]) < most
             and source not in {sources[j] for j in lists[k]}),
            None,
        )  # fmt: skip
        if place is None:
            lists.append([i])
        else:
            lists[place].append(i)
        while first < len(lists) and len(lists[first]) == most:
            first += 1
    yield from lists
