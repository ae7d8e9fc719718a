"""Effects of terms: what a ranker does when a term is put into a document, or taken out of it."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.perturbation import EditedDocuments, score_edits
from intentx.preferences.candidates import candidate_terms
from intentx.randomised import RandomisedEdits, randomised_edits
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["EffectKind", "TermEffect", "effects", "randomised_effects"]

Floats = npt.NDArray[np.float64]
EffectKind = Literal["wanted", "unwanted", "no effect", "not asked"]

FOLDS = 5
PENALTIES = 20
FALSE_DISCOVERIES = 0.1  # expected share among the terms said to have an effect, at most
CONFIDENCE = 0.95
CANDIDATES = 200
AT_A_TIME = 50  # edited documents scored between two looks at the clock
NEGLIGIBLE = 1e-9  # of the largest change of score: rounding


@dataclass(frozen=True)
class TermEffect:
    """What the ranker does with one term, asked with it and without.

    Attributes
    ----------
    term
        The term.
    effect
        Change of a document's score when the term is put in; taking it out does the opposite. A mean
        over documents of the ranking, and over what else was changed in them. NaN where it was not
        asked.
    low, high
        95 % interval of ``effect``.
    places
        Places in the ranking that a document rises when the term is put in.
    tested
        Edited documents in which the term was put in or taken out.
    kind
        ``"wanted"`` or ``"unwanted"``: the effect is not due to chance; among all terms said to have
        one, a tenth at most is expected to have none. ``"no effect"``: none was found, and it lies
        in the interval. ``"not asked"``: there is no ranker to ask, or the term was never changed.
    """

    term: str
    effect: float
    low: float
    high: float
    places: float
    tested: int
    kind: EffectKind


def effects(
    ranking: Ranking,
    terms: Sequence[str] | None = None,
    *,
    budget: int = 300,
    seconds: float | None = None,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> tuple[TermEffect, ...]:
    """What the ranker does when a term is put into a document or taken out of it, for many terms at once.

    Documents of the ranking are edited by chance, several terms at once
    (`intentx.randomised.randomised_edits`), and scored. Since chance decides for each term by
    itself, the mean change of score with a term less that without it is the term's effect; a lasso
    on all terms and on the change of length, fitted to the other edited documents, first takes away
    what the rest explains. Which terms have an effect is decided by Benjamini and Hochberg's rule at
    a false discovery rate of .1.

    Parameters
    ----------
    terms
        Terms of the analyzer, also such as no document holds; None: the 200 candidates of
        `intentx.preferences.candidates.candidate_terms`.
    budget
        Edited documents to score. A listwise ranker gets a whole list for each, and so fewer edits.
    seconds
        Stop asking after so long, and tell what is known then; the answer depends on the machine.
    analyzer
        How texts become terms.
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
    if budget < 0:
        raise InputError(f"budget must be 0 or more, not {budget!r}")
    if seconds is not None and not seconds > 0:
        raise InputError(f"seconds must be above 0, not {seconds!r}")
    index = TextIndex(ranking.texts, analyzer or Analyzer())
    if terms is None:
        of_ranking = candidate_terms(ranking, CANDIDATES, index=index, importance="text-matching")
        asked: tuple[str, ...] = of_ranking.terms
    else:
        asked = tuple(dict.fromkeys(terms))
    if not asked:
        raise InputError("there are no terms to ask about")
    box = ranking.scorer
    number = budget if box is None or not box.listwise else budget // len(ranking)
    if box is None or not number:
        return tuple(_not_asked(term) for term in asked)
    edits = randomised_edits(ranking, asked, index, number, seed)
    edits, scores = _scored(ranking, edits, seconds)
    found = _term_effects(ranking, asked, edits, scores, index.analyzer, seed)
    if terms is None:
        found.sort(key=lambda one: (one.kind in ("no effect", "not asked"), -_size(one)))
    return tuple(found)


