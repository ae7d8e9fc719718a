"""What a model computes out of sight of the functions of torch: TorchScript, C++, own gradients."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from intentx.errors import MissingExtraError

try:
    import torch
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode
    from torch.utils._pytree import tree_leaves
except ImportError as error:
    raise MissingExtraError("torch", "neural") from error

__all__ = ["HiddenCalls", "own_gradients"]

QUIET = frozenset(
    ("detach", "alias", "view", "_to_copy", "clone", "t", "transpose", "permute", "expand")
)
"""They change no number."""

LIBRARY = str(Path(torch.__file__).parent)


class HiddenCalls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While this is open, operators are noted that no function of torch in Python has called.

    A `torch.overrides.TorchFunctionMode` sees what Python calls. TorchScript and extensions in C++
    call operators by themselves.

    Parameters
    ----------
    found
        Gets the name of each function as a key: that of a TorchScript function where it can be
        found, else those of its operators.

    Examples
    --------
    >>> found: dict[str, None] = {}
    >>> swish = torch.jit.trace(lambda x: torch.sigmoid(x) * x, torch.ones(2))
    >>> hidden = HiddenCalls(found)
    >>> with hidden:
    ...     y = swish(torch.ones(2, requires_grad=True))
    ...     with hidden.in_sight():
    ...         z = y.exp()
    >>> [*found]
    ['swish in TorchScript']
    """

    def __init__(self, found: dict[str, None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found = found
        self.depth = 0

    @contextlib.contextmanager
    def in_sight(self) -> Iterator[None]:
        """Around a call that Python has made."""
        # Closed meanwhile, which is quicker than to be asked for every operator; not from under
        # a mode that the model itself has opened.
        closed = not self.depth and _get_current_dispatch_mode() is self
        self.depth += 1
        if closed:
            self.close()
        try:
            yield
        finally:
            self.depth -= 1
            if closed:
                self.open()

    def open(self) -> None:
        """Begin, as ``with`` does."""
        self.__enter__()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """End."""
        self.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self,
        function: Any,
        kinds: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self.depth += 1  # looking at a tensor is a call, too
        try:
            if self.depth == 1 and _vary((args, kwargs)):
                library, _, name = function._schema.name.partition("::")
                if name not in QUIET or library != "aten":
                    shown = name if library == "aten" else f"{library}::{name}"
                    for one in _scripted(sys._getframe(1)) or [f"{shown} in TorchScript or C++"]:
                        self.found[one] = None
            return function(*args, **(kwargs or {}))
        finally:
            self.depth -= 1


def own_gradients(value: Tensor, known: type) -> list[str]:
    """Names of classes of `torch.autograd.Function`, other than ``known``, that made a value."""
    found: dict[str, None] = {}
    seen, left = set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        made_by = getattr(node, "_forward_cls", None)
        if made_by is not None and made_by is not known:
            found[made_by.__name__] = None
        left += [before for before, _ in node.next_functions]
    return sorted(found)


def _vary(given: Any) -> bool:
    return any(isinstance(x, Tensor) and x.requires_grad for x in tree_leaves(given))


def _scripted(frame: FrameType | None) -> list[str]:
    """TorchScript functions that the code names which calls them: the first outside of torch."""
    while frame is not None and frame.f_code.co_filename.startswith((LIBRARY, __file__)):
        frame = frame.f_back
    if frame is None:
        return []
    owner = frame.f_locals.get("self")
    owned = {**vars(owner), **vars(owner).get("_modules", {})} if hasattr(owner, "__dict__") else {}
    known = {**owned, **frame.f_globals, **frame.f_locals}
    return [
        f"{name} in TorchScript"
        for name in (*frame.f_code.co_names, *frame.f_code.co_freevars, *frame.f_code.co_varnames)
        if isinstance(known.get(name), torch.jit.ScriptFunction | torch.jit.ScriptModule)
    ]
