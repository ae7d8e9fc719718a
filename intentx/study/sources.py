"""Where the collections of studies come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intentx.datasets import read_collection, read_documents, read_queries
from intentx.datasets.collection import Collection
from intentx.errors import InputError, MissingExtraError
from intentx.files import numbered_lines
from intentx.rankers import read_run
from intentx.study.plan import Data

__all__ = ["collection_of"]


def collection_of(data: Data) -> Collection:
    """The collection that ``data`` names: a folder, BEIR's, one of ir_datasets, or files.

    Raises
    ------
    InputError
        If it is not there, or broken; the message says where.
    """
    if data.docs is not None:
        return _files(data)
    if data.folder is not None:
        if not Path(data.folder).is_dir():
            raise InputError(
                f"no folder {data.folder!r} with passages, queries and candidates; name yours as "
                "[data] folder, or with --data"
            )
        return read_collection(data.folder)
    if data.beir is not None:
        return _beir(Path(data.beir))
    return _ir_dataset(str(data.ir_datasets))


def _beir(folder: Path) -> Collection:
    """BEIR's form: ids under ``_id``, and qrels in a TSV file with a head."""
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r} with corpus.jsonl and queries.jsonl")
    texts = {document.id: document.content for document in read_documents(_inside(folder, "corpus"))}
    queries = read_queries(_inside(folder, "queries"))
    judged = sorted((folder / "qrels").glob("*.tsv"))
    test = next((path for path in judged if path.stem == "test"), judged[0] if judged else None)
    if test is not None:
        wanted = {line.split("\t")[0] for _, line in numbered_lines(test)}
        queries = {qid: query for qid, query in queries.items() if qid in wanted} or queries
    return Collection(folder.name, texts, queries, {})


def _inside(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
        if path.is_file():
            return path
    raise InputError(f"{folder} lacks {name}.jsonl, gzipped or not")


def _ir_dataset(name: str) -> Collection:
    try:
        import ir_datasets
    except ImportError as error:
        raise MissingExtraError("ir_datasets", "study") from error
    try:
        dataset: Any = ir_datasets.load(name)
    except KeyError as error:
        raise InputError(f"ir_datasets knows no dataset {name!r}") from error
    try:
        queries = {query.query_id: query.default_text() for query in dataset.queries_iter()}
        runs: dict[str, dict[str, dict[str, float]]] = {}
        if dataset.has_scoreddocs():
            scored: dict[str, dict[str, float]] = {}
            for row in dataset.scoreddocs_iter():
                scored.setdefault(row.query_id, {})[row.doc_id] = float(row.score)
            runs["scoreddocs"] = scored
            needed = {doc for scores in scored.values() for doc in scores}
            texts = {doc.doc_id: doc.default_text() for doc in dataset.docs.lookup_iter(needed)}
        else:
            texts = {doc.doc_id: doc.default_text() for doc in dataset.docs_iter()}
    except (KeyError, AttributeError, NotImplementedError, OSError) as error:
        raise InputError(f"ir_datasets cannot give {name!r}: {error}") from error
    return Collection(name, texts, queries, runs)


def _files(data: Data) -> Collection:
    """Documents and queries of a file each, and TREC runs; documents that no run needs are left out."""
    docs, listed = str(data.docs), str(data.topics)
    queries = read_queries(listed)
    runs: dict[str, dict[str, dict[str, float]]] = {}
    for name, path in data.runs.items():
        found = {qid: scores for qid, scores in read_run(path).items() if qid in queries}
        if not found:
            raise InputError(f"{path} has no query of {listed}")
        runs[name] = {qid: _first(scores, data.depth) for qid, scores in found.items()}
    wanted = {doc for run in runs.values() for scores in run.values() for doc in scores}
    read = read_documents(docs, wanted if runs else None)
    texts = {document.id: document.content for document in read}
    for name, run in runs.items():
        for qid, scores in run.items():
            absent = next((doc for doc in scores if doc not in texts), None)
            if absent is not None:
                raise InputError(
                    f"{data.runs[name]} has document {absent!r} under query {qid!r}, which {docs} lacks"
                )
    return Collection(Path(docs).name, texts, queries, runs)


def _first(scores: dict[str, float], depth: int) -> dict[str, float]:
    """The first documents of a run, by score."""
    return {doc: scores[doc] for doc in sorted(scores, key=lambda doc: -scores[doc])[:depth]}
