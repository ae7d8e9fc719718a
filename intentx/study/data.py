"""The queries of a study with their documents, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from intentx.datasets import demo_queries, load_demo
from intentx.datasets.collection import Collection
from intentx.errors import InputError
from intentx.files import numbered_lines
from intentx.rankers.bm25 import BM25
from intentx.study.plan import Data, digest
from intentx.study.sources import collection_of

__all__ = ["Topic", "topics"]


@dataclass(frozen=True)
class Topic:
    """One query of a study.

    Attributes
    ----------
    qid, query
        Its id and its text.
    docs
        Text of each document by id: those that are ranked, and those of recorded runs.
    pool
        Ids of the documents that rankers are asked to rank.
    runs
        Recorded scores of documents, by the name of the run.
    """

    qid: str
    query: str
    docs: Mapping[str, str] = field(repr=False)
    pool: tuple[str, ...] = field(repr=False)
    runs: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str:
        """Stands for all of it."""
        runs = {name: dict(scores) for name, scores in self.runs.items()}
        return digest([self.qid, self.query, dict(self.docs), self.pool, runs])


def topics(data: Data) -> Iterator[Topic]:
    """The queries of ``data``; those of a file of topics are read as they are asked for.

    Raises
    ------
    InputError
        If the data is not there, or broken; the message says where.
    """
    if data.topics is not None and data.docs is None:
        yield from _cut(_from_lines(data.topics, data), data)
    elif data.demo:
        yield from _spread([_demo(name, data.depth) for name in _demo_names(data.demo)], data)
    else:
        collection = collection_of(data)
        run = collection.run(data.pool) if data.pool else _any_run(collection, data)
        qids = [qid for qid in sorted(collection.queries, key=_natural) if qid in run]
        if not qids:
            raise InputError(f"{collection.name} has no query with candidates")
        for qid in _spread(qids, data):
            yield _topic(collection, run, qid)


def _topic(collection: Collection, run: Mapping[str, Mapping[str, float]], qid: str) -> Topic:
    """The documents of a run, and each recorded run with its own."""
    runs = {name: recorded.get(qid, {}) for name, recorded in collection.runs.items()}
    docs = {doc: collection.texts[doc] for scores in (run[qid], *runs.values()) for doc in scores}
    return Topic(qid, collection.queries[qid], docs, tuple(run[qid]), runs)


def _any_run(collection: Collection, data: Data) -> Mapping[str, Mapping[str, float]]:
    """The only run, or what BM25 finds where there is none."""
    if len(collection.runs) == 1:
        return next(iter(collection.runs.values()))
    if collection.runs:
        raise InputError(
            f"{collection.name} has several runs: name one as [data] pool, from "
            f"{', '.join(collection.runs)}"
        )
    ids, texts = list(collection.texts), list(collection.texts.values())
    bm25 = BM25(texts)
    found = {}
    for qid, query in collection.queries.items():
        scores = np.asarray(bm25(query, texts), dtype=np.float64)
        best = np.argsort(-scores, kind="stable")[: data.depth]
        found[qid] = {ids[i]: float(scores[i]) for i in best}
    return found


def _demo_names(names: Sequence[str]) -> list[str]:
    return list(demo_queries()) if "*" in names else list(names)


def _demo(name: str, depth: int) -> Topic:
    demo = load_demo(name)
    docs = {document.id: document.content for document in demo.documents}
    return Topic(name.replace(" ", "-"), demo.query, docs, tuple(docs)[:depth])


def _from_lines(path: str, data: Data) -> Iterator[Topic]:
    for where, line in numbered_lines(path):
        plain = _object(line, where, ("qid", "query", "docs"))
        docs: dict[str, str] = {}
        for doc in plain["docs"]:
            if not isinstance(doc, dict) or not {"id", "text"} <= doc.keys():
                raise InputError(f"{where}: a document needs id and text, not {doc!r}")
            docs[str(doc["id"])] = str(doc["text"])
        runs = {
            str(name): {str(doc): float(score) for doc, score in scores.items()}
            for name, scores in plain.get("runs", {}).items()
        }
        for name, scores in runs.items():
            absent = next((doc for doc in scores if doc not in docs), None)
            if absent is not None:
                raise InputError(f"{where}: run {name!r} has document {absent!r}, which docs lacks")
        yield Topic(str(plain["qid"]), str(plain["query"]), docs, tuple(docs)[: data.depth], runs)


def _object(line: str, where: str, keys: Sequence[str]) -> dict[str, Any]:
    """A line of JSON that has some keys."""
    try:
        plain = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: no JSON: {error}") from error
    missing = [key for key in keys if not isinstance(plain, dict) or key not in plain]
    if missing:
        raise InputError(f"{where}: an object with {', '.join(keys)} is needed; it lacks {missing[0]}")
    found: dict[str, Any] = plain
    return found


def _spread(items: Sequence[Any], data: Data) -> list[Any]:
    """As many as are asked for, evenly spread."""
    if data.queries is None or data.queries >= len(items):
        return list(items)
    places = np.linspace(0, len(items) - 1, data.queries).round().astype(int)
    return [items[place] for place in dict.fromkeys(places.tolist())]


def _cut(items: Iterable[Topic], data: Data) -> Iterator[Topic]:
    for number, topic in enumerate(items):
        if data.queries is not None and number >= data.queries:
            return
        yield topic


def _natural(qid: str) -> tuple[int, str]:
    """Numbers by their size."""
    return (len(qid), qid) if qid.isdigit() else (1_000, qid)
