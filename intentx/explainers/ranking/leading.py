"""Which simple ranker may lead the others when terms are chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intentx.coverage.validate import Option
from intentx.preferences import PreferenceMatrices
from intentx.preferences.simple_rankers import Dense, Semantic, SimpleRanker

__all__ = ["LED", "SOFTNESS", "leading_options"]

SOFTNESS = 2 / 3  # for each simple ranker that speaks up: nearly linear, no pair is given up
LED = 10.0  # where one simple ranker leads, by how much the votes of the others are divided


def leading_options(
    matrices: PreferenceMatrices, simple_rankers: Sequence[SimpleRanker], *, soft: bool, equal: bool
) -> dict[str, Option]:
    """The simple rankers with equal votes, under "", and each one leading, by its name.

    The first is the one to take when in doubt: measured, vectors that come from elsewhere say more
    about unseen documents than the words of the few documents at hand.

    Parameters
    ----------
    soft
        Whether pairs count smoothly, by their vote.
    equal
        Whether none may lead.
    """
    softness, number = SOFTNESS if soft else 0.0, matrices.n_rankers
    alike = {"": Option(matrices, softness * number)}
    if equal or number == 1:
        return alike
    leading = {
        ranker.name: Option(matrices.rescaled(np.where(np.arange(number) == j, 1.0, LED)), softness)
        for j, ranker in enumerate(simple_rankers)
    }
    informed = [
        ranker.name
        for ranker in simple_rankers
        if isinstance(ranker, Dense) or (isinstance(ranker, Semantic) and ranker.vectors is not None)
    ]
    return {name: leading[name] for name in informed} | alike | leading
