"""What one ranker prefers and others do not, by the pairs of documents that they order differently."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.coverage import solve
from intentx.coverage.shares import coverage_shares
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.preferences import Pairs, PreferenceMatrices, TermScores
from intentx.preferences.pairs import ROUNDING
from intentx.preferences.simple_rankers import SimpleRanker, TextMatching, term_scores
from intentx.text import TextIndex

__all__ = ["OTHERS", "Disagreement", "SideTerms", "contrast_terms", "disagreement", "orders", "with_nan"]

Floats = npt.NDArray[np.float64]
Signs = npt.NDArray[np.int8]

OTHERS = ""  # in the place of a ranker's name: all others together

MOST_DOCUMENTS = 10_000  # whose pairs fit into memory
POOL = 600  # terms to choose from
SCREENED = 20  # of these, those that speak most for the pairs by themselves: the others fit and fail
SOFTNESS, SOFT_SHARE = 2 / 3, 2 / 3  # per simple ranker, as Multiplex has them at generality 0.5
FEW = 10  # pairs: fewer say nothing
FEW_SHARE = 0.02  # of all pairs that both order
FOLD_PAIRS = 5  # that a split of the documents must leave on either side
SPLITS = 3


@equal_by_values
@dataclass(frozen=True)
class SideTerms:
    """What speaks for one side of a disagreement.

    Attributes
    ----------
    terms
        Most useful first. The documents that this side prefers hold more of them, by the vote of the
        simple rankers.
    shares
        Share of the disagreements that each covers: Shapley values, which sum to ``covered``.
    covered
        Share of the disagreements that the terms cover together. They were chosen on these.
    heldout
        The same on disagreements among documents that the terms were not chosen on: the mean of six,
        each time half of the documents. Chance is one half. NaN where there are too few.
    """

    terms: tuple[str, ...]
    shares: tuple[float, ...]
    covered: float
    heldout: float


EARLIER = {"wants": "for_first", "not_wants": "for_second"}  # in files of format 1
NOTHING = SideTerms((), (), math.nan, math.nan)


@equal_by_values
@dataclass(frozen=True)
class Disagreement:
    """Where two rankers order documents differently, and the terms that tell these pairs apart.

    Attributes
    ----------
    first, second
        The rankers; ``second`` is `OTHERS` where the first is compared with all others, and each
        of these that it contradicts counts.
    pairs
        Pairs of documents that they order differently.
    of
        Pairs that both order, the same way or differently.
    documents
        How many are compared.
    for_first, for_second
        What the documents hold that the first prefers and the second does not, and the other way
        round. Neither ranker was asked: they need not look for it.
    covered, heldout
        Of both together, the terms of ``for_second`` counting against a document; as in `SideTerms`.
    reason
        Why there are no terms, "" where there are.
    """

    first: str
    second: str
    pairs: int
    of: int
    documents: int
    for_first: SideTerms = NOTHING
    for_second: SideTerms = NOTHING
    covered: float = math.nan
    heldout: float = math.nan
    reason: str = ""

    @property
    def believable(self) -> bool:
        """Whether the terms tell apart clearly more held-out pairs than chance, one half, does.

        By ``1 / sqrt(documents)``: between random orders of 16 to 100 documents, shares have half of
        that as their standard deviation, and 2 to 5 % of them pass.
        """
        return self.heldout > 0.5 + 1 / math.sqrt(self.documents)

    @property
    def reverse(self) -> Disagreement:
        """The same, seen from the second ranker."""
        return Disagreement(
            self.second, self.first, self.pairs, self.of, self.documents,
            self.for_second, self.for_first, self.covered, self.heldout, self.reason,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Disagreement:
        """The inverse of `dataclasses.asdict`, None standing for NaN."""
        found = {EARLIER.get(key, key): value for key, value in with_nan(plain).items()}
        for side in ("for_first", "for_second"):
            known = with_nan(found[side])
            lists = {name: tuple(known[name]) for name in ("terms", "shares")}
            found[side] = SideTerms(**{**known, **lists})
        return cls(**found)


def with_nan(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping from JSON, where None stands for NaN."""
    return {key: math.nan if value is None else value for key, value in plain.items()}


def orders(scores: Floats) -> Signs:
    """(N, N) 1 where the document of the row scores higher than that of the column, -1 lower.

    Scores that differ by rounding only are equal, as in `preference_pairs`.

    Raises
    ------
    InputError
        If there are more than 10,000 documents.
    """
    if len(scores) > MOST_DOCUMENTS:
        raise InputError(
            f"rankings of {len(scores):,} documents cannot be compared pair by pair: that would need "
            f"{9 * len(scores) ** 2 / 2**30:,.0f} GiB of memory. Compare the first {MOST_DOCUMENTS:,} "
            "or fewer"
        )
    gap = scores[:, None] - scores
    close = np.abs(gap) <= ROUNDING * np.abs(scores).max()
    return np.where(close, 0, np.sign(gap)).astype(np.int8)


def contrast_terms(query: str, index: TextIndex, simple_rankers: Sequence[SimpleRanker]) -> TermScores:
    """Scores of the terms that a contrast may name: those of most weight, in two documents or more.

    No ranker plays a part in the choice. Terms of the query may be in one document.

    Raises
    ------
    InputError
        If no term is left.
    """
    of_query = set(index.analyzer.terms(query))
    holding = np.diff(index.counts.indptr)
    terms = [
        term for term, n in zip(index.vocabulary, holding.tolist(), strict=True)
        if n > 1 or term in of_query
    ]  # fmt: skip
    if not terms:
        raise InputError(
            "no word occurs in two or more documents, so no term can distinguish the documents"
        )
    weight = TextMatching().term_scores(terms, index).sum(axis=1)
    best = np.sort(np.argsort(-weight, kind="stable")[:POOL])
    return term_scores([terms[i] for i in best], index, simple_rankers)


