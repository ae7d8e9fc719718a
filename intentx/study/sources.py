"""Where the collections of studies come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from intentx.datasets import read_collection, read_documents, read_queries
from intentx.datasets.collection import Collection, file_in
from intentx.errors import InputError, MissingExtraError
from intentx.files import excerpt, numbered_lines
from intentx.rankers import read_run
from intentx.rankers.kinds import own_words
from intentx.ranking import Document
from intentx.search import SearchIndex
from intentx.study.plan import Data
from intentx.text import Analyzer

__all__ = ["collection_of"]

Given = TypeVar("Given")
Runs = dict[str, Mapping[str, Mapping[str, float]]]  # scores by name, query and document

MOST_SEARCHED = 1_000_000  # documents of a dataset that are indexed without being asked for


class _Source(NamedTuple):
    """What there is to be read: documents come last, when it is known which are needed."""

    name: str
    queries: Mapping[str, str]
    runs: Runs
    documents: Callable[[set[str] | None], Iterable[Document]]  # those of these ids; None: all


def collection_of(
    data: Data,
    index: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
    analyzer: Analyzer | None = None,
) -> tuple[Collection, SearchIndex | None]:
    """The collection that ``data`` names, with its TREC runs; only the documents that they need.

    Without any run it comes with an index of all documents, to search them.

    Parameters
    ----------
    index, progress
        As `SearchIndex.build` takes them.
    analyzer
        What explanations find words by: the index finds its words as ``bm25`` does beside them.

    Raises
    ------
    InputError
        If something is not there, or broken; the message says where.
    """
    name, queries, runs, documents_of = _source(data)
    runs |= {run: _recorded(path, queries) for run, path in data.runs.items()}
    runs = {
        run: {qid: _first(scores, data.depth) for qid, scores in by_query.items()}
        for run, by_query in runs.items()
    }
    if not runs:
        if data.pool:
            raise InputError(
                f"{name} has no run of {data.pool!r}, the pool: it has none; name files of TREC runs in "
                "[data] runs, or leave the pool out"
            )
        found = SearchIndex.build(
            documents_of(None), index, analyzer=own_words(analyzer), progress=progress
        )
        return Collection(name, found.texts, queries, {}), found
    wanted = {doc for run in runs.values() for scores in run.values() for doc in scores}
    texts = {document.id: document.content for document in documents_of(wanted)}
    for run in data.runs:
        for qid, scores in runs[run].items():
            absent = next((doc for doc in scores if doc not in texts), None)
            if absent is not None:
                raise InputError(
                    f"{data.runs[run]} has document {absent!r} under query {qid!r}, which {name} lacks"
                )
    return Collection(name, texts, queries, runs), None


def _recorded(path: str, queries: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """A run's scores for those of the queries that it has."""
    found = {qid: scores for qid, scores in read_run(path).items() if qid in queries}
    if not found:
        raise InputError(f"{path} has none of the queries, such as {next(iter(queries), 'any')!r}")
    return found


def _first(scores: Mapping[str, float], depth: int) -> dict[str, float]:
    """The first documents, by score."""
    return {doc: scores[doc] for doc in sorted(scores, key=lambda doc: -scores[doc])[:depth]}


def _source(data: Data) -> _Source:
    if data.docs is not None:
        return _files(data.docs, str(data.topics))
    if data.folder is not None:
        data.look_for_files()
        return _folder(data.folder)
    if data.beir is not None:
        return _beir(Path(data.beir))
    return _ir_dataset(str(data.ir_datasets))


def _files(docs: str, topics: str) -> _Source:
    return _Source(docs, read_queries(topics), {}, lambda wanted: read_documents(docs, wanted))


def _folder(folder: str) -> _Source:
    found = read_collection(folder)
    documents = [Document(doc_id, text) for doc_id, text in found.texts.items()]
    return _Source(found.name, found.queries, dict(found.runs), lambda wanted: documents)


def _beir(folder: Path) -> _Source:
    """BEIR's form: ids under ``_id``, and qrels in a TSV file with a head."""
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r} with corpus.jsonl and queries.jsonl")
    corpus, listed = file_in(folder, "corpus.jsonl"), file_in(folder, "queries.jsonl")
    queries = read_queries(listed)
    judged = sorted((folder / "qrels").glob("*.tsv"))
    test = next((path for path in judged if path.stem == "test"), judged[0] if judged else None)
    if test is not None:
        wanted = _judged(test)
        queries = {qid: query for qid, query in queries.items() if qid in wanted} or queries
    return _Source(folder.name, queries, {}, lambda wanted: read_documents(corpus, wanted))


def _judged(qrels: Path) -> set[str]:
    """Ids of the queries in judgements: ``query<TAB>document<TAB>grade``, below a head or not."""
    found = set()
    for where, line in numbered_lines(qrels):
        columns = line.split("\t")
        if len(columns) != 3:
            raise InputError(f"{where}: query-id<TAB>corpus-id<TAB>score expected, not {excerpt(line)}")
        found.add(columns[0])  # that of a head is the id of no query
    return found


def _ir_dataset(name: str) -> _Source:
    try:
        import ir_datasets
    except ImportError as error:
        raise MissingExtraError("ir_datasets", "study") from error
    try:
        dataset: Any = ir_datasets.load(name)
    except KeyError as error:
        raise InputError(f"ir_datasets knows no dataset {name!r}") from error

    def documents(wanted: set[str] | None) -> Iterator[Document]:
        try:
            for number, doc in enumerate(
                dataset.docs_iter() if wanted is None else dataset.docs.lookup_iter(wanted)
            ):
                if wanted is None and number == MOST_SEARCHED:
                    raise InputError(
                        f"{name} has more than {MOST_SEARCHED:,} documents and no run: name TREC runs, "
                        "[data] runs = ['FILE']"
                    )
                yield Document(doc.doc_id, doc.default_text())
        except NO_DATA as error:
            raise _cannot(name, error) from error

    def scored() -> Runs:
        found: dict[str, dict[str, float]] = {}
        if dataset.has_scoreddocs():
            for row in dataset.scoreddocs_iter():
                found.setdefault(row.query_id, {})[row.doc_id] = float(row.score)
        return {"scoreddocs": found} if found else {}

    queries = _given(name, lambda: {q.query_id: q.default_text() for q in dataset.queries_iter()})
    return _Source(name, queries, _given(name, scored), documents)


def _given(name: str, read: Callable[[], Given]) -> Given:
    """What a dataset gives, or why it does not."""
    try:
        return read()
    except NO_DATA as error:
        raise _cannot(name, error) from error


NO_DATA = (KeyError, AttributeError, NotImplementedError, OSError)


def _cannot(name: str, error: Exception) -> InputError:
    return InputError(f"ir_datasets cannot give {name!r}: {error}")
