"""Preference coverage as a mixed integer program, in sparse arrays: what to solve, not how."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.coverage.problem import Problem
from intentx.preferences.matrices import PreferenceMatrices

__all__ = ["Program", "built", "envelope"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TANGENTS = 5
BLOCK = 200_000  # numbers of preference matrices at once
CLOSEST = 1 - 1e-12  # tanh that a tangent is laid at, at most


class Rows:
    """Rows of a sparse matrix with their limits, added many at a time."""

    def __init__(self) -> None:
        self.count = 0
        self._entries: list[tuple[Indices, Indices, Floats]] = []
        self._limits: list[tuple[Floats, Floats]] = []

    def add(
        self,
        entries: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
        count: int,
        least: npt.ArrayLike,
        most: npt.ArrayLike,
    ) -> None:
        """Add ``count`` rows: numbers of the rows among these, columns and values; and the limits."""
        row, column, value = (np.ravel(part) for part in np.broadcast_arrays(*entries))
        kept = value != 0
        self._entries.append((row[kept] + self.count, column[kept], value[kept].astype(float)))
        limits = [np.broadcast_to(np.asarray(end, dtype=float), count) for end in (least, most)]
        self._limits.append((limits[0], limits[1]))
        self.count += count

    def arrays(self, columns: int) -> tuple[Indices, Indices, Floats, Floats, Floats]:
        """Row starts, columns and values of the matrix by rows; least and most of each row."""
        from scipy.sparse import csr_array

        row, column, value = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        matrix = csr_array((value, (row, column)), shape=(self.count, columns))
        least, most = (np.concatenate(part) for part in zip(*self._limits, strict=True))
        starts, index = (np.asarray(part, dtype=np.int64) for part in (matrix.indptr, matrix.indices))
        return starts, index, np.asarray(matrix.data), least, most


@dataclass
class Program:
    """Maximise ``cost @ columns`` within limits; first come x, a column per term, then y, per pair.

    Attributes
    ----------
    pairs
        (K,) pairs that can be covered at all: pair ``pairs[k]`` has the column ``terms + k``.
    cost, lower, upper
        (C,) of all columns. The first ``terms + K`` are 0 or 1, the others are continuous: scores of
        documents, and votes.
    voting
        (V,) the simple ranker and the pair of each vote, as ``ranker * K + k``.
    seconds
        What building it took.
    """

    terms: int
    pairs: Indices
    cost: Floats
    lower: Floats
    upper: Floats
    rows: Rows
    matrices: PreferenceMatrices
    voting: Indices
    seconds: float

    @property
    def binary(self) -> int:
        """How many columns are 0 or 1."""
        return self.terms + len(self.pairs)

    def point(self, terms: Sequence[int]) -> Floats:
        """(C,) values of all columns where these terms are chosen."""
        sums = self.matrices.document_sums(terms)
        found = np.zeros(len(self.cost))
        found[list(terms)] = 1.0
        found[self.terms : self.binary] = self.matrices.covered(terms)[self.pairs]
        documents = found[self.binary : self.binary + sums.size]
        documents[:] = sums.ravel()
        if len(self.voting):
            strength = np.tanh(self.matrices.differences(terms)[:, self.pairs])
            found[self.binary + sums.size :] = strength.ravel()[self.voting]
        return found

    def forbid(self, terms: Sequence[int], pairs: Iterable[int]) -> None:
        """Make it known that exactly these terms do not cover these pairs."""
        places = np.searchsorted(self.pairs, np.fromiter(pairs, dtype=np.intp))
        signs = np.full(self.terms, -1.0)
        signs[list(terms)] = 1.0
        count = len(places)
        columns = np.tile(np.arange(self.terms + 1), (count, 1))
        columns[:, -1] = self.terms + places
        entries = np.arange(count)[:, None], columns, np.append(signs, 1.0)
        self.rows.add(entries, count, -math.inf, len(terms))


def built(problem: Problem) -> Program | None:
    """The program of a problem; None when the time is up before it is built.

    With one simple ranker a pair's y is held at 0 unless its score difference is large enough. With
    several, the tanh of each is replaced by its concave envelope, which never lies below it. Score
    differences are those of documents, whose scores have columns of their own.
    """
    began = time.perf_counter()
    matrices = problem.matrices
    rankers, terms, pairs = matrices.n_rankers, matrices.n_terms, matrices.n_pairs
    values = matrices.scaled
    step = max(1, BLOCK // (rankers * terms))
    rows = Rows()
    blocks: list[tuple[Indices, Floats, Floats]] = []
    some: list[npt.NDArray[np.bool_]] = []
    for start in range(0, pairs, step):
        if problem.late:
            return None
        high, low = (end[start : start + step] for end in (matrices.pairs.high, matrices.pairs.low))
        entries = values[:, :, high] - values[:, :, low]
        ordered = np.sort(entries, axis=1)
        least = np.minimum(ordered, 0)[:, : problem.max_terms].sum(axis=1)
        most = np.maximum(ordered, 0)[:, -problem.max_terms :].sum(axis=1)
        able: npt.NDArray[np.bool_] = np.atleast_1d(np.tanh(most).sum(axis=0) > matrices.margin)
        blocks.append((start + np.flatnonzero(able), least[:, able], most[:, able]))
        some.append(np.asarray((entries > 0).any(axis=0))[:, able])
    which = np.concatenate([block[0] for block in blocks])
    least, most = (np.concatenate([block[part] for block in blocks], axis=1) for part in (1, 2))
    speaks = np.concatenate(some, axis=1)  # (T, K)
    _size_rows(rows, problem)
    # no y without a term that speaks for the pair
    term, pair = np.nonzero(speaks)
    count = len(which)
    summed = (
        np.concatenate([pair, np.arange(count)]),
        np.concatenate([term, terms + np.arange(count)]),
        np.concatenate([np.ones(len(term)), np.full(count, -1.0)]),
    )
    rows.add(summed, count, 0, math.inf)
    _document_rows(rows, values, terms + count)
    documents = values.shape[2]
    free = rankers * documents
    if rankers == 1:
        _difference_rows(rows, problem, which, least[0], most[0])
        voting = np.empty(0, dtype=np.intp)
    else:
        voting = _vote_rows(rows, problem, which, least, most)
    continuous = np.repeat([math.inf, 1.0], [free, len(voting)])
    weight = problem.objective.weight * pairs  # the program counts in pairs
    return Program(
        terms,
        which,
        cost=np.concatenate([np.zeros(terms), weight[which], np.zeros(len(continuous))]),
        lower=np.concatenate([np.zeros(terms + count), -continuous]),
        upper=np.concatenate([np.ones(terms + count), continuous]),
        rows=rows,
        matrices=matrices,
        voting=voting,
        seconds=time.perf_counter() - began,
    )


def _size_rows(rows: Rows, problem: Problem) -> None:
    """From ``min_terms`` to ``max_terms`` terms."""
    terms = problem.matrices.n_terms
    rows.add((0, np.arange(terms), 1.0), 1, problem.min_terms, problem.max_terms)


def _document_rows(rows: Rows, values: Floats, first: int) -> None:
    """The score of each document under each simple ranker, (R, T, N), in columns from ``first`` on."""
    rankers, terms, documents = values.shape
    count = rankers * documents
    by_document = values.transpose(0, 2, 1).reshape(count, terms)
    row, term = np.nonzero(by_document)
    every = np.arange(count)
    entries = (
        np.concatenate([row, every]),
        np.concatenate([term, first + every]),
        np.concatenate([by_document[row, term], np.full(count, -1.0)]),
    )
    rows.add(entries, count, 0, 0)


def _difference_rows(rows: Rows, problem: Problem, which: Indices, least: Floats, most: Floats) -> None:
    """y at 0 unless the difference is what the margin needs; each row is scaled to its widest entry."""
    matrices, count = problem.matrices, len(which)
    high, low = matrices.pairs.high[which], matrices.pairs.low[which]
    size = np.maximum(np.abs(least), np.abs(most))
    need, floor = math.atanh(matrices.margin) / size, least / size
    first = matrices.n_terms + count
    row = np.arange(count)
    entries = (
        np.concatenate([row, row, row]),
        np.concatenate([first + high, first + low, matrices.n_terms + row]),
        np.concatenate([1 / size, -1 / size, floor - need]),
    )
    rows.add(entries, count, floor, math.inf)


def _vote_rows(rows: Rows, problem: Problem, which: Indices, least: Floats, most: Floats) -> Indices:
    """Votes of each simple ranker below the envelope of tanh, and y at 0 unless their sum is enough.

    Returns `Program.voting`.
    """
    matrices, (rankers, count) = problem.matrices, least.shape
    documents = matrices.scores.values.shape[2]
    ranker, pair = np.nonzero((least < 0) | (most > 0))
    votes = np.arange(len(ranker))
    first = matrices.n_terms + count
    column = first + rankers * documents + votes
    slopes, heights = envelope(least[ranker, pair], most[ranker, pair])
    high = first + ranker * documents + matrices.pairs.high[which[pair]]
    low = first + ranker * documents + matrices.pairs.low[which[pair]]
    for slope, height in zip(slopes.T, heights.T, strict=True):  # vote - slope * difference <= height
        entries = (
            np.concatenate([votes, votes, votes]),
            np.concatenate([column, high, low]),
            np.concatenate([np.ones(len(votes)), -slope, slope]),
        )
        rows.add(entries, len(votes), -math.inf, height)
    floor = np.tanh(least).sum(axis=0)
    row = np.arange(count)
    entries = (
        np.concatenate([pair, row]),
        np.concatenate([column, matrices.n_terms + row]),
        np.concatenate([np.ones(len(votes)), floor - matrices.margin]),
    )
    rows.add(entries, count, floor, math.inf)
    return np.asarray(ranker * count + pair)


def envelope(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Lines, slopes and heights (n, L), whose minimum is a concave function over tanh on [low, high].

    For low < 0 < high: the line through (low, tanh low) that touches tanh at some p > 0, then
    tangents from p on; the chord when p lies beyond high or where tanh is convex throughout.

    Parameters
    ----------
    low, high
        (n,) ends of the intervals, ``low <= 0 <= high``.
    """
    chord = (low < 0) & (_rise(low, high) >= 0)  # the line would touch beyond high
    left, right = np.zeros_like(high), high.copy()
    for _ in range(60):
        middle = (left + right) / 2
        beyond = _rise(low, middle) >= 0
        left, right = np.where(beyond, middle, left), np.where(beyond, right, middle)
    touch = np.where(low < 0, right, low)
    # tangents at points equally spaced in tanh: the curve bends most where it is steep
    heights = np.tanh(touch)[:, None] + np.outer(
        np.tanh(high) - np.tanh(touch), np.arange(TANGENTS + 1) / TANGENTS
    )
    at = np.arctanh(np.minimum(heights, CLOSEST))
    slopes = 1 - np.tanh(at) ** 2
    constants = np.tanh(at) - slopes * at
    width = np.where(chord, high - low, touch - low)
    rise = np.tanh(np.where(chord, high, touch)) - np.tanh(low)
    first = np.divide(rise, width, out=slopes[:, 0].copy(), where=(low < 0) & (width > 0))
    slopes[:, 0] = first
    constants[:, 0] = np.tanh(touch) - first * touch
    constants[low < 0, 0] = (np.tanh(low) - first * low)[low < 0]
    slopes[chord], constants[chord] = slopes[chord, :1], constants[chord, :1]
    return slopes, constants


def _rise(low: Floats, at: Floats) -> Floats:
    """Positive where the tangent at ``at`` >= 0 passes under (low, tanh low): the touch lies beyond."""
    return np.asarray((1 - np.tanh(at) ** 2) * (at - low) - (np.tanh(at) - np.tanh(low)))
