"""Preference matrices: how far each term speaks for each preference pair, kept factored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.preferences.pairs import Pairs

__all__ = ["MARGIN", "PreferenceMatrices", "TermScores"]

Floats = npt.NDArray[np.float64]

MARGIN = 1e-9
"""Votes within this of zero are ties: they are rounding noise, and ties are not covered."""

NOISE = 1e-6  # the same for float32

VOTES = 100_000  # counted at once, so that they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class TermScores:
    """Score of each term in each document under each simple ranker.

    Attributes
    ----------
    values
        (R, T, N) finite array, read-only. Simple rankers are additive over terms: ranker r gives
        document d ``values[r, S, d].sum()`` for a set S of terms.
    terms
        The T terms, () when they have no names.
    rankers
        Names of the R simple rankers, () when they have none.
    """

    values: Floats
    terms: tuple[str, ...] = ()
    rankers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != 3 or not values.shape[0]:
            raise InputError(f"values must be (R, T, N) with R >= 1, not {values.shape}")
        if not np.isfinite(values).all():
            r, t, d = np.argwhere(~np.isfinite(values))[0]
            raise InputError(f"values[{r}, {t}, {d}] is {values[r, t, d]}; term scores must be finite")
        if self.terms and len(self.terms) != values.shape[1]:
            raise InputError(f"{len(self.terms)} terms for values of shape {values.shape} (R, T, N)")
        if self.rankers and len(self.rankers) != values.shape[0]:
            raise InputError(f"{len(self.rankers)} rankers for values of shape {values.shape} (R, T, N)")
        if len(set(self.rankers)) < len(self.rankers):
            raise InputError(f"simple rankers must have distinct names, not {self.rankers}")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "terms", tuple(self.terms))
        object.__setattr__(self, "rankers", tuple(self.rankers))


@dataclass(frozen=True, eq=False)
class PreferenceMatrices:
    """Term scores, preference pairs, and one scale per simple ranker.

    Matrix r is ``(values[r][:, high] - values[r][:, low]) / scale[r]``, of shape (T, P). It is
    never built over all pairs unless asked (`view`): for a set of terms only the N document
    scores are summed, and pairs are differences of those.

    Parameters
    ----------
    scores, pairs
        What to combine.
    scale
        (R,) positive numbers. None: for each simple ranker the root mean square of its non-zero
        entries, so that one typical entry is 1 and the rankers speak equally loud.
    margin
        A pair is covered by a term set when its vote exceeds this. One margin for all solvers
        and for fidelity.

    Notes
    -----
    The vote of a term set on a pair is ``sum_r tanh(x M_r)`` (Lyu & Anand 2023); with a single
    simple ranker its sign is that of ``x M``.
    """

    scores: TermScores
    pairs: Pairs
    scale: Floats | None = None
    margin: float = MARGIN

    def __post_init__(self) -> None:
        rankers, _, documents = self.scores.values.shape
        if len(self.pairs) and int(self.pairs.low.max()) >= documents:
            raise InputError(
                f"a pair names position {int(self.pairs.low.max())}, and there are {documents} documents"
            )
        if not self.margin >= 0:
            raise InputError(f"margin must be 0 or more, not {self.margin!r}")
        if self.scale is None:
            scale = _typical_entry(self.scores.values, self.pairs)
        else:
            scale = np.array(np.broadcast_to(np.asarray(self.scale, dtype=np.float64), (rankers,)))
        if not (np.isfinite(scale) & (scale > 0)).all():
            raise InputError(f"scale must hold positive finite numbers, not {scale}")
        scale.flags.writeable = False
        object.__setattr__(self, "scale", scale)

    @property
    def n_rankers(self) -> int:
        return len(self.scores.values)

    @property
    def n_terms(self) -> int:
        return int(self.scores.values.shape[1])

    @property
    def n_pairs(self) -> int:
        return len(self.pairs)

    @property
    def scaled(self) -> Floats:
        """(R, T, N) term scores over their ranker's scale."""
        return np.asarray(self.scores.values / self._column(3))

    def _column(self, dimensions: int) -> Floats:
        """The scale, shaped to divide an array of so many dimensions that starts with R."""
        return np.asarray(self.scale).reshape(-1, *[1] * (dimensions - 1))

    def restricted(self, indices: Sequence[int]) -> PreferenceMatrices:
        """The same pairs and scale with only the terms at ``indices``, in that order."""
        names = self.scores.terms
        terms = tuple(names[i] for i in indices) if names else ()
        part = TermScores(self.scores.values[:, list(indices)], terms, self.scores.rankers)
        return PreferenceMatrices(part, self.pairs, self.scale, self.margin)

    def on(self, pairs: Pairs) -> PreferenceMatrices:
        """The same terms and scale over other pairs of the same documents."""
        return PreferenceMatrices(self.scores, pairs, self.scale, self.margin)

    def rescaled(self, times: Floats) -> PreferenceMatrices:
        """The same terms and pairs with each simple ranker's scale ``times`` (R,) as large.

        The larger the scale, the less the simple ranker weighs in the vote.
        """
        return PreferenceMatrices(self.scores, self.pairs, np.asarray(self.scale) * times, self.margin)

    def view(self, ranker: int) -> Floats:
        """The dense (T, P) matrix of one simple ranker."""
        values = self.scaled[ranker]
        return np.asarray(values[:, self.pairs.high] - values[:, self.pairs.low])

    def differences(self, indices: Sequence[int]) -> Floats:
        """(R, P) scaled score differences of the pairs under the terms at ``indices``."""
        sums = self.document_sums(indices)
        return sums[:, self.pairs.high] - sums[:, self.pairs.low]

    def votes(self, indices: Sequence[int]) -> Floats:
        """(P,) votes ``sum_r tanh(difference)`` of the terms at ``indices``."""
        total = np.zeros(self.n_pairs)
        for sums in self.document_sums(indices):  # one ranker at a time keeps half a million pairs small
            difference = sums.take(self.pairs.high)
            difference -= sums.take(self.pairs.low)
            total += np.tanh(difference, out=difference)
        return total

    def mean_votes(self, pairs: int = 2_000) -> Floats:
        """(T,) mean vote of each term alone, in (-R, R), on a regular sample of so many pairs."""
        step = -(-self.n_pairs // pairs)
        high, low = self.pairs.high[::step], self.pairs.low[::step]
        votes = np.zeros(self.n_terms)
        for ranker in self.scaled.astype(np.float32):
            for start in range(0, len(ranker), 64):  # in blocks, so that memory stays small
                part = ranker[start : start + 64]
                votes[start : start + 64] += np.tanh(
                    part.take(high, axis=1) - part.take(low, axis=1)
                ).mean(axis=1)
        return votes

    def document_sums(self, indices: Sequence[int]) -> Floats:
        """(R, N) scaled document scores under the terms at ``indices``."""
        chosen = np.asarray(sorted(indices), dtype=np.intp)  # one order of summation: no noise
        return np.asarray(self.scores.values[:, chosen].sum(axis=1) / self._column(2))

    def covered(self, indices: Sequence[int]) -> npt.NDArray[np.bool_]:
        """(P,) whether each pair is strictly covered."""
        return self.votes(indices) > self.margin

    def coverage(self, indices: Sequence[int]) -> float:
        """Share of pairs strictly covered by the terms at ``indices``; NaN without pairs."""
        return float(self.covered(indices).mean()) if self.n_pairs else float("nan")

    def coverages(self, sets: npt.NDArray[np.bool_]) -> Floats:
        """(S,) `coverage` of each of S term sets, the rows of an (S, T) array, in float32.

        That cannot tell votes below `NOISE` from zero: they are ties here.
        """
        high, low = self.pairs.high, self.pairs.low
        found = np.full(len(sets), np.nan)
        there = sets.T.astype(np.float32)
        by_document = self.scaled.transpose(0, 2, 1).astype(np.float32)
        step = max(1, VOTES // max(1, self.n_pairs))
        for start in range(0, len(sets) if self.n_pairs else 0, step):
            part = there[:, start : start + step]
            votes = np.zeros((self.n_pairs, part.shape[1]), dtype=np.float32)
            for ranker in by_document:
                sums = ranker @ part  # documents in rows: pairs are picked a row at a time
                difference = sums.take(high, axis=0)
                difference -= sums.take(low, axis=0)
                votes += np.tanh(difference, out=difference)
            covered = np.count_nonzero(votes > max(self.margin, NOISE), axis=0)
            found[start : start + step] = covered / self.n_pairs
        return found


def _typical_entry(values: Floats, pairs: Pairs, block: int = 2) -> Floats:
    """(R,) root mean square of the non-zero pair differences, 1 where all are zero."""
    squares = np.zeros(len(values))
    counts = np.zeros(len(values))
    high, low = pairs.high, pairs.low
    if len(high) > 20_000:  # a scale needs no more than a regular sample of the pairs
        step = -(-len(high) // 20_000)
        high, low = high[::step], low[::step]
    for start in range(0, values.shape[1], block):
        part = values[:, start : start + block]
        difference = part.take(high, axis=2)
        difference -= part.take(low, axis=2)
        squares += np.einsum("rtp,rtp->r", difference, difference)
        counts += np.count_nonzero(difference, axis=(1, 2))
    return np.sqrt(np.divide(squares, counts, out=np.ones(len(values)), where=squares > 0))
