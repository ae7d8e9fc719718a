"""Asking about as many versions of a document as there is time for, or as it takes to be sure."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["FIRST", "in_halves", "said_of", "same_first", "stable_first", "stable_halves", "within"]

Floats = npt.NDArray[np.float64]
Found = TypeVar("Found")

FIRST = 16  # versions of the first block, which is always asked
GROWTH = 8  # times the versions of the block before, at most
SURE_GROWTH = 3  # the same where the wanted stability may end it at each block
HALVINGS = 4  # of the versions, at random
DRAWS = 400  # of weights
WORTH = 1.5  # times the versions that are known: a smaller block tells too little more
MARGIN = 0.9  # of the time that is left: what a block may be expected to take
WORDS = 3  # that must stay the first ones


def within(
    seconds: float | None,
    most: int,
    ask: Callable[[int], Found],
    wanted: float | None = None,
    stability: Callable[[Found], float] | None = None,
) -> tuple[Found, int]:
    """What the ranker says of ``most`` versions, or of as many as it takes or there is time for.

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
    wanted, stability
        No block follows one of this stability, or higher; None: whatever it is.

    Returns
    -------
    found, number
        What ``ask`` returned for the last block, and its versions.

    Examples
    --------
    >>> within(None, 1000, lambda number: number / 2)
    (500.0, 1000)
    >>> within(60.0, 1000, lambda number: number / 2)  # 16, then 128, then 1000
    (500.0, 1000)
    >>> within(None, 1000, lambda number: number / 2, 0.9, lambda found: 1.0 if found > 50 else 0.0)
    (72.0, 144)
    """
    if seconds is None and wanted is None:
        return ask(most), most
    limit = math.inf if seconds is None else seconds
    growth = GROWTH if wanted is None else SURE_GROWTH
    began = time.perf_counter()
    number = min(FIRST, most)
    while True:
        block = time.perf_counter()
        found = ask(number)
        now = time.perf_counter()
        if wanted is not None and stability is not None and stability(found) >= wanted:
            return found, number
        left, spent = MARGIN * (limit - (now - began)), now - block
        larger = min(most, growth * number)
        if spent * larger > left * number:
            larger = int(left * number / spent)
        if number == most or left <= 0 or larger < min(most, WORTH * number):
            return found, number
        number = larger


def in_halves(number: int, seed: int = 0) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of ``number`` versions in two random halves; the first one, the document, is in both.

    >>> [rows.tolist() for rows in in_halves(5)]
    [[0, 1, 3], [0, 2, 4]]
    """
    rest = np.random.default_rng(seed).permutation(np.arange(1, number))
    middle = number // 2
    one, other = (np.sort(rows) for rows in (rest[:middle], rest[middle:]))
    return np.append(0, one), np.append(0, other)


def stable_halves(number: int, fit: Callable[[npt.NDArray[np.intp]], Floats]) -> float:
    """Share of the first three words that both halves of the versions name, by several halvings.

    NaN where no half gives a word a weight.

    Parameters
    ----------
    number
        Versions, the document first.
    fit
        Weights (T,) by some of the versions, given by their rows.
    """
    shares = np.array([
        same_first(*(fit(rows) for rows in in_halves(number, seed))) for seed in range(HALVINGS)
    ])  # fmt: skip
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else math.nan


def stable_first(weights: Floats, errors: Floats) -> float:
    """Share of the first three words that is to be expected among the first three by true weights.

    Parameters
    ----------
    weights, errors
        (T,) weights, and the standard deviations of the true ones around them.

    Examples
    --------
    >>> stable_first(np.array([5.0, -4.0, 3.0, 0.1]), np.full(4, 0.1))
    1.0
    >>> 0.7 < stable_first(np.array([5.0, -4.0, 3.0, 2.9]), np.full(4, 0.1)) < 1
    True
    """
    if not len(weights):
        return math.nan
    drawn = weights + errors * np.random.default_rng(0).standard_normal((DRAWS, len(weights)))
    shares = [same_first(weights, row) for row in (drawn if np.any(errors) else weights[None])]
    return float(np.mean(shares))


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


def said_of(
    seconds: float | None, number: int, most: int, wanted: float | None, stability: float
) -> str:
    """How far it got, and how sure it is, for a reader.

    >>> said_of(5.0, 128, 1000, None, 2 / 3)
    '128 versions of 1,000 were asked about within 5 s; the stability of the first three words is 67%'
    >>> said_of(None, 144, 1000, 0.9, 1.0)
    '144 versions of 1,000 were asked about; the stability of the first three words is 100%, as wanted'
    """
    asked = f"all {number:,} versions" if number == most else f"{number:,} versions of {most:,}"
    done = f"{asked} were asked about" + ("" if seconds is None else f" within {seconds:g} s")
    if math.isnan(stability):
        return f"{done}; no word makes a difference in them"
    done = f"{done}; the stability of the first three words is {stability:.0%}"
    if wanted is None:
        return done
    if stability >= wanted:
        return f"{done}, as wanted"
    more = "samples" if number == most else "seconds"
    return f"{done}, and {wanted:.0%} was wanted: more {more} may give it"
