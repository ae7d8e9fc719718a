"""What a change is to reach: a place in the ranking, and how far a score is from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.ranking import Ranking
from intentx.scoring import unit_of

__all__ = ["Goal", "Outcome", "Target"]

Floats = npt.NDArray[np.float64]
Goal = Literal["leave", "enter", "below", "above", "rank"]


class Outcome(NamedTuple):
    """Where a document stands after an edit.

    Attributes
    ----------
    margin
        How far its score is beyond what the goal needs; 0 or less where the goal is not reached.
    rank
        Its rank, from 1. A document with the same score is where it makes the goal harder.
    score
        Its score.
    """

    margin: float
    rank: int
    score: float


@dataclass(frozen=True)
class Target:
    """A goal for one document of one ranking.

    Attributes
    ----------
    goal, position
        The goal, and the document's place.
    rises
        Whether the document is to rise; else it is to fall.
    rank
        The worst rank that reaches the goal where it is to rise, the best one where it is to fall.
        Of a pair, the rank of the other document.
    other
        Position of the other document of a pair; None without one.
    """

    goal: Goal
    position: int
    rises: bool
    rank: int
    other: int | None = None

    @classmethod
    def of(
        cls, ranking: Ranking, position: int, goal: Goal, k: int, rank: int | None, above: int | None
    ) -> Target:
        """The goal as a method and a call of ``explain`` have it.

        Raises
        ------
        InputError
            If the goal does not fit the list, or ``above`` does not fit the goal.
        """
        size, here = len(ranking), position + 1
        if goal in ("above", "below"):
            return cls._pair(ranking, position, goal, above)
        if above is not None:
            raise InputError(
                f"goal={goal!r} is about one document, and above={ranking.doc_ids[above]!r} names "
                "another one: leave above out, or use goal='above' or goal='below'"
            )
        if goal == "rank":
            if rank is None or rank > size:
                raise InputError(f"goal='rank' needs rank=, from 1 to {size}, not {rank!r}")
            return cls(goal, position, rank < here, rank)
        if goal == "leave" and k >= size:
            raise InputError(
                f"no document can leave the first {k} of {size}: k must be smaller than the number of "
                "documents; rank more documents, or choose a smaller k"
            )
        return cls(goal, position, goal == "enter", k if goal == "enter" else k + 1)

    @classmethod
    def _pair(cls, ranking: Ranking, position: int, goal: Goal, above: int | None) -> Target:
        if above is None:
            raise InputError(
                f"goal={goal!r} compares two documents: name the other one, "
                "explain(ranking, doc, above=OTHER)"
            )
        if above == position:
            raise InputError(f"document {ranking.doc_ids[position]!r} is never {goal} itself")
        return cls(goal, position, goal == "above", above + 1, above)

    def met(self) -> bool:
        """Whether the ranking itself reaches the goal."""
        here = self.position + 1
        return here <= self.rank if self.rises else here >= self.rank

    def outcome(self, score: float, scores: Floats) -> Outcome:
        """Where the document stands with a score beside the scores (N,) of the list.

        Its own entry there does not count.
        """
        others = np.delete(scores, self.position)
        if self.other is not None:
            bar = float(scores[self.other])
        else:
            best_first = np.sort(others)[::-1]
            place = self.rank - (1 if self.rises else 2)
            bar = float(best_first[min(place, len(best_first) - 1)])
        unit = unit_of(score, bar)
        gap = score / unit - bar / unit
        ahead = others >= score if self.rises else others > score
        return Outcome(gap if self.rises else -gap, 1 + int(ahead.sum()), score)

    def words(self, ranking: Ranking) -> str:
        """The goal in words, as in "to leave the first 10"."""
        if self.other is not None:
            return f"to stand {self.goal} {ranking.doc_ids[self.other]!r}"
        if self.goal == "rank":
            return f"to {'rise' if self.rises else 'fall'} to rank {self.rank}"
        first = self.rank if self.rises else self.rank - 1
        return f"to {self.goal} the first {first}"
