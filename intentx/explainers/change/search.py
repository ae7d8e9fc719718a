"""The search for smallest sets of edits: by what the ranker says of some, others are asked next."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.explainers.change.goals import Outcome
from intentx.explainers.change.subsets import best_sets

__all__ = ["BATCH", "Searched", "SetSearch"]

Chosen = frozenset[int]
Floats = npt.NDArray[np.float64]

BATCH = 16  # sets asked about at a time
OF_SINGLES = 0.7  # share of a budget that single edits may take
PATIENCE = 3  # batches of sets of one size without a better one
CLIMBS = 6  # rounds of adding, dropping and exchanging edits


class Searched(NamedTuple):
    """How many sets of a size were asked about, of how many there are."""

    size: int
    asked: int
    of: int


class SetSearch:
    """Looks for the smallest sets of edits that reach a goal, and remembers all it asked.

    Parameters
    ----------
    order
        The numbers of the edits, those that promise most first.
    ask
        Outcomes of sets of edits; called with up to `BATCH` of them.
    accepts
        Whether a set that reaches the goal is an answer: it may be asked again, or elsewhere.
    start
        The outcome without edits.
    budget, prove
        Most sets to ask about in the search, and in the proof that there is no smaller one.
    until
        When to stop, on the clock of `time.perf_counter`.
    """

    def __init__(
        self,
        order: Sequence[int],
        ask: Callable[[list[Chosen]], list[Outcome]],
        accepts: Callable[[Chosen], bool],
        start: Outcome,
        *,
        budget: int,
        prove: int,
        until: float = math.inf,
    ) -> None:
        self.order = tuple(order)
        self.known: dict[Chosen, Outcome] = {frozenset(): start}
        self._ask, self._accepts, self._start = ask, accepts, start
        self._left = {"search": budget, "proof": prove}
        self._budget = budget
        self._stage = "search"
        self._until = until
        self._accepted: dict[Chosen, bool] = {}
        self.late = False

    def spend(self, texts: int) -> None:
        """Take from the budget what is asked elsewhere for this search."""
        self._left[self._stage] -= texts

    @property
    def stage(self) -> str:
        """``"search"`` or ``"proof"``."""
        return self._stage

    def look(self, sets: Iterable[Chosen]) -> list[Chosen]:
        """Ask about sets, as far as the budget goes; those of them whose outcome is known now."""
        wanted = list(dict.fromkeys(sets))
        new = [one for one in wanted if one not in self.known]
        for first in range(0, len(new), BATCH):
            if self._over():
                break
            some = new[first : first + min(BATCH, self._left[self._stage])]
            self._left[self._stage] -= len(some)
            self.known.update(zip(some, self._ask(some), strict=True))
        return [one for one in wanted if one in self.known]

    def reaches(self, one: Chosen) -> bool:
        """Whether a set that was asked about is an answer."""
        if one not in self.known or self.known[one].margin <= 0:
            return False
        if one not in self._accepted:
            self._accepted[one] = self._accepts(one)
        return self._accepted[one]

    def smallest(self, among: Sequence[int] | None = None) -> Chosen | None:
        """A small set that reaches the goal, of these edits; None if none is found."""
        self._stage = "search"
        edits = tuple(self.order if among is None else among)
        found = self._single(edits)
        if found is None and len(edits) > 1:
            found = self._several(edits)
        if found is None:
            return None
        return self._known_smaller(found, edits)

    def _known_smaller(self, found: Chosen, edits: Sequence[int]) -> Chosen:
        """The smallest set of these edits that was asked about and reaches the goal, else the set."""
        smaller = [one for one in self.known if 0 < len(one) < len(found) and one <= frozenset(edits)]
        by_size = sorted(smaller, key=lambda one: (len(one), -self.known[one].margin))
        return next((one for one in by_size if self.reaches(one)), found)

    def proven(self, found: Chosen) -> tuple[Chosen, bool]:
        """The set or a smaller one that reaches the goal, and whether all smaller ones were asked."""
        self._stage = "proof"
        found = self._known_smaller(found, self.order)  # a search for others may have met it
        size = 1
        while size < len(found):
            weights = self._weights()
            complete = True
            for some in _batches(self._sets(self.order, weights, size)):
                self.look(some)
                better = next((one for one in some if self.reaches(one)), None)
                if better is not None:
                    found = better
                    break
                if any(one not in self.known for one in some):
                    complete = False
                    break
            if size < len(found) and not complete:
                return found, False
            size += 1
        return found, True

    def rest(self) -> Chosen | None:
        """The first set that is enough of all others, if they are no more than the proof may ask.

        None where no set reaches the goal, or where there are too many to say so.
        """
        self._stage = "proof"
        if 2 ** len(self.order) - len(self.known) > self._left["proof"]:
            return None
        for size in range(1, len(self.order) + 1):
            for some in _batches(self._sets(self.order, self._weights(), size)):
                found = next((one for one in self.look(some) if self.reaches(one)), None)
                if found is not None or self._over():
                    return found
        return None

    def searched(self, below: int) -> tuple[Searched, ...]:
        """For each size below one: the sets asked about, and all there are."""
        sizes = [len(one) for one in self.known]
        return tuple(
            Searched(size, sizes.count(size), math.comb(len(self.order), size))
            for size in range(1, below)
            if size <= len(self.order)
        )

    def effect(self, edit: int) -> float:
        """What an edit by itself adds to the margin; 0 where it was not asked."""
        known = self.known.get(frozenset([edit]))
        return 0.0 if known is None else known.margin - self._start.margin

    def _over(self) -> bool:
        self.late = self.late or time.perf_counter() >= self._until
        return self.late or self._left[self._stage] <= 0

    def _single(self, edits: Sequence[int]) -> Chosen | None:
        """One edit that is enough; the batch with the first such one is asked to its end."""
        most = max(BATCH, int(OF_SINGLES * self._budget))
        for some in _batches(frozenset([edit]) for edit in edits[:most]):
            known = self.look(some)
            enough = sorted((one for one in known), key=lambda one: -self.known[one].margin)
            found = next((one for one in enough if self.reaches(one)), None)
            if found is not None or self._over():
                return found
        return None

    def _several(self, edits: Sequence[int]) -> Chosen | None:
        """Several edits: as many of the strongest as it takes, and then fewer."""
        found = self._by_length(edits)
        if found is None:
            found = self._growing(edits)
        if found is None:
            return None
        found = self._fewer(found)
        while len(found) > 2 and not self._over():
            better = self._first(edits, len(found) - 1)
            if better is None:
                break
            found = self._fewer(better)
        return found

    def _by_length(self, edits: Sequence[int]) -> Chosen | None:
        """The fewest of the edits, by what each does alone, that reach the goal together."""
        by_effect = sorted(edits, key=lambda edit: (-self.effect(edit), self.order.index(edit)))
        sizes = [size for size in _sizes() if size < len(by_effect)] + [len(by_effect)]
        sets = [frozenset(by_effect[:size]) for size in sizes]
        known = self.look(sets)
        enough = next((one for one in known if self.reaches(one)), None)
        if enough is None:
            return None
        low = max((len(one) for one in known if len(one) < len(enough)), default=1)
        while len(enough) - low > 1 and not self._over():
            middle = frozenset(by_effect[: (low + len(enough)) // 2])
            if self.look([middle]) and self.reaches(middle):
                enough = middle
            else:
                low = len(middle)
        return enough

    def _growing(self, edits: Sequence[int]) -> Chosen | None:
        """Sets of 2, 3, … edits by what they promise; then steps from the best set known."""
        for size in range(2, min(len(edits), 4) + 1):
            found = self._first(edits, size)
            if found is not None or self._over():
                return found
        allowed = [one for one in self.known if one <= frozenset(edits)]
        best = max(allowed, key=lambda one: (self.known[one].margin, -len(one), sorted(one)))
        for _ in range(CLIMBS):
            steps = self._steps(best, edits)
            known = self.look(steps)
            enough = [one for one in known if self.reaches(one)]
            if enough:
                return min(enough, key=lambda one: (len(one), -self.known[one].margin))
            better = max(known, key=lambda one: self.known[one].margin, default=best)
            if self._over() or self.known[better].margin <= self.known[best].margin:
                return None
            best = better
        return None

    def _steps(self, one: Chosen, edits: Sequence[int]) -> list[Chosen]:
        """Sets that differ from one by an edit more, or an edit less."""
        weights = self._weights()
        outside = sorted((e for e in edits if e not in one), key=lambda edit: -weights[edit])
        inside = sorted(one, key=lambda edit: weights[edit])
        more = [one | {edit} for edit in outside[:BATCH]]
        return [*more, *(one - {edit} for edit in inside[: BATCH // 2] if len(one) > 1)]

    def _fewer(self, found: Chosen) -> Chosen:
        """The set without edits that it does not need."""
        while len(found) > 1 and not self._over():
            without = self.look(found - {edit} for edit in sorted(found))
            enough = [one for one in without if self.reaches(one)]
            if not enough:
                break
            by_margin = sorted(enough, key=lambda one: (-self.known[one].margin, sorted(one)))
            droppable = [next(iter(found - one)) for one in by_margin]
            several = [found - set(droppable[:size]) for size in _sizes() if size <= len(droppable)]
            known = [one for one in self.look(one for one in several if one) if self.reaches(one)]
            found = min([by_margin[0], *known], key=lambda one: (len(one), -self.known[one].margin))
        return found

    def _first(self, edits: Sequence[int], size: int) -> Chosen | None:
        """The first set of a size that reaches the goal, of those that promise most."""
        for _ in range(PATIENCE):
            weights = self._weights()
            some = next(_batches(self._sets(edits, weights, size)), [])
            known = self.look(some)
            enough = [one for one in known if self.reaches(one)]
            if enough:
                return max(enough, key=lambda one: self.known[one].margin)
            if not some or self._over():
                break
        return None

    def _sets(self, edits: Sequence[int], weights: dict[int, float], size: int) -> Iterable[Chosen]:
        """Sets of a size that were not asked about, by the sum of their weights."""
        for places in best_sets([weights[edit] for edit in edits], size):
            one = frozenset(edits[place] for place in places)
            if one not in self.known:
                yield one

    def _weights(self) -> dict[int, float]:
        """What each edit adds to the margin, by all that was asked: ridge about its effect alone."""
        place = {edit: i for i, edit in enumerate(self.order)}
        alone = np.array([self.effect(edit) for edit in self.order])
        several = [one for one in self.known if len(one) > 1]
        if several:
            held = np.zeros((len(several), len(place)))
            for row, one in enumerate(several):
                held[row, [place[edit] for edit in one if edit in place]] = 1.0
            gained = np.array([self.known[one].margin - self._start.margin for one in several])
            rest = gained - held @ alone
            dual = np.linalg.solve(held @ held.T + np.eye(len(several)), rest)
            alone = alone + held.T @ dual
        return dict(zip(self.order, alone.tolist(), strict=True))


def _batches(sets: Iterable[Chosen]) -> Iterator[list[Chosen]]:
    """Sets, `BATCH` at a time."""
    some: list[Chosen] = []
    for one in sets:
        some.append(one)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def _sizes() -> Iterable[int]:
    """2, 3, 4, 6, 8, 12, 16, … up to thousands."""
    return sorted([2**i for i in range(1, 14)] + [3 * 2**i for i in range(13)])
