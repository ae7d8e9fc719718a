"""What a scorer is, and what it can do: said once."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Protocol

from intentx.errors import InputError

__all__ = ["Scorer", "fingerprint_for", "mark_of", "own", "own_fingerprint", "own_of_scores"]


class Scorer(Protocol):
    """What a ranker is to intentx: one score per text, higher is better.

    What else a scorer can do, it says by further attributes:

    ``listwise``
        True where the score of a text depends on the other texts, or on their order. Its documents
        are then never split over calls.
    ``fingerprint``
        A text that stands for its weights and settings, so that its scores can be remembered on disk.
        It is read again at each call: where it has changed, what was remembered is forgotten.
    ``state_mark(thorough=False)``
        In the place of that, within a process: any value that compares equal as long as the scores
        stay the same. It is asked at each call, and ``thorough`` for each ranking; quick for models
        whose fingerprint takes time.
    ``seen(query, texts)``
        Each text as far as it is read.
    ``analyzer``
        The `Analyzer` by which it makes terms of texts; its rankings are explained in those terms.
    ``mask_token``
        What it reads as a hidden word; see `mask_token`.
    ``activated(scores)``
        The name of a function, such as a sigmoid, and what it makes of raw scores, to be shown beside
        them; or None.
    ``intent(query)``
        What it looks for: weights by term, where it knows. Studies hold explanations against it.
    ``embed``, ``score_embedded``, ``module``
        Of scorers that gradients can be taken of; see
        `intentx.rankers.transformers.differentiable.Differentiable`.

    A wrapper may hand all attributes on to the scorer inside it (``__getattr__``). Those that say how
    texts are to be given, ``listwise`` and ``seen``, are taken from there. Those that stand for the
    scores themselves, ``fingerprint``, ``state_mark``, ``activated``, ``intent`` and the ones for
    gradients, count only where the wrapper has them by itself, since it may change the scores. A
    ``fingerprint`` and an ``intent`` do not count, either, where a subclass overrides ``__call__`` and
    inherits them, or where `functools.wraps` copied them.
    """

    def __call__(self, query: str, texts: Sequence[str], /) -> Any: ...


def own(scorer: object, name: str, default: Any = None) -> Any:
    """An attribute of a scorer or its class; not what its ``__getattr__`` finds in something else.

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
        return default
    return getattr(scorer, name, default)


def own_fingerprint(scorer: object) -> Any:
    """The fingerprint that stands for this scorer's scores, or None.

    One that a class inherits from a class whose ``__call__`` it overrides stands for other scores, and
    so does the one that `functools.wraps` copies from the function that is wrapped.
    """
    return own_of_scores(scorer, "fingerprint")


def own_of_scores(scorer: object, name: str) -> Any:
    """An attribute that stands for this scorer's scores, or None: not that of another ``__call__``."""
    found = own(scorer, name)
    if found is None:
        return None
    if name in getattr(scorer, "__dict__", ()):
        wrapped = own(scorer, "__wrapped__")
        return None if wrapped is not None and own(wrapped, name) == found else found
    for kind in type(scorer).__mro__:
        if name in vars(kind):
            return found
        if "__call__" in vars(kind):
            return None
    return None


def mark_of(scorer: object, *, thorough: bool) -> Any:
    """What differs once the scorer has changed, as far as it tells."""
    mark = own(scorer, "state_mark")
    return mark(thorough=thorough) if callable(mark) else own_fingerprint(scorer)


def fingerprint_for(scorer: Scorer, given: str | None = None) -> str:
    """What scores are filed under, or an InputError."""
    found = own_fingerprint(scorer) if given is None else given
    if isinstance(found, str) and found:
        return found
    name = getattr(scorer, "__name__", type(scorer).__name__)
    inherited = getattr(scorer, "fingerprint", None)
    shown = "" if found is None and inherited is not None else f"; not {found!r}"
    why = "; the one that it has belongs to what it wraps or inherits from" if not shown else ""
    raise InputError(
        f"to remember the scores of {name} on disk, give it a fingerprint: a text such as "
        f"'my ranker, version 3' that changes whenever its scores may{shown}{why}"
    )
