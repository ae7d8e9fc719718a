"""How many terms hold for documents they were not chosen from: cross-validation over documents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intentx.coverage.solve import solve
from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["LEAST_DOCUMENTS", "validated_size"]

LEAST_DOCUMENTS = 10  # with fewer, a fold holds too few pairs to say anything
FOLDS, REPEATS = 5, 2
MOST_PAIRS = 5_000  # sampled for each fold, so that a thousand documents cost no more than a hundred


def validated_size(
    matrices: PreferenceMatrices,
    max_terms: int,
    *,
    softness: float = 0.0,
    soft_share: float = 1.0,
    seed: int = 0,
) -> int:
    """The number of terms, up to ``max_terms``, that covers most pairs with unseen documents.

    In each of ten folds a fifth of the documents is left out, terms are chosen greedily from
    the pairs of the others, and each prefix of these terms is judged on the pairs in which a
    document that was left out takes part. Of sizes with the same mean, the smallest.

    With fewer than ten documents, ``max_terms``.
    """
    documents = matrices.scores.values.shape[2]
    most = min(max_terms, matrices.n_terms)
    if documents < LEAST_DOCUMENTS:
        return most
    coverage = np.zeros(most)
    for repeat, stream in enumerate(np.random.default_rng(seed).spawn(REPEATS)):
        fold = stream.permutation(documents) % FOLDS
        for left_out in range(FOLDS):
            shown = (fold[matrices.pairs.high] != left_out) & (fold[matrices.pairs.low] != left_out)
            if not shown.any() or shown.all():
                continue
            fitted, unseen = (_part(matrices, mask, seed + repeat) for mask in (shown, ~shown))
            chosen = solve(
                fitted, most, method="greedy", softness=softness, soft_share=soft_share, seed=seed
            ).indices
            for size in range(1, most + 1):
                coverage[size - 1] += unseen.coverage(chosen[:size])
    return int(np.argmax(np.round(coverage, 9))) + 1


def _part(matrices: PreferenceMatrices, mask: npt.NDArray[np.bool_], seed: int) -> PreferenceMatrices:
    """The pairs where ``mask`` is true, or a sample of them; the scale stays that of all."""
    chosen = np.flatnonzero(mask)
    if len(chosen) > MOST_PAIRS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST_PAIRS, replace=False))
    return PreferenceMatrices(
        matrices.scores, matrices.pairs.take(chosen), matrices.scale, matrices.margin
    )
