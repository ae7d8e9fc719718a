"""Gradients of a ranker as explanations: saliency, integrated gradients, DeepLIFT and its kin."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.checks import Size
from intentx.errors import MissingExtraError
from intentx.explainers.base import Question
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.by_rules import by_rules, coarse, summed
from intentx.explainers.inside.completeness import Attributions, judged
from intentx.explainers.inside.embedding_layer import Model, on_words
from intentx.explainers.inside.references import (
    CONSTANT,
    Drawn,
    Reference,
    check_reference,
    reference_vectors,
)

if TYPE_CHECKING:
    import torch

__all__ = ["DeepLIFT", "DeepSHAP", "GradientInput", "GradientMethod", "IntegratedGradients", "Saliency"]

Floats = npt.NDArray[np.float64]


class _Seen(NamedTuple):
    """What was found in one document: by pieces, by occurrences of words, and on what is no word."""

    found: Attributions
    occurrences: list[float]
    rest: float
    chosen: dict[str, Any]  # settings that the ranker decided


@dataclass(frozen=True, kw_only=True)
class GradientMethod(DocumentMethod):
    """What methods have in common that look at a ranker's gradients.

    The ranker must be `intentx.capabilities.Differentiable`. Its pieces of text
    get an attribution each; those that overlap a word add up to the weight of that occurrence, and the
    occurrences of a term to the term's. What stands on no word is the metric ``rest``:
    the weights and it add up to all attributions. A piece belongs to the word that it shares most
    characters with.

    Some methods compare a document A with another one, B. Then the attributions in B count with the
    other sign, and the weights and ``rest`` add up to ``R(A) - R(B)``, but for the gap; ``rest`` has the
    difference of the two references' scores in it, too. For B above A, all signs change.

    A gap of more than 2 % of the difference is the first thing that the explanation says
    (`DocumentExplanation.cautions`). Where a method that promises the sum misses it by more than half,
    it gives no explanation: see Raises.

    Metrics
    -------
    score, reference
        The document's score, and that of the reference input.
    other_score, other_reference
        The same of the document that it is compared with.
    gap
        The sum of all attributions less ``score - reference``; of a pair, that of A less that of B.
        For a method that is complete, it is 0 but for rounding and the steps of an integral. Where it
        is not, its rules do not hold.
    relative_gap
        ``|gap| / |score - reference|``, of a pair ``|gap| / |R(A) - R(B)|``; NaN where the two
        scores are equal.
    rest
        Attribution of what is no word; of a pair with ``reference - other_reference``.

    Parameters
    ----------
    batch_size
        Versions of the document in one pass; None: the ranker's own, or 32.

    Raises
    ------
    InputError
        On explaining: if the ranker offers no gradients, or attributions that should add up miss the
        difference by more than half of it.
    """

    compares: ClassVar[bool] = True  # with a reference
    complete: ClassVar[bool] = False  # whether attributions should add up to the difference from it

    batch_size: Size | None = None

    @abstractmethod
    def _attribute(self, model: Model) -> Attributions:
        """The attribution of each piece, for one piece or more."""

    def _merge(self, values: Sequence[float]) -> float:
        """The weight of a word from those of its pieces."""
        return math.fsum(values)

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        try:
            import torch
        except ImportError as error:
            raise MissingExtraError("torch", "neural") from error
        with torch.inference_mode(False), torch.enable_grad():
            own = self._seen(subject, other)
            its = None if other is None else self._seen(other, subject)
        metrics = judged(subject, own.found, its and its.found, self.complete)
        weights = dict.fromkeys(subject.terms, 0.0)
        if other is not None and its is not None:  # sorted, so that ties break alike both ways round
            weights = dict.fromkeys(sorted({*subject.terms, *other.terms}), 0.0)
            subject.joined(other)
        for sign, one, seen in ((1, subject, own), (-1, other, its)):
            for token, value in zip(one.tokens, seen.occurrences, strict=True) if one and seen else ():
                weights[token.term] += sign * value
        if all(not one.found.values.any() and len(one.found.values) for one in (own, its) if one):
            subject.notes.append("the ranker's score does not change with any word of the document")
        metrics["rest"] = own.rest
        if its is not None:
            references = metrics["reference"] - metrics["other_reference"]
            metrics["rest"] = math.fsum([own.rest, -its.rest, references])
        return subject.explanation(
            weights,
            settings=self.settings() | own.chosen,
            metrics=metrics,
            occurrences=own.occurrences,
            above=None if other is None else other.position,
        )

    def _seen(self, subject: Subject, other: Subject | None) -> _Seen:
        """The attributions in one document."""
        model = Model(subject, self.batch_size, None if other is None else other.position)
        if len(model.embedded.vectors):
            found = self._attribute(model)
        else:
            subject.notes.append("the ranker reads no piece of the document, so no word has a weight")
            own = subject.score  # it has no vectors, and so is its own reference
            found = Attributions(np.empty(0), own, own if self.compares else None)
        with np.errstate(over="ignore"):
            subject.check_finite([float(np.abs(found.values).sum())], [found.score])
        place = on_words(model.embedded.spans, subject)
        parts: list[list[float]] = [[] for _ in subject.tokens]
        for word, value in zip(place, found.values.tolist(), strict=True):
            if word >= 0:
                parts[word].append(value)
        occurrences = [self._merge(values) if values else 0.0 for values in parts]
        return _Seen(found, occurrences, math.fsum(found.values[place < 0]), model.chosen)


@dataclass(frozen=True, kw_only=True)
class Saliency(GradientMethod):
    """How much the score changes with each word, whichever way: the size of its gradient.

    As Simonyan, Vedaldi & Zisserman (2014, "Deep Inside Convolutional Networks", section 3): the
    absolute gradients, here added up over the embedding's dimensions. Weights are 0 or
    more, and say nothing of the direction. A word has the largest value of its pieces, a term the
    sum of its occurrences. There is no reference, so no gap.
    """

    compares: ClassVar[bool] = False

    def _attribute(self, model: Model) -> Attributions:
        scores, gradients = model.gradients(model.embedded.vectors[None])
        return Attributions(gradients[0].abs().sum(dim=-1).numpy(), float(scores[0]))

    def _merge(self, values: Sequence[float]) -> float:
        return max(values)


@dataclass(frozen=True, kw_only=True)
class _FromReference(GradientMethod):
    """What methods have in common that explain the difference from a reference."""

    reference: Reference = "auto"
    collection: Sequence[str] | None = field(default=None, repr=False)

    def _check(self) -> None:
        super()._check()
        check_reference(self.reference, self.collection)

    def settings(self) -> dict[str, Any]:
        plain = super().settings()
        plain["collection"] = None if self.collection is None else len(self.collection)
        return plain

    def _references(self, model: Model, number: int = 1) -> torch.Tensor:
        subject = model.subject
        kind: Drawn = "oov"
        if self.reference != "auto":
            kind = self.reference
        elif model.breaks_at_zero():
            kind = "mean"
            subject.notes.append(
                "the reference is the mean vector of the ranking's documents: the score of this ranker "
                "breaks down at zero vectors"
            )
        model.chosen["reference_used"] = kind
        return reference_vectors(
            kind,
            subject.ranking,
            subject.position,
            model.embed,
            model.embedded.vectors,
            against=model.against,
            number=number,
            collection=self.collection,
            analyzer=self.analyzer,
            seed=self.seed,
        )


@dataclass(frozen=True, kw_only=True)
class GradientInput(_FromReference):
    """The gradient times the input: what the score would lose if it were linear.

    As Shrikumar, Greenside, Shcherbina & Kundaje (2016, "Not Just a Black Box"), where the input is
    taken from zero; here from a reference. The gap tells how far from linear the ranker is on the
    way, and with a transformer it is often as large as the difference. It is said first, and never
    refused: the method promises no sum.

    Parameters
    ----------
    reference
        As in `intentx.explainers.inside.references.reference_vectors`; ``"auto"``: zeros, or ``"mean"``
        where the ranker's score breaks at zeros.
    collection
        Texts for the references ``"idf"``, ``"mean"`` and ``"collection"``; None: those of the ranking.
    """

    def _attribute(self, model: Model) -> Attributions:
        import torch

        x = model.embedded.vectors
        [reference] = self._references(model)
        scores, gradients = model.gradients(torch.stack([x, reference]), counted=1)
        return Attributions(summed(gradients[0], x - reference), float(scores[0]), float(scores[1]))


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(_FromReference):
    """Gradients along the straight path from a reference to the document, integrated.

    ``(x - x̄) ∫ ∂R(x̄ + α (x - x̄)) / ∂x dα``, α from 0 to 1 (Sundararajan, Taly & Yan, ICML 2017,
    "Axiomatic Attribution for Deep Networks", equation 1), by Gauss-Legendre quadrature. It is
    complete up to the error of the quadrature, save for a ranker that jumps on the way: one that
    compares by cosine alone, as KNRM does, is the same all along a ray and changes at zero vectors only.
    There ``"auto"`` takes another reference.

    Parameters
    ----------
    steps
        Points on the path. For BERT of six layers, 64 leave a gap far below a percent, 16 some
        percent.
    reference
        As in `intentx.explainers.inside.references.reference_vectors`; ``"auto"``: zeros, or ``"mean"``
        where the ranker's score breaks at zeros.
    collection
        Texts for the references ``"idf"``, ``"mean"`` and ``"collection"``; None: those of the ranking.
    """

    complete: ClassVar[bool] = True
    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")

    steps: Size = 64

    def _attribute(self, model: Model) -> Attributions:
        import torch

        x = model.embedded.vectors
        [reference] = self._references(model)
        nodes, shares = np.polynomial.legendre.leggauss(self.steps)
        # The ends take part in no integral; their scores are what it should come to.
        places = torch.tensor([*(nodes + 1) / 2, 1.0, 0.0], dtype=x.dtype, device=x.device)
        weights = torch.tensor([*shares / 2, 0.0, 0.0], dtype=torch.float64)
        total = torch.zeros(x.shape, dtype=torch.float64)
        scores: list[float] = []

        def passed(part: slice) -> tuple[Floats, torch.Tensor]:
            return model.gradients(torch.lerp(reference, x, places[part, None, None]))

        for part, (found, gradients) in model.in_parts(len(places), passed):
            total += torch.tensordot(weights[part], gradients, dims=1)
            scores += found.tolist()
        causes = [*coarse(model), f"{self.steps} steps may be too few for the integral"]
        return Attributions(summed(total, x - reference), scores[-2], scores[-1], "; ".join(causes))


@dataclass(frozen=True, kw_only=True)
class DeepLIFT(_FromReference):
    """Contributions to the difference from a reference, passed back through the model by rules.

    As Shrikumar, Greenside & Kundaje (ICML 2017). The rules of common libraries end at LayerNorm,
    GELU and softmax; those of `intentx.explainers.inside.deeplift.DeepLiftRules` cover products,
    quotients, attention and maxima, too, so that the attributions of BERT, KNRM and MatchPyramid are
    complete. A function that has no rule is named in a note, and the gap shows what that costs.

    Parameters
    ----------
    reference
        As in `intentx.explainers.inside.references.reference_vectors`; ``"auto"``: zeros, or ``"mean"``
        where the ranker's score breaks at zeros.
    collection
        Texts for the references ``"idf"``, ``"mean"`` and ``"collection"``; None: those of the ranking.
    """

    complete: ClassVar[bool] = True
    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")

    def _attribute(self, model: Model) -> Attributions:
        return by_rules(model, self._references(model))


@dataclass(frozen=True, kw_only=True)
class DeepSHAP(_FromReference):
    """The mean of DeepLIFT's contributions over several references.

    As Lundberg & Lee (NeurIPS 2017, "A Unified Approach to Interpreting Model Predictions", section
    4.2), with the references of Fernando, Singh & Anand (SIGIR 2019). The metric ``reference`` is the
    mean score of the references.

    Parameters
    ----------
    reference
        As in `intentx.explainers.inside.references.reference_vectors`; zeros and the mean are one only.
    number
        References to draw; fewer where there are no more documents.
    collection
        Texts for the references ``"idf"``, ``"mean"`` and ``"collection"``; None: those of the ranking.
    """

    complete: ClassVar[bool] = True
    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")

    reference: Reference = "collection"
    number: Size = 8

    def _attribute(self, model: Model) -> Attributions:
        references = self._references(model, self.number)
        if len(references) < self.number and model.chosen["reference_used"] not in CONSTANT:
            model.subject.notes.append(
                f"{len(references)} references instead of the {self.number} asked for: there are no "
                "more documents to draw from"
            )
        return by_rules(model, references)
