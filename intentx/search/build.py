"""Building an index: documents are analysed as they come, and their BM25 weights computed at the end."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from intentx.documents import Document
from intentx.errors import InputError
from intentx.search.store import DocumentStore, Ints
from intentx.text import Analyzer

__all__ = ["Settings", "add_all", "agreeing", "chained"]

BATCH = 1_000  # documents that are analysed, and kept, at a time
FEW = 5  # batches that one process analyses, however many there may be
ROUND = 4  # batches of each worker that are handed out at a time
SAMPLE = (
    "The IT jobs of Müller's C++ team aren’t 3.5 km away: e-mail AT&T, wi-fi, U.S. 60x80 <b>x</b> "
    "手机键盘 ピアノの鍵盤 ｶﾞ ภาษาไทย العربية हिन्दी İstanbul Straße exam\u00adple ❤️ 🇩🇪🇩🇰"
)


@dataclass(frozen=True)
class Settings:
    """What the weights of an index depend on, besides its documents."""

    analyzer: Analyzer
    k1: float
    b: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ``sample`` stands for what the analyzer makes of some words."""
        terms = [token.term for token in self.analyzer.tokens(SAMPLE)]
        sample = hashlib.blake2b(json.dumps(terms).encode(), digest_size=8).hexdigest()
        analyzer = {**self.analyzer.to_dict(), "sample": sample}
        return {"analyzer": analyzer, "k1": float(self.k1), "b": float(self.b)}

    def mark(self) -> str:
        """A text that stands for them."""
        return json.dumps(self.to_dict(), sort_keys=True)


def chained(before: bytes, document: Document) -> bytes:
    """A digest of a document and all before it."""
    digest = hashlib.blake2b(before, digest_size=16)
    for part in (document.id, document.title, document.text):
        content = part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.digest()


def agreeing(
    kept: Iterable[Document], given: Iterator[Document]
) -> tuple[int, bytes, Iterator[Document], bool]:
    """How many documents from the first on are the same in both.

    Returns
    -------
    int, bytes
        The number, and the digest of these documents.
    Iterator
        The documents given after them.
    bool
        Whether those that are kept go on after them.
    """
    count, digest = 0, b""
    for mine in kept:
        other = next(given, None)
        if other is None:
            return count, digest, iter(()), True
        if mine != other:
            return count, digest, itertools.chain([other], given), True
        count, digest = count + 1, chained(digest, mine)
    return count, digest, given, False


def add_all(
    store: DocumentStore,
    documents: Iterator[Document],
    settings: Settings,
    workers: int,
    progress: Callable[[int], None] | None,
) -> bytes:
    """Analyse and keep documents, after those that the store has from an earlier try.

    Returns
    -------
    bytes
        The digest of all documents.
    """
    count, digest, rest, more = agreeing(store.documents(), documents)
    if more:
        store.cut(count)
    numbers = store.vocabulary()
    for batch, found in _analysed(rest, settings.analyzer, workers):
        old = len(numbers)
        new = [term for term in found.vocabulary if term not in numbers]
        places = [numbers.setdefault(term, len(numbers)) for term in found.vocabulary]
        terms = np.array(places, dtype=np.int32)[found.terms]
        rows = np.split(terms, np.cumsum(found.lengths)[:-1])
        store.add(count, batch, rows, new, old)
        count += len(batch)
        for document in batch:
            digest = chained(digest, document)
        if progress is not None:
            progress(count)
    if not count:
        raise InputError("there are no documents to search")
    if not numbers:
        raise InputError("a search needs documents with at least one word that is not a stopword")
    return digest


@dataclass(frozen=True)
class _Found:
    """The terms of some texts: numbers in their own vocabulary, text after text."""

    vocabulary: tuple[str, ...]
    terms: Ints
    lengths: Ints


def _terms_of(analyzer: Analyzer, texts: Sequence[str]) -> _Found:
    numbers: dict[str, int] = {}
    terms: list[int] = []
    lengths = []
    for text in texts:
        found = analyzer.occurrences(text)
        terms += [numbers.setdefault(term, len(numbers)) for term in found]
        lengths.append(len(found))
    return _Found(tuple(numbers), np.array(terms, dtype=np.int32), np.array(lengths, dtype=np.int32))


def _analysed(
    documents: Iterator[Document], analyzer: Analyzer, workers: int
) -> Iterator[tuple[list[Document], _Found]]:
    """Documents in batches, with their terms."""
    batches: Iterator[list[Document]] = iter(lambda: list(itertools.islice(documents, BATCH)), [])
    if workers == 1:
        for batch in batches:
            yield batch, _terms_of(analyzer, [document.content for document in batch])
        return
    first = list(itertools.islice(batches, FEW + 1))
    if len(first) <= FEW:  # not worth the start of processes
        for batch in first:
            yield batch, _terms_of(analyzer, [document.content for document in batch])
        return
    batches = itertools.chain(first, batches)
    import joblib

    pending: deque[tuple[list[list[Document]], Future[list[_Found]]]] = deque()
    with joblib.Parallel(n_jobs=workers, batch_size=1) as parallel, ThreadPoolExecutor(1) as ahead:
        try:
            # Taken here, as joblib would take them in a thread, where an error in a file is lost.
            while some := list(itertools.islice(batches, ROUND * workers)):
                asked = [
                    joblib.delayed(_terms_of)(analyzer, [one.content for one in batch]) for batch in some
                ]
                pending.append((some, ahead.submit(parallel, asked)))
                if len(pending) > 1:  # while these are kept, the workers have the next ones
                    yield from _ended(*pending.popleft())
        except Exception:
            while pending:  # what was read before is kept
                yield from _ended(*pending.popleft())
            raise
        while pending:
            yield from _ended(*pending.popleft())


def _ended(
    batches: list[list[Document]], found: Future[list[_Found]]
) -> Iterator[tuple[list[Document], _Found]]:
    return zip(batches, found.result(), strict=True)
