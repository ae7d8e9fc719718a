"""Which versions of a document Shapley values are estimated from."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from intentx.perturbation import all_subsets

__all__ = ["coalitions", "in_pairs", "kernel_weights"]

DRAWS = 8  # of which the best is taken, where coalitions are few
FEW = 4  # times the players

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]


def in_pairs(players: int, number: int) -> bool:
    """Whether ``number`` coalitions of players come in pairs, a coalition and its complement.

    A pair shows what a sum over players says without any of their interactions of an even order. But
    it is one equation instead of two, and with fewer than 1.2 pairs for each player single coalitions
    tell more (measured on 20 and 60 players: benchmarks/results/shapley.md).
    """
    return number >= 2.4 * players


def coalitions(players: int, number: int, generator: np.random.Generator) -> Kept:
    """(S, T) about ``number`` different coalitions other than none and all, in random order.

    All sizes get as many coalitions as there are, or the same number: that is sampling by leverage
    scores without replacement (Musco & Witter 2025). Of a size they are consecutive parts of random
    orders of the players, so that each player is in as many of them. Fewer than four times as many
    as players are drawn eight times, and those taken that tell a sum over players with the least
    variance. Where `in_pairs` says so, rows 2i and 2i + 1 are complements.

    Parameters
    ----------
    players
        T, two or more.

    Examples
    --------
    >>> coalitions(3, 6, np.random.default_rng(0)).sum(axis=1).tolist()
    [2, 1, 2, 1, 2, 1]
    """
    if number >= 2**players - 2:
        kept = all_subsets(players)[1:-1]
        return _shuffled_pairs(kept[: len(kept) // 2], generator)
    paired = in_pairs(players, number)
    take = number // 2 if paired else number
    draws = [_halves(players, take, generator) for _ in range(DRAWS if number < FEW * players else 1)]
    some = min(draws, key=_variance)  # no two of them are complements
    if paired:
        return _shuffled_pairs(some, generator)
    turned = generator.permutation(len(some)) < len(some) // 2
    return some[generator.permutation(len(some))] ^ turned[:, None]


def _variance(some: Kept) -> float:
    """Summed over the addends of players, by least squares and all but no penalty."""
    rows = np.where(some, 1.0, -1.0)
    return float(np.trace(np.linalg.inv(rows.T @ rows + 1 + 1e-3 * np.eye(some.shape[1]))))


def kernel_weights(kept: Kept) -> Floats:
    """(S,) weights of coalitions by the Shapley kernel (Lundberg & Lee 2017, theorem 2).

    The coalitions of a size, none and all excepted, share what all coalitions of the size weigh.
    """
    players, size = kept.shape[1], kept.sum(axis=1)
    often = np.bincount(size, minlength=players + 1)
    return np.asarray((players - 1) / (size * (players - size) * often[size]))


def _shuffled_pairs(halves: Kept, generator: np.random.Generator) -> Kept:
    turned = generator.random(len(halves)) < 0.5
    first = halves[generator.permutation(len(halves))] ^ turned[:, None]
    return np.stack([first, ~first], axis=1).reshape(-1, halves.shape[1])


def _halves(players: int, number: int, generator: np.random.Generator) -> Kept:
    """(M, T) coalitions of at most half of the players, no two of them the same or complements."""
    rows = []
    for size, (some, there) in enumerate(_numbers(players, number, generator), 1):
        if some == there:
            rows.append(_all_of_size(players, size))
        elif some:
            rows.append(_some_of_size(players, size, some, generator))
    return np.concatenate(rows)


def _numbers(players: int, number: int, generator: np.random.Generator) -> list[tuple[int, int]]:
    """Of each size from 1 to T / 2: how many coalitions are taken, and how many there are.

    Of half of the players, half as many: a coalition and its complement have the same size.
    """
    sizes = range(1, players // 2 + 1)
    there = [math.comb(players, size) // (2 if 2 * size == players else 1) for size in sizes]
    share = [0.5 if 2 * size == players else 1.0 for size in sizes]
    taken = [0] * len(there)
    open_sizes, left = list(range(len(there))), min(number, sum(there))
    while open_sizes:  # sizes with fewer coalitions than their share give all of them
        total = sum(share[i] for i in open_sizes)
        full = [i for i in open_sizes if there[i] <= left * share[i] / total]
        if not full:
            break
        for i in full:
            taken[i] = there[i]
            left -= there[i]
        open_sizes = [i for i in open_sizes if i not in full]
    if open_sizes:  # systematic sampling: each gets its share, rounded up or down
        ends = np.cumsum([share[i] for i in open_sizes])
        places = (np.arange(left) + generator.random()) * ends[-1] / left
        counts = np.bincount(np.searchsorted(ends, places, side="right"), minlength=len(ends))
        for i, count in zip(open_sizes, counts.tolist(), strict=True):
            taken[i] = min(count, there[i])
    return list(zip(taken, there, strict=True))


def _all_of_size(players: int, size: int) -> Kept:
    members = np.array(list(itertools.combinations(range(players), size)))
    if 2 * size == players:
        members = members[members[:, 0] == 0]  # one of each pair of complements
    kept = np.zeros((len(members), players), dtype=bool)
    kept[np.arange(len(members))[:, None], members] = True
    return kept


def _some_of_size(players: int, size: int, number: int, generator: np.random.Generator) -> Kept:
    """(M, T) different coalitions of a size, with each player in about as many."""
    found: dict[bytes, Kept] = {}
    order = np.empty(0, dtype=np.intp)
    while len(found) < number:
        if len(order) < size:  # what is left goes first, the next order fills up
            rest = np.setdiff1d(np.arange(players), order)
            order = np.concatenate([order, generator.permutation(rest), generator.permutation(order)])
        some = np.zeros(players, dtype=bool)
        some[order[:size]] = True
        order = order[size:]
        if 2 * size == players and not some[0]:
            some = ~some
        found.setdefault(some.tobytes(), some)
    return np.array(list(found.values()))