def disagreement(
    first: str,
    second: str,
    scores: Floats,
    others: Sequence[Floats],
    terms: TermScores,
    *,
    max_terms: int = 5,
    seed: int = 0,
) -> Disagreement:
    """Terms that tell apart the pairs on which one ranker contradicts another, or several.

    Parameters
    ----------
    scores, others
        (N,) scores of the documents by the first ranker, and by each of the others.
    terms
        Their scores in the documents, in the same order.
    max_terms
        Most terms for either side.
    seed
        For the splits of the documents.
    """
    order = np.argsort(-scores, kind="stable")
    wins = orders(scores[order]) > 0
    contradicted = np.zeros(wins.shape, dtype=np.intp)
    both = 0
    for other in others:
        theirs = orders(other[order])
        contradicted += wins & (theirs < 0)
        both += int(np.count_nonzero(wins & (theirs != 0)))
    high, low = np.nonzero(contradicted)
    weight = contradicted[high, low]
    number = int(weight.sum())
    bare = Disagreement(first, second, number, both, len(order))
    if not number:
        return _without(bare, "they agree on every pair that both order")
    if number < FEW or number < FEW_SHARE * both:
        return _without(bare, "they nearly agree: too few pairs differ to explain")
    pairs = Pairs(high, low, weight.astype(np.float64) if len(others) > 1 else None)
    values = TermScores(terms.values[:, :, order], terms.terms, terms.rankers)
    fitted = _Sides.fitted(values, pairs, max_terms, seed)
    held = np.array(
        [_Sides.fitted(values, shown, max_terms, seed).covering(hidden)
         for shown, hidden in _splits(pairs, len(order), seed)]
    ).reshape(-1, 3)  # fmt: skip
    heldout = held.mean(axis=0).tolist() if len(held) else [math.nan] * 3
    covered = fitted.covering(pairs)
    return Disagreement(
        first, second, number, both, len(order),
        fitted.wanted(0, covered[0], heldout[0], seed),
        fitted.wanted(1, covered[1], heldout[1], seed),
        covered[2], heldout[2],
    )  # fmt: skip


def _without(bare: Disagreement, reason: str) -> Disagreement:
    return dataclasses.replace(bare, reason=reason)


@dataclass(frozen=True)
class _Sides:
    """Terms for the first ranker's side, for the second's with the sign changed, and for both."""

    sides: tuple[PreferenceMatrices, PreferenceMatrices, PreferenceMatrices]

    @classmethod
    def fitted(cls, values: TermScores, pairs: Pairs, max_terms: int, seed: int) -> _Sides:
        everything = PreferenceMatrices(values, pairs)
        against = PreferenceMatrices(
            TermScores(-values.values, values.terms, values.rankers), pairs, everything.scale
        )
        one, two = (_chosen(matrices, max_terms, seed) for matrices in (everything, against))
        joined = np.concatenate([one.scores.values, two.scores.values], axis=1)
        both = PreferenceMatrices(TermScores(joined), pairs, everything.scale)
        return cls((one, two, both))

    def covering(self, pairs: Pairs) -> list[float]:
        """Share of some pairs, by weight, that each side and both together cover."""
        found = []
        for side in self.sides:
            matrices = PreferenceMatrices(side.scores, pairs, side.scale)
            covered = matrices.covered(range(matrices.n_terms))
            found.append(float(np.average(covered, weights=pairs.weight)))
        return found

    def wanted(self, side: int, covered: float, heldout: float, seed: int) -> SideTerms:
        """One side with the share of each of its terms."""
        matrices = self.sides[side]
        plain = Pairs(matrices.pairs.high, matrices.pairs.low)
        shares = coverage_shares(PreferenceMatrices(matrices.scores, plain, matrices.scale), seed=seed)
        if matrices.pairs.weight is not None and shares.sum() > 0:
            shares = shares * covered / shares.sum()  # of pairs by weight, to which they must sum
        first = np.argsort(-shares, kind="stable")
        names = matrices.scores.terms
        return SideTerms(tuple(names[i] for i in first), tuple(shares[first].tolist()), covered, heldout)


def _chosen(matrices: PreferenceMatrices, max_terms: int, seed: int) -> PreferenceMatrices:
    """The terms that cover the pairs best, among those that speak for them by themselves."""
    best = np.sort(np.argsort(-matrices.mean_votes(), kind="stable")[:SCREENED])
    screened = matrices.restricted(best.tolist())
    selection = solve(
        screened,
        min(max_terms, screened.n_terms),
        method="descent",
        softness=SOFTNESS * matrices.n_rankers,
        soft_share=SOFT_SHARE,
        seed=seed,
    )
    return screened.restricted(selection.indices)


def _splits(pairs: Pairs, documents: int, seed: int) -> Iterator[tuple[Pairs, Pairs]]:
    """Pairs within one half of the documents, and within the other; each half is shown once."""
    for generator in np.random.default_rng(seed).spawn(SPLITS):
        drawn = generator.permutation(documents)
        halves = (pairs.among(drawn[: documents // 2]), pairs.among(drawn[documents // 2 :]))
        if min(map(len, halves)) >= FOLD_PAIRS:
            yield halves
            yield halves[::-1]
