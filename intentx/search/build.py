"""Building an index: documents are analysed as they come, and their BM25 weights computed at the end."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.documents import Document
from intentx.errors import InputError
from intentx.search.store import DocumentStore, Ints
from intentx.text import Analyzer

if TYPE_CHECKING:
    from bm25s import BM25

__all__ = ["Settings", "add_all", "agreeing", "chained", "weights_of"]

BATCH = 1_000  # documents that are analysed, and kept, at a time
ROUND = 8  # batches of each worker before their results are kept
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
    batches = iter(lambda: list(itertools.islice(documents, BATCH)), [])
    if workers == 1:
        for batch in batches:
            yield batch, _terms_of(analyzer, [document.content for document in batch])
        return
    import joblib

    with joblib.Parallel(n_jobs=workers, batch_size=1) as parallel:
        # Taken here, as joblib would take them in a thread, where an error in a file is lost.
        while some := list(itertools.islice(batches, ROUND * workers)):
            asked = (
                joblib.delayed(_terms_of)(analyzer, [one.content for one in batch]) for batch in some
            )
            yield from zip(some, parallel(asked), strict=True)


class _Rows:
    """The terms of each document, as bm25s reads them: again and again, one list after the other."""

    def __init__(self, terms: Ints, lengths: npt.NDArray[np.int64]) -> None:
        self.terms, self.ends = terms, np.cumsum(lengths).tolist()

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[list[int]]:
        start = 0
        for end in self.ends:
            yield self.terms[start:end].tolist()
            start = end


def weights_of(store: DocumentStore, settings: Settings) -> BM25:
    """The BM25 weight of each term in each document, by bm25s.

    Lucene's idf, which is never negative, and the factor ``k1 + 1`` that Lucene leaves out, as in
    `intentx.rankers.BM25`; in double precision, so that both give the same scores.
    """
    from bm25s import BM25

    model = BM25(
        k1=settings.k1,
        b=settings.b,
        method="atire",
        idf_method="lucene",
        dtype="float64",
        csc_backend="scipy",
    )
    terms, lengths = store.occurrences()
    model.scores = model.build_index_from_ids(
        range(len(store.vocabulary())), _Rows(terms, lengths), show_progress=False
    )
    model.vocab_dict = {}  # the store has it
    return model
