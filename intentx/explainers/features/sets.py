"""`FeatureSets`: how well sets of features keep the order of a ranking; each set is found out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.leaf_scores import leaf_scores
from intentx.explainers.features.orders import taus
from intentx.feature_ranking import FeatureRanking
from intentx.models import used_features

__all__ = ["BudgetSpentError", "FeatureSets", "Set"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Set = frozenset[int]

AT_ONCE = 16_384  # rows of one batch, so that a budget ends near its number
FEW_CELLS = 0.05  # share of the cells that is put in one by one
CLOSE = 1e-12  # validities that differ by less are the same


class BudgetSpentError(Exception):
    """The rows that may be asked of the model do not last for what is asked next."""


class FeatureSets:
    """Sets of features of one ranking, all others having background values.

    Rows that are equal are asked once; features that the model does not use, or that have the
    background's value in every document, change nothing and are not tried.

    Parameters
    ----------
    ranking
        With its model.
    background
        (B, F) rows.
    budget
        Most rows to ask the model; None: as many as are needed.
    completeness
        How much completeness counts in `values`, from 0 to 1; validity counts for the rest.
    trees
        Whether trees are read instead of asked where that gives the model's own scores.
    """

    def __init__(
        self,
        ranking: FeatureRanking,
        background: Floats,
        *,
        budget: int | None = None,
        completeness: float = 0.0,
        trees: bool = True,
    ) -> None:
        self.model = ranking.ask("features of a ranking")
        self.ranking, self.background = ranking, background
        self.budget, self.completeness = budget, completeness
        self.rows = 0
        self.best: tuple[float, Set] = (-np.inf, frozenset())
        self._values: dict[Set, float] = {}
        self._known: dict[int, float] = {}
        same = (ranking.X[None] == background[:, None]) | (
            np.isnan(ranking.X[None]) & np.isnan(background[:, None])
        )
        used = used_features(self.model) & ~same.all(axis=(0, 1))
        self.columns = [int(column) for column in np.flatnonzero(used)]
        self._codes = _row_codes(ranking.X, background, used)
        for code, score in zip(self._codes[2].tolist(), ranking.scores.tolist(), strict=True):
            self._known[code] = score  # with every feature kept: the ranking's own scores
        self._leaves = leaf_scores(ranking, background) if trees else None

    @property
    def reads_trees(self) -> bool:
        """Whether scores come from the leaves of the trees."""
        return self._leaves is not None

    def scores(self, sets: Sequence[Iterable[int]]) -> Floats:
        """(M, B, N) scores with each of M sets of columns kept."""
        if self._leaves is None:
            return self.asked(sets)
        parts = [self._leaves.scores(one) for one in sets]
        return np.array(parts).reshape(len(sets), len(self.background), len(self.ranking))

    def added(self, kept: Iterable[int], columns: Sequence[int]) -> Floats:
        """(C, B, N) scores with each of C columns kept beside ``kept``."""
        kept = sorted(kept)
        if self._leaves is None:
            return self.asked([[*kept, column] for column in columns])
        return self._leaves.added(kept, columns)

    def asked(self, sets: Sequence[Iterable[int]]) -> Floats:
        """The same as `scores`, asked of the model.

        Raises
        ------
        BudgetSpentError
            If the budget does not last; what was found out before is kept.
        """
        kept = np.zeros((len(sets), self.ranking.X.shape[1]), dtype=bool)
        for row, one in zip(kept, sets, strict=True):
            row[[*one]] = True
        documents, rows = len(self.ranking), len(self.background)
        found = np.empty((len(sets), rows, documents))
        step = max(1, AT_ONCE // (documents * rows))
        for start in range(0, len(kept), step):
            found[start : start + step] = self._ask(kept[start : start + step])
        return found

    def _ask(self, kept: npt.NDArray[np.bool_]) -> Floats:
        """Ask for what is not known yet, each different row once."""
        own, other, _ = self._codes
        mixed = np.einsum("mf,bnf->mbn", kept.astype(np.uint64), own[None] - other[:, None])
        codes = (mixed + other.sum(axis=1, dtype=np.uint64)[None, :, None]).reshape(-1)
        different, first, where = np.unique(codes, return_index=True, return_inverse=True)
        listed = different.tolist()
        new = np.array(
            [place for place, code in enumerate(listed) if code not in self._known], dtype=int
        )
        if self.budget is not None and self.rows + len(new) > self.budget:
            raise BudgetSpentError
        if len(new):
            shape = (len(kept), len(self.background), len(self.ranking))
            mask, row, document = np.unravel_index(first[new], shape)
            asked = _mixed(kept, mask, self.ranking.X, document, self.background, row)
            self.rows += len(new)
            for place, score in zip(new.tolist(), self.model(asked).tolist(), strict=True):
                self._known[listed[place]] = score
        known = np.array([self._known[code] for code in listed])[where.reshape(-1)]
        return np.asarray(known.reshape(len(kept), len(self.background), len(self.ranking)))

    def validities(self, scores: Floats) -> Floats:
        """(M,) mean over background rows of τ between the ranking and each of scores (M, B, N)."""
        flat = scores.reshape(-1, len(self.ranking))
        return np.asarray(taus(self.ranking.scores, flat).reshape(len(scores), -1).mean(axis=1))

    def validity(self, kept: Iterable[int]) -> float:
        """τ with these columns kept."""
        return float(self.validities(self.scores([[*kept]]))[0])

    def without(self, kept: Iterable[int]) -> float:
        """Completeness: −τ with these columns at background values, all others kept."""
        return -self.validity(sorted(set(range(self.ranking.X.shape[1])) - set(kept)))

    def values(self, sets: Sequence[Set]) -> list[float]:
        """What is sought: validity, with completeness as far as it counts, of each of the sets."""
        new = [one for one in dict.fromkeys(sets) if one not in self._values]
        step = max(1, AT_ONCE // (len(self.ranking) * len(self.background)))
        for start in range(0, len(new), step):
            some = new[start : start + step]
            self._keep(some, self.scores(some))
        return [self._values[one] for one in sets]

    def values_added(self, kept: Set, columns: Sequence[int]) -> list[float]:
        """`values` of the sets that each of the columns makes with ``kept``."""
        new = [column for column in columns if kept | {column} not in self._values]
        if new and self.reads_trees:
            self._keep([kept | {column} for column in new], self.added(kept, new))
        return self.values([kept | {column} for column in columns])

    def remember(self, kept: Iterable[int], columns: Sequence[int], scores: Floats) -> None:
        """Keep the values of sets whose scores (C, B, N) were found by `added`."""
        if not self.completeness:  # else more would have to be asked
            base = frozenset(kept)
            self._keep([base | {column} for column in columns], scores)

    def _keep(self, sets: Sequence[Set], scores: Floats) -> None:
        found = self.validities(scores)
        if self.completeness:
            every = set(range(self.ranking.X.shape[1]))
            lost = -self.validities(self.scores([every - one for one in sets]))
            found = (1 - self.completeness) * found + self.completeness * lost
        for one, value in zip(sets, found.tolist(), strict=True):
            self._values[one] = value
            self._better(value, one)

    def _better(self, value: float, one: Set) -> None:
        """Keep the best set: of equally good ones the smallest, then the first by its columns."""
        if not one:
            return
        most, best = self.best
        if value > most + CLOSE or (
            value >= most - CLOSE and (len(one), sorted(one)) < (len(best), sorted(best))
        ):
            self.best = (value, one)


def _mixed(
    kept: npt.NDArray[np.bool_],
    mask: Places,
    X: Floats,
    document: Places,
    background: Floats,
    row: Places,
) -> Floats:
    """(R, F) rows: a document's value where the set of the row, in ``kept`` (M, F), has the feature.

    Where few features are kept, or nearly all, only these few are put into copies of whole rows.
    """
    share = kept.mean()
    if min(share, 1 - share) > FEW_CELLS:
        return np.where(kept[mask], X[document], background[row])
    few, many = (X, background) if share <= FEW_CELLS else (background, X)
    put, left = (document, row) if share <= FEW_CELLS else (row, document)
    chosen = kept if share <= FEW_CELLS else ~kept
    size = chosen.sum(axis=1)
    number = size[mask]
    of = np.repeat(np.arange(len(mask)), number)
    within = np.arange(len(of)) - np.repeat(np.cumsum(number) - number, number)
    column = np.nonzero(chosen)[1][(np.cumsum(size) - size)[mask[of]] + within]
    mixed = np.asarray(many[left])
    mixed[of, column] = few[put[of], column]
    return mixed


def _row_codes(X: Floats, background: Floats, used: npt.NDArray[np.bool_]) -> tuple[
    npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]
]:  # fmt: skip
    """Random numbers whose sum over features tells rows apart: (N, F), (B, F), and the sums (N,).

    Equal values of a feature have equal numbers, and a feature that is not used has 0: the model
    cannot tell such rows apart. Of a million different rows two have one sum once in 30 million times.
    """
    drawn = np.random.default_rng(0)
    both = np.vstack([X, background])
    found = np.zeros(both.shape, dtype=np.uint64)
    for column in np.flatnonzero(used):
        values, where = np.unique(both[:, column], return_inverse=True)
        found[:, column] = drawn.integers(1, 2**64, len(values), dtype=np.uint64)[where.reshape(-1)]
    own, other = found[: len(X)], found[len(X) :]
    return own, other, own.sum(axis=1, dtype=np.uint64)
