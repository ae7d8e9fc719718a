"""A call of a function of torch, as a rule of DeepLIFT looks at it."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, NamedTuple

from intentx.errors import MissingExtraError

try:
    import torch
    from torch import Tensor, nn
    from torch.utils._pytree import tree_unflatten
except ImportError as error:
    raise MissingExtraError("torch", "neural") from error

__all__ = ["Call", "in_parts", "out_of_place", "varies"]


class Call(NamedTuple):
    """A function of torch and what it was given, laid flat; ``varying`` are places there."""

    function: Callable[..., Any]
    given: list[Any]
    spec: Any
    varying: tuple[int, ...]

    def __call__(self, *changed: tuple[int, Any]) -> Any:
        """Call it, some of what it was given exchanged."""
        given = [*self.given]
        for place, value in changed:
            given[place] = value
        args, kwargs = tree_unflatten(given, self.spec)
        return self.function(*args, **kwargs)

    @property
    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = tree_unflatten(self.given, self.spec)
        return args, kwargs

    def argument(self, name: str, place: int, default: Any = None) -> Any:
        """What was given by name or at a place."""
        args, kwargs = self.arguments
        return kwargs.get(name, args[place] if len(args) > place else default)

    @property
    def inputs(self) -> list[Tensor]:
        """What varies."""
        return [self.given[place] for place in self.varying]


def varies(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad and not isinstance(value, nn.Parameter)


@functools.cache
def in_parts(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """A copy of a function of torch that is written in Python, whose parts meet the rules one by one.

    Such a function first asks whether somebody overrides it, and would be handed over as a whole; the
    copy is told that nobody does. None for others.
    """
    if not isinstance(function, types.FunctionType):
        return None
    known = function.__globals__
    asks = [n for n in function.__code__.co_names if n.startswith("has_torch_function") and n in known]
    if not asks:
        return None
    changed = {**known, **dict.fromkeys(asks, lambda *tensors: False)}
    copy = types.FunctionType(
        function.__code__, changed, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@functools.cache
def out_of_place(name: str) -> Callable[..., Any] | None:
    """The function that does the same as the in-place ``name_``; None where it is not in place."""
    if not name.endswith("_") or name.endswith("__"):
        return None
    homes = (Tensor, torch, nn.functional)
    return next((getattr(home, name[:-1]) for home in homes if hasattr(home, name[:-1])), None)
