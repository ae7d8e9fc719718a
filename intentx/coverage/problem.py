"""What is maximised within which limits, and what comes of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from intentx.coverage.kernel import Exact, Kernel
from intentx.coverage.objective import Objective
from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["Found", "Limits", "Problem"]

Indices = npt.NDArray[np.intp]

DENSE_PAIRS = 16_000  # with more pairs, moves are screened on a random sample of this many ...
DENSE_NUMBERS = 30_000_000  # ... or fewer, so that the dense matrices stay below 120 MB


@dataclass
class Limits:
    """When a search stops: after some time, or after so many steps, which is the same everywhere.

    A step is a term that greedy adds, a draw of annealing, a move of a descent, a start of the
    relaxation, a block of sets that are all tried, or a node of the integer program.

    Attributes
    ----------
    deadline
        `time.perf_counter` value at which to stop, infinite for none.
    steps
        Most steps, None for no limit.
    taken
        Steps so far.
    """

    deadline: float = math.inf
    steps: int | None = None
    taken: int = 0

    def take(self, steps: int = 1) -> None:
        """Count steps that were taken."""
        self.taken += steps

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.steps is not None or not math.isinf(self.deadline)

    @property
    def left(self) -> int | None:
        """Steps that are left, None for no limit."""
        return None if self.steps is None else max(0, self.steps - self.taken)

    @property
    def reached(self) -> bool:
        """Whether time or steps are used up."""
        return self.left == 0 or time.perf_counter() >= self.deadline


@dataclass(frozen=True)
class Problem:
    """What is maximised within which limits, with the kernels that the solvers share.

    Attributes
    ----------
    limits
        When to stop.
    """

    objective: Objective
    min_terms: int
    max_terms: int
    seed: int = 0
    limits: Limits = field(default_factory=Limits)

    @property
    def matrices(self) -> PreferenceMatrices:
        return self.objective.matrices

    @property
    def late(self) -> bool:
        """Whether time or steps are used up."""
        return self.limits.reached

    @cached_property
    def dense(self) -> bool:
        """Whether the search looks at all pairs, not at a sample of them."""
        return self.matrices.n_pairs <= self._dense_pairs

    @property
    def _dense_pairs(self) -> int:
        per_pair = self.matrices.n_rankers * (self.matrices.n_terms + 1)
        return max(1000, min(DENSE_PAIRS, DENSE_NUMBERS // per_pair))

    @cached_property
    def kernel(self) -> Kernel:
        """Over all pairs, or over a uniform sample when they are too many."""
        return Kernel(self.objective, self._sample(self._dense_pairs, 0))

    @cached_property
    def judge(self) -> Kernel | Exact:
        """What decides between sets: `kernel` where it sees all pairs."""
        return self.kernel if self.dense else self._exact

    @cached_property
    def _exact(self) -> Exact:
        return Exact(self.objective)

    def best(self, sets: Iterable[Sequence[int]]) -> list[int]:
        """The set of highest value; of equal ones the smallest, then the lowest indices."""
        return self._exact.best(sets)

    def _sample(self, count: int, stream: int) -> Indices | None:
        if self.matrices.n_pairs <= count:
            return None
        generator = np.random.default_rng([self.seed, stream])
        return np.sort(generator.choice(self.matrices.n_pairs, size=count, replace=False))


@dataclass(frozen=True)
class Found:
    """What a solver came up with: a term set, how, and what it proved.

    Attributes
    ----------
    bound
        No term set within the limits has a higher value; None when nothing is known.
    """

    indices: list[int]
    method: str
    bound: float | None = None
