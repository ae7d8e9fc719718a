"""Run a study: every cell once, on one core or on many machines, and on after a crash."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intentx.errors import InputError, IntentxError, TruncationWarning
from intentx.explainers.plain import plain_settings
from intentx.preferences.vectors import TermVectors
from intentx.rankers import load_ranker
from intentx.rankers.encoders import BiEncoder
from intentx.ranking import Ranking, rank
from intentx.scoring import BlackBox, Scorer
from intentx.study.cells import Cell, measure
from intentx.study.data import Topic, topics
from intentx.study.plan import Study, digest
from intentx.study.store import Row, Store
from intentx.text import Analyzer, TextIndex

__all__ = ["Outcome", "run_study", "status", "variants"]

RUN, BM25 = "run:", "bm25"
ATTEMPTS = 3  # of a task whose worker dies


@dataclass(frozen=True)
class Outcome:
    """What a run came to: cells measured now, found from before, and without figures."""

    measured: int
    found: int
    failed: int


@dataclass(frozen=True)
class _Task:
    """What a worker does at a time: one ranker's ranking of one query, by all methods that lack it."""

    study: Study
    ranker: str
    topic: Topic
    methods: Mapping[str, str]  # names of methods, by their variant


def run_study(
    study: Study,
    folder: str | Path,
    *,
    workers: int = 1,
    dask: str | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> Outcome:
    """Measure every cell of a study that the folder does not have yet.

    Parameters
    ----------
    folder
        Where results are kept as they come, in ``study.sqlite``. Run again after a crash, it goes on.
    workers
        Processes on this machine, each with the rankers loaded once.
    dask
        Address of a Dask scheduler, whose workers are used in place of processes.
    progress
        Called with the number of cells so far and the query, after each task.

    Raises
    ------
    InputError
        If a ranker cannot be loaded, data is missing, or another process runs a study there.
    StoreError
        If results cannot be written; what was written is kept.
    """
    if workers < 1:
        raise InputError(f"workers must be 1 or more, not {workers!r}")
    known = variants(study)
    measured = found = failed = 0
    with Store(folder, write=True) as store:
        store.set_study(study.to_dict())

        def tasks() -> Iterator[_Task]:
            nonlocal found
            for place, topic in enumerate(topics(study.data)):
                store.set_topic(place, topic.qid, topic.query, topic.digest)
                missing = set(store.missing(topic.digest, list(known)))
                found += len(known) - len(missing)
                for ranker in study.rankers:
                    wanted = {v: m for v, (r, m) in known.items() if r == ranker and v in missing}
                    if wanted:
                        yield _Task(study, ranker, topic, wanted)

        for rows in _done(tasks(), workers, dask):
            store.add(rows)
            measured += len(rows)
            failed += sum(bool(row.reason) for row in rows)
            if progress is not None:
                progress(measured, rows[0].qid)
    return Outcome(measured, found, failed)


def status(folder: str | Path) -> dict[str, Any]:
    """How far a study is: its name, queries begun, cells done, failed and in all of those queries."""
    with Store(folder, write=False) as store:
        study = Study.from_dict(store.study())
        known = variants(study, load=False)
        rows = [row.reason for row in store.rows() if (row.ranker, row.method) in known.values()]
        queries = sum(1 for _ in store.topics())
    return {
        "name": study.name,
        "queries": queries,
        "cells": queries * len(known),
        "done": len(rows),
        "failed": sum(map(bool, rows)),
    }


def variants(study: Study, *, load: bool = True) -> dict[str, tuple[str, str]]:
    """Ranker and method by what stands for them with all their settings.

    A ranker that has a fingerprint is known by it, so that trained anew it is another one.
    """
    found = {}
    for ranker, spec in study.rankers.items():
        mark = spec
        if load and spec != BM25 and not spec.startswith(RUN):
            mark = str(getattr(_ranker(spec, ()), "fingerprint", spec))
        for method in study.methods:
            settings = plain_settings(study.method(method))
            kind = study.methods[method]["method"]
            measures = dataclasses.asdict(study.measures)
            found[digest([mark, kind, settings, measures])] = (ranker, method)
    return found


def _done(tasks: Iterator[_Task], workers: int, dask: str | None) -> Iterator[list[Row]]:
    """The rows of each task, as they are ready."""
    if workers == 1 and dask is None:
        yield from map(_rows, tasks)
        return
    import joblib

    with _cluster(dask) as backend:
        parallel = joblib.Parallel(
            n_jobs=-1 if dask else workers,
            return_as="generator_unordered",
            pre_dispatch="2 * n_jobs",
            batch_size=1,
            **backend,
        )
        yield from parallel(joblib.delayed(_rows)(task) for task in tasks)


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[dict[str, Any]]:
    """Where joblib sends its tasks."""
    if address is None:
        yield {"backend": "loky"}
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--dask needs the package: pip install distributed") from error
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler at {address!r}: {error}") from error
    import joblib

    with client, joblib.parallel_config(backend="dask"):
        yield {}


def _rows(task: _Task) -> list[Row]:
    """Measure the cells of a task. Runs in a worker."""
    study, topic = task.study, task.topic
    try:
        ranking, reason = _ranking(study.rankers[task.ranker], topic), ""
    except IntentxError as error:
        ranking, reason = None, str(error)
    rows = []
    for variant, name in task.methods.items():
        if ranking is None:
            cell = Cell((), {}, {}, reason)
        else:
            method = study.method(name, vectors=_vectors(study.measures.vectors, ranking.texts))
            cell = measure(method, ranking, study.measures)
        parts = cell.terms, cell.figures, cell.seconds
        rows.append(Row(variant, topic.digest, topic.qid, task.ranker, name, cell.reason, *parts))
    return rows


def _ranking(spec: str, topic: Topic) -> Ranking:
    if spec.startswith(RUN):
        name = spec.removeprefix(RUN)
        if name not in topic.runs:
            known = ", ".join(topic.runs) or "none"
            raise InputError(f"the data has no run {name!r} for this query; it has {known}")
        return Ranking.from_run(topic.runs[name], topic.query, topic.docs)
    documents = {doc: topic.docs[doc] for doc in topic.pool}
    scorer = _ranker(spec, tuple(documents.values()))
    box = BlackBox(scorer)
    if hasattr(scorer, "seen"):
        try:  # what a ranker never reads is no part of a study
            return rank(box, topic.query, documents, truncated="cut")
        except InputError:  # it cannot tell, of all documents or of one
            pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        return rank(box, topic.query, documents)


_LOADED: dict[str, Scorer] = {}  # of this process, so that each worker loads a ranker once
_MEANINGS: dict[str, Callable[[Iterable[str]], TermVectors]] = {}


def _ranker(spec: str, collection: tuple[str, ...]) -> Scorer:
    if spec == BM25:  # its statistics are those of the documents at hand
        return load_ranker(spec, collection)
    if spec not in _LOADED:
        _LOADED[spec] = load_ranker(spec, collection)
    return _LOADED[spec]


def _vectors(source: str | None, texts: tuple[str, ...]) -> TermVectors | None:
    """Vectors of the terms of some texts."""
    if source is None:
        return None
    vocabulary = TextIndex(texts, Analyzer()).vocabulary
    if Path(source).is_file():
        return TermVectors.from_text_file(source, vocabulary)
    key = f"vectors:{source}"
    if key not in _LOADED:
        _LOADED[key] = BiEncoder.minilm() if source == "minilm" else BiEncoder(source)
    encoder: Any = _LOADED[key]
    return TermVectors.from_sentence_transformer(encoder.model, vocabulary)
