"""The queries of a study with their documents, one after the other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intentx.datasets import demo_queries, load_demo
from intentx.datasets.collection import Collection
from intentx.datasets.records import document_in, query_in, score_in
from intentx.documents import some
from intentx.errors import DataWarning, InputError
from intentx.files import excerpt, file_name, json_object, numbered_lines
from intentx.search import SearchIndex
from intentx.study.feature_topics import FeatureTopic, feature_topics
from intentx.study.plan import Data, digest
from intentx.study.sources import collection_of
from intentx.study.spread import spread_places
from intentx.text import Analyzer

__all__ = ["Topic", "spread_places", "text_topics", "topics"]


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


def topics(
    data: Data,
    index: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
    number: Callable[[int], None] | None = None,
    analyzer: Analyzer | None = None,
) -> Iterator[Topic] | Iterator[FeatureTopic]:
    """The queries of ``data``; those of a file of topics are read as they are asked for.

    Parameters
    ----------
    index
        A folder for the search index of the documents, where data has no run and BM25 finds them; one
        that is there is used again. None: in memory.
    progress
        Called with the number of documents indexed so far.
    number
        Called with the number of queries before the first one, where it is known: a file of topics
        is read as it goes.
    analyzer
        What explanations find words by, and BM25 with them where it finds the documents; None, and the
        default analyzer: English stems, stopwords left out.

    Raises
    ------
    InputError
        If the data is not there, or broken; the message says where.
    """
    if data.letor:
        return feature_topics(data, number)
    return _of_texts(data, index, progress, number, analyzer)


def _of_texts(
    data: Data,
    index: str | Path | None,
    progress: Callable[[int], None] | None,
    number: Callable[[int], None] | None,
    analyzer: Analyzer | None,
) -> Iterator[Topic]:
    if data.topics is not None and data.docs is None:
        yield from _cut(_from_lines(data.topics, data), data)
    elif data.demo:
        names = _spread(_demo_names(data.demo), data)
        if number is not None:
            number(len(names))
        yield from (_demo(name, data.depth) for name in names)
    else:
        collection, found = collection_of(data, index, progress, analyzer)
        run = None if found else collection.run(data.pool) if data.pool else _only_run(collection)
        qids = sorted(collection.queries, key=_natural)
        absent = [] if run is None else [qid for qid in qids if qid not in run]
        qids = qids if run is None else [qid for qid in qids if qid in run]
        if not qids:
            raise InputError(f"{collection.name} has no query with candidates")
        if absent:
            every = len(collection.queries)
            warnings.warn(
                f"the run that has the documents lacks {len(absent)} of {every} queries, which are left "
                f"out: {some(absent)}",
                DataWarning,
                stacklevel=2,
            )
        qids = _spread(qids, data)
        if number is not None:
            number(len(qids))
        for qid in qids:
            pool = run[qid] if run is not None else _searched(found, collection.queries[qid], data)
            yield _topic(collection, pool, qid)


def text_topics(data: Data, *args: Any, **settings: Any) -> Iterator[Topic]:
    """`topics` of data that has texts; an InputError for features without."""
    for topic in topics(data, *args, **settings):
        if not isinstance(topic, Topic):
            raise InputError("[data] letor has features and no texts; name documents")
        yield topic


def _topic(collection: Collection, pool: Iterable[str], qid: str) -> Topic:
    """The documents of a pool, and each recorded run with its own."""
    pool = tuple(pool)
    runs = {name: recorded.get(qid, {}) for name, recorded in collection.runs.items()}
    docs = {doc: collection.texts[doc] for scores in (pool, *runs.values()) for doc in scores}
    return Topic(qid, collection.queries[qid], docs, pool, runs)


def _only_run(collection: Collection) -> Mapping[str, Mapping[str, float]]:
    if len(collection.runs) == 1:
        return next(iter(collection.runs.values()))
    raise InputError(
        f"{collection.name} has several runs: name one as [data] pool, from {', '.join(collection.runs)}"
    )


def _searched(index: SearchIndex | None, query: str, data: Data) -> tuple[str, ...]:
    """What BM25 finds, filled up with other documents where few hold a word of the query."""
    return () if index is None else index.search(query, data.depth, fill=True).ids


def _demo_names(names: Sequence[str]) -> list[str]:
    return list(demo_queries()) if "*" in names else list(names)


def _demo(name: str, depth: int) -> Topic:
    demo = load_demo(name)
    docs = {document.id: document.content for document in demo.documents}
    return Topic(name.replace(" ", "-"), demo.query, docs, tuple(docs)[:depth])


def _from_lines(path: str, data: Data) -> Iterator[Topic]:
    seen: set[str] = set()
    for where, line in numbered_lines(path):
        plain = json_object(line, where)
        qid, query = query_in(plain, where)
        if qid in seen:
            raise InputError(
                f"{where}: the query id {excerpt(qid)} is already used; ids must be distinct"
            )
        seen.add(qid)
        docs = _docs(plain, where)
        runs = _runs(plain.get("runs", {}), docs, where)
        yield Topic(qid, query, docs, tuple(docs)[: data.depth], runs)
    if not seen:
        raise InputError(f"{file_name(path)} holds no query")


def _docs(plain: Mapping[str, Any], where: str) -> dict[str, str]:
    """Text of each document of a query by its id, from a list of objects."""
    listed = plain.get("docs")
    if not isinstance(listed, list):
        given = "is missing" if "docs" not in plain else f"is {excerpt(listed)}"
        raise InputError(f'{where}: docs must be a list of {{"id": …, "text": …}}; it {given}')
    docs: dict[str, str] = {}
    for number, one in enumerate(listed, start=1):
        place = f"{where}, document {number} of docs"
        if not isinstance(one, dict):
            raise InputError(f"{place}: an object with id and text expected, not {excerpt(one)}")
        document = document_in(one, place)
        if document.id in docs:
            raise InputError(
                f"{place}: the document id {excerpt(document.id)} is already used; ids must be distinct"
            )
        docs[document.id] = document.content
    return docs


def _runs(plain: Any, docs: Mapping[str, str], where: str) -> dict[str, dict[str, float]]:
    """Recorded scores of documents by the name of the run, from an object of objects."""
    form = 'runs must be an object {"NAME": {"DOCUMENT": SCORE}}, or be left out'
    if not isinstance(plain, dict):
        raise InputError(f"{where}: {form}; it is {excerpt(plain)}")
    runs: dict[str, dict[str, float]] = {}
    for name, scores in plain.items():
        if not isinstance(scores, dict):
            raise InputError(f"{where}: {form}; {excerpt(name)} is {excerpt(scores)}")
        absent = next((doc for doc in scores if doc not in docs), None)
        if absent is not None:
            raise InputError(
                f"{where}: run {excerpt(name)} has document {excerpt(absent)}, which docs lacks"
            )
        runs[name] = {
            doc: score_in(f"the score of {excerpt(doc)} in run {excerpt(name)}", score, where)
            for doc, score in scores.items()
        }
    return runs


def _spread(items: Sequence[Any], data: Data) -> list[Any]:
    """As many as are asked for, evenly spread."""
    return [items[place] for place in spread_places(len(items), data.queries)]


def _cut(items: Iterable[Topic], data: Data) -> Iterator[Topic]:
    for number, topic in enumerate(items):
        if data.queries is not None and number >= data.queries:
            return
        yield topic


def _natural(qid: str) -> tuple[int, str]:
    """Numbers by their size."""
    return (len(qid), qid) if qid.isdigit() else (1_000, qid)
