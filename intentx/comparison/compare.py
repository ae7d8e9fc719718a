"""Compare rankers: the intent terms of each, what one prefers and another does not."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.comparison.biases import find_biases
from intentx.comparison.disagreements import Evidence
from intentx.comparison.edits import EditComparison, edits_compared
from intentx.comparison.pair import pair_comparison
from intentx.comparison.preferred import OTHERS, Disagreement, contrast_terms, disagreement
from intentx.comparison.results import Agreement, Comparison, Intent, QueryComparison
from intentx.errors import InputError, IntentxError
from intentx.evaluation.axioms import Axioms
from intentx.evaluation.axioms import axioms as axioms_of
from intentx.evaluation.fidelity import judge
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.plain import plain_settings
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.multiplex import Multiplex
from intentx.preferences import PreferenceMatrices, TermScores, preference_pairs
from intentx.rankers.services.redaction import without_secrets
from intentx.ranking import Ranking
from intentx.scoring import Scorer
from intentx.study.data import Topic
from intentx.study.rankings import ranking_by, ranking_of, vectors_of
from intentx.text import TextIndex, written_terms

__all__ = ["check_rankers", "compare_rankers"]

FIRST = 10  # documents whose overlap is counted
LEAST = 4  # documents that can be split into two halves with a pair each

Floats = npt.NDArray[np.float64]


def compare_rankers(
    rankers: Mapping[str, str | Scorer],
    topics: Iterable[Topic],
    *,
    method: Any = None,
    vectors: str | None = None,
    max_terms: int = 5,
    gap: int = 10,
    edits: int = 0,
    axioms: bool = False,
    pair: tuple[str, str] | None = None,
    seed: int = 0,
    cache: str | Path | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> Comparison:
    """Compare rankers query by query, and over all queries.

    All are compared on the documents that all of them rank.

    Parameters
    ----------
    rankers
        Two or more by their names: scorers, specs such as ``"bi-encoder:minilm"``, or ``"run:NAME"``
        for a run of the topics.
    topics
        Queries with their documents, e.g. from `intentx.study.data.topics`.
    method
        What explains each ranking; None: `Multiplex` with ``seed``. Where it has no analyzer, terms are
        those of the first ranker that has one, such as BM25, for all rankers; they are named as written.
    vectors
        Term vectors of the method for each query's documents, such as ``"minilm"``; None: as the
        method has them.
    max_terms
        Most terms of a contrast, on either side.
    gap
        Least rank distance of far pairs.
    edits
        Of how many documents of each query, those that all rank high, the smallest changes are looked
        for that move them down: up to some hundred texts for each document and ranker.
    axioms
        Whether to count which retrieval axioms each order goes along with.
    pair
        Ids of two documents: where a query has both, it is told what speaks for one of them in one
        ranker and for the other in another (`QueryComparison.pair`).
    cache
        A file that remembers the scores of rankers with a fingerprint.
    progress
        Called with the number of queries so far and the query, after each.

    Returns
    -------
    Comparison
        With every query. A ranker that fails on one is left out there, with its reason.

    Raises
    ------
    InputError
        For fewer than two rankers, the same spec twice, no query, or a pair that no query has.
    """
    check_rankers(rankers)
    if pair is not None and (len(pair) != 2 or pair[0] == pair[1]):
        raise InputError(f"a pair is two different documents, not {' and '.join(map(repr, pair))}")
    method = method or Multiplex(seed=seed)
    if gap < 1 or max_terms < 1 or edits < 0:
        raise InputError(
            "gap and max_terms must be 1 or more and edits 0 or more, not "
            f"{gap!r}, {max_terms!r} and {edits!r}"
        )
    found = []
    for topic in topics:
        one = _Query(topic, method, vectors, gap, edits, axioms, pair)
        found.append(one.compared(rankers, max_terms, seed, cache))
        if progress is not None:
            progress(len(found), topic.query)
    if not found:
        raise InputError("there is no query to compare rankers on")
    if pair is not None and not any(one.pair for one in found):
        raise InputError(
            f"no query has both {pair[0]!r} and {pair[1]!r} among the documents that all rankers rank"
        )
    evidence = [
        Evidence(q.qid, q.query, tuple(q.documents.values()), {n: _in_order(q, n) for n in q.intents})
        for q in found
        if q.agreements
    ]
    return Comparison(
        {
            name: without_secrets(one) if isinstance(one, str) else type(one).__name__
            for name, one in rankers.items()
        },
        type(method).__name__,
        plain_settings(method) | {"vectors": vectors, "contrast_terms": max_terms, "gap": gap},
        tuple(found),
        find_biases(evidence, list(rankers), analyzer=getattr(method, "analyzer", None), seed=seed),
    )


def check_rankers(rankers: Mapping[str, str | Scorer]) -> None:
    """Refuse fewer than two rankers, the same one twice, and names that are none."""
    if len(rankers) < 2:
        raise InputError(f"a comparison needs two rankers or more, not {len(rankers)}")
    names: dict[Any, str] = {}
    for name, ranker in rankers.items():
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"a ranker needs a name, not {name!r}")
        key = ranker if isinstance(ranker, str) else id(ranker)
        if key in names:
            raise InputError(f"{names[key]!r} and {name!r} are the same ranker: {ranker!r}")
        names[key] = name


class _Query:
    """One query being compared."""

    def __init__(
        self,
        topic: Topic,
        method: Any,
        vectors: str | None,
        gap: int,
        edits: int = 0,
        axioms: bool = False,
        pair: tuple[str, str] | None = None,
    ) -> None:
        self.topic, self.gap, self.edits, self.axioms = topic, gap, edits, axioms
        self.pair = pair
        if vectors is not None:
            texts, analyzer = tuple(topic.docs.values()), getattr(method, "analyzer", None)
            method = dataclasses.replace(method, vectors=vectors_of(vectors, texts, analyzer))
        self.method = method

    def compared(
        self,
        rankers: Mapping[str, str | Scorer],
        max_terms: int,
        seed: int,
        cache: str | Path | None,
    ) -> QueryComparison:
        """Everything about it, or the reasons why not."""
        bare = QueryComparison(self.topic.qid, self.topic.query)
        rankings: dict[str, Ranking] = {}
        failed: dict[str, str] = {}
        for name, ranker in rankers.items():
            try:
                rankings[name] = (
                    ranking_of(ranker, self.topic, cache, getattr(self.method, "analyzer", None))
                    if isinstance(ranker, str)
                    else ranking_by(ranker, self.topic, cache)
                )
            except IntentxError as error:
                failed[name] = str(error)
        common = [d for d in self.topic.docs if all(d in set(r.doc_ids) for r in rankings.values())]
        if len(rankings) > 1 and len(common) < LEAST:
            failed[OTHERS] = f"{len(common)} documents are ranked by all; at least {LEAST} are needed"
        if len(rankings) < 2 or len(common) < LEAST:
            return dataclasses.replace(bare, failed=failed)
        left_out = {name: len(ranking) - len(common) for name, ranking in rankings.items()}
        explanations: dict[str, IntentExplanation] = {}
        method = self._of_one_analyzer(rankings)
        for name, ranking in rankings.items():
            kept = ranking.subset(ranking.position(d) for d in common)
            try:
                explanations[name] = method.explain(kept)
            except IntentxError as error:
                failed[name] = str(error)
        texts = {doc: self.topic.docs[doc] for doc in common}
        part = dataclasses.replace(
            bare,
            documents=texts,
            left_out=left_out,
            intents={name: self._intent(one) for name, one in explanations.items()},
            failed=failed,
        )
        if len(explanations) < 2:
            return part
        return dataclasses.replace(
            part,
            agreements=tuple(_agreement(part, *two) for two in combinations(explanations, 2)),
            cross={
                a: {b: _crossed(explanations[a], explanations[b].ranking) for b in explanations}
                for a in explanations
            },
            disagreements=tuple(self._disagreements(part, explanations, max_terms, seed)),
            edits=tuple(self._edits(explanations)),
            axioms=self._axioms(explanations),
            pair=pair_comparison(*self.pair, explanations)
            if self.pair is not None and {*self.pair} <= part.documents.keys()
            else None,
        )

    def _of_one_analyzer(self, rankings: Mapping[str, Ranking]) -> Any:
        """The method, with the terms of the first ranker that has its own: they are compared.

        Term vectors are of words as they are written.
        """
        method = self.method
        of_words = getattr(method, "vectors", None) is not None or any(
            getattr(one, "vectors", None) is not None
            for one in getattr(method, "simple_rankers", None) or ()
        )
        own = [ranking.can.analyzer for ranking in rankings.values() if ranking.can.analyzer]
        if of_words or not own or getattr(method, "analyzer", own[0]) is not None:
            return method
        return dataclasses.replace(method, analyzer=own[0])

    def _axioms(self, explanations: Mapping[str, IntentExplanation]) -> dict[str, Axioms]:
        """Which axioms each order goes along with; none of a query without a term."""
        found: dict[str, Axioms] = {}
        for name, one in explanations.items() if self.axioms else ():
            with contextlib.suppress(InputError):
                found[name] = axioms_of(one.ranking)
        return found

    def _edits(self, explanations: Mapping[str, IntentExplanation]) -> Iterable[EditComparison]:
        """Of the first documents, which edits move them in one order and not in another."""
        if not self.edits:
            return ()
        return edits_compared({name: one.ranking for name, one in explanations.items()}, self.edits)

    def _intent(self, explanation: IntentExplanation) -> Intent:
        ranking = explanation.ranking
        fidelity = judge(ranking, explanation.matrices, explanation.matrices.pairs, gap=self.gap)
        return Intent(
            ranking.doc_ids, tuple(ranking.scores.tolist()), explanation.words, explanation.weights,
            fidelity.all, fidelity.far, fidelity.tau, tuple(one.kind for one in explanation.effects),
        )  # fmt: skip

    def _disagreements(
        self,
        part: QueryComparison,
        explanations: Mapping[str, IntentExplanation],
        max_terms: int,
        seed: int,
    ) -> Iterable[Disagreement]:
        """Of each two, and of each with all others where there are more."""
        some = next(iter(explanations.values()))
        index = TextIndex(tuple(part.documents.values()), some.analyzer)
        found = contrast_terms(part.query, index, some.simple_rankers)
        words = written_terms(found.terms, part.query, tuple(part.documents.values()), index.analyzer)
        terms = TermScores(found.values, words, found.rankers)
        scores = {name: _in_order(part, name) for name in explanations}
        sides = [(one, other, [other]) for one, other in combinations(scores, 2)]
        if len(scores) > 2:
            sides += [(one, OTHERS, [other for other in scores if other != one]) for one in scores]
        for one, name, others in sides:
            yield disagreement(
                one, name, scores[one], [scores[other] for other in others], terms,
                max_terms=max_terms, seed=seed,
            )  # fmt: skip


def _in_order(query: QueryComparison, ranker: str) -> Floats:
    """(N,) a ranker's scores in the order of the documents."""
    intent = query.intents[ranker]
    known = dict(zip(intent.doc_ids, intent.scores, strict=True))
    return np.array([known[doc] for doc in query.documents])


