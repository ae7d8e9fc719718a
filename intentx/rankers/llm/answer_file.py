"""Answers of language models remembered on disk, by what was asked: `AnswerFile`."""

from __future__ import annotations

import json
import sqlite3
from hashlib import blake2b
from typing import NamedTuple

from intentx.kept_file import KeptFile

__all__ = ["AnswerFile", "Said"]


class Said(NamedTuple):
    """One answer of a model.

    Attributes
    ----------
    text
        What it said; None: nothing.
    prompt_tokens, completion_tokens
        What it cost.
    estimated
        Whether the service did not say what it cost, so that four characters counted as a token.
    cut_off
        Whether the service says that it cut the answer off.
    refused
        Whether the service marks the answer as a refusal.
    """

    text: str | None
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    cut_off: bool = False
    refused: bool = False


class AnswerFile(KeptFile):
    """Answers by a hash of 128 bits of service, model, settings and prompt; prompts are not kept.

    What the model said is kept as it is, without any key that it might repeat. Each answer has a
    checksum: a damaged one counts as unknown. It is pickled as its path.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = AnswerFile(f"{folder}/answers.sqlite")
    ...     file.keep(b"a hash of a prompt", Said("[2] > [1]", 80, 7, False))
    ...     found = file.find(b"a hash of a prompt"), file.find(b"another")
    ...     file.close()
    >>> found
    (Said(text='[2] > [1]', prompt_tokens=80, completion_tokens=7, estimated=False, cut_off=False, \
refused=False), None)
    """

    HOLDS = "answers"
    APPLICATION, FORMAT = 0x69746C6D, 1
    TABLE = (
        "CREATE TABLE answers (key BLOB PRIMARY KEY, answer TEXT NOT NULL, mark BLOB NOT NULL) "
        "WITHOUT ROWID"
    )

    def find(self, key: bytes) -> Said | None:
        """The answer to what is asked under a key; None where it is not known."""
        if self._lost:
            return None
        try:
            row = self._connection.execute(
                "SELECT answer, mark FROM answers WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                return None
            if row[1] != _mark(key, row[0]):  # damaged on the disk
                with self._connection as transaction:
                    transaction.execute("DELETE FROM answers WHERE key = ?", (key,))
                return None
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return Said(*json.loads(row[0]))

    def keep(self, key: bytes, said: Said) -> None:
        """File an answer; one that is there already stays. A `CacheWarning` where it cannot be."""
        if self._lost:
            return
        answer = json.dumps(said)
        try:
            with self._connection as transaction:
                transaction.execute(
                    "INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", (key, answer, _mark(key, answer))
                )
        except sqlite3.Error as error:
            self._give_up(error)

    def __reduce__(self) -> tuple[type[AnswerFile], tuple[str]]:
        return type(self), (str(self.path),)


def _mark(key: bytes, answer: object) -> bytes:
    return blake2b(key + str(answer).encode("utf-8", "surrogatepass"), digest_size=8).digest()
