"""The folder of an index: complete or not there, whatever happens to the process that writes it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intentx.documents import Document
from intentx.errors import InputError
from intentx.search.build import Settings, add_all, agreeing
from intentx.search.store import DocumentStore
from intentx.search.weights import weights_of
from intentx.text import Analyzer

if TYPE_CHECKING:
    from bm25s import BM25

__all__ = ["IndexFolder"]

FORMAT = "intentx.search/1"
HEAD, LOCK, BUILDING, DOCUMENTS, WEIGHTS = (
    "index.json",
    "index.lock",
    "building",
    "documents.sqlite",
    "bm25",
)
GENERATION = "index-"  # what the folders of finished indexes begin with
AGAIN = "delete the folder and build it again"


class IndexFolder:
    """A folder with ``index.json``, which names a subfolder with the documents and the weights.

    A new index is made in ``building``, renamed, and then named by ``index.json``, in one step; the
    old one is deleted after that. What is open stays readable.

    Raises
    ------
    InputError
        If the path is no folder, or holds other files.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; an index needs a folder")

    def open(self, analyzer: Analyzer | None) -> tuple[DocumentStore, BM25, Settings, str]:
        """Documents, weights, settings and fingerprint of the index."""
        while True:
            head = self._head()
            try:
                return self._opened(head, analyzer)
            except InputError:
                if self._head() == head:  # it was not replaced just now
                    raise

    def build(
        self,
        documents: Iterator[Document],
        settings: Settings,
        workers: int,
        progress: Callable[[int], None] | None,
    ) -> None:
        """Make the index of these documents, where the folder does not have it."""
        with self._locked():
            try:
                rest = self._unless_there(documents, settings)
                if rest is None:
                    return
                digest = self._make(rest, settings, workers, progress)
                self._publish(settings, digest)
            except (OSError, sqlite3.Error) as error:
                raise InputError(f"the index cannot be kept in {self.path}: {error}") from error

    def _unless_there(
        self, documents: Iterator[Document], settings: Settings
    ) -> Iterator[Document] | None:
        """The documents, None if the folder has the index of just these."""
        try:
            head = self._head()
            if head["settings"] != settings.to_dict():
                return documents
            store, *_ = self._opened(head, settings.analyzer)
        except InputError:  # none, or a damaged one
            return documents
        count, _, rest, more = agreeing(store.documents(), documents)
        other = next(rest, None)
        if other is None and not more:
            store.close()
            return None
        # They may be readable once only: what was read stands in the old index, too.
        after = [] if other is None else [other]
        return itertools.chain(itertools.islice(store.documents(), count), after, rest)

    def _make(
        self,
        documents: Iterator[Document],
        settings: Settings,
        workers: int,
        progress: Callable[[int], None] | None,
    ) -> bytes:
        """All files of the index in ``building``; returns the digest of the documents."""
        building = self.path / BUILDING
        store = self._begun(building / DOCUMENTS, settings)
        try:
            digest = add_all(store, documents, settings, workers, progress)
            shutil.rmtree(building / WEIGHTS, ignore_errors=True)
            weights_of(store, settings).save(building / WEIGHTS, show_progress=False)
        finally:
            store.close()
        return digest

    def _begun(self, path: Path, settings: Settings) -> DocumentStore:
        """What an earlier build with the same settings has left, or a new file."""
        if path.is_file():
            with contextlib.suppress(sqlite3.Error):
                store = DocumentStore(path, write=True)
                if store.mark() == settings.mark():
                    return store
                store.close()
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        store = DocumentStore(path, write=True)
        store.set_mark(settings.mark())
        return store

    def _publish(self, settings: Settings, digest: bytes) -> None:
        building = self.path / BUILDING
        files = {
            path.relative_to(building).as_posix(): _mark_of(path)
            for path in sorted(building.rglob("*"))
            if path.is_file()
        }
        for name in files:
            _sync(building / name)
        name = f"{GENERATION}{digest.hex()[:8]}-{secrets.token_hex(4)}"
        building.rename(self.path / name)
        head = {
            "format": FORMAT,
            "settings": settings.to_dict(),
            "documents": digest.hex(),
            "folder": name,
            "files": files,
        }
        new = self.path / f"{HEAD}.new"
        new.write_text(json.dumps(head, indent=1), encoding="utf-8")
        _sync(new)
        new.replace(self.path / HEAD)
        for old in self.path.glob(f"{GENERATION}*"):
            if old.is_dir() and old.name != name:
                shutil.rmtree(old, ignore_errors=True)

    def _head(self) -> dict[str, Any]:
        """What ``index.json`` says."""
        path = self.path / HEAD
        if not path.is_file():
            begun = " complete" if (self.path / BUILDING).is_dir() else ""
            raise InputError(
                f"no{begun} search index in {self.path}; SearchIndex.build(documents, folder) makes one"
            )
        try:
            head: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found = head["format"]
            if found == FORMAT:
                head["settings"]["analyzer"], head["documents"], head["folder"], head["files"].items()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} is damaged ({error}); {AGAIN}") from error
        if found != FORMAT:
            raise InputError(
                f"{path} has the format {found!r}, and this intentx reads {FORMAT!r}; {AGAIN}"
            )
        return head

    def _opened(
        self, head: dict[str, Any], analyzer: Analyzer | None
    ) -> tuple[DocumentStore, BM25, Settings, str]:
        from bm25s import BM25

        inside = self.path / Path(head["folder"]).name
        for name, mark in head["files"].items():
            if not (inside / name).is_file():
                raise InputError(f"the index in {self.path} is damaged: {name} is missing; {AGAIN}")
            if _mark_of(inside / name) != mark:
                raise InputError(
                    f"the index in {self.path} is damaged: {name} has changed since it was written; "
                    f"{AGAIN}"
                )
        settings = self._settings(head["settings"], analyzer)
        try:
            model = BM25.load(
                inside / WEIGHTS, mmap=True, load_vocab=False, show_progress=False, verbosity=0
            )
            store = DocumentStore(inside / DOCUMENTS, write=False)
            count = len(store)
        except (OSError, ValueError, KeyError, EOFError, sqlite3.Error) as error:
            raise InputError(f"the index in {self.path} is damaged ({error}); {AGAIN}") from error
        scores = model.scores
        ends = scores["indptr"][-1] if len(scores["indptr"]) else 0
        if not (count == scores["num_docs"] and ends == len(scores["data"]) == len(scores["indices"])):
            store.close()
            raise InputError(
                f"the index in {self.path} is damaged: {count} documents, and weights for "
                f"{scores['num_docs']}; {AGAIN}"
            )
        return store, model, settings, head["documents"]

    def _settings(self, plain: dict[str, Any], analyzer: Analyzer | None) -> Settings:
        """The settings that the index was built with, if words are still found in that way."""
        kept = {key: value for key, value in plain["analyzer"].items() if key != "sample"}
        try:
            settings = Settings(analyzer or Analyzer.from_dict(kept), plain["k1"], plain["b"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the analyzer of the index in {self.path} is unknown: {error}") from error
        now = settings.to_dict()["analyzer"]
        if now != plain["analyzer"]:
            changed = [key for key in now if now[key] != plain["analyzer"].get(key)]
            told = [f"{key} is {kept.get(key)!r}, not {now[key]!r}" for key in changed if key in kept]
            problem = ", ".join(told) or "this version finds other words in a text than the one before"
            raise InputError(
                f"the index in {self.path} was built with another analyzer ({problem}); build it again, "
                "or in another folder"
            )
        return settings

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Around writing: one process at a time; the lock ends with its process, however it ends."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            ours = {HEAD, LOCK, BUILDING, f"{HEAD}.new"}
            names = {path.name for path in self.path.iterdir()}
            if names and not names & ours:
                raise InputError(
                    f"{self.path} holds other files, such as {min(names)!r}; name a folder of its own "
                    "for the index"
                )
            lock = sqlite3.connect(self.path / LOCK, isolation_level=None, timeout=1)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"the index cannot be kept in {self.path}: {error}") from error
        with contextlib.closing(lock):
            while True:
                try:
                    lock.execute("BEGIN EXCLUSIVE")
                    break
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error):
                        raise InputError(f"the index cannot be kept in {self.path}: {error}") from error
            yield


def _sync(path: Path) -> None:
    """Wait until a file is on disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _mark_of(path: Path) -> list[int]:
    """Size and checksum of a file; no checksum of the documents, which may be large: SQLite checks."""
    size = path.stat().st_size
    if path.name == DOCUMENTS:
        return [size]
    checksum = 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            checksum = zlib.crc32(part, checksum)
    return [size, checksum]
