"""Searches for the set of terms whose order is most like a given one."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from intentx.explainers.change.leaning import Leaning
from intentx.explainers.change.term_sets import Goal, Likeness, TermSets

__all__ = ["Found", "Limits", "best_first", "descend", "greedy", "iterated", "search"]

GAIN = 1e-12  # of an improvement, at least: less is rounding
EXPANSIONS = 40  # of the best-first search
BRANCHES = 10  # children that it keeps of a set
WORSE = 0.003  # that an iterated search accepts
GUIDED = 0.9  # of the steps, with the smooth number
SHAKEN = 2  # terms that are drawn anew, or one more
AGAIN = 20  # times as many tries as there are sets, at most: of few terms all have been met by then


class Found(NamedTuple):
    """A set of columns, and its value."""

    columns: tuple[int, ...]
    value: float


@dataclass
class Limits:
    """When a search ends: after so many sets, or at a time of `time.perf_counter`."""

    sets: TermSets = field(repr=False)
    steps: float
    deadline: float = math.inf

    def __post_init__(self) -> None:
        self._last = self.sets.tried + self.steps

    @property
    def reached(self) -> bool:
        """Whether it is over."""
        return self.sets.tried >= self._last or (
            self.deadline < math.inf and time.perf_counter() >= self.deadline
        )

    def part(self, share: float) -> Limits:
        """The first part of what is left."""
        return Limits(self.sets, share * (self._last - self.sets.tried), self.deadline)


def greedy(sets: TermSets, likeness: Likeness, start: Sequence[int] = ()) -> Found:
    """The column that adds most, again and again, until none adds anything or the set is full."""
    chosen = list(start)
    value = sets.value(chosen, likeness) if chosen else -math.inf
    while len(chosen) < sets.max_terms:
        best = sets.best_beside(chosen, likeness)
        if best.value <= value + GAIN:
            break
        chosen.append(best.column)
        value = best.value
    return Found(tuple(chosen), value)


def best_first(sets: TermSets, likeness: Likeness, expansions: int = EXPANSIONS) -> Found:
    """The best set met when the best one so far is always the next to be extended.

    After Llordes, Ganguly, Bhatia & Agarwal (SIGIR 2023).

    Parameters
    ----------
    expansions
        Sets that are extended by each column; the best ten extensions of each wait for their turn.
    """
    best, number = Found((), -math.inf), 0
    waiting: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, ())]
    seen: set[frozenset[int]] = set()
    while waiting and expansions:
        _, _, chosen = heapq.heappop(waiting)
        expansions -= 1
        values = sets.beside(chosen, likeness)
        for column in np.argsort(-values, kind="stable")[:BRANCHES].tolist():
            child = (*chosen, column)
            if not math.isfinite(values[column]) or frozenset(child) in seen:
                continue
            seen.add(frozenset(child))
            number += 1
            if values[column] > best.value + GAIN:
                best = Found(child, float(values[column]))
            if len(child) < sets.max_terms:
                heapq.heappush(waiting, (-float(values[column]), number, child))
    return best


def descend(
    sets: TermSets, likeness: Likeness, start: Sequence[int], limits: Limits, draws: np.random.Generator
) -> Found:
    """Put the best column in the place of each one, add one, leave one out, until nothing gains."""
    chosen = list(start)
    value = sets.value(chosen, likeness) if chosen else -math.inf
    while not limits.reached:
        before = value
        # A column of -1 is none yet: room for one more.
        room = [-1] if len(chosen) < sets.max_terms else []
        for column in room + [chosen[i] for i in draws.permutation(len(chosen)).tolist()]:
            rest = [one for one in chosen if one != column]
            best = sets.best_beside(rest, likeness)
            if best.value > value + GAIN:
                chosen, value = [*rest, best.column], best.value
            if column >= 0 and rest:
                without = sets.value(rest, likeness)
                if without >= value:  # a shorter query that is no worse
                    chosen, value = rest, without
            if limits.reached:
                break
        if value <= before + GAIN:
            break
    return Found(tuple(chosen), value)


def iterated(
    sets: TermSets,
    likeness: Likeness,
    start: Sequence[int],
    limits: Limits,
    draws: np.random.Generator,
) -> Found:
    """Descend, draw a few terms anew, descend again; what is hardly worse is gone on from."""
    best = here = descend(sets, likeness, start, limits, draws)
    while not limits.reached:
        drawn = SHAKEN + int(draws.integers(0, 2))
        kept = [here.columns[i] for i in draws.permutation(len(here.columns))[drawn:].tolist()]
        there = descend(sets, likeness, _filled(sets, kept, draws), limits, draws)
        if there.value >= here.value - WORSE:
            here = there
        if there.value > best.value + GAIN:
            best = there
    return best


def _filled(sets: TermSets, kept: Sequence[int], draws: np.random.Generator) -> list[int]:
    """A full set, of some columns and of others drawn."""
    held = {sets.term(column) for column in kept}
    free = [term for term in range(sets.terms) if term not in held]
    more = draws.permutation(len(free))[: sets.max_terms - len(kept)].tolist()
    weights = draws.integers(0, sets.max_weight, size=len(more)).tolist()
    drawn = [free[i] + weight * sets.terms for i, weight in zip(more, weights, strict=True)]
    return [*kept, *drawn]


def _number(sets: TermSets) -> int:
    """How many sets there are."""
    return sum(
        math.comb(sets.terms, size) * sets.max_weight**size for size in range(1, sets.max_terms + 1)
    )


def search(
    sets: TermSets,
    goal: Goal,
    query: Sequence[int],
    others: Iterable[Sequence[int]] = (),
    *,
    first: Sequence[int] | None = None,
    steps: int,
    deadline: float = math.inf,
    seed: int = 0,
    leaning: Leaning | None = None,
) -> Found:
    """The best set of all that these searches find: greedy, best-first, iterated, and sets given.

    Parameters
    ----------
    query
        Columns of the query's own terms, where the iterated search starts.
    others
        Other sets, for instance those of a solver.
    first
        What best-first search found, where it has run; an empty set leaves it out.
    steps
        Sets that the iterated search tries, at most twenty times as many as there are; greedy,
        best-first and the last descent end by themselves.
    leaning
        What the iterated search climbs beside the likeness, so that what it finds holds on other
        documents; another set is the answer where its likeness is higher nevertheless.

    Notes
    -----
    The iterated search climbs a smoother number than the one asked for (`Likeness`), which holds better
    on documents left out, and ends with a descent by the number itself.
    """
    draws = np.random.default_rng(seed)
    exact = Likeness(goal, sets.listed, sets.pool)
    last = Likeness(goal, sets.listed, sets.pool, leaning=leaning)
    smooth = Likeness(goal, sets.listed, sets.pool, guiding=True, leaning=leaning)
    limits = Limits(sets, min(steps, AGAIN * _number(sets)), deadline)
    begun = tuple(query)[: sets.max_terms]
    found = [Found(begun, sets.value(begun, exact))] if begun else []
    first = best_first(sets, exact).columns if first is None else first
    found.append(greedy(sets, exact))
    others = [*others, first]
    found += [Found(tuple(one), sets.value(one, exact)) for one in others if len(one)]
    start = greedy(sets, smooth, begun).columns
    guided = iterated(sets, smooth, start, limits.part(GUIDED), draws).columns
    free = Limits(sets, math.inf, deadline)
    ended = descend(sets, last, guided, free, draws).columns
    found.insert(0, Found(ended, sets.value(ended, exact)))
    best = max(found, key=lambda one: one.value)
    if best is not found[0]:
        found.insert(0, iterated(sets, exact, best.columns, limits, draws))
        best = max(found, key=lambda one: one.value)
    return best
