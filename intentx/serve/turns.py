"""Whose turn it is to ask a ranker: one call at a time, quick work first, and work can be stopped."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from intentx.scoring import BlackBox, Floats, Scorer

__all__ = ["Stopped", "Turns", "WatchedBox", "Work"]

BATCH = 32  # texts in one call: what a search waits for while an explanation runs


class Stopped(BaseException):
    """The work was cancelled; no Exception, so that no method takes it for a failure of the ranker."""


class Work:
    """One piece of work: who did it, whether it goes on, and what is told of it.

    Parameters
    ----------
    tell
        Called with the name of what happened, and more about it.
    """

    def __init__(self, number: str, quick: bool, tell: Callable[..., None]) -> None:
        self.number, self.quick, self._tell = number, quick, tell
        self.stopped = threading.Event()

    def tell(self, what: str, *more: Any) -> None:
        self._tell(what, self.number, *more)

    def check(self) -> None:
        """Raise `Stopped` once the work is cancelled."""
        if self.stopped.is_set():
            raise Stopped


class Turns:
    """Lets one thread at a time ask a ranker, and quick work before other work.

    Examples
    --------
    >>> turns, told = Turns(), []
    >>> with turns.doing(Work("1", True, lambda *all: told.append(all))), turns.turn():
    ...     pass
    >>> told
    [('asking', '1'), ('asked', '1')]
    """

    def __init__(self) -> None:
        self._free = threading.Condition(threading.RLock())
        self._held: int | None = None  # by the thread of this number
        self._quick = 0  # pieces of quick work that wait
        self._now = threading.local()

    @property
    def work(self) -> Work | None:
        """What this thread works on."""
        return getattr(self._now, "work", None)

    @contextlib.contextmanager
    def doing(self, work: Work) -> Iterator[None]:
        """Within, this thread does this work."""
        self._now.work = work
        try:
            yield
        finally:
            self._now.work = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Within, no other thread asks a ranker; it may be taken again within."""
        work, me = self.work, threading.get_ident()
        if self._held == me:
            if work is not None:
                work.check()
            yield
            return
        quick = work is None or work.quick
        if work is not None:
            work.check()
        self._take(me, quick, work)
        try:
            if work is not None:
                work.check()
                work.tell("asking")
            yield
        finally:
            with self._free:
                if self._held == me:  # and not another, since the work was stopped while it paused
                    self._held = None
                self._free.notify_all()
            if work is not None:
                work.tell("asked")

    def pause(self) -> None:
        """Between two passes of a method that holds its turn for all of them: quick work comes first.

        It is a sign of life as well, and the work ends here once it is cancelled.
        """
        work, me = self.work, threading.get_ident()
        if work is None or self._held != me:
            return
        work.check()
        work.tell("asked")
        if self._quick and not work.quick:
            with self._free:
                self._held = None
                self._free.notify_all()
            self._take(me, False, work)
        work.tell("asking")

    def _take(self, me: int, quick: bool, work: Work | None) -> None:
        with self._free:
            self._quick += quick
            try:
                if self._held is not None and work is not None:
                    work.tell("waiting")
                while self._held is not None or (self._quick and not quick):
                    self._free.wait(0.5)
                    if work is not None:
                        work.check()
            finally:
                self._quick -= quick
            self._held = me


class WatchedBox(BlackBox):
    """A `BlackBox` that asks its scorer in turn with others, and tells how far it is."""

    def __init__(self, scorer: Scorer, turns: Turns) -> None:
        super().__init__(scorer, batch_size=BATCH, progress=self._progress)
        self._turns = turns
        self.taught = False  # a score that was asked for with those of other queries

    def knows(self, query: str, text: str) -> bool:
        """Whether the score of a text need not be asked for."""
        return (query, text) in self._known

    def learn(self, query: str, text: str, score: float) -> None:
        """Remember a score that the scorer gave among those of other queries."""
        self._known[query, text] = score
        self.taught = True
        self._count(texts_scored=1, texts_asked=1)

    def _progress(self, done: int, total: int) -> None:
        work = self._turns.work
        if work is not None:
            work.tell("progress", done, total, "texts scored")

    def spent(self, seconds: float, versions: int = 0) -> None:
        super().spent(seconds, versions)
        if versions:  # a pass through the model is over
            self._turns.pause()

    def _ask(self, query: str, texts: Sequence[str]) -> Floats:
        with self._turns.turn():
            return super()._ask(query, texts)
