"""KernelSHAP over words (Lundberg & Lee, NIPS 2017), of one document or of a pair."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt

from intentx.checks import Part, Positive
from intentx.explainers.base import Question
from intentx.explainers.document.anytime import said_of, stable_first, within
from intentx.explainers.document.asking import asked, likely
from intentx.explainers.document.coalitions import kernel_weights
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.interactions import expected_errors, expected_shapley_values
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.subject import Subject
from intentx.explainers.document.surrogate import r_squared
from intentx.perturbation import Removal, all_subsets
from intentx.scoring import unit_of

__all__ = ["KernelSHAP", "shapley_values"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

MOST_EXACT = 20  # words: a million versions
Versions = Annotated[int, msgspec.Meta(ge=4, description="a whole number, 4 or more")]
Exact = Annotated[
    int, msgspec.Meta(ge=0, le=MOST_EXACT, description=f"a whole number from 0 to {MOST_EXACT}")
]


def shapley_values(values: Floats) -> Floats:
    """(T,) Shapley values from the value of every coalition.

    Parameters
    ----------
    values
        (2^T,), of the coalitions in the order of `intentx.perturbation.all_subsets`.

    Examples
    --------
    >>> shapley_values(np.array([0.0, 1.0, 2.0, 5.0])).tolist()
    [2.0, 3.0]
    """
    players = len(values).bit_length() - 1
    coalitions = np.arange(len(values))
    sizes = all_subsets(players).sum(axis=1)
    share = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    found = np.empty(players)
    for player in range(players):
        without = coalitions[(coalitions >> player) & 1 == 0]
        gains = values[without | 1 << player] - values[without]
        found[player] = share[sizes[without]] @ gains
    return found


def _values(scores: Floats) -> tuple[Floats, float]:
    """(S,) scores (S, 1), or the differences of two (S, 2), and the unit they are in."""
    with np.errstate(over="ignore"):
        values = scores[:, 0] - scores[:, 1:].sum(axis=1)
    if np.isfinite(values).all():
        unit = unit_of(values)
        return values / unit, unit
    unit = unit_of(scores)
    return scores[:, 0] / unit - scores[:, 1:].sum(axis=1) / unit, unit


def _estimated(kept: Kept, scores: Floats, *, errors: bool) -> tuple[Floats, Floats, bool]:
    """Values (T,) by scores as of `_values`, their standard deviations, and whether they are exact.

    Without ``errors``, these are zeros.
    """
    values, _ = _values(scores)
    empty, full, values = float(values[0]), float(values[1]), values[2:]
    number = kept.shape[1]
    if number < 63 and len(kept) == 2**number - 2:
        return shapley_values(np.array([empty, *values, full])), np.zeros(number), True
    off = expected_errors(kept, values, empty, full) if errors else np.zeros(number)
    return expected_shapley_values(kept, values, empty, full), off, False


@dataclass(frozen=True, kw_only=True)
class KernelSHAP(DocumentMethod):
    """Shapley values of a document's words: a fair share of its score for each (any ranker).

    The weights add up to ``R(d) - R(empty)``; the empty document has none of the words, but punctuation
    stays, and its score alone is the metric ``rest``. Compared with another
    document, the game is ``R(A) - R(B)`` with the same words taken away from both, over the words of
    both; the other way round all weights have the other sign.

    Parameters
    ----------
    samples
        Versions of the document, at most, that the ranker is asked about. From 2.4 times the number of
        words on they come in pairs: a version, and the one with all other words.
    seconds
        Time limit for asking; None: none. Versions are asked in growing blocks until it is used up or
        ``samples`` are reached, one block in any case; the metric ``versions`` says how many the
        weights are from, ``error`` how far a weight is off, as a standard deviation, and ``stability``
        which share of the first three words is expected to be among the first three of the exact
        values. With ``samples`` set to that number (and ``exact_up_to`` to 0) the weights are the same.
    stability
        No more versions are asked once the metric of that name is this high, such as .9; None: it does
        not matter.
    exact_up_to
        Up to this many words (and wherever 2^T <= ``samples``), all 2^T versions are scored, and the
        values are exact; at most 20.
    removal, mask
        How words are removed, as in `intentx.perturbation.removal_for`.

    Notes
    -----
    From a part of the versions the values are estimated: of the game that is expected by the known
    versions, where sums over words and interactions of few words are likely beforehand. See
    `intentx.explainers.document.coalitions.design` for the versions, and
    `intentx.explainers.document.interactions.expected_shapley_values` for the estimate. ``fit`` is the
    share of the variance that a sum over words explains, by the Shapley kernel.

    Examples
    --------
    >>> from intentx import rank
    >>> score = lambda query, texts: [t.count("piano") * (1 + t.count("stage")) for t in texts]
    >>> KernelSHAP().explain(rank(score, "keyboard", ["a stage piano", "desk"]), 0)
    <KernelSHAP for '0' (rank 1) of 'keyboard': piano +1.5, stage +0.5>
    """

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")
    edits: ClassVar[bool] = True

    samples: Versions = 1000
    seconds: Positive | None = None
    stability: Part | None = None
    exact_up_to: Exact = 10
    removal: Removal = "delete"
    mask: str | None = None

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        terms = subject.terms
        metrics = {"score": subject.score, "rest": subject.score}
        if other is not None:  # sorted, so that both ways round draw the same versions
            terms = tuple(sorted({*terms, *other.terms}))
            metrics |= {"other_score": other.score, "rest": subject.score - other.score}
        players = [one for one in (subject, other) if one is not None]
        weights = np.zeros(len(terms))
        if terms:
            weights = self._shapley(subject, players, terms, metrics)
        return subject.explanation(
            dict(zip(terms, weights, strict=True)),
            settings=self.settings(),
            metrics=metrics,
            above=None if other is None else other.position,
        )

    def _shapley(
        self, subject: Subject, players: list[Subject], terms: tuple[str, ...], metrics: dict[str, float]
    ) -> Floats:
        """(T,) values; ``metrics`` gets what they add up from, and how additive the ranker is."""

        column = {term: place for place, term in enumerate(terms)}

        def own(one: Subject, kept: Kept) -> Kept:
            return kept[:, [column[term] for term in one.terms]]

        def ask(kept: Kept) -> Floats:
            """(S, 1 or 2) scores of the document, and of the other one."""
            scores = [one.score_kept(own(one, kept), self.removal, self.mask) for one in players]
            return np.stack(scores, axis=1)

        number = len(terms)
        every = number <= self.exact_up_to or (number < 63 and 2**number <= self.samples)
        most = 2**number if every else self.samples

        def versions(some: int) -> tuple[Kept, Floats]:
            """Coalitions (S, T) without none and all, and scores (2 + S, 1 or 2) of none, all, these."""
            if every and some == most:
                kept = all_subsets(number)
                scores = ask(kept)
                return kept[1:-1], np.concatenate([scores[[0, -1]], scores[1:-1]])
            generator = np.random.default_rng(self.seed)
            return asked(ask, lambda scores: _values(scores)[0], number, some - 2, generator)

        if subject.ranking.can.cost is not None:  # nothing is asked where all of it is too much
            some = all_subsets(number) if every else likely(number, most, self.seed)
            subject.check_kept([(one, own(one, some)) for one in players], self.removal, self.mask)
        told = self.seconds is not None or self.stability is not None
        (kept, scores), asked_about = within(
            self.seconds, most, versions, self.stability,
            lambda found: stable_first(*_estimated(*found, errors=True)[:2]),
        )  # fmt: skip
        found, errors, exact = _estimated(kept, scores, errors=told)
        values, unit = _values(scores)
        empty, full, values = float(values[0]), float(values[1]), values[2:]
        if not exact and len(kept) < 2 * number:
            subject.notes.append(
                f"{asked_about} samples are few for {number} words; the weights depend on the seed"
            )
        if np.ptp([empty, full, *values]) == 0:
            subject.notes.append("all versions have the same score: no word makes a difference")
            found = np.zeros(number)
        fit = 1.0
        if number > 1:
            fit = r_squared(values, empty + kept @ found, kernel_weights(kept))
        empty, full = empty * unit, full * unit
        metrics |= {"empty": empty, "full": full, "fit": fit, "exact": float(exact)}
        if told:
            stability = stable_first(found, errors) if found.any() else math.nan
            error = math.sqrt(np.mean(errors**2)) * unit
            metrics |= {"versions": asked_about, "error": error, "stability": stability}
            subject.notes.append(said_of(self.seconds, asked_about, most, self.stability, stability))
        # Of a document that is explained in part, the score of the whole is not ``full``.
        metrics["rest"] = empty + (metrics["rest"] - full if any(one.cut for one in players) else 0.0)
        with np.errstate(over="ignore"):  # what is infinite is refused with its reason
            if np.isfinite(np.ptp([*values, empty / unit, full / unit]) * unit):
                # Scores that differ by nearly the largest number: an estimate may lie beyond it.
                most = np.finfo(np.float64).max / unit
                found = np.clip(found, -most, most)
            return np.asarray(found * unit)
