"""The tables of a study's results in SQLite, and how files of earlier formats are read and renewed."""

from __future__ import annotations

import hashlib
import sqlite3

__all__ = ["APPLICATION", "EARLIER", "FORMAT", "READ", "TABLES", "mark_of", "renew", "view"]

APPLICATION, FORMAT = 0x69747874, 6
UNMARKED, FIGURES = 4, 5  # formats of rows without checksums, and of metrics in a column "figures"
EARLIER = (UNMARKED, FIGURES)
TABLES = """
CREATE TABLE study (id INTEGER PRIMARY KEY CHECK (id = 1), plain TEXT NOT NULL,
    variants TEXT NOT NULL, mark INTEGER NOT NULL);
CREATE TABLE topics (qid TEXT PRIMARY KEY, place INTEGER NOT NULL, query TEXT NOT NULL,
    topic TEXT NOT NULL, mark INTEGER NOT NULL);
CREATE TABLE cells (variant TEXT NOT NULL, topic TEXT NOT NULL, qid TEXT NOT NULL,
    ranker TEXT NOT NULL, method TEXT NOT NULL, reason TEXT NOT NULL, terms TEXT NOT NULL,
    metrics TEXT NOT NULL, seconds TEXT NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (topic, variant)) WITHOUT ROWID;
"""
WHOLE = {  # what the mark of a row is of
    "study": "plain, variants",
    "topics": "qid, place, query, topic",
    "cells": "variant, topic, qid, ranker, method, reason, terms, metrics, seconds",
}
READ = {table: f"SELECT {columns}, mark FROM {table}" for table, columns in WHOLE.items()}  # noqa: S608


def mark_of(*parts: object) -> int:
    """A checksum of 63 bits of the parts of a row."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        content = repr(part).encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return int.from_bytes(digest.digest(), "little") >> 1


def view(file: sqlite3.Connection) -> None:
    """Let the tables of a file of an earlier format look like today's to those who read it."""
    file.create_function("mark_of", -1, mark_of)
    unmarked = _version(file) == UNMARKED
    for table, columns in WHOLE.items():
        before = columns.replace("metrics", "figures")
        mark = f"mark_of({before}) AS mark" if unmarked else "mark"
        renamed = columns.replace("metrics", "figures AS metrics")
        file.execute(
            f"CREATE TEMP VIEW {table} AS SELECT {renamed}, {mark} FROM main.{table}"  # noqa: S608
        )


def renew(file: sqlite3.Connection) -> None:
    """Bring a file of an earlier format to today's."""
    file.create_function("mark_of", -1, mark_of)
    file.execute("BEGIN IMMEDIATE")
    version = _version(file)  # from here on no other process writes
    if version in EARLIER:
        file.execute("ALTER TABLE cells RENAME COLUMN figures TO metrics")
    if version == UNMARKED:
        for table, columns in WHOLE.items():
            file.execute(f"ALTER TABLE {table} ADD COLUMN mark INTEGER NOT NULL DEFAULT 0")
            file.execute(f"UPDATE {table} SET mark = mark_of({columns})")  # noqa: S608
    file.execute(f"PRAGMA user_version = {FORMAT}")
    file.execute("COMMIT")


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])
