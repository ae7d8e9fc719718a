"""What each stage of a ranker makes of one document, as it is or edited."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.asked import Asked, asking
from intentx.capabilities import one_look
from intentx.documents import Document
from intentx.explainers.change.missing_answer import StageRank
from intentx.rankers.pipeline import Searches, Stage
from intentx.scoring import BlackBox
from intentx.search import SearchIndex

__all__ = ["DEEPEST", "Standings", "Way"]

HERE = -1  # the document's number in an order
DEEPEST = 1_000  # ranks that a search without a known size is asked for, at least
Floats = npt.NDArray[np.float64]


class Way(NamedTuple):
    """A document's way through the stages."""

    stages: tuple[StageRank, ...]
    rank: int | None  # in the end, from 1
    others: tuple[int, ...] = ()  # the other documents that the last stage ranks, best first


class Standings:
    """A document among the others of a collection.

    Parameters
    ----------
    stages
        Of the ranker.
    documents
        The collection in its order, the document among them; None: that of the search room.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        query: str,
        document: Document,
        documents: Sequence[Document] | None,
        k: int,
    ) -> None:
        self.stages, self.query, self.k = stages, query, k
        self.document, self.text = document, document.content
        self.boxes = [None if one.scorer is None else BlackBox.of(one.scorer) for one in stages]
        takes = [one.takes or 0 for one in stages[1:]]
        self.takes = [*takes, k]
        # A later stage that takes more than an earlier one gets what that one did not rerank, too.
        self.limits = [max(self.takes[i:]) for i in range(len(self.takes))]
        self.room = stages[0].room
        self._scales: dict[int, float] = {}  # of each stage, the first distance that was met
        if self.room is not None:
            self._search(self.room)
        else:
            self._score(documents or [document])

    def _search(self, room: Searches) -> None:
        deepest = max(DEEPEST, 10 * self.limits[0])
        with contextlib.suppress(TypeError):  # one without a known size
            deepest = max(1, len(room))  # type: ignore[arg-type]
        ids, scores = room.search(self.query, deepest)
        ids, scores = list(ids), np.asarray(scores, dtype=np.float64)
        here = ids.index(self.document.id) if self.document.id in ids else None
        self._here, self._own = here, None if here is None else float(scores[here])
        kept = [i for i, one in enumerate(ids) if i != here][: max(self.limits[0], 1)]
        self._text_of = {i: room.document(ids[i]).content for i in kept}
        others = [i for i in range(len(ids)) if i != here]
        self._order, self._scores = others, scores[others]
        self._earlier = np.array([here is None or i < here for i in others], dtype=bool)
        self.size = len(ids)

    def _score(self, documents: Sequence[Document]) -> None:
        self._texts = [one.content for one in documents]
        self._place = next(i for i, one in enumerate(documents) if one.id == self.document.id)
        self._text_of = dict(enumerate(self._texts))
        self.size = len(documents)

    def _first(self, text: str) -> tuple[int | None, float | None, list[int], Floats]:
        """Rank and score of a text at the first stage, and the others in their order with scores."""
        box = self.boxes[0]
        if self.room is not None:
            if text == self.text:
                rank = None if self._here is None else self._here + 1
                return rank, self._own, self._order, self._scores
            if box is None:
                return None, None, self._order, self._scores
            score = float(box(self.query, [text])[0])
            if score <= 0 and isinstance(self.room, SearchIndex):
                return None, score, self._order, self._scores
            return 1 + int((self._scores >= score).sum()), score, self._order, self._scores
        texts = [*self._texts]
        texts[self._place] = text
        scores = box(self.query, texts) if box is not None else np.zeros(self.size)
        order = np.argsort(-scores, kind="stable").tolist()
        rank = order.index(self._place) + 1
        others = [i for i in order if i != self._place]
        return rank, float(scores[self._place]), others, scores[others]

    def way(self, text: str | None = None, at: int | None = None) -> Way:
        """The way of the document, or of a text in its place.

        Parameters
        ----------
        at
            The stage that alone gets the text; None: all.
        """
        text = self.text if text is None else text
        texts = [text if at in (None, i) else self.text for i in range(len(self.stages))]
        rank, score, others, scores = self._first(texts[0])
        found = [self._stage(0, True, rank, len(others) + (rank is not None), score, scores)]
        order = others[: self.limits[0]]
        if rank is not None and rank <= self.limits[0]:
            order.insert(rank - 1, HERE)
        would = order  # be the order, had the document come as far
        for number, text in enumerate(texts[1:], start=1):
            takes = self.takes[number - 1]
            reached = HERE in order[:takes]
            if reached:
                would = order
            elif HERE not in would[:takes]:
                would = [one for one in would if one != HERE]
                would.insert(takes - 1, HERE)
            names, again = self._reranked(number, would[:takes], text)
            place = names.index(HERE)
            would = [*names, *would[takes:]]
            if reached:
                order = would
            elif any(HERE in order[:later] for later in self.takes[number:-1]):
                order = [*self._reranked(number, order[:takes], text)[0], *order[takes:]]
            own, rest = float(again[place]), np.delete(again, place)
            found.append(self._stage(number, reached, place + 1, len(names), own, rest))
        final = order.index(HERE) + 1 if HERE in order else rank
        return Way(tuple(found), final, tuple(one for one in would if one != HERE))

    def _reranked(self, number: int, names: list[int], text: str) -> tuple[list[int], Floats]:
        """Documents as a stage orders them, and their scores; equal ones as the ranker has them.

        That is the order of a search where there is one, and else that of the collection.
        """
        box = self.boxes[number]
        texts = [text if one == HERE else self._text_of[one] for one in names]
        scores = box(self.query, texts) if box is not None else np.zeros(len(texts))
        given = range(len(names)) if self.room is not None else [
            self._place if one == HERE else one for one in names
        ]  # fmt: skip
        order = np.lexsort((np.array(given, dtype=np.intp), -scores)).tolist()
        return [names[i] for i in order], scores[order]

    def _stage(
        self, number: int, reached: bool, rank: int | None, documents: int, score: float | None,
        others: Floats,
    ) -> StageRank:  # fmt: skip
        limit = self.limits[number]
        last = None
        if rank is None or rank > limit:
            last = float(others[limit - 1]) if len(others) >= limit else None
        elif documents >= limit:
            last = score if rank == limit else float(others[limit - 2])
        return StageRank(self.stages[number].name, reached, rank, documents, limit, score, last)

    def ahead(self) -> list[str]:
        """Texts of the first ``k`` other documents in the end, best first."""
        return [self._text_of[i] for i in self.way().others[: self.k] if i in self._text_of]

    def passed(self, text: str) -> float:
        """How far a text in the place of the document comes, as one number.

        The stages that it passes, and 1 at most for how near it is to pass the next one, or where all
        are passed, for its rank.
        """
        way = self.way(text)
        if way.rank is not None and way.rank <= self.k:
            return len(self.stages) + 1 / way.rank
        lost = max(i for i, one in enumerate(way.stages) if one.reached)
        one = way.stages[lost]
        if one.distance is None:
            return float(lost)
        scale = self._scales.setdefault(lost, max(abs(one.distance), 1e-12))
        return lost + 0.99 / (1 + max(one.distance, 0.0) / scale)

    def ask_ahead(self, texts: Sequence[str]) -> None:
        """Have stages that score each text by itself score several at a time."""
        for box in self.boxes:
            if box is not None and not box.listwise and len(texts):
                box(self.query, texts)

    @contextlib.contextmanager
    def counted(self) -> Iterator[list[Asked]]:
        """Around what is asked of the stages."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(one_look())
            yield [stack.enter_context(asking(box)) for box in self.boxes if box is not None]
