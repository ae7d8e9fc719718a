"""EXS (Singh & Anand, WSDM 2019): LIME for rankings, on one document."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from intentx.checks import Part, Positive, Samples, Size
from intentx.errors import InputError
from intentx.explainers.base import Question
from intentx.explainers.document.anytime import said_of, stable_halves, within
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.subject import Subject
from intentx.explainers.document.surrogate import CLASSIFIERS, Surrogate, fit_surrogate, influence
from intentx.perturbation import Removal, random_subsets
from intentx.ranking import Ranking
from intentx.scoring import unit_of

__all__ = ["EXS", "relevance_labels"]

Floats = npt.NDArray[np.float64]
Labels = Literal["rank", "score", "topk"]


def relevance_labels(
    scores: Floats, ranking: Ranking, position: int, labels: Labels, k: int
) -> tuple[Floats, str]:
    """(S,) how relevant versions of a document would be by their scores, and a note or "".

    Parameters
    ----------
    scores
        (S,) of versions of the document at ``position``.
    labels, k
        As in `EXS`; ``k`` no larger than the ranking.

    Notes
    -----
    ``"topk"``: 1 above the k-th document, else 0 (the k-th document itself counts as above).
    ``"score"``: ``R(d') / R(d_1)``, 1 above ``d_1`` and 0 below ``d_k`` (section 3 of the paper). Where
    ``R(d_1)`` or ``R(d_k)`` is negative, or ``R(d_1)`` zero, that has no meaning, and scores are first
    shifted so that ``d_k`` maps to 0. ``"rank"``: ``1 - rank / k``, the rank being the number of other
    documents with a higher score, and 0 beyond k.
    """
    best, last = float(ranking.scores[0]), float(ranking.scores[k - 1])
    if labels == "topk":
        above = scores >= last if position == k - 1 else scores > last
        return above.astype(np.float64), ""
    if labels == "rank":
        others = np.sort(np.delete(ranking.scores, position))
        rank = len(others) - np.searchsorted(others, scores, side="right")
        return np.maximum(0.0, 1 - rank / k), ""
    note, base = "", 0.0
    if best <= 0 or last < 0:
        base = last
        note = (
            f"scores reach below zero: they were shifted so that rank {k} maps to 0 and rank 1 to 1 "
            f"(score {last:.4g} and {best:.4g})"
        )
    if best == base:  # all of the first k score the same
        return (scores >= best).astype(np.float64), note
    unit = unit_of(scores, ranking.scores)
    share = np.clip((scores / unit - base / unit) / (best / unit - base / unit), 0.0, 1.0)
    return np.where(scores < last, 0.0, share), note


@dataclass(frozen=True, kw_only=True)
class EXS(DocumentMethod):
    """A linear model of how a document's relevance depends on its words (Singh & Anand 2019).

    Versions of the document with words taken away are scored, and labelled by what their score
    would mean in the ranking; the coefficients of a linear model, fitted to the labels with more
    weight on versions near the document, are the words' weights. Asked why a document is above
    another, the rank of the other is k.

    Parameters
    ----------
    labels
        ``"rank"``, ``"score"`` or ``"topk"``: see `relevance_labels`.
    k
        1-based rank down to which a document counts as relevant; at most the ranking's length.
    samples
        Versions, the document itself among them. Where its T words have no more versions than
        that, each comes once.
    seconds
        Time limit for asking; None: none. Versions are asked in growing blocks until it is used up or
        ``samples`` are reached, one block in any case; the metric ``versions`` says how many the
        weights are from, and ``stability`` which share of the first three words both halves of them
        name. With ``samples`` set to that number the weights are the same.
    stability
        No more versions are asked once the metric of that name is this high, such as .9; None: it does
        not matter.
    removal, mask
        How words are removed, as in `intentx.perturbation.removal_for`.
    kernel_width
        Versions weigh ``exp(-(x / width)²)``, ``x = 1 - sqrt(share of words kept)``: the cosine
        distance to the document. LIME's would be .35; labels say little about versions so near.
    surrogate
        ``"logistic"`` or ``"svm"`` for the labels 0 and 1 of ``"topk"``; ``"ridge"`` or ``"svr"`` for
        all; ``"auto"``: logistic for ``"topk"``, else ridge.
    regularization
        Penalty of the squared coefficients. In a sample of the versions a coefficient is first divided
        by the word's influence on the scores: see `intentx.explainers.document.surrogate.influence`.

    The metric ``rest`` is what no word carries: the document's label less all weights; of a logistic
    surrogate or a support vector classifier, whose weights add up to no label, its intercept.

    Examples
    --------
    >>> from intentx import rank
    >>> docs = ["piano and cable", "desk", "cable", "chair"]
    >>> score = lambda query, texts: [t.count("piano") - 0.1 * t.count("cable") for t in texts]
    >>> EXS(k=3).explain(rank(score, "keyboard", docs), 0).terms
    ('piano', 'cable', 'and')
    """

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")
    edits: ClassVar[bool] = True

    labels: Labels = "rank"
    k: Size = 10
    samples: Samples = 1000
    seconds: Positive | None = None
    stability: Part | None = None
    removal: Removal = "delete"
    mask: str | None = None
    kernel_width: Positive = 0.5
    surrogate: Literal["auto", Surrogate] = "auto"
    regularization: Positive = 1.0

    def _check(self) -> None:
        super()._check()
        if self.surrogate in CLASSIFIERS and self.labels != "topk":
            raise InputError(
                f"a {self.surrogate} surrogate needs labels 0 and 1, those of labels='topk', not of "
                f"{self.labels!r}; or choose surrogate='ridge'"
            )

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        k = self._rank(subject, other)
        [own], _ = relevance_labels(
            np.array([subject.score]), subject.ranking, subject.position, self.labels, k
        )
        metrics = {"score": subject.score, "k": k, "rest": float(own)}
        weights = np.zeros(len(subject.terms))
        if len(weights):
            most = min(self.samples, 2 ** min(63, len(weights)))  # more are not different
            (kept, scores), number = within(
                self.seconds, most, self._asking(subject), self.stability,
                lambda found: self._stability(subject, k, *found),
            )  # fmt: skip
            labels, note = relevance_labels(scores, subject.ranking, subject.position, self.labels, k)
            subject.notes += [note] if note else []
            if self.seconds is not None or self.stability is not None:
                stability = self._stability(subject, k, kept, scores)
                metrics |= {"versions": number, "stability": stability}
                subject.notes.append(said_of(self.seconds, number, most, self.stability, stability))
            weights, metrics["fit"], intercept = self._fit(subject, kept, scores, labels)
            logits = self._kind in CLASSIFIERS and weights.any()  # whose sum is no label
            metrics["rest"] = intercept if logits else float(own) - float(weights.sum())
        return subject.explanation(
            dict(zip(subject.terms, weights, strict=True)),
            settings=self.settings(),
            metrics=metrics,
            above=None if other is None else other.position,
            unit=1.0,  # of labels
        )

    def _asking(self, subject: Subject) -> Callable[[int], tuple[npt.NDArray[np.bool_], Floats]]:
        """What asks about so many versions: words kept (S, T) and scores (S,)."""

        def ask(number: int) -> tuple[npt.NDArray[np.bool_], Floats]:
            generator = np.random.default_rng(self.seed)
            kept = random_subsets(len(subject.terms), number, generator)
            return kept, subject.score_kept(kept, self.removal, self.mask)

        return ask

    def _stability(self, subject: Subject, k: int, kept: npt.NDArray[np.bool_], scores: Floats) -> float:
        """Share of the first three words that halves of the versions agree on."""
        labels, _ = relevance_labels(scores, subject.ranking, subject.position, self.labels, k)
        return stable_halves(
            len(kept), lambda rows: self._fit(None, kept[rows], scores[rows], labels[rows])[0]
        )

    @property
    def _kind(self) -> Surrogate:
        if self.surrogate != "auto":
            return self.surrogate
        return "logistic" if self.labels == "topk" else "ridge"

    def _rank(self, subject: Subject, other: Subject | None) -> int:
        """k for this document, in this ranking."""
        n = len(subject.ranking)
        if other is None:
            if self.k > n:
                subject.notes.append(
                    f"k is {self.k}, and the ranking has {n} documents: k = {n} was used"
                )
            return min(self.k, n)
        if subject.position > other.position:
            one, two = (subject.ranking.doc_ids[s.position] for s in (subject, other))
            raise InputError(
                f"document {one!r} (rank {subject.position + 1}) is not above {two!r} "
                f"(rank {other.position + 1}): swap them, or use KernelSHAP, which goes both ways"
            )
        return other.position + 1

    def _fit(
        self, subject: Subject | None, kept: npt.NDArray[np.bool_], scores: Floats, labels: Floats
    ) -> tuple[Floats, float, float]:
        """Weights (T,) of the words, the fit of the surrogate, and its intercept."""
        notes = [] if subject is None else subject.notes
        if np.ptp(labels) == 0:
            notes.append(
                f"all {len(labels)} versions have the label {labels[0]:.4g} by labels={self.labels!r}: "
                "no word makes a difference"
            )
            return np.zeros(kept.shape[1]), math.nan, float(labels[0])
        kind = self._kind
        distance = 1 - np.sqrt(kept.mean(axis=1))
        nearness = np.exp(-((distance / self.kernel_width) ** 2))
        notes.append(
            f"fit: weighted {'accuracy' if kind in CLASSIFIERS else 'R²'} of a {kind} surrogate on "
            f"{len(labels)} versions"
        )
        features = kept.astype(np.float64)
        words = kept.shape[1]
        scale = np.ones(words)
        if words >= 63 or len(kept) < 2**words:  # a sample
            scale = influence(features, scores, nearness)
        weights, fit, intercept = fit_surrogate(
            kind, features * scale, labels, nearness, self.regularization, self.seed
        )
        return weights * scale, fit, intercept
