"""From preferences between two texts to scores of a list: which pairs are asked, and how they add up."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from functools import cmp_to_key
from typing import Literal

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError

__all__ = ["Aggregate", "aggregated", "asked_pairs", "pairs_needed", "sorted_scores"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Aggregate = Literal["sum", "copeland", "bradley-terry"]

ROUNDS, ENOUGH = 1000, 1e-12  # of the fit of Bradley and Terry
HALF_A_WIN = 0.5  # of each text over an average one, and as much of it: no strength is infinite
TIED = 1e-9  # beside .5


def asked_pairs(texts: int, pairs: int | None, seed: int) -> tuple[Places, Places]:
    """Places (P,) and (P,) of the texts of each pair that is asked about.

    Parameters
    ----------
    pairs
        How many; None: all. Texts stand on a circle in an order drawn by ``seed`` and their number
        alone; first all neighbours are paired, then texts two apart, and so on, so that all texts are in
        nearly equally many pairs, and every text is joined to every other one by pairs.

    Raises
    ------
    InputError
        If there are fewer pairs than it takes to join all texts, one less than there are texts.

    Examples
    --------
    >>> [one.tolist() for one in asked_pairs(3, None, 0)]
    [[0, 0, 1], [1, 2, 2]]
    >>> one, other = asked_pairs(10, 15, 0)
    >>> sorted(np.bincount(np.concatenate([one, other])).tolist())
    [2, 2, 3, 3, 3, 3, 3, 3, 4, 4]
    """
    every = texts * (texts - 1) // 2
    if pairs is None or pairs >= every:
        one, other = np.triu_indices(texts, 1)
        return one, other
    if pairs < texts - 1:
        raise InputError(
            f"{pairs} pairs cannot join {texts} texts: at least {texts - 1} are needed; set pairs to "
            "more, or 'all'"
        )
    circle = np.random.default_rng([seed, texts]).permutation(texts)
    found: list[tuple[int, int]] = []
    for apart in range(1, texts // 2 + 1):
        step = [(i, (i + apart) % texts) for i in range(texts)]
        step = step if 2 * apart < texts else step[: texts // 2]  # else each would come twice
        found += step if len(step) <= pairs - len(found) else _evenly(step, found, pairs - len(found))
    chosen = np.sort(circle[np.array(found, dtype=np.intp)], axis=1)
    chosen = chosen[np.lexsort((chosen[:, 1], chosen[:, 0]))]
    return chosen[:, 0], chosen[:, 1]


def _evenly(
    step: list[tuple[int, int]], found: list[tuple[int, int]], number: int
) -> list[tuple[int, int]]:
    """So many pairs of a step, of texts that are in the fewest pairs so far."""
    left, chosen = [*step], []
    times = Counter(itertools.chain.from_iterable(found))
    for _ in range(number):
        best = min(left, key=lambda one: (max(times[one[0]], times[one[1]]), left.index(one)))
        left.remove(best)
        chosen.append(best)
        times.update(best)
    return chosen


def pairs_needed(texts: int, pairs: int | Literal["all", "sorted"]) -> int:
    """Pairs that are asked about in a list, at most.

    >>> pairs_needed(10, "all"), pairs_needed(10, 20), pairs_needed(10, "sorted")
    (45, 20, 35)
    """
    every = texts * (texts - 1) // 2
    if pairs == "all" or texts < 2:
        return every
    if pairs == "sorted":
        halvings = (texts - 1).bit_length()  # of binary insertion, which starts from a run
        return min(every, texts * halvings - (1 << halvings) + 1 + texts)
    return min(every, pairs)


def aggregated(how: Aggregate, texts: int, one: Places, other: Places, preferred: Floats) -> Floats:
    """(N,) scores by the probabilities (P,) that the first text of each pair is preferred.

    ``"sum"``: the mean probability with which a text is preferred in its pairs, times N - 1: with all
    pairs the sum over the others. ``"copeland"``: its pairs won less those lost, ties being neither,
    over its pairs and times N - 1. ``"bradley-terry"``: logarithms of the strengths that make the
    probabilities likeliest, where each text also has half a win and half a loss against an average
    one; their mean is 0.

    Examples
    --------
    >>> one, other = asked_pairs(3, None, 0)
    >>> p = np.array([0.9, 0.8, 0.4])
    >>> for how in ("sum", "copeland", "bradley-terry"):
    ...     aggregated(how, 3, one, other, p).round(2).tolist()
    [1.7, 0.5, 0.8]
    [2.0, -2.0, 0.0]
    [0.76, -0.55, -0.22]
    """
    if texts < 2:
        return np.zeros(texts)
    gained: Floats = np.bincount(one, preferred, texts).astype(np.float64)
    gained += np.bincount(other, 1 - preferred, texts)
    asked = (np.bincount(one, minlength=texts) + np.bincount(other, minlength=texts)).astype(np.float64)
    if how == "sum":
        return np.asarray(gained / asked * (texts - 1))
    if how == "copeland":
        side = np.where(np.abs(preferred - 0.5) > TIED, np.sign(preferred - 0.5), 0.0)
        won = np.bincount(one, side, texts) - np.bincount(other, side, texts)
        return np.asarray(won / asked * (texts - 1))
    return _strengths(one, other, gained)


def _strengths(one: Places, other: Places, gained: Floats) -> Floats:
    """(N,) logarithms of the strengths of Bradley and Terry, by Hunter's iteration (2004)."""
    strength = np.ones(len(gained))
    for _ in range(ROUNDS):
        both = 1 / (strength[one] + strength[other])
        beside = np.bincount(one, both, len(gained)) + np.bincount(other, both, len(gained))
        now = (gained + HALF_A_WIN) / (beside + 2 * HALF_A_WIN / (strength + 1))
        now /= np.exp(np.mean(np.log(now)))
        moved = float(np.abs(np.log(now / strength)).max())
        strength = now
        if moved < ENOUGH:
            break
    return np.asarray(np.log(strength))


def sorted_scores(texts: int, prefers: Callable[[int, int], float]) -> Floats:
    """(N,) scores ``N - rank`` from 0, by sorting: about N log2 N pairs are asked about.

    A text counts as better where it is preferred with a probability above .5; texts that are as good as
    each other share a score where sorting puts them side by side.

    >>> sorted_scores(4, lambda i, j: float(i > j)).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """

    def compared(i: int, j: int) -> int:
        gap = prefers(i, j) - 0.5
        return 0 if abs(gap) <= TIED else -1 if gap > 0 else 1

    order = sorted(range(texts), key=cmp_to_key(compared))
    scores = np.zeros(texts)
    for place, (before, this) in enumerate(itertools.pairwise(order), 1):
        tied = compared(before, this) == 0
        scores[this] = scores[before] if tied else -place
    return scores + (texts - 1)
