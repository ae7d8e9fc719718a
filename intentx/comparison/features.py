"""Two rankers over the same documents and features: how far they agree, and on which features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from intentx.comparison.compare import FIRST
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure
from intentx.evaluation.fidelity import judge_scores
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.feature_ranking import FeatureRanking

__all__ = ["FeatureComparison", "compare_features"]


@equal_by_values
@dataclass(frozen=True)
class FeatureComparison(Measure):
    """How two rankers over features agree on one query.

    Attributes
    ----------
    documents
        How many both rank; others are left out.
    tau, rbo, first_ten
        As in `intentx.comparison.results.Agreement`.
    first, second
        Features of the explanation of each ranker.
    both, first_only, second_only
        Those of both, and of one alone, in the explanation's order.
    jaccard
        Features of both over features of either.
    first_on_second, second_on_first
        Share of the pairs of one ranker's order that the features of the other's explanation order as
        it does, asked of the other ranker.
    """

    documents: int
    tau: float
    rbo: float
    first_ten: float
    first: tuple[str, ...]
    second: tuple[str, ...]
    both: tuple[str, ...]
    first_only: tuple[str, ...]
    second_only: tuple[str, ...]
    jaccard: float
    first_on_second: float
    second_on_first: float

    FORMAT: ClassVar[str] = "intentx.feature-comparison/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        return (
            f"The two orders of {self.documents} documents have τ {self.tau:.3f} and RBO "
            f"{self.rbo:.3f}. Features of both explanations: {', '.join(self.both) or 'none'}; "
            f"of the first only: {', '.join(self.first_only) or 'none'}; of the second only: "
            f"{', '.join(self.second_only) or 'none'}."
        )


def compare_features(first: FeatureRanking, second: FeatureRanking, method: Any) -> FeatureComparison:
    """Compare two rankers on the documents that both rank.

    Parameters
    ----------
    method
        What explains both, such as `intentx.ListwiseSHAP`.

    Raises
    ------
    InputError
        If one is no ranking by features, the features differ, or fewer than two documents are common.

    Examples
    --------
    >>> import intentx as ix
    >>> X, names = [[3, 0], [2, 1], [1, 3], [0, 2]], ["BM25", "links"]
    >>> one, other = (
    ...     ix.FeatureRanking.from_model(model, "tea", list("abcd"), X, names)
    ...     for model in (lambda X: X[:, 0], lambda X: X[:, 1]))
    >>> round(compare_features(one, other, ix.ListwiseSHAP()).tau, 3)
    -0.667
    """
    for one in (first, second):
        if not isinstance(one, FeatureRanking):
            raise InputError(
                f"a comparison by features needs two FeatureRankings, not a {type(one).__name__}; "
                "rankers of texts are compared by intentx.comparison.compare.compare_rankers"
            )
    if set(first.names) != set(second.names):
        differing = sorted(set(first.names) ^ set(second.names))
        raise InputError(
            f"both rankings need the same features; only one has {', '.join(differing[:5])}"
        )
    common = set(first.doc_ids) & set(second.doc_ids)
    if len(common) < 2:
        raise InputError(f"{len(common)} documents are in both rankings, and two are needed")
    one, other = (
        ranking.subset(i for i, doc in enumerate(ranking.doc_ids) if doc in common)
        for ranking in (first, second)
    )
    found = [method.explain(ranking) for ranking in (one, other)]
    mine, theirs = (tuple(explanation.kept) for explanation in found)
    place = {doc: i for i, doc in enumerate(other.doc_ids)}
    order = np.array([place[doc] for doc in one.doc_ids])
    back = np.argsort(order)
    top = min(FIRST, max(1, len(one) // 2))
    either = set(mine) | set(theirs)
    return FeatureComparison(
        documents=len(one),
        tau=kendall_tau_b(one.scores, other.scores[order]),
        rbo=rbo_ext(-order.astype(np.float64)),
        first_ten=len({*one.doc_ids[:top]} & {*other.doc_ids[:top]}) / top,
        first=mine,
        second=theirs,
        both=tuple(name for name in mine if name in theirs),
        first_only=tuple(name for name in mine if name not in theirs),
        second_only=tuple(name for name in theirs if name not in mine),
        jaccard=len(set(mine) & set(theirs)) / len(either) if either else math.nan,
        first_on_second=judge_scores(other, found[0].document_scores[back]).all,
        second_on_first=judge_scores(one, found[1].document_scores[order]).all,
    )
