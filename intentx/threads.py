"""Linear algebra of small matrices in one thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return alone


@functools.cache
def _controller():  # type: ignore[no-untyped-def]  # threadpoolctl has no types
    """Of all libraries of linear algebra, once SciPy's is loaded."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
