"""`SearchIndex`: the best documents of a collection for a query, by BM25."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from intentx.documents import Document, Documents, documents_in
from intentx.errors import InputError
from intentx.search.build import Settings, add_all
from intentx.search.folder import IndexFolder
from intentx.search.store import DocumentStore, Ints
from intentx.search.weights import weights_of
from intentx.text import Analyzer

if TYPE_CHECKING:
    from bm25s import BM25

__all__ = ["Hits", "SearchIndex"]


class Hits(NamedTuple):
    """What a search found, best first.

    Attributes
    ----------
    ids
        n document ids.
    scores
        (n,) scores, not increasing.
    """

    ids: tuple[str, ...]
    scores: npt.NDArray[np.float64]


class SearchIndex:
    """BM25 search in a collection that is indexed once; made by `build` or `open`.

    The scores are those of `intentx.rankers.BM25` over the same documents with the same settings,
    computed ahead by bm25s. Weights are read from disk as they are needed, documents stand in SQLite.
    An index may be used by threads, and is pickled as its folder.

    Attributes
    ----------
    folder
        Where it is kept; None: in memory.
    analyzer, k1, b
        Its settings, as in `intentx.rankers.BM25`.
    fingerprint
        Stands for the settings and all documents.

    Examples
    --------
    >>> index = SearchIndex.build({"a": "green tea", "b": "a boat", "c": "black tea in a tea pot"})
    >>> index.search("tea", 10).ids
    ('c', 'a')
    >>> index.document("c").text
    'black tea in a tea pot'
    """

    def __init__(
        self,
        store: DocumentStore,
        model: BM25,
        settings: Settings,
        fingerprint: str,
        folder: Path | None,
    ) -> None:
        self.folder = folder
        self.analyzer, self.k1, self.b = settings.analyzer, settings.k1, settings.b
        self.fingerprint = fingerprint
        self._store, self._model = store, model
        # Plain views: slices of memory maps are slow.
        model.scores = {
            name: value if name == "num_docs" else np.asarray(value)
            for name, value in model.scores.items()
        }

    @classmethod
    def build(
        cls,
        documents: Documents,
        folder: str | Path | None = None,
        *,
        analyzer: Analyzer | None = None,
        k1: float = 0.9,
        b: float = 0.4,
        workers: int = 1,
        progress: Callable[[int], None] | None = None,
    ) -> SearchIndex:
        """Index documents, or open the index that the folder has of the same documents.

        Documents are read one by one and need not fit into memory. Those that were analysed when a
        build was killed are not analysed again by the next one. Until the new index is complete, the
        one before it stays in place. Of two processes that build in one folder, the second waits for
        the first.

        Parameters
        ----------
        documents
            In any of the forms of `intentx.rank`, also a generator. Titles count as text.
        folder
            Where the index is kept, made if need be; None: in memory.
        analyzer
            How texts become terms; by default English stems, stopwords left out.
        k1, b
            As in `intentx.rankers.BM25`.
        workers
            Processes that analyse documents.
        progress
            Called with the number of documents that are analysed so far.

        Raises
        ------
        InputError
            For documents that cannot be used, as in `intentx.rank`, no word in any of them, settings
            out of range, or a folder that cannot be written or holds something else.
        """
        if not (0 <= k1 < np.inf and 0 <= b <= 1):
            raise InputError(f"BM25 needs k1 of 0 or more and b from 0 to 1, not {k1!r} and {b!r}")
        if workers < 1:
            raise InputError(f"workers must be 1 or more, not {workers!r}")
        settings = Settings(analyzer or Analyzer(stem="english"), k1, b)
        given = documents_in(documents)
        if folder is not None:
            place = IndexFolder(folder)
            place.build(given, settings, workers, progress)
            return cls.open(folder, analyzer=settings.analyzer)
        store = DocumentStore(None, write=True)
        digest = add_all(store, given, settings, workers, progress)
        return cls(store, weights_of(store, settings), settings, digest.hex(), None)

    @classmethod
    def open(cls, folder: str | Path, *, analyzer: Analyzer | None = None) -> SearchIndex:
        """The index that `build` left in a folder.

        Parameters
        ----------
        analyzer
            What the index must have been built with; None: whatever it was.

        Raises
        ------
        InputError
            If there is no index, it is damaged or of another version, or its words were found in
            another way than they are now.
        """
        place = IndexFolder(folder)
        store, model, settings, fingerprint = place.open(analyzer)
        return cls(store, model, settings, fingerprint, place.path)

    def search(self, query: str, k: int = 10, *, fill: bool = False, by_id: bool = False) -> Hits:
        """The ``k`` best documents for a query; equal scores in the order of the documents.

        Parameters
        ----------
        k
            Most documents; all that match where it is more than there are.
        fill
            Whether documents without a word of the query follow, at score 0, in their order, until
            there are ``k``. Without, only documents with a word of the query are found.
        by_id
            Whether equal scores come in the order of their ids instead.

        Raises
        ------
        InputError
            If the query is no text or ``k`` is not 1 or more.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise InputError(f"k must be an integer, 1 or more, not {k!r}")
        return self._found(self._terms(query), int(k), fill, by_id)

    def search_terms(self, terms: Iterable[str], k: int = 10) -> Hits:
        """The ``k`` best documents for terms of the analyzer; one that is given twice counts twice.

        >>> SearchIndex.build({"a": "green tea", "b": "a boat"}).search_terms(["tea", "tea"]).ids
        ('a',)
        """
        return self._found(Counter(terms), int(k), fill=False)

    def _found(self, terms: Counter[str], k: int, fill: bool, by_id: bool = False) -> Hits:
        with self._readable():
            scores = self._scores(terms)
            places = _best(scores, k, self._by_id if by_id else None)
            if fill and len(places) < k:
                others = np.flatnonzero(scores == 0)[: k - len(places)]
                places = np.concatenate([places, others])
            return Hits(self._store.ids(places.tolist()), scores[places])

    def rank(self, query: str, doc_id: str) -> tuple[int | None, float]:
        """Where a document stands among all, from 1, and its score; equal scores by their ids.

        The time depends on the size of the collection only, however far down the document stands.

        Returns
        -------
        int or None
            None where the document has no word of the query.
        float
            0.0 there.

        Raises
        ------
        InputError
            If the query is no text, or there is no such document.

        Examples
        --------
        >>> index = SearchIndex.build({"a": "green tea", "b": "a boat", "c": "black tea in a tea pot"})
        >>> index.rank("green tea", "c")[0], index.rank("green tea", "b")
        (2, (None, 0.0))
        """
        terms = self._terms(query)
        with self._readable():
            scores = self._scores(terms)
            places = self._store.places([doc_id])
            if not places:
                raise InputError(f"no document {doc_id!r} among the {len(self)} of the index")
            score = float(scores[places[0]])
            if not score:
                return None, 0.0
            equal = np.flatnonzero(scores == score)
            before = int(np.count_nonzero(scores > score))
            if len(equal) > 1:
                before += int(np.count_nonzero(self._by_id[equal] < self._by_id[places[0]]))
        return before + 1, score

    def _terms(self, query: str) -> Counter[str]:
        """The terms of a query, and how often each stands there."""
        if not isinstance(query, str):
            raise InputError(f"the query must be a string, not {query!r}")
        return Counter(token.term for token in self.analyzer.tokens(query))

    def _scores(self, terms: Counter[str]) -> npt.NDArray[np.float64]:
        """(N,) scores of all documents."""
        numbers = self._store.numbers(terms.elements())
        if not numbers:
            return np.zeros(len(self))
        scores: npt.NDArray[np.float64] = self._model.get_scores_from_ids(numbers)
        return scores

    @functools.cached_property
    def _by_id(self) -> Ints:
        """(N,) place of each document in the order of all ids."""
        order = np.empty(len(self), dtype=np.int32)
        order[self._store.sorted_by_id()] = np.arange(len(self), dtype=np.int32)
        return order

    def document(self, doc_id: str) -> Document:
        """The document of an id.

        Raises
        ------
        InputError
            If there is none.
        """
        found = self.find(doc_id)
        if found is None:
            raise InputError(f"no document {doc_id!r} among the {len(self)} of the index")
        return found

    def find(self, doc_id: str) -> Document | None:
        """The same, None where there is none."""
        with self._readable():
            return self._store.document(doc_id)

    def frequency(self, term: str) -> int:
        """How many documents hold a term of the analyzer.

        >>> SearchIndex.build({"a": "green tea", "b": "a boat"}).frequency("tea")
        1
        """
        with self._readable():
            numbers = self._store.numbers([term])
            ends = self._model.scores["indptr"]
            return int(ends[numbers[0] + 1] - ends[numbers[0]]) if numbers else 0

    @functools.cached_property
    def mean_length(self) -> float:
        """Terms of a document, on average."""
        with self._readable():
            return self._store.terms() / len(self)

    @property
    def texts(self) -> Mapping[str, str]:
        """Title and text of each document by its id, read as they are asked for."""
        return _Texts(self)

    def __len__(self) -> int:
        return int(self._model.scores["num_docs"])

    def __repr__(self) -> str:
        where = "in memory" if self.folder is None else f"in {str(self.folder)!r}"
        return f"<SearchIndex of {len(self):,} documents {where}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        if self.folder is None:
            raise InputError(
                "an index in memory cannot be pickled for another process: build it in a folder"
            )
        return type(self).open, (self.folder,)

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Around reading: what goes wrong there comes from a damaged folder."""
        try:
            yield
        except (sqlite3.Error, IndexError, KeyError, UnicodeDecodeError) as error:
            raise InputError(
                f"the index in {self.folder} is damaged ({error}); delete the folder and build it again"
            ) from error


class _Texts(Mapping[str, str]):
    """The contents of an index's documents."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    def __getitem__(self, doc_id: str) -> str:
        found = self._index._store.document(doc_id)
        if found is None:
            raise KeyError(doc_id)
        return found.content

    def __iter__(self) -> Iterator[str]:
        return self._index._store.all_ids()

    def __len__(self) -> int:
        return len(self._index)


def _best(scores: npt.NDArray[np.float64], k: int, order: Ints | None = None) -> npt.NDArray[np.intp]:
    """Places of the ``k`` highest scores above 0, best first; equal ones by ``order``, or their place.

    >>> _best(np.array([0, 2, 3, 2, 2, 0.0]), 3).tolist()
    [2, 1, 3]
    >>> _best(np.array([0, 2, 3, 2, 2, 0.0]), 3, np.array([5, 4, 3, 2, 1, 0], dtype=np.int32)).tolist()
    [2, 4, 3]
    """
    found = np.flatnonzero(scores)
    if len(found) > k:
        values = scores[found]
        least = np.partition(values, len(values) - k)[len(values) - k]
        found = found[values >= least]  # more than k where several tie for the last place
    ties = found if order is None else order[found]
    return np.asarray(found[np.lexsort((ties, -scores[found]))[:k]])
