"""Run a study: every cell once, on one core or on many machines, and on after a crash."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intentx.errors import InputError, IntentxError
from intentx.explainers.plain import plain_settings
from intentx.study.cells import Cell, measure
from intentx.study.data import Topic, topics
from intentx.study.feature_cells import measure_features
from intentx.study.feature_topics import FeatureTopic, feature_mark, feature_ranking
from intentx.study.methods import TRAIN
from intentx.study.plan import Study, digest
from intentx.study.rankings import encoder_of, give_back, load_all, mark_of, ranking_of, vectors_of
from intentx.study.store import Row, Store, StoreError
from intentx.study.workers import DIED, WorkerError, cluster, end_with, ends_with, workers_replaced

__all__ = ["Outcome", "WorkerError", "run_study", "status", "variants"]

ATTEMPTS = 3  # with workers that die, before any task is done
OFTEN = 1.0  # seconds; how long measured cells of one process wait to be written


@dataclass(frozen=True)
class Outcome:
    """What a run came to: cells measured now, found from before, and without metrics."""

    measured: int
    found: int
    failed: int


@dataclass(frozen=True)
class _Task:
    """What a worker does at a time: one ranker's ranking of one query, by all methods that lack it."""

    study: Study
    ranker: str
    topic: Topic | FeatureTopic
    methods: Mapping[str, str]  # names of methods, by their variant
    cache: str | None
    folder: str  # of the results


def run_study(
    study: Study,
    folder: str | Path,
    *,
    workers: int | None = None,
    dask: str | None = None,
    cache: str | Path | None = None,
    index: str | Path | None = None,
    shard: tuple[int, int] = (0, 1),
    progress: Callable[[int, str], None] | None = None,
    total: Callable[[int], None] | None = None,
) -> Outcome:
    """Measure every cell of a study that the folder does not have yet.

    Parameters
    ----------
    folder
        Where results are kept as they come, in ``study.sqlite``. Run again after a crash, it resumes.
    workers
        Processes on this machine, each with the rankers loaded once. Within
        ``joblib.parallel_config`` they are those of its backend, such as Ray's. None: as many as the
        study says, at most one for each core.
    dask
        Address of a Dask scheduler, whose workers are used in place of processes.
    cache
        A file that remembers the scores of rankers with a fingerprint, for this and other studies.
    index
        A folder for the search index of the documents, where BM25 finds them; other studies of the
        same documents use it again. None: ``index`` in the folder of the results.
    shard
        ``(i, n)``: only every n-th query, from query i. Folders of all shards together are the study.
    progress
        Called with the number of cells so far and the query, whenever cells were kept; those of
        earlier runs count.
    total
        Called with the number of all cells before the first query, where it is known: a file of
        topics is read as it goes.

    Raises
    ------
    InputError
        If a ranker cannot be loaded, data is missing, or another process runs a study there.
    StoreError
        If results cannot be written; what was written is kept.
    WorkerError
        If workers die three times without a result.
    """
    if workers is None:
        workers = _workers(study)
    if workers < 1:
        raise InputError(f"workers must be 1 or more, not {workers!r}")
    if not 0 <= shard[0] < shard[1]:
        raise InputError(f"shard must be (i, n) with i from 0 to n - 1, not {shard!r}")
    study.data.look_for_files()
    known = variants(study)  # loads rankers
    with Store(folder, write=True) as store:
        store.set_study(study.to_dict(), known)
        scores = None if cache is None else str(Path(cache).resolve())
        run = _Run(study, store, known, shard, scores, index or store.folder / "index")
        run.go(workers, dask, progress, total)
    return Outcome(run.measured, run.found, run.failed)


