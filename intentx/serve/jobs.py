"""Jobs: questions that are computed once, however many people ask them, and told of as they go on."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from intentx.serve.pool import Task
from intentx.serve.store import RESUMED, Store, StoreError
from intentx.serve.structs import ErrorBody, JobAnswer, Progress

__all__ = ["Computation", "Job", "Jobs", "Submits"]

REMEMBERED = 32  # jobs that are told of from memory after their end; others from the disk
ENDED = frozenset({"done", "failed", "cancelled", "lost"})


class Submits(Protocol):
    """What computes tasks: the processes of this machine, or a cluster."""

    def submit(self, task: Task) -> None: ...
    def cancel(self, task: Task) -> None: ...


@dataclass(eq=False)
class Computation:
    """One question on its way to its answer, shared by all who ask it."""

    key: str
    kind: str
    question: dict[str, Any]
    collection: str
    python: Callable[[], str]
    state: str = "queued"
    place: int = 0
    progress: Progress = field(default_factory=Progress)
    partial: Any = None
    answer: Any = None
    error: ErrorBody | None = None
    warning: str = ""
    task: Task | None = None
    where: Submits | None = None
    began: float = field(default_factory=time.monotonic)
    jobs: list[Job] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def tell(self) -> None:
        """Wake up all who watch."""
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass(eq=False)
class Job:
    """One asker's share in a computation."""

    id: str
    of: Computation
    cancelled: bool = False

    @property
    def ended(self) -> bool:
        return self.cancelled or self.of.ended

    def shown(self, *, brief: bool = False) -> JobAnswer:
        """As the API answers; ``brief``: without the answer."""
        one = self.of
        return JobAnswer(
            id=self.id, key=one.key, kind=one.kind,  # type: ignore[arg-type]
            state="cancelled" if self.cancelled else one.state,  # type: ignore[arg-type]
            permalink=f"/a/{one.key}", place=one.place, progress=one.progress,
            partial=None if one.ended or brief else one.partial,
            answer=None if self.cancelled or brief else one.answer,
            error=None if self.cancelled else one.error, warning=one.warning,
        )  # fmt: skip


class Jobs:
    """All jobs of a server; called in the thread of the event loop.

    Parameters
    ----------
    store
        Where answers are kept.
    clean, cleaned
        Take the keys of services out of a message, and out of an answer.
    """

    def __init__(self, store: Store, clean: Callable[[str], str], cleaned: Callable[[Any], Any]) -> None:
        self._store, self._clean, self._cleaned = store, clean, cleaned
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._running: dict[str, Computation] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._leaving = False

    def running(self, key: str) -> Job | None:
        """A further job of a question that is being computed."""
        found = self._running.get(key)
        return None if found is None else self._job(found)

    def done(self, key: str, kind: str, question: dict[str, Any], answer: Any) -> Job:
        """A job of a question that was answered before."""
        one = Computation(key, kind, question, "", str, state="done", answer=answer)
        return self._job(one)

    async def start(
        self, computation: Computation, where: Submits, name: str, plain: Mapping[str, Any], lane: str,
        ids: Sequence[str] = (),
    ) -> Job:  # fmt: skip
        """Queue the task of a computation; `BusyError` where too many wait.

        ``ids``: of the jobs of a server before this one that it resumes; none: it is a new job.
        """

        def on_event(what: str, *more: Any) -> None:
            self._on(computation, what, *more)

        task = Task(secrets.token_hex(8), name, plain, lane, on_event)
        computation.task, computation.where = task, where
        self._running[computation.key] = computation
        try:
            where.submit(task)
        except BaseException:
            del self._running[computation.key]
            raise
        jobs = [self._job(computation, one) for one in ids] or [self._job(computation)]
        for job in jobs:
            await self._note(job, RESUMED if ids else "")
        return jobs[0]

    def get(self, job_id: str) -> Job | None:
        """A job that this server remembers."""
        return self._jobs.get(job_id)

    def cancel(self, job: Job) -> None:
        """Cancel a job; what is computed for others goes on."""
        if job.ended:
            return
        job.cancelled = True
        one = job.of
        if all(each.cancelled for each in one.jobs) and one.where and one.task:
            self._running.pop(one.key, None)  # who asks again from now on is not cancelled with it
            one.where.cancel(one.task)
        one.tell()
        self._keep(self._note(job))

    async def wait(self, job: Job, seconds: float) -> None:
        """Until the job has ended, or for some seconds."""
        until = time.monotonic() + seconds
        while not job.ended and not self._leaving and (left := until - time.monotonic()) > 0:
            changed = job.of.changed
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                return

    async def events(self, job: Job) -> AsyncIterator[JobAnswer]:
        """The job now, and whenever it changes, until it ends."""
        while True:
            changed = job.of.changed
            yield job.shown()
            if job.ended or self._leaving:
                return
            await changed.wait()

    def leave(self) -> None:
        """The server ends: whoever waits for a job, or watches one, is let go."""
        self._leaving = True
        for one in list(self._running.values()):
            one.tell()

    async def finish(self) -> None:
        """Wait until all that was answered is kept."""
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def _job(self, computation: Computation, job_id: str = "") -> Job:
        job = Job(job_id or secrets.token_urlsafe(9), computation)
        computation.jobs.append(job)
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED:
            oldest = next((key for key, one in self._jobs.items() if one.ended), None)
            if oldest is None:
                break
            del self._jobs[oldest]
        return job

    def _on(self, one: Computation, what: str, *more: Any) -> None:
        """What a worker, or the queue, tells of a computation."""
        if one.ended:
            return
        if what == "place":
            one.place = more[0]
            one.state = "queued"
        elif what == "running":
            one.state, one.place = "running", 0
        elif what == "progress":
            one.progress = Progress(*more)
        elif what == "partial":
            one.partial = self._cleaned(more[0])
        elif what == "done":
            self._keep(self._ended_well(one, more[0]))
            return
        else:
            self._running.pop(one.key, None)
            one.state, one.task = what, None
            if what == "failed":
                code, message, todo = more
                one.error = ErrorBody(code, self._clean(message), todo)
            for job in one.jobs:
                self._keep(self._note(job))
        one.tell()

    async def _ended_well(self, one: Computation, answer: Any) -> None:
        """Keep the answer, then say that there is one: a permalink that is told holds."""
        seconds, answer = time.monotonic() - one.began, self._cleaned(answer)
        try:
            await asyncio.to_thread(
                self._store.keep, one.key, one.kind, one.collection, one.question, answer,
                one.python(), seconds,
            )  # fmt: skip
        except StoreError as error:
            one.warning = f"The answer is not kept, and its permalink does not last: {error}"
        except Exception as error:  # an answer that is there is told, whatever cannot be kept of it
            one.warning = self._clean(f"The answer is not kept: {type(error).__name__}: {error}")
        one.answer, one.state = answer, "done"
        one.task = None  # it has all documents of the question
        self._running.pop(one.key, None)
        one.tell()
        for job in one.jobs:
            await self._note(job)

    async def _note(self, job: Job, state: str = "") -> None:
        one = job.of
        state = "cancelled" if job.cancelled else state or one.state
        error = None if one.error is None else {"code": one.error.code, "message": one.error.message,
                                                "todo": one.error.todo}  # fmt: skip
        try:
            await asyncio.to_thread(
                self._store.note_job, job.id, one.key, one.kind, state, one.question, error
            )
        except StoreError as problem:
            one.warning = one.warning or f"The job is not kept: {problem}"

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
