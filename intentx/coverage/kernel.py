"""Values of many term sets at once: fast and in float32, or exact for few of them."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.coverage.objective import Objective
from intentx.preferences.matrices import NOISE

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["WIDTH", "Exact", "Kernel"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

BLOCK = 400_000  # numbers a kernel works on at once: few calls, and they stay in the cache
WIDTH = 0.8  # least width of the tanh whose slopes make short lists: as wide as a term moves a vote
LARGEST = 16.0  # score difference by one term up to which exponentials stay within float32
FAR = 26.0  # score differences beyond are as good as infinite: no term brings them back
NEAR = 20.0  # scores up to this far from their middle need no float64
DEGREES, CLOSE = 4, 1e-5  # of a polynomial in the place of a sigmoid: coefficients, and error
PART = 8_192  # pairs that are evaluated at once in float64
FARTHEST = 170.0  # scores up to this far from their middle have exponentials in float64
TIED = 1e-12  # votes that exponentials do not tell from zero
ROUNDING = 1e-5  # more than float64 and pairs at the margin can move a value
ONE = np.float32(1)


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

    Notes
    -----
    A vote is a sum of ``tanh(base + entry)``, the entry of the term added to the score difference
    under the others. With ``a = exp(-2 base)`` and ``e = exp(2 entry)`` kept in their place, that is
    ``1 - 2 a / (a + e)``: a sum and a quotient, a tenth of the time that a tanh takes. Where a single
    simple ranker decides strictly, the sign of the sum is all it takes; and where scores are too far
    apart for exponentials, tanh itself is used. The sigmoid of a soft objective is a polynomial where
    votes are small beside the softness.
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
        self._widest = np.ptp(self.documents, axis=2).max(axis=0)  # (R,) by one term
        self.total = float(weight.sum() if objective.weighted else self.n_pairs)
        self.weight = (weight if objective.weighted else np.ones(self.n_pairs)).astype(np.float32)
        self.rows = max(1, BLOCK // (rankers * self.n_pairs))
        self._flat = self.documents.reshape(terms + 1, -1).astype(np.float32)
        self._ends = _ends(high, low, documents, rankers)
        self._sums = np.empty((self.rows, rankers, self.n_pairs), dtype=np.float32)
        self._spare = np.empty((2, self.rows, self.n_pairs), dtype=np.float32)
        self._set_objective(objective)

    def under(self, objective: Objective) -> Kernel:
        """The kernel of the same term scores, pairs and weights under another scale or softness.

        They share memory to work in, and so only one of them may work at a time.
        """
        other = copy.copy(self)
        other._set_objective(objective)
        return other

    def _set_objective(self, objective: Objective) -> None:
        matrices = objective.matrices
        self.objective = objective
        self.soft = objective.softness > 0
        self._louder = (self._scale / np.asarray(matrices.scale))[:, None]
        margin = max(matrices.margin, NOISE)
        by_sign = matrices.n_rankers == 1 and not self.soft
        if by_sign:
            margin = math.atanh(margin) if margin < 1 else math.inf
        self._by_sign = by_sign
        self._by_ratio = not by_sign and bool((self._widest * self._louder[:, 0]).max() <= LARGEST)
        # What `_joined` gives is at least, or at most, so much for a pair that is covered.
        self._margin = np.float32((matrices.n_rankers - margin) / 2 if self._by_ratio else margin)
        self._line = self._lined()
        slope, _, most = self._line
        self._polynomial = _sigmoid(float(slope), most) if self.soft else None
        self._width = np.float32(max(WIDTH, 2 * objective.softness if objective.smooth else 0.0))
        # (T + 1, R, P), made for a term when it is first looked at
        self._entry: Singles = np.empty((self.n_terms + 1, *self._sums.shape[1:]), dtype=np.float32)
        self._made = np.zeros(self.n_terms + 1, dtype=bool)

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
        """(R, P) score differences d under the terms at ``rest``, or exp(-2 d)."""
        scores = self.documents[list(rest)].sum(axis=0) * self._louder
        if not self._by_ratio:
            found = scores.take(self.high, axis=1) - scores.take(self.low, axis=1)
            return np.asarray(found, dtype=np.float32)
        scores -= (scores.max(axis=1, keepdims=True) + scores.min(axis=1, keepdims=True)) / 2
        if np.abs(scores).max() <= NEAR:
            return self._ratios(np.exp(2 * scores), -1)
        up = np.exp(np.clip(2 * scores, -340, 340))
        far = (1 / up).take(self.high, axis=1) * up.take(self.low, axis=1)
        return np.asarray(np.clip(far, math.exp(-2 * FAR), math.exp(2 * FAR)), dtype=np.float32)

    def _ratios(self, up: Floats, sign: int) -> Singles:
        """(…, P) quotients of the pairs' documents, high over low or the other way, from (…, N)."""
        over, under = (up, 1 / up)[::sign]
        found: Singles = over.astype(np.float32).take(self.high, axis=-1)
        found *= under.astype(np.float32).take(self.low, axis=-1)
        return found

    def _make(self, terms: Sequence[int]) -> None:
        """Entries of these terms, unless they are there."""
        missing = [term for term in terms if not self._made[term]]
        for start in range(0, len(missing), self.rows):  # in blocks, for a low peak of memory
            part = missing[start : start + self.rows]
            scores = self.documents[part] * self._louder
            if self._by_ratio:
                middle = (scores.max(axis=2, keepdims=True) + scores.min(axis=2, keepdims=True)) / 2
                self._entry[part] = self._ratios(np.exp(2 * (scores - middle)), 1)
            else:
                self._entry[part] = scores.take(self.high, axis=2) - scores.take(self.low, axis=2)
        self._made[missing] = True

    def _slopes(self, base: Singles) -> Singles:
        """(T + 1,) rise of ``sum_i w_i tanh((vote_i - margin) / width)``, times width, along each term.

        For a soft objective that is mostly its soft part; a strict one has no slopes of its own.
        """
        if self._by_ratio:
            part = base / (ONE + base)
            rise, vote = 4 * part * (1 - part), len(base) - 2 * part.sum(axis=0)
        else:
            each = np.tanh(base)
            rise, vote = 1 - each * each, each.sum(axis=0)
        bend = np.tanh((vote - np.float32(self.objective.matrices.margin)) / self._width)
        rise *= self._louder.astype(np.float32)
        rise *= self.weight * (1 - bend * bend)
        return np.asarray(self._flat @ (self._ends @ rise.ravel()))

    def _values(self, base: Singles, terms: Indices | None) -> Floats:
        every = list(range(self.n_terms + 1)) if terms is None else terms.tolist()
        self._make(every)
        found = np.empty(len(every))
        for start in range(0, len(every), self.rows):
            part = every[start : start + self.rows]
            sums = self._sums[: len(part)]
            for place, term in enumerate(part):
                np.add(self._entry[term], base, out=sums[place])
            if self._by_ratio:
                np.divide(base, sums, out=sums)
            elif not self._by_sign:
                np.tanh(sums, out=sums)
            found[start : start + len(part)] = self._block(sums)
        return found

    def best(self, sets: Sequence[Sequence[int]]) -> list[int]:
        """The first set of highest value."""
        none = np.array([self.n_terms])
        return list(sets[int(np.argmax([self.values(one, none)[0] for one in sets]))])

    def _block(self, parts: Singles) -> Floats:
        """Values of B sets from the votes (B, R, P) of the simple rankers, or ``(1 - vote) / 2``."""
        joined, bent = self._spare[:, : len(parts)]
        np.add(parts[:, 0], parts[:, 1] if parts.shape[1] > 1 else 0, out=joined)
        for ranker in range(2, parts.shape[1]):
            joined += parts[:, ranker]
        share = self.objective.soft_share if self.soft else 0.0
        found: Floats = np.zeros(len(parts))
        if share < 1:
            covers = np.less if self._by_ratio else np.greater
            covers(joined, self._margin, out=bent)
            found += (1 - share) * (bent @ self.weight).astype(np.float64) / self.total
        if share > 0:
            self._bend(joined, bent)
            found += share * (joined @ self.weight).astype(np.float64) / self.total
        return found

    def _bend(self, joined: Singles, spare: Singles) -> None:
        """Put the sigmoid of ``(vote - margin) / softness`` in the place of what `_block` joined."""
        slope, height, most = self._line
        if self._polynomial is not None:
            joined += height / slope
            np.multiply(joined, joined, out=spare)
            bent = np.multiply(spare, self._polynomial[-1])
            for coefficient in self._polynomial[-2:0:-1]:
                bent += coefficient
                bent *= spare
            bent += self._polynomial[0]
            joined *= bent
            joined += np.float32(0.5)
            return
        joined *= slope
        joined += height
        if most > 80:  # beyond, exp would overflow
            np.minimum(joined, np.float32(80), out=joined)
        np.exp(joined, out=joined)
        joined += ONE
        np.reciprocal(joined, out=joined)

    def _lined(self) -> tuple[np.float32, np.float32, float]:
        """Slope and height that make ``(margin - vote) / softness`` of what `_block` joins; its most."""
        if not self.soft:
            return ONE, ONE, 0.0
        rankers, softness = self.objective.matrices.n_rankers, self.objective.softness
        margin = self.objective.matrices.margin
        slope, height = -1 / softness, margin / softness
        if self._by_ratio:
            slope, height = 2 / softness, (margin - rankers) / softness
        return np.float32(slope), np.float32(height), (rankers + margin) / softness


