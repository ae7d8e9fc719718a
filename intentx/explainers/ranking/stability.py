"""How sure the first terms by their effects are, and the share that is wanted of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from intentx.errors import InputError

if TYPE_CHECKING:
    from intentx.explainers.ranking.term_effect import TermEffect

__all__ = ["check_stability", "stability_of"]

FIRST = 3  # terms that are to stay the first ones
DRAWS = 400  # of effects
TWO_SIDED = 1.96  # standard deviations that an interval of 95 % reaches to either side


def check_stability(stability: float | None) -> None:
    """Refuse what is no share to wait for."""
    if stability is None:
        return
    if isinstance(stability, bool) or not isinstance(stability, Real) or not 0 < stability <= 1:
        raise InputError(f"stability must be a number above 0, at most 1, or None, not {stability!r}")


def stability_of(found: Sequence[TermEffect]) -> float:
    """Share of the three terms with the largest effects that is expected to stay among these three.

    Effects are drawn from their intervals; terms that were found to have none do not take part. NaN
    where fewer than three have one.

    Examples
    --------
    >>> from intentx.explainers.ranking.term_effect import TermEffect
    >>> sure = [TermEffect(t, e, e - 0.1, e + 0.1, 0, 9, "wanted") for t, e in zip("abcd", (4, 3, 2, 1))]
    >>> stability_of(sure), stability_of(sure[:2])
    (1.0, nan)
    """
    proven = [one for one in found if one.kind in ("wanted", "unwanted")]
    if len(proven) < FIRST:
        return math.nan
    effect = np.array([one.effect for one in proven])
    unit = np.abs(effect).max() or 1.0
    error = np.array([one.high / unit - one.low / unit for one in proven]) / (2 * TWO_SIDED)
    drawn = effect / unit + error * np.random.default_rng(0).standard_normal((DRAWS, len(proven)))
    first = np.argsort(-np.abs(effect), kind="stable")[:FIRST]
    ranked = np.argsort(-np.abs(drawn), axis=1, kind="stable")[:, :FIRST]
    return float(np.isin(ranked, first).mean())
