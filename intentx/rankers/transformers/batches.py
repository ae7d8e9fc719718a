"""Texts through a model in batches that waste little on padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = [
    "Pair",
    "each_in_batches",
    "in_batches",
    "on_device",
    "repeated",
    "texts_at_a_time",
    "widened",
]

Features = Mapping[str, Any]
Batch = tuple[list[int], dict[str, Any]]
Made = TypeVar("Made")
Text = TypeVar("Text", bound=Sized)

BLOCK = 1024  # texts tokenized at a time
TOKENS = 128  # of a text: of longer ones fewer make a batch


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
    batch_size: int,
) -> npt.NDArray[np.floating[Any]]:
    """(N, …) what ``forward`` makes of N texts, one at least, in batches of like numbers of pieces.

    The ``predict`` and ``encode`` of sentence-transformers sort by characters, and pad more for it:
    of versions of one passage with words left out, a tenth of all that they read is padding.

    Parameters
    ----------
    tokenize
        What the model reads of texts, padded to the longest.
    batch_size
        Texts of a batch, at most; of long ones fewer, by `texts_at_a_time`.
    forward
        One row for each text of what ``tokenize`` returned, or of some of its rows.
    """
    import torch

    rows: list[int] = []
    made: list[torch.Tensor] = []
    with torch.inference_mode():
        for places, batch in _of_like_length(texts, tokenize, batch_size):
            rows += places
            made.append(forward(batch))
        together = torch.cat(made).cpu().numpy()
    answer = np.empty_like(together)
    answer[rows] = together
    return answer


def each_in_batches(
    texts: Sequence[str],
    tokenize: Callable[[list[str]], Features],
    forward: Callable[[dict[str, Any]], Sequence[Made]],
    batch_size: int,
) -> list[Made]:
    """N things that ``forward`` makes of N texts, each of a size of its own; else as `in_batches`."""
    import torch

    answer: dict[int, Made] = {}
    with torch.inference_mode():
        for places, batch in _of_like_length(texts, tokenize, batch_size):
            answer.update(zip(places, forward(batch), strict=True))
    return [answer[place] for place in range(len(texts))]


def _of_like_length(
    texts: Sequence[Text], tokenize: Callable[[list[Text]], Features], size: int
) -> Iterator[Batch]:
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        for places, batch in _batches([texts[i] for i in block], tokenize, size):
            yield [block[place] for place in places], batch


def _batches(
    texts: list[Text], tokenize: Callable[[list[Text]], Features], size: int
) -> Iterator[Batch]:
    """Batches, the longest texts first: the places of their texts, and what is read of those."""
    features = tokenize(texts)
    mask = features.get("attention_mask")
    if mask is None or mask.shape[0] != len(texts):  # not padded: there are no rows to take from it
        for start in range(0, len(texts), size):
            part = texts[start : start + size]
            yield list(range(start, start + len(part))), dict(tokenize(part))
        return
    counts = mask.sum(dim=1)
    padded_left = not bool(mask[:, 0].all())
    order = counts.argsort(descending=True, stable=True)
    start = 0
    while start < len(order):
        width = int(counts[order[start]])
        places = order[start : start + texts_at_a_time(width, size)]
        start += len(places)
        columns = slice(-width, None) if padded_left else slice(width)
        yield (
            places.tolist(),
            {
                name: value[places][:, columns] if getattr(value, "shape", 0) == mask.shape else value
                for name, value in features.items()
            },
        )


def texts_at_a_time(tokens: int, size: int) -> int:
    """How many texts of so many tokens make a batch: ``size``, or what has as many tokens as these.

    The memory of a pass grows with its tokens, so that long texts go a few at a time.

    >>> texts_at_a_time(40, 32), texts_at_a_time(512, 32), texts_at_a_time(8000, 32)
    (32, 8, 1)
    """
    return max(1, min(size, size * TOKENS // max(1, tokens)))


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
