"""What every solver maximises: the exact value of a term set, and a fast kernel to search with."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.preferences.matrices import NOISE, PreferenceMatrices

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Exact", "Found", "Kernel", "Objective", "Problem"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

BLOCK = 400_000  # numbers a kernel works on at once: few calls, and they stay in the cache
DENSE_PAIRS = 16_000  # with more pairs, moves are screened on a random sample of this many ...
DENSE_NUMBERS = 30_000_000  # ... or fewer, so that the dense matrices stay below 120 MB
WIDTH = 0.8  # least width of the tanh whose slopes make short lists: as wide as a term moves a vote


class Objective:
    """Share of the pairs that a term set covers, by weight.

    With ``softness`` s > 0 a pair counts ``sigmoid((vote - margin) / s)`` to ``soft_share``, and 0
    or 1 to the rest.
    """

    def __init__(
        self, matrices: PreferenceMatrices, softness: float = 0.0, soft_share: float = 1.0
    ) -> None:
        self.matrices = matrices
        self.softness = softness if soft_share > 0 else 0.0
        self.soft_share = soft_share
        self.weighted = matrices.pairs.weight is not None
        weight = matrices.pairs.weight
        self.weight: Floats = np.ones(matrices.n_pairs) if weight is None else weight
        self.weight = self.weight / self.weight.sum()

    @property
    def smooth(self) -> bool:
        """Whether half of it or more is soft."""
        return self.softness > 0 and self.soft_share >= 0.5

    def value(self, indices: Sequence[int]) -> float:
        """Value in [0, 1] of the terms at ``indices``, in float64 and never from running sums."""
        if self.softness > 0:
            return float(self.weight @ self.soft(self.matrices.votes(indices)))
        if not self.weighted:
            return self.matrices.coverage(indices)
        return math.fsum(self.weight[self.matrices.covered(indices)])

    def soft(self, votes: Floats) -> Floats:
        """What votes count for, with softness. The sigmoid is a tanh: that never overflows."""
        above = votes - self.matrices.margin
        smooth = 0.5 + 0.5 * np.tanh(above / (2 * self.softness))
        return self.soft_share * smooth + (1 - self.soft_share) * (above > 0)

    def best(self, sets: Iterable[Sequence[int]]) -> list[int]:
        """The set of highest value; of equal ones the smallest, then the lowest indices."""
        unique = {tuple(sorted(one)) for one in sets}
        return list(min((-self.value(one), len(one), one) for one in unique)[2])


class Kernel:
    """Values of many term sets that differ in one term, in float32, over some of the pairs.

    Index ``n_terms`` stands for "no term": it changes nothing, so that swapping, adding and
    dropping a term are one and the same move.

    Parameters
    ----------
    objective
        What to evaluate.
    chosen
        Indices of the pairs to look at; None for all of them.
    """

    def __init__(self, objective: Objective, chosen: Indices | None = None) -> None:
        matrices = objective.matrices
        rankers, terms, documents = matrices.scores.values.shape
        high, low = matrices.pairs.high, matrices.pairs.low
        weight = objective.weight
        if chosen is not None:
            high, low, weight = high[chosen], low[chosen], weight[chosen]
        self.n_terms = terms
        self._scale = np.asarray(matrices.scale)  # of what is kept here
        self.n_pairs = len(high)
        self.high, self.low = high, low
        self.documents = np.zeros((terms + 1, rankers, documents))
        self.documents[:-1] = matrices.scaled.transpose(1, 0, 2)
        single = self.documents.astype(np.float32)
        self.entry: Singles = np.empty((terms + 1, rankers, self.n_pairs), dtype=np.float32)
        step = max(1, BLOCK // (rankers * self.n_pairs))
        for start in range(0, terms + 1, step):  # in blocks, for a low peak of memory
            part = single[start : start + step]
            np.subtract(
                part.take(high, axis=2), part.take(low, axis=2), out=self.entry[start : start + step]
            )
        self.total = float(weight.sum() if objective.weighted else self.n_pairs)
        self.weight = (weight if objective.weighted else np.ones(self.n_pairs)).astype(np.float32)
        self.rows = step
        self._flat = single.reshape(terms + 1, -1)
        self._ends = _ends(high, low, documents)
        self._sums = np.empty((self.rows, rankers, self.n_pairs), dtype=np.float32)
        self._mask = np.empty((self.rows, self.n_pairs), dtype=bool)
        self._set_objective(objective)

    def under(self, objective: Objective) -> Kernel:
        """The kernel of the same term scores, pairs and weights under another scale or softness.

        They share what is large, and so only one of them may work at a time.
        """
        other = copy.copy(self)
        other._set_objective(objective)
        return other

    def _set_objective(self, objective: Objective) -> None:
        matrices = objective.matrices
        self.objective = objective
        self.soft = objective.softness > 0
        self._louder = (self._scale / np.asarray(matrices.scale)).astype(np.float32)[:, None]
        self._as_kept = bool((self._louder == 1).all())
        margin = max(matrices.margin, NOISE)
        if matrices.n_rankers == 1 and not self.soft:  # the sign of tanh needs no tanh
            margin = math.atanh(margin) if margin < 1 else math.inf
        self._margin = np.float32(margin)
        self._width = np.float32(max(WIDTH, 2 * objective.softness if objective.smooth else 0.0))

    def values(self, rest: Sequence[int], terms: Indices | None = None) -> Floats:
        """Values of the set ``rest`` plus each of ``terms``; None for each of all, "no term" last."""
        return self._values(self._base(rest), terms)

    def steepest(
        self, rest: Sequence[int], allowed: npt.NDArray[np.bool_], length: int
    ) -> tuple[Indices, Floats]:
        """Moves worth a look, in index order, and the values of ``rest`` plus each of them.

        They are the ``length`` moves along which a smooth objective rises most, to first order,
        and "no term". ``allowed`` (T + 1,) says which moves may be among them.
        """
        base = self._base(rest)
        moves = np.flatnonzero(allowed)
        if len(moves) > length:
            slopes = np.where(allowed, self._slopes(base), -np.inf)
            if allowed[-1]:
                slopes[-1] = np.inf
            moves = np.sort(np.argpartition(-slopes, length)[:length])
        return moves, self._values(base, moves)

    def _base(self, rest: Sequence[int]) -> Singles:
        """(R, P) score differences under the terms at ``rest``."""
        sums = self.documents[list(rest)].sum(axis=0)
        base: Singles = (sums.take(self.high, axis=1) - sums.take(self.low, axis=1)).astype(np.float32)
        return base

    def _slopes(self, base: Singles) -> Singles:
        """(T + 1,) rise of ``sum_i w_i tanh((vote_i - margin) / width)``, times width, along each term.

        For a soft objective that is mostly its soft part; a strict one has no slopes of its own.
        """
        each = np.tanh(base * self._louder)
        above = each.sum(axis=0) - np.float32(self.objective.matrices.margin)
        bend = np.tanh(above / self._width)
        slope = self._louder * (1 - each * each) * (self.weight * (1 - bend * bend))
        pull = np.concatenate([self._ends @ ranker for ranker in slope])
        return np.asarray(self._flat @ pull)

    def _values(self, base: Singles, terms: Indices | None) -> Floats:
        every = range(self.n_terms + 1) if terms is None else terms.tolist()
        found = np.empty(len(every))
        for start in range(0, len(every), self.rows):
            part = every[start : start + self.rows]
            sums = self._sums[: len(part)]
            for place, term in enumerate(part):
                np.add(self.entry[term], base, out=sums[place])
            found[start : start + len(part)] = self._block(sums)
        return found

    def best(self, sets: Sequence[Sequence[int]]) -> list[int]:
        """The first set of highest value."""
        none = np.array([self.n_terms])
        return list(sets[int(np.argmax([self.values(one, none)[0] for one in sets]))])

    def _block(self, sums: Singles) -> Floats:
        """Values of B sets, whose score differences (B, R, P) it overwrites."""
        if not self._as_kept:
            sums *= self._louder
        if sums.shape[1] > 1 or self.soft:
            np.tanh(sums, out=sums)
        vote = sums[:, 0]
        for ranker in range(1, sums.shape[1]):
            vote += sums[:, ranker]
        share = self.objective.soft_share if self.soft else 0.0
        found: Floats = np.zeros(len(sums))
        if share < 1:
            mask = np.greater(vote, self._margin, out=self._mask[: len(sums)])
            found += (1 - share) * (mask @ self.weight).astype(np.float64) / self.total
        if share > 0:
            vote -= np.float32(self.objective.matrices.margin)
            vote *= np.float32(0.5 / self.objective.softness)
            np.tanh(vote, out=vote)
            found += share * (0.5 + 0.5 * (vote @ self.weight).astype(np.float64) / self.total)
        return found


def _ends(high: Indices, low: Indices, documents: int) -> csr_array:
    """(N, P) 1 where a document is the preferred one of a pair, -1 where it is the other one."""
    from scipy.sparse import csr_array

    pairs = np.arange(len(high))
    ones = np.ones(len(high), dtype=np.float32)
    places = np.concatenate([high, low]), np.concatenate([pairs, pairs])
    return csr_array((np.concatenate([ones, -ones]), places), shape=(documents, len(high)))


class Exact:
    """The same as `Kernel`, over all pairs and in float64: for few sets, when pairs are many."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.n_terms = objective.matrices.n_terms

    def values(self, rest: Sequence[int], terms: Indices | None = None) -> Floats:
        """Values of the set ``rest`` plus each of ``terms``."""
        every = np.arange(self.n_terms + 1) if terms is None else terms
        kept = [term for term in rest if term < self.n_terms]
        sets = [[*kept, int(term)] if term < self.n_terms else kept for term in every]
        return np.array([self.objective.value(one) for one in sets])


@dataclass(frozen=True)
class Problem:
    """What is maximised within which limits, with the kernels that the solvers share.

    Attributes
    ----------
    deadline
        `time.perf_counter` value at which to stop, infinite for none.
    """

    objective: Objective
    min_terms: int
    max_terms: int
    seed: int = 0
    deadline: float = math.inf

    @property
    def matrices(self) -> PreferenceMatrices:
        return self.objective.matrices

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.perf_counter() >= self.deadline

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
        return self.kernel if self.dense else Exact(self.objective)

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
