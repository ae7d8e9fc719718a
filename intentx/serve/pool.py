"""Workers as the server sees them: what is queued for them, and what is done when one hangs or dies."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from intentx.serve.engines import Engine
from intentx.serve.worker import QUICK, SLOW, serve_tasks

__all__ = ["BusyError", "Pool", "Task"]

LOOK = 0.25  # seconds between two looks at whether a ranker hangs
GRACE = 5.0  # seconds that cancelled work has to stop by itself
LOAD = "load"  # the server's own task, which counts to no limit
OWN = 10  # times the timeout: what methods may compute between two calls of the ranker
TRIES = 2  # a task whose worker dies is done again once

OnEvent = Callable[..., None]


class BusyError(Exception):
    """The queue is full."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many questions wait; try again in {seconds} s")
        self.seconds = seconds


@dataclass(eq=False)
class Task:
    """One task for a worker; ``on_event`` is called in the loop's thread with what happens."""

    number: str
    name: str
    plain: Mapping[str, Any]
    lane: str
    on_event: OnEvent
    tries: int = 0
    began: float = 0.0
    since: float | None = None  # of the last sign of life; None: it waits for its turn
    asking: bool = False
    cancelled_at: float | None = None
    hung: bool = False


@dataclass(eq=False)
class _Process:
    """A worker process and the tasks that it does."""

    process: Any
    connection: Connection
    doing: dict[str, Task | None] = field(default_factory=lambda: {QUICK: None, SLOW: None})
    ready: bool = False
    dead: bool = False
    ended: bool = False  # by the server, and not by itself
    outbox: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)


