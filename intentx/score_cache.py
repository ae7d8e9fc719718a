"""Scores remembered on disk: one SQLite file for any number of rankers and processes."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from intentx.kept_file import KeptFile

__all__ = ["ScoreFile"]

APPLICATION, FORMAT = 0x69747873, 2  # what SQLite keeps in a file's head for its owner
MOST_KEYS = 900  # in one query; older builds of SQLite take 999


class ScoreFile(KeptFile):
    """What one ranker answered before, in a file that other rankers and processes use as well.

    Scores are filed under a BLAKE2b hash of 128 bits of ranker, query and text: among a thousand
    million of them, two different ones share a hash with a probability of 2e-21. A score in a list
    is filed under all of the list's texts and its place. Texts themselves are not kept. Each score has
    a checksum: one that was damaged on the disk counts as unknown, and the next one takes its place.

    Each `keep` is one transaction; threads and processes may use it as `intentx.kept_file.KeptFile`
    says, and it is pickled as its path.

    Parameters
    ----------
    path
        The file; made when there is none.
    fingerprint
        Names the ranker with its weights and settings. Whatever changes its scores changes this.

    Raises
    ------
    InputError
        If the file cannot be read and written, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = ScoreFile(f"{folder}/scores.sqlite", "my ranker, version 3")
    ...     file.keep("tea", ["green tea"], [0.5])
    ...     found = file.find("tea", ["green tea", "black tea"])
    ...     file.close()
    >>> found
    [0.5, None]
    """

    HOLDS = "scores"
    APPLICATION, FORMAT = APPLICATION, FORMAT
    TABLE = (
        "CREATE TABLE scores (key BLOB PRIMARY KEY, score REAL NOT NULL, mark INTEGER NOT NULL) "
        "WITHOUT ROWID"
    )

    def __init__(self, path: str | Path, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        super().__init__(path)

    def find(self, query: str, texts: Sequence[str], *, as_list: bool = False) -> list[float | None]:
        """The score of each text, None where there is none.

        Parameters
        ----------
        as_list
            Whether a text's score depends on the other texts and their order.
        """
        if self._lost or not texts:
            return [None] * len(texts)
        keys = list(self._keys(query, texts, as_list))
        found: dict[bytes, tuple[float, int]] = {}
        try:
            for start in range(0, len(keys), MOST_KEYS):
                part = keys[start : start + MOST_KEYS]
                marks = ",".join("?" * len(part))
                rows = f"SELECT key, score, mark FROM scores WHERE key IN ({marks})"  # noqa: S608
                found.update((k, (s, m)) for k, s, m in self._connection.execute(rows, part))
        except sqlite3.Error as error:
            self._give_up(error)
        damaged = [(key,) for key, (score, mark) in found.items() if mark != _mark(key, score)]
        if damaged:
            self._forget(damaged)
        for (key,) in damaged:
            del found[key]
        return [found[key][0] if key in found else None for key in keys]

    def _forget(self, keys: Sequence[tuple[bytes]]) -> None:
        try:
            with self._connection as transaction:
                transaction.executemany("DELETE FROM scores WHERE key = ?", keys)
        except sqlite3.Error as error:
            self._give_up(error)

    def keep(
        self, query: str, texts: Sequence[str], scores: Sequence[float], *, as_list: bool = False
    ) -> None:
        """File the score of each text; a score that is there already stays.

        Scores are worth more than their file: when it cannot be written, e.g. because the disk is
        full, a `CacheWarning` says so once, and from there on nothing is found or kept.
        """
        if self._lost:
            return
        keys = self._keys(query, texts, as_list)
        rows = ((key, score, _mark(key, score)) for key, score in zip(keys, scores, strict=True))
        try:
            with self._connection as transaction:
                transaction.executemany("INSERT OR IGNORE INTO scores VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def __reduce__(self) -> tuple[type[ScoreFile], tuple[Path, str]]:
        return type(self), (self.path, self.fingerprint)

    def _keys(self, query: str, texts: Sequence[str], as_list: bool) -> Iterator[bytes]:
        head = blake2b(digest_size=16, person=b"list" if as_list else b"text")
        for part in (self.fingerprint, query, *(texts if as_list else ())):
            content = _bytes(part)
            head.update(len(content).to_bytes(8, "little"))  # so that no two lists of parts look alike
            head.update(content)
        for place, text in enumerate(texts):
            key = head.copy()
            key.update(place.to_bytes(8, "little") if as_list else _bytes(text))
            yield key.digest()

    def _brought_up(self, connection: sqlite3.Connection, version: int) -> bool:
        if version != 1:
            return False
        connection.create_function("mark", 2, _mark)  # scores of format 1 have no checksums
        connection.execute("ALTER TABLE scores ADD COLUMN mark INTEGER NOT NULL DEFAULT 0")
        connection.execute("UPDATE scores SET mark = mark(key, score)")
        connection.execute(f"PRAGMA user_version = {self.FORMAT}")
        return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _mark(key: bytes, score: float) -> int:
    """A checksum of 63 bits, which no flipped bit of either leaves as it is."""
    try:
        content = key + struct.pack("<d", score)
    except (TypeError, struct.error):  # damaged so that it is no number any more
        return -1
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little") >> 1
