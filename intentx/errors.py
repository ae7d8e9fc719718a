"""Exceptions and warnings of intentx."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "CacheWarning",
    "CostWarning",
    "DamageWarning",
    "DataWarning",
    "InputError",
    "IntentxError",
    "MissingExtraError",
    "PluginWarning",
    "ScorerError",
    "ScorerWarning",
    "TextWarning",
    "TruncationWarning",
]


class IntentxError(Exception):
    """Base of every error that intentx raises on purpose."""


class InputError(IntentxError, ValueError):
    """A value that was passed in cannot be used; the message says what is allowed."""


class ScorerError(IntentxError, RuntimeError):
    """The user's scorer raised, or returned something that is not one finite number per text.

    ``query`` and ``texts`` are what it was given: the one text at fault where that is known.
    """

    def __init__(self, message: str, query: str = "", texts: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.query = query
        self.texts = tuple(texts)


class MissingExtraError(IntentxError, ImportError):
    """A part of intentx needs a package that is not installed; the message names the extra."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; it comes with: pip install 'intentx[{extra}]'",
            name=package,
        )
        self.package, self.extra = package, extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.package, self.extra)  # so that it survives a worker process


class CacheWarning(UserWarning):
    """Scores can no longer be remembered on disk; they are in memory, and nothing is lost."""


class CostWarning(UserWarning):
    """An explanation is about to ask a ranker whose calls are dear: how many, and what they cost."""


class PluginWarning(UserWarning):
    """What another package adds to intentx cannot be used; everything else works without it."""


class ScorerWarning(UserWarning):
    """Scores of one text differ with the texts beside it, or from call to call; it says what to set."""


class DataWarning(UserWarning):
    """A study leaves out queries that it was given: the run that has their documents lacks them."""


class DamageWarning(UserWarning):
    """Some of what a file keeps was damaged on the disk, and is left out."""


class TruncationWarning(UserWarning):
    """The ranker reads some documents only in part; an explanation may name words it never saw."""


class TextWarning(UserWarning):
    """Documents hold what is no text: markup, or letters that were decoded wrongly."""
