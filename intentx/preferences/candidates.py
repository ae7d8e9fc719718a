"""Candidate terms: the words an explanation may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.perturbation import (
    EditedDocuments,
    Removal,
    editable,
    removal_for,
    remove_spans,
    score_edits,
)
from intentx.preferences.matrices import PreferenceMatrices
from intentx.preferences.simple_rankers import TextMatching
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import Analyzer, TextIndex

__all__ = ["Candidates", "QueryTermsUse", "candidate_terms", "perturbation_importance", "screened"]

QueryTermsUse = Literal["allow", "exclude"]
Importance = Literal["auto", "perturbation", "text-matching"]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Terms and their importance, the most important first.

    Attributes
    ----------
    terms
        T terms. Each occurs in at least one document, so that text matching can tell documents
        apart by it.
    importance
        (T,) numbers of at least 0.
    source
        ``"perturbation"`` or ``"text-matching"``.
    """

    terms: tuple[str, ...]
    importance: npt.NDArray[np.float64]
    source: str

    def __len__(self) -> int:
        return len(self.terms)


def candidate_terms(
    ranking: Ranking,
    n: int = 200,
    *,
    index: TextIndex | None = None,
    analyzer: Analyzer | None = None,
    importance: Importance = "auto",
    query_terms: QueryTermsUse = "allow",
    min_documents: int = 1,
    pool: int | None = None,
    perturbed_documents: int = 10,
    removal: Removal | None = None,
) -> Candidates:
    """Choose the terms that an explanation of ``ranking`` may use.

    First the ``pool`` terms with the highest tf-idf mass over the documents, ``sum of tf *
    ln((1 + N) / df)``, each document's part divided by ``log2(2 + position)``; then the
    best ``n`` of these by importance.

    Parameters
    ----------
    n
        Most terms returned.
    index
        The ranking's texts, indexed; built with ``analyzer`` when not given.
    importance
        ``"perturbation"``: mean of |score change| over the top documents that hold the term when
        every occurrence of it is removed (asks the ranker). ``"text-matching"``: the sum of BM25
        weights over the documents. ``"auto"``: the first where there is a scorer, unless it is
        listwise and would need a whole list for each edit, or all top documents are too long
        to edit.
    query_terms
        ``"allow"``: query terms that occur in a document are always among the candidates.
        ``"exclude"``: they never are.
    min_documents
        Terms of fewer documents are left out, query terms aside; unless that leaves none.
    pool
        Terms that reach the second step, ``2 n`` when None.
    perturbed_documents
        How many top documents are edited; together at most this many times ``pool`` scores,
        usually far fewer since a term occurs in few documents.
    removal
        How a term is removed; None: masked where the ranker names a mask, else deleted
        (`intentx.perturbation.removal_for`).

    Raises
    ------
    InputError
        If no term is left, e.g. when the documents are empty or hold stopwords only.
    """
    for name, number in (
        ("n", n),
        ("min_documents", min_documents),
        ("pool", pool),
        ("perturbed_documents", perturbed_documents),
    ):
        if number is not None and number < 1:
            raise InputError(f"{name} must be 1 or more, not {number!r}")
    for name, value, allowed in (
        ("query_terms", query_terms, get_args(QueryTermsUse)),
        ("importance", importance, get_args(Importance)),
    ):
        if value not in allowed:
            raise InputError(f"{name} must be one of {allowed}, not {value!r}")
    index = TextIndex(ranking.texts, analyzer or Analyzer()) if index is None else index
    of_query = set(index.analyzer.terms(ranking.query))
    vocabulary = [t for t in index.vocabulary if query_terms != "exclude" or t not in of_query]
    if not vocabulary:
        raise InputError(
            f"no candidate term for {ranking.query!r}: the documents hold no word that is not a "
            "stopword" + (" or a query term" if query_terms == "exclude" else "")
        )
    frequent = np.diff(index.counts.indptr)[index.rows(vocabulary)] >= min_documents
    often = [t for t, kept in zip(vocabulary, frequent, strict=True) if kept or t in of_query]
    vocabulary = often or vocabulary
    pooled = _best(vocabulary, _tf_idf(vocabulary, index), 2 * n if pool is None else pool, of_query)
    if importance == "auto":
        asks = ranking.scorer is not None and not ranking.scorer.listwise
        asks = asks and any(map(editable, ranking.texts[:perturbed_documents]))
        importance = "perturbation" if asks else "text-matching"
    if importance == "perturbation":
        weights = perturbation_importance(ranking, pooled, index, perturbed_documents, removal)
    else:
        weights = TextMatching().term_scores(pooled, index).sum(axis=1)
    chosen = _best(pooled, weights, n, of_query)
    by_term = dict(zip(pooled, weights.tolist(), strict=True))
    return Candidates(tuple(chosen), np.array([by_term[term] for term in chosen]), importance)


