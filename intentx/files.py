"""Files that people hand over: text, plain or packed, and JSON; errors name the file and the line.

And files that are written.
"""

from __future__ import annotations

import bz2
import contextlib
import functools
import gzip
import io
import json
import lzma
import math
import re
import reprlib
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from intentx.errors import InputError

__all__ = [
    "PACKED",
    "excerpt",
    "file_name",
    "json_object",
    "number_in",
    "numbered_lines",
    "parse_json",
    "read_text",
    "writable",
    "write_file",
    "write_text",
]

LONGEST = 1 << 28  # bytes of a line, or of a file that is read whole: what is longer is no such file
NEW_LINE = b"\n"
DIGITS = 1_000  # of whole numbers in JSON


class _Packing(NamedTuple):
    ending: str
    start: re.Pattern[bytes]
    name: str
    opener: Callable[[Any], contextlib.AbstractContextManager[Any]]
    packed: Callable[[bytes], bytes]


_GZIP = functools.partial(gzip.compress, mtime=0)  # the same file, whenever it is written
_PACKINGS = (
    _Packing(".gz", re.compile(rb"\x1f\x8b"), "gzip", gzip.open, _GZIP),
    _Packing(".bz2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "bzip2", bz2.open, bz2.compress),
    _Packing(".xz", re.compile(rb"\xfd7zXZ\x00"), "xz", lzma.open, lzma.compress),
)
PACKED = tuple(packing.ending for packing in _PACKINGS)
"""Endings of the names of files that are unpacked as they are read."""
_OTHERS = (
    (b"\x28\xb5\x2f\xfd", "packed by zstd, which is not read here: unpack it with zstd -d"),
    (b"PK\x03\x04", "a ZIP archive: unpack it, and name a file of it"),
    (b"\xff\xfe", "UTF-16: save it as UTF-8, e.g. with iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16: save it as UTF-8, e.g. with iconv -f UTF-16 -t UTF-8"),
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 2


def numbered_lines(path: str | Path) -> Iterator[tuple[str, str]]:
    """Lines of a UTF-8 file that are not blank, each behind its place, such as ``"f.tsv, line 3"``.

    Parameters
    ----------
    path
        A file, unpacked if it is packed by gzip, bzip2 or xz, whatever its name; ``"-"`` is standard
        input. Lines end with ``\\n``, ``\\r\\n`` or ``\\r``, and a byte order mark is left out.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, no text, not UTF-8, or not packed as its name says;
        the message names the line, and says what to do.
    """
    name = file_name(path)
    for number, raw in enumerate(_raw_lines(path, name), start=1):
        text = _decoded(raw, name, number)
        if text.strip():
            yield f"{name}, line {number}", text


def read_text(path: str | Path) -> str:
    """The whole of a UTF-8 file, with the same rules and errors as `numbered_lines`."""
    name = file_name(path)
    with _opened(path, name) as file, _damage_named(name, lambda: ""):
        raw = file.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise InputError(f"{name} is longer than {LONGEST:,} bytes, the limit for such files")
    return _decoded(raw, name)


def file_name(path: str | Path) -> str:
    """How messages call a file.

    >>> file_name("-"), file_name("runs/bm25.trec")
    ('standard input', 'runs/bm25.trec')
    """
    return "standard input" if str(path) == "-" else str(path)


def excerpt(value: object) -> str:
    """A value from a file as a message shows it: as Python writes it, cut where it is long or deep.

    >>> excerpt("a\\tb"), excerpt([[[[1]]]])
    ("'a\\\\tb'", '[[[...]]]')
    """
    return _SHORT.repr(value)


def number_in(text: str, where: str, name: str = "the score") -> float:
    """The finite decimal number that a column of a file is.

    Unlike ``float`` it takes no ``"1_000"``, no ``"nan"`` and no digits of other scripts.

    Raises
    ------
    InputError
        If it is none; the message calls it ``name``.

    Examples
    --------
    >>> number_in("-1.5e3", "f.trec, line 1")
    -1500.0
    """
    value = float(text) if _NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {name} must be a finite number, not {excerpt(text)}")
    return value


def parse_json(text: str, where: str = "") -> Any:
    """What a JSON text says.

    Parameters
    ----------
    where
        The place that it is from, to begin messages with; the text may then hold no half of a
        surrogate pair, since no file can.

    Raises
    ------
    InputError
        If it is no JSON, is nested more deeply than can be read, has a key twice in one object, or a
        whole number of more than 1,000 digits.
    """
    place = f"{where}: broken JSON" if where else "not JSON"
    try:
        known = isinstance(text, str) and not text.startswith("\ufeff")
        plain = _JSON.decode(text) if known else json.loads(text, **_HOOKS)
        if where and (_ESCAPED_SURROGATE.search(text) or _SURROGATE.search(text)):
            _refuse_surrogates(plain)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: {error}") from error
    except RecursionError as error:
        raise InputError(
            f"{place}: lists or objects are nested too deeply (hundreds of levels)"
        ) from error
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error
    except TypeError as error:  # neither text nor bytes
        raise InputError(f"{place}: a string is expected, not {excerpt(text)}") from error
    return plain


def json_object(text: str, where: str = "") -> dict[str, Any]:
    """The JSON object that a text is, with the errors of `parse_json`."""
    plain = parse_json(text, where)
    if not isinstance(plain, dict):
        place = f"{where}: " if where else ""
        raise InputError(f"{place}a JSON object expected, not {excerpt(plain)}")
    return plain


def writable(path: str | Path) -> Path:
    """The path, if its folder exists.

    Raises
    ------
    InputError
        If not.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}; create it first")
    return path


def write_file(path: Path, content: bytes) -> Path:
    """Write a file and return its path.

    Raises
    ------
    InputError
        If the system refuses.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write a text as UTF-8, packed if the name ends as in `PACKED`, and return the path.

    Raises
    ------
    InputError
        If there is no such folder, or the system refuses.
    """
    path, content = writable(path), text.encode("utf-8")
    packing = next((one for one in _PACKINGS if path.name.endswith(one.ending)), None)
    return write_file(path, content if packing is None else packing.packed(content))


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(
            f"a whole number of {len(digits):,} digits; at most {DIGITS:,} are read: write it as text"
        )
    return int(digits)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"an object has the key {excerpt(twice)} twice; name each once")
    return found


def _refuse_surrogates(plain: Any) -> None:
    half = _SURROGATE.search(json.dumps(plain, ensure_ascii=False))
    if half is not None:
        code = f"\\u{ord(half.group()):04x}"
        raise ValueError(
            f"{code} alone is half of a character; write both halves, such as \\ud83d\\ude00, or the "
            "character itself, or leave it out"
        )


_HOOKS: dict[str, Any] = {"parse_int": _whole, "object_pairs_hook": _unique}
_JSON = json.JSONDecoder(**_HOOKS)  # one for all: `json.loads` makes a new one for each text


def _decoded(raw: bytes, name: str, number: int = 1) -> str:
    """Text from bytes that begin with the line of that number."""

    def line(place: int) -> str:
        return f"{name}, line {number + raw.count(NEW_LINE, 0, place)}"

    if (nul := raw.find(b"\0")) >= 0:
        raise InputError(
            f"{line(nul)}: a NUL byte: a binary file, or one in UTF-16; a text file in UTF-8 is needed"
        )
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{line(error.start)}: not UTF-8: {error.reason}; save the file as UTF-8, e.g. with iconv "
            "-f LATIN1 -t UTF-8 where it is in Latin-1"
        ) from error


def _raw_lines(path: str | Path, name: str) -> Iterator[bytes]:
    done = 0
    with _opened(path, name) as file, _damage_named(name, lambda: f", after line {done}"):
        while line := file.readline(LONGEST):
            if len(line) == LONGEST:
                raise InputError(
                    f"{name}, line {done + 1}: longer than {LONGEST:,} bytes: not a text file"
                )
            for part in line.rstrip(b"\r\n").split(b"\r"):
                done += 1
                yield part


@contextlib.contextmanager
def _opened(path: str | Path, name: str) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked."""
    with contextlib.ExitStack() as stack:
        file = _source(path, name, stack)
        try:
            start = file.peek(10)[:10]
        except OSError as error:
            raise InputError(f"cannot read {name}: {error.strerror or error}") from error
        for magic, problem in _OTHERS:
            if start.startswith(magic):
                raise InputError(f"{name} is {problem}")
        packing = next((one for one in _PACKINGS if one.start.match(start)), None)
        said = next((one for one in _PACKINGS if str(path).endswith(one.ending)), None)
        if packing is None and said is not None:
            what = f"not packed by {said.name}" if start else "empty"
            raise InputError(
                f"{name} is {what}, though its name ends in {said.ending}: download or compress it "
                "again, or rename it"
            )
        if packing is None:
            if b"\0" in start:  # now, since a device may have no end
                _decoded(start, name)
            yield cast("BinaryIO", file)
            return
        unpacked: Any = stack.enter_context(packing.opener(file))
        yield cast("BinaryIO", stack.enter_context(io.BufferedReader(unpacked)))


def _source(path: str | Path, name: str, stack: contextlib.ExitStack) -> io.BufferedReader:
    if str(path) != "-":
        try:
            return stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise InputError(f"cannot read {name}: {error.strerror or error}") from error
        except ValueError as error:  # a NUL, or half of a surrogate pair, in the name itself
            raise InputError(f"cannot read {excerpt(name)}: no file has such a name: {error}") from error
    given = getattr(sys.stdin, "buffer", None)
    if given is None or given.closed:
        raise InputError("standard input cannot be read: it is closed; name a file in place of -")
    if isinstance(given, io.BufferedReader):
        return given
    wrapped = io.BufferedReader(given)
    stack.callback(wrapped.detach)  # so that it stays open
    return wrapped


@contextlib.contextmanager
def _damage_named(name: str, place: Callable[[], str]) -> Iterator[None]:
    """What goes wrong while a file is read, in words."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(name + place(), error) from error
    except OSError as error:
        if error.errno is None:  # of gzip and bz2 themselves
            raise _damaged(name + place(), error) from error
        raise InputError(f"cannot read {name}{place()}: {error.strerror or error}") from error


def _damaged(where: str, error: Exception) -> InputError:
    problem = "it ends too early" if isinstance(error, EOFError) else str(error).rstrip(".")
    return InputError(
        f"{where}: the compressed data is damaged ({problem}); download or compress it again"
    )
