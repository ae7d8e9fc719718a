"""Asking about as many versions of a document as there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["FIRST", "in_halves", "said_of", "same_first", "within"]

Floats = npt.NDArray[np.float64]
Found = TypeVar("Found")

FIRST = 16  # versions of the first block, which is always asked
GROWTH = 8  # times the versions of the block before, at most
WORTH = 1.5  # times the versions that are known: a smaller block tells too little more
MARGIN = 0.9  # of the time that is left: what a block may be expected to take
WORDS = 3  # that must stay the first ones


def within(seconds: float | None, most: int, ask: Callable[[int], Found]) -> tuple[Found, int]:
    """What the ranker says of ``most`` versions, or of as many as there is time for; and how many.

    Each block is what ``samples`` set to its size would ask. So the answer depends on the number of
    versions and the seed, and on nothing else that the clock does. Before each block, the time that
    it would take is estimated by the block before; one that would not fit is made smaller, and not
    asked where it would hardly be larger than the last one.

    Parameters
    ----------
    seconds
        Time limit for asking; None: none. The first block is asked whatever it takes.
    most
        Versions of the last block.
    ask
        Asks about so many versions.

    Examples
    --------
    >>> within(None, 1000, lambda number: number / 2)
    (500.0, 1000)
    >>> within(60.0, 1000, lambda number: number / 2)  # 16, then 128, then 1000
    (500.0, 1000)
    """
    if seconds is None:
        return ask(most), most
    began = time.perf_counter()
    number = min(FIRST, most)
    while True:
        block = time.perf_counter()
        found = ask(number)
        now = time.perf_counter()
        left, spent = MARGIN * (seconds - (now - began)), now - block
        larger = min(most, GROWTH * number)
        if spent * larger > left * number:
            larger = int(left * number / spent)
        if number == most or left <= 0 or larger < min(most, WORTH * number):
            return found, number
        number = larger


def in_halves(number: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of ``number`` versions in two halves, by turns; the first one, the document, is in both.

    >>> [rows.tolist() for rows in in_halves(5)]
    [[0, 1, 3], [0, 2, 4]]
    """
    rows = np.arange(number)
    return rows[(rows == 0) | (rows % 2 == 1)], rows[rows % 2 == 0]


def same_first(one: Sequence[float] | Floats, other: Sequence[float] | Floats) -> float:
    """Share of the first three words by weights (T,) that are the first three by other weights, too.

    Words without a weight are none of the first. NaN where no word has one.

    >>> same_first([5.0, -4.0, 3.0, 0.1], [4.0, 0.0, 3.0, -2.0]), same_first([0.0], [0.0])
    (0.6666666666666666, nan)
    """
    firsts = []
    for weights in (np.asarray(one), np.asarray(other)):
        order = np.argsort(-np.abs(weights), kind="stable")[:WORDS]
        firsts.append({int(place) for place in order if weights[place]})
    largest = max(map(len, firsts))
    return len(firsts[0] & firsts[1]) / largest if largest else float("nan")


def said_of(seconds: float, number: int, most: int) -> str:
    """How far it got, for a reader."""
    if number == most:
        return f"all {number:,} versions were asked about within {seconds:g} s"
    return (
        f"{number:,} versions of {most:,} were asked about within {seconds:g} s: more seconds give "
        "surer weights"
    )
