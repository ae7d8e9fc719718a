"""Terms that were found by other means, judged like those of any method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.pipeline import Session
from intentx.explainers.ranking.problem import IntentProblem
from intentx.preferences.simple_rankers import SimpleRankers
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["given_terms"]


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
