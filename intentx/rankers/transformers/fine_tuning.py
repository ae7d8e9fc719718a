"""Fine-tuning of cross-encoders, by the same training as the other rankers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.rankers.interaction.base import seeded
from intentx.rankers.transformers.cross_encoder import CrossEncoder
from intentx.rankers.transformers.models import checked

if TYPE_CHECKING:
    import sentence_transformers
    import torch

__all__ = ["FineTuned"]


class FineTuned:
    """A cross-encoder on its way from a base model to a ranker, for
    `intentx.rankers.interaction.training.train`.

    Parameters
    ----------
    model
        A loaded `sentence_transformers.CrossEncoder` with one label; or the name or path of one, or
        of a model without a head, such as BERT or a bi-encoder, which gets one.
    layers
        Keep only so many of its first layers, for a model given by name; None: all. A model of two
        layers of six is trained in a third of the time.
    seed
        Of that head's first weights.
    device
        As torch names it, for a model given by name.

    Attributes
    ----------
    module
        The model; ``module.save_pretrained(folder)`` makes a folder that
        `sentence_transformers.CrossEncoder` loads.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it has several labels, or it has fewer layers.
    """

    learning_rate = 2e-5

    def __init__(
        self,
        model: sentence_transformers.CrossEncoder | str | Path,
        *,
        layers: int | None = None,
        seed: int = 0,
        device: str | None = None,
    ) -> None:
        self.module = _load(model, layers, seed, device) if isinstance(model, str | Path) else model
        self._scorer = CrossEncoder(self.module, raw=True)

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return self._scorer(query, texts)

    def score(self, query: str, texts: Sequence[str]) -> torch.Tensor:
        """(N,) logits with gradients, in one batch."""
        features = self.module.preprocess([(query, text) for text in checked(query, texts)])
        placed = {
            name: value.to(self.module.device) if hasattr(value, "to") else value
            for name, value in features.items()
        }
        scores: torch.Tensor = self.module(placed)["scores"].reshape(-1)
        return scores


def _load(
    name: str | Path, layers: int | None, seed: int, device: str | None
) -> sentence_transformers.CrossEncoder:
    try:
        import sentence_transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    shallow: dict[str, Any] = {} if layers is None else {"config_kwargs": {"num_hidden_layers": layers}}
    try:
        if layers is not None:
            _check_layers(layers, str(name))
        model: sentence_transformers.CrossEncoder = seeded(
            seed,
            lambda: sentence_transformers.CrossEncoder(
                str(name),
                num_labels=1,
                device=device,
                model_kwargs={"use_safetensors": True},
                **shallow,
            ),
        )
    except (OSError, ValueError, LookupError, RuntimeError, SafetensorError) as error:
        raise InputError(f"no model to fine-tune {str(name)!r}: {error}") from error
    return model


def _check_layers(layers: int, name: str) -> None:
    """Refuse to keep no layer, or more than there are: those would have random weights."""
    from transformers import AutoConfig

    there = AutoConfig.from_pretrained(name).num_hidden_layers
    if not 1 <= layers <= there:
        raise InputError(f"{name} has {there} layers: layers must be 1 to {there}, not {layers}")