class _Run:
    """One run of a study, and what it came to so far."""

    def __init__(
        self,
        study: Study,
        store: Store,
        known: Mapping[str, tuple[str, str]],
        shard: tuple[int, int],
        cache: str | None,
        index: str | Path,
    ) -> None:
        self.study, self.store, self.known, self.shard, self.cache = study, store, known, shard, cache
        self.index = index
        self.measured = self.found = self.failed = 0
        self._open: dict[tuple[str, str], Sequence[str]] = {}  # variants of tasks that are not done
        self._total: Callable[[int], None] | None = None
        self._seen = -1  # the last query whose cells from earlier runs are counted

    def go(
        self,
        workers: int,
        dask: str | None,
        progress: Callable[[int, str], None] | None,
        total: Callable[[int], None] | None,
    ) -> None:
        """All tasks; when a worker dies, those that are left once more."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        self._total = total
        died = 0
        while True:
            try:
                with workers_replaced():
                    for rows in _done(self.tasks(), workers, dask):
                        self.store.add(rows)
                        self._open.pop((rows[0].topic, rows[0].ranker), None)
                        self._count(rows)
                        died = 0
                        if progress is not None:
                            progress(self.measured + self.found, rows[0].qid)
                return
            except BrokenProcessPool as error:
                left = list(self._open.items())  # joblib's thread may still ask for tasks
                self._open.clear()
                kept = [row for (topic, _), names in left for row in self.store.cells(topic, names)]
                self._count(kept)
                died = 0 if kept else died + 1
                if died == ATTEMPTS:
                    raise WorkerError(f"{DIED}: {error}") from error

    def _count(self, rows: Sequence[Row]) -> None:
        self.measured += len(rows)
        self.failed += sum(bool(row.reason) for row in rows)

    def _tell(self, queries: int) -> None:
        """How many cells there are, from the number of queries of all shards."""
        if self._total is not None:
            self._total(len(range(self.shard[0], queries, self.shard[1])) * len(self.known))

    def _topics(self) -> Iterator[Topic | FeatureTopic]:
        words = self.study.analyzer
        return topics(self.study.data, self.index, number=self._tell, analyzer=words)

    def tasks(self) -> Iterator[_Task]:
        """Those with cells that the store lacks."""
        start, step = self.shard
        place, qids = -1, set[str]()
        for place, topic in enumerate(self._topics()):
            if topic.qid in qids:
                raise InputError(f"two queries have the id {topic.qid!r}; give each one of its own")
            qids.add(topic.qid)
            if place % step != start:
                continue
            self.store.set_topic(place, topic.qid, topic.query, topic.digest)
            missing = set(self.store.missing(topic.digest, list(self.known)))
            if place > self._seen:
                self._seen = place
                self.found += len(self.known) - len(missing)
            for ranker in self.study.rankers:
                wanted = {v: m for v, (r, m) in self.known.items() if r == ranker and v in missing}
                if wanted:
                    self._open[topic.digest, ranker] = list(wanted)
                    yield _Task(
                        self.study, ranker, topic, wanted, self.cache, str(self.store.folder.resolve())
                    )
        self.store.end_topics(place + 1)


def status(folder: str | Path) -> dict[str, Any]:
    """How far a study is: its name, queries begun, cells done, failed and in all of those queries."""
    with Store(folder, write=False) as store:
        name, known = store.study()["name"], store.variants()
        rows = [row.reason for row in store.rows(list(known))]
        queries = sum(1 for _ in store.topics())
    return {
        "name": name,
        "queries": queries,
        "cells": queries * len(known),
        "done": len(rows),
        "failed": sum(map(bool, rows)),
    }


def variants(study: Study) -> dict[str, tuple[str, str]]:
    """Ranker and method by what stands for them with all their settings.

    A ranker that has a fingerprint is known by it, so that trained anew it is another one.
    """
    found: dict[str, tuple[str, str]] = {}
    for ranker, spec in study.rankers.items():
        try:
            features = bool(study.data.letor)
            mark = feature_mark(spec) if features else mark_of(spec, study.analyzer)
        except IntentxError as error:
            raise InputError(
                f"ranker {ranker!r}: {error}\n--ranker {ranker}=SPEC puts another one in its place, and "
                f"--without {ranker} leaves it out"
            ) from error
        measures = study.measures.of(ranker)
        for name in study.methods_of(ranker):
            settings = plain_settings(study.method(name))
            kind, dense = (study.methods[name].get(key) for key in ("method", "dense"))
            beside = dense or (study.background(name) and f"background: {TRAIN}")
            variant = digest([mark, kind, settings, measures, *filter(None, [beside])])
            if variant in found:
                raise InputError(
                    f"{ranker!r} by {name!r} is the same as {found[variant][0]!r} by "
                    f"{found[variant][1]!r}: leave one of them out"
                )
            found[variant] = (ranker, name)
    return found


def _workers(study: Study) -> int:
    """As many as the study says, as far as there are cores."""
    if study.workers == 1:
        return 1
    import joblib

    return min(study.workers, int(joblib.cpu_count()))


def _done(tasks: Iterator[_Task], workers: int, dask: str | None) -> Iterator[list[Row]]:
    """The rows of each task, as they are ready."""
    if workers == 1 and dask is None:
        for task in tasks:
            yield from _as_they_come(_measured(task))
            give_back()
        return
    import joblib

    with cluster(dask) as jobs:
        jobs = jobs or workers
        backend, _ = joblib.parallel.get_active_backend()
        if backend.supports_return_generator:
            ours: dict[str, Any] = {}
            if type(backend).__name__ == "LokyBackend":  # others' workers are not ours to end
                ours = {"initializer": end_with, "initargs": (os.getpid(),)}
            parallel = joblib.Parallel(
                n_jobs=jobs,
                return_as="generator_unordered",
                pre_dispatch="2 * n_jobs",
                batch_size=1,
                **ours,
            )
            yield from parallel(joblib.delayed(_rows)(task, os.getpid()) for task in tasks)
        else:  # Ray's: some tasks at a time, so that a crash costs few of them
            while some := list(itertools.islice(tasks, 4 * jobs)):
                yield from joblib.Parallel(n_jobs=jobs)(
                    joblib.delayed(_rows)(task, os.getpid()) for task in some
                )


def _as_they_come(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows by the second, so that a crash costs one cell, and quick ones share a write to the disk."""
    some: list[Row] = []
    since = time.monotonic()
    for row in rows:
        some.append(row)
        if time.monotonic() - since >= OFTEN:
            yield some
            some, since = [], time.monotonic()
    if some:
        yield some


