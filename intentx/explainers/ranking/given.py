"""Terms that were found by other means, judged like those of any method."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from intentx.coverage.crossfit import Choice
from intentx.coverage.shares import coverage_shares
from intentx.coverage.validate import Option
from intentx.errors import InputError
from intentx.evaluation.fidelity import judge
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.judging import intent_verdict
from intentx.explainers.ranking.pipeline import Session
from intentx.explainers.ranking.problem import IntentProblem
from intentx.preferences.simple_rankers import SimpleRankers
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["fewer_terms", "given_terms"]


def given_terms(
    ranking: Ranking,
    method: str,
    terms: tuple[str, ...],
    *,
    simple_rankers: SimpleRankers | None = None,
    vectors: TermVectors | None = None,
    analyzer: Analyzer | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> IntentExplanation:
    """Terms that ``method`` found by other means, judged like any others on all pairs.

    Parameters
    ----------
    terms
        As the analyzer writes them.
    simple_rankers, vectors, analyzer, seed
        As in `intentx.Multiplex`.
    settings
        Of the method, as plain data; None: those that the terms are judged by.

    Raises
    ------
    InputError
        If the ranking has no preference pair.

    Examples
    --------
    >>> from intentx import rank
    >>> score = lambda query, texts: [text.count("piano") for text in texts]
    >>> ranking = rank(score, "keys", ["piano piano", "piano lamp", "desk"])
    >>> given_terms(ranking, "by hand", ("piano",)).fidelity.all
    1.0
    """
    problem = IntentProblem.of(
        ranking, simple_rankers=simple_rankers, vectors=vectors, analyzer=analyzer
    )
    if settings is None:
        names = [ranker.name for ranker in problem.simple_rankers]
        settings = {"simple_rankers": names, "pairs": "all", "seed": seed}
    return Session(problem, method, settings, seed).given(terms)


def fewer_terms(whole: IntentExplanation, without: Collection[str]) -> IntentExplanation:
    """An explanation without some of its terms; the others are judged as they were found.

    Their scores in the documents are those of ``whole``, whatever found and scored them, and so are
    the effects that were measured; the ranker is not asked again.

    Parameters
    ----------
    whole
        An explanation of a ranking, also one that was loaded from JSON.
    without
        Terms that are taken out; those that it does not have change nothing.

    Raises
    ------
    InputError
        If no term is left.

    Examples
    --------
    >>> from intentx import rank
    >>> score = lambda query, texts: [text.count("piano") for text in texts]
    >>> ranking = rank(score, "keys", ["piano piano", "piano lamp", "desk"])
    >>> fewer_terms(given_terms(ranking, "by hand", ("piano", "lamp")), ["piano"]).terms
    ('lamp',)
    """
    left = [i for i, term in enumerate(whole.terms) if term not in without]
    if not left:
        raise InputError("no term is left: keep at least one term of the explanation")
    matrices = whole.matrices.restricted(left)
    weights = coverage_shares(matrices, seed=int(whole.settings.get("seed", 0)))
    order = np.argsort(-weights, kind="stable")
    matrices = matrices.restricted(order.tolist())
    effects = {one.term: one for one in whole.effects}
    parts = (one.name for one in dataclasses.fields(IntentExplanation) if one.init)
    found: dict[str, Any] = {name: getattr(whole, name) for name in parts}
    found |= {
        "terms": matrices.scores.terms,
        "weights": tuple(weights[order].tolist()),
        "matrices": matrices,
        "coverage": matrices.coverage(range(matrices.n_terms)),
        "bound": None,
        "status": "given",
        "fidelity": judge(whole.ranking, matrices, matrices.pairs, gap=whole.fidelity.gap),
        "effects": tuple(effects[term] for term in matrices.scores.terms if term in effects),
        "judge": functools.partial(intent_verdict, choice=Choice(Option(matrices), 0, 0.0), controls={}),
    }
    return IntentExplanation(**found)
