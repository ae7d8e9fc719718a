"""The server without HTTP: collections, rankers and what can be asked about them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intentx.errors import InputError, IntentxError, ScorerError
from intentx.serve.cluster import Cluster
from intentx.serve.engines import Engine, Hit, Passage
from intentx.serve.errors import ApiError, failure
from intentx.serve.jobs import Jobs, Submits
from intentx.serve.joined import Joined
from intentx.serve.pool import BusyError, Pool, Task
from intentx.serve.rankers import ServedRanker, keys_in, without_keys
from intentx.serve.recorded import recorded
from intentx.serve.searched import examples, marked, plain_documents, query_ids
from intentx.serve.store import Store
from intentx.serve.structs import Can, Ranking, Result, Search, SearchAnswer
from intentx.serve.words import analyzer_of, marking_analyzer
from intentx.serve.worker import SLOW
from intentx.text import Analyzer

__all__ = ["Found", "Options", "Service"]

REMEMBERED = 512  # searches
MOST_REMEMBERED = 50_000  # documents of these, all together: a search may have a thousand
THREADS = 4  # that search at a time
MOST_SEARCHES = 1_000  # that wait for a thread
PATIENCE = 120.0  # seconds that a search waits for its ranker


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a server is started.

    Attributes
    ----------
    state
        The folder for answers, jobs and snapshots.
    k
        Documents of a search, unless the request says.
    workers, timeout, queue
        Worker processes; seconds after which a ranker that gives no answer is given up; questions
        that may wait.
    dask
        Address of a scheduler that explanations go to.
    """

    state: Path
    k: int = 50
    workers: int = 1
    timeout: float = 300.0
    queue: int = 64
    dask: str | None = None


@dataclass(frozen=True)
class Found:
    """What the first stage found, or a recorded run and what to say of it."""

    passages: tuple[Passage, ...]
    hits: tuple[Hit, ...]
    run: Mapping[str, float] | None = None
    note: str = ""

    @property
    def plain(self) -> list[dict[str, Any]]:
        return plain_documents(self.passages)


@dataclass(eq=False)
class _Searches:
    """Searches by rankers that are remembered, and those that are under way."""

    known: OrderedDict[tuple[Any, ...], Any] = field(default_factory=OrderedDict)
    open: dict[tuple[Any, ...], asyncio.Future[Any]] = field(default_factory=dict)
    documents: int = 0

    def keep(self, key: tuple[Any, ...], found: Any) -> None:
        """Remember what a search found; the oldest leave where that is too much."""
        if key not in self.known:
            self.documents += _size(found)
        self.known[key] = found
        while len(self.known) > REMEMBERED or (self.documents > MOST_REMEMBERED and len(self.known) > 1):
            self.documents -= _size(self.known.popitem(last=False)[1])

    def forget(self) -> None:
        self.known.clear()
        self.documents = 0


def _size(found: Any) -> int:
    """Documents that are remembered with a search."""
    return len(found.passages if isinstance(found, Found) else found["doc_ids"])


