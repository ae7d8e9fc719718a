"""One text of a dual encoder at its embedding layer, on the side of queries or of documents."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from intentx.capabilities import AttentionMaps
from intentx.errors import InputError
from intentx.rankers.transformers.attentions import attentions_of
from intentx.rankers.transformers.batches import on_device, repeated, widened
from intentx.rankers.transformers.models import embedding_layer, replaced_rows, undisturbed
from intentx.rankers.transformers.word_pieces import Reading

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

__all__ = ["Contributions", "SideText"]


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each token adds to the vector of a text.

    Attributes
    ----------
    tokens
        (L, E) of the text's own tokens.
    others
        (E,) of all else that the model reads and adds: special tokens, a prompt, a bias.
    """

    tokens: torch.Tensor
    others: torch.Tensor


@dataclass(frozen=True, eq=False)
class SideText:
    """A text as one side of a dual encoder reads it.

    Attributes
    ----------
    model
        The encoder of that side.
    task
        ``"query"`` or ``"document"``.
    features
        What its tokenizer returned.
    reading
        The text's own tokens, their places and spans.
    unit
        Whether the vector is brought to length 1, as for cosines.
    """

    model: SentenceTransformer
    task: str
    features: Any
    reading: Reading
    unit: bool

    @property
    def rows(self) -> torch.Tensor:
        """(L, D) what the embedding layer makes of the text's own tokens."""
        import torch

        layer = embedding_layer(self.model)
        ids = self.features["input_ids"][0, self.reading.places].to(self.model.device)
        with torch.no_grad():
            found: torch.Tensor = layer(ids)
        return found

    @property
    def average(self) -> torch.Tensor:
        """(D,) the mean vector of the embedding layer's vocabulary."""
        weight: Any = embedding_layer(self.model).weight
        return self.average_of(weight)

    @staticmethod
    def average_of(weight: torch.Tensor) -> torch.Tensor:
        """The mean row, in the precision of the rows."""
        import torch

        mean: torch.Tensor = weight.detach().to(torch.float32).mean(dim=0).to(weight.dtype)
        return mean

    def vectors(self, rows: torch.Tensor) -> torch.Tensor:
        """(B, E) vectors of B versions of the text, with ``rows`` (B, L, D) at its embedding layer."""
        with self.replaced(rows):
            out = self._out(repeated(self.features, len(rows)))["sentence_embedding"]
        found = widened(out[:, : self.model.truncate_dim])
        return self._scaled(found)

    def _scaled(self, found: torch.Tensor) -> torch.Tensor:
        import torch

        scaled: torch.Tensor = torch.nn.functional.normalize(found, dim=1) if self.unit else found
        return scaled

    @contextlib.contextmanager
    def replaced(self, rows: torch.Tensor) -> Iterator[None]:
        """While this is open, the embedding layer gives ``rows`` for the text's own tokens."""
        layer = embedding_layer(self.model)
        with undisturbed(self.model), replaced_rows(layer, self.reading.places, rows):
            yield

    def _out(self, features: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.model(on_device(features, self.model.device), task=self.task)
        return found

    def contributions(self) -> Contributions:
        """The vector of the text as a sum over its tokens, each of the last layer's vectors a term.

        Raises
        ------
        InputError
            If the vector is no such sum: one token stands for all (CLS), the largest number counts
            (max), or a layer behind the pooling is not linear.
        """
        import torch

        with undisturbed(self.model), torch.no_grad():
            out = self._out(dict(self.features))
            parts, bias = self._pooled(out)
            for module in self._behind_pooling():
                parts, bias = _through(module, parts, bias)
            parts, bias = (widened(x)[..., : self.model.truncate_dim].double() for x in (parts, bias))
            whole = parts.sum(dim=0) + bias
            if self.unit:
                size = whole.norm().clamp(min=1e-12)
                parts, bias, whole = parts / size, bias / size, whole / size
            own = self._scaled(widened(out["sentence_embedding"][:, : self.model.truncate_dim]))[0]
        if not torch.allclose(whole, own.double(), atol=1e-4 * max(1.0, float(own.abs().max()))):
            raise InputError(f"the vectors of {self._name()} are no sum over their tokens; {_OTHERWISE}")
        places = torch.as_tensor(self.reading.places, device=parts.device)
        mine = parts[places]
        return Contributions(mine.cpu(), (whole - mine.sum(dim=0)).cpu())

    def attentions(self) -> AttentionMaps:
        """What each head of each layer attends to, and which tokens the pooling reads."""
        import torch

        inner: Any = self.model.transformers_model
        weights = attentions_of(inner, self.features, self.model.device)
        with undisturbed(self.model), torch.no_grad():
            read_from = self._pooling_weights(self._out(dict(self.features)))
        total = float(read_from.sum())
        reading = self.reading
        return AttentionMaps(
            weights, reading.places, reading.spans, np.empty(0, dtype=np.intp),
            (read_from / total).cpu().numpy(),
        )  # fmt: skip

    def _pooling_weights(self, out: dict[str, Any]) -> torch.Tensor:
        """(T,) how much of each token the pooling takes; of one without weights, all alike.

        Encoders without a pooling of their own, such as DPR's, read the first token.
        """
        import torch

        if "token_embeddings" not in out:
            first = torch.zeros(out["input_ids"].shape[1], dtype=torch.float64)
            first[0] = 1.0
            return first
        number = out["token_embeddings"].shape[1]
        pooling = next((one for one in self.model if type(one).__name__ == "Pooling"), None)
        if pooling is None:
            return torch.ones(number, dtype=torch.float64)
        known = {k: v for k, v in out.items() if k in ("attention_mask", "prompt_length")}
        device = out["token_embeddings"].device
        identity = torch.eye(number, dtype=torch.float64, device=device)[None]
        [weights] = pooling({**known, "token_embeddings": identity})["sentence_embedding"]
        found: torch.Tensor = weights[:number]
        return found

    def _pooled(self, out: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """(L, E) the terms of the pooled vector, and zeros for the bias."""
        import torch

        pooling = next((one for one in self.model if type(one).__name__ == "Pooling"), None)
        if pooling is None:
            raise InputError(f"{self._name()} has no pooling layer that adds tokens up; {_OTHERWISE}")
        tokens = out["token_embeddings"][0].double()
        weights = self._pooling_weights(out)
        # One pooling that counts tokens, and neither the largest of all nor the first alone.
        mode = getattr(pooling, "pooling_mode", "mean")
        dimension = pooling.get_embedding_dimension()  # type: ignore[operator]
        if dimension != tokens.shape[1] or int((weights != 0).sum()) < 2 or mode == "max":
            raise InputError(
                f"{self._name()} does not add its tokens up: its pooling is {mode!r}; {_OTHERWISE}"
            )
        parts = weights[:, None] * tokens
        return parts, torch.zeros_like(parts[0])

    def _behind_pooling(self) -> list[Any]:
        modules = list(self.model)
        names = [type(one).__name__ for one in modules]
        return modules[names.index("Pooling") + 1 :]

    def _name(self) -> str:
        inner: Any = self.model.transformers_model
        return str(getattr(inner, "name_or_path", "") or type(inner).__name__)


_OTHERWISE = "method='integrated' and method='deletion' explain it"


def _through(module: Any, parts: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Terms and bias behind a layer; what normalises is left to the end, where the whole is known."""
    import torch

    name = type(module).__name__
    if name == "Normalize":
        size = (parts.sum(dim=0) + bias).norm().clamp(min=1e-12)
        return parts / size, bias / size
    if name == "Dense" and isinstance(module.activation_function, torch.nn.Identity):
        weight = module.linear.weight.double()
        added = 0.0 if module.linear.bias is None else module.linear.bias.double()
        return parts @ weight.T, bias @ weight.T + added
    raise InputError(f"the layer {name} behind the pooling is not linear; {_OTHERWISE}")
