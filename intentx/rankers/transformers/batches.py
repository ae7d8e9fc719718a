"""Texts through a model in batches that waste little on padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from intentx.rankers.transformers.memory import Room

if TYPE_CHECKING:
    import torch

__all__ = ["Pair", "each_in_batches", "in_batches", "on_device", "repeated", "widened"]

Features = Mapping[str, Any]
Made = TypeVar("Made")
Text = TypeVar("Text", bound=Sized)

BLOCK = 1024  # texts tokenized at a time


@dataclass(frozen=True)
class Pair:
    """A text and the query that it is read beside; as long as the text."""

    query: str
    text: str

    def __len__(self) -> int:
        return len(self.text)


def in_batches(
    texts: Sequence[Text],
    tokenize: Callable[[list[Text]], Features],
    forward: Callable[[dict[str, Any]], torch.Tensor],
    room: Room,
    device: torch.device,
) -> npt.NDArray[np.floating[Any]]:
    """(N, …) what ``forward`` makes of N texts, one at least, in batches of like numbers of pieces.

    The ``predict`` and ``encode`` of sentence-transformers sort by characters, and pad more for it:
    of versions of one passage with words left out, a tenth of all that they read is padding.

    Parameters
    ----------
    tokenize
        What the model reads of texts, padded to the longest.
    forward
        One row for each text of what ``tokenize`` returned, or of some of its rows.
    room, device
        How many texts go at once, and where the model is.
    """
    import torch

    rows: list[int] = []
    made: list[torch.Tensor] = []
    with torch.inference_mode():
        for places, some in _Reader(tokenize, forward, room, device).of_like_length(texts):
            rows += places
            made.append(some)
        together = torch.cat(made).cpu().numpy()
    answer = np.empty_like(together)
    answer[rows] = together
    return answer


def each_in_batches(
    texts: Sequence[str],
    tokenize: Callable[[list[str]], Features],
    forward: Callable[[dict[str, Any]], Sequence[Made]],
    room: Room,
    device: torch.device,
) -> list[Made]:
    """N things that ``forward`` makes of N texts, each of a size of its own; else as `in_batches`."""
    import torch

    answer: dict[int, Made] = {}
    with torch.inference_mode():
        for places, some in _Reader(tokenize, forward, room, device).of_like_length(texts):
            answer.update(zip(places, some, strict=True))
    return [answer[place] for place in range(len(texts))]


@dataclass(frozen=True)
class _Reader(Generic[Text, Made]):
    """What reads texts, see `in_batches`."""

    tokenize: Callable[[list[Text]], Features]
    forward: Callable[[dict[str, Any]], Made]
    room: Room
    device: torch.device

    def of_like_length(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], Made]]:
        """What is made of each batch, the longest texts first, and the places of its texts."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            for places, made in self._of_block([texts[i] for i in block]):
                yield [block[place] for place in places], made

    def _of_block(self, texts: list[Text]) -> Iterator[tuple[list[int], Made]]:
        features = self.tokenize(texts)
        mask = features.get("attention_mask")
        if mask is None or mask.shape[0] != len(texts):  # not padded: there are no rows to take from it
            for part, made in self.room.parts(
                len(texts), lambda part: self.forward(dict(self.tokenize(texts[part]))), self.device
            ):
                yield list(range(part.start, part.stop)), made
            return
        counts = mask.sum(dim=1)
        padded_left = not bool(mask[:, 0].all())
        order = counts.argsort(descending=True, stable=True)
        widths = counts[order].tolist()

        def some(part: slice) -> Made:
            columns = slice(-widths[part.start], None) if padded_left else slice(widths[part.start])
            return self.forward(
                {
                    name: value[order[part]][:, columns]
                    if getattr(value, "shape", 0) == mask.shape
                    else value
                    for name, value in features.items()
                }
            )

        for part, made in self.room.parts(len(order), some, self.device, widths):
            yield order[part].tolist(), made


def repeated(features: Features, times: int) -> dict[str, Any]:
    """What a tokenizer made of one text, ``times`` over."""
    return {
        name: value.expand(times, *value.shape[1:]).contiguous() if hasattr(value, "expand") else value
        for name, value in features.items()
    }


def on_device(features: Features, device: torch.device) -> dict[str, Any]:
    """The same with its tensors on a device."""
    return {k: value.to(device) if hasattr(value, "to") else value for k, value in features.items()}


def widened(values: torch.Tensor) -> torch.Tensor:
    """Half precision as single: wide enough within a layer, it makes ties of scores."""
    import torch

    return values.to(torch.promote_types(values.dtype, torch.float32))
