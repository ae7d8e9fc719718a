"""Which votes, and how many terms, hold for documents left out: cross-validation over documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.coverage.solve import solve
from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["LEAST_DOCUMENTS", "Option", "best_fit", "validated"]

LEAST_DOCUMENTS = 10  # with fewer, a fold holds too few pairs to say anything
FOLDS, REPEATS = 5, 2
SURE = 2.0  # standard errors over the folds; these share documents, so one would be too few
MOST_PAIRS = 2_000  # sampled for each fold, so that a thousand documents cost no more than a hundred


class Option(NamedTuple):
    """The same terms and pairs under one scale of the simple rankers, and the softness for it."""

    matrices: PreferenceMatrices
    softness: float = 0.0


def best_fit(
    options: Sequence[Option], max_terms: int, *, soft_share: float = 1.0, seed: int = 0
) -> int:
    """The option under which descent covers most of the pairs themselves; of equals the first."""
    if len(options) == 1:
        return 0
    found = [
        solve(m, max_terms, method="descent", softness=softness, soft_share=soft_share, seed=seed)
        for m, softness in options
    ]
    return int(np.argmax(np.round([selection.coverage for selection in found], 9)))


def validated(
    options: Sequence[Option], max_terms: int, *, soft_share: float = 1.0, seed: int = 0
) -> tuple[int, int]:
    """The option and the number of terms, up to ``max_terms``, that cover most unseen pairs.

    In each of ten folds a fifth of the documents is left out, terms are chosen greedily from
    the pairs of the others, and each prefix of these terms is judged on the pairs in which a
    document that was left out takes part. An option takes the place of one before it only when
    it is better by two standard errors of their difference, or more; of sizes with the same
    mean, the smallest.

    With fewer than ten documents, `best_fit` and ``max_terms``.
    """
    first = options[0].matrices
    documents = first.scores.values.shape[2]
    most = min(max_terms, first.n_terms)
    if documents < LEAST_DOCUMENTS:
        return best_fit(options, most, soft_share=soft_share, seed=seed), most
    folds = []
    for repeat, stream in enumerate(np.random.default_rng(seed).spawn(REPEATS)):
        fold = stream.permutation(documents) % FOLDS
        for left_out in range(FOLDS):
            shown = (fold[first.pairs.high] != left_out) & (fold[first.pairs.low] != left_out)
            if not shown.any() or shown.all():
                continue
            coverage = np.empty((len(options), most))
            for number, (matrices, softness) in enumerate(options):
                fitted, unseen = (_part(matrices, mask, seed + repeat) for mask in (shown, ~shown))
                chosen = solve(
                    fitted, most, method="greedy", softness=softness, soft_share=soft_share, seed=seed
                ).indices
                coverage[number] = [unseen.coverage(chosen[: size + 1]) for size in range(most)]
            folds.append(coverage)
    if not folds:
        return best_fit(options, most, soft_share=soft_share, seed=seed), most
    size = np.argmax(np.round(np.mean(folds, axis=0), 9), axis=1)
    best = 0
    for other in range(1, len(options)):
        gain = np.array([one[other, size[other]] - one[best, size[best]] for one in folds])
        if len(gain) > 1 and gain.mean() > SURE * gain.std(ddof=1) / np.sqrt(len(gain)):
            best = other
    return best, int(size[best]) + 1


def _part(matrices: PreferenceMatrices, mask: npt.NDArray[np.bool_], seed: int) -> PreferenceMatrices:
    """The pairs where ``mask`` is true, or a sample of them; the scale stays that of all."""
    chosen = np.flatnonzero(mask)
    if len(chosen) > MOST_PAIRS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST_PAIRS, replace=False))
    return PreferenceMatrices(
        matrices.scores, matrices.pairs.take(chosen), matrices.scale, matrices.margin
    )
