"""Some of many queries, evenly spread."""

from __future__ import annotations

__all__ = ["spread_places"]


def spread_places(number: int, wanted: int | None) -> list[int]:
    """``wanted`` of the places 0 to ``number - 1``, evenly spread and in order; None: all.

    A smaller choice is part of every larger one: the ends come first, then the middle, then the
    quarters, and so on, as in a van der Corput sequence.

    >>> spread_places(101, 2), spread_places(101, 3), spread_places(101, 5)
    ([0, 100], [0, 50, 100], [0, 25, 50, 75, 100])
    >>> spread_places(3, 7), spread_places(0, 2)
    ([0, 1, 2], [])
    """
    if wanted is None or wanted >= number:
        return list(range(number))
    chosen = dict.fromkeys([0, number - 1][:wanted])
    parts = 2
    while len(chosen) < wanted:
        bits = parts.bit_length() - 2  # the odd ones of so many parts, those far apart first
        for place in range(parts // 2):
            odd = 2 * int(f"{place:0{bits}b}"[::-1], 2) + 1 if bits else 1
            if len(chosen) < wanted:
                chosen.setdefault((2 * odd * (number - 1) + parts) // (2 * parts))
        parts *= 2
    return sorted(chosen)
