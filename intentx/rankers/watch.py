"""Whether a model is what it was: weights and settings may change between two calls of a ranker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["Same", "Watch", "array_mark", "structure_of", "tensors_of", "weights_mark"]

WIDTH = 509  # sums kept of each tensor; a prime, so that rows of a matrix that trade places are noticed
LARGE = 1 << 22  # numbers in a tensor that is read whole at every look; larger ones in blocks
BLOCKS, BLOCK = 16, 1 << 16  # of those: how many, evenly spaced, and how long

NOT_SETTINGS = ("training", "name_or_path", "model_card_data", "trust_remote_code", "module_kwargs")
HIDDEN_SETTINGS = ("_disable_adapters", "_active_adapter")  # those of PEFT, such as LoRA
HOOKS = ("_forward_pre_hooks", "_forward_hooks")


class Same:
    """An object that compares equal to itself alone, and is kept so that no other takes its place."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.thing is self.thing

    def __hash__(self) -> int:
        return id(self.thing)


class Watch:
    """Counts how often something was found changed, by a quick look or a thorough one.

    A quick look may miss an edit of a few numbers of a large tensor that is made behind torch's back
    (``parameter.data[0, 0] += 1``); a thorough look misses nothing that it is given.

    Examples
    --------
    >>> watch = Watch()
    >>> [watch.look(("b",), lambda: ("b", weight), thorough=True) for weight in (1, 1, 2)]
    [1, 1, 2]
    """

    def __init__(self) -> None:
        self.changes = 0
        self._quick: Hashable = None
        self._thorough: Hashable = None
        self._made: tuple[int, str] | None = None

    def look(self, quick: Hashable, full: Callable[[], Hashable], *, thorough: bool) -> int:
        """The number of changes noticed so far, the first look among them."""
        changed = quick != self._quick
        if changed or thorough:
            found = full()
            changed = changed or found != self._thorough
            self._thorough = found
        self._quick = quick
        self.changes += changed
        return self.changes

    def text(self, changes: int, make: Callable[[], str]) -> str:
        """What ``make`` returns, made again only after another change."""
        if self._made is None or self._made[0] != changes:
            self._made = changes, make()
        return self._made[1]


def weights_mark(models: Sequence[torch.nn.Module], *, thorough: bool) -> Hashable:
    """What differs once a weight, a buffer, a module or a hook does; nothing is copied or kept.

    torch counts the changes of each tensor, but for those made through ``.data``: these show in sums
    of the bytes, which take about the time that reading them takes.
    """
    tensors = [tensor for model in models for _, tensor in tensors_of(model)]
    known = tuple((_version(t), t.data_ptr(), str(t.dtype), tuple(t.shape)) for t in tensors)
    hooks = tuple(
        Same(hook)
        for model in models
        for module in model.modules()
        for name in HOOKS
        for hook in getattr(module, name).values()
    )
    return known, hooks, _sums(tensors, thorough=thorough)


def array_mark(array: npt.NDArray[Any]) -> Hashable:
    """The same for an array."""
    return str(array.dtype), array.shape, _sums_of(np.ascontiguousarray(array)).tobytes()


def tensors_of(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters, buffers and plain tensors of a model by name, each once."""
    import torch

    seen = set()
    for prefix, module in model.named_modules():
        plain = ((name, value) for name, value in vars(module).items() if not name.startswith("_"))
        for name, value in itertools.chain(module._parameters.items(), module._buffers.items(), plain):
            if isinstance(value, torch.Tensor) and id(value) not in seen:
                seen.add(id(value))
                yield f"{prefix}.{name}" if prefix else name, value


def structure_of(model: torch.nn.Module) -> list[list[object]]:
    """Kind and plain settings of each module, such as the eps of a norm, for a fingerprint."""
    found = []
    for name, module in model.named_modules():
        settings = {
            key: plain
            for key, value in vars(module).items()
            if (key in HIDDEN_SETTINGS or not key.startswith("_")) and key not in NOT_SETTINGS
            if (plain := _plain(value)) is not None
        }
        hooks = [
            str(getattr(h, "__qualname__", type(h))) for k in HOOKS for h in vars(module)[k].values()
        ]
        found.append([name, type(module).__qualname__, settings, hooks])
    return found


def _plain(value: object) -> object:
    """A setting in a form for JSON; None for what is none."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | dict) and len(value) < 100:
        parts = value.values() if isinstance(value, dict) else value
        return repr(value) if all(_plain(part) is not None for part in parts) else None
    return getattr(value, "__qualname__", None)  # a function, such as that of an activation


def _version(tensor: torch.Tensor) -> int:
    try:
        return tensor._version
    except RuntimeError:  # made in inference mode
        return -1


def _sums(tensors: Sequence[torch.Tensor], *, thorough: bool) -> bytes:
    """Sums of the bytes of tensors, taken as integers; in part for large ones, unless ``thorough``."""
    import torch

    found, elsewhere = [], []
    with torch.no_grad():
        for tensor in tensors:
            if tensor.device.type == "meta" or tensor.layout is not torch.strided:
                continue
            flat = tensor.detach().contiguous().reshape(-1)
            if not thorough and len(flat) > LARGE:
                starts = (
                    torch.linspace(0, len(flat) - BLOCK, BLOCKS, dtype=torch.float64).long().tolist()
                )
                parts = [flat[start : start + BLOCK] for start in starts]
            else:
                parts = [flat]
            for part in parts:
                if part.device.type == "cpu":
                    found.append(_sums_of(part.view(torch.uint8).numpy()))
                else:
                    elsewhere += _sums_there(part.view(torch.uint8))
        if elsewhere:  # one transfer for all
            found.append(torch.cat([sums.reshape(-1) for sums in elsewhere]).cpu().numpy())
    return b"".join(sums.tobytes() for sums in found)


def _sums_of(array: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    values = array.reshape(-1).view(np.uint8)
    words = values[: len(values) // 8 * 8].view(np.uint64)
    whole = len(words) // WIDTH * WIDTH
    columns = words[:whole].reshape(-1, WIDTH).sum(axis=0, dtype=np.uint64)
    rest = np.concatenate([words[whole:], values[len(words) * 8 :].astype(np.uint64)])
    return np.concatenate([columns, rest])


def _sums_there(values: torch.Tensor) -> list[torch.Tensor]:
    """The same on a device, from where only sums are fetched."""
    import torch

    words = values[: len(values) // 8 * 8]
    words = (words if words.data_ptr() % 8 == 0 else words.clone()).view(torch.int64)
    whole = len(words) // WIDTH * WIDTH
    rest = values[len(words) * 8 :].to(torch.int64)
    return [words[:whole].view(-1, WIDTH).sum(0), words[whole:], rest]
