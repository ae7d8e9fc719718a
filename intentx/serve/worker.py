"""The process that asks rankers: two threads, one for quick work, one for explanations."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import warnings
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from intentx.capabilities import one_look
from intentx.serve.engines import Engine
from intentx.serve.errors import failure
from intentx.serve.loaded import Loaded
from intentx.serve.tasks import TASKS
from intentx.serve.turns import Stopped, Turns, Work

__all__ = ["QUICK", "SLOW", "serve_tasks"]

QUICK, SLOW = "quick", "slow"


def serve_tasks(
    connection: Connection, specs: Mapping[str, str], engines: Mapping[str, Callable[[], Engine]]
) -> None:
    """Do tasks that come through the connection until it is closed; what a worker process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server is interrupted, and ends its workers
    warnings.simplefilter("ignore")
    with contextlib.suppress(ImportError):  # its own lock is a semaphore, which would stay behind
        from tqdm import tqdm  # type: ignore[import-untyped]

        tqdm.set_lock(threading.RLock())
    sending = threading.Lock()

    def send(*message: Any) -> None:
        with sending:
            try:
                connection.send(message)
            except (OSError, ValueError):  # the server is gone
                os._exit(1)

    turns = Turns()
    loaded = Loaded(specs, engines, turns)
    lanes: dict[str, queue.SimpleQueue[tuple[Work, str, Mapping[str, Any]]]] = {
        QUICK: queue.SimpleQueue(),
        SLOW: queue.SimpleQueue(),
    }
    works: dict[str, Work] = {}
    for name, lane in lanes.items():
        threading.Thread(
            target=_lane, args=(lane, loaded, turns, works), name=f"intentx {name}", daemon=True
        ).start()
    send("ready", "")
    while True:
        try:
            what, number, *more = connection.recv()
        except (EOFError, OSError):  # the server is gone; threads may hang in a ranker
            os._exit(0)
        if what == "do":
            lane_name, task, plain = more
            works[number] = work = Work(number, lane_name == QUICK, send)
            lanes[lane_name].put((work, task, plain))
        elif what == "cancel" and number in works:
            works[number].stopped.set()


def _lane(
    lane: queue.SimpleQueue[tuple[Work, str, Mapping[str, Any]]],
    loaded: Loaded,
    turns: Turns,
    works: dict[str, Work],
) -> None:
    while True:
        work, task, plain = lane.get()
        with turns.doing(work):
            ended = _done(work, task, plain, loaded)
        works.pop(work.number, None)
        work.tell(*ended)


def _done(work: Work, task: str, plain: Mapping[str, Any], loaded: Loaded) -> tuple[Any, ...]:
    """How the work ended, to be told."""

    def partial(answer: Mapping[str, Any]) -> None:
        work.tell("partial", answer)

    try:
        work.check()
        # Looking whether a model has changed takes longer than to score an edited text.
        with one_look() if work.quick else contextlib.nullcontext():
            return "done", TASKS[task](loaded, plain, partial)
    except Stopped:
        return ("cancelled",)
    except Exception as error:  # the worker lives on, whatever a ranker does
        return "failed", *failure(error)