_ONE = threading.Lock()  # a process measures one task at a time, whatever threads it is given


def _rows(task: _Task, owner: int) -> list[Row]:
    """Measure the cells of a task. Runs in a worker of the process ``owner``."""
    rows: list[Row] = []
    with _ONE, contextlib.ExitStack() as stack:
        store = None
        if ends_with(owner):
            store = stack.enter_context(Store(task.folder, write=True, lock=False))
        for some in _as_they_come(_measured(task)):
            rows += some
            if store is not None:  # at once: `owner` or this worker may be killed before the last cell
                with contextlib.suppress(StoreError):  # `owner` will see the same
                    store.add(some)
        give_back()
    return rows


def _measured(task: _Task) -> Iterator[Row]:
    """The cells of a task, one by one."""
    study, topic = task.study, task.topic
    if isinstance(topic, FeatureTopic):
        yield from _by_features(task, topic)
        return
    vectors = None
    dense = {name: plain.get("dense") for name, plain in study.methods.items()}
    load_all(study.rankers.values(), study.measures.vectors, filter(None, dense.values()))
    try:
        spec, reason = study.rankers[task.ranker], ""
        ranking = ranking_of(spec, topic, task.cache, study.analyzer)
        vectors = vectors_of(study.measures.vectors, ranking.texts, study.analyzer)
    except IntentxError as error:
        ranking, reason = None, str(error)
    for variant, name in task.methods.items():
        if ranking is None:
            cell = Cell((), {}, {}, reason)
        else:
            method = study.method(name, vectors, encoder_of(dense[name]))
            cell = measure(method, ranking, study.measures, study.measures.tolerance.get(task.ranker))
        parts = cell.terms, cell.metrics, cell.seconds
        yield Row(variant, topic.digest, topic.qid, task.ranker, name, cell.reason, *parts)


def _by_features(task: _Task, topic: FeatureTopic) -> Iterator[Row]:
    """The cells of a task of a ranker over features."""
    study, ranking, reason = task.study, None, ""
    try:
        ranking = feature_ranking(study.rankers[task.ranker], topic)
    except IntentxError as error:
        reason = str(error)
    for variant, name in task.methods.items():
        cell = Cell((), {}, {}, reason)
        if ranking is not None:
            method = study.method(name)
            if study.background(name):
                method = dataclasses.replace(method, background=topic.background)
            cell = measure_features(method, ranking, study.measures, topic.background)
        parts = cell.terms, cell.metrics, cell.seconds
        yield Row(variant, topic.digest, topic.qid, task.ranker, name, cell.reason, *parts)
