"""What methods that look inside a model need of it: its embedding layer, and words for its pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["Differentiable", "EmbeddedText"]


@dataclass(frozen=True, eq=False)
class EmbeddedText:
    """One document for one query, as a model sees it at its embedding layer.

    Attributes
    ----------
    query, text
        What was embedded.
    vectors
        (L, D) rows of the embedding layer for the document's pieces: without special tokens,
        without the query, and without what the model cuts off. Detached.
    spans
        (L, 2) start and end of each piece in ``text``.
    words
        (L,) number of the word that each piece belongs to, from 0; the pieces of one word share it.
    pieces
        L pieces as the model's vocabulary spells them.
    """

    query: str
    text: str
    vectors: torch.Tensor = field(repr=False)
    spans: npt.NDArray[np.intp] = field(repr=False)
    words: npt.NDArray[np.intp] = field(repr=False)
    pieces: tuple[str, ...] = field(repr=False)


@runtime_checkable
class Differentiable(Protocol):
    """A scorer that gradients can be taken of.

    Gradients are the caller's: ``torch.autograd.grad(scorer.score_embedded(e, v).sum(), v)`` with a
    ``v`` that requires them. Parameters of the model take no part, so that it has no gradients
    afterwards that it did not have before.

    Attributes
    ----------
    module
        The model, on whose submodules hooks may be put. What they see last is the document.
    """

    @property
    def module(self) -> torch.nn.Module: ...

    def __call__(self, query: str, texts: Any, /) -> Any: ...

    def embed(self, query: str, text: str) -> EmbeddedText:
        """``text`` at the embedding layer."""
        ...

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) of ``vectors`` (B, L, D) in place of the document's, differentiable in them.

        ``score_embedded(e, e.vectors[None])`` is the scorer's own score of ``e.text``.
        """
        ...
