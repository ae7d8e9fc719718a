"""What each stage of a ranker made of a list of texts: `StageScores`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.capabilities import Capabilities

__all__ = ["StageScores", "ranks_of_scores", "within"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class StageScores:
    """The scores and ranks that one stage gave to N texts.

    Attributes
    ----------
    name
        Which stage: ``"first stage"``, ``"reranker"``, ``"part 1"``, ``"fusion"``; the stages of a
        stage have its name before theirs, ``"first stage: part 1"``.
    ranker
        What scored the texts.
    scores
        (N,) its scores; NaN for texts that it was not given.
    ranks
        (N,) ranks from 1 by these scores, equal scores sharing the best of their ranks; 0 for texts
        that it was not given.
    shares
        (N,) what a part of a fusion adds to the fused score; None for other stages.
    """

    name: str
    ranker: str
    scores: Floats
    ranks: Places
    shares: Floats | None = None


def ranks_of_scores(scores: Floats) -> Places:
    """(N,) ranks from 1; equal scores share the best of their ranks, and NaN has the rank 0.

    >>> ranks_of_scores(np.array([0.5, 2.0, 0.5, np.nan, 0.1])).tolist()
    [2, 1, 2, 0, 4]
    """
    ranks = np.zeros(len(scores), dtype=np.intp)
    known = ~np.isnan(scores)
    falling = -scores[known]
    ranks[known] = np.searchsorted(np.sort(falling), falling, side="left") + 1
    return ranks


def within(
    name: str, scorer: Any, query: str, texts: Sequence[str], scores: Floats
) -> tuple[StageScores, ...]:
    """A stage, behind the stages that it has itself.

    Parameters
    ----------
    scores
        (N,) what the stage as a whole gave to the texts; NaN: nothing.
    """
    whole = StageScores(name, Capabilities.of(scorer).name, scores, ranks_of_scores(scores))
    inner = Capabilities.of(scorer).stages
    if inner is None:
        return (whole,)
    parts: tuple[StageScores, ...] = tuple(inner(query, texts))
    if np.array_equal(parts[-1].scores, scores):  # it is the whole
        parts = parts[:-1]
    return *(dataclasses.replace(one, name=f"{name}: {one.name}") for one in parts), whole