def screened(
    matrices: PreferenceMatrices, number: int, always: Sequence[str] = (), *, avoided: bool = False
) -> PreferenceMatrices:
    """The terms that come first by importance and by agreement with the pairs, the ranks added up.

    Parameters
    ----------
    matrices
        Terms in the order of importance.
    number
        Terms to keep, in their order.
    always
        Terms that are kept in any case, as far as there is room.
    avoided
        Whether those that go against the order count as those that go along with it.
    """
    if matrices.n_terms <= number:
        return matrices
    agreement = np.abs(matrices.mean_votes()) if avoided else matrices.mean_votes()
    rank_sum = np.arange(matrices.n_terms)
    rank_sum[np.argsort(-agreement, kind="stable")] += np.arange(matrices.n_terms)
    of_query = set(always)  # no array of strings: each would take as much room as the longest
    rank_sum[[term in of_query for term in matrices.scores.terms]] = -1
    kept = np.argsort(rank_sum, kind="stable")[:number]
    return matrices.restricted(np.sort(kept).tolist())


def perturbation_importance(
    ranking: Ranking,
    terms: Sequence[str],
    index: TextIndex,
    documents: int = 10,
    removal: Removal | None = None,
) -> npt.NDArray[np.float64]:
    """(T,) mean |score change| over the top documents when all of a term is removed.

    The mean is over the documents that hold the term; 0 where none of them does. All edited
    documents go to the ranker together; documents too long to edit are left out
    (`intentx.perturbation.LONGEST_EDITED`).
    """
    held = index.counts_of(terms)[:, :documents] > 0
    held &= [editable(text) for text in ranking.texts[:documents]]
    term, doc = np.nonzero(held)
    how, mask = removal_for(ranking, removal)
    spans: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for d in sorted(set(doc.tolist())):  # each text is analysed once, however many terms it holds
        for token in index.analyzer.tokens(ranking.texts[d]):
            spans.setdefault((d, token.term), []).append((token.start, token.end))
    texts = tuple(
        remove_spans(ranking.texts[d], spans[d, terms[t]], how=how, mask=mask)
        for t, d in zip(term.tolist(), doc.tolist(), strict=True)
    )
    scores = score_edits(ranking, EditedDocuments(texts, doc), "importance by perturbation")
    unit = unit_of(scores, ranking.scores)
    change = np.abs(scores / unit - ranking.scores[doc] / unit)
    total = np.bincount(term, weights=change, minlength=len(terms))
    mean = total / np.maximum(held.sum(axis=1), 1)
    with np.errstate(over="ignore"):
        return np.asarray(np.minimum(mean * unit, np.finfo(np.float64).max))


def _tf_idf(terms: Sequence[str], index: TextIndex) -> npt.NDArray[np.float64]:
    """(T,) summed tf-idf; a document's tf counts 1 / log2(2 + position)."""
    counts = index.counts
    discount = 1.0 / np.log2(2.0 + np.arange(counts.shape[1]))
    idf = np.log((1.0 + counts.shape[1]) / np.diff(counts.indptr))
    return np.asarray(((counts @ discount) * idf)[index.rows(terms)])


def _best(terms: Sequence[str], weights: npt.NDArray[np.float64], n: int, always: set[str]) -> list[str]:
    """The n terms with the greatest weights, best first, ties by input order; ``always`` stay."""
    kept = np.array([term in always for term in terms], dtype=bool)
    order = np.lexsort((-weights, ~kept))[: max(n, int(kept.sum()))]
    return [terms[i] for i in order[np.argsort(-weights[order], kind="stable")]]
