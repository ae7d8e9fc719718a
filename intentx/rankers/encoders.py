"""Neural encoders as scorers, by sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["BiEncoder"]

Similarity = Literal["cosine", "dot"]


class BiEncoder:
    """A bi-encoder: query and text become one vector each, and the score is their similarity.

    Parameters
    ----------
    model
        A loaded `SentenceTransformer`, or the name or path of one.
    similarity
        ``"cosine"`` or ``"dot"``.
    batch_size
        Texts per forward pass.
    device
        As torch names it, for a model given by name; None: where sentence-transformers puts it.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model.
    """

    def __init__(
        self,
        model: SentenceTransformer | str | Path,
        *,
        similarity: Similarity = "cosine",
        batch_size: int = 32,
        device: str | None = None,
    ) -> None:
        if similarity not in get_args(Similarity):
            raise InputError(f"similarity must be one of {get_args(Similarity)}, not {similarity!r}")
        self.model = _load(model, device) if isinstance(model, str | Path) else model
        self.similarity = similarity
        self.batch_size = batch_size

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        vectors = np.asarray(
            self.model.encode(
                [query, *texts],
                batch_size=self.batch_size,
                normalize_embeddings=self.similarity == "cosine",
                convert_to_numpy=True,
                show_progress_bar=False,
            ),
            dtype=np.float64,
        )
        return vectors[1:] @ vectors[0]


def _load(model: str | Path, device: str | None) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    try:
        return SentenceTransformer(str(model), device=device)
    except (OSError, ValueError) as error:
        raise InputError(f"no sentence-transformers model {str(model)!r}: {error}") from error
