"""Searches of different people by one ranker, put to it together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from intentx.serve.errors import ApiError
from intentx.serve.pool import BusyError
from intentx.serve.worker import QUICK

__all__ = ["Joined"]

TOGETHER = 8  # searches
TEXTS = 64  # of them all: with more, the first would wait for long and the ranker win nothing
ONE_TO_BLAME = ("timeout", "worker_died")  # of several searches, one may have done it

Answer = dict[str, Any]
Waiting = deque[tuple[Mapping[str, Any], "asyncio.Future[Answer]"]]


class Joined:
    """While a ranker answers some searches, those that come meanwhile wait, and are asked together.

    Parameters
    ----------
    ask
        Takes the name of a task, its plain data and a lane; gives what a worker answers.
    workers
        How many tasks one ranker may have at a time.
    limit
        Searches that may wait.
    clean
        Takes the keys of services out of a message.
    """

    def __init__(
        self,
        ask: Callable[[str, Mapping[str, Any], str], Awaitable[Answer]],
        workers: int,
        limit: int,
        clean: Callable[[str], str],
    ) -> None:
        self._ask, self._workers, self._limit, self._clean = ask, workers, limit, clean
        self._waiting: dict[str, Waiting] = {}
        self._going: dict[str, set[asyncio.Task[None]]] = {}

    async def search(self, plain: Mapping[str, Any]) -> Answer:
        """Ids and scores of one search; `BusyError` where too many wait, `ApiError` where it fails."""
        ranker = plain["ranker"]
        waiting = self._waiting.setdefault(ranker, deque())
        going = self._going.setdefault(ranker, set())
        if len(waiting) >= self._limit:
            raise BusyError(2)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting.append((plain, future))
        if len(going) < self._workers:
            task = asyncio.ensure_future(self._go(waiting))
            going.add(task)
            task.add_done_callback(going.discard)
        return await future

    def leave(self) -> None:
        """The server ends: let go of those that wait."""
        for waiting in self._waiting.values():
            while waiting:
                _tell(waiting.popleft()[1], ApiError("stopping", "the server stops", "ask again later"))

    async def _go(self, waiting: Waiting) -> None:
        while waiting:
            some = _first(waiting)
            plains = [plain for plain, _ in some]
            for (_, future), answer in zip(some, await self._answers(plains), strict=True):
                _tell(future, answer)

    async def _answers(self, plains: Sequence[Mapping[str, Any]]) -> list[Answer | Exception]:
        if len(plains) == 1:
            return [await self._alone(plains[0])]
        together = {"ranker": plains[0]["ranker"], "searches": list(plains)}
        try:
            told = await self._ask("searches", together, QUICK)
        except ApiError as error:
            if error.cause in ONE_TO_BLAME:
                return [await self._alone(plain) for plain in plains]
            return [error] * len(plains)
        except BusyError as error:
            return [error] * len(plains)
        return [
            one if "error" not in one else ApiError.of_worker(code, self._clean(message), todo)
            for one in told["answers"]
            for code, message, todo in [one.get("error", ("", "", ""))]
        ]

    async def _alone(self, plain: Mapping[str, Any]) -> Answer | Exception:
        try:
            return await self._ask("search", plain, QUICK)
        except (ApiError, BusyError) as error:
            return error


def _first(waiting: Waiting) -> list[tuple[Mapping[str, Any], asyncio.Future[Answer]]]:
    """Those that are asked together now."""
    some = [waiting.popleft()]
    while waiting and len(some) < TOGETHER:
        if sum(len(plain["documents"]) for plain, _ in (*some, waiting[0])) > TEXTS:
            break
        some.append(waiting.popleft())
    return some


def _tell(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
