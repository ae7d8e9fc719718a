"""What a study has kept is on the disk, not only with the operating system."""

import sqlite3

from intentx.study.store import Store

FULL = 2  # as SQLite's PRAGMA synchronous gives it


def setting(store, name):
    return store._file.execute(f"PRAGMA {name}").fetchone()[0]


def test_every_commit_waits_for_the_disk(tmp_path, monkeypatch):
    """In WAL mode only FULL keeps the last commit when the power fails.

    Some builds of SQLite do less unless they are told (SQLITE_DEFAULT_WAL_SYNCHRONOUS=1).
    """
    connect = sqlite3.connect

    def careless(*given, **named):
        file = connect(*given, **named)
        file.execute("PRAGMA synchronous = NORMAL")
        return file

    monkeypatch.setattr(sqlite3, "connect", careless)
    for lock in (True, True, False):  # a new file, one that is there, and a worker's
        with Store(tmp_path, write=True, lock=lock) as store:
            assert setting(store, "synchronous") == FULL
            assert setting(store, "journal_mode") == "wal"
