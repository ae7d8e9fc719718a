"""Warnings of other libraries that say nothing to our users."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator

__all__ = ["quiet"]

_ONE = threading.RLock()


@contextlib.contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Without warnings of a category, for one thread at a time.

    The filters of warnings belong to the whole process: two threads that change them and put them back
    would take each other's for those that were there before.

    >>> with quiet():
    ...     warnings.warn("nobody reads this")
    """
    with _ONE, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
