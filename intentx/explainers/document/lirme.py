"""LIRME (Verma & Ganguly, SIGIR 2019): locally interpretable ranking model explanations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from intentx.checks import Part, Positive, Samples, Size
from intentx.explainers.document.anytime import said_of, stable_halves, within
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.subject import Subject
from intentx.explainers.document.surrogate import r_squared, ridge
from intentx.perturbation import keep_units
from intentx.quiet import quiet
from intentx.scoring import unit_of
from intentx.text import TextIndex

__all__ = ["LIRME", "sampled_occurrences"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]
Sampler = Literal["uniform", "tf-idf", "masked"]
Penalty = Literal["l1", "l2"]
Weighting = Literal["tf", "tf-idf"]
Path = Annotated[
    tuple[Positive, ...],
    msgspec.Meta(min_length=1, description="a tuple of one finite number or more above 0"),
]

FEWEST_ROUNDS, MOST_ROUNDS = 100, 100_000  # of coordinate descent over all words
MOST_STEPS = 500_000_000  # numbers that all rounds look at: a second or so
MOST_AT_ONCE = 4_000_000  # samples times occurrences: 100 MB of random numbers and their order


def sampled_occurrences(
    sampler: Sampler,
    likelihood: Floats,
    number: int,
    generator: np.random.Generator,
    *,
    kept: float = 0.5,
    chunk: int = 5,
    visible: float = 0.1,
) -> Kept:
    """(S, M) which of a document's M occurrences of words each of S samples keeps (section 3.1).

    Parameters
    ----------
    sampler
        ``"uniform"``: each of them with probability ``kept``. ``"tf-idf"``: as many, drawn one after
        the other by ``likelihood``. ``"masked"``: each run of ``chunk``
        occurrences with probability ``visible``. In each sample the first run is cut off at random:
        with the same runs in all of them, as published, no word could be told from its neighbours.
    likelihood
        (M,) above 0: how likely each occurrence is, relative to the others.

    Each sample is drawn by itself, and keeps one occurrence at least.
    """
    occurrences = len(likelihood)
    if number > (most := max(1, MOST_AT_ONCE // max(1, occurrences))):
        parts = [most] * (number // most) + [number % most] * (number % most > 0)
        drawn = [
            sampled_occurrences(
                sampler, likelihood, part, generator, kept=kept, chunk=chunk, visible=visible
            )
            for part in parts
        ]
        return np.concatenate(drawn)
    if sampler == "masked":
        cut = generator.integers(chunk, size=(number, 1))
        run = (np.arange(occurrences) + cut) // chunk  # (S, M): the run that each one is in
        seen = generator.random((number, -(-occurrences // chunk) + 1)) < visible
        shown = np.take_along_axis(seen, run, axis=1)
        blind = np.flatnonzero(~shown.any(axis=1))
        one = run[blind, generator.integers(occurrences, size=len(blind))]
        shown[blind] = run[blind] == one[:, None]
        return shown
    # Were it always the same number, nothing would tell the level of all weights from the intercept.
    size = np.maximum(1, generator.binomial(occurrences, kept, size=(number, 1)))
    # The largest of E / likelihood, E exponential, go last: drawing without replacement by likelihood
    # (Efraimidis & Spirakis 2006).
    odds = likelihood if sampler == "tf-idf" else np.ones(occurrences)
    keys = generator.exponential(size=(number, occurrences)) / odds
    return keys.argsort(axis=1).argsort(axis=1) < size


def _counts(drawn: Kept, term_of: npt.NDArray[np.intp], terms: int) -> Floats:
    """(S, T) how often each sample holds each term, from its occurrences (S, M) and their terms (M,)."""
    order = np.argsort(term_of, kind="stable")
    starts = np.searchsorted(term_of[order], np.arange(terms))
    counts = np.empty((len(drawn), terms))
    most = max(1, MOST_AT_ONCE // len(term_of))
    for start in range(0, len(drawn), most):
        some = drawn[start : start + most][:, order].astype(np.int32)
        counts[start : start + most] = np.add.reduceat(some, starts, axis=1)
    return counts


@dataclass(frozen=True, kw_only=True)
class LIRME(DocumentMethod):
    """A linear model of a document's score in samples of its words (Verma & Ganguly 2019).

    ``sum_i ρ(D, D'_i) (R(q, D'_i) - b - sum_j θ_j w(t_j, D'_i))² + α |θ|`` is minimised over samples
    ``D'_i`` of the document, with ``ρ = exp(-x² / h)`` and x the angle between D and D'_i as vectors of
    term frequencies. The weights are θ, per occurrence of a term. Unlike in the paper there is an
    intercept b, so that a constant score explains nothing, and scores are standardised before α
    applies to them, so that it means the same for every ranker. The metric ``rest`` is the document's
    score less what all its occurrences of words weigh.

    Parameters
    ----------
    sampler, kept, chunk, visible
        How samples are drawn: see `sampled_occurrences`. Chunk size 5 and visibility .1 are the
        paper's.
    samples
        Their number; the document itself comes on top.
    seconds
        Time limit for asking; None: none. Samples are asked in growing blocks until it is used up or
        ``samples`` are reached, one block in any case; the metric ``versions`` says how many the
        weights are from, and ``stability`` which share of the first three words both halves of them
        name. With ``samples`` set to that number the weights are the same.
    stability
        No more samples are asked once the metric of that name is this high, such as .9; None: it does
        not matter.
    width
        h of the kernel; angles lie in [0, π/2].
    penalty
        ``"l1"`` or ``"l2"``.
    alphas
        Weights α of the penalty, tried from the largest until some θ is not zero. The larger
        the first, the fewer words are left.
    weighting
        ``w(t, D')``: ``"tf"``, or ``"tf-idf"`` with the idf of the ranking's documents.

    Examples
    --------
    >>> from intentx import rank
    >>> score = lambda query, texts: [t.count("piano") - 0.5 * t.count("cable") for t in texts]
    >>> found = LIRME().explain(rank(score, "keyboard", ["piano, cable, piano", "desk", "cable"]), 0)
    >>> found.terms
    ('piano', 'cable')
    """

    edits: ClassVar[bool] = True

    sampler: Sampler = "masked"
    samples: Samples = 1000
    seconds: Positive | None = None
    stability: Part | None = None
    kept: Part = 0.5
    chunk: Size = 5
    visible: Part = 0.1
    width: Positive = 1.0
    penalty: Penalty = "l1"
    alphas: Path = (1e-3, 1e-4, 1e-5, 1e-6)
    weighting: Weighting = "tf"

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        metrics = {"score": subject.score, "rest": subject.score}
        weights = np.zeros(len(subject.terms))
        if subject.terms:
            most = 2 if len(subject.tokens) == 1 else self.samples  # of one word, with it and without
            (counts, idf, scores), number = within(
                self.seconds, most, lambda number: self._sampled(subject, number), self.stability,
                lambda found: self._stability(*found),
            )  # fmt: skip
            unit = unit_of(scores)
            features = counts * idf if self.weighting == "tf-idf" else counts
            if self.seconds is not None or self.stability is not None:
                stability = self._stability(counts, idf, scores)
                metrics |= {"versions": number, "stability": stability}
                subject.notes.append(said_of(self.seconds, number, most, self.stability, stability))
            theta = self._theta(subject.notes, counts, features, scores / unit, metrics)
            carried = float(features[0] @ theta)
            metrics["rest"] = (subject.score / unit - carried) * unit
            with np.errstate(over="ignore"):  # what is infinite is refused with its reason
                weights = theta * unit
        return subject.explanation(
            dict(zip(subject.terms, weights, strict=True)), settings=self.settings(), metrics=metrics
        )

    def _sampled(self, subject: Subject, number: int) -> tuple[Floats, Floats, Floats]:
        """(S, T) term frequencies of the samples, the document first, idf (T,) and scores (S,)."""
        place = {term: number for number, term in enumerate(subject.terms)}
        term_of = np.array([place[token.term] for token in subject.tokens])
        index = TextIndex(subject.ranking.texts, subject.analyzer)
        holders = (index.counts_of(subject.terms) > 0).sum(axis=1)
        idf = np.log(1 + len(subject.ranking) / np.maximum(holders, 1))
        frequency = np.bincount(term_of, minlength=len(idf))
        drawn = sampled_occurrences(
            self.sampler,
            (frequency * idf)[term_of],
            number,
            np.random.default_rng(self.seed),
            kept=self.kept,
            chunk=self.chunk,
            visible=self.visible,
        )
        drawn = np.concatenate([np.ones((1, len(term_of)), dtype=bool), drawn])
        if len(term_of) == 1:  # what a single word does shows in the version without it
            drawn = np.array([[True], [False]])
        texts = keep_units(subject.text, [[(t.start, t.end)] for t in subject.tokens], drawn)
        return _counts(drawn, term_of, len(idf)), idf, subject.score_texts(texts)

    def _stability(self, counts: Floats, idf: Floats, scores: Floats) -> float:
        """Share of the first three words that halves of the samples agree on."""
        unit = unit_of(scores)
        features = counts * idf if self.weighting == "tf-idf" else counts
        return stable_halves(
            len(counts),
            lambda rows: self._theta([], counts[rows], features[rows], scores[rows] / unit, {}),
        )

    def _theta(
        self,
        notes: list[str],
        counts: Floats,
        features: Floats,
        scores: Floats,
        metrics: dict[str, float],
    ) -> Floats:
        """(T,) θ; ``metrics`` gets α and the fit, ``notes`` what a reader should know."""
        whole = counts[0]
        length = np.maximum(np.linalg.norm(counts, axis=1), 1)  # 0 of the version without words
        cosine = counts @ whole / length / np.linalg.norm(whole)
        angle = np.arccos(np.clip(cosine, -1, 1))
        nearness = np.exp(-(angle**2) / self.width)
        mean = nearness @ scores / nearness.sum()
        deviation = math.sqrt(nearness @ (scores - mean) ** 2 / nearness.sum())
        if np.ptp(scores) == 0 or deviation == 0:
            notes.append(f"all {len(scores)} samples have the same score: no word matters")
            return np.zeros(features.shape[1])
        standard = (scores - mean) / deviation
        for alpha in sorted(self.alphas, reverse=True):
            theta, intercept, found = self._solve(features, standard, nearness, alpha)
            metrics["alpha"] = alpha
            if theta.any():
                if not found:
                    notes.append(
                        f"so many words and samples ({features.shape[1]:,} and {len(features):,}) "
                        "exceed the iteration limit: the weights are close to the optimum, not exact"
                    )
                break
        else:
            notes.append(f"all weights are zero, even at α = {min(self.alphas):g}")
        metrics["fit"] = r_squared(standard, features @ theta + intercept, nearness)
        return theta * deviation

    def _solve(
        self, features: Floats, labels: Floats, nearness: Floats, alpha: float
    ) -> tuple[Floats, float, bool]:
        """θ and the intercept, of the mean weighted loss and α; and whether they are the best."""
        if self.penalty == "l2":
            return *ridge(features, labels, nearness / nearness.sum(), alpha), True
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import Lasso

        rounds = int(np.clip(MOST_STEPS // features.size, FEWEST_ROUNDS, MOST_ROUNDS))
        # With a seed, of which nothing depends: else it draws from NumPy's own generator.
        model = Lasso(alpha=alpha, max_iter=rounds, tol=1e-6, random_state=0)
        with quiet(ConvergenceWarning):  # a note says it
            model.fit(features, labels, sample_weight=nearness)
        return np.asarray(model.coef_), float(model.intercept_), model.n_iter_ < rounds
