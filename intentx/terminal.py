"""What commands have in common: a bar of progress, lines and tables, warnings in words."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from intentx.errors import CacheWarning, InputError, TextWarning, TruncationWarning

__all__ = ["check_folder", "progress", "quiet_models", "show", "warnings_in_words"]


def check_folder(page: Path | None) -> None:
    """Refuse a page that cannot be written, before any work is done for it."""
    if page and not page.absolute().parent.is_dir():
        raise InputError(f"no folder {page.absolute().parent} for the page")


def quiet_models(spec: str) -> None:
    """Switch off the weight-loading bars of transformers: progress here is intentx's own."""
    if spec.startswith(("bi-encoder:", "cross-encoder:", "dpr:")):
        with contextlib.suppress(ImportError):
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def warnings_in_words() -> Iterator[None]:
    """Our own warnings as a line each, without the line of code that they come from."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, CacheWarning | TextWarning | TruncationWarning):
                sys.stderr.write(f"intentx: {message}\n")
            else:
                others(message, category, *where, **more)

        warnings.showwarning = show
        yield


@contextlib.contextmanager
def progress(label: str = "asking the ranker") -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's standard error; yields what a `BlackBox` reports its progress to."""
    from rich.console import Console
    from rich.progress import Progress

    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def show(something: Any) -> None:
    from rich.console import Console

    # What users named may hold brackets, and a path is not to be broken.
    Console(highlight=False, markup=False, soft_wrap=isinstance(something, str)).print(something)
