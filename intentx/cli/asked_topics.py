"""Which queries and documents a command is asked about: a folder, files, or the demo."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from intentx.cli.terminal import given_text, progress
from intentx.datasets import demo_queries, read_documents, read_queries
from intentx.errors import InputError
from intentx.files import PACKED, numbered_lines
from intentx.rankers import read_run
from intentx.rankers.kinds import own_words
from intentx.search import SearchIndex
from intentx.study.data import Topic, spread_places, text_topics
from intentx.study.plan import Data

__all__ = ["add_topics", "asked_topics", "check_topics", "is_file", "some"]

Run = Mapping[str, Mapping[str, float]]


def add_topics(parser: argparse.ArgumentParser) -> None:
    """Add the options that name queries and documents."""
    parser.add_argument(
        "--queries", nargs="+", default=[], metavar="Q",
        help="texts or ids of queries, or one file: qid<TAB>query, JSONL with qid and query, TREC "
        "topics, or JSONL with qid, query and docs (default: all of the data)",
    )  # fmt: skip
    parser.add_argument("--docs", metavar="FILE", help="documents to rank, JSONL or TSV")
    parser.add_argument("--run", metavar="FILE", help="with --docs, a TREC run: rank only its documents")
    parser.add_argument("--data", metavar="DIR", help="a folder with passages, queries and candidates")
    parser.add_argument("--pool", metavar="RUN", help="with --data, the run whose documents are ranked")
    parser.add_argument(
        "--depth",
        type=int,
        default=100,
        metavar="N",
        help="at most N documents for each query (default 100)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="use at most N queries, evenly spread")
    parser.add_argument(
        "--index", metavar="DIR",
        help="with --docs or --data, keep the search index in DIR, where BM25 finds the documents of a "
        "query; a later call with the same documents uses it again (default: in memory)",
    )  # fmt: skip


def check_topics(options: argparse.Namespace) -> None:
    """Refuse sizes that cannot be, and read queries as they were typed."""
    if _file(options.queries) is None:
        options.queries = [given_text(query) for query in options.queries]
    for name in ("depth", "limit"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(f"--{name} must be 1 or more, not {value}")


def asked_topics(options: argparse.Namespace) -> list[Topic]:
    """The queries that are asked for, with their documents."""
    if options.data and options.docs:
        raise InputError("--data and --docs both name documents; give only one of them")
    for option, needed in (("run", "docs"), ("pool", "data")):
        if getattr(options, option) and not getattr(options, needed):
            raise InputError(f"--{option} needs --{needed}")
    if options.index and not (options.docs or options.data):
        raise InputError("--index needs --docs or --data")
    if options.depth < 2:
        raise InputError(f"--depth must be 2 or more, not {options.depth}")
    if options.data:
        data = Data(folder=options.data, pool=options.pool, depth=options.depth)
        with progress("documents") as bar:
            asked = text_topics(
                data, options.index, lambda done: bar(done, 0), analyzer=options.analyzer
            )
            found = _picked(list(asked), options.queries)
    elif options.docs:
        found = _of_documents(options)
    else:
        found = _without_documents(options)
    if not found:
        raise InputError("there is no query to compare rankers on")
    return [found[place] for place in spread_places(len(found), options.limit)]


def _file(queries: Sequence[str]) -> Path | None:
    """The file that --queries names, if it names one."""
    path = Path(queries[0]) if len(queries) == 1 else None
    return path if path is not None and (is_file(path) or path.suffix in _SUFFIXES) else None


_SUFFIXES = (".tsv", ".jsonl", *PACKED)


def is_file(path: Path) -> bool:
    """Whether there is such a file, whatever the text is."""
    try:
        return path.is_file() or path.is_fifo()
    except (OSError, ValueError):  # a query that no file can be called by
        return False


def _queries(queries: Sequence[str]) -> dict[str, str]:
    """Texts of queries by id, from a file or as they are given, then numbered."""
    path = _file(queries)
    if path is None:
        blank = next((query for query in queries if not query.strip()), None)
        if blank is not None:
            raise InputError(f"a query must hold at least one character, not {blank!r}")
        return {str(i): text for i, text in enumerate(queries, start=1)}
    return read_queries(path)


def _picked(found: list[Topic], queries: Sequence[str]) -> list[Topic]:
    """Those named by id or text; all where none is named."""
    if not queries:
        return found
    path = _file(queries)
    wanted = list(_queries(queries)) if path else list(queries)
    known = {topic.query: topic for topic in found} | {topic.qid: topic for topic in found}
    absent = [name for name in wanted if name not in known]
    if absent:
        raise InputError(
            f"the data has no query {absent[0]!r}, by id or text; it has {some([t.qid for t in found])}"
        )
    return [known[name] for name in dict.fromkeys(wanted)]


def _of_documents(options: argparse.Namespace) -> list[Topic]:
    """Queries over the documents of a file: those of a run, or those that BM25 finds."""
    if not options.queries:
        raise InputError("--docs needs --queries: texts, or a file")
    queries = _queries(options.queries)
    docs = {document.id: document.content for document in read_documents(options.docs)}
    if options.run:
        run = _run_for(options.run, list(queries), _file(options.queries) is None)
    else:
        run = _found_by_bm25(queries, docs, options)
    found = []
    for qid, query in queries.items():
        if qid not in run:
            raise InputError(f"{options.run} has no query {qid!r}; it has {some(list(run))}")
        pool = sorted(run[qid], key=run[qid].__getitem__, reverse=True)[: options.depth]
        absent = [doc for doc in pool if doc not in docs]
        if absent:
            raise InputError(f"{options.run} has document {absent[0]!r}, which {options.docs} lacks")
        found.append(Topic(qid, query, docs, tuple(pool)))
    return found


def _run_for(path: str, qids: Sequence[str], numbered: bool) -> Run:
    """A run by the ids of the queries; one query's is that of the only query there is."""
    run = read_run(path)
    if numbered and len(qids) == len(run) == 1:
        return {qids[0]: next(iter(run.values()))}
    if numbered:
        raise InputError(
            f"{path} holds queries by their ids, {some(list(run))}: give --queries as a file of "
            "qid<TAB>query"
        )
    return run


