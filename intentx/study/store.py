"""Results of a study in SQLite: kept as they come, and found again after a crash."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from intentx.equality import equal_by_values
from intentx.errors import DamageWarning, InputError, IntentxError
from intentx.study.store_formats import (
    APPLICATION,
    EARLIER,
    FORMAT,
    READ,
    TABLES,
    mark_of,
    renew,
    view,
)

__all__ = ["Row", "Store", "StoreError"]


class StoreError(IntentxError, RuntimeError):
    """The results cannot be kept, e.g. for a full disk; what was kept before is still there."""


@equal_by_values
@dataclass(frozen=True)
class Row:
    """One cell: a ranking of one query by one ranker, explained by one method.

    Attributes
    ----------
    variant, topic
        What it is of: ranker, method and measures with all their settings; query and documents. The
        same two are the same cell.
    qid, ranker, method
        Names, for people.
    reason
        Why there are no metrics, "" where there are.
    terms
        The intent terms.
    metrics
        What was measured; a metric that is not defined is left out.
    seconds
        Of ours and of the model's: they differ from run to run.
    """

    variant: str
    topic: str
    qid: str
    ranker: str
    method: str
    reason: str
    terms: tuple[str, ...]
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]


class Store:
    """The file ``study.sqlite`` in a folder.

    Rows have checksums: a cell that was damaged on the disk counts as missing, and is measured again.

    Each `add` is one transaction that is on disk when it returns: a killed process, or a machine
    without power, leaves behind all that was added. One process at a time may write: the first one
    holds a lock that ends with it, however it ends.

    Parameters
    ----------
    folder
        Made where there is none.
    write
        Whether cells will be added; else the file must be there.
    lock
        Whether to hold the lock; False in a worker of the process that holds it.

    Raises
    ------
    InputError
        If another process writes there, the file is of another version, or it is no such file.
    """

    def __init__(self, folder: str | Path, *, write: bool, lock: bool = True) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "study.sqlite"
        self._lock: sqlite3.Connection | None = None
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._one = threading.RLock()
        try:
            if write:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock = self._locked() if lock else None
            elif not self.path.is_file():
                raise InputError(f"no study in {self.folder}: intentx bench STUDY --out DIR makes one")
            self._file = _connected(self.path) if write else self._readable()
            self._prepare(write)
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise InputError(f"the results of a study cannot be kept in {self.path}: {error}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file and the lock."""
        for connection in (getattr(self, "_file", None), self._lock):
            if connection is not None:
                connection.close()
        self._lock = None
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def _locked(self) -> sqlite3.Connection:
        """A connection that keeps others from writing until it is closed, or its process ends."""
        lock = sqlite3.connect(self.folder / "study.lock", isolation_level=None, timeout=0)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            raise InputError(
                f"another process is running a study in {self.folder}; wait for it, or name another "
                "folder with --out"
            ) from error
        return lock

    def _prepare(self, write: bool) -> None:
        # First, as another process may be making the tables now.
        empty = not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        made = self._file.execute("PRAGMA application_id").fetchone()[0]
        version = self._file.execute("PRAGMA user_version").fetchone()[0]
        if empty and not write:
            raise InputError(f"the study in {self.folder} has not begun")
        if empty:
            self._file.executescript(
                f"PRAGMA journal_mode = WAL; BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; "
                f"PRAGMA user_version = {FORMAT}; COMMIT;"
            )
        elif made != APPLICATION:
            raise InputError(f"{self.path} is not the database of a study; name another folder")
        elif version in EARLIER:
            (renew if write else view)(self._file)
        elif version != FORMAT:
            raise InputError(
                f"{self.path} has format {version}, and this intentx reads {FORMAT}; run the study in a "
                "new folder"
            )
        self._file.execute("PRAGMA synchronous = FULL")

    def _readable(self) -> sqlite3.Connection:
        """A connection for reading, also where nothing can be written: SQLite's log needs a file."""
        file = _connected(self.path)
        try:
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            file.close()
        except sqlite3.Error:  # of a damaged file
            file.close()
            raise
        else:
            return file
        log = self.path.with_name(f"{self.path.name}-wal")
        if not log.exists() or not log.stat().st_size:
            return _connected(f"{self.path.resolve().as_uri()}?immutable=1")
        self._copy = tempfile.TemporaryDirectory(prefix="intentx-")  # a log that is not taken in yet
        for one in (self.path, log):
            shutil.copyfile(one, Path(self._copy.name) / one.name)
        return _connected(Path(self._copy.name) / self.path.name)

    def set_study(self, plain: Mapping[str, Any], variants: Mapping[str, tuple[str, str]]) -> None:
        """Which study the folder is of, with ranker and method of each of its variants.

        Cells of earlier settings or data stay, and are not part of it.
        """
        with self._transaction():
            before = self._one_row(READ["study"])
            same = before is None or (
                _is_whole(before) and json.loads(before[0]).get("data") == plain.get("data")
            )
            if not same:
                self._file.execute("DELETE FROM topics")
            parts = json.dumps(plain), json.dumps(variants)
            self._file.execute(
                "INSERT OR REPLACE INTO study VALUES (1, ?, ?, ?)", (*parts, mark_of(*parts))
            )

    def study(self) -> dict[str, Any]:
        """The study that `set_study` was told, as plain data."""
        plain: dict[str, Any] = json.loads(self._study()[0])
        return plain

    def variants(self) -> dict[str, tuple[str, str]]:
        """Ranker and method of each variant of the study, in its order."""
        return {key: (r, m) for key, (r, m) in json.loads(self._study()[1]).items()}

    def _study(self) -> tuple[str, str]:
        """The study and its variants, as JSON."""
        found = self._one_row(READ["study"])
        if found is None:
            raise InputError(f"the study in {self.folder} has not begun")
        if not _is_whole(found):
            raise InputError(
                f"the description of the study in {self.path} is damaged; intentx bench with the "
                "study's file writes it again, and keeps what was measured"
            )
        plain, variants, _ = found
        return plain, variants

    def set_topic(self, place: int, qid: str, query: str, topic: str) -> None:
        """Which query is at a place in the data, and which documents it is about now."""
        row = qid, place, query, topic
        there = f"{READ['topics']} WHERE qid = ?"
        with self._one:
            if self._one_row(there, (qid,)) == (*row, mark_of(*row)):
                return  # as on each later run: nothing to write
        with self._transaction():
            self._file.execute("DELETE FROM topics WHERE place = ?", (place,))
            self._file.execute(
                "INSERT OR REPLACE INTO topics VALUES (?, ?, ?, ?, ?)", (*row, mark_of(*row))
            )

    def end_topics(self, places: int) -> None:
        """The data has so many queries; those behind them are of earlier data."""
        with self._transaction():
            self._file.execute("DELETE FROM topics WHERE place >= ?", (places,))

    def missing(self, topic: str, variants: Sequence[str]) -> list[str]:
        """Those of ``variants`` that this topic has no cell of."""
        every = f"{READ['cells']} WHERE topic = ?"
        with self._one:
            found = list(self._read(every, (topic,)))
        there = {row[0] for row in found if _is_whole(row)}
        damaged = [(row[0], topic) for row in found if not _is_whole(row)]
        if damaged:
            with self._transaction():
                self._file.executemany("DELETE FROM cells WHERE variant = ? AND topic = ?", damaged)
        return [variant for variant in variants if variant not in there]

    def add(self, rows: Iterable[Row]) -> None:
        """Keep cells.

        Raises
        ------
        StoreError
            If they cannot be written.
        """
        with self._transaction():
            for row in rows:
                parts = (
                    *(row.variant, row.topic, row.qid, row.ranker, row.method, row.reason),
                    json.dumps(row.terms, ensure_ascii=False),
                    json.dumps(row.metrics, allow_nan=False),
                    json.dumps(row.seconds, allow_nan=False),
                )
                self._file.execute(
                    "INSERT OR IGNORE INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*parts, mark_of(*parts)),
                )

    def rows(self, variants: Sequence[str] | None = None) -> Iterator[Row]:
        """Cells of the current topics, in their order, and of ``variants`` in theirs; None: of all."""
        for _, _, _, topic in self.topics():
            yield from self.cells(topic, variants)

    def cells(self, topic: str, variants: Sequence[str] | None = None) -> Iterator[Row]:
        """Cells of one topic, in the order of ``variants``; None: all, by ranker and method."""
        if variants is None:
            every = "SELECT variant FROM cells WHERE topic = ? ORDER BY ranker, method, variant"
            variants = [variant for (variant,) in self._read(every, (topic,))]
        one = f"{READ['cells']} WHERE variant = ? AND topic = ?"
        for variant in variants:
            found = self._one_row(one, (variant, topic))
            if found is None:
                continue
            if not _is_whole(found):
                self._warn("a cell")
                continue
            _, _, qid, ranker, method, reason, *plain, _ = found
            terms, metrics, seconds = map(json.loads, plain)
            names = variant, topic, qid, ranker, method, reason
            yield Row(*names, tuple(terms), metrics, seconds)

    def _warn(self, what: str) -> None:
        warnings.warn(
            f"{what} in {self.path} is damaged and left out; intentx bench with the study's file "
            "measures it again",
            DamageWarning,
            stacklevel=3,
        )

    def topics(self) -> Iterator[tuple[int, str, str, str]]:
        """Place in the data, id, text and digest of the current queries, in the order of the data."""
        for row in self._read(f"{READ['topics']} ORDER BY place, qid"):
            if not _is_whole(row):
                self._warn("a query")
                continue
            qid, place, query, topic, _ = row
            yield place, qid, query, topic

    def _read(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows that are read as they are asked for."""
        try:
            yield from self._file.execute(query, values)
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self.path} is damaged: {error}; restore a copy of it, or move it away and run the "
                "study again"
            ) from error

    def _one_row(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        return next(self._read(query, values), None)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._one:
            try:
                self._file.execute("BEGIN IMMEDIATE")
                yield
                self._file.execute("COMMIT")
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    self._file.execute("ROLLBACK")
                raise StoreError(
                    f"results cannot be written to {self.path}: {error}; all earlier ones are kept; run "
                    "the same command again to resume"
                ) from error


def _connected(path: Path | str) -> sqlite3.Connection:
    # joblib asks for tasks, and so for what is missing, from a thread of its own.
    found = sqlite3.connect(
        path, isolation_level=None, timeout=30, check_same_thread=False, uri=isinstance(path, str)
    )
    found.text_factory = lambda content: content.decode("utf-8", "replace")  # what is damaged, too
    return found


def _is_whole(row: Sequence[object]) -> bool:
    """Whether a row, its checksum last, is as it was written."""
    return row[-1] == mark_of(*row[:-1])
