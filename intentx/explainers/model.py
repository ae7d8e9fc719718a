"""A ranker at the embedding layer of one document: its gradients there, and words for its pieces."""

from __future__ import annotations

import contextlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, ScorerError
from intentx.explainers.pointwise import Subject
from intentx.rankers.inside import Differentiable, EmbeddedText
from intentx.scoring import own
from intentx.text import Token

if TYPE_CHECKING:
    import torch

    from intentx.explainers.deeplift import DeepLiftRules

__all__ = ["Model", "doubled", "word_of_piece"]

Floats = npt.NDArray[np.float64]

BATCH = 32  # versions at once, of a ranker that does not say


class Model:
    """A ranker at one document's embedding layer.

    Attributes
    ----------
    subject, scorer, embedded
        The document being explained, its ranker, and the document at the embedding layer.
    batch_size
        Most versions in one pass.
    """

    def __init__(self, subject: Subject, batch_size: int | None) -> None:
        self.subject = subject
        self.scorer = _differentiable(subject)
        self.embedded = self.embed(subject.text)
        self.batch_size = batch_size or int(getattr(self.scorer, "batch_size", BATCH))

    def embed(self, text: str) -> EmbeddedText:
        """A text at the embedding layer, for the query of the ranking."""
        return self.scorer.embed(self.subject.ranking.query, text)

    def gradients(
        self, vectors: torch.Tensor, counted: int | None = None, rules: DeepLiftRules | None = None
    ) -> tuple[Floats, torch.Tensor]:
        """Scores (B,) of versions (B, L, D) of the document, and the gradients of each (B', L, D).

        Parameters
        ----------
        counted
            B', how many versions from the first to take the gradients of; None: all.
        rules
            What to put in the place of gradients.
        """
        import torch

        with self.subject.looking_inside(len(vectors)):
            leaf = vectors.detach().clone().requires_grad_()
            with rules or contextlib.nullcontext():
                scores = self.scorer.score_embedded(self.embedded, leaf.clone())
            if not scores.requires_grad:
                raise InputError(
                    f"score_embedded of {_name_of(self.scorer)} returns scores without gradients"
                )
            [found] = torch.autograd.grad(scores[:counted].sum(), leaf)
            gradients, values = doubled(found[:counted]), doubled(scores).numpy()
        if not (np.isfinite(values).all() and bool(torch.isfinite(gradients).all())):
            raise ScorerError(
                f"{_name_of(self.scorer)} has scores or gradients that are not finite numbers",
                self.subject.ranking.query,
                [self.subject.text],
            )
        return values, gradients


def word_of_piece(spans: npt.NDArray[np.intp], tokens: Sequence[Token]) -> npt.NDArray[np.intp]:
    """(L,) number of the token that each piece shares most characters with; -1 for none.

    >>> tokens = [Token("stage", 0, 5, 0), Token("piano", 6, 11, 0)]
    >>> word_of_piece(np.array([[0, 3], [3, 5], [4, 11], [11, 12]]), tokens).tolist()
    [0, 0, 1, -1]
    """
    starts, ends = [token.start for token in tokens], [token.end for token in tokens]
    found = np.full(len(spans), -1, dtype=np.intp)
    for piece, (start, end) in enumerate(spans.tolist()):
        near = range(bisect_right(ends, start), bisect_left(starts, end))
        if near:
            found[piece] = max(near, key=lambda i: min(end, ends[i]) - max(start, starts[i]))
    return found


def _differentiable(subject: Subject) -> Differentiable:
    """The ranker, or an InputError that says what to do."""
    scorer: Any = subject.ranking.black_box(f"an explanation by {subject.method}").scorer
    found = isinstance(scorer, Differentiable)
    if found and all(own(scorer, name) is not None for name in ("embed", "score_embedded")):
        differentiable: Differentiable = scorer
        return differentiable
    why = "it has no embed and score_embedded (see intentx.rankers.inside.Differentiable)"
    if found:
        why = "its embed and score_embedded are those of the scorer in it, whose scores it may change"
    if getattr(scorer, "name", "") == "drmm":
        why = "it counts matches in histograms, which have no useful gradient"
    raise InputError(
        f"{subject.method} needs gradients, and {_name_of(scorer)} offers none: {why}; KernelSHAP and "
        "EXS explain it from its scores alone"
    )


def doubled(values: torch.Tensor) -> torch.Tensor:
    return values.detach().cpu().double()


def _name_of(scorer: Any) -> str:
    return getattr(scorer, "__name__", type(scorer).__name__)
