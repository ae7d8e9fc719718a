"""Files of SQLite that remember answers for any number of processes: `KeptFile`."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from intentx.errors import CacheWarning, InputError

__all__ = ["PATIENCE", "KeptFile"]

PATIENCE = 30.0  # seconds that one process waits for another's write, which takes milliseconds

Connections = dict[tuple[int, int], sqlite3.Connection]


class KeptFile:
    """One SQLite file with one table, made where there is none; a file of something else is refused.

    Each write is one transaction in SQLite's write-ahead log: a killed process leaves everything
    behind that it kept. Processes may read and write at the same time, on one machine; a folder
    shared over a network is no place for the file. It may be used by threads and survives a fork.

    Attributes
    ----------
    HOLDS
        What it holds, for messages.
    APPLICATION, FORMAT
        What SQLite keeps in a file's head for its owner.
    TABLE
        The statement that makes the table.

    Raises
    ------
    InputError
        If the file cannot be read and written, or holds something else.
    """

    HOLDS: ClassVar[str]
    APPLICATION: ClassVar[int]
    FORMAT: ClassVar[int]
    TABLE: ClassVar[str]

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._lost = False
        self._connections: Connections = {}
        weakref.finalize(self, _close, self._connections)
        if not self.path.parent.is_dir():
            raise InputError(f"no folder {self.path.parent} for the {self.HOLDS}")
        try:
            self._prepare()
        except sqlite3.Error as error:
            raise InputError(
                f"{self.HOLDS} cannot be kept in {self.path}: {error}; name a new file, or one made by "
                "intentx"
            ) from error
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file; the next use of it opens it again."""
        _close(self._connections)

    @property
    def _connection(self) -> sqlite3.Connection:
        """This thread's own in this process: SQLite's connections must not be used after a fork."""
        threading.current_thread()  # known by name from here on, whoever started it
        here = os.getpid(), threading.get_ident()
        if here not in self._connections:
            _close(self._connections, besides=threading.enumerate())
            # Closed by whichever thread comes last, hence check_same_thread.
            connection = sqlite3.connect(self.path, timeout=PATIENCE, check_same_thread=False)
            self._connections[here] = connection
            connection.execute("PRAGMA synchronous = NORMAL")
        return self._connections[here]

    def _give_up(self, error: sqlite3.Error) -> None:
        self._lost = True
        warnings.warn(
            f"{self.path}: {error}; from now on {self.HOLDS} are cached in memory only",
            CacheWarning,
            stacklevel=4,
        )

    def _prepare(self) -> None:
        """Make the table in a new file; refuse a file of something else, as it is."""
        connection = self._connection
        with connection:
            connection.execute("BEGIN IMMEDIATE")  # several processes may find the same new file
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not (owner or version or tables):
                connection.execute(self.TABLE)
                connection.execute(f"PRAGMA application_id = {self.APPLICATION}")
                connection.execute(f"PRAGMA user_version = {self.FORMAT}")
            elif owner != self.APPLICATION:
                raise InputError(
                    f"{self.path} is a database, but not of {self.HOLDS}; name another file"
                )
            elif version != self.FORMAT and not self._brought_up(connection, version):
                raise InputError(
                    f"{self.path} has {self.HOLDS} in format {version}, and this version of intentx "
                    f"reads format {self.FORMAT}; name another file"
                )
        with contextlib.suppress(sqlite3.OperationalError):  # it is an older journal, then, and slower
            connection.execute("PRAGMA journal_mode = WAL")

    def _brought_up(self, connection: sqlite3.Connection, version: int) -> bool:
        """Make today's format of an older one; False where that cannot be done."""
        return False


def _close(connections: Connections, besides: Sequence[threading.Thread] = ()) -> None:
    """Close this process's connections, but those of some threads; a parent's are the parent's."""
    kept = {thread.ident for thread in besides}
    for (process, thread), connection in list(connections.items()):
        if process == os.getpid() and thread not in kept:
            connection.close()
            connections.pop((process, thread), None)
