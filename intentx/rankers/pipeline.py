"""`Pipeline`: retrieve by a first stage, then rerank by a second one."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from intentx.capabilities import CallCost, Capabilities, combined_cost
from intentx.documents import Document, Documents, as_documents
from intentx.errors import InputError
from intentx.rankers.bm25 import BM25
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.stage_scores import StageScores, within
from intentx.scoring import BlackBox, Scorer
from intentx.search import Hits, SearchIndex

__all__ = ["Pipeline", "Searches", "Stage", "stages_of"]

Floats = npt.NDArray[np.float64]


@runtime_checkable
class Searches(Protocol):
    """What finds documents in a collection of its own, as `intentx.search.SearchIndex` does."""

    def search(self, query: str, k: int) -> tuple[Sequence[str], Any]:
        """Ids of the ``k`` best documents, best first, and their scores."""
        ...

    def document(self, doc_id: str) -> Document:
        """The document of an id; an InputError where there is none."""
        ...


@dataclass(frozen=True)
class Stage:
    """One stage of a ranker: what scores, and how many documents it is given.

    Attributes
    ----------
    name
        ``"first stage"``, ``"reranker"`` (with a number where there are several), or ``"ranker"`` where
        it is the only one.
    scorer
        What scores texts; None for a search that cannot.
    room
        What finds documents by itself; None for a scorer.
    takes
        Documents that it is given by the stage before; None: all.
    """

    name: str
    scorer: Scorer | None
    room: Searches | None
    takes: int | None


class Pipeline:
    """Retrieve by a first stage, then rerank its best documents by a second one.

    It is a ranker like any other: ``pipeline(query, texts)`` gives scores, for `intentx.rank` and every
    method. The first stage orders the texts, the second scores the first ``k`` of them again, and the
    others come after these in the order of the first stage. A score then depends on the other texts, so
    that it is `listwise`.

    Parameters
    ----------
    first
        A scorer, or a search room, such as `intentx.search.SearchIndex`, which has documents of its own.
        Another pipeline will do.
    second
        A scorer.
    k
        Documents that the second stage scores.

    Raises
    ------
    InputError
        If a stage is none, or ``k`` is not 1 or more.

    Notes
    -----
    Reranked texts have the scores of the second stage. Those of the others are lower by equal steps: the
    mean distance of two neighbouring reranked texts, so that they are on the same scale. Equal scores
    stay equal, and equal texts of the first stage keep their order. A search room does not find texts
    that score 0, those without a word of the query: they are not reranked, and come last.

    What the stages answered for the last query is remembered, so that a list in which one text has
    changed costs one text for each stage.

    Examples
    --------
    >>> def words(query, texts):
    ...     return [sum(text.count(word) for word in query.split()) for text in texts]
    >>> def shortness(query, texts):
    ...     return [-len(text) for text in texts]
    >>> pipeline = Pipeline(words, shortness, k=2)
    >>> pipeline("tea", ["tea, tea, tea", "tea and tea", "tea", "a boat"]).tolist()
    [-13.0, -11.0, -15.0, -17.0]
    >>> pipeline.search("tea", 2, {"a": "a pot of tea", "b": "tea pot", "c": "a boat"}).ids
    ('b', 'a')
    """

    listwise = True

    def __init__(self, first: Scorer | Searches, second: Scorer, k: int = 100) -> None:
        if not callable(first) and not isinstance(first, Searches):
            raise InputError(
                "the first stage is a scorer, (query, texts) -> scores, or a search room with search "
                f"and document, as SearchIndex; not {type(first).__name__}"
            )
        if not callable(second):
            hint = "; a search room can only be the first one" if isinstance(second, Searches) else ""
            raise InputError(
                "the second stage is a scorer, (query, texts) -> scores, not "
                f"{type(second).__name__}{hint}"
            )
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise InputError(f"k of a pipeline must be a whole number, 1 or more, not {k!r}")
        self.first, self.second, self.k = first, second, int(k)
        self._scorer = _scorer_of(first)
        self._asked: tuple[str, BlackBox | None, BlackBox] | None = None

    def __repr__(self) -> str:
        names = (Capabilities.of(stage).name for stage in (self.first, self.second))
        return f"<Pipeline of {' and '.join(names)}, k={self.k}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_asked": None}

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        """(N,) scores of a list of texts.

        Raises
        ------
        InputError
            If the first stage is a search room that cannot score texts.
        """
        return self._asked_in_turn(query, texts)[-1]

    def stages(self, query: str, texts: Sequence[str]) -> tuple[StageScores, ...]:
        """What each stage made of the texts: the first stage, and the reranker of those it was given.

        The last one is the reranker, by its own scores; what was not reranked comes after all of them,
        in the order of the first stage. Texts that a search room does not find have no rank at all.

        Raises
        ------
        InputError
            As when it scores texts.

        Examples
        --------
        >>> def words(query, texts): return [float(text.count(query)) for text in texts]
        >>> def shortness(query, texts): return [-float(len(text)) for text in texts]
        >>> found = Pipeline(words, shortness, k=2).stages("tea", ["tea tea", "tea", "a boat"])
        >>> [(one.name, one.ranks.tolist()) for one in found]
        [('first stage', [1, 2, 3]), ('reranker', [2, 1, 0])]
        """
        scores, best, again, _ = self._asked_in_turn(query, texts)
        found = np.where(scores > 0, scores, np.nan) if self._finds_words else scores
        first = within("first stage", self._scorer, query, texts, found)
        *parts, last = within("reranker", self.second, query, [texts[i] for i in best.tolist()], again)
        reranked = (_spread(one, best, len(texts)) for one in (*parts, last))
        return *first, *reranked

    def _asked_in_turn(
        self, query: str, texts: Sequence[str]
    ) -> tuple[Floats, npt.NDArray[np.intp], Floats, Floats]:
        """Scores (N,) of the first stage, which texts go on, their scores there, and (N,) of all."""
        first, second = self._boxes(query)
        if first is None:
            raise InputError(
                f"{Capabilities.of(self.first).name} searches, and cannot score given texts: use "
                "pipeline.search, or give the search room a method (query, texts) -> scores"
            )
        scores = first(query, texts)
        order = np.argsort(-scores, kind="stable")
        found = order[scores[order] > 0] if self._finds_words else order
        best = found[: self.k]
        again = second(query, [texts[i] for i in best.tolist()])
        places = _groups(scores, [i for i in order.tolist() if i not in set(best.tolist())])
        return scores, best, again, _joined(len(texts), best, again, places)

    def search(self, query: str, k: int = 10, collection: Documents | None = None) -> Hits:
        """The ``k`` best documents of a collection.

        Parameters
        ----------
        collection
            Documents in any of the forms of `intentx.rank`; None: those of the search room that is the
            first stage. A scorer as the first stage scores them all.

        Returns
        -------
        Hits
            Ids and scores, best first.

        Raises
        ------
        InputError
            If the first stage has no collection and none is given, or it has one and another is given.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise InputError(f"k must be an integer, 1 or more, not {k!r}")
        room = self.room
        if room is not None:
            if collection is not None and collection is not room:
                raise InputError("the first stage searches documents of its own: leave collection out")
            return self._searched(room, query, int(k))
        if collection is None:
            raise InputError(
                "the first stage is a scorer without documents: give them, pipeline.search(query, k, "
                "docs), or make it a search room: Pipeline(SearchIndex.build(docs), second)"
            )
        documents = as_documents(collection)
        scores = self(query, [one.content for one in documents])
        order = np.argsort(-scores, kind="stable")[: int(k)]
        return Hits(tuple(documents[i].id for i in order.tolist()), scores[order])

    def _searched(self, room: Searches, query: str, k: int) -> Hits:
        ids, scores = room.search(query, max(self.k, k))
        scores = np.asarray(scores, dtype=np.float64)
        best = np.arange(min(self.k, len(ids)))
        _, second = self._boxes(query)
        again = second(query, [room.document(ids[i]).content for i in best.tolist()])
        places = _groups(scores, range(len(best), len(ids)))
        scores = _joined(len(ids), best, again, places)
        order = np.argsort(-scores, kind="stable")[:k]
        return Hits(tuple(ids[i] for i in order.tolist()), scores[order])

    def document(self, doc_id: str) -> Document:
        """The document of an id in the collection of the first stage.

        Raises
        ------
        InputError
            If there is none, or the first stage has no collection.
        """
        if self.room is None:
            raise InputError(f"no document {doc_id!r}: the first stage is a scorer without documents")
        return self.room.document(doc_id)

    @property
    def room(self) -> Searches | None:
        """What searches, if the first stage does: it, or that of a pipeline in its place."""
        if isinstance(self.first, Pipeline):
            return self.first if self.first.room is not None else None
        return self.first if isinstance(self.first, Searches) else None

    @property
    def _finds_words(self) -> bool:
        return isinstance(self.first, SearchIndex)

    def seen(self, query: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Each text as far as one of the stages reads it.

        Raises
        ------
        InputError
            If a stage cannot tell.
        """
        both = [
            Capabilities.of(stage).seen(query, texts) or tuple(texts)
            for stage in (self._scorer, self.second)
        ]
        return tuple(max(pair, key=len) for pair in zip(*both, strict=True))

    @property
    def cost(self) -> CallCost | None:
        """What its stages cost together, as far as they say; whole lists are asked."""
        return combined_cost([(self._scorer, None), (self.second, self.k)])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its stages have to say about their answers."""
        stages = (self._scorer, self.second)
        return tuple(one for stage in stages for one in Capabilities.of(stage).remarks)

    @property
    def fingerprint(self) -> str | None:
        """Stands for both stages; None where one has none."""
        found = [Capabilities.of(stage).fingerprint for stage in (self._scorer, self.second)]
        if None in found:
            return None
        return fingerprint_of({"ranker": "Pipeline", "stages": found, "k": self.k})

    def state_mark(self, thorough: bool = False) -> Any:
        """What differs once a stage has changed; None where neither tells."""
        stages = (self._scorer, self.second)
        marks = tuple(Capabilities.of(stage).state_mark(thorough=thorough) for stage in stages)
        return None if marks == (None, None) else (*marks, self.k)

    def _boxes(self, query: str) -> tuple[BlackBox | None, BlackBox]:
        """The stages, with what they answered for this query."""
        known = self._asked
        if known is None or known[0] != query:
            first = None if self._scorer is None else BlackBox(self._scorer)
            known = self._asked = query, first, BlackBox(self.second)
        return known[1:]


def stages_of(ranker: Scorer | Searches) -> tuple[Stage, ...]:
    """The stages of a pipeline, those of pipelines in the place of its first stage included.

    >>> def one(query, texts): return [len(text) for text in texts]
    >>> [(s.name, s.takes) for s in stages_of(Pipeline(Pipeline(one, one, k=50), one, k=9))]
    [('first stage', None), ('reranker 1', 50), ('reranker 2', 9)]
    """
    if not isinstance(ranker, Pipeline):
        room = ranker if isinstance(ranker, Searches) else None
        return (Stage("ranker", _scorer_of(ranker), room, None),)
    before, *others = stages_of(ranker.first)
    chain = [*others, Stage("", ranker.second, None, ranker.k)]
    names = [f"reranker {i}" for i in range(1, len(chain) + 1)] if others else ["reranker"]
    return (
        Stage("first stage", before.scorer, before.room, None),
        *(Stage(name, one.scorer, None, one.takes) for name, one in zip(names, chain, strict=True)),
    )


def _spread(one: StageScores, places: npt.NDArray[np.intp], number: int) -> StageScores:
    """What a stage made of the texts at some places, among ``number`` texts."""
    scores, ranks = np.full(number, np.nan), np.zeros(number, dtype=np.intp)
    scores[places], ranks[places] = one.scores, one.ranks
    shares = None
    if one.shares is not None:
        shares = np.full(number, np.nan)
        shares[places] = one.shares
    return dataclasses.replace(one, scores=scores, ranks=ranks, shares=shares)


def _scorer_of(first: Any) -> Scorer | None:
    """What scores texts as a first stage does."""
    if isinstance(first, SearchIndex):
        return BM25.of_index(first)
    return first if callable(first) else None


def _groups(scores: Floats, places: Sequence[int]) -> list[list[int]]:
    """Places in their order, those of equal scores together."""
    return [list(some) for _, some in itertools.groupby(places, key=lambda i: float(scores[i]))]


def _joined(number: int, best: npt.NDArray[np.intp], again: Floats, after: list[list[int]]) -> Floats:
    """Scores of all texts: those of the second stage, and lower ones by equal steps."""
    found = np.zeros(number)
    if not len(best):
        for place, some in enumerate(after):
            found[some] = -float(place)
        return found
    low, high = float(again.min()), float(again.max())
    gaps = max(len(again) - 1, 1)
    step = (high / gaps - low / gaps) or 1.0
    with np.errstate(over="ignore"):
        below = low - step * np.arange(1, len(after) + 1)
    steps = np.concatenate([[low], below])
    if not np.isfinite(below).all() or (np.diff(steps) >= 0).any():  # too large or too small a step
        again = -np.unique(-again, return_inverse=True)[1].astype(float)
        below = again.min() - np.arange(1, len(after) + 1)
    found[best] = again
    for score, some in zip(below.tolist(), after, strict=True):
        found[some] = score
    return found
