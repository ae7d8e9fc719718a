"""Options of ``intentx serve`` that name what is searched."""

from __future__ import annotations

import argparse
import functools
import os
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from intentx.cli.terminal import progress
from intentx.cli.word_options import OPTIONS, add_words, word_settings
from intentx.errors import InputError
from intentx.serve.engines import DemoEngine, Engine
from intentx.serve.opening import open_engine

__all__ = ["add_collections", "opened_collections"]

MOST_WORKERS = 8


def add_collections(serve: argparse.ArgumentParser) -> None:
    """Add the options; each may be given several times, and the first collection is the default."""
    group = serve.add_argument_group(
        "collections", "several make several to choose from, and NAME=… names one (default: the "
        "embedded demo collection); they are indexed once; indexes are kept in the folder of --state",
    )  # fmt: skip
    for kind, metavar, text in (
        ("docs", "FILE", "documents: JSONL or id<TAB>text, packed or not"),
        ("data", "DIR", "a folder with passages.jsonl or .tsv, and perhaps queries"),
        ("beir", "DIR", "a folder in BEIR's form: corpus.jsonl, and perhaps queries.jsonl"),
        ("ir-datasets", "NAME", "a dataset of ir_datasets"),
        ("engine", "SPEC", "elasticsearch:URL/INDEX#title=FIELD&text=FIELD or module:callable"),
    ):
        group.add_argument(
            f"--{kind}", metavar=metavar, action="append", dest="collections", help=text,
            type=functools.partial(_named, kind.replace("-", "_")), default=None,
        )  # fmt: skip
    add_words(serve, ngrams=False, extra="of the collections' indexes; by default English stems")


def _named(kind: str, value: str) -> tuple[str, str]:
    return kind, value


def _with_name(kind: str, value: str) -> tuple[str | None, str]:
    """Name and value of ``NAME=VALUE``; a file that is there is meant as it is called.

    >>> _with_name("docs", "news=news.jsonl"), _with_name("engine", "elasticsearch:http://h/i#text=body")
    (('news', 'news.jsonl'), (None, 'elasticsearch:http://h/i#text=body'))
    """
    name, equals, rest = value.partition("=")
    if not equals or not name.strip() or re.search(r"[:/#?\\]", name):
        return None, value
    if kind in ("docs", "data", "beir") and Path(value).exists():
        return None, value
    return name.strip(), rest


def opened_collections(
    options: argparse.Namespace, state: Path
) -> tuple[Mapping[str, Engine], Mapping[str, Callable[[], Engine]]]:
    """The collections by their names, and what opens each of them in a worker."""
    if not options.collections:
        demo = DemoEngine()
        return {demo.name: demo}, {demo.name: functools.partial(DemoEngine, demo.name)}
    words = any(getattr(options, name, None) is not None for name in OPTIONS)
    analyzer = word_settings(options).analyzer() if words else None
    engines: dict[str, Engine] = {}
    for kind, given in options.collections:
        called, value = _with_name(kind, given)
        if called is not None and called in engines:
            raise InputError(f"two collections are called {called!r}; give them different names")
        with progress("documents indexed", lines=True) as bar:

            def told(_: str, count: int, bar: Any = bar) -> None:
                bar(count, 0)

            made = open_engine(
                kind, value, state=state / "indexes", name=called, analyzer=analyzer, workers=_workers(),
                progress=told,
            )  # fmt: skip
        name, number = made.name, 2
        while made.name in engines:
            made.name, number = f"{name}-{number}", number + 1
        engines[made.name] = made
    openers = {name: functools.partial(pickle.loads, pickle.dumps(one)) for name, one in engines.items()}
    return engines, openers


def _workers() -> int:
    """Processes that analyse documents."""
    return min(MOST_WORKERS, os.cpu_count() or 1)
