"""Workers of a study: processes that end with the run, or those of a Dask cluster."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import os
import threading
import time
import warnings
from collections.abc import Iterator

from intentx.errors import InputError, IntentxError, MissingExtraError

__all__ = ["DIED", "WorkerError", "cluster", "end_with", "ends_with", "workers_replaced"]

WATCHED = 1.0  # seconds between two looks at whether the run is still there
LOST = concurrent.futures.CancelledError, asyncio.CancelledError
DIED = (
    "workers died repeatedly without a result, perhaps for lack of memory; all earlier results are "
    "kept; run the same command again to resume, with fewer workers if need be"
)


class WorkerError(IntentxError, RuntimeError):
    """Workers die again and again, or their scheduler is gone; what was measured before is kept."""


@contextlib.contextmanager
def workers_replaced() -> Iterator[None]:
    """Around work by joblib, which replaces workers that grew or were idle for long, and warns of it.

    It does so in the thread that hands out tasks: where warnings are errors, the thread would end, and
    its tasks never.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        yield


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[int]:
    """Around sending tasks to a Dask cluster; yields how many at a time, 0 without a cluster."""
    if address is None:
        yield 0
        return
    try:
        from distributed import Client, KilledWorker
        from distributed.comm.core import CommClosedError
    except ImportError as error:
        raise MissingExtraError("distributed", "dask") from error
    import joblib

    try:
        client = Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler at {address!r}: {error}") from error
    with client, joblib.parallel_config(backend="dask"):
        try:
            yield -1
        except KilledWorker as error:
            raise WorkerError(f"{DIED}: {error}") from error
        except IntentxError:
            raise
        except (Exception, *LOST) as error:  # of one kind or another, by what was under way
            if client.status == "running" and not isinstance(error, (*LOST, CommClosedError)):
                raise
            raise _gone(address) from error
        if client.status != "running":  # tasks then end without results, and without a word
            raise _gone(address)


def _gone(address: str) -> WorkerError:
    return WorkerError(
        f"the Dask scheduler at {address} is gone; all earlier results are kept; start a scheduler and "
        "run the same command again to resume"
    )


@functools.cache
def ends_with(owner: int) -> bool:
    """Whether ``owner`` started this process, which then ends soon after it: it may be killed any time.

    Workers of a cluster are no children of that process, and stay.
    """
    if os.getppid() != owner:
        return False
    with contextlib.suppress(ImportError):  # its own lock is a semaphore, which would stay behind
        from tqdm import tqdm  # type: ignore[import-untyped]

        tqdm.set_lock(threading.RLock())

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(WATCHED)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    return True


def end_with(owner: int) -> None:
    """What a worker does first: a process that is killed before it hands out tasks takes it along."""
    if not ends_with(owner):
        os._exit(1)
