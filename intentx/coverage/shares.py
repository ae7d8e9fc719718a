"""What each chosen term contributes: its share of the coverage."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["coverage_shares"]

Floats = npt.NDArray[np.float64]

EXACT_TERMS = 7  # up to so many terms all orders' subsets are walked; beyond, orders are sampled
SAMPLED_PAIRS = 5_000
ROUNDING = 1e-12  # far below what one pair in one order counts


def coverage_shares(matrices: PreferenceMatrices, *, orders: int = 32, seed: int = 0) -> Floats:
    """(T,) Shapley values of the coverage by all terms of ``matrices``; they sum to the coverage.

    Exact up to 7 terms. Beyond, the mean gain over ``orders`` random orders and their reverses,
    so a share is known to about 0.05. With more than 5,000 pairs, a regular sample of them.
    """
    count = matrices.n_terms
    if not count or not matrices.n_pairs:
        return np.zeros(count)
    total = matrices.coverage(range(count))
    if matrices.n_pairs > SAMPLED_PAIRS:
        step = -(-matrices.n_pairs // SAMPLED_PAIRS)
        matrices = matrices.on(matrices.pairs.take(np.arange(0, matrices.n_pairs, step)))
    if count <= EXACT_TERMS:
        chosen_orders = list(itertools.permutations(range(count)))
    else:
        generator = np.random.default_rng(seed)
        drawn = [tuple(generator.permutation(count).tolist()) for _ in range(orders)]
        chosen_orders = [order for one in drawn for order in (one, one[::-1])]
    placed = np.array(chosen_orders, dtype=np.intp)
    # (K, T + 1, T): which terms are there after each step of an order, from none to all
    there = placed.argsort(axis=1)[:, None] < np.arange(count + 1)[:, None]
    sets, which = _different(there.reshape(-1, count))
    gained = np.diff(matrices.coverages(sets)[which].reshape(len(placed), count + 1), axis=1)
    gains = np.bincount(placed.ravel(), gained.ravel(), count)
    shares = gains / len(chosen_orders)
    rest = total - shares.sum()  # rounding, and what the sample of pairs differs by
    shares = np.asarray(shares + rest / count)
    shares[np.abs(shares) < ROUNDING] = 0.0
    return shares


def _different(sets: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """The different rows of an (S, T) array, sorted, and for each row which of them it is."""
    if sets.shape[1] > 62:  # more than a whole number can stand for
        rows, which = np.unique(sets, axis=0, return_inverse=True)
        return rows, which
    codes = sets @ (1 << np.arange(sets.shape[1])[::-1])
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return sets[first], which
