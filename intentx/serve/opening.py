"""Opens the collections that a server searches: indexed once, and known again at the next start."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from intentx.datasets import read_queries
from intentx.errors import InputError
from intentx.search import SearchIndex
from intentx.serve.engines import Engine, IndexEngine
from intentx.serve.sources import (
    Source,
    beir_source,
    file_source,
    folder_source,
    ir_datasets_source,
)
from intentx.text import Analyzer

__all__ = ["Progress", "open_engine"]

Progress = Callable[[str, int], None]
"""Told the name of a collection and how many of its documents are analysed so far."""

INDEX, SEEN = "index", "source.json"
SOURCES: dict[str, Callable[[str], Source]] = {
    "docs": file_source,
    "data": folder_source,
    "beir": beir_source,
    "ir_datasets": ir_datasets_source,
}


def open_engine(
    kind: str,
    value: str | Path,
    *,
    state: str | Path,
    name: str | None = None,
    queries: str | Path | None = None,
    analyzer: Analyzer | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> Engine:
    """What searches a collection.

    A collection on this machine is indexed when it is first opened. The index is kept in a folder of
    ``state``; it is opened again, at once, as long as its files hold the same and the analyzer finds
    the same words. What was analysed when the process was killed is not analysed again.

    Parameters
    ----------
    kind, value
        ``"docs"`` and a file of documents, ``"data"`` and a folder with passages, ``"beir"`` and a
        folder in BEIR's form, ``"ir_datasets"`` and the name of a dataset; ``"engine"`` and
        ``elasticsearch:URL/INDEX`` or ``module:callable``, which search elsewhere.
    state
        The folder for indexes, made if need be.
    name
        What the page calls the collection; None: as its file, folder, dataset or index.
    queries
        A file of queries to suggest, whose ids recorded runs have; None: those of the collection.
    analyzer
        How texts become terms; None: English stems without stopwords, as ``bm25`` has them.
    workers
        Processes that analyse documents.
    progress
        Called as documents are analysed; not at all where the index is there.

    Returns
    -------
    Engine
        Picklable; other processes then open the same collection.

    Raises
    ------
    InputError
        If there is no such file or folder, it holds no documents, an id stands twice, a line is
        broken, or ``state`` cannot be written, e.g. since the disk is full. The message says where.
    """
    asked = None if queries is None else read_queries(queries)
    if kind == "engine":
        from intentx.serve.remote_engines import open_remote

        return open_remote(str(value), name=name, queries=asked)
    if kind not in SOURCES:
        raise InputError(f"a collection is one of {', '.join((*SOURCES, 'engine'))}, not {kind!r}")
    source = SOURCES[kind](str(value))
    if asked is not None:
        source = replace(source, queries=asked)
    called = source.name if name is None else name
    told = None if progress is None else (lambda count: progress(called, count))
    folder = Path(state) / f"{_plain(source.name)}-{_place(source, analyzer)}"
    index = _index(source, folder, analyzer or Analyzer(stem="english"), workers, told)
    return IndexEngine(called, index, source.queries)


def _plain(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:60].strip(".") or "collection"


def _place(source: Source, analyzer: Analyzer | None) -> str:
    """What the folder of an index is told from others by."""
    if analyzer is None or analyzer == Analyzer(stem="english"):
        return source.key
    return replace(source, version=f"{source.version} {_words(analyzer)}").key


def _words(analyzer: Analyzer) -> str:
    return json.dumps(analyzer.to_dict(), sort_keys=True)


def _index(
    source: Source,
    folder: Path,
    analyzer: Analyzer,
    workers: int,
    progress: Callable[[int], None] | None,
) -> SearchIndex:
    """The index of a source: opened if it is there, else built, or built to its end."""
    before = source.state()
    known = _seen(folder / SEEN)
    here = {"state": before, "analyzer": analyzer.to_dict()}
    found = _opened(folder, analyzer) if known.get("analyzer") == here["analyzer"] else None
    if (
        found is not None
        and known.get("state") == before
        and known.get("documents") == found.fingerprint
    ):
        return found
    digest = source.digest()
    same = known.get("digest") == digest and found is not None
    if found is None or not same or known.get("documents") != found.fingerprint or not source.files:
        if found is not None:
            found.close()
        found = SearchIndex.build(
            source.documents(), folder / INDEX, analyzer=analyzer, workers=workers, progress=progress
        )
    _see(folder / SEEN, {**here, "digest": digest, "documents": found.fingerprint})
    return found


def _opened(folder: Path, analyzer: Analyzer) -> SearchIndex | None:
    """The index in a folder; None where there is none that can be used."""
    try:
        return SearchIndex.open(folder / INDEX, analyzer=analyzer)
    except InputError:  # none yet, half of one, a damaged one: `build` sees to it
        return None


def _seen(path: Path) -> dict[str, Any]:
    """What the index of a folder was made of, as far as it is known."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _see(path: Path, plain: dict[str, Any]) -> None:
    """Write it in one step."""
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        new.write_text(json.dumps(plain, indent=1), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise InputError(f"the index cannot be kept in {path.parent}: {error}") from error
