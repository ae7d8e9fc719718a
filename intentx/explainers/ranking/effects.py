"""Effects of terms: what a ranker does when a term is put into a document, or taken out of it."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.ranking.measured import promising_terms, term_effects
from intentx.explainers.ranking.stability import check_stability, stability_of
from intentx.explainers.ranking.term_effect import TermEffect, not_asked
from intentx.perturbation import edits_in_a_list, edits_within, score_edits
from intentx.preferences.candidates import candidate_terms
from intentx.random_edits import RandomisedEdits, randomised_edits
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["BUDGET", "ask", "check_budget", "effects"]

Floats = npt.NDArray[np.float64]

CANDIDATES = 200
BUDGET = 400  # texts that the ranker scores
ROUND = 200  # edited documents of one turn of these stages where seconds limit them
STAGES = ((0.5, math.inf), (0.25, 60), (0.25, 20))  # shares of the edits, and terms that these change
EDITED_AT_LEAST = 20  # terms
MOST = 10_000  # edited documents without a budget: the estimates are then as good as they get
PURPOSE = "effects of terms"


def effects(
    ranking: Ranking,
    terms: Sequence[str] | None = None,
    *,
    budget: int | None = BUDGET,
    seconds: float | None = None,
    stability: float | None = None,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> tuple[TermEffect, ...]:
    """What the ranker does when terms are put into documents or taken out of them, many at once.

    Documents of the ranking are edited by chance, several terms at once
    (`intentx.random_edits.randomised_edits`), and scored. Since chance decides for each term by
    itself, the mean change of score with a term less that without it is the term's effect; a lasso
    on all terms and on the change of length, fitted to the other edited documents, first takes away
    what the rest explains. Which terms have an effect is decided by Benjamini and Hochberg's rule at
    a false discovery rate of .1. Terms without one are then tested beside each other term: the strongest
    such pair counts where it is significant at .05 among all pairs (Bonferroni), up to four pairs.

    Parameters
    ----------
    terms
        Terms of the analyzer, also terms that no document holds; None: the 200 candidates of
        `intentx.preferences.candidates.candidate_terms`.
    budget
        Most texts that the ranker is asked to score. Those of a listwise ranker make whole lists, in
        each of which a fifth of the documents is edited. None: no limit but ``seconds``.
    seconds
        Stop asking after so many seconds, and return what is known by then; the result depends on the
        machine.
    stability
        Stop asking once the first three terms, those with the largest effects, are so sure: which share
        of them is expected to stay (`intentx.explainers.ranking.stability.stability_of`), such as .9.
    analyzer
        How texts become terms; None: `Ranking.analyzer`.
    seed
        For every random draw.

    Returns
    -------
    tuple
        One `TermEffect` a term: in the order of ``terms``, or else those with an effect first, the
        strongest of them first.

    Raises
    ------
    InputError
        If there is no term to ask about, or all documents are too long to be edited.
    ScorerError
        If the ranker fails on an edited document.

    Notes
    -----
    The estimator is the difference in means under randomisation, adjusted by regression with
    cross-fitting (Wager et al., PNAS 2016); its standard error allows for unequal variances. A ranker
    that is noisy, or one that knows ranks only, gets wider intervals. For a listwise ranker an edited
    document's score is read where it stands among the others of its list.

    Examples
    --------
    >>> from intentx import rank
    >>> docs = [f"{a} {b} tea" for a in ("green", "black", "cold") for b in ("leaf", "pot", "cup")]
    >>> count = lambda query, texts: [3.0 * t.count("green") - t.count("pot") for t in texts]
    >>> for e in effects(rank(count, "tea", docs), ["green", "pot", "cup"]):
    ...     print(e.term, round(e.effect, 6), e.kind)
    green 3.0 wanted
    pot -1.0 unwanted
    cup 0.0 no effect
    """
    budget = check_budget(budget, seconds)
    check_stability(stability)
    index = TextIndex(ranking.texts, analyzer or ranking.analyzer)
    if terms is None:
        of_ranking = candidate_terms(ranking, CANDIDATES, index=index, importance="text-matching")
        asked: tuple[str, ...] = of_ranking.terms
    else:
        asked = _given(terms)
    if ranking.scorer is None or not edits_within(ranking, budget):
        return tuple(not_asked(term) for term in asked)
    edited = asked + _fillers(ranking, asked, index)
    edits, scores = ask(ranking, edited, index, budget, seconds, seed, stability)
    if not len(edits):
        raise InputError("all documents are too long to be edited; cut them to what the ranker reads")
    found = term_effects(ranking, edited, edits, scores, index, seed, len(asked))
    if terms is None:
        found.sort(key=lambda one: (one.kind in ("no effect", "not asked"), -_size(one)))
    return tuple(found)


def check_budget(budget: int | None, seconds: float | None) -> int:
    """The budget in texts; without one, more than there is time for."""
    if seconds is not None and not (isinstance(seconds, Real) and seconds > 0):
        raise InputError(f"seconds must be a finite number above 0 or None, not {seconds!r}")
    if budget is None:
        if seconds is None:
            raise InputError("budget=None needs a time limit: give seconds, too")
        return MOST
    if not isinstance(budget, Integral) or isinstance(budget, bool) or budget < 0:
        raise InputError(f"budget must be a whole number, 0 or more, or None, not {budget!r}")
    return int(budget)


def _given(terms: Sequence[str]) -> tuple[str, ...]:
    """The terms given, each once."""
    if isinstance(terms, str):
        raise InputError(f"terms must be a list of terms, such as [{terms!r}], not {terms!r}")
    for term in terms:
        if not isinstance(term, str) or not term.strip():
            raise InputError(f"a term is a text with at least one character, not {term!r}")
    if not len(terms):
        raise InputError("there are no terms to ask about")
    return tuple(dict.fromkeys(terms))


def _fillers(ranking: Ranking, asked: Sequence[str], index: TextIndex) -> tuple[str, ...]:
    """Terms to edit beside a few: else a term could not be told from the length that it adds."""
    lacking = max(0, EDITED_AT_LEAST - len(asked))
    if not lacking or not index.vocabulary:
        return ()
    found = candidate_terms(ranking, EDITED_AT_LEAST, index=index, importance="text-matching").terms
    return tuple(term for term in found if term not in asked)[:lacking]


def _size(one: TermEffect) -> float:
    return 0.0 if math.isnan(one.effect) else abs(one.effect)


def ask(
    ranking: Ranking,
    terms: Sequence[str],
    index: TextIndex,
    budget: int,
    seconds: float | None = None,
    seed: int = 0,
    stability: float | None = None,
) -> tuple[RandomisedEdits, Floats]:
    """Documents with terms put in and taken out by chance, and the ranker's (E,) scores of them.

    First all terms change; then those that seem to matter most, by themselves or beside another, each
    of them more often. That keeps the tests honest: a term that is left out is never said to have an
    effect, and on the others the later edits tell as if they had been planned. With a limit in seconds
    the stages take turns for as long as there is time, and with a wanted stability until it is reached.
    """
    turns = seconds is not None or stability is not None
    started = time.perf_counter()
    number = edits_within(ranking, budget)
    together = edits_in_a_list(ranking)
    edits, scores = randomised_edits(ranking, terms, index, 0, [seed, 0]), np.zeros(0)
    for stage in itertools.count():
        if len(edits) >= number:
            break
        if seconds is not None and len(edits) and time.perf_counter() - started >= seconds:
            break
        share, most = STAGES[stage % len(STAGES)]
        some = share * ROUND if turns else share * number
        some = min(number - len(edits), math.ceil(some / together) * together)  # whole lists
        among = None
        if len(terms) > most:
            among = promising_terms(ranking, terms, edits, scores, index, int(most), seed)
        more = randomised_edits(ranking, terms, index, some, [seed, len(edits)], among)
        if not len(more):
            break
        edits, scores = edits + more, np.concatenate([scores, score_edits(ranking, more.edits, PURPOSE)])
        if stability is None or stage < len(STAGES) - 1:
            continue
        if stability_of(term_effects(ranking, terms, edits, scores, index, seed)) >= stability:
            break
    return edits, scores
