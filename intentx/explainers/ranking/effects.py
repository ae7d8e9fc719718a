"""Effects of terms: what a ranker does when a term is put into a document, or taken out of it."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.evaluation.statistics import false_discovery_rate, student_reach, student_test
from intentx.explainers.plain import number
from intentx.explainers.ranking.adjusted import randomised_effects
from intentx.explainers.ranking.stability import check_stability, stability_of
from intentx.perturbation import EditedDocuments, edits_in_a_list, edits_within, score_edits
from intentx.preferences.candidates import candidate_terms
from intentx.preferences.simple_rankers import TextMatching
from intentx.random_edits import RandomisedEdits, randomised_edits
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = [
    "BUDGET",
    "EffectKind",
    "TermEffect",
    "ask",
    "check_budget",
    "effects",
    "not_asked",
    "term_effects",
]

Floats = npt.NDArray[np.float64]
EffectKind = Literal["wanted", "unwanted", "no effect", "not asked"]

FALSE_DISCOVERIES = 0.1  # expected share among the terms said to have an effect, at most
CONFIDENCE = 0.95
CANDIDATES = 200
BUDGET = 400  # texts that the ranker scores
ROUND = 200  # edited documents of one turn of these stages where seconds limit them
STAGES = ((0.5, math.inf), (0.25, 60), (0.25, 20))  # shares of the edits, and terms that these change
OF_QUERY = 10.0  # how much likelier a term of the query is wanted than another, for the tests
EDITED_AT_LEAST = 20  # terms
MOST = 10_000  # edited documents without a budget: the estimates are then as good as they get
VERBS = {"wanted": "wants", "unwanted": "avoids", "not asked": "goes along"}
PURPOSE = "effects of terms"


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

    @property
    def verb(self) -> str:
        """What the ranker does with the term, in words; "goes along" where it was not asked."""
        return VERBS.get(self.kind, self.kind)

    def cells(self) -> tuple[str, str]:
        """What the ranker does with the term, in words and in score, half of the interval beside; and
        in places. "goes along" where it was not asked.
        """
        if self.kind == "not asked":
            return self.verb, ""
        return (
            f"{self.verb} {self.effect:+.2g} ± {(self.high - self.low) / 2:.1g}",
            f"{self.places:+.1f}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data; None for numbers that are not known."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TermEffect:
        """The inverse of `to_dict`."""
        if plain["kind"] not in get_args(EffectKind):
            raise InputError(f"an effect is of kind {get_args(EffectKind)}, not {plain['kind']!r}")
        effect, low, high, places = (
            math.nan if plain[key] is None else number(plain, key)
            for key in ("effect", "low", "high", "places")
        )
        return cls(str(plain["term"]), effect, low, high, places, int(plain["tested"]), plain["kind"])


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
    a false discovery rate of .1.

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


def not_asked(term: str) -> TermEffect:
    """What is known of a term that no ranker was asked about."""
    return TermEffect(term, math.nan, math.nan, math.nan, math.nan, 0, "not asked")


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

    First all terms change; then those that seem to matter most, each of them more often. That keeps
    the tests honest: a term that is left out is never said to have an effect, and on the others the
    later edits tell as if they had been planned. With a limit in seconds the stages take turns for as
    long as there is time, and with a wanted stability until it is reached.
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
        among = _promising(ranking, terms, edits, scores, index, seed, most)
        more = randomised_edits(ranking, terms, index, some, [seed, len(edits)], among)
        if not len(more):
            break
        edits, scores = edits + more, np.concatenate([scores, score_edits(ranking, more.edits, PURPOSE)])
        if stability is None or stage < len(STAGES) - 1:
            continue
        if stability_of(term_effects(ranking, terms, edits, scores, index, seed)) >= stability:
            break
    return edits, scores


def _promising(
    ranking: Ranking,
    terms: Sequence[str],
    edits: RandomisedEdits,
    scores: Floats,
    index: TextIndex,
    seed: int,
    most: float,
) -> npt.NDArray[np.bool_] | None:
    """(T,) the ``most`` terms with the largest effects, as measured by their errors; None: all."""
    if len(terms) <= most:
        return None
    found = term_effects(ranking, terms, edits, scores, index, seed)
    width = np.array([one.high - one.low for one in found])
    size = np.abs(np.array([one.effect for one in found]))
    by_error = np.divide(size, width, out=np.full(len(found), np.inf), where=width > 0)
    among = np.zeros(len(terms), dtype=bool)
    among[np.argsort(-by_error, kind="stable")[: int(most)]] = True
    return among


def term_effects(
    ranking: Ranking,
    terms: Sequence[str],
    edits: RandomisedEdits,
    scores: Floats,
    index: TextIndex,
    seed: int = 0,
    told: int | None = None,
) -> list[TermEffect]:
    """What edited documents and their (E,) scores say of each of T terms; see `effects`.

    With ``told``, of the first so many: the others were edited beside them, and are not asked about.
    """
    source = edits.edits.source
    unit = max(np.abs(ranking.scores).max(), np.abs(scores).max()) or 1.0
    before, after = ranking.scores[source] / unit, scores / unit
    edited = TextIndex(edits.edits.texts, index.analyzer, index)
    simple = TextMatching()
    matching = (simple.term_scores(terms, edited) - simple.term_scores(terms, index)[:, source]).T
    words, now = (one.astype(np.float64) for one in (index.lengths[source], edited.lengths))
    covariates = _length_changes(ranking, edits.edits, words, now, before)
    responses = np.stack([after - before, _places(ranking.scores / unit, source, after)])
    found, errors, freedom = randomised_effects(responses, edits, matching, covariates, seed)
    (effect, places), error = found, errors[0]
    tested = np.count_nonzero(edits.change, axis=0)
    known = np.isfinite(error) & (np.arange(len(terms)) < (len(terms) if told is None else told))
    ratio = np.divide(effect, error, out=np.zeros(len(terms)), where=known & (error > 0))
    chance = np.where(known, student_test(ratio, freedom), 1.0)
    real = np.zeros(len(terms), dtype=bool)
    if known.any():
        of_query = set(index.analyzer.terms(ranking.query))
        likely = np.where([term in of_query for term in terms], OF_QUERY, 1.0)[known]
        weighed = np.minimum(chance[known] * likely.mean() / likely, 1.0)
        real[known] = false_discovery_rate(weighed) <= FALSE_DISCOVERIES
    margin = student_reach(CONFIDENCE, freedom) * error
    most = np.finfo(np.float64).max / unit if unit > 1 else np.inf
    answer = []
    for i, term in enumerate(terms[:told]):
        if not known[i]:
            answer.append(not_asked(term))
            continue
        kind: EffectKind = "no effect"
        if real[i]:
            kind = "wanted" if effect[i] > 0 else "unwanted"
        numbers = np.clip(np.array([0.0, -margin[i], margin[i]]) + effect[i], -most, most) * unit
        middle, low, high = map(float, numbers)
        answer.append(TermEffect(term, middle, low, high, float(places[i]), int(tested[i]), kind))
    return answer


def _places(scores: Floats, source: npt.NDArray[np.intp], after: Floats) -> Floats:
    """(E,) places that each edited document rises among the others of the ranking; ties count half."""
    rising = np.sort(scores)

    def above(some: Floats) -> Floats:
        ends = np.searchsorted(rising, some, "left") + np.searchsorted(rising, some, "right")
        others = (scores[source] > some) + 0.5 * (scores[source] == some)
        return np.asarray(len(rising) - 0.5 * ends - others)

    return above(scores[source]) - above(after)


def _length_changes(
    ranking: Ranking, edits: EditedDocuments, words: Floats, now: Floats, before: Floats
) -> Floats:
    """(E, C) how much longer each edited document is, and how high it stood: no term is to blame."""
    signs = np.array([len(text) for text in ranking.texts], dtype=np.float64)[edits.source]
    ratio = np.log1p(now) - np.log1p(words)
    signs_now = np.array([len(text) for text in edits.texts], dtype=np.float64)
    grown, ratio_of_signs = signs_now - signs, np.log1p(signs_now) - np.log1p(signs)
    standing = (before - before.mean()) / (before.std() or 1.0)
    changes = ratio, ratio**2, ratio * standing, grown, now - words, ratio_of_signs, standing
    return np.stack(changes, axis=1)
