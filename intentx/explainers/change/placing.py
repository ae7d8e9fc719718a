"""Whether an answer depends on where inserted words stand: the same words elsewhere, in other orders."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from intentx.explainers.change.edits import Edit, written

__all__ = ["PLACES", "elsewhere"]

PLACES = 20  # positions and orders that are tried
ORDERS = 720  # orders that are listed; of more words they are drawn


def elsewhere(
    text: str, edits: Sequence[Edit], gaps: Sequence[int], generator: np.random.Generator
) -> list[str]:
    """The text with the edits, and what is inserted at other places and in other orders.

    Parameters
    ----------
    gaps
        Where something may be put in: offsets between words.

    Returns
    -------
    list of str
        One for each place and order where those are no more than `PLACES`, else so many of them,
        drawn without repetition. None where nothing is inserted.

    Examples
    --------
    >>> edits = [Edit("insert", "tea", ((0, 0),))]
    >>> elsewhere("a pot", edits, [0, 1, 5], np.random.default_rng(0))
    ['tea a pot', 'a tea pot', 'a pot tea']
    """
    put_in = [edit for edit in edits if edit.kind == "insert"]
    others = [edit for edit in edits if edit.kind != "insert"]
    taken = [place for edit in others for place in edit.places]
    free = [gap for gap in gaps if not any(start < gap < end for start, end in taken)]
    if not put_in or not free:
        return []
    number = math.factorial(len(put_in))
    orders: list[tuple[int, ...]]
    if number <= ORDERS:
        orders = list(itertools.permutations(range(len(put_in))))
    else:
        orders = [tuple(generator.permutation(len(put_in)).tolist()) for _ in range(PLACES)]
    ways = len(free) * len(orders)
    drawn = range(ways) if ways <= PLACES else sorted(generator.choice(ways, PLACES, replace=False))
    texts = []
    for way in map(int, drawn):
        gap, order = free[way // len(orders)], orders[way % len(orders)]
        moved = [dataclasses.replace(put_in[i], places=((gap, gap),)) for i in order]
        texts.append(written(text, [*moved, *others]))
    return texts
