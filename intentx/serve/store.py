"""What the server keeps: answers, jobs and snapshots, in one file of SQLite."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from intentx.errors import InputError

__all__ = ["RESUMED", "Store", "StoreError", "now"]

VERSION = 1
FILE = "serve.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, collection TEXT NOT NULL, question BLOB NOT NULL,
    answer BLOB NOT NULL, python TEXT NOT NULL, made TEXT NOT NULL, seconds REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS answers_made ON answers (made);
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, made TEXT NOT NULL,
    question BLOB NOT NULL, error BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS snapshots (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, collection TEXT NOT NULL, ranker TEXT NOT NULL,
    k INTEGER NOT NULL, made TEXT NOT NULL, rankings BLOB NOT NULL
) STRICT;
"""
JOBS_KEPT = 10_000  # the last ones: a job is of use as long as someone waits for it
_FORGET = "DELETE FROM jobs WHERE id NOT IN (SELECT id FROM jobs ORDER BY made DESC, rowid DESC LIMIT ?)"
RESUMED = "resumed"  # of a job that another server began, and that is asked again: once only
Found = TypeVar("Found")


class StoreError(Exception):
    """The state folder cannot be read or written just now."""


def now() -> str:
    """The time, as people and programs read it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """The state of a server on disk; safe against a kill at any moment.

    Parameters
    ----------
    folder
        Made if need be.

    Raises
    ------
    InputError
        If the folder cannot be written, or its file is damaged or of another version.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.keep("k1", "explain", "demo", {"query": "tea"}, {"terms": ["tea"]}, "", 0.5)
    ...     store.answer("k1")["answer"], store.answer("k2")
    ({'terms': ['tea']}, None)
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / FILE
        self._one = threading.Lock()
        self._noted = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, check_same_thread=False, timeout=10)
            weakref.finalize(self, self._db.close)  # of a server that is refused, which nobody closes
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise InputError(
                    f"{self.path} is of version {version}, and this intentx knows version {VERSION}; "
                    "give another folder with --state"
                )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
            with self._db:
                self._db.execute(f"PRAGMA user_version={VERSION}")
                self.unfinished = self._unfinished()
                self.lost = self._db.execute(
                    "UPDATE jobs SET state='lost' WHERE state IN ('queued', 'running', ?)", (RESUMED,)
                ).rowcount
                self._db.execute(_FORGET, (JOBS_KEPT,))
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"the state folder {self.path.parent} cannot be used ({error}); make it writable, make "
                "room on its disk, or give another one with --state"
            ) from error

    def _unfinished(self) -> list[dict[str, Any]]:
        """Jobs that a server before this one had begun, and that were not resumed before."""
        rows = self._db.execute(
            "SELECT id, key, kind, question FROM jobs WHERE state IN ('queued', 'running') "
            "ORDER BY made, id"
        )
        return [
            {"id": job_id, "key": key, "kind": kind, "question": _unpacked(question)}
            for job_id, key, kind, question in rows
        ]

    def close(self) -> None:
        """Let go of the file."""
        with self._one:
            self._db.close()

    def keep(
        self, key: str, kind: str, collection: str, question: Any, answer: Any, python: str,
        seconds: float,
    ) -> None:  # fmt: skip
        """Keep an answer.

        Raises
        ------
        StoreError
            If it cannot be written, such as on a full disk; what was kept before is as it was.
        """
        row = key, kind, collection, _packed(question), _packed(answer), python, now(), seconds
        self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def answer(self, key: str) -> dict[str, Any] | None:
        """What was kept under a key."""
        rows = self._read(
            "SELECT key, kind, question, answer, python, made, seconds FROM answers WHERE key=?", (key,)
        )
        for key_, kind, question, answer, python, made, seconds in rows:
            return {
                "key": key_, "kind": kind, "question": _unpacked(question), "answer": _unpacked(answer),
                "python": python, "made": made, "seconds": seconds,
            }  # fmt: skip
        return None

    def history(self, collection: str | None, limit: int) -> list[dict[str, Any]]:
        """Questions that were answered, the last one first."""
        rows = self._read(
            "SELECT key, kind, question, made, seconds FROM answers WHERE ?1 IS NULL OR collection=?1 "
            "ORDER BY made DESC, key LIMIT ?2",
            (collection, limit),
        )
        names = "key", "kind", "question", "made", "seconds"
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**one, "question": _unpacked(one["question"])} for one in found]

    def job(self, job_id: str) -> dict[str, Any] | None:
        """A job of this server or of one before it."""
        for key, kind, state, error in self._read(
            "SELECT key, kind, state, error FROM jobs WHERE id=?", (job_id,)
        ):
            return {
                "id": job_id, "key": key, "kind": kind, "state": state,
                "error": None if error is None else _unpacked(error),
            }  # fmt: skip
        return None

    def note_job(
        self, job_id: str, key: str, kind: str, state: str, question: Any, error: Any = None
    ) -> None:
        """Write down where a job is."""
        packed = None if error is None else _packed(error)
        self._write(
            "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job_id, key, kind, state, now(), _packed(question), packed),
        )
        self._noted += 1
        if self._noted >= JOBS_KEPT:
            self._noted = 0
            self._write(_FORGET, (JOBS_KEPT,))

    def keep_snapshot(self, snapshot: dict[str, Any]) -> None:
        """Keep rankings; errors as `keep`."""
        names = "id", "name", "collection", "ranker", "k", "made"
        row = *(snapshot[name] for name in names), _packed(snapshot["rankings"])
        self._write("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def snapshots(self, snapshot_id: str | None = None) -> list[dict[str, Any]]:
        """All snapshots, the last one first, or the one of an id."""
        rows = self._read(
            "SELECT id, name, collection, ranker, k, made, rankings FROM snapshots "
            "WHERE ?1 IS NULL OR id=?1 ORDER BY made DESC, id",
            (snapshot_id,),
        )
        names = "id", "name", "collection", "ranker", "k", "made", "rankings"
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**one, "rankings": _unpacked(one["rankings"])} for one in found]

    def _write(self, statement: str, values: Iterable[Any]) -> None:
        def write() -> None:
            with self._db:
                self._db.execute(statement, tuple(values))

        self._guarded(write)

    def _read(self, statement: str, values: Iterable[Any]) -> list[Any]:
        return self._guarded(lambda: self._db.execute(statement, tuple(values)).fetchall())

    def _guarded(self, work: Callable[[], Found]) -> Found:
        with self._one:
            try:
                return work()
            except (sqlite3.Error, OSError) as error:
                raise StoreError(
                    f"the state folder {self.path.parent} cannot be used just now: {error}"
                ) from error


def _packed(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _unpacked(packed: bytes) -> Any:
    return msgspec.json.decode(packed)
