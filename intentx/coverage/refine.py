"""Local search: swap, add and drop terms, with annealing as the way out of local optima."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.coverage.greedy import grow, shortlist
from intentx.coverage.problem import Problem

__all__ = ["anneal", "descend"]

Floats = npt.NDArray[np.float64]


class Effort(NamedTuple):
    """How long to anneal: rounds, sweeps of a round at most, moves of a draw.

    A sweep draws each place anew. A round ends after ``idle`` sweeps without a change.
    """

    rounds: int
    sweeps: int
    short: int
    idle: int


STRICT, SOFT = Effort(3, 18, 24, 18), Effort(2, 9, 12, 2)
"""A soft objective has fewer local optima and slopes that tell more: on random problems, as soft as
those of Multiplex (2/3), a quarter of the time finds all but .0002 of what ``STRICT`` finds; half as
soft (.3), all but .0007."""

MORE = 5  # times the sweeps, at most, when a draw costs little:
DRAW = 300_000  # numbers that a draw looks at
HOT, COLD = (0.003, 1.0), (0.0004, 0.35)  # temperatures: share, and pairs (the smallest step)
WIDE = 24  # moves of a descent
KEPT = 6  # different sets of a round that are compared exactly


def descend(problem: Problem, start: Sequence[int], thorough: bool = False) -> list[int]:
    """A set at least as good as ``start``: the best move of each place in turn, until none helps.

    A set is ``max_terms`` places, each with a term or none, so that a move is a swap, an addition
    or a removal. It looks at short lists of moves; a thorough descent ends where no move at all
    helps. With very many pairs there are only short lists, made on a sample of the pairs.
    """
    sets = [list(start), _descend(problem, start, WIDE)]
    if thorough and problem.dense and not problem.late:
        sets.append(_descend(problem, sets[-1], problem.matrices.n_terms + 1))
    return problem.best(sets)


def anneal(
    problem: Problem,
    start: Sequence[int],
    sweeps: int | None = None,
    rounds: Iterable[int] | None = None,
) -> list[int]:
    """A set at least as good as ``start``: rounds of annealing, and descent from what they find.

    Annealing draws one place anew, from a short list of moves, with probabilities proportional to
    exp(value / temperature) (Gibbs sampling). All rounds begin at ``start``.

    Parameters
    ----------
    start
        At most ``max_terms`` terms; with fewer than ``min_terms``, greedy completes it.
    sweeps
        How often a round of annealing draws each place. None: as `STRICT` or `SOFT` say,
        more for small problems.
    rounds
        Numbers of the rounds, each of which draws in its own way. None: as many as `STRICT` or `SOFT`
        say, from 0 on.
    """
    if len(start) < problem.min_terms:
        start = grow(problem, start, problem.min_terms)[-1]
    effort = SOFT if problem.objective.smooth else STRICT
    if sweeps is None:
        numbers = problem.kernel.n_pairs * problem.matrices.n_rankers * effort.short
        sweeps = int(effort.sweeps * min(MORE, max(1.0, DRAW / numbers)))
    sets = [list(start)]
    for number in range(effort.rounds) if rounds is None else rounds:
        if problem.late:
            break
        sets += _anneal(problem, start, effort._replace(sweeps=sweeps), number)
    best = problem.best(sets)
    return best if problem.late else descend(problem, best, thorough=not problem.objective.smooth)


def _anneal(problem: Problem, start: Sequence[int], effort: Effort, number: int) -> list[list[int]]:
    """The best sets that this round of annealing on `Problem.kernel` came across, best first."""
    none, size = problem.matrices.n_terms, problem.max_terms
    generator = np.random.default_rng([problem.seed, 2, number])
    places = np.full(size, none)
    places[: len(start)] = start
    pairs = problem.kernel.n_pairs
    hot, cold = HOT[0] + HOT[1] / pairs, COLD[0] + COLD[1] / pairs
    value = float(problem.kernel.values(_terms(places, none), np.array([none]))[0])
    seen: dict[tuple[int, ...], float] = {}
    known: dict[tuple[int, ...], tuple[npt.NDArray[np.intp], Floats]] = {}  # idle sweeps look again
    steps, idle = effort.sweeps * size, 0
    for step in range(steps):
        if problem.late or idle == effort.idle * size:
            break
        if step % size == 0:
            order = generator.permutation(size)
        problem.limits.take()
        place = order[step % size]
        temperature = hot * (cold / hot) ** (step / steps)
        rest, allowed = _without(problem, places, int(place))
        situation = (*rest, int(places[place]))
        if situation not in known:
            known[situation] = problem.kernel.steepest(rest, allowed, effort.short)
        moves, values = known[situation]
        idle += 1
        if not len(moves):
            continue
        noise = temperature * generator.gumbel(size=len(moves) + 1)
        chosen = int((np.append(values, value) + noise).argmax())
        if chosen == len(moves):
            continue
        idle = 0
        places[place], value = moves[chosen], values[chosen]
        seen[tuple(sorted(_terms(places, none)))] = value
        if len(seen) > 50 * KEPT:
            seen = _highest(seen)
    return [list(one) for one in _highest(seen)]


def _descend(problem: Problem, start: Sequence[int], length: int) -> list[int]:
    """Where no move of short lists helps any more; a removal may leave the value equal."""
    none, size = problem.matrices.n_terms, problem.max_terms
    places = np.full(size, none)
    places[: len(start)] = start
    value = float(problem.judge.values(_terms(places, none), np.array([none]))[0])
    place = idle = 0
    while idle < size and not problem.late:
        problem.limits.take()
        rest, allowed = _without(problem, places, place)
        moves, values = shortlist(problem, rest, allowed, length, _terms(places, none))
        idle += 1
        if len(moves):
            best = len(moves) - 1 - int(values[::-1].argmax())  # at a tie "no term", which is last
            if values[best] > value or (values[best] == value and moves[best] == none):
                places[place], value, idle = moves[best], float(values[best]), 0
        place = (place + 1) % size
    return _terms(places, none)


def _terms(places: npt.NDArray[np.intp], none: int) -> list[int]:
    return [term for term in places.tolist() if term != none]


def _without(
    problem: Problem, places: npt.NDArray[np.intp], place: int
) -> tuple[list[int], npt.NDArray[np.bool_]]:
    """The terms of all other places, and what may come into this one instead of what is there."""
    none = problem.matrices.n_terms
    rest = sorted(term for i, term in enumerate(places.tolist()) if term != none and i != place)
    allowed = np.ones(none + 1, dtype=bool)
    allowed[places] = False
    allowed[none] = places[place] != none and len(rest) >= problem.min_terms
    return rest, allowed


def _highest(seen: dict[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    best = sorted(seen, key=lambda one: (-seen[one], len(one), one))[:KEPT]
    return {one: seen[one] for one in best}
