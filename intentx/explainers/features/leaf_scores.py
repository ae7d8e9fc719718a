"""Scores of documents with features left out, read from the leaves of trees."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.explainers.features.forest import Forest, forest_of
from intentx.feature_ranking import FeatureRanking
from intentx.models import FeatureModel, booster_of

__all__ = ["LeafScores", "leaf_scores"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

WORD = 64  # documents, or background rows, in one number
ALL = np.uint64(2**64 - 1)
SAME = 1e-9  # of the largest score: what rounding may make of it
SINGLE = 1e-6  # the same, of sums in 32 bits

_FORESTS: weakref.WeakKeyDictionary[FeatureModel, Forest | None] = weakref.WeakKeyDictionary()


class LeafScores:
    """Scores of documents whose other features have the values of each of some background rows.

    A leaf is reached with a set of features kept if the document fits its conditions on these, and the
    background row fits those on all others. Both are known for all documents and rows at once, as bits.

    Parameters
    ----------
    forest
        The trees.
    X
        (N, F) features of the documents.
    background
        (B, F) rows, or (F,) one.
    """

    def __init__(self, forest: Forest, X: Floats, background: Floats) -> None:
        background = np.atleast_2d(background)
        self.documents, self.rows, self._features = len(X), len(background), X.shape[1]
        self.value = forest.value
        feature = forest.feature[forest.node]
        order = np.lexsort((feature, forest.leaf))
        leaf, feature = forest.leaf[order], feature[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (leaf[1:] != leaf[:-1]) | (feature[1:] != feature[:-1])
        starts = np.flatnonzero(first)
        self.leaf, self.feature = leaf[starts], feature[starts]  # of conditions on one feature
        self._leaves, self._starts = np.unique(self.leaf, return_index=True)
        alone = np.ones(len(forest.value), dtype=bool)
        alone[self._leaves] = False
        self.constant = float(forest.value[alone].sum())  # of trees that are one leaf
        node, goes_left = forest.node[order], forest.left[order]
        # (words, conditions): which documents, and which rows, fit
        self._fits, self._theirs = (
            _conditions(_packed(forest.goes_left(rows)), node, goes_left, starts)
            for rows in (X, background)
        )
        self._every = _valid(self.documents), _valid(self.rows)
        self._number = np.diff(np.append(self._starts, len(self.leaf)))  # conditions of a leaf
        self._place = np.repeat(np.arange(len(self._leaves)), self._number)  # of a condition, its leaf's
        self._by_feature = np.argsort(self.feature, kind="stable")

    def scores(self, kept: Iterable[int], rows: Ints | None = None) -> Floats:
        """(B, N) scores with these columns kept, beside all rows or some, by their places."""
        documents, theirs = self._reached(self._inside(kept))
        return self._sum(documents, theirs, self.value[self._leaves], rows) + self.constant

    def added(self, kept: Sequence[int], columns: Sequence[int]) -> Floats:
        """(C, B, N) scores with each of C columns, none of them in ``kept``, kept beside these."""
        inside = self._inside(kept)
        documents, theirs = self._reached(inside)
        values = self.value[self._leaves]
        base = self._sum(documents, theirs, values) + self.constant
        own = self._open(inside, documents)
        place = self._place[own]
        rest, here = self._but_for(own, inside), documents[:, place]
        fits, theirs_fit, value = self._fits[:, own], self._theirs[:, own], values[place]
        # Rows that fit the condition on the column had the leaf before, and lose the documents that do
        # not; the others win those that do.
        change = here & ~fits, here & fits
        beside = rest & theirs_fit, rest & ~theirs_fit
        found = np.empty((len(columns), self.rows, self.documents))
        starts, ends = (np.searchsorted(self.feature[own], columns, side) for side in ("left", "right"))
        for number, some in enumerate(map(slice, starts, ends)):
            found[number] = base + self._sum(
                np.concatenate([part[:, some] for part in change], axis=1),
                np.concatenate([part[:, some] for part in beside], axis=1),
                np.concatenate([-value[some], value[some]]),
            )
        return found

    def _open(self, inside: Bools, documents: Words) -> Ints:
        """The conditions, by feature, whose leaf some row reaches if only they are met otherwise."""
        never = ~inside & ~self._theirs.any(axis=0)
        missed = np.bincount(self._place[never], minlength=len(self._leaves))[self._place]
        reached: Bools = np.asarray(documents.any(axis=0))[self._place]
        able: Bools = reached & (missed - never == 0) & ~inside
        return np.asarray(self._by_feature[able[self._by_feature]])

    def _but_for(self, own: Ints, inside: Bools) -> Words:
        """(words, own) rows that fit all that a leaf asks of what is left out, but for a condition."""
        place = self._place[own]
        number = self._number[place]
        starts = np.cumsum(number) - number
        every = np.arange(number.sum()) + np.repeat(self._starts[place] - starts, number)
        rest = np.where(inside[every], ALL, self._theirs[:, every])
        rest[:, starts + own - self._starts[place]] = self._every[1][:, None]
        return _all_of(rest, starts)

    def _inside(self, kept: Iterable[int]) -> Bools:
        """(conditions,) whether they are on features that are kept."""
        keep = np.zeros(self._features, dtype=bool)
        keep[[*kept]] = True
        return keep[self.feature]

    def _reached(self, inside: Bools) -> tuple[Words, Words]:
        """(words, leaves): documents that fit what is kept, and rows that fit all else."""
        documents, theirs = self._every
        return (
            _all_of(np.where(inside, self._fits, documents[:, None]), self._starts),
            _all_of(np.where(inside, theirs[:, None], self._theirs), self._starts),
        )

    def _sum(self, documents: Words, theirs: Words, value: Floats, rows: Ints | None = None) -> Floats:
        """(B, N) sums of the values of the leaves that a document reaches beside a row."""
        some = np.flatnonzero(documents.any(axis=0) & theirs.any(axis=0))
        reached = _bits(theirs[:, some], self.rows)
        if rows is not None:
            reached = reached[:, rows]
        weighted = reached * value[some, None]
        return np.asarray(weighted.T @ _bits(documents[:, some], self.documents).astype(np.float64))


def _packed(goes: Bools) -> Words:
    """(words, nodes) the bits of (nodes, N)."""
    bits = np.packbits(goes, axis=1)
    bits = np.pad(bits, ((0, 0), (0, -bits.shape[1] % (WORD // 8))))
    return np.ascontiguousarray(bits.view(np.uint64).T)


def _conditions(goes: Words, node: Ints, left: Bools, starts: Ints) -> Words:
    """(words, conditions) who goes the way to a leaf at each of its nodes on one feature."""
    found = np.empty((len(goes), len(starts)), dtype=np.uint64)
    for row, words in zip(found, goes, strict=True):
        way = np.where(left, words[node], ~words[node])
        row[:] = _all_of(way[None], starts)[0]
    return found


def _valid(number: int) -> Words:
    """(words,) a bit for each of so many."""
    return _packed(np.ones((1, number), dtype=bool))[:, 0]


def _all_of(words: Words, starts: Ints) -> Words:
    """(words, groups) the bits that all of a group have."""
    if not len(starts):
        return words[:, :0]
    return np.asarray(np.bitwise_and.reduceat(words, starts, axis=1))


def _bits(words: Words, number: int) -> npt.NDArray[Any]:
    """(things, number) 0 and 1."""
    raw = np.ascontiguousarray(words.T).view(np.uint8)
    return np.unpackbits(raw, axis=1, count=number)


def leaf_scores(ranking: FeatureRanking, background: Floats) -> LeafScores | None:
    """The leaves of a ranking's model, where they give the model's own scores, up to a constant.

    None for models that are no sum of trees, or whose leaves add up to something else.
    """
    model = ranking.ask("leaves of trees")
    if model not in _FORESTS:
        _FORESTS[model] = forest_of(model)
    forest = _FORESTS[model]
    if forest is None:
        return None
    leaves = LeafScores(forest, ranking.X, background)
    missed = leaves.scores(range(ranking.X.shape[1]))[0] - ranking.scores
    if booster_of(model.model) is None:  # scores of 32 bits, and a constant that is no leaf's
        same, missed = SINGLE, missed - missed.mean()
    else:
        same = SAME
    scale = max(1.0, float(np.abs(ranking.scores).max()))
    return leaves if np.abs(missed).max() <= same * scale else None
