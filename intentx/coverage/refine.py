"""Local search: swap, add and drop terms, with annealing as the way out of local optima."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.coverage.greedy import SHORT, grow, shortlist
from intentx.coverage.objective import Exact, Kernel, Problem

__all__ = ["refine"]

ROUNDS = 3  # of annealing; measured: three short ones find more than a long one
SWEEPS = 20  # of a round: how often each of the max_terms places is drawn anew ...
MORE = 4  # ... and so many times as often when a draw costs little, below
DRAW = 300_000  # numbers that a full draw looks at
HOT, COLD = (0.003, 1.0), (0.0003, 0.25)  # temperatures: share, and pairs (the smallest step)
KEPT = 6  # different sets of a round that are compared exactly


def refine(problem: Problem, start: Sequence[int], sweeps: int | None = None) -> list[int]:
    """A set at least as good as ``start``: rounds of annealing, each followed by descent.

    A set is ``max_terms`` places, each with a term or none. Annealing draws one place anew, from
    the best moves of a short list, with probabilities proportional to exp(value / temperature)
    (Gibbs sampling). Short lists come from a sample of the pairs. Descent ends where no single
    swap, addition or removal helps, as far as the kernel sees (with very many pairs: as far as
    its short lists see). All rounds begin at ``start``.

    Parameters
    ----------
    start
        At most ``max_terms`` terms; with fewer than ``min_terms``, greedy completes it.
    sweeps
        How often a round of annealing draws each place. None: `SWEEPS`, more for small problems.
    """
    if len(start) < problem.min_terms:
        start = grow(problem, start, problem.min_terms)[-1]
    kernel = problem.kernel
    if sweeps is None:
        numbers = kernel.entry.size if problem.screen is None else problem.screen.entry.size
        sweeps = int(SWEEPS * min(MORE, max(1.0, DRAW / numbers)))
    sets = [list(start)]
    for number in range(ROUNDS):
        if problem.late:
            break
        seen = _anneal(problem, start, sweeps, number)
        sets += [*seen, _descend(problem, None, kernel, seen[0] if seen else start)]
    best = problem.objective.best(sets)
    if not problem.dense and not problem.late:
        best = problem.objective.best([best, _descend(problem, kernel, problem.judge, best)])
    return best


def _anneal(problem: Problem, start: Sequence[int], sweeps: int, number: int) -> list[list[int]]:
    """The best sets that this round of annealing on `Problem.kernel` came across, best first."""
    none, size = problem.matrices.n_terms, problem.max_terms
    generator = np.random.default_rng([problem.seed, 2, number])
    places = np.full(size, none)
    places[: len(start)] = start
    pairs = problem.kernel.n_pairs
    hot, cold = HOT[0] + HOT[1] / pairs, COLD[0] + COLD[1] / pairs
    value = float(problem.kernel.values(_terms(places, none), np.array([none]))[0])
    seen: dict[tuple[int, ...], float] = {}
    steps = sweeps * size
    for step in range(steps):
        if problem.late:
            break
        if step % size == 0:
            order = generator.permutation(size)
        place = order[step % size]
        temperature = hot * (cold / hot) ** (step / steps)
        rest, allowed = _without(problem, places, int(place))
        moves, values = shortlist(problem.screen, problem.kernel, rest, allowed)
        if not len(moves):
            continue
        noise = temperature * generator.gumbel(size=len(moves) + 1)
        chosen = int((np.append(values, value) + noise).argmax())
        if chosen == len(moves):
            continue
        places[place], value = moves[chosen], values[chosen]
        seen[tuple(sorted(_terms(places, none)))] = value
        if len(seen) > 50 * KEPT:
            seen = _highest(seen)
    return [list(one) for one in _highest(seen)]


def _descend(
    problem: Problem, coarse: Kernel | None, fine: Kernel | Exact, start: Sequence[int]
) -> list[int]:
    """Best move of each place in turn, until none of them helps; a drop may leave it equal."""
    none, size = problem.matrices.n_terms, problem.max_terms
    places = np.full(size, none)
    places[: len(start)] = start
    value = float(fine.values(_terms(places, none), np.array([none]))[0])
    place = idle = 0
    while idle < size and not problem.late:
        rest, allowed = _without(problem, places, place)
        moves, values = shortlist(coarse, fine, rest, allowed, SHORT)
        idle += 1
        if len(moves):
            best = len(moves) - 1 - int(values[::-1].argmax())  # at a tie "no term", which is last
            if values[best] > value or (values[best] == value and moves[best] == none):
                places[place], value, idle = moves[best], float(values[best]), 0
        place = (place + 1) % size
    return _terms(places, none)


def _terms(places: npt.NDArray[np.intp], none: int) -> list[int]:
    return [int(term) for term in places if term != none]


def _without(
    problem: Problem, places: npt.NDArray[np.intp], place: int
) -> tuple[list[int], npt.NDArray[np.bool_]]:
    """The terms of all other places, and what may come into this one instead of what is there."""
    none = problem.matrices.n_terms
    rest = _terms(np.delete(places, place), none)
    allowed = np.ones(none + 1, dtype=bool)
    allowed[places] = False
    allowed[none] = places[place] != none and len(rest) >= problem.min_terms
    return rest, allowed


def _highest(seen: dict[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    best = sorted(seen, key=lambda one: (-seen[one], len(one), one))[:KEPT]
    return {one: seen[one] for one in best}