class Service:
    """Collections and rankers, the workers that ask these, and what is kept.

    Parameters
    ----------
    engines
        Collections by their names; the first one is the default.
    openers
        What opens each engine in a worker process; picklable.
    rankers
        Rankers by their names; the first one is the default.
    """

    def __init__(
        self,
        engines: Mapping[str, Engine],
        openers: Mapping[str, Callable[[], Engine]],
        rankers: Mapping[str, ServedRanker],
        options: Options,
    ) -> None:
        self.engines, self.rankers, self.options = dict(engines), dict(rankers), options
        self.store = Store(options.state)
        self.pool = Pool(
            {name: one.text for name, one in rankers.items() if not one.is_run},
            openers, workers=options.workers, timeout=options.timeout, limit=options.queue,
        )  # fmt: skip
        self.cluster: Cluster | None = None
        if options.dask is not None:
            specs = {name: one.text for name, one in rankers.items() if not one.is_run}
            self.cluster = Cluster(
                options.dask, specs, openers, timeout=options.timeout, limit=options.queue
            )
            self.cluster.connect()
        self.jobs = Jobs(self.store, self.clean, self.cleaned)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="intentx search")
        self._searching = 0
        self._searches = _Searches()
        self._joined = Joined(self.ask, options.workers, options.queue, self.clean)
        self._asked: set[asyncio.Future[dict[str, Any]]] = set()

    async def start(self) -> None:
        """Start the workers, and have them load the rankers."""
        await self.pool.start()
        await self._warm()
        for ranker in self.rankers.values():
            if not (ranker.is_run or ranker.spec.of_kind.lexical):
                self._load(ranker)

    def _load(self, ranker: ServedRanker) -> None:
        """Have a worker load a ranker and say what it can do."""
        plain = {"ranker": ranker.name, "collection": next(iter(self.engines)), "texts": ["text"]}
        self.pool.submit(
            Task(secrets.token_hex(8), "load", plain, SLOW, functools.partial(self._loaded, ranker))
        )

    async def _warm(self) -> None:
        """Search once, so that the first person who does need not wait for what is read then."""
        for engine in self.engines.values():
            if hasattr(engine, "index"):  # what searches elsewhere is not asked unasked
                query = next(iter(examples(engine, 1)), "text")
                with contextlib.suppress(ApiError):
                    await self.in_thread(functools.partial(_searched, engine, query))

    def leave(self) -> None:
        """The server ends: let go of requests that wait."""
        self.jobs.leave()
        self._joined.leave()
        for future in list(self._asked):
            if not future.done():
                future.set_exception(ApiError("stopping", "the server stops", "ask again later"))

    async def stop(self) -> None:
        """Stop the workers, keep what was answered, and let go of the files."""
        await self.pool.stop()
        if self.cluster is not None:
            await asyncio.to_thread(self.cluster.close)
        await self.jobs.finish()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for engine in self.engines.values():
            engine.close()
        self.store.close()

    @property
    def slow(self) -> Submits:
        """What computes explanations: the workers, or a cluster."""
        return self.pool if self.cluster is None else self.cluster

    def cleaned(self, plain: Any) -> Any:
        """An answer without keys of services."""
        return without_keys(plain, self.rankers.values())

    def clean(self, text: str) -> str:
        """A message without keys of services."""
        return keys_in(text, self.rankers.values())

    def ranker(self, name: str) -> ServedRanker:
        """The ranker of a name; of "" the first one."""
        if name == "":
            return next(iter(self.rankers.values()))
        if name not in self.rankers:
            raise ApiError(
                "not_found", f"no ranker {name!r}", f"choose one of {', '.join(self.rankers)}"
            )
        return self.rankers[name]

    def engine(self, name: str) -> Engine:
        """The engine of a collection; of "" the first one."""
        if name == "":
            return next(iter(self.engines.values()))
        if name not in self.engines:
            raise ApiError(
                "not_found", f"no collection {name!r}", f"choose one of {', '.join(self.engines)}"
            )
        return self.engines[name]

    async def first_stage(self, collection: str, query: str, k: int, ranker: ServedRanker) -> Found:
        """The documents that a ranker orders for a query."""
        engine = self.engine(collection)

        def found() -> Found:
            if not ranker.is_run:
                hits = tuple(engine.search(query, k))
                return Found(tuple(engine.documents([hit.doc_id for hit in hits])), hits)
            run, note = recorded(ranker, query, query_ids(engine))
            best = sorted(run.items(), key=lambda one: (-one[1], one[0]))[:k]
            hits = tuple(Hit(*one) for one in best)
            return Found(tuple(engine.documents([hit.doc_id for hit in hits])), hits, dict(best), note)

        key = ("first", engine.name, query, k, *((ranker.name, ranker.mark) if ranker.is_run else ()))
        answer: Found = await self.once(key, functools.partial(self.in_thread, found))
        return answer

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """Ask an engine, in a thread of those that search."""
        if self._searching >= MOST_SEARCHES:
            raise BusyError(2)
        self._searching += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ScorerError as error:
            message = self.clean(str(error))
            raise ApiError("no_engine", message, "look at the search server, and ask again") from error
        except IntentxError as error:
            raise ApiError("bad_request", self.clean(str(error)), "ask with other words") from error
        finally:
            self._searching -= 1

    async def once(self, key: tuple[Any, ...], work: Callable[[], Any]) -> Any:
        """What some work gives: remembered, or that of one who asks for the same just now."""
        known, open_ = self._searches.known, self._searches.open
        if key in known:
            known.move_to_end(key)
            return known[key]
        if key not in open_:
            open_[key] = asyncio.ensure_future(work())
            open_[key].add_done_callback(functools.partial(self._ended, key))
        return await asyncio.shield(open_[key])

    def forget_searches(self) -> None:
        """Search anew from now on."""
        self._searches.forget()

    def _ended(self, key: tuple[Any, ...], future: asyncio.Future[Any]) -> None:
        self._searches.open.pop(key, None)
        if future.cancelled() or future.exception() is not None:
            return
        self._searches.keep(key, future.result())

    async def search(self, asked: Search) -> SearchAnswer:
        """Rankings by one ranker or two; of two, one may fail and say so in its place."""
        engine = self.engine(asked.collection)
        names, k = asked.rankers or [""], asked.k or self.options.k
        rankers = [self.ranker(name) for name in names]
        found = await asyncio.gather(
            *(self._ranking(engine.name, asked.query, k, one) for one in rankers),
            return_exceptions=True,
        )
        failed = [one for one in found if isinstance(one, BaseException)]
        for error in failed:
            if len(failed) == len(found) or not _of_one(error):
                raise error
        rankings = [
            Ranking(ranker.name, [], 0.0, error=one.body) if isinstance(one, ApiError) else one
            for ranker, one in zip(rankers, found, strict=True)
            if not isinstance(one, BaseException) or isinstance(one, ApiError)
        ]
        return SearchAnswer(asked.query, engine.name, k, rankings)

    async def _ranking(self, collection: str, query: str, k: int, ranker: ServedRanker) -> Ranking:
        began = time.perf_counter()
        found = await self.first_stage(collection, query, k, ranker)
        ids, scores, notes = await self.order(collection, query, k, ranker, found)
        passages = {one.doc_id: one for one in found.passages}
        first = {} if ranker.is_run else {hit.doc_id: i for i, hit in enumerate(found.hits, start=1)}
        analyzer = marking_analyzer(self.engine(collection), ranker)
        results = [
            Result(
                doc_id, passages[doc_id].title, passages[doc_id].text,
                marked(query, passages[doc_id].text, analyzer), score, rank, first.get(doc_id),
            )
            for rank, (doc_id, score) in enumerate(zip(ids, scores, strict=True), start=1)
        ]  # fmt: skip
        notes = [self.clean(note) for note in notes]
        if not results:
            notes.append("The first stage finds no document for this query.")
        return Ranking(ranker.name, results, time.perf_counter() - began, notes)

    async def order(
        self, collection: str, query: str, k: int, ranker: ServedRanker, found: Found
    ) -> tuple[Sequence[str], Sequence[float], Sequence[str]]:
        """Ids and scores, best first, and notes."""
        own = ranker.is_first_stage and hasattr(self.engine(collection), "index")
        if own or found.run is not None or not found.hits:
            notes = [found.note] if found.note else []
            return [hit.doc_id for hit in found.hits], [hit.score for hit in found.hits], notes
        plain = {
            "query": query, "ranker": ranker.name, "collection": self.engine(collection).name,
            "documents": found.plain,
        }  # fmt: skip
        key = ("order", collection, query, k, ranker.name, ranker.mark)
        answer = await self.once(key, functools.partial(self._joined.search, plain))
        if ranker.error:  # it was not loaded in time at the start, and answers now
            ranker.error = ""
            self._load(ranker)
        return answer["doc_ids"], answer["scores"], answer["notes"]

    async def ask(self, name: str, plain: Mapping[str, Any], lane: str) -> dict[str, Any]:
        """What a worker answers.

        Raises
        ------
        ApiError
            If it fails.
        """
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        def on_event(what: str, *more: Any) -> None:
            if future.done():
                return
            if what == "done":
                future.set_result(more[0])
            elif what == "cancelled":
                future.set_exception(ApiError("internal", "the server stops"))
            elif what == "failed":
                code, message, todo = more
                future.set_exception(ApiError.of_worker(code, self.clean(message), todo))

        task = Task(secrets.token_hex(8), name, plain, lane, on_event)
        self.pool.submit(task)
        self._asked.add(future)
        future.add_done_callback(self._asked.discard)
        try:
            return await asyncio.wait_for(future, PATIENCE + self.options.timeout)
        except TimeoutError as error:
            self.pool.cancel(task)
            raise ApiError("timeout", "the ranker gave no answer in time", "ask again") from error

    def _loaded(self, ranker: ServedRanker, what: str, *more: Any) -> None:
        """What became of loading a ranker."""
        if what == "done":
            ranker.can = Can(**more[0])
            ranker.error = ""
        elif what == "failed":
            ranker.error = self.clean(more[1])


def _of_one(error: BaseException) -> bool:
    """Whether one ranker failed, and another one's results can be shown alone."""
    return isinstance(error, ApiError) and error.body.code not in ("stopping", "no_engine")


def _searched(engine: Engine, query: str) -> None:
    engine.documents([hit.doc_id for hit in engine.search(query, 1)])
    marked(query, query, analyzer_of(engine) or Analyzer())


def refused(error: InputError) -> ApiError:
    """An error of the library as the API tells it."""
    _, message, todo = failure(error)
    return ApiError("bad_request", message, todo)
