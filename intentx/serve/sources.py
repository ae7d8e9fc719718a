"""Where the documents of a collection come from, and how they are known again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intentx.datasets import read_queries
from intentx.datasets.collection import file_in
from intentx.datasets.readers import stream_documents
from intentx.documents import Document
from intentx.errors import InputError, MissingExtraError
from intentx.files import PACKED

__all__ = ["Source", "beir_source", "file_source", "folder_source", "ir_datasets_source"]

UNREADABLE = KeyError, AttributeError, NotImplementedError, OSError, RuntimeError
PART = 1 << 20  # bytes of a file that are read at a time


@dataclass(frozen=True)
class Source:
    """The documents of one collection.

    Attributes
    ----------
    name
        What the collection is called.
    documents
        Gives its documents, from the first on each time.
    queries
        Texts of its queries by their ids.
    files
        The files that its documents stand in.
    version
        What else its documents depend on.
    """

    name: str
    documents: Callable[[], Iterator[Document]]
    queries: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    version: str = ""

    @property
    def key(self) -> str:
        """Tells it from other sources: where its files are, or what it is called."""
        parts = [self.version, *(os.fsdecode(path.resolve()) for path in self.files)]
        content = "\0".join(parts).encode("utf-8", "surrogateescape")
        return hashlib.blake2b(content, digest_size=6).hexdigest()

    def state(self) -> dict[str, Any]:
        """How its files stand, by what the system says of them without reading."""
        found = []
        for path in self.files:
            try:
                stat = path.stat()
            except OSError as error:
                raise InputError(f"cannot read {path}: {error.strerror or error}") from error
            found.append([stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino])
        return {"version": self.version, "files": found}

    def digest(self) -> str:
        """A digest of all that its files hold."""
        digest = hashlib.blake2b(self.version.encode(), digest_size=16)
        for path in self.files:
            try:
                with path.open("rb") as file:
                    while part := file.read(PART):
                        digest.update(part)
            except OSError as error:
                raise InputError(f"cannot read {path}: {error.strerror or error}") from error
            digest.update(path.stat().st_size.to_bytes(8, "little"))
        return digest.hexdigest()


def file_source(path: str | Path) -> Source:
    """Documents of a JSONL or TSV file, packed or not; see `intentx.datasets.read_documents`.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if str(path) == "-":
        raise InputError("documents of a server cannot come from standard input; name a file")
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file of documents, or the folder with --data")
    if not path.exists():
        raise InputError(f"no file {str(path)!r} with documents")
    name = path.name
    for ending in (*PACKED, ".jsonl", ".json", ".tsv", ".txt"):
        name = name.removesuffix(ending)
    return Source(name or path.name, lambda: stream_documents(path), files=(path,))


def folder_source(folder: str | Path) -> Source:
    """The passages of a folder, and its queries where it has some; see `read_collection`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r} with passages.jsonl or passages.tsv")
    passages = file_in(folder, "passages.jsonl", "passages.tsv")
    queries = _queries(folder, "queries.tsv", "queries.jsonl")
    return Source(_named(folder), lambda: stream_documents(passages), queries, (passages,))


def beir_source(folder: str | Path) -> Source:
    """The documents of a folder in BEIR's form, and its queries where it has some."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r} with corpus.jsonl")
    corpus = file_in(folder, "corpus.jsonl")
    queries = _queries(folder, "queries.jsonl")
    return Source(_named(folder), lambda: stream_documents(corpus), queries, (corpus,))


def ir_datasets_source(name: str) -> Source:
    """The documents of a dataset of the package ir_datasets, which fetches and keeps them.

    Raises
    ------
    InputError
        If it knows no such dataset, or the dataset has no documents.
    MissingExtraError
        Without ir_datasets.
    """
    try:
        import ir_datasets
    except ImportError as error:
        raise MissingExtraError("ir_datasets", "study") from error
    try:
        dataset: Any = ir_datasets.load(name)
    except (KeyError, TypeError) as error:
        raise InputError(f"ir_datasets knows no dataset {name!r}") from error
    if not dataset.has_docs():
        raise InputError(f"the dataset {name!r} of ir_datasets has no documents")

    def documents() -> Iterator[Document]:
        try:
            for doc in dataset.docs_iter():
                title, text = getattr(doc, "title", None), getattr(doc, "text", None)
                if isinstance(title, str) and isinstance(text, str):
                    yield Document(doc.doc_id, text, title)
                else:
                    yield Document(doc.doc_id, doc.default_text())
        except UNREADABLE as error:
            raise _not_given(name, error) from error

    queries = {}
    try:
        count = dataset.docs_count()
        if dataset.has_queries():
            queries = {one.query_id: one.default_text() for one in dataset.queries_iter()}
    except UNREADABLE as error:
        raise _not_given(name, error) from error
    version = f"ir_datasets {ir_datasets.__version__} {name} {count}"
    return Source(name, documents, queries, version=version)


def _not_given(name: str, error: Exception) -> InputError:
    """Says what ir_datasets said; of a failed download not the whole chain of errors."""
    said = error.args[0] if error.args else type(error).__name__
    todo = ""
    if isinstance(error, RuntimeError):
        todo = (
            "; look whether this machine reaches the network, or fetch the dataset elsewhere and copy it"
        )
    return InputError(f"ir_datasets cannot give {name!r}: {said}{todo}")


def _named(folder: Path) -> str:
    return folder.name or folder.resolve().name or str(folder)


def _queries(folder: Path, *names: str) -> Mapping[str, str]:
    """The queries of a folder; none where it has no such file."""
    there = any((folder / f"{name}{end}").is_file() for name in names for end in ("", *PACKED))
    return read_queries(file_in(folder, *names)) if there else {}