def _found_by_bm25(
    queries: Mapping[str, str], docs: Mapping[str, str], options: argparse.Namespace
) -> Run:
    if len(docs) <= options.depth:
        return {qid: dict.fromkeys(docs, 0.0) for qid in queries}
    with progress("documents") as bar:
        index = SearchIndex.build(
            docs, options.index, analyzer=own_words(options.analyzer),
            progress=lambda done: bar(done, len(docs)),
        )  # fmt: skip
    found = {qid: index.search(query, options.depth, fill=True) for qid, query in queries.items()}
    return {qid: dict(zip(ids, scores.tolist(), strict=True)) for qid, (ids, scores) in found.items()}


def _without_documents(options: argparse.Namespace) -> list[Topic]:
    """A file of queries with their documents, or the queries that come with intentx."""
    path = _file(options.queries)
    if path is None:
        unknown = [query for query in options.queries if query not in demo_queries()]
        if unknown:
            raise InputError(
                f"no documents for {unknown[0]!r}: give --docs FILE or --data DIR; without, --queries "
                f"takes those of the demo: {', '.join(demo_queries())}"
            )
        return list(text_topics(Data(demo=tuple(dict.fromkeys(options.queries)) or ("*",))))
    first = next(numbered_lines(path), ("", ""))[1]
    if not first.lstrip().startswith("{") or '"docs"' not in first:
        raise InputError(f"{path} has queries without documents: give --docs FILE or --data DIR, too")
    return list(text_topics(Data(topics=str(path), depth=options.depth)))


def some(names: Sequence[str]) -> str:
    """The first of several names, for a message."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "") if names else "none"