def _not_asked(term: str) -> TermEffect:
    return TermEffect(term, math.nan, math.nan, math.nan, math.nan, 0, "not asked")


def _size(one: TermEffect) -> float:
    return 0.0 if math.isnan(one.effect) else abs(one.effect)


def _scored(
    ranking: Ranking, edits: RandomisedEdits, seconds: float | None
) -> tuple[RandomisedEdits, Floats]:
    """The edits scored while time allows, the first ones in any case, and their scores."""
    if seconds is None:
        return edits, score_edits(ranking, edits.edits, "effects of terms")
    started = time.perf_counter()
    parts: list[Floats] = []
    for start in range(0, len(edits), AT_A_TIME):
        if parts and time.perf_counter() - started > seconds:
            break
        stop = start + AT_A_TIME
        some = EditedDocuments(edits.edits.texts[start:stop], edits.edits.source[start:stop])
        parts.append(score_edits(ranking, some, "effects of terms"))
    scores = np.concatenate(parts)
    return edits.first(len(scores)), scores


def _term_effects(
    ranking: Ranking,
    terms: Sequence[str],
    edits: RandomisedEdits,
    scores: Floats,
    analyzer: Analyzer,
    seed: int,
) -> list[TermEffect]:
    from scipy import stats

    source = edits.edits.source
    unit = max(np.abs(ranking.scores).max(), np.abs(scores).max()) or 1.0
    before, after = ranking.scores[source] / unit, scores / unit
    covariates = _length_changes(ranking, edits.edits, analyzer, before)
    effect, error, freedom = randomised_effects(after - before, edits, covariates, seed)
    others = _places(ranking.scores / unit, source, after)
    places, _, _ = randomised_effects(others, edits, covariates, seed)
    tested = np.count_nonzero(edits.change, axis=0)
    known = np.isfinite(error)
    ratio = np.divide(effect, error, out=np.zeros(len(terms)), where=known & (error > 0))
    chance = np.where(known, 2 * stats.t.sf(np.abs(ratio), freedom), 1.0)
    real = np.zeros(len(terms), dtype=bool)
    if known.any():
        real[known] = stats.false_discovery_control(chance[known]) <= FALSE_DISCOVERIES
    margin = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * error
    found = []
    for i, term in enumerate(terms):
        if not known[i]:
            found.append(_not_asked(term))
            continue
        kind: EffectKind = "no effect"
        if real[i]:
            kind = "wanted" if effect[i] > 0 else "unwanted"
        low, middle, high = (float(v * unit) for v in (effect[i] - margin[i], effect[i], effect[i] + margin[i]))
        found.append(TermEffect(term, middle, low, high, float(places[i]), int(tested[i]), kind))
    return found


def _places(scores: Floats, source: npt.NDArray[np.intp], after: Floats) -> Floats:
    """(E,) places that each edited document rises among the others of the ranking."""
    rising = np.sort(scores)
    # Ties count half, so that a document that stays as it is stays where it is.
    above = len(rising) - 0.5 * (
        np.searchsorted(rising, after, "left") + np.searchsorted(rising, after, "right")
    )
    now = above - 0.5 * (after < scores[source])  # the document itself is no other
    own = scores[source]
    there = len(rising) - 0.5 * (np.searchsorted(rising, own, "left") + np.searchsorted(rising, own, "right"))
    return np.asarray(there - now)


def _length_changes(
    ranking: Ranking, edits: EditedDocuments, analyzer: Analyzer, before: Floats
) -> Floats:
    """(E, C) how much longer each edited document is: what no single term is to be blamed for."""
    words = np.array([len(analyzer.tokens(text)) for text in ranking.texts], dtype=np.float64)
    now = np.array([len(analyzer.tokens(text)) for text in edits.texts], dtype=np.float64)
    signs = np.array([len(text) for text in ranking.texts], dtype=np.float64)[edits.source]
    ratio = np.log1p(now) - np.log1p(words[edits.source])
    grown = np.array([len(text) for text in edits.texts], dtype=np.float64) - signs
    standing = (before - before.mean()) / (before.std() or 1.0)
    return np.stack([ratio, ratio**2, ratio * standing, grown, now - words[edits.source]], axis=1)


