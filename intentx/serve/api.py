"""The API: what each address does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

import intentx
from intentx.errors import InputError
from intentx.serve import structs
from intentx.serve.begun import begin
from intentx.serve.downloads import download
from intentx.serve.errors import ApiError
from intentx.serve.jobs import Job
from intentx.serve.methods import methods_for
from intentx.serve.questions import prepared
from intentx.serve.routes import openapi
from intentx.serve.searched import examples
from intentx.serve.service import Service
from intentx.serve.snapshots import difference, snapshot_info, take_snapshot
from intentx.serve.structs import ErrorBody, JobAnswer, Progress

__all__ = ["Api"]

LONGEST_WAIT = 120.0  # seconds that a request waits for a job
MOST_HISTORY = 1_000


def answered(value: Any, status: int = 200, **headers: str) -> Response:
    """Plain data or structs as JSON."""
    body = msgspec.json.encode(value)
    return Response(body, status, media_type="application/json", headers=headers)


class Api:
    """The handlers; each takes a request of starlette and gives its answer."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def health(self, request: Request) -> Response:
        pool = self.service.pool
        busy = pool.queued >= self.service.options.queue
        return answered(
            structs.Health(
                "busy" if busy else "ok", intentx.__version__, pool.queued, pool.running, pool.workers
            )
        )

    async def rankers(self, request: Request) -> Response:
        names = list(self.service.engines)
        return answered(
            [
                structs.RankerInfo(one.name, one.shown, one.spec.kind, names, one.can, one.error or None)
                for one in self.service.rankers.values()
            ]
        )

    async def collections(self, request: Request) -> Response:
        return answered(
            [
                structs.CollectionInfo(
                    name, len(one), type(one).__name__, examples(one), self.service.options.k
                )
                for name, one in self.service.engines.items()
            ]
        )

    async def methods(self, request: Request) -> Response:
        ranker = self.service.ranker(request.query_params.get("ranker", ""))
        question = request.query_params.get("question")
        if question not in (None, "ranking", "document", "pair"):
            raise ApiError("not_valid", f"no question {question!r}", "one of ranking, document, pair")
        return answered(methods_for(ranker.can, question))

    async def search(self, request: Request) -> Response:
        asked = await read(request, structs.Search, self.service.options.k)
        return answered(await self.service.search(asked))

    async def document(self, request: Request) -> Response:
        engine = self.service.engine(request.path_params["collection"])
        doc_id = request.path_params["doc_id"]

        def found() -> structs.Document:
            try:
                (one,) = engine.documents([doc_id])
            except InputError as error:
                raise ApiError(
                    "not_found", f"no document {doc_id!r} in {engine.name!r}", "look at its id"
                ) from error
            return structs.Document(*one)

        return answered(await self.service.in_thread(found))

    async def ask(self, kind: str, shape: type, request: Request) -> Response:
        """Explain, compare, counterfactual, missing, score: a job."""
        wait = number_of(request, "wait", 0.0, LONGEST_WAIT)
        asked = await read(request, shape, self.service.options.k)
        job = await self._job(kind, asked)
        if wait:
            await self.service.jobs.wait(job, wait)
        return answered(job.shown(), 200 if job.ended else 202)

    async def _job(self, kind: str, asked: Any) -> Job:
        service = self.service
        one = await prepared(service, kind, asked)
        running = service.jobs.running(one.key)
        if running is not None:
            return running
        kept = await self._kept(one.key)
        if kept is not None:
            return service.jobs.done(one.key, kind, one.question, kept["answer"])
        running = service.jobs.running(one.key)  # others may have asked meanwhile
        if running is not None:
            return running
        return await begin(service, one)

    async def _kept(self, key: str) -> dict[str, Any] | None:
        return await run_in_threadpool(self.service.store.answer, key)

    async def job(self, request: Request) -> Response:
        job = self.service.jobs.get(request.path_params["job_id"])
        if job is not None:
            return answered(job.shown())
        return answered(await self._past_job(request.path_params["job_id"]))

    async def _past_job(self, job_id: str) -> JobAnswer:
        """A job of a server before this one."""
        found = await run_in_threadpool(self.service.store.job, job_id)
        if found is None:
            raise ApiError("not_found", f"no job {job_id!r}", "ask the question again")
        kept = await self._kept(found["key"]) if found["state"] in ("done", "lost") else None
        state = "done" if kept is not None else found["state"]
        error = None if found["error"] is None else ErrorBody(**found["error"])
        if state == "lost":
            error = ErrorBody(
                "lost", "the server ended before the answer was there", "ask the question again"
            )
        return JobAnswer(
            id=job_id, key=found["key"], kind=found["kind"], state=state,  # type: ignore[arg-type]
            permalink=f"/a/{found['key']}", progress=Progress(),
            answer=None if kept is None else kept["answer"], error=error,
        )  # fmt: skip

    async def events(self, request: Request) -> Response:
        job = self.service.jobs.get(request.path_params["job_id"])
        if job is None:
            past = await self._past_job(request.path_params["job_id"])

        async def stream() -> AsyncIterator[bytes]:
            if job is None:
                yield event(past)
                return
            async for one in self.service.jobs.events(job):
                yield event(one)

        return StreamingResponse(
            stream(), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    async def cancel(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        job = self.service.jobs.get(job_id)
        if job is None:
            return answered(await self._past_job(job_id))
        self.service.jobs.cancel(job)
        return answered(job.shown())

    async def answer(self, request: Request) -> Response:
        return answered(await self._answer(request))

    async def _answer(self, request: Request) -> dict[str, Any]:
        key = request.path_params["key"]
        found = await self._kept(key)
        if found is None:
            raise ApiError("not_found", f"no answer {key!r}", "ask the question again")
        return found

    async def history(self, request: Request) -> Response:
        limit = int(number_of(request, "limit", 100, MOST_HISTORY))
        collection = request.query_params.get("collection") or None
        return answered(await run_in_threadpool(self.service.store.history, collection, limit))

    async def page(self, request: Request) -> Response:
        kept = await self._answer(request)
        return Response(
            await run_in_threadpool(download, kept), media_type="text/html",
            headers={"content-disposition": f'attachment; filename="intentx-{kept["key"]}.html"'},
        )  # fmt: skip

    async def snapshots(self, request: Request) -> Response:
        return answered(
            [snapshot_info(one) for one in await run_in_threadpool(self.service.store.snapshots)]
        )

    async def snapshot(self, request: Request) -> Response:
        taken = await take_snapshot(
            self.service, await read(request, structs.NewSnapshot, self.service.options.k)
        )
        await run_in_threadpool(self.service.store.keep_snapshot, taken)
        return answered(snapshot_info(taken))

    async def diff(self, request: Request) -> Response:
        sides = []
        for name in ("left", "right"):
            given = request.query_params.get(name, "")
            found = await run_in_threadpool(self.service.store.snapshots, given)
            if not found:
                raise ApiError("not_found", f"no snapshot {given!r}", "GET snapshots lists them")
            sides.append(found[0])
        return answered(difference(*sides))

    async def openapi(self, request: Request) -> Response:
        return answered(openapi())


async def read(request: Request, shape: type[Any], k: int) -> Any:
    """The body of a request as a struct; ``k`` is what it has where it names none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError("bad_request", "the body must be JSON", "send Content-Type: application/json")
    body = await request.body()
    try:
        found = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise ApiError("not_valid", str(error), "see /api/v1/openapi.json") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError("bad_request", f"the body is no JSON: {error}", "send JSON") from error
    if found.k is None:
        found.k = k
    for name in ("query", "edited_query", "text", "name", "queries"):
        given = getattr(found, name, None)
        texts = given if isinstance(given, list) else [] if given is None else [given]
        if not all(one.strip() for one in texts):
            what = "a query" if name == "queries" else f"the {name.replace('_', ' ')}"
            raise ApiError("not_valid", f"{what} is blank", "send at least one character that is seen")
    return found


def number_of(request: Request, name: str, default: float, most: float) -> float:
    """A number from 0 of the query string."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise ApiError("not_valid", f"{name} must be a number from 0 to {most:g}, not {text!r}")
    return number


def event(job: JobAnswer) -> bytes:
    """A job as an event of server-sent events."""
    return b"data: " + msgspec.json.encode(job) + b"\n\n"
