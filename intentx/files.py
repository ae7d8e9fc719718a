"""Text files of lines, plain, gzipped or from standard input, with errors that name the line."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from intentx.errors import InputError

__all__ = ["numbered_lines"]


def numbered_lines(path: str | Path) -> Iterator[tuple[str, str]]:
    """Lines of a UTF-8 file that are not blank, each behind its place, such as ``"f.tsv, line 3"``.

    Parameters
    ----------
    path
        A file, unpacked if its name ends in ``.gz``; ``"-"`` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read or is not UTF-8.
    """
    name = "standard input" if str(path) == "-" else str(path)
    number = 0
    try:
        with _opened(path) as raw:
            for number, line in enumerate(raw, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if text.strip():
                    yield f"{name}, line {number}", text
    except UnicodeDecodeError as error:
        raise InputError(f"{name}, line {number}: not UTF-8: {error.reason}") from error
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from error


def _opened(path: str | Path) -> IO[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer
    return (
        cast("IO[bytes]", gzip.open(path, "rb")) if str(path).endswith(".gz") else Path(path).open("rb")
    )
