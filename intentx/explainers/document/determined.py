"""Shapley values that some coalitions determine, where interactions join few players.

Rows are coalitions of players -1 and 1, and games are odd: ``v(-x) = -v(x)``.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.polynomial.legendre import legvander

__all__ = ["few_interact", "sum_over_players", "values_by_whole_sizes"]

Floats = npt.NDArray[np.float64]

MISSED = 1e-10  # of the largest value, 1: what may be missed by rounding


def sum_over_players(rows: Floats, right: Floats) -> Floats | None:
    """(T,) the addends, where values (M,) of coalitions (M, T) are such a sum and tell all of it."""
    if len(rows) <= rows.shape[1]:
        return None
    found, _, rank, _ = np.linalg.lstsq(rows / 2, right, rcond=None)
    if rank < rows.shape[1] or np.abs(rows @ found / 2 - right).max() > MISSED:
        return None
    return np.asarray(found)


def values_by_whole_sizes(rows: Floats, right: Floats) -> Floats | None:
    """(T,) Shapley values where k >= 2 sizes are whole and no more than 2k players interact, else None.

    Parameters
    ----------
    rows, right
        (M, T) different coalitions, no two of them complements, and all players last; their values (M,).

    Notes
    -----
    Let m(s) be the mean value of the coalitions of s players that player i is in. His Shapley value is
    ``2 / T`` times the sum of m(1) … m(T). With interactions of up to 2k players in an odd game, m is a
    polynomial of degree 2k - 1. Coalitions of up to k players, and their complements, show it at 2k + 1
    places, one more than determine it, and None is returned where it is none. That is one test for all
    players: a game of higher order passes where its mean value by size is such a polynomial all the
    same, for instance because one group of players undoes what another does.

    Examples
    --------
    >>> from intentx.perturbation import all_subsets
    >>> rows = np.where(all_subsets(6)[::-1], 1.0, -1.0)
    >>> rows = rows[(np.abs(rows.sum(axis=1)) >= 2) & (rows.sum(axis=1) < 0) | (rows.sum(axis=1) == 6)]
    >>> rows = np.roll(rows, -1, axis=0)
    >>> values_by_whole_sizes(rows, rows[:, 0] + rows[:, :3].prod(axis=1)).round(6).tolist()
    [2.666667, 0.666667, 0.666667, 0.0, 0.0, 0.0]
    """
    players = rows.shape[1]
    total = rows.sum(axis=1)
    members, values = np.where(total[:, None] > 0, -rows, rows) > 0, np.where(total > 0, -right, right)
    size = members.sum(axis=1)
    whole = 0
    while 2 * (whole + 1) < players and (size == whole + 1).sum() == math.comb(players, whole + 1):
        whole += 1
    if whole < 2:
        return None
    means = np.full((players + 1, players), right[-1])
    for number in range(1, whole + 1):
        some, those = members[size == number], values[size == number]
        inside = those @ some
        means[number] = inside / math.comb(players - 1, number - 1)
        means[players - number] = (inside - those.sum()) / math.comb(players - 1, number)
    sizes = np.arange(players + 1)
    known = np.r_[1 : whole + 1, players - whole : players + 1]
    terms = legvander(2 * sizes / players - 1, 2 * whole - 1)
    found = np.linalg.lstsq(terms[known], means[known], rcond=None)[0]
    if np.abs(terms[known] @ found - means[known]).max() > MISSED:
        return None
    return np.asarray(2 * (terms[1:] @ found).mean(axis=0))


def few_interact(rows: Floats, right: Floats, blocks: npt.NDArray[np.intp]) -> bool:
    """Whether a game may be one of interactions of up to four, by unions of blocks of players.

    A game of blocks has interactions of as many blocks as the players' game, or fewer. So where blocks
    show interactions of more than four, players have them.

    Parameters
    ----------
    rows, right
        As in `values_by_whole_sizes`, all unions of one block and of two among them.
    blocks
        (T,) the block of each player, from 0.
    """
    sizes = np.bincount(blocks)
    sums = rows @ (blocks[:, None] == np.arange(len(sizes)))
    unions = (np.abs(sums) == sizes).all(axis=1)
    return values_by_whole_sizes(np.sign(sums[unions]), right[unions]) is not None
