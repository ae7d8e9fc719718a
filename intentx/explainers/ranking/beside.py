"""Words that count only together: what a term does in documents that hold another one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.evaluation.statistics import student_test
from intentx.explainers.ranking.adjusted import standard_errors
from intentx.random_edits import RandomisedEdits

__all__ = ["Beside", "effects_beside"]

Floats = npt.NDArray[np.float64]

CHANGES = 3  # edited documents in which a term changed beside the other, at least
FEWEST = 1e-9  # of a sum that is no sum


class Beside(NamedTuple):
    """Effects of T terms in edited documents that hold each of T other terms.

    Attributes
    ----------
    effects
        (K, T, T) of the second term on K responses, in documents that hold the first.
    errors, freedom
        (T, T) standard errors of the effects on the first response, infinity where too little was
        changed, and degrees of freedom.
    chance
        (T, T) probability of an effect on it as large if there is none; 1 where it is not known.
    """

    effects: Floats
    errors: Floats
    freedom: Floats
    chance: Floats


def effects_beside(
    edits: RandomisedEdits, held: npt.NDArray[np.bool_], left: Floats, responses: Floats
) -> Beside:
    """Effects of each term beside each other one, by the estimator of `randomised_effects`.

    Chance decided for each term by itself, so among the documents that hold another term when all is
    done it is still chance alone that changed the one.

    Parameters
    ----------
    held
        (E, T) whether an edited document holds a term.
    left
        (K, E, T) what all else but the term leaves to explain of ``responses`` (K, E).
    """
    rows = held.astype(np.float64).T
    change, surprise = edits.change, edits.change - edits.expected
    told, changed = surprise * left, surprise * change
    power = rows @ changed
    known = (rows @ (change != 0) >= CHANGES) & (power > 0)
    np.fill_diagonal(known, val=False)
    freedom = (rows @ surprise**2) ** 2 / np.maximum(rows @ surprise**4, FEWEST)
    freedom = np.clip(freedom, 1.5, max(len(held) - 2, 1.5))
    effects = np.divide(rows @ told, power, out=np.zeros((len(left), *power.shape)), where=known)
    one, effect = told[0], effects[0]
    left_over = rows @ one**2 - 2 * effect * (rows @ (one * changed)) + effect**2 * (rows @ changed**2)
    variance = np.maximum(left_over, 0.0) * freedom / (freedom - 1)
    errors = np.full(power.shape, np.inf)
    errors[known] = standard_errors(variance[known], power[known], responses[0])
    ratio = np.divide(effect, errors, out=np.zeros(power.shape), where=known & (errors > 0))
    return Beside(effects, errors, freedom, np.where(known, student_test(ratio, freedom), 1.0))