def randomised_effects(
    response: Floats, edits: RandomisedEdits, covariates: Floats, seed: int = 0
) -> tuple[Floats, Floats, Floats]:
    """(T,) effects of terms on a response, their standard errors, and degrees of freedom.

    Parameters
    ----------
    response
        (E,) of the edited documents.
    covariates
        (E, C) what else changed.

    Notes
    -----
    With ``z`` the change of a term less its expectation, which chance alone made, and ``r`` the
    response less what a lasso on the other documents says of it, the effect is ``Σ z r / Σ z x``.
    A term that was never changed has the error infinity.
    """
    number, terms = edits.change.shape
    change, surprise = edits.change, edits.change - edits.expected
    coefficients, predicted = _cross_fitted(np.column_stack([change, covariates]), response, seed, always=terms)
    residual = (response - predicted)[:, None] + coefficients[:, :terms] * change
    power = np.sum(surprise * change, axis=0)
    changed = (power > 0) & np.any(change, axis=0)
    effect = np.divide(np.sum(surprise * residual, axis=0), power, out=np.zeros(terms), where=changed)
    left = surprise * (residual - change * effect)
    freedom = np.sum(surprise**2, axis=0) ** 2 / np.maximum(np.sum(surprise**4, axis=0), NEGLIGIBLE)
    freedom = np.clip(freedom, 2.0, max(number - 2, 2))
    spread = np.sqrt(np.sum(left**2, axis=0) * freedom / (freedom - 1))
    error = np.divide(spread, power, out=np.full(terms, np.inf), where=changed)
    rounding = NEGLIGIBLE * np.abs(response).max(initial=0.0)
    effect[np.abs(effect) <= rounding] = 0.0
    error[changed] = np.maximum(error[changed], rounding)
    return effect, error, freedom


def _cross_fitted(design: Floats, response: Floats, seed: int, always: int) -> tuple[Floats, Floats]:
    """(E, K) coefficients for each row, fitted to the rows of other folds; (E,) their predictions."""
    from sklearn.linear_model import Lasso, LassoCV

    number = len(response)
    folds = min(FOLDS, number // 2)
    coefficients, predicted = np.zeros(design.shape), np.full(number, response.mean())
    spread = response.std()
    if folds < 2 or not spread:
        return coefficients, predicted
    scale = design.std(axis=0)
    scale[scale == 0] = 1.0
    rows = design / scale
    target = response / spread
    fold = np.random.default_rng(seed).permutation(number) % folds
    settings: dict[str, Any] = {"max_iter": 2000, "tol": 1e-3}
    with warnings.catch_warnings():  # a fit that stops early only leaves more to the average
        warnings.simplefilter("ignore")
        largest = np.abs(rows.T @ (target - target.mean())).max() / number
        penalties = np.geomspace(largest, largest / 1000, PENALTIES)
        penalty = LassoCV(cv=folds, alphas=penalties, **settings).fit(rows, target).alpha_
        for out in range(folds):
            here = fold == out
            weights = Lasso(alpha=penalty, **settings).fit(rows[~here], target[~here]).coef_
            weights[always:] = 1.0
            chosen = np.flatnonzero(weights)
            # Least squares on what the lasso chose: its shrunken weights would leave a bit of all.
            known = np.column_stack([rows[:, chosen], np.ones(number)])
            fit = np.linalg.lstsq(known[~here], response[~here], rcond=1e-10)[0]
            coefficients[np.ix_(here, chosen)] = fit[:-1] / scale[chosen]
            predicted[here] = known[here] @ fit
    return coefficients, predicted
