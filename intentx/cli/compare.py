"""The command ``intentx compare``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intentx.cli.ranker_names import named_rankers
from intentx.cli.simple_ranker_options import add_simple_rankers, check_simple_rankers
from intentx.cli.terminal import check_folder, given_text, progress, quiet_models, show, show_json, tell
from intentx.cli.word_options import add_words, word_settings
from intentx.comparison.compare import check_rankers, compare_rankers
from intentx.datasets import demo_queries, read_documents, read_queries
from intentx.errors import InputError
from intentx.explainers.ranking.multiplex import Multiplex
from intentx.files import PACKED, numbered_lines
from intentx.preferences.simple_rankers import chosen_simple_rankers
from intentx.rankers import read_run
from intentx.rankers.kinds import SPECS, listed, own_words
from intentx.rankers.specs import is_lexical, is_spec, named_spec
from intentx.report.pages.comparison import write_comparison
from intentx.report.tables.comparison import rich_comparison
from intentx.search import SearchIndex
from intentx.signs import first_line
from intentx.study.data import Topic, spread_places, text_topics
from intentx.study.plan import Data
from intentx.study.rankings import encoder_of, mark_of

__all__ = ["add_compare", "split_specs"]

RUN = "run:"
FOUR = "text,position,semantic,dense"  # simple rankers with --dense alone

Run = Mapping[str, Mapping[str, float]]


def add_compare(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    compare = commands.add_parser(
        "compare",
        help="compare rankers: what one prefers and another does not, for each query and over all "
        "queries",
        description="Ranks the same documents by several rankers, explains each ranking, and shows what "
        "one prefers and another does not; over all queries, what a ranker consistently prefers.",
    )
    compare.add_argument(
        "--rankers", required=True, metavar="A,B,…",
        help=f"two or more of {SPECS}, run:FILE, or run:NAME of a run in the data; NAME=SPEC names one",
    )  # fmt: skip
    compare.add_argument(
        "--queries", nargs="+", default=[], metavar="Q",
        help="texts or ids of queries, or one file: qid<TAB>query, JSONL with qid and query, TREC "
        "topics, or JSONL with qid, query and docs (default: all of the data)",
    )  # fmt: skip
    compare.add_argument("--docs", metavar="FILE", help="documents to rank, JSONL or TSV")
    compare.add_argument(
        "--run", metavar="FILE", help="with --docs, a TREC run: rank only its documents"
    )
    compare.add_argument("--data", metavar="DIR", help="a folder with passages, queries and candidates")
    compare.add_argument("--pool", metavar="RUN", help="with --data, the run whose documents are ranked")
    compare.add_argument(
        "--depth",
        type=int,
        default=100,
        metavar="N",
        help="at most N documents for each query (default 100)",
    )
    compare.add_argument(
        "--pair", nargs=2, metavar=("A", "B"),
        help="two documents: which terms, by which simple ranker, speak for A in one ranker and for B "
        "in another",
    )  # fmt: skip
    compare.add_argument("--limit", type=int, metavar="N", help="use at most N queries, evenly spread")
    compare.add_argument(
        "--index", metavar="DIR",
        help="with --docs or --data, keep the search index in DIR, where BM25 finds the documents of a "
        "query; a later call with the same documents uses it again (default: in memory)",
    )  # fmt: skip
    compare.add_argument("--max-terms", type=int, default=10, metavar="K", help="at most K terms each")
    compare.add_argument("--vectors", metavar="SOURCE", help="term vectors: minilm, a model or a file")
    add_simple_rankers(compare)
    add_words(
        compare,
        extra="for the explanation, and for bm25, lm and rm3 unless they have settings of their own",
    )
    compare.add_argument(
        "--edits", type=int, default=0, metavar="N",
        help="for N documents of each query that all rank high: which edits move them down in one order "
        "and not in another; some hundred texts for each document and ranker (default 0)",
    )  # fmt: skip
    compare.add_argument(
        "--axioms", action="store_true",
        help="count which retrieval axioms each ranker agrees with; asks no ranker",
    )  # fmt: skip
    compare.add_argument("--seed", type=int, default=0)
    compare.add_argument("--cache", metavar="FILE", help="cache scores in FILE")
    compare.add_argument("--json", action="store_true", help="print the comparison as JSON")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write an HTML page")
    compare.set_defaults(run_command=_compare)


def _compare(options: argparse.Namespace) -> int:
    check_folder(options.html)
    if _file(options.queries) is None:
        options.queries = [given_text(query) for query in options.queries]
    for name in ("depth", "limit", "max_terms"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} must be 1 or more, not {value}")
    if options.edits < 0:
        raise InputError(f"--edits must be 0 or more, not {options.edits}")
    options.analyzer = analyzer = word_settings(options).analyzer()
    specs = split_specs(options.rankers)
    check_rankers(specs)
    for spec in specs.values():
        quiet_models(spec)
    if options.vectors:
        quiet_models(f"bi-encoder:{options.vectors}")
    method = Multiplex(
        max_terms=options.max_terms, seed=options.seed, analyzer=analyzer, **_simple_rankers(options)
    )
    asked = _with_pair(_with_runs(_topics(options), specs), options.pair)
    for spec in specs.values():
        mark_of(spec, analyzer)  # loads it: what is no ranker is told now, and not for each query
    with progress("queries") as bar:
        comparison = compare_rankers(
            specs,
            asked,
            method=method,
            vectors=options.vectors,
            edits=options.edits,
            axioms=options.axioms,
            pair=options.pair and tuple(map(given_text, options.pair)),
            seed=options.seed,
            cache=options.cache,
            progress=lambda done, query: bar(done, len(asked)),
        )
    if options.json:
        show_json(comparison.to_dict())
    else:
        for part in rich_comparison(comparison):
            show(part)
    if options.html:
        written = write_comparison(options.html, comparison)
        (tell if options.json else show)(f"page: {written}")
    failed = [query for query in comparison.queries if query.failed]
    for query in failed:
        for name, reason in query.failed.items():
            who = f"{name}, query" if name else "query"
            tell(f"{who} {query.qid}: {first_line(reason)}")
    return 1 if failed else 0


def _simple_rankers(options: argparse.Namespace) -> dict[str, Any]:
    """The setting of the method, with the encoder loaded that ``--dense`` names."""
    named = check_simple_rankers(options)
    if options.dense is None:
        return {"simple_rankers": named}
    quiet_models(f"bi-encoder:{options.dense}")
    names = FOUR if named is None else options.simple_rankers
    return {"simple_rankers": chosen_simple_rankers(names, encoder_of(options.dense))}


def split_specs(text: str) -> dict[str, str]:
    """Specs of rankers by name, from a list with commas: ``bm25,my=dpr:QUERY_ENCODER,DOC_ENCODER``.

    A part that does not begin with a known kind or as a module:callable belongs to the one before.

    Raises
    ------
    InputError
        If there is no ranker, a part is empty, or two rankers have one name or are the same.

    Examples
    --------
    >>> split_specs("bm25,my=dpr:a,b")
    {'bm25': 'bm25', 'my': 'dpr:a,b'}
    """
    specs: list[str] = []
    for part in text.split(","):
        if not part.strip():
            raise InputError(f"--rankers has an empty part: {text!r}")
        if not specs or _begins(part.strip()):
            specs.append(part.strip())
        elif is_lexical(named_spec(specs[-1])[1]):  # takes nothing after a comma
            raise InputError(f"no ranker {part.strip()!r}; a ranker is one of: {listed()}, run:FILE")
        else:
            specs[-1] += f",{part.strip()}"
    return named_rankers(specs, "--rankers")


def _begins(part: str) -> bool:
    return is_spec(named_spec(part)[1])


def _topics(options: argparse.Namespace) -> list[Topic]:
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
    return path if path is not None and (_is_file(path) or path.suffix in _SUFFIXES) else None


_SUFFIXES = (".tsv", ".jsonl", *PACKED)


def _is_file(path: Path) -> bool:
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
            f"the data has no query {absent[0]!r}, by id or text; it has {_some([t.qid for t in found])}"
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
            raise InputError(f"{options.run} has no query {qid!r}; it has {_some(list(run))}")
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
            f"{path} holds queries by their ids, {_some(list(run))}: give --queries as a file of "
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


def _with_runs(found: list[Topic], specs: Mapping[str, str]) -> list[Topic]:
    """The topics with the runs that rankers name as files; names that no query has are refused."""
    for spec in specs.values():
        if not spec.startswith(RUN):
            continue
        name = spec.removeprefix(RUN)
        if any(name in topic.runs for topic in found):
            continue
        if not _is_file(Path(name)):
            known = dict.fromkeys(run for topic in found for run in topic.runs)
            raise InputError(
                f"no file {name!r}, and no such run in the data; it has {_some(list(known))}"
            )
        run = read_run(name)
        only = next(iter(run.values())) if len(run) == len(found) == 1 else {}
        found = [_with_run(topic, name, run.get(topic.qid, only)) for topic in found]
        if not any(name in topic.runs for topic in found):
            raise InputError(f"{name} ranks no document of any query; it has queries {_some(list(run))}")
    return found


def _with_pair(found: list[Topic], pair: Sequence[str] | None) -> list[Topic]:
    """The topics, refused where no query has both documents of a pair."""
    if pair is None:
        return found
    known = dict.fromkeys(doc for topic in found for doc in topic.docs)
    absent = [doc for doc in pair if doc not in known]
    if absent:
        raise InputError(f"--pair: no query has a document {absent[0]!r}; there are {_some([*known])}")
    if not any({*pair} <= {*topic.pool, *topic.docs} for topic in found):
        raise InputError(f"--pair: no query has both {pair[0]!r} and {pair[1]!r}")
    return found


def _with_run(topic: Topic, name: str, scores: Mapping[str, float]) -> Topic:
    kept = {doc: score for doc, score in scores.items() if doc in topic.docs}
    return dataclasses.replace(topic, runs={**topic.runs, name: kept}) if kept else topic


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "") if names else "none"