def _ends(high: Indices, low: Indices, documents: int, rankers: int) -> csr_array:
    """(R N, R P) 1 where a document is the preferred one of a pair, -1 where it is the other one."""
    from scipy.sparse import csr_array

    of_ranker = np.arange(rankers)[:, None]
    rows = np.concatenate([(of_ranker * documents + end).ravel() for end in (high, low)])
    columns = np.tile(np.arange(rankers * len(high)), 2)
    ones = np.ones(rankers * len(high), dtype=np.float32)
    shape = (rankers * documents, rankers * len(high))
    return csr_array((np.concatenate([ones, -ones]), (rows, columns)), shape=shape)


@functools.lru_cache(maxsize=64)
def _sigmoid(slope: float, most: float) -> Singles | None:
    """Coefficients of x, x^3, … for ``sigmoid(-slope x) - 1 / 2`` where ``|slope x| <= most``.

    None where a few are not enough.
    """
    if most > 8:
        return None
    from numpy.polynomial import Chebyshev, Polynomial

    def odd(square: Floats) -> Floats:
        root = np.sqrt(square)
        return np.asarray(np.tanh(-slope * root / 2) / (2 * root))

    widest = (most / slope) ** 2
    ends = [1e-12 * widest, widest]
    fit = Chebyshev.interpolate(odd, DEGREES - 1, domain=ends)
    where = np.linspace(ends[0], ends[1], 100)
    if np.max(np.abs(fit(where) - odd(where)) * np.sqrt(where)) > CLOSE:
        return None
    return np.asarray(fit.convert(kind=Polynomial).coef, dtype=np.float32)


