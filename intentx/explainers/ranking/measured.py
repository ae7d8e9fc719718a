"""What edited documents and their scores say of terms: effects, their errors, and tests of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.evaluation.statistics import false_discovery_rate, student_reach, student_test
from intentx.explainers.ranking.adjusted import Adjusted, Together, randomised_effects
from intentx.explainers.ranking.beside import Beside, effects_beside
from intentx.explainers.ranking.term_effect import EffectKind, TermEffect, not_asked
from intentx.perturbation import EditedDocuments
from intentx.preferences.simple_rankers import TextMatching
from intentx.random_edits import RandomisedEdits
from intentx.ranking import Ranking
from intentx.text import TextIndex
from intentx.threads import one_thread

__all__ = ["promising_terms", "term_effects"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Pair = tuple[int, int]

FALSE_DISCOVERIES = 0.1  # expected share among the terms said to have an effect, at most
CONFIDENCE = 0.95
OF_QUERY = 10.0  # how much likelier a term of the query is wanted than another, for the tests
FALSE_PAIRS = 0.05  # probability of one pair or more that is none
PAIRS = 4  # of terms that count only together, at most
NOTHING = 1e-6  # of an error: an effect that says nothing
FOR_PAIRS = 4  # every fourth of the terms that are asked about once more is one of a pair


class _Asked(NamedTuple):
    """What is known of E edited documents and T terms.

    Attributes
    ----------
    edits, terms, of_query
        The edits; the terms, and which of them the query holds.
    responses
        (2, E) change of score over ``unit``, and places risen.
    matching, covariates
        (E, T) and (E, C), see `randomised_effects`.
    held, was
        (E, T) whether the edited document, and the original, hold a term.
    """

    edits: RandomisedEdits
    terms: Sequence[str]
    of_query: Flags
    unit: float
    responses: Floats
    matching: Floats
    covariates: Floats
    held: Flags
    was: Flags
    seed: int

    @classmethod
    def of(
        cls,
        ranking: Ranking,
        terms: Sequence[str],
        edits: RandomisedEdits,
        scores: Floats,
        index: TextIndex,
        seed: int,
    ) -> _Asked:
        source = edits.edits.source
        unit = float(max(np.abs(ranking.scores).max(), np.abs(scores).max()) or 1.0)
        before, after = ranking.scores[source] / unit, scores / unit
        edited = TextIndex(edits.edits.texts, index.analyzer, index)
        simple = TextMatching()
        matching = (simple.term_scores(terms, edited) - simple.term_scores(terms, index)[:, source]).T
        words, now = (one.astype(np.float64) for one in (index.lengths[source], edited.lengths))
        covariates = _length_changes(ranking, edits.edits, words, now, before)
        responses = np.stack([after - before, _places(ranking.scores / unit, source, after)])
        in_query = set(index.analyzer.terms(ranking.query))
        of_query = np.array([term in in_query for term in terms])
        held, was = (edited.counts_of(terms) > 0).T, (index.counts_of(terms) > 0).T[source]
        return cls(edits, terms, of_query, unit, responses, matching, covariates, held, was, seed)

    def adjusted(self, pairs: Sequence[Pair]) -> Adjusted:
        """Effects, where some pairs of terms may count only together."""
        first, second = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        both = self.held[:, first] & self.held[:, second]
        had = self.was[:, first] & self.was[:, second]
        together = Together(both.astype(np.float64) - had, np.stack([first, second], axis=1))
        return randomised_effects(
            self.responses, self.edits, self.matching, self.covariates, self.seed, together
        )

    def beside(self, adjusted: Adjusted) -> Beside:
        return effects_beside(self.edits, self.held, adjusted.left, self.responses)


class _Measured(NamedTuple):
    """Of one term: effect and its standard error in units of `_Asked`, the places that it is worth."""

    effect: float
    error: float
    freedom: float
    places: float
    tested: int


@one_thread
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
    asked = _Asked.of(ranking, terms, edits, scores, index, seed)
    number = len(terms) if told is None else told
    pairs: list[Pair] = []
    while True:
        adjusted = asked.adjusted(pairs)
        real = _real(asked, adjusted, number)
        beside = asked.beside(adjusted)
        more = _strongest(beside, adjusted, real, pairs, number) if len(pairs) < PAIRS else None
        if more is None:
            break
        pairs.append(more)
    partners = _partners(beside, real, pairs)
    return [
        _beside_another(asked, beside, term, partners[term])
        if term in partners
        else _by_itself(asked, adjusted, term, bool(real[term]))
        for term in range(number)
    ]


@one_thread
def promising_terms(
    ranking: Ranking,
    terms: Sequence[str],
    edits: RandomisedEdits,
    scores: Floats,
    index: TextIndex,
    most: int,
    seed: int = 0,
) -> Flags:
    """(T,) the ``most`` terms with the largest effects, as measured by their errors.

    A fourth of them by what they do beside another term, with that.
    """
    asked = _Asked.of(ranking, terms, edits, scores, index, seed)
    adjusted = asked.adjusted([])
    error = adjusted.errors[0]
    by_error = np.divide(np.abs(adjusted.effects[0]), error, out=np.zeros(len(terms)), where=error > 0)
    # Of few edits, errors may be so large that rounding of the scores alone would set the order.
    by_error[by_error < NOTHING] = 0.0
    order = np.argsort(-by_error, kind="stable")
    among = np.zeros(len(terms), dtype=bool)
    among[order[: most - most // FOR_PAIRS]] = True
    chance = asked.beside(adjusted).chance
    chance[:, among] = 1.0
    chance[chance > 1 - NOTHING] = 1.0
    strongest = np.argsort(np.min(chance, axis=0), kind="stable")
    for term in strongest.tolist():
        if among.sum() + 2 > most or chance[:, term].min() == 1.0:
            break
        among[[term, int(np.argmin(chance[:, term]))]] = True
    among[order[np.flatnonzero(~among[order])[: most - among.sum()]]] = True
    return among


def _real(asked: _Asked, adjusted: Adjusted, number: int) -> Flags:
    """(T,) terms of the first ``number`` whose effect is not due to chance."""
    effect, error = adjusted.effects[0], adjusted.errors[0]
    known = np.isfinite(error) & (np.arange(len(error)) < number)
    real = np.zeros(len(error), dtype=bool)
    if known.any():
        ratio = np.divide(effect, error, out=np.zeros(len(error)), where=known & (error > 0))
        chance = student_test(ratio, adjusted.freedom)[known]
        likely = np.where(asked.of_query, OF_QUERY, 1.0)[known]
        weighed = np.minimum(chance * likely.mean() / likely, 1.0)
        real[known] = false_discovery_rate(weighed) <= FALSE_DISCOVERIES
    return real


def _strongest(
    beside: Beside, adjusted: Adjusted, real: Flags, pairs: Sequence[Pair], number: int
) -> Pair | None:
    """A term without an effect of its own, behind one beside which it has one that is no chance."""
    open_ = np.isfinite(adjusted.errors[0]) & ~real & (np.arange(len(real)) < number)
    open_[[term for pair in pairs for term in pair]] = False
    if not open_.any():
        return None
    chance = np.where(open_, beside.chance, 1.0)
    other, term = np.unravel_index(int(np.argmin(chance)), chance.shape)
    if chance[other, term] * len(real) * open_.sum() > FALSE_PAIRS:
        return None
    return int(other), int(term)


def _partners(beside: Beside, real: Flags, pairs: Sequence[Pair]) -> dict[int, int]:
    """The term that each one needs, of the terms without an effect of their own."""
    found = {}
    for other, term in pairs:
        if not real[term]:
            found[term] = other
        if not real[other] and beside.chance[term, other] <= FALSE_PAIRS:
            found[other] = term
    return found


def _by_itself(asked: _Asked, adjusted: Adjusted, term: int, real: bool) -> TermEffect:
    if not np.isfinite(adjusted.errors[0, term]):
        return not_asked(asked.terms[term])
    effect, places = adjusted.effects[:, term].tolist()
    tested = int(np.count_nonzero(asked.edits.change[:, term]))
    measured = _Measured(effect, adjusted.errors[0, term], adjusted.freedom[term], places, tested)
    return _told(asked, term, measured, real)


def _beside_another(asked: _Asked, beside: Beside, term: int, other: int) -> TermEffect:
    where = other, term
    effect, places = beside.effects[:, other, term].tolist()
    tested = int(np.count_nonzero(asked.edits.change[asked.held[:, other], term]))
    measured = _Measured(effect, beside.errors[where], beside.freedom[where], places, tested)
    return _told(asked, term, measured, True, asked.terms[other])


def _told(asked: _Asked, term: int, measured: _Measured, real: bool, beside: str = "") -> TermEffect:
    unit, effect = asked.unit, measured.effect
    margin = float(student_reach(CONFIDENCE, measured.freedom)) * measured.error
    most = np.finfo(np.float64).max / unit if unit > 1 else np.inf
    kind: EffectKind = "no effect"
    if real:
        kind = "wanted" if effect > 0 else "unwanted"
    numbers = np.clip(np.array([0.0, -margin, margin]) + effect, -most, most) * unit
    middle, low, high = map(float, numbers)
    name, places, tested = asked.terms[term], measured.places, measured.tested
    return TermEffect(name, middle, low, high, places, tested, kind, beside)


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
