"""What commands have in common: a bar of progress, lines, tables and JSON, warnings in words."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from intentx.errors import (
    CacheWarning,
    CostWarning,
    DamageWarning,
    DataWarning,
    InputError,
    PluginWarning,
    ScorerWarning,
    TextWarning,
    TruncationWarning,
)
from intentx.explainers.plain import json_text
from intentx.rankers.kinds import KINDS
from intentx.signs import can_show, encodable, visible

__all__ = [
    "check_folder",
    "given_text",
    "made_folder",
    "progress",
    "quiet_models",
    "show",
    "show_json",
    "standard_output_kept",
    "tell",
    "warnings_in_words",
    "whatever_terminal",
]

_OURS: list[TextIO] = []  # where our own lines go while everything else is sent to standard error
IN_WORDS = (
    CacheWarning, CostWarning, DamageWarning, DataWarning, PluginWarning, ScorerWarning,
    TextWarning, TruncationWarning,
)  # fmt: skip
SILENT = 30.0  # seconds without a line, at most
_SURROGATE = re.compile("[\ud800-\udfff]")


def made_folder(path: Path) -> Path:
    """The folder of ``--out``, made where it is not there yet."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make the folder {path}: {error.strerror or error}; name another with --out"
        ) from error
    return path


def check_folder(page: Path | None) -> None:
    """Refuse a page that cannot be written, before any work is done for it."""
    if page and not page.absolute().parent.is_dir():
        raise InputError(f"no folder {page.absolute().parent} for the page")


def given_text(text: str) -> str:
    """A text from the command line as it was typed, also where Python took the locale for ASCII.

    Raises
    ------
    InputError
        If its bytes are not UTF-8.
    """
    try:
        return os.fsencode(text).decode("utf-8") if _SURROGATE.search(text) else text
    except UnicodeError as error:
        raise InputError(f"the text {text!r} on the command line is not UTF-8") from error


def quiet_models(spec: str) -> None:
    """Switch off the weight-loading bars of transformers: progress here is intentx's own."""
    kind = KINDS.get(spec.partition(":")[0])
    if kind is not None and (kind.hub or kind.of_rankers):
        with contextlib.suppress(ImportError):
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def warnings_in_words() -> Iterator[None]:
    """Our own warnings as a line each, without the line of code that they come from."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, IN_WORDS):
                tell(f"intentx: {message}")
            else:
                others(visible(str(message)), category, *where, **more)

        warnings.showwarning = show
        yield


@contextlib.contextmanager
def whatever_terminal() -> Iterator[None]:
    """Within it, a standard output or error that lacks a sign gets another one, and no error."""
    with encodable([sys.stdout], [sys.stderr]):
        yield


@contextlib.contextmanager
def progress(
    label: str = "asking the ranker", *, lines: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's standard error; yields what a `BlackBox` reports its progress to.

    Where standard error is no terminal, a line is written whenever `SILENT` seconds have gone by without
    one, whether anything was done or not.

    Parameters
    ----------
    lines
        Without a terminal, write a line at each tenth, too.
    """
    from rich.console import Console
    from rich.progress import Progress

    if not sys.stderr.isatty():
        with _Lines(label, lines) as on:
            yield on
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


class _Lines:
    """Tells of progress in lines, by tenths and by time; the total is 0 where it is not known."""

    def __init__(self, label: str, tenths: bool) -> None:
        self._label, self._tenths = label, tenths
        self._done = self._total = 0
        self._reached = -1
        self._begun = self._said = time.monotonic()
        self._one = threading.Lock()
        self._ended = threading.Event()
        self._reminder = threading.Thread(target=self._remind, name="intentx progress", daemon=True)

    def __enter__(self) -> Callable[[int, int], None]:
        self._reminder.start()
        return self._on

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._reminder.join()

    def _on(self, done: int, total: int) -> None:
        with self._one:
            self._done, self._total = done, total
            reached = 10 * done // total if total else -1
            if self._tenths and (reached > self._reached or (not total and self._said == self._begun)):
                self._reached = reached
                self._tell("")

    def _remind(self) -> None:
        """In a thread of its own: whatever is going on may take minutes without a word."""
        left = SILENT
        while not self._ended.wait(left):
            with self._one:
                left = self._said + SILENT - time.monotonic()
                if left <= 0:
                    self._tell(f", {time.monotonic() - self._begun:,.0f} s so far")
                    left = SILENT

    def _tell(self, more: str) -> None:
        self._said = time.monotonic()
        of = f" of {self._total:,}" if self._total else ""
        tell(f"{self._label}: {self._done:,}{of} done{more}")


def show(something: Any) -> None:
    """Print a text or a table; what a terminal would obey in it is shown."""
    from rich.console import Console
    from rich.protocol import is_renderable
    from rich.segment import Segment, Segments
    from rich.text import Text

    whole = isinstance(something, str)
    # What users named may hold brackets, and a path is not to be broken.
    console = Console(file=_output(), highlight=False, markup=False, soft_wrap=whole)
    if whole or not is_renderable(something):
        console.print(Text(visible(str(something))))
        return
    # Signs in a table that were not made visible where it was: after its columns are laid out.
    parts = [
        part if part.control else Segment(visible(part.text), part.style)
        for part in console.render(something)
    ]
    console.print(Segments(parts), end="", crop=False, no_wrap=True, overflow="ignore")


def show_json(plain: Any) -> None:
    """Print plain data as one line of JSON; letters that standard output lacks are escaped."""
    text = json_text(plain)
    if not can_show(text, _output()):
        text = json.dumps(json.loads(text), allow_nan=False)
    _output().write(text + "\n")


def tell(text: str) -> None:
    """Write a line to standard error; what a terminal would obey in it is shown."""
    sys.stderr.write(f"{visible(text)}\n")


def _output() -> TextIO:
    return _OURS[-1] if _OURS else sys.stdout


@contextlib.contextmanager
def standard_output_kept() -> Iterator[None]:
    """Within, standard output is for `show` and `show_json`; what others print goes to standard error.

    Rankers and the modules that bring them may print, also from C and in child processes, and our
    output is read by programs.
    """
    stdout, ours = sys.stdout, None
    try:
        descriptor = stdout.fileno()
        stdout.flush()
        sys.stderr.flush()
        ours = os.dup(descriptor)
        os.dup2(sys.stderr.fileno(), descriptor)
    except (OSError, ValueError, AttributeError):  # streams that are no files, as in notebooks
        if ours is not None:
            os.close(ours)
            ours = None
    output = (
        stdout
        if ours is None
        else open(ours, "w", encoding=stdout.encoding, errors=stdout.errors, closefd=False)  # noqa: SIM115
    )
    _OURS.append(output)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        _OURS.pop()
        sys.stdout = stdout
        try:
            output.flush()
        finally:
            if ours is not None:
                _flush_others(stdout)
                os.dup2(ours, descriptor)
                os.close(ours)


def _flush_others(stdout: TextIO) -> None:
    """Send on what others have written to buffers, Python's and that of the C library."""
    with contextlib.suppress(OSError, ValueError):
        stdout.flush()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)
