"""Which attributes of a scorer are its own, and which belong to something that it wraps."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

__all__ = ["own", "own_of_scores"]


def own(scorer: object, name: str) -> Any:
    """An attribute of a scorer or its class, or None; not what ``__getattr__`` finds elsewhere.

    Examples
    --------
    >>> class Wrapper:
    ...     def __init__(self, inner): self.inner = inner
    ...     def __getattr__(self, name): return getattr(self.inner, name)
    >>> wrapper = Wrapper("any text")
    >>> callable(wrapper.upper), own(wrapper, "upper"), own(wrapper, "inner")
    (True, None, 'any text')
    """
    try:
        inspect.getattr_static(scorer, name)
    except AttributeError:
        return None
    return getattr(scorer, name, None)


def own_of_scores(scorer: object, *names: str) -> tuple[str, Any]:
    """An attribute that stands for this scorer's scores, and its name; None for that of other scores.

    An attribute that a class inherits from a class whose ``__call__`` it overrides stands for other
    scores, and so does one that `functools.wraps` copies from the function that is wrapped.

    Parameters
    ----------
    names
        Names of one thing. The one nearest to the scorer counts: its own attributes before those of its
        class, and those before inherited ones; at the same place, the first name.

    Examples
    --------
    >>> class Length:
    ...     fingerprint = "length"
    ...     def __call__(self, query, texts): return [len(text) for text in texts]
    >>> class Shortness(Length):
    ...     def __call__(self, query, texts): return [-len(text) for text in texts]
    >>> own_of_scores(Length(), "fingerprint"), own_of_scores(Shortness(), "fingerprint")
    (('fingerprint', 'length'), ('fingerprint', None))
    """
    of_its_own = _dict(scorer)
    for place in (of_its_own, *map(vars, type(scorer).__mro__)):
        for name in names:
            if name in place:
                found = own(scorer, name)
                return name, None if _copied(scorer, name, found) else found
        if "__call__" in place and place is not of_its_own:
            break
    return names[0], None


def _dict(scorer: object) -> Mapping[str, Any]:
    found = getattr(scorer, "__dict__", None)
    return found if isinstance(found, Mapping) else {}


def _copied(scorer: object, name: str, found: Any) -> bool:
    """Whether an attribute of the scorer itself was put there by `functools.wraps`."""
    wrapped = own(scorer, "__wrapped__") if name in _dict(scorer) else None
    return wrapped is not None and bool(own(wrapped, name) == found)
