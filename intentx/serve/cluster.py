"""Explanations on a Dask cluster, in the place of this machine's worker processes."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from intentx.errors import InputError, MissingExtraError
from intentx.serve.engines import Engine
from intentx.serve.errors import failure
from intentx.serve.loaded import Loaded
from intentx.serve.pool import BusyError, Task
from intentx.serve.tasks import TASKS
from intentx.serve.turns import Turns, Work

__all__ = ["Cluster"]

GONE = "look whether the scheduler and its workers run, and ask again"
DIED = "the workers of the cluster that took this question died, one after the other"
REACH = 3  # seconds for a scheduler to answer at the start
GREETING = 1 << 20  # bytes at most
WAIT = 5  # seconds after which a full cluster is asked again

_CACHED: dict[tuple[Any, ...], Loaded] = {}  # of a process of the cluster
_CACHING = threading.Lock()


class Cluster:
    """Hands tasks to a Dask cluster; methods but `connect` are called in the loop's thread.

    Parameters
    ----------
    address
        Of the scheduler.
    specs, engines
        As in `intentx.serve.worker.serve_tasks`; files that they name must be there for all workers.
    timeout
        Seconds for one task.
    limit
        Tasks that may be under way.
    """

    def __init__(
        self,
        address: str,
        specs: Mapping[str, str],
        engines: Mapping[str, Callable[[], Engine]],
        *,
        timeout: float,
        limit: int,
    ) -> None:
        self._address, self._timeout, self._limit = address, timeout, limit
        self._about = tuple(specs.items()), tuple(engines.items())
        self._client: Any = None
        self._futures: dict[str, tuple[Task, Any]] = {}

    def connect(self) -> None:
        """Reach the scheduler.

        Raises
        ------
        InputError
            If there is none at the address.
        MissingExtraError
            Without Dask.
        """
        if importlib.util.find_spec("distributed") is None:
            raise MissingExtraError("distributed", "dask")
        from distributed import Client

        self._knock()
        try:
            self._client = Client(self._address, timeout=REACH, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise self._nothing(str(error)) from error

    def _knock(self) -> None:
        """See whether a scheduler listens there: Dask itself tries for long, and for ever where it is
        another server, such as one of web pages."""
        from distributed.comm.registry import backends

        scheme, _, place = self._address.rpartition("://")
        if scheme and scheme not in backends:
            raise self._nothing(f"it begins with one of {', '.join(backends)}, or with the host")
        if scheme not in ("", "tcp", "tls"):
            return
        host, _, port = place.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=REACH) as line:
                # A scheduler greets first: the number of bytes to come, in eight bytes.
                greeting = b"\0" * 8 if scheme == "tls" else line.recv(8)
        except TimeoutError as error:
            raise self._nothing(f"nobody greets there as one within {REACH} s") from error
        except (OSError, OverflowError) as error:
            raise self._nothing(str(error)) from error
        except ValueError as error:
            raise self._nothing("an address is HOST:PORT or tcp://HOST:PORT") from error
        if len(greeting) < 8 or int.from_bytes(greeting, "little") > GREETING:
            raise self._nothing("what listens there is another server")

    def _nothing(self, why: str) -> InputError:
        return InputError(
            f"no Dask scheduler at {self._address!r}: {why}; start one with dask scheduler, which says "
            "its address"
        )

    def close(self) -> None:
        """Leave the cluster."""
        if self._client is not None:
            self._client.close()

    @property
    def running(self) -> int:
        return len(self._futures)

    def submit(self, task: Task) -> None:
        """Send a task.

        Raises
        ------
        BusyError
            If too many are under way.
        """
        if len(self._futures) >= self._limit:
            raise BusyError(WAIT)
        loop = asyncio.get_running_loop()
        future = self._client.submit(
            on_cluster,
            *self._about,
            task.name,
            dict(task.plain),
            key=f"intentx-{task.number}",
            pure=False,
        )
        self._futures[task.number] = task, future
        timer = loop.call_later(self._timeout, self._late, task)

        def ended(one: Any) -> None:  # in a thread of Dask's
            loop.call_soon_threadsafe(timer.cancel)
            loop.call_soon_threadsafe(self._ended, task, one)

        future.add_done_callback(ended)
        task.on_event("running")

    def cancel(self, task: Task) -> None:
        """Cancel a task; what a ranker computes just now is thrown away."""
        found = self._futures.pop(task.number, None)
        if found is not None:
            found[1].cancel()
            task.on_event("cancelled")

    def _late(self, task: Task) -> None:
        found = self._futures.pop(task.number, None)
        if found is not None:
            found[1].cancel()
            task.on_event(
                "failed", "timeout", f"the cluster gave no answer for {self._timeout:g} s",
                "ask again, or start the server with a larger --timeout",
            )  # fmt: skip

    def _ended(self, task: Task, future: Any) -> None:
        if self._futures.pop(task.number, None) is None:
            return
        if future.status in ("finished", "error"):
            threading.Thread(
                target=self._fetch, args=(task, future, asyncio.get_running_loop()), daemon=True
            ).start()
        else:
            error = f"{future.status}: the cluster lost the task"
            task.on_event("failed", "cluster_failed", error, GONE)

    def _fetch(self, task: Task, future: Any, loop: asyncio.AbstractEventLoop) -> None:
        try:
            told = future.result(timeout=self._timeout)
        except Exception as error:  # whatever the cluster's network does
            told = "failed", "cluster_failed", f"{type(error).__name__}: {error}", GONE
            if type(error).__name__ == "KilledWorker":
                told = "failed", "worker_died", DIED, GONE
        loop.call_soon_threadsafe(task.on_event, *told)


def on_cluster(
    specs: tuple[tuple[str, str], ...],
    engines: tuple[tuple[str, Callable[[], Engine]], ...],
    name: str,
    plain: Mapping[str, Any],
) -> tuple[Any, ...]:
    """Do a task; what a process of the cluster runs. Rankers stay loaded there."""
    key = (specs, tuple(collection for collection, _ in engines))
    with _CACHING:
        if key not in _CACHED:
            _CACHED.clear()
            _CACHED[key] = Loaded(dict(specs), dict(engines), Turns())
        loaded = _CACHED[key]
    work = Work("", False, lambda *told: None)
    try:
        with loaded.turns.doing(work):
            return "done", TASKS[name](loaded, plain, lambda partial: None)
    except Exception as error:  # it is told to who asked, and the process lives on
        return "failed", *failure(error)