def _agreement(query: QueryComparison, first: str, second: str) -> Agreement:
    one, other = query.intents[first], query.intents[second]
    scores = dict(zip(other.doc_ids, other.scores, strict=True))
    theirs = np.array([scores[doc] for doc in one.doc_ids])
    top = min(FIRST, max(1, len(one.doc_ids) // 2))
    terms, of_other = set(one.terms), set(other.terms)
    either = terms | of_other
    return Agreement(
        first,
        second,
        kendall_tau_b(np.array(one.scores), theirs),
        rbo_ext(-np.array([other.doc_ids.index(doc) for doc in one.doc_ids], dtype=np.float64)),
        len({*one.doc_ids[:top]} & {*other.doc_ids[:top]}) / top,
        len(terms & of_other) / len(either) if either else math.nan,
    )


def _crossed(explanation: IntentExplanation, ranking: Ranking) -> float:
    """Fidelity of one ranker's explanation on all pairs of another's ranking of the documents."""
    places = [explanation.ranking.position(doc) for doc in ranking.doc_ids]
    fitted = explanation.matrices
    matrices = PreferenceMatrices(
        TermScores(fitted.scores.values[:, :, places]),
        preference_pairs(ranking),
        fitted.scale,
        fitted.margin,
    )
    return matrices.coverage(range(matrices.n_terms))
