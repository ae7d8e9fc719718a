"""Linear algebra of small matrices in one thread."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["one_thread"]

P = ParamSpec("P")
R = TypeVar("R")


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose matrices are too small for threads: NumPy's and SciPy's have one while it runs.

    Where other work has the cores, or fewer of them may be used than there are, threads wait for each
    other many times longer than they compute. Torch's are left alone.

    >>> @one_thread
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """

    @functools.wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with _libraries().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return alone


@functools.cache
def _libraries() -> Any:
    """Those of linear algebra, with SciPy's, which is loaded when it is first needed."""
    from threadpoolctl import ThreadpoolController

    importlib.import_module("scipy.linalg")
    return ThreadpoolController()
