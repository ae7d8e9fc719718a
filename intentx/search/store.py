"""The documents of an index in SQLite, with the terms that each of them holds."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from intentx.documents import Document
from intentx.errors import InputError

__all__ = ["DocumentStore", "Ints"]

Ints = npt.NDArray[np.int32]

# Texts are kept as bytes: some hold half of a surrogate pair, which SQLite takes for no text.
TABLES = """
CREATE TABLE documents (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, title BLOB NOT NULL,
    text BLOB NOT NULL);
CREATE TABLE occurrences (place INTEGER PRIMARY KEY, terms BLOB NOT NULL);
CREATE TABLE vocabulary (term BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE settings (mark TEXT NOT NULL);
"""
CACHE = 32 * 1024  # KiB of the file that are held in memory, at most; ids come in any order
MOST_KEYS = 900  # in one query; older builds of SQLite take 999


class DocumentStore:
    """Documents by their places from 0, and the numbers of their terms.

    Parameters
    ----------
    path
        The file; None: in memory.
    write
        Whether documents will be added. A file that is only read never changes any more.
    """

    def __init__(self, path: Path | None, *, write: bool) -> None:
        self.path = path
        self.write = write
        self._one = threading.RLock()
        self._connections: dict[int, sqlite3.Connection] = {}
        self._memory: sqlite3.Connection | None = None
        if path is None:
            self._memory = _connected(":memory:")
        if write and not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._connection.executescript(f"BEGIN; {TABLES} COMMIT;")

    @property
    def _connection(self) -> sqlite3.Connection:
        """This process's own: connections to a file must not be used after a fork."""
        if self._memory is not None or self.path is None:
            return cast("sqlite3.Connection", self._memory)
        here = os.getpid()
        with self._one:
            if here not in self._connections:
                name = f"file:{quote(str(self.path.absolute()))}"
                name += "?mode=rwc" if self.write else "?mode=ro&immutable=1"
                self._connections[here] = _connected(name)
            return self._connections[here]

    def close(self) -> None:
        """Let go of the file."""
        with self._one:
            for process, connection in self._connections.items():
                if process == os.getpid():  # a parent's are the parent's
                    connection.close()
            self._connections.clear()
            if self._memory is not None:
                self._memory.close()

    def __del__(self) -> None:
        self.close()  # of an index that nobody closed: from Python 3.13 on, SQLite warns of those

    def mark(self) -> str | None:
        """What `set_mark` was told: what the terms depend on."""
        found = self._connection.execute("SELECT mark FROM settings").fetchone()
        return None if found is None else str(found[0])

    def set_mark(self, mark: str) -> None:
        self._connection.execute("DELETE FROM settings")
        self._connection.execute("INSERT INTO settings VALUES (?)", (mark,))

    def __len__(self) -> int:
        found: int = self._connection.execute("SELECT max(place) FROM documents").fetchone()[0]
        return 0 if found is None else found + 1

    def add(
        self,
        start: int,
        documents: Sequence[Document],
        terms: Iterable[Ints],
        new: Iterable[str],
        old: int,
    ) -> None:
        """Add documents from the place ``start`` with the numbers of their terms, in one transaction.

        Parameters
        ----------
        new, old
            Terms that were in none of the documents before, and how many there were already.

        Raises
        ------
        InputError
            If an id is there already; nothing is added then.
        """
        connection = self._connection
        rows = [
            (start + i, _bytes(one.id), _bytes(one.title), _bytes(one.text))
            for i, one in enumerate(documents)
        ]
        with self._one:
            connection.execute("BEGIN")
            try:
                connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?)", rows)
                numbers = ((start + i, row.tobytes()) for i, row in enumerate(terms))
                connection.executemany("INSERT INTO occurrences VALUES (?, ?)", numbers)
                words = ((_bytes(term), old + i) for i, term in enumerate(new))
                connection.executemany("INSERT INTO vocabulary VALUES (?, ?)", words)
                connection.execute("COMMIT")
            except sqlite3.IntegrityError as error:
                connection.execute("ROLLBACK")
                raise InputError(
                    f"document ids must be distinct; repeated: {self._repeated(documents)!r}"
                ) from error
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _repeated(self, documents: Sequence[Document]) -> str:
        seen: set[str] = set()
        for one in documents:
            if one.id in seen or self.places([one.id]):
                return one.id
            seen.add(one.id)
        return ""

    def cut(self, places: int) -> None:
        """Keep the first documents only."""
        self._connection.execute("BEGIN")
        for table in ("documents", "occurrences"):
            self._connection.execute(f"DELETE FROM {table} WHERE place >= ?", (places,))  # noqa: S608
        self._connection.execute("COMMIT")

    def documents(self) -> Iterator[Document]:
        """All documents, by their places."""
        rows = self._connection.execute("SELECT id, title, text FROM documents ORDER BY place")
        for doc_id, title, text in rows:
            yield Document(_text(doc_id), _text(text), _text(title))

    def occurrences(self) -> tuple[Ints, npt.NDArray[np.int64]]:
        """Numbers of all terms as they occur, document after document, and the N lengths."""
        rows = self._connection.execute("SELECT terms FROM occurrences ORDER BY place")
        parts = [terms for (terms,) in rows]
        lengths = np.array([len(part) // 4 for part in parts], dtype=np.int64)
        return np.frombuffer(b"".join(parts), dtype=np.int32), lengths

    def terms(self) -> int:
        """Occurrences of terms in all documents together."""
        ask = "SELECT total(length(terms)) FROM occurrences"
        with self._one:
            return int(self._connection.execute(ask).fetchone()[0]) // 4

    def vocabulary(self) -> dict[str, int]:
        """The number of each term."""
        rows = self._connection.execute("SELECT term, number FROM vocabulary ORDER BY number")
        return {_text(term): number for term, number in rows}

    def numbers(self, terms: Iterable[str]) -> list[int]:
        """The numbers of those of the terms that there are."""
        found = []
        with self._one:
            for term in terms:
                row = self._connection.execute(
                    "SELECT number FROM vocabulary WHERE term = ?", (_bytes(term),)
                ).fetchone()
                if row is not None:
                    found.append(row[0])
        return found

    def ids(self, places: Sequence[int]) -> tuple[str, ...]:
        """The ids of the documents at some places."""
        found: dict[int, bytes] = {}
        for start in range(0, len(places), MOST_KEYS):
            part = places[start : start + MOST_KEYS]
            marks = ",".join("?" * len(part))
            rows = f"SELECT place, id FROM documents WHERE place IN ({marks})"  # noqa: S608
            with self._one:
                found.update(self._connection.execute(rows, part).fetchall())
        return tuple(_text(found[place]) for place in places)

    def places(self, ids: Iterable[str]) -> list[int]:
        """The places of those of the ids that there are."""
        ask = "SELECT place FROM documents WHERE id = ?"
        with self._one:
            found = [self._connection.execute(ask, (_bytes(doc_id),)).fetchone() for doc_id in ids]
        return [row[0] for row in found if row is not None]

    def sorted_by_id(self) -> Ints:
        """The places of all documents, in the order of their ids."""
        rows = self._connection.execute("SELECT place FROM documents ORDER BY id")
        return np.fromiter((row[0] for row in rows), dtype=np.int32)

    def document(self, doc_id: str) -> Document | None:
        """The document of an id, None if there is none."""
        with self._one:
            row = self._connection.execute(
                "SELECT title, text FROM documents WHERE id = ?", (_bytes(doc_id),)
            ).fetchone()
        return None if row is None else Document(doc_id, _text(row[1]), _text(row[0]))

    def all_ids(self) -> Iterator[str]:
        """All ids, by their places."""
        return (
            _text(row[0]) for row in self._connection.execute("SELECT id FROM documents ORDER BY place")
        )


def _connected(name: str) -> sqlite3.Connection:
    made = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
    made.execute(f"PRAGMA cache_size = -{CACHE}")
    return made


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")
