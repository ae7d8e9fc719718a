"""Questions that are begun, and those that a server before this one had begun and did not answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from intentx.errors import InputError
from intentx.serve import structs
from intentx.serve.errors import ApiError
from intentx.serve.jobs import Computation, Job
from intentx.serve.pool import BusyError
from intentx.serve.python_text import python_text
from intentx.serve.questions import Prepared, prepared
from intentx.serve.service import Service
from intentx.serve.store import StoreError
from intentx.serve.worker import SLOW

__all__ = ["begin", "resume"]

SHAPES: Mapping[str, type[Any]] = {
    "explain": structs.Explain,
    "compare": structs.Compare,
    "counterfactual": structs.Counterfactual,
    "missing": structs.Missing,
    "score": structs.Score,
}


async def begin(service: Service, one: Prepared, ids: Sequence[str] = ()) -> Job:
    """Have a question computed; ``ids``: of jobs that asked it of a server before this one."""
    computation = Computation(
        one.key, one.kind, one.question, one.question["collection"],
        functools.partial(python_text, service, one),
    )  # fmt: skip
    where = service.slow if one.lane == SLOW else service.pool
    return await service.jobs.start(computation, where, one.task, one.plain, one.lane, ids)


async def resume(service: Service) -> tuple[int, int]:
    """Ask again what the server was asked before it ended.

    A question is asked again once: one that ends the server each time must not do so for ever. It is
    lost, too, where it is another question now, since the documents or the ranker have changed.

    Returns
    -------
    tuple of int
        How many jobs go on, and how many are lost.
    """
    resumed = 0
    waiting: dict[str, list[dict[str, Any]]] = {}
    for job in service.store.unfinished:
        waiting.setdefault(job["key"], []).append(job)
    for key, jobs in waiting.items():
        if await _resumed(service, key, jobs):
            resumed += len(jobs)
    return resumed, service.store.lost - resumed


async def _resumed(service: Service, key: str, jobs: Sequence[Mapping[str, Any]]) -> bool:
    kind, question = jobs[0]["kind"], dict(jobs[0]["question"])
    if question.get("text") is not None and kind == "missing":
        question["doc"] = None  # it was found by the text
    try:
        asked = msgspec.convert(question, SHAPES[kind])
        one = await prepared(service, kind, asked)
        if one.key != key:
            return False
        await begin(service, one, [job["id"] for job in jobs])
    except (ApiError, BusyError, StoreError, InputError, KeyError, msgspec.ValidationError):
        return False
    return True
