"""One look at a scorer, whether it has changed, for many questions that belong together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

__all__ = ["one_look", "seen_once"]


class _Look(NamedTuple):
    scorer: Any  # kept, so that no other takes its place
    thorough: bool
    mark: Any


_LOOKS: ContextVar[dict[int, _Look] | None] = ContextVar("looks", default=None)


@contextlib.contextmanager
def one_look() -> Iterator[None]:
    """While this is open, each scorer is looked at once: a change meanwhile shows at the next question.

    A look at a model takes as long as scoring a text or two. A list whose ranker scores one new text,
    asked about thousands of times, would take most of its time to look.
    """
    if _LOOKS.get() is not None:
        yield
        return
    before = _LOOKS.set({})
    try:
        yield
    finally:
        _LOOKS.reset(before)


def seen_once(scorer: Any, look: Callable[[], Any], *, thorough: bool = False) -> Any:
    """What ``look`` says of a scorer; what it said, while `one_look` is open.

    >>> looks = iter("abc")
    >>> with one_look():
    ...     [seen_once(str, lambda: next(looks)) for _ in range(3)]
    ['a', 'a', 'a']
    >>> seen_once(str, lambda: next(looks))
    'b'
    """
    looks = _LOOKS.get()
    if looks is None:
        return look()
    known = looks.get(id(scorer))
    if known is None or known.thorough < thorough:
        known = looks[id(scorer)] = _Look(scorer, thorough, look())
    return known.mark
