"""Terms chosen from some of the documents, judged on pairs among the others; on shuffled orders, too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.coverage.kernel import Kernel
from intentx.coverage.objective import Objective
from intentx.coverage.validate import Option, greedy_terms
from intentx.preferences.matrices import PreferenceMatrices, TermScores

__all__ = ["HELD_OUT", "Choice", "Splits", "cross_fitted"]

Floats = npt.NDArray[np.float64]

HELD_OUT = 0.3  # of the documents in each split
LEAST_HELD = 3  # documents, whose pairs can be covered or not
MOST_PAIRS = 2_000  # sampled for each split: more tell little more


class Choice(NamedTuple):
    """What terms were chosen from, so that they can be chosen again from other documents.

    Attributes
    ----------
    option
        Scores of all candidates, over the pairs of the ranking.
    size
        Terms to choose; 0 where the terms were given, and all candidates are the terms.
    soft_share
        Of the objective.
    groups
        (N,) numbers of the documents, the same for those that are left out together, such as copies:
        a ranker scores them the same, and one would give away the other. None: no two.
    """

    option: Option
    size: int
    soft_share: float
    groups: npt.NDArray[np.intp] | None = None


class Splits(NamedTuple):
    """Coverage of (S,) splits' pairs among held-out documents, and the terms each one chose."""

    coverage: Floats
    chosen: tuple[tuple[int, ...], ...]
    held: int
    fitted: int


def cross_fitted(choice: Choice, splits: int, seed: int = 0, *, shuffled: bool = False) -> Splits | None:
    """Choose terms from a random 70 % of the documents, and judge them on pairs among the rest.

    Parameters
    ----------
    splits
        How many random splits.
    shuffled
        Whether the documents first change places at random, in each split anew: what is found then
        is due to chance.

    Returns
    -------
    Splits
        None where the documents are too few, or all tied.
    """
    matrices = choice.option.matrices
    documents = matrices.scores.values.shape[2]
    held = round(HELD_OUT * documents)
    if held < LEAST_HELD:
        return None
    coverage, chosen = [], []
    for stream in np.random.default_rng([seed, shuffled]).spawn(splits):
        some = _permuted(matrices, stream) if shuffled else matrices
        # Shuffled, no two documents go together, and each is a group of its own.
        groups = None if shuffled else choice.groups
        hidden = _hidden(np.arange(documents) if groups is None else groups, held, stream)
        both = hidden[some.pairs.high].astype(int) + hidden[some.pairs.low]
        fitted, unseen = (some.pairs.take(_some(both == number, stream)) for number in (0, 2))
        if not len(fitted) or not len(unseen):
            continue
        terms = tuple(range(matrices.n_terms))
        if 0 < choice.size < len(terms):
            objective = Objective(some.on(fitted), choice.option.softness, choice.soft_share)
            terms = tuple(greedy_terms(Kernel(objective), choice.size))
        chosen.append(terms)
        coverage.append(some.on(unseen).coverage(terms))
    return Splits(np.array(coverage), tuple(chosen), held, documents - held) if coverage else None


def _hidden(
    groups: npt.NDArray[np.intp], held: int, generator: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """(N,) which documents are left out: groups at random, as many as make no more than ``held``."""
    names, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = generator.permutation(len(names))
    out = np.zeros(len(names), dtype=bool)
    out[order[np.cumsum(sizes[order]) <= held]] = True
    return np.asarray(out[group])


def _some(mask: npt.NDArray[np.bool_], generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """Where ``mask`` is true, or a sample of it."""
    found = np.flatnonzero(mask)
    if len(found) > MOST_PAIRS:
        found = np.sort(generator.choice(found, MOST_PAIRS, replace=False))
    return found


def _permuted(matrices: PreferenceMatrices, generator: np.random.Generator) -> PreferenceMatrices:
    """The same pairs of places, with other documents in them."""
    known = matrices.scores
    values = known.values[:, :, generator.permutation(known.values.shape[2])]
    scores = TermScores(values, known.terms, known.rankers)
    return PreferenceMatrices(scores, matrices.pairs, matrices.scale, matrices.margin)
