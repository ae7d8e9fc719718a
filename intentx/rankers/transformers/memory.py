"""How much goes through a model at once: on a card, as much as its memory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from intentx.errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["InBatches", "Memory", "Room", "card_memory", "texts_at_a_time"]

Made = TypeVar("Made")
Memory = Callable[["torch.device"], "tuple[int, int] | None"]

SIZE = 32  # texts of a batch, at first
MOST = 256  # on a card; on an H100 more are no faster, and SPLADE takes 8 GB for these
TOKENS = 128  # of a text: of longer ones fewer make a batch


def texts_at_a_time(tokens: int, size: int) -> int:
    """How many texts of so many tokens make a batch: ``size``, or what has as many tokens as these.

    The memory of a pass grows with its tokens, so that long texts go a few at a time.

    >>> texts_at_a_time(40, 32), texts_at_a_time(512, 32), texts_at_a_time(8000, 32)
    (32, 8, 1)
    """
    return max(1, min(size, size * TOKENS // max(1, tokens)))


def card_memory(device: torch.device) -> tuple[int, int] | None:
    """Bytes that are free on a card, and bytes that torch holds there; None of all other devices."""
    import torch

    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0], torch.cuda.memory_reserved(device)


class Room:
    """How many texts go through a model at once.

    On a card a batch that went well is followed by one of twice as many texts, as long as as much memory
    is free there as torch holds, which is what it has needed so far and the weights. Where memory runs
    out all the same, the batch goes again in halves, and later ones stay that small.

    Parameters
    ----------
    given
        Texts of a batch, at most, as a user said; None: ``first`` to begin with, and on a card more.
    first
        See there.
    memory
        What tells of free and held bytes.

    Attributes
    ----------
    size
        Texts of up to `TOKENS` tokens in the next batch; of longer ones there are fewer.
    """

    def __init__(self, given: int | None, first: int = SIZE, memory: Memory = card_memory) -> None:
        self.size = first if given is None else given
        self._most = MOST if given is None else given
        self._memory = memory

    def parts(
        self,
        number: int,
        ask: Callable[[slice], Made],
        device: torch.device,
        widths: Sequence[int] | None = None,
    ) -> Iterator[tuple[slice, Made]]:
        """What ``ask`` returns for one part after the other of so many rows.

        Parameters
        ----------
        ask
            Passes some rows through the model.
        widths
            Tokens of each row, the widest first; None: few, so that their number alone counts.

        Raises
        ------
        InputError
            If the memory of the card does not hold one row.
        """
        import torch

        start = 0
        while start < number:
            width = 1 if widths is None else widths[start]
            part = slice(start, min(number, start + texts_at_a_time(width, self.size)))
            try:
                made = ask(part)
            except torch.cuda.OutOfMemoryError as error:
                if part.stop - start == 1:
                    raise InputError(_too_large(device, None if widths is None else width)) from error
            else:
                start = part.stop
                self._grow(device)
                yield part, made
                continue
            self._shrink(part.stop - start, width)  # here nothing holds on to what the pass had made

    def _grow(self, device: torch.device) -> None:
        if self.size < self._most and (known := self._memory(device)) is not None:
            free, held = known
            if free > held:
                self.size = min(self._most, 2 * self.size)

    def _shrink(self, number: int, width: int) -> None:
        import torch

        while texts_at_a_time(width, self.size) >= number:
            self.size //= 2
        self._most = self.size
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            torch.cuda.empty_cache()


def _too_large(device: torch.device, tokens: int | None) -> str:
    what = "one version of the document" if tokens is None else f"one text of {tokens} tokens"
    return (
        f"the memory of {device} does not hold {what} on its way through the model: load the model with "
        "precision='bfloat16', a smaller max_length, or device='cpu'"
    )


class InBatches:
    """A ranker that passes texts through a model in batches.

    Attributes
    ----------
    _room
        How many at once.
    """

    _room: Room

    @property
    def batch_size(self) -> int:
        """Texts in the next batch, at most; on a card it grows, unless it was given."""
        return self._room.size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        check_batch_size(size)
        self._room = Room(size)


def check_batch_size(size: Any) -> None:
    """Refuse sizes that are none.

    >>> check_batch_size(32)
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise InputError(f"batch_size must be 1 or more, not {size!r}")
