"""Which votes, and how many terms, hold for documents left out: cross-validation over documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.coverage.greedy import SHORT
from intentx.coverage.kernel import Kernel
from intentx.coverage.objective import Objective
from intentx.coverage.solve import solve
from intentx.preferences.matrices import PreferenceMatrices
from intentx.preferences.pairs import Pairs

__all__ = ["LEAST_DOCUMENTS", "Option", "best_fit", "greedy_terms", "improved_size", "validated"]

Floats = npt.NDArray[np.float64]

LEAST_DOCUMENTS = 10  # with fewer, a fold holds too few pairs to say anything
FOLDS, REPEATS = 5, 2
LEAST_FOLDS = 2  # after which an option that is no better than the first leaves the race
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
    it is better by two standard errors of their difference, or more; one that after two folds
    or more is no better than the first is not tried on the others. Of sizes with the same mean,
    the smallest.

    With fewer than ten documents, `best_fit` and ``max_terms``.
    """
    first = options[0].matrices
    documents = first.scores.values.shape[2]
    most = min(max_terms, first.n_terms)
    if documents < LEAST_DOCUMENTS:
        return best_fit(options, most, soft_share=soft_share, seed=seed), most
    prefixes = np.tri(most, dtype=bool)
    racing = list(range(len(options)))
    folds: list[Floats] = []  # (O, S) coverage by each option and size, NaN once it has left the race
    for fitted, unseen in _folds(first.pairs, documents, seed):
        kernel = None
        coverage = np.full((len(options), most), np.nan)
        for number in racing:
            matrices, softness = options[number]
            objective = Objective(matrices.on(fitted), softness, soft_share)
            kernel = Kernel(objective) if kernel is None else kernel.under(objective)
            chosen = greedy_terms(kernel, most)
            coverage[number] = matrices.restricted(chosen).on(unseen).coverages(prefixes)
        folds.append(coverage)
        if len(folds) >= LEAST_FOLDS:
            racing = [number for number in racing if not number or _gain(folds, 0, number).mean() > 0]
    if not folds:
        return best_fit(options, most, soft_share=soft_share, seed=seed), most
    best = 0
    for other in racing[1:]:
        gain = _gain(folds, best, other)
        if len(gain) > 1 and gain.mean() > SURE * gain.std(ddof=1) / np.sqrt(len(gain)):
            best = other
    return best, _size(folds, best) + 1


def improved_size(
    few: Option,
    many: Option,
    max_terms: int,
    *,
    gain: float,
    soft_share: float = 1.0,
    seed: int = 0,
) -> int:
    """How many terms of ``many`` cover most unseen pairs, if that is more than those of ``few`` cover by
    the share ``gain`` of the pairs; else 0. Both are over the same pairs, with the folds of `validated`.
    """
    documents = few.matrices.scores.values.shape[2]
    if documents < LEAST_DOCUMENTS:
        return 0
    folds: list[list[Floats]] = [
        [_unseen(option, fitted, unseen, max_terms, soft_share) for option in (few, many)]
        for fitted, unseen in _folds(few.matrices.pairs, documents, seed)
    ]
    if len(folds) < LEAST_FOLDS:
        return 0
    of_few, of_many = (np.array(part) for part in zip(*folds, strict=True))
    size = int(np.argmax(np.round(of_many.mean(axis=0), 9)))
    more = of_many[:, size].mean() - of_few.mean(axis=0).max()
    return size + 1 if more >= gain else 0


def _unseen(option: Option, fitted: Pairs, unseen: Pairs, max_terms: int, soft_share: float) -> Floats:
    """(S,) coverage of unseen pairs by the first 1, 2, … terms that are chosen for the fitted ones."""
    matrices, softness = option
    most = min(max_terms, matrices.n_terms)
    chosen = greedy_terms(Kernel(Objective(matrices.on(fitted), softness, soft_share)), most)
    return matrices.restricted(chosen).on(unseen).coverages(np.tri(most, dtype=bool))


def _folds(pairs: Pairs, documents: int, seed: int) -> Iterator[tuple[Pairs, Pairs]]:
    """Pairs to choose terms from, and those in which a document that was left out takes part."""
    for repeat, stream in enumerate(np.random.default_rng(seed).spawn(REPEATS)):
        fold = stream.permutation(documents) % FOLDS
        for left_out in range(FOLDS):
            shown = (fold[pairs.high] != left_out) & (fold[pairs.low] != left_out)
            if shown.any() and not shown.all():
                yield _sample(pairs, shown, seed + repeat), _sample(pairs, ~shown, seed + repeat)


def _size(folds: Sequence[Floats], option: int) -> int:
    """The index of the size at which an option covers most; of equal ones the smallest."""
    return int(np.argmax(np.round(np.mean([fold[option] for fold in folds], axis=0), 9)))


def _gain(folds: Sequence[Floats], best: int, other: int) -> Floats:
    """How much more ``other`` covers in each fold than ``best``, each at its best size."""
    size, least = _size(folds, other), _size(folds, best)
    return np.array([fold[other, size] - fold[best, least] for fold in folds])


def greedy_terms(kernel: Kernel, size: int) -> list[int]:
    """Terms, each the best to add among those along which a smooth objective rises most."""
    allowed = np.ones(kernel.n_terms + 1, dtype=bool)
    allowed[-1] = False
    chosen: list[int] = []
    while len(chosen) < size:
        moves, values = kernel.steepest(chosen, allowed, SHORT)
        chosen.append(int(moves[values.argmax()]))
        allowed[chosen[-1]] = False
    return chosen


def _sample(pairs: Pairs, mask: npt.NDArray[np.bool_], seed: int) -> Pairs:
    """The pairs where ``mask`` is true, or a sample of them."""
    chosen = np.flatnonzero(mask)
    if len(chosen) > MOST_PAIRS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST_PAIRS, replace=False))
    return pairs.take(chosen)
