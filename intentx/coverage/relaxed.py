"""Generalised preference coverage: relax sign to tanh and terms to fractions, solve, round well."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from intentx.coverage.greedy import grow
from intentx.coverage.problem import Problem

__all__ = ["Relaxation", "gpc_literal", "project", "relaxed", "top_terms"]

Floats = npt.NDArray[np.float64]

STARTS = 4
STEPS = 40  # of projected gradient, for each start
PENALTY = 0.0  # on sum(x); sizes are compared when rounding, which needs no penalty


class Relaxation:
    """The relaxed objective, to be minimised, and its gradient, both through the documents.

    ``f(x) = -sum_i w_i tanh(sum_r tanh((x M_r)_i)) + penalty * sum(x)`` for x >= 0 (Lyu & Anand
    2023). One evaluation costs O(R (T N + P)); no T x P matrix is built.

    Parameters
    ----------
    values
        (R, T, N) term scores.
    high, low
        (P,) positions of the documents of each pair.
    weight
        (P,) weights w.
    inner
        (P,) factors on the entries of M, None for 1.
    """

    def __init__(
        self,
        values: Floats,
        high: npt.NDArray[np.intp],
        low: npt.NDArray[np.intp],
        weight: Floats,
        penalty: float = PENALTY,
        inner: Floats | None = None,
    ) -> None:
        rankers, terms, documents = values.shape
        self.high, self.low, self.weight, self.penalty = high, low, weight, penalty
        self.inner = np.ones(len(high)) if inner is None else inner
        self.shape = (rankers, documents)
        self.by_term = np.ascontiguousarray(values.transpose(1, 0, 2)).reshape(terms, -1)

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Value at x, (T,), and gradient, (T,)."""
        rankers, documents = self.shape
        sums = (x @ self.by_term).reshape(self.shape)
        each = np.tanh((sums.take(self.high, axis=1) - sums.take(self.low, axis=1)) * self.inner)
        vote = np.tanh(each.sum(axis=0))
        value = -float(self.weight @ vote) + self.penalty * float(x.sum())
        slope = (self.weight * self.inner * (1 - vote**2)) * (1 - each**2)
        pull = np.empty(self.shape)
        for ranker in range(rankers):
            pull[ranker] = np.bincount(self.high, slope[ranker], documents)
            pull[ranker] -= np.bincount(self.low, slope[ranker], documents)
        return value, self.penalty - self.by_term @ pull.ravel()


def relaxed(problem: Problem) -> list[list[int]]:
    """Term sets rounded from several local optima of the relaxation; any of them may be best.

    From each x come the terms in the order of x, cut at the best place; its plain top
    ``max_terms``; and the set that greedy picks from the terms with most of x.
    """
    kernel, size = problem.kernel, problem.max_terms
    weight = kernel.weight.astype(np.float64) / kernel.total
    cost = Relaxation(problem.matrices.scaled, kernel.high, kernel.low, weight)
    generator = np.random.default_rng([problem.seed, 3])
    terms = problem.matrices.n_terms
    sets: list[list[int]] = []
    for start in range(STARTS):
        if sets and problem.late:
            break
        problem.limits.take()
        x = np.full(terms, size / terms) if start == 0 else generator.random(terms) ** 4
        x = descend(cost, x, problem.min_terms, size, late=lambda: problem.late)
        order = np.argsort(-x, kind="stable")
        prefixes = [order[:length].tolist() for length in range(problem.min_terms, size + 1)]
        support = order[: min(terms, 2 * size)]
        greedy_sets = grow(problem, [], size, support, sampled=True)[problem.min_terms :]
        sets += [prefixes[-1], kernel.best(prefixes), kernel.best(greedy_sets)]
    return sets


def descend(
    cost: Relaxation,
    x: Floats,
    least: float,
    most: float,
    steps: int = STEPS,
    late: Callable[[], bool] = lambda: False,
) -> Floats:
    """Projected gradient with Barzilai-Borwein steps, never uphill, until it is ``late``."""
    x = project(x, least, most)
    value, slope = cost(x)
    step = 1.0 / max(float(np.abs(slope).max()), 1e-12)
    for _ in range(steps):
        if late():
            return x
        for _ in range(12):
            move = project(x - step * slope, least, most) - x
            new_value, new_slope = cost(x + move)
            if new_value <= value + 1e-4 * float(slope @ move):
                break
            step /= 4
        else:
            return x
        turn = float(move @ (new_slope - slope))
        length = float(move @ move)
        gain = value - new_value
        x, value, slope = x + move, new_value, new_slope
        if length < 1e-12 or gain < 1e-7:
            return x
        step = min(max(length / turn if turn > 0 else 4 * step, 1e-6), 1e6)
    return x


def project(x: Floats, least: float, most: float) -> Floats:
    """The nearest point with 0 <= x <= 1 and least <= sum(x) <= most."""
    inside = np.clip(x, 0.0, 1.0)
    total = float(inside.sum())
    if least <= total <= most:
        return inside
    target = least if total < least else most
    # sum(clip(x - shift, 0, 1)) is piecewise linear in the shift and falls; its kinks are known
    kinks = np.sort(np.concatenate([x, x - 1.0]))
    lower, upper = 0, len(kinks) - 1
    while upper - lower > 1:
        middle = (lower + upper) // 2
        if np.clip(x - kinks[middle], 0.0, 1.0).sum() >= target:
            lower = middle
        else:
            upper = middle
    at_lower = float(np.clip(x - kinks[lower], 0.0, 1.0).sum())
    at_upper = float(np.clip(x - kinks[upper], 0.0, 1.0).sum())
    share = 0.0 if at_lower == at_upper else (at_lower - target) / (at_lower - at_upper)
    shift = kinks[lower] + share * (kinks[upper] - kinks[lower])
    return np.asarray(np.clip(x - shift, 0.0, 1.0))


def top_terms(x: Floats, least: int = 4, most: int = 10, threshold: float = 0.5) -> list[int]:
    """The papers' rounding: terms with x above ``threshold``, at least 4 and at most 10, by x."""
    count = int(np.clip((x > threshold).sum(), least, most))
    order: Sequence[int] = np.argsort(-x, kind="stable")[:count].tolist()
    return list(order)


def gpc_literal(problem: Problem, least: float = 2, most: float = 10) -> list[int]:
    """GPC as published: unscaled entries times pair weights, one start, the papers' rounding.

    Projected gradient stands in for the authors' solver, GENO. From the same start it nearly always
    ends where SciPy's SLSQP does, their alternative, in a twentieth of the time.
    ``min_terms`` and ``max_terms`` only bound what the rounding returns.
    """
    matrices = problem.matrices
    terms = matrices.n_terms
    pairs = matrices.pairs
    cost = Relaxation(
        matrices.scores.values, pairs.high, pairs.low, np.ones(len(pairs)), 1.0, pairs.weight
    )
    most = min(most, terms)
    start = np.full(terms, most / terms / 2)
    x = descend(cost, start, min(least, most), most, steps=1000, late=lambda: problem.late)
    low = max(problem.min_terms, min(4, problem.max_terms))
    return top_terms(x, low, max(low, min(10, problem.max_terms)))
