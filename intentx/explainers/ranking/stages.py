"""What is kept of the stages of an explanation: notes for readers, and seconds."""

from __future__ import annotations

import time

__all__ = ["Stages"]


class Stages:
    """Notes and seconds of work that is done stage by stage.

    Parameters
    ----------
    seconds
        What was spent before, by stage.

    Attributes
    ----------
    notes
        What a reader should know.
    seconds
        By stage; a stage that is closed several times has the sum.

    Examples
    --------
    >>> stages = Stages({"index": 2.0})
    >>> stages.close("candidates")
    >>> list(stages.seconds), stages.total >= 2
    (['index', 'candidates'], True)
    """

    def __init__(self, seconds: dict[str, float] | None = None) -> None:
        self.notes: list[str] = []
        self.seconds = dict(seconds or {})
        self._lap = time.perf_counter()
        self._started = self._lap - sum(self.seconds.values())

    def note(self, text: str) -> None:
        """Keep a note."""
        self.notes.append(text)

    def close(self, stage: str) -> None:
        """Count the time since the last call for a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._lap
        self._lap = now

    @property
    def total(self) -> float:
        """Seconds from the start until now."""
        return time.perf_counter() - self._started
