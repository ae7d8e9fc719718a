"""Gradients of a ranker as explanations: saliency, integrated gradients, DeepLIFT and its kin."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.explainers.document import DocumentExplanation
from intentx.explainers.model import Model, doubled, word_of_piece
from intentx.explainers.pointwise import DocumentMethod, Subject
from intentx.explainers.references import Reference, check_reference, reference_vectors

if TYPE_CHECKING:
    import torch

__all__ = ["DeepLIFT", "DeepSHAP", "GradientInput", "GradientMethod", "IntegratedGradients", "Saliency"]

Floats = npt.NDArray[np.float64]

NOTHING = 1e-6  # a difference of scores below this share of them is rounding
WIDE = 0.02  # a relative gap above this is mentioned in words


class Attributions(NamedTuple):
    """``values`` (L,) of a document's pieces, the document's score, and that of the reference."""

    values: Floats
    score: float
    reference: float | None = None


@dataclass(frozen=True, kw_only=True)
class GradientMethod(DocumentMethod):
    """What methods have in common that look at a ranker's gradients.

    The ranker must be `intentx.rankers.inside.Differentiable`. Its pieces of text get an attribution
    each; those that overlap a word add up to the weight of that occurrence, and the
    occurrences of a term to the term's. What stands on stopwords and signs is the figure ``rest``:
    the weights and it add up to all attributions. A piece belongs to the word that it shares most
    characters with.

    Figures
    -------
    score, reference
        The document's score, and that of the reference input.
    gap
        The sum of all attributions less ``score - reference``; for a method that is complete, it is
        0 but for rounding and the steps of an integral. Where it is not, its rules do not hold.
    relative_gap
        ``|gap| / |score - reference|``; NaN where the two scores are equal.
    rest
        Attribution of what is no word.

    Parameters
    ----------
    batch_size
        Versions of the document in one pass; None: the ranker's own, or 32.
    """

    compares: ClassVar[bool] = True  # with a reference

    batch_size: int | None = None

    def __post_init__(self) -> None:
        if self.batch_size is not None and self.batch_size < 1:
            raise InputError(f"batch_size must be 1 or more, not {self.batch_size!r}")

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
            model = Model(subject, self.batch_size)
            if len(model.embedded.vectors):
                found = self._attribute(model)
            else:
                subject.notes.append(
                    "the ranker reads no piece of the document, so no word has a weight"
                )
                own = subject.score  # it has no vectors, and so is its own reference
                found = Attributions(np.empty(0), own, own if self.compares else None)
        with np.errstate(over="ignore"):
            subject.check_finite([float(np.abs(found.values).sum())], [found.score])
        place = word_of_piece(model.embedded.spans, subject.tokens)
        parts: list[list[float]] = [[] for _ in subject.tokens]
        for word, value in zip(place, found.values.tolist(), strict=True):
            if word >= 0:
                parts[word].append(value)
        occurrences = [self._merge(values) if values else 0.0 for values in parts]
        weights = dict.fromkeys(subject.terms, 0.0)
        for token, value in zip(subject.tokens, occurrences, strict=True):
            weights[token.term] += value
        if len(found.values) and not found.values.any():
            subject.notes.append("the ranker's score does not change with any word of the document")
        figures = _figures(found, subject, self.name)
        figures["rest"] = math.fsum(found.values[place < 0])
        return subject.explanation(
            weights, settings=self.settings(), figures=figures, occurrences=occurrences
        )


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
class GradientInput(GradientMethod):
    """The gradient times the input: what the score would lose if it were linear.

    As Shrikumar, Greenside, Shcherbina & Kundaje (2016, "Not Just a Black Box"). The gap is to the
    difference from zero embeddings, and tells how far from linear the ranker is.
    """

    def _attribute(self, model: Model) -> Attributions:
        import torch

        x = model.embedded.vectors
        scores, gradients = model.gradients(torch.stack([x, torch.zeros_like(x)]), counted=1)
        return Attributions(_summed(gradients[0], x), float(scores[0]), float(scores[1]))


@dataclass(frozen=True, kw_only=True)
class _FromReference(GradientMethod):
    """What methods have in common that explain the difference from a reference."""

    reference: Reference = "oov"
    collection: Sequence[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_reference(self.reference, self.collection)

    def settings(self) -> dict[str, Any]:
        plain = super().settings()
        plain["collection"] = None if self.collection is None else len(self.collection)
        return plain

    def _references(self, model: Model, number: int = 1) -> torch.Tensor:
        subject = model.subject
        return reference_vectors(
            self.reference,
            subject.ranking,
            subject.position,
            model.embed,
            model.embedded.vectors,
            number=number,
            collection=self.collection,
            analyzer=self.analyzer,
            seed=self.seed,
        )


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(_FromReference):
    """Gradients on the straight way from a reference to the document, integrated.

    ``(x - x̄) ∫ ∂R(x̄ + α (x - x̄)) / ∂x dα``, α from 0 to 1 (Sundararajan, Taly & Yan, ICML 2017,
    "Axiomatic Attribution for Deep Networks", equation 1), by Gauss-Legendre quadrature. It is
    complete up to the error of the quadrature, save for a ranker that jumps on the way: one that
    compares by cosine alone, as KNRM does, is the same all along a ray and changes at zero vectors only.
    There take another reference, or `DeepLIFT`, which needs no way.

    Parameters
    ----------
    steps
        Points on the way. For BERT of six layers, 64 leave a gap far below a percent, 16 some
        percent.
    reference
        As in `intentx.explainers.references.reference_vectors`.
    collection
        Texts for the references ``"idf"`` and ``"collection"``; None: those of the ranking.
    """

    steps: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1:
            raise InputError(f"steps must be 1 or more, not {self.steps!r}")

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
        for start in range(0, len(places), model.batch_size):
            part = slice(start, start + model.batch_size)
            found, gradients = model.gradients(torch.lerp(reference, x, places[part, None, None]))
            total += torch.tensordot(weights[part], gradients, dims=1)
            scores += found.tolist()
        return Attributions(_summed(total, x - reference), scores[-2], scores[-1])


@dataclass(frozen=True, kw_only=True)
class DeepLIFT(_FromReference):
    """Contributions to the difference from a reference, passed back through the model by rules.

    As Shrikumar, Greenside & Kundaje (ICML 2017). The rules of common libraries end at LayerNorm,
    GELU and softmax; those of `intentx.explainers.deeplift.DeepLiftRules` cover products, quotients,
    attention and maxima, too, so that the attributions of BERT, KNRM and MatchPyramid are complete. A
    function that has no rule is named in a note, and the gap shows what that costs.

    Parameters
    ----------
    reference
        As in `intentx.explainers.references.reference_vectors`.
    collection
        Texts for the references ``"idf"`` and ``"collection"``; None: those of the ranking.
    """

    def _attribute(self, model: Model) -> Attributions:
        return _by_rules(model, self._references(model))


@dataclass(frozen=True, kw_only=True)
class DeepSHAP(_FromReference):
    """The mean of DeepLIFT's contributions over several references.

    As Lundberg & Lee (NeurIPS 2017, "A Unified Approach to Interpreting Model Predictions", section
    4.2), with the references of Fernando, Singh & Anand (SIGIR 2019). The figure ``reference`` is the
    mean score of the references.

    Parameters
    ----------
    reference
        As in `intentx.explainers.references.reference_vectors`; ``"oov"`` is one only.
    number
        References to draw; fewer where there are no more documents.
    collection
        Texts for the references ``"idf"`` and ``"collection"``; None: those of the ranking.
    """

    reference: Reference = "collection"
    number: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.number < 1:
            raise InputError(f"number must be 1 or more, not {self.number!r}")

    def _attribute(self, model: Model) -> Attributions:
        references = self._references(model, self.number)
        if len(references) < self.number and self.reference != "oov":
            model.subject.notes.append(
                f"{len(references)} references where {self.number} were asked for: there are no more"
            )
        return _by_rules(model, references)


def _by_rules(model: Model, references: torch.Tensor) -> Attributions:
    """The mean contributions over references, as many at once as the batch allows."""
    import torch

    from intentx.explainers.deeplift import DeepLiftRules

    x = model.embedded.vectors
    total, scores, of_references = np.zeros(len(x)), 0.0, 0.0
    uncovered: dict[str, None] = {}
    at_once = max(1, model.batch_size // 2)
    for start in range(0, len(references), at_once):
        some = references[start : start + at_once]
        number, rules = len(some), DeepLiftRules(len(some))
        inputs = x.expand(number, *x.shape)
        found, multipliers = model.gradients(torch.cat([inputs, some]), number, rules)
        total += _summed(multipliers, inputs - some).sum(axis=0)
        scores += float(found[:number].sum())
        of_references += float(found[number:].sum())
        uncovered |= dict.fromkeys(rules.uncovered)
    if uncovered:
        model.subject.notes.append(
            f"no DeepLIFT rule for {', '.join(uncovered)}: its plain gradient was used"
        )
    n = len(references)
    return Attributions(total / n, scores / n, of_references / n)


def _figures(found: Attributions, subject: Subject, method: str) -> dict[str, float]:
    """The scores and the gap, which is put in words where it is wide."""
    if found.reference is None:
        return {"score": found.score}
    difference = found.score - found.reference
    gap = math.fsum(found.values) - difference
    size = max(abs(found.score), abs(found.reference))
    relative = abs(gap / difference) if abs(difference) > NOTHING * size else math.nan
    if relative > WIDE:
        subject.notes.append(
            f"the attributions of {method} miss the difference of {difference:.4g} from the reference "
            f"by {relative:.1%}"
        )
    return {
        "score": found.score,
        "reference": found.reference,
        "gap": gap,
        "relative_gap": relative,
    }


def _summed(gradients: torch.Tensor, vectors: torch.Tensor) -> Floats:
    """(…, L) their product, added up over the embedding's dimensions."""
    return np.asarray((gradients * doubled(vectors)).sum(dim=-1).numpy())