class Pool:
    """Hands tasks to worker processes; all methods are called in the thread of the event loop.

    Parameters
    ----------
    specs, engines
        As in `intentx.serve.worker.serve_tasks`.
    workers
        How many processes.
    timeout
        Seconds after which a ranker that gives no answer to one call is given up.
    limit
        How many tasks may wait in a lane.
    """

    def __init__(
        self,
        specs: Mapping[str, str],
        engines: Mapping[str, Callable[[], Engine]],
        *,
        workers: int = 1,
        timeout: float = 300.0,
        limit: int = 64,
    ) -> None:
        self._specs, self._engines = dict(specs), dict(engines)
        self._number, self._timeout, self._limit = workers, timeout, limit
        self._processes: list[_Process] = []
        self._waiting: dict[str, deque[Task]] = {QUICK: deque(), SLOW: deque()}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._spent: dict[str, float] = {QUICK: 0.5, SLOW: 10.0}  # seconds of a task, of late
        self.restarts = 0
        self._stillborn = 0  # processes that ended before they were ready, one after the other

    async def start(self) -> None:
        """Start the processes."""
        self._loop = asyncio.get_running_loop()
        self._processes = [self._new() for _ in range(self._number)]
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """End the processes, whatever they do."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        processes, self._processes = self._processes, []
        for one in processes:
            one.dead = True
            one.process.kill()
        for one in processes:
            one.outbox.put(None)
            await asyncio.to_thread(one.process.join, 5)

    @property
    def queued(self) -> int:
        return sum(len(lane) for lane in self._waiting.values())

    @property
    def running(self) -> int:
        return sum(task is not None for one in self._processes for task in one.doing.values())

    @property
    def workers(self) -> int:
        return sum(not one.dead for one in self._processes)

    def submit(self, task: Task) -> None:
        """Queue a task.

        Raises
        ------
        BusyError
            If too many wait.
        """
        lane = self._waiting[task.lane]
        asked = sum(one.name != LOAD for one in lane)
        if task.name != LOAD and asked >= self._limit:
            raise BusyError(max(1, min(600, round(self._spent[task.lane] * len(lane) / self._number))))
        lane.append(task)
        self._hand_out()
        self._tell_places(task.lane)

    def cancel(self, task: Task) -> None:
        """Cancel a task; its event ``cancelled`` follows."""
        lane = self._waiting[task.lane]
        if task in lane:
            lane.remove(task)
            task.on_event("cancelled")
            self._tell_places(task.lane)
            return
        for one in self._processes:
            if one.doing[task.lane] is task and task.cancelled_at is None:
                task.cancelled_at = time.monotonic()
                self._send(one, "cancel", task.number)

    def _new(self) -> _Process:
        spawned = multiprocessing.get_context("spawn")
        ours, theirs = spawned.Pipe()
        process = spawned.Process(
            target=serve_tasks, args=(theirs, self._specs, self._engines), daemon=True
        )
        process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        made = _Process(process, ours)
        for target in (self._read, self._write):
            threading.Thread(target=target, args=(made,), daemon=True, name="intentx worker").start()
        return made

    def _read(self, process: _Process) -> None:
        """In a thread of its own: what the process tells, until it ends."""
        loop = self._loop
        if loop is None:
            raise RuntimeError("the pool is not started")
        with contextlib.suppress(RuntimeError):  # the loop is closed
            while True:
                try:
                    message = process.connection.recv()
                except (EOFError, OSError):
                    loop.call_soon_threadsafe(self._died, process)
                    return
                loop.call_soon_threadsafe(self._heard, process, message)

    def _send(self, process: _Process, *message: Any) -> None:
        """In a thread: a process that hangs does not read, and must not keep the server waiting."""
        process.outbox.put(message)

    def _write(self, process: _Process) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has died, which `_read` finds out
            while (message := process.outbox.get()) is not None:
                process.connection.send(message)

    def _hand_out(self) -> None:
        for lane, waiting in self._waiting.items():
            for one in self._processes:
                if waiting and one.ready and not one.dead and one.doing[lane] is None:
                    task = waiting.popleft()
                    task.tries += 1
                    task.since = task.began = time.monotonic()
                    task.asking = task.hung = False
                    one.doing[lane] = task
                    self._send(one, "do", task.number, lane, task.name, task.plain)
                    task.on_event("running")

    def _tell_places(self, lane: str) -> None:
        for place, task in enumerate(self._waiting[lane], start=1):
            task.on_event("place", place)

    def _heard(self, process: _Process, message: tuple[Any, ...]) -> None:
        what, number, *more = message
        if what == "ready":
            process.ready, self._stillborn = True, 0
            self._hand_out()
            return
        found = [task for task in process.doing.values() if task is not None and task.number == number]
        if not found:
            return
        task = found[0]
        task.since = None if what == "waiting" else time.monotonic()
        if what in ("asking", "asked"):
            task.asking = what == "asking"
        if what in ("progress", "partial"):
            task.on_event(what, *more)
        if what in ("done", "failed", "cancelled"):
            process.doing[task.lane] = None
            spent = time.monotonic() - task.began
            self._spent[task.lane] += 0.2 * (spent - self._spent[task.lane])
            task.on_event(what, *more)
            self._hand_out()
            self._tell_places(task.lane)

    def _died(self, process: _Process) -> None:
        if process.dead:  # it was ended with the server
            return
        process.dead = True
        self.restarts += 1
        process.outbox.put(None)
        if process.ready:
            self._replace(process)
        else:
            self._stillborn += 1
            self._after(min(30.0, 0.5 * 2**self._stillborn), process)
        for lane, task in process.doing.items():
            if task is None:
                continue
            if task.cancelled_at is not None:
                task.on_event("cancelled")
            elif task.hung:
                task.on_event(
                    "failed", "timeout",
                    f"the ranker gave no answer for {self._timeout:g} s and was given up",
                    "ask again, use another ranker, or start the server with a larger --timeout",
                )  # fmt: skip
            elif task.tries >= TRIES and not process.ended:
                task.on_event(
                    "failed", "worker_died", "the process that asks rankers died twice at this question",
                    "perhaps its memory is too small: ask with a smaller k or a smaller model",
                )  # fmt: skip
            else:
                task.tries -= process.ended  # it was not to blame
                self._waiting[lane].appendleft(task)
        self._hand_out()
        for lane in self._waiting:
            self._tell_places(lane)

    def _replace(self, process: _Process) -> None:
        if self._loop is not None and process in self._processes:
            self._processes = [self._new() if one is process else one for one in self._processes]

    def _after(self, seconds: float, process: _Process) -> None:
        """A process that cannot even start: tell those who wait, and try again later."""
        if self._stillborn > 1:
            for waiting in self._waiting.values():
                while waiting:
                    waiting.popleft().on_event(
                        "failed", "worker_died", "the process that asks rankers cannot be started",
                        "look at what the server printed",
                    )  # fmt: skip
        if self._loop is not None:
            self._loop.call_later(seconds, self._replace, process)

    async def _look(self) -> None:
        """Every now and then: give up rankers that hang, and work that does not stop."""
        while True:
            await asyncio.sleep(LOOK)
            now = time.monotonic()
            for one in self._processes:
                tasks = [task for task in one.doing.values() if task is not None]
                late = [
                    task for task in tasks
                    if task.since is not None
                    and now - task.since > self._timeout * (1 if task.asking else OWN)
                ]  # fmt: skip
                stuck = [
                    task for task in tasks
                    if task.cancelled_at is not None and now - task.cancelled_at > GRACE
                ]  # fmt: skip
                # Of two that are late, the one that asks keeps the other from its turn.
                to_blame = [task for task in late if task.asking] or late
                for task in to_blame:
                    task.hung = True
                if to_blame or stuck:
                    one.ended = True
                    one.process.kill()