class Exact:
    """The same as `Kernel`, over all pairs and in float64: for few sets, when pairs are many.

    Exponentials are taken of the documents, of which there are few, and not of the pairs. Values
    differ from those of `Objective.value` by rounding, and are remembered.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.n_terms = objective.matrices.n_terms
        self._known: dict[tuple[int, ...], float] = {}

    def values(self, rest: Sequence[int], terms: Indices | None = None) -> Floats:
        """Values of the set ``rest`` plus each of ``terms``."""
        every = np.arange(self.n_terms + 1) if terms is None else terms
        kept = [term for term in rest if term < self.n_terms]
        sets = [[*kept, int(term)] if term < self.n_terms else kept for term in every]
        return np.array([self.value(one) for one in sets])

    def value(self, indices: Sequence[int]) -> float:
        """Value of the terms at ``indices``."""
        one = tuple(sorted(indices))
        if one not in self._known:
            self._known[one] = self._value(one)
        return self._known[one]

    def _value(self, indices: Sequence[int]) -> float:
        objective, matrices, pairs = (
            self.objective,
            self.objective.matrices,
            self.objective.matrices.pairs,
        )
        sums = matrices.document_sums(indices)
        sums -= (sums.max(axis=1, keepdims=True) + sums.min(axis=1, keepdims=True)) / 2
        if np.abs(sums).max() > FARTHEST or matrices.margin < TIED:
            return objective.value(indices)
        parts = np.exp(2 * sums)
        value = 0.0
        for start in range(0, len(pairs), PART):
            part = slice(start, start + PART)
            votes = _votes(parts, pairs.high[part], pairs.low[part])
            value += float(objective.weight[part] @ objective.counts(votes))
        return value

    def best(self, sets: Iterable[Sequence[int]]) -> list[int]:
        """As `Objective.best`, which is asked about those that rounding could put first."""
        unique = list({tuple(sorted(one)): None for one in sets})
        values = np.array([self.value(one) for one in unique])
        first = np.flatnonzero(values >= values.max() - ROUNDING)
        return self.objective.best([unique[number] for number in first])


def _votes(parts: Floats, high: Indices, low: Indices) -> Floats:
    """(P,) votes of pairs, from (R, N) exponentials of twice the documents' scores."""
    votes = np.full(len(high), float(len(parts)))
    for part in parts:  # tanh(a - b) is 1 - 2 exp(2 b) / (exp(2 a) + exp(2 b))
        lower = part.take(low)
        both = part.take(high)
        both += lower
        lower /= both
        lower *= 2
        votes -= lower
    return votes
