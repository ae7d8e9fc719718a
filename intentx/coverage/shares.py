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
        sample = matrices.pairs.take(np.arange(0, matrices.n_pairs, step))
        matrices = PreferenceMatrices(matrices.scores, sample, matrices.scale, matrices.margin)
    if count <= EXACT_TERMS:
        chosen_orders = list(itertools.permutations(range(count)))
    else:
        generator = np.random.default_rng(seed)
        drawn = [tuple(generator.permutation(count).tolist()) for _ in range(orders)]
        chosen_orders = [order for one in drawn for order in (one, one[::-1])]
    known: dict[frozenset[int], float] = {frozenset(): 0.0}
    gains = np.zeros(count)
    for order in chosen_orders:
        before = 0.0
        for length, term in enumerate(order, start=1):
            members = frozenset(order[:length])
            if members not in known:
                known[members] = matrices.coverage(sorted(members))
            gains[term] += known[members] - before
            before = known[members]
    shares = gains / len(chosen_orders)
    rest = total - shares.sum()  # rounding, and what the sample of pairs differs by
    return np.asarray(shares + rest / count)
