"""Shapley values of a game of which some coalitions are known, by a Gaussian process.

The process says which functions of the players are likely before anything is known: sums over
players, and interactions of any order, likelier among players who matter by themselves. What is not
known of the game is expected by what is, and the Shapley values of the expected game are exact. That
is Bayesian quadrature (O'Hagan 1991) with automatic relevance determination (MacKay 1994).

Players are -1 where absent and 1 where present. Shapley values depend only on the odd part of a game,
``(v(x) - v(-x)) / 2``: pairs of complements show it alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its own parts are loaded when they are touched

from intentx.explainers.document.coalitions import Design
from intentx.explainers.document.determined import few_interact, sum_over_players, values_by_whole_sizes
from intentx.threads import one_thread

__all__ = [
    "Prior",
    "expected_errors",
    "expected_shapley_values",
    "explained",
    "likeliest_prior",
    "most_telling",
    "white_shapley_values",
]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

MOST_ROWS = 256  # a prior is chosen by so many coalitions: their cube is what choosing costs
STEPS = 20
TRUSTED = 9.0  # times the variance: three standard deviations
MOSTLY = 0.5  # of the values' mean square: a prior with more noise says too little of the game
PLAIN = 0.5  # precision of the logarithms of the relevances around 0
VAGUE = 0.02  # and of the other parameters
UNLIKELY = 1e10
ROUNDING = 1e-13  # of the largest variance
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class Prior:
    """A covariance of the values of two coalitions x and y, of players -1 and 1.

    With relevances r and ``E(x, y) = prod_i exp(reach r_i (x_i y_i - 1))``, every order of
    interaction, it is ``linear sum_i r_i x_i y_i + odd (E(x, y) - E(x, -y)) / 2``, and where games
    are known beyond their odd part ``level + even (E(x, y) + E(x, -y)) / 2``. Of any three players,
    ``cubic`` times the mean of ``x_i x_j x_k y_i y_j y_k``: interactions that relevances do not
    foresee. Of a coalition and itself ``noise`` more, for what is too intricate to tell from one
    coalition of another.
    """

    relevance: Floats
    linear: float
    odd: float
    reach: float
    noise: float
    cubic: float = 0.0
    even: float = 0.0
    level: float = 0.0

    @classmethod
    def of(cls, logarithms: Floats, players: int) -> Prior:
        return cls(np.exp(logarithms[:players]), *np.exp(logarithms[players:]).tolist())


@one_thread
def expected_shapley_values(kept: Kept, values: Floats, empty: float, full: float) -> Floats:
    """(T,) Shapley values of a game, as far as some of its coalitions tell; they add up to full - empty.

    Parameters
    ----------
    kept, values
        (S, T) different coalitions, neither none nor all, and their values (S,). Where rows 2i and
        2i + 1 are complements, all of them, only their difference counts.
    empty, full
        Values of none and all of the players.

    Notes
    -----
    Of games that are a sum over players, or in pairs of coalitions a sum and interactions of two, the
    values are exact as soon as there are more equations than players. They are in pairs with
    interactions of up to four players where all coalitions of one and of two, and without one and two,
    are known, if they are no farther from the expected values than these are uncertain.

    Examples
    --------
    >>> some = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) > 0
    >>> kept = np.stack([some, ~some], axis=1).reshape(6, 3)
    >>> values = kept @ [1.0, 2.0, 4.0] + kept[:, 0] * kept[:, 1]
    >>> expected_shapley_values(kept, values, 0.0, 8.0).round(6).tolist()
    [1.5, 2.5, 4.0]
    """
    rows, right, paired = _equations(kept, values, empty, full)
    scale = float(np.abs(right).max())
    players = kept.shape[1]
    if scale == 0 or players < 2:
        return np.full(players, (full - empty) / players)
    right = right / scale
    sums = sum_over_players(rows, right)
    if sums is not None:
        return sums * scale
    prior = likeliest_prior(rows, right, odd_only=paired)
    found = _expected(prior, rows, right, paired)
    known = values_by_whole_sizes(rows, right) if paired else None
    if known is not None and ((found - known) ** 2).sum() <= TRUSTED * _left_open(prior, rows).sum():
        return known * scale
    return found * scale


@one_thread
def expected_errors(kept: Kept, values: Floats, empty: float, full: float) -> Floats:
    """(T,) standard deviation of each of `expected_shapley_values` around the true one.

    They are what the likeliest prior leaves open, so they are as good as that prior: of a game that is
    more intricate than the known coalitions show, the values are farther off. 0 where the coalitions
    determine the game as a sum over players.

    Examples
    --------
    >>> some = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) > 0
    >>> kept = np.stack([some, ~some], axis=1).reshape(6, 3)
    >>> expected_errors(kept, kept @ [1.0, 2.0, 4.0], 0.0, 7.0).tolist()
    [0.0, 0.0, 0.0]
    """
    rows, right, paired = _equations(kept, values, empty, full)
    scale, players = float(np.abs(right).max()), kept.shape[1]
    if scale == 0 or players < 2 or sum_over_players(rows, right / scale) is not None:
        return np.zeros(players)
    prior = likeliest_prior(rows, right / scale, odd_only=paired)
    return scale * np.sqrt(np.maximum(0.0, _left_open(prior, rows, paired)))


@one_thread
def most_telling(some: Design, values: Floats, empty: float, full: float) -> int:
    """Which coalitions to ask about after the first: the place in ``rests`` of those that tell most.

    Where no more than four players may interact, these are the whole sizes. Else, under the prior that
    is likeliest by what is known, those that leave the Shapley values the least variance, and the first
    of ``some.rests`` where that prior takes most for noise.

    Parameters
    ----------
    some
        What to ask about.
    values, empty, full
        Values of ``some.first``, and of none and all players, as in `expected_shapley_values`.

    Examples
    --------
    >>> from intentx.explainers.document.coalitions import design
    >>> some = design(20, 998, np.random.default_rng(0))
    >>> game = lambda kept: kept[:, :15].reshape(-1, 5, 3).all(axis=2) @ np.arange(1.0, 6.0)
    >>> most_telling(some, game(some.first), 0.0, 15.0)
    1
    """
    rows, right, paired = _equations(some.first, values, empty, full)
    scale = float(np.abs(right).max())
    if scale == 0 or sum_over_players(rows, right / scale) is not None:
        return 0
    right = right / scale
    if some.blocks is not None and few_interact(rows, right, some.blocks):
        return 1
    prior = likeliest_prior(rows, right, odd_only=paired)
    if prior.noise > MOSTLY * np.mean(right**2):
        return 0
    told = [
        explained(prior, np.concatenate([np.where(rest[::2], 1.0, -1.0), rows]), odd_only=paired)
        for rest in some.rests
    ]
    return int(np.argmax(told))


def _equations(kept: Kept, values: Floats, empty: float, full: float) -> tuple[Floats, Floats, bool]:
    """(M, T) rows of -1 and 1 and their values (M,) around the middle; whether these are odd parts."""
    signs = np.where(kept, 1.0, -1.0)
    if len(kept) % 2 == 0 and (kept[::2] == ~kept[1::2]).all():
        rows = np.concatenate([signs[::2], np.ones((1, kept.shape[1]))])
        return rows, np.append(values[::2] / 2 - values[1::2] / 2, full / 2 - empty / 2), True
    rows = np.concatenate([signs, np.array([[1.0], [-1.0]]).repeat(kept.shape[1], axis=1)])
    return rows, np.append(values, [full, empty]) - (full / 2 + empty / 2), False


def likeliest_prior(rows: Floats, right: Floats, *, odd_only: bool) -> Prior:
    """The prior under which values (M,) of coalitions (M, T) of -1 and 1 are likeliest.

    The likelihood of the values, times that of the prior's own parameters, all of them about
    log-normal, is climbed by L-BFGS from equal relevances and next to nothing of ``cubic``: started
    with more, it may take all interactions for that. Of many rows some are looked at, of each
    size about as many: the cube of their number is what choosing costs.
    """
    players = rows.shape[1]
    if len(rows) > MOST_ROWS:
        some = _of_all_sizes(rows, MOST_ROWS)
        rows, right = rows[some], right[some]
    size = math.sqrt(np.mean(right**2))
    center = [0.0, -2.0, -2.0, -4.0, -4.0, -2.0, -2.0]
    start = [-math.log(players), -2.3, -math.log(players), -2.3, -9.0, -2.3, -2.3]
    wide, small = (-16.0, 8.0), (-23.0, 4.0)
    bounds = [(-12.0, 8.0), wide, (-8.0, 4.0), small, small, wide, wide]
    scales = 5 if odd_only else 7
    found = scipy.optimize.minimize(
        _unlikelihood,
        np.array([0.0] * players + start[:scales]),
        args=(rows, right / size, np.array(center[:scales])),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12.0, 6.0)] * players + bounds[:scales],
        options={"maxiter": STEPS},
    )
    logarithms = found.x.copy()
    logarithms[[players + at for at in (0, 1, 3, 4, 5, 6)[: scales - 1]]] += 2 * math.log(size)
    return Prior.of(logarithms, players)


def _of_all_sizes(rows: Floats, number: int) -> npt.NDArray[np.intp]:
    """(number,) places of rows, the first of each size, then the second of each, and so on."""
    size = np.abs(rows.sum(axis=1)).astype(np.intp)  # that of a row or its complement
    size[size == rows.shape[1]] += np.arange((size == rows.shape[1]).sum())  # none and all: first
    order = np.argsort(size, kind="stable")
    begins = np.searchsorted(size[order], size[order])
    turn = np.empty(len(rows), dtype=np.intp)
    turn[order] = np.arange(len(rows)) - begins
    return np.sort(np.argsort(turn, kind="stable")[:number])


def _unlikelihood(
    logarithms: Floats, rows: Floats, right: Floats, center: Floats
) -> tuple[float, Floats]:
    """Minus the logarithm of a prior's likelihood, and its gradient by the prior's logarithms."""
    players = rows.shape[1]
    prior = Prior.of(logarithms, players)
    similar, near, far = _similarities(prior, rows)
    odd, even = prior.odd * (near - far) / 2, prior.even * (near + far) / 2
    three = _of_three(rows)
    covariance = prior.linear * similar + odd + even + prior.level + prior.cubic * three
    covariance[np.diag_indices(len(rows))] += prior.noise
    try:
        root = scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:  # some rows cannot be told apart under this prior
        return UNLIKELY, np.zeros_like(logarithms)
    solved = scipy.linalg.cho_solve((root, True), right, check_finite=False)
    inverse, _ = scipy.linalg.lapack.dpotri(root, lower=True)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    slope = (inverse - np.outer(solved, solved)) / 2  # of the loss, by each covariance
    by_odd, by_even = (slope * odd).sum(), (slope * even).sum()
    by_reach = slope * (prior.odd * (near + far) + prior.even * (near - far)) / 2
    by_pair = prior.linear * slope + prior.reach * by_reach  # by ``similar``
    falls = prior.reach * (by_odd + by_even)  # E has the factor exp(-reach sum r)
    by_relevance = ((by_pair @ rows) * rows).sum(axis=0) - falls
    by_scale = [
        prior.linear * (slope * similar).sum(),
        by_odd,
        prior.reach * (by_reach * similar).sum() - falls * prior.relevance.sum(),
        prior.noise * np.trace(slope),
        prior.cubic * (slope * three).sum(),
        by_even,
        prior.level * slope.sum(),
    ]
    off = np.concatenate([PLAIN * logarithms[:players], VAGUE * (logarithms[players:] - center)])
    gradient = np.concatenate([by_relevance * prior.relevance, by_scale[: len(center)]])
    loss = right @ solved / 2 + np.log(np.diag(root)).sum()
    loss += off @ (logarithms - np.concatenate([np.zeros(players), center])) / 2
    return float(loss), gradient + off


def _similarities(prior: Prior, rows: Floats) -> tuple[Floats, Floats, Floats]:
    """(M, M) ``sum_i r_i x_i y_i``, E(x, y) and E(x, -y)."""
    similar = (rows * prior.relevance) @ rows.T
    most = prior.relevance.sum()
    return similar, np.exp(prior.reach * (similar - most)), np.exp(-prior.reach * (similar + most))


def _covariance(prior: Prior, rows: Floats) -> Floats:
    """(M, M) of the values of coalitions, without noise."""
    similar, near, far = _similarities(prior, rows)
    found = prior.linear * similar + prior.odd * (near - far) / 2 + prior.cubic * _of_three(rows)
    return np.asarray(found + prior.even * (near + far) / 2 + prior.level)


def _expected(prior: Prior, rows: Floats, right: Floats, paired: bool) -> Floats:
    """(T,) Shapley values of the expected game."""
    noise, root = _root(_covariance(prior, rows), prior.noise)
    solved = scipy.linalg.cho_solve((root, True), right, check_finite=False)
    return np.asarray(solved @ _with_shapley_values(prior, rows, noise, paired))


def explained(prior: Prior, rows: Floats, *, odd_only: bool) -> float:
    """By how much the values of coalitions (M, T) of -1 and 1 lower the variance of Shapley values.

    It is summed over players, and the same whatever the values are.
    """
    return float(_explained(prior, rows, odd_only=odd_only).sum())


def _explained(prior: Prior, rows: Floats, *, odd_only: bool) -> Floats:
    """(T,) the same of each player."""
    noise, root = _root(_covariance(prior, rows), prior.noise)
    crossed = _with_shapley_values(prior, rows, noise, odd_only)
    return np.asarray(
        (scipy.linalg.solve_triangular(root, crossed, lower=True, check_finite=False) ** 2).sum(axis=0)
    )


def _left_open(prior: Prior, rows: Floats, paired: bool = True) -> Floats:
    """(T,) variance of the Shapley values of a game that coalitions leave.

    Known are the odd parts of pairs, or else the values of single coalitions.
    """
    players = rows.shape[1]
    bent, both = np.tanh(prior.reach * prior.relevance), np.multiply.outer(NODES, NODES)
    product = np.log1p(bent * both[:, :, None])  # (nodes, nodes, T)
    but_one = np.exp((product.sum(axis=2) - np.log1p(bent).sum())[:, :, None] - product)
    found = 4 * prior.linear * prior.relevance
    found = found + prior.odd * (NODE_WEIGHTS @ (NODE_WEIGHTS @ but_one)) * bent
    found += prior.cubic * 4 / 3 * (players > 2) / players  # 4 / 9 for each of the three
    # Of each size s + 1, T C(T - 1, s) members with a share of 1 / (T C(T - 1, s)), squared.
    shares = math.fsum(1 / (players * math.comb(players - 1, others)) for others in range(players))
    found += prior.noise * (4 if paired else 2) * shares / players
    return np.asarray(found - _explained(prior, rows, odd_only=paired))


def _root(covariance: Floats, noise: float) -> tuple[float, Floats]:
    """Noise that rounding needs, at least ``noise``, and the Cholesky factor (M, M) with it."""
    diagonal = covariance.diagonal().copy()
    noise = max(noise, ROUNDING * float(diagonal.max()))
    while True:
        covariance[np.diag_indices(len(diagonal))] = diagonal + noise
        try:
            return noise, np.asarray(scipy.linalg.cholesky(covariance, lower=True, check_finite=False))
        except np.linalg.LinAlgError:
            noise *= 100


def _with_shapley_values(prior: Prior, rows: Floats, noise: float, paired: bool) -> Floats:
    """(M, T) covariances of the values of coalitions with the Shapley values of players.

    They are the Shapley values of the covariance with each coalition, taken for a game.
    """
    found = 2 * prior.linear * prior.relevance * rows
    found += prior.odd * _shapley_of_interactions(prior, rows)
    found += prior.cubic * _shapley_of_three(rows)
    return np.asarray(found + (2 if paired else 1) * noise * white_shapley_values(rows > 0))


def _shapley_of_interactions(prior: Prior, rows: Floats) -> Floats:
    """(M, T) Shapley values of each game ``E(x, row_m)``.

    With the multilinear extension of a game (Owen 1972) the value of player i is the integral, over the
    chance (1 + u) / 2 to be present, of its derivative by i. E is a product over players of
    ``(1 + t_i x_i y_i) / (1 + t_i)``, ``t_i = tanh(reach r_i)``: extended, x_i becomes u.
    """
    bent = np.tanh(prior.reach * prior.relevance)
    at = bent * NODES[:, None]  # (nodes, T)
    flat = np.log1p(-(at**2)).sum(axis=1) / 2 - np.log1p(bent).sum()
    product = np.exp(flat + rows @ np.arctanh(at).T)  # (M, nodes)
    gains = NODE_WEIGHTS[:, None] * bent / (1 - at**2)
    return np.asarray(rows * (product @ gains) - product @ (gains * at))


def _of_three(rows: Floats) -> Floats:
    """(M, M) mean over any three players of the product of their six signs in two coalitions."""
    players = rows.shape[1]
    alike = rows @ rows.T
    return np.asarray(alike * (alike**2 - 3 * players + 2) / (6 * max(1, math.comb(players, 3))))


def _shapley_of_three(rows: Floats) -> Floats:
    """(M, T) Shapley values of each game `_of_three` (x, row_m)."""
    players, total = rows.shape[1], rows.sum(axis=1, keepdims=True)
    of_two = rows * (total**2 - players + 2) - 2 * total
    return np.asarray(of_two / (3 * max(1, math.comb(players, 3))))


def white_shapley_values(kept: Kept) -> Floats:
    """(S, T) Shapley values of each game that is 1 for coalition (T,) and 0 for all others."""
    players, size = kept.shape[1], kept.sum(axis=1)
    ways = [math.comb(players - 1, others) for others in range(players)]
    share = np.array(
        [0.0, *(1 / (players * way) for way in ways), 0.0]
    )  # of a coalition's members, others
    return np.asarray(np.where(kept, share[size][:, None], -share[size + 1][:, None]))
