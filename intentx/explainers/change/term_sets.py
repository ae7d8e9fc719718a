"""Sets of terms whose scores add up, and how far the orders that they make are like a given one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.evaluation.orders import rbo_weights
from intentx.explainers.change.leaning import Leaning

__all__ = ["FIRST", "PERSISTENCE", "Goal", "Likeness", "TermSets"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
Goal = Literal["rbo", "tau", "overlap"]

PERSISTENCE = 0.9  # of RBO
DEEPER = (
    0.97  # of the RBO that guides a search: where 30 % of the documents are hidden, 0.9 sees as deep
)
FIRST = 10  # documents whose overlap counts
BLOCK = 400_000  # numbers sorted at once
DIGITS = 61  # of a key
TOLD = 30  # binary digits of the largest score: sums that differ in later ones tie


class Likeness:
    """How far orders are like the order 0, 1, … n - 1, as numbers in which 1 is the same order.

    Parameters
    ----------
    goal
        ``"rbo"``: RBO_ext with p = 0.9. ``"tau"``: the share of the pairs that are in the same order,
        which Kendall's τ counts. ``"overlap"``: the share of the first ten that both have.
    listed
        The n documents of the order; other documents of a pool are in no place of it.
    guiding
        Whether the number is smooth, for a search to climb: RBO looks deeper by half, τ becomes
        Spearman's ρ, and RBO helps the overlap.
    leaning
        What `TermSets` add for a set of columns, whatever its order.
    """

    def __init__(
        self,
        goal: Goal,
        listed: int,
        pool: int,
        *,
        guiding: bool = False,
        leaning: Leaning | None = None,
    ) -> None:
        self.goal, self.leaning, self._listed, self._pool = goal, leaning, listed, pool
        self._spearman = goal == "tau" and guiding
        self._weights = np.zeros(pool + 1)  # the last one for documents that are not found
        own = rbo_weights(listed, PERSISTENCE)
        if goal == "rbo" and guiding:
            own = (own + rbo_weights(listed, DEEPER)) / 2
        elif goal == "overlap":
            first = min(FIRST, listed)
            overlap = np.where(np.arange(listed) < first, 1 / first, 0.0)
            own = (overlap + own) / 2 if guiding else overlap
        self._weights[:listed] = own
        self._ranks = np.arange(pool)

    def __call__(self, orders: Places) -> Floats:
        """(C,) of each row of an array (C, pool): the documents in an order."""
        if self.goal != "tau":
            # A document is in both lists as deep as the deeper of its two places.
            return np.asarray(self._weights[np.maximum(orders, self._ranks)].sum(axis=1))
        if self._pool > self._listed:
            orders = orders[orders < self._listed].reshape(len(orders), self._listed)
        n = self._listed
        if self._spearman:
            most = n * (n * n - 1) / 6
            return np.asarray(1 - ((orders - np.arange(n)) ** 2).sum(axis=1) / max(most, 1) / 2)
        return _concordant(orders) / max(1, n * (n - 1) // 2)


def _concordant(orders: Places) -> Floats:
    """(C,) pairs of each row that stand in the order of their numbers."""
    rows = orders.astype(np.int16 if orders.shape[1] < 2**15 else np.int32)
    total = np.zeros(len(rows))
    for place in range(rows.shape[1] - 1):
        total += np.greater(rows[:, place + 1 :], rows[:, place : place + 1]).sum(axis=1)
    return total


class Neighbours(NamedTuple):
    """The best set in which a column stands beside some others, and its value."""

    column: int
    value: float


class TermSets:
    """Sets of columns: a column is a term with a weight, and a term has one column in a set at most.

    Parameters
    ----------
    values
        (T, P) finite score of each term in each document of a pool; a set scores a document by the sum.
        The first ``listed`` documents are those of the order to reproduce, in that order.
    listed
        Documents of the order.
    max_terms, max_weight
        Terms of a set, and weight of a term, at most.
    matching
        Whether documents that score 0 or less are not found at all, as in a search engine: then they
        are behind all others, and in no place.

    Attributes
    ----------
    tried
        Sets whose order was looked at so far.

    Notes
    -----
    The order of a set is a sort of whole numbers: scores as multiples of 2⁻⁵⁰ or so of the largest one,
    with the document's number in the last digits. The order in which terms are added up thus changes
    nothing. Sums are rounded to 2⁻³⁰ of it, so that 1/3 + 1/6 is 1/2. Documents that tie stand in the
    worst order, the reverse of the given one.

    Examples
    --------
    >>> sets = TermSets(np.array([[3.0, 2.0, 1.0], [0.0, 5.0, 0.0]]), 3, max_terms=2)
    >>> likeness = Likeness("rbo", 3, 3)
    >>> sets.value((0,), likeness), round(sets.value((0, 1), likeness), 3)
    (1.0, 0.9)
    """

    def __init__(
        self,
        values: Floats,
        listed: int,
        *,
        max_terms: int = 10,
        max_weight: int = 1,
        matching: bool = False,
    ) -> None:
        self.terms, pool = int(values.shape[0]), int(values.shape[1])
        self.listed, self.pool = listed, pool
        self.max_terms, self.max_weight = min(max_terms, self.terms), max_weight
        self.matching, self.tried = matching, 0
        self._low = max(1, int(pool - 1).bit_length())
        # Sums stay within 63 digits, however many columns are added.
        room = DIGITS - self._low - math.ceil(math.log2(max(2, max_terms * max_weight)))
        largest = float(np.abs(values).max(initial=0.0)) or 1.0
        unit = 2.0 ** (room - math.ceil(math.log2(largest)))  # halves and quarters stay exact
        whole = np.round(values * unit).astype(np.int64)
        weights = np.arange(1, max_weight + 1)
        self._columns = np.concatenate([-(whole * int(w)) << self._low for w in weights])
        self._last = np.arange(pool - 1, -1, -1, dtype=np.int64)
        self._mask = np.int64((1 << self._low) - 1)
        dropped = self._low + max(1, room - TOLD)
        self._half, self._told = np.int64(1 << (dropped - 1)), np.int64(-1 << dropped)

    @property
    def columns(self) -> int:
        """Terms times weights: column ``c`` is term ``c % terms`` of weight ``c // terms + 1``."""
        return self.terms * self.max_weight

    def term(self, column: int) -> int:
        """The term of a column."""
        return column % self.terms

    def weight(self, column: int) -> int:
        """The weight that a column gives its term."""
        return column // self.terms + 1

    def value(self, columns: Iterable[int], likeness: Likeness) -> float:
        """How far the order of a set is like the given one."""
        columns = list(columns)
        found = float(self._values(self._sum(columns)[None].copy(), likeness)[0])
        return found if likeness.leaning is None else found + likeness.leaning.of(columns)

    def beside(self, columns: Sequence[int], likeness: Likeness) -> Floats:
        """(columns,) value of the set with each column added; -inf where its term is in the set."""
        base, step = self._sum(columns), max(1, BLOCK // self.pool)
        found = np.empty(self.columns)
        for start in range(0, self.columns, step):
            part = self._columns[start : start + step] + base
            found[start : start + step] = self._values(part, likeness)
        if likeness.leaning is not None:
            found += likeness.leaning.beside(columns)
        held = {self.term(column) for column in columns}
        for term in held:
            found[term :: self.terms] = -math.inf
        return found

    def best_beside(self, columns: Sequence[int], likeness: Likeness) -> Neighbours:
        """The best column to add to a set; the first of several."""
        values = self.beside(columns, likeness)
        best = int(np.argmax(values))
        return Neighbours(best, float(values[best]))

    def _sum(self, columns: Iterable[int]) -> Integers:
        chosen = np.fromiter(columns, dtype=np.intp)
        return np.asarray(self._columns[chosen].sum(axis=0) + self._half)

    def _values(self, keys: Integers, likeness: Likeness) -> Floats:
        """(C,) of keys (C, P), which are sorted in their place."""
        self.tried += len(keys)
        keys &= self._told
        keys |= self._last
        keys.sort(axis=1)
        orders = self.pool - 1 - (keys & self._mask)
        if self.matching and likeness.goal != "tau":  # there they tie, which counts as wrong
            orders[keys >> self._low >= 0] = self.pool
        return likeness(orders)
