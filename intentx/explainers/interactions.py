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
from scipy.linalg import cho_solve, cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

__all__ = ["Prior", "expected_shapley_values", "likeliest_prior", "white_shapley_values"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

MOST_ROWS = 256  # a prior is chosen by so many coalitions: their cube is what choosing costs
STEPS = 20
ADDITIVE = 1e-10  # of the largest value: what a sum over players may miss by rounding
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
    are known beyond their odd part ``level + even (E(x, y) + E(x, -y)) / 2``; of a coalition and
    itself ``noise`` more, for what is too intricate to tell from one coalition of another.
    """

    relevance: Floats
    linear: float
    odd: float
    reach: float
    noise: float
    even: float = 0.0
    level: float = 0.0

    @classmethod
    def of(cls, logarithms: Floats, players: int) -> Prior:
        return cls(np.exp(logarithms[:players]), *np.exp(logarithms[players:]).tolist())


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
    values are exact as soon as there are more equations than players.

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
    sums = _sum_over_players(rows, right)
    if sums is not None:
        return sums * scale
    prior = likeliest_prior(rows, right, odd_only=paired)
    return scale * _expected(prior, rows, right, paired)


def _equations(kept: Kept, values: Floats, empty: float, full: float) -> tuple[Floats, Floats, bool]:
    """(M, T) rows of -1 and 1 and their values (M,) around the middle; whether these are odd parts."""
    signs = np.where(kept, 1.0, -1.0)
    if len(kept) % 2 == 0 and (kept[::2] == ~kept[1::2]).all():
        rows = np.concatenate([signs[::2], np.ones((1, kept.shape[1]))])
        return rows, np.append(values[::2] / 2 - values[1::2] / 2, full / 2 - empty / 2), True
    rows = np.concatenate([signs, np.array([[1.0], [-1.0]]).repeat(kept.shape[1], axis=1)])
    return rows, np.append(values, [full, empty]) - (full / 2 + empty / 2), False


def _sum_over_players(rows: Floats, right: Floats) -> Floats | None:
    """(T,) the addends, where the values are such a sum and tell all of it."""
    if len(rows) <= rows.shape[1]:
        return None
    found, _, rank, _ = np.linalg.lstsq(rows / 2, right, rcond=None)
    if rank < rows.shape[1] or np.abs(rows @ found / 2 - right).max() > ADDITIVE:
        return None
    return np.asarray(found)


def likeliest_prior(rows: Floats, right: Floats, *, odd_only: bool) -> Prior:
    """The prior under which values (M,) of coalitions (M, T) of -1 and 1 are likeliest.

    The likelihood of the values, times that of the prior's own parameters, all of them about
    log-normal, is climbed by L-BFGS from equal relevances. Of many rows the first ones and the last,
    which are none and all, are looked at.
    """
    players = rows.shape[1]
    if len(rows) > MOST_ROWS:
        some = np.r_[: MOST_ROWS - 2, len(rows) - 2, len(rows) - 1]
        rows, right = rows[some], right[some]
    size = math.sqrt(np.mean(right**2))
    center = [0.0, -2.0, -2.0, -4.0, -2.0, -2.0]
    start = [-math.log(players), -2.3, -math.log(players), -2.3, -2.3, -2.3]
    bounds = [(-12.0, 8.0), (-16.0, 8.0), (-8.0, 4.0), (-23.0, 4.0), (-16.0, 8.0), (-16.0, 8.0)]
    scales = 4 if odd_only else 6
    found = minimize(
        _unlikelihood,
        np.array([0.0] * players + start[:scales]),
        args=(rows, right / size, np.array(center[:scales])),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12.0, 6.0)] * players + bounds[:scales],
        options={"maxiter": STEPS},
    )
    logarithms = found.x.copy()
    logarithms[[players + at for at in (0, 1, 3, 4, 5)[: scales - 1]]] += 2 * math.log(size)
    return Prior.of(logarithms, players)


def _unlikelihood(
    logarithms: Floats, rows: Floats, right: Floats, center: Floats
) -> tuple[float, Floats]:
    """Minus the logarithm of a prior's likelihood, and its gradient by the prior's logarithms."""
    players = rows.shape[1]
    prior = Prior.of(logarithms, players)
    similar, near, far = _similarities(prior, rows)
    odd, even = prior.odd * (near - far) / 2, prior.even * (near + far) / 2
    covariance = prior.linear * similar + odd + even + prior.level
    covariance[np.diag_indices(len(rows))] += prior.noise
    try:
        root = cholesky(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:  # some rows cannot be told apart under this prior
        return UNLIKELY, np.zeros_like(logarithms)
    solved = cho_solve((root, True), right, check_finite=False)
    inverse, _ = dpotri(root, lower=True)
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


def _expected(prior: Prior, rows: Floats, right: Floats, paired: bool) -> Floats:
    """(T,) Shapley values of the expected game."""
    similar, near, far = _similarities(prior, rows)
    covariance = prior.linear * similar + prior.odd * (near - far) / 2
    covariance += prior.even * (near + far) / 2 + prior.level
    noise, solved = _solved(covariance, right, prior.noise)
    found = 2 * prior.linear * prior.relevance * (rows.T @ solved)
    found += prior.odd * _shapley_of_interactions(prior, rows, solved)
    present, left = rows > 0, noise * solved  # what the covariance does not explain
    if paired:
        present, left = np.concatenate([present, ~present]), np.append(left, -left)
    return found + white_shapley_values(present, left)


def _solved(covariance: Floats, right: Floats, noise: float) -> tuple[float, Floats]:
    """Noise that rounding needs, at least ``noise``, and the solution (M,) with it on the diagonal."""
    diagonal = covariance.diagonal().copy()
    noise = max(noise, ROUNDING * float(diagonal.max()))
    while True:
        covariance[np.diag_indices(len(right))] = diagonal + noise
        try:
            root = cholesky(covariance, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            noise *= 100
        else:
            return noise, np.asarray(cho_solve((root, True), right, check_finite=False))


def _shapley_of_interactions(prior: Prior, rows: Floats, factors: Floats) -> Floats:
    """(T,) Shapley values of ``sum_m factors_m E(x, row_m)``.

    With the multilinear extension of a game (Owen 1972) the value of player i is the integral, over the
    chance (1 + u) / 2 to be present, of its derivative by i. E is a product over players of
    ``(1 + t_i x_i y_i) / (1 + t_i)``, ``t_i = tanh(reach r_i)``: extended, x_i becomes u.
    """
    bent = np.tanh(prior.reach * prior.relevance)
    found = np.zeros(rows.shape[1])
    for node, weight in zip(NODES.tolist(), NODE_WEIGHTS.tolist(), strict=True):
        flat = np.log1p(-((bent * node) ** 2)).sum() / 2 - np.log1p(bent).sum()
        product = factors * np.exp(flat + rows @ np.arctanh(bent * node))
        gains = rows.T @ product - bent * node * product.sum()
        found += weight * bent / (1 - (bent * node) ** 2) * gains
    return found


def white_shapley_values(kept: Kept, values: Floats) -> Floats:
    """(T,) Shapley values of a game that is 0 but for some coalitions (S, T), by their values (S,)."""
    players, size = kept.shape[1], kept.sum(axis=1)
    ways = [math.comb(players - 1, others) for others in range(players)]
    share = np.array(
        [0.0, *(1 / (players * way) for way in ways), 0.0]
    )  # of a coalition's members, others
    joined = np.where(kept, share[size][:, None], -share[size + 1][:, None])
    return np.asarray(values @ joined)
