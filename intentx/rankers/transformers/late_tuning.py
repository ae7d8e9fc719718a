"""Fine-tuning of late interaction, by the same training as the other rankers."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.rankers.interaction.base import seeded
from intentx.rankers.transformers.batches import on_device
from intentx.rankers.transformers.late_interaction import LateInteractionRanker
from intentx.rankers.transformers.models import checked, prompt_of

if TYPE_CHECKING:
    import torch
    from sentence_transformers import MultiVectorEncoder

__all__ = ["FineTunedTokens"]


class FineTunedTokens:
    """A late-interaction ranker on its way from a base model, for
    `intentx.rankers.interaction.training.train`.

    Parameters
    ----------
    model
        A loaded `sentence_transformers.MultiVectorEncoder`; or the name or path of an encoder, such as
        BERT or a bi-encoder, whose tokens are projected and normalized.
    size
        Numbers of each token vector.
    seed
        Of the projection's first weights; they are orthogonal, so that dot products hardly change.
    device
        As torch names it, for a model given by name.

    Attributes
    ----------
    module
        The model; ``module.save_pretrained(folder)`` makes a folder that `LateInteractionRanker` loads.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model.
    """

    learning_rate = 3e-5

    def __init__(
        self,
        model: MultiVectorEncoder | str | Path,
        *,
        size: int = 128,
        seed: int = 0,
        device: str | None = None,
    ) -> None:
        self.module = _made(model, size, seed, device) if isinstance(model, str | Path) else model
        self._scorer = LateInteractionRanker(self.module, remember=0)

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return self._scorer(query, texts)

    def score(self, query: str, texts: Sequence[str]) -> torch.Tensor:
        """(N,) scores with gradients, in one batch."""
        import torch

        own, own_mask = self._vectors("query", [query])
        its, mask = self._vectors("document", checked(query, texts))
        products = torch.einsum("qd,ntd->nqt", own[0][own_mask[0]], its)
        return products.masked_fill(~mask[:, None], -torch.inf).amax(dim=2).sum(dim=1)

    def _vectors(self, side: str, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        model = self.module
        features = model.preprocess(list(texts), prompt=prompt_of(model, side), task=side)
        out: Any = model(on_device(features, model.device), task=side)
        return out["token_embeddings"], out["attention_mask"].bool()


def _made(name: str | Path, size: int, seed: int, device: str | None) -> MultiVectorEncoder:
    try:
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import MultiVectorEncoder
        from sentence_transformers.base.modules import Normalize, Transformer
        from sentence_transformers.base.modules.dense import Dense
        from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error

    def make() -> MultiVectorEncoder:
        reader = Transformer(str(name), model_kwargs={"use_safetensors": True})
        width = reader.get_embedding_dimension()
        project = Dense(
            width, size, bias=False, activation_function=torch.nn.Identity(),
            module_input_name="token_embeddings",
        )  # fmt: skip
        torch.nn.init.orthogonal_(project.linear.weight)
        skipped = MultiVectorMask(skiplist_words=list(string.punctuation))
        modules = [reader, project, skipped, Normalize(module_input_name="token_embeddings")]
        return MultiVectorEncoder(modules=modules, device=device)

    try:
        model: MultiVectorEncoder = seeded(seed, make)
    except (OSError, ValueError, LookupError, RuntimeError, SafetensorError) as error:
        raise InputError(f"no model to fine-tune {str(name)!r}: {error}") from error
    return model
