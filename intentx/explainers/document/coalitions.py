"""Which versions of a document Shapley values are estimated from."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.perturbation import all_subsets

__all__ = ["Design", "coalitions", "design", "in_pairs", "kernel_weights"]

DRAWS = 8  # of which the best is taken, where coalitions are few
FEW = 4  # times the players
MOST_WHOLE = 0.9  # of all coalitions: sizes taken whole, where no blocks are asked about
BLOCKS = 8  # of players: enough for interactions of five to show, and 36 pairs

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


@dataclass(frozen=True)
class Design:
    """Coalitions to ask about: the first ones at once, then one of the rests, if there are any.

    Attributes
    ----------
    first
        (S, T) coalitions, as from `coalitions`.
    rests
        None or two of them, (R, T) coalitions that are not among the first: with rests[0] all sizes are
        as frequent as they can be, with rests[1] the smallest and largest sizes are whole.
    blocks
        (T,) the block of each player, or None. With blocks, all unions of one block and of two, and
        their complements, are among the first: they tell whether few players interact.
    """

    first: Kept
    rests: tuple[Kept, ...] = ()
    blocks: npt.NDArray[np.intp] | None = None


def design(players: int, number: int, generator: np.random.Generator) -> Design:
    """About ``number`` coalitions, as from `coalitions`, or so that outer sizes can be whole.

    There is a choice where two or more sizes, of few players and of all but few, are at most nine
    tenths of the budget. Which is better depends on the game: whole sizes where interactions join few
    players, and all sizes as often where they join many, or where few players matter. So only what
    both have in common is asked about at first, and unions of blocks where these fit in, too.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> some = design(20, 498, generator)
    >>> len(some.first), [len(rest) for rest in some.rests]
    (164, [334, 326])
    >>> len(design(60, 498, generator).first)
    498
    """
    take, there = number // 2, _sizes(players)
    whole = _whole_sizes(there, MOST_WHOLE * take) if in_pairs(players, number) else 0
    if not whole or number >= 2**players - 2:
        return Design(coalitions(players, number, generator))
    blocks, unions = None, np.zeros((0, players), dtype=bool)
    if players > BLOCKS and sum(there[:2]) + BLOCKS * (BLOCKS + 1) // 2 <= take:
        blocks = generator.permutation(np.arange(players) % BLOCKS)
        unions = _smaller(np.concatenate([_all_of_size(BLOCKS, size) for size in (1, 2)])[:, blocks])
        take -= len(unions)
        whole = _whole_sizes(there, take)
    even, outer = _numbers(players, take, generator), _numbers(players, take, generator, whole)
    parts: tuple[list[Kept], ...] = ([unions], [], [])
    for size, ((often, there_are), (other, _)) in enumerate(zip(even, outer, strict=True), 1):
        most = often if size <= whole else max(often, other)
        some, both = _of_size(players, size, most, there_are, generator), min(often, other)
        more = _all_of_size(players, size) if size <= whole else some[both:other]
        for part, rows in zip(parts, (some[:both], some[both:often], more), strict=True):
            part.append(rows)
    first = _different(np.concatenate(parts[0]))
    rests = [_different(np.concatenate(part), first) for part in parts[1:]]
    kept = [_shuffled_pairs(rows, generator) for rows in (first, *rests)]
    return Design(kept[0], tuple(kept[1:]) if len(rests[1]) else (), blocks)


def _smaller(kept: Kept) -> Kept:
    """(S, T) of each coalition and its complement the one with fewer players, else with the first."""
    size, players = kept.sum(axis=1), kept.shape[1]
    turned = (2 * size > players) | ((2 * size == players) & ~kept[:, 0])
    return np.asarray(kept ^ turned[:, None])


def _different(kept: Kept, others: Kept | None = None) -> Kept:
    """(S, T) coalitions, each once, without those among others."""
    found = dict.fromkeys(row.tobytes() for row in kept)
    for row in () if others is None else others:
        found.pop(row.tobytes(), None)
    return np.frombuffer(b"".join(found), dtype=bool).reshape(-1, kept.shape[1])


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
        rows.append(_of_size(players, size, some, there, generator))
    return np.concatenate(rows)


def _numbers(
    players: int, number: int, generator: np.random.Generator, whole: int = 0
) -> list[tuple[int, int]]:
    """Of each size from 1 to T / 2: how many coalitions are taken, and how many there are.

    Of half of the players, half as many: a coalition and its complement have the same size. Of the
    ``whole`` smallest sizes all are taken.
    """
    sizes = range(1, players // 2 + 1)
    there = _sizes(players)
    share = [0.5 if 2 * size == players else 1.0 for size in sizes]
    taken = [*there[:whole], *[0] * (len(there) - whole)]
    open_sizes, left = list(range(whole, len(there))), min(number, sum(there)) - sum(taken)
    while open_sizes:  # sizes with fewer coalitions than their share give all of them
        total = sum(share[i] for i in open_sizes)
        full = [i for i in open_sizes if there[i] <= left * share[i] / total]
        if not full:
            break
        for i in full:
            taken[i] = there[i]
            left -= there[i]
        open_sizes = [i for i in open_sizes if i not in full]
    if open_sizes and left:  # systematic sampling: each gets its share, rounded up or down
        ends = np.cumsum([share[i] for i in open_sizes])
        places = (np.arange(left) + generator.random()) * ends[-1] / left
        counts = np.bincount(np.searchsorted(ends, places, side="right"), minlength=len(ends))
        for i, count in zip(open_sizes, counts.tolist(), strict=True):
            taken[i] = min(count, there[i])
    return list(zip(taken, there, strict=True))


def _sizes(players: int) -> list[int]:
    """How many coalitions there are of each size from 1 to T / 2, of T / 2 half of them."""
    sizes = range(1, players // 2 + 1)
    return [math.comb(players, size) // (2 if 2 * size == players else 1) for size in sizes]


def _whole_sizes(there: list[int], number: float) -> int:
    """How many of the smallest sizes can be taken whole, if two or more.

    The mean gain by a player's arrival is a polynomial of the number of those who are there, of a
    degree below the order of interactions. All coalitions of up to two players, and their complements,
    show it at four places: these determine the values of games with interactions of up to four.
    """
    whole = 0
    while whole < len(there) and sum(there[: whole + 1]) <= number:
        whole += 1
    return whole if whole >= 2 else 0


def _of_size(players: int, size: int, number: int, there: int, generator: np.random.Generator) -> Kept:
    if number == there:
        return _all_of_size(players, size)
    return _some_of_size(players, size, number, generator)


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
    return np.array(list(found.values()), dtype=bool).reshape(-1, players)
