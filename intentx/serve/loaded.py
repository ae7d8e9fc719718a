"""What a worker has loaded: rankers by name, and what each has scored of late."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from intentx.capabilities import Capabilities
from intentx.errors import InputError
from intentx.rankers import RankerSpec
from intentx.rankers.bm25 import BM25
from intentx.rankers.features.ltr import FeatureRanker
from intentx.ranking import Document, Ranking, rank
from intentx.scoring import Scorer, checked_scores
from intentx.search import SearchIndex
from intentx.serve.engines import Engine
from intentx.serve.rankers import ServedRanker
from intentx.serve.turns import BATCH, Turns, WatchedBox
from intentx.serve.words import analyzer_of
from intentx.text import Analyzer

__all__ = ["Asking", "Loaded", "can_of"]

BOXES = 32  # rankings whose scores are remembered, for all users together ...
MOST_KNOWN = 20_000  # ... and the texts of them all: some 20 MB of short passages


class Loaded:
    """The rankers of a worker; each is loaded when it is first needed.

    Parameters
    ----------
    specs
        Spec of each ranker by its name.
    engines
        The collections, as far as this process can open them.
    """

    def __init__(
        self, specs: Mapping[str, str], engines: Mapping[str, Callable[[], Engine]], turns: Turns
    ) -> None:
        self.rankers = {name: ServedRanker(name, RankerSpec.parse(spec)) for name, spec in specs.items()}
        self.turns = turns
        self._openers = engines
        self._engines: dict[str, Engine] = {}
        self._scorers: dict[tuple[str, str], tuple[str, Scorer]] = {}
        self._boxes: OrderedDict[tuple[Any, ...], WatchedBox] = OrderedDict()
        self._changing = threading.RLock()

    def engine(self, collection: str) -> Engine:
        """The engine of a collection, in this process."""
        with self._changing:
            if collection not in self._engines:
                self._engines[collection] = self._openers[collection]()
            return self._engines[collection]

    def index(self, collection: str) -> SearchIndex | None:
        """The index of a collection, where its engine has one."""
        if collection not in self._openers:
            return None
        found = getattr(self.engine(collection), "index", None)
        return found if isinstance(found, SearchIndex) else None

    def analyzer(self, collection: str) -> Analyzer | None:
        """What makes terms of a collection's texts; None where it is not known."""
        return analyzer_of(self.engine(collection)) if collection in self._openers else None

    def scorer(self, name: str, collection: str, texts: Sequence[str]) -> Scorer:
        """A ranker; lexical ones have the words of the collection, and its statistics or the texts'."""
        ranker = self.rankers[name]
        index = self.index(collection) if ranker.is_first_stage else None
        if index is not None:
            return self._once((name, collection), ranker.mark, lambda: BM25.of_index(index))
        return self._made(ranker, texts, self.analyzer(collection))

    def _made(self, ranker: ServedRanker, texts: Sequence[str], words: Analyzer | None) -> Scorer:
        """What needs no texts is kept; statistics of texts are made anew, also within a pipeline."""
        spec = ranker.spec
        if spec.of_kind.lexical:
            return spec.load(texts, words)
        if spec.of_kind.of_rankers:
            parts = spec.parts()
            return parts.make([self._made(ServedRanker("", one), texts, words) for one in parts.specs])
        return self._once((ranker.text, ""), ranker.mark, lambda: spec.load(texts))

    def _once(self, key: tuple[str, str], mark: str, make: Callable[[], Scorer]) -> Scorer:
        with self._changing:
            known = self._scorers.get(key)
        if known is not None and known[0] == mark:
            return known[1]
        with self.turns.turn():  # loading counts as asking: it may hang, too
            known = self._scorers.get(key)
            if known is not None and known[0] == mark:
                return known[1]
            made = make()
            with self._changing:
                self._scorers[key] = mark, made
        return made

    def box(self, name: str, collection: str, query: str, documents: Sequence[Document]) -> WatchedBox:
        """The ranker with what it scored for this query before, whoever asked."""
        ranker = self.rankers[name]
        # Also where texts do not count: scores differ by rounding with the texts of a batch.
        here = ranker.spec.of_kind.lexical or ranker.spec.of_kind.on_disk
        ids = tuple(one.id for one in documents) if here else ()
        key = (name, ranker.mark, collection, query, ids)
        with self._changing:
            found = self._boxes.get(key)
            if found is not None:
                return self._used(key, found)
        made = WatchedBox(self.scorer(name, collection, [one.content for one in documents]), self.turns)
        with self._changing:
            return self._used(key, self._boxes.setdefault(key, made))

    def _used(self, key: tuple[Any, ...], box: WatchedBox) -> WatchedBox:
        """The box, now the last to be forgotten; the oldest go where there is too much."""
        self._boxes.move_to_end(key)
        known = {one: each.remembered for one, each in self._boxes.items()}
        while len(known) > 1 and (len(known) > BOXES or sum(known.values()) > MOST_KNOWN):
            oldest, _ = self._boxes.popitem(last=False)
            del known[oldest]
        if box.remembered > MOST_KNOWN:
            box.forget()
        return box

    def ranking(self, asking: Asking) -> Ranking:
        """The ranking that is asked about."""
        if asking.run is not None:
            return Ranking.from_run(asking.run, asking.query, asking.documents)
        box = self.box(asking.ranker, asking.collection, asking.query, asking.documents)
        return rank(box, asking.query, asking.documents)

    def score_together(self, askings: Sequence[Asking]) -> None:
        """Score the texts of several searches by one ranker in common batches, and remember that.

        Only where the ranker takes pairs; else each search has calls of its own.

        Raises
        ------
        ScorerError
            If the ranker fails.
        """
        boxes = [self.box(one.ranker, one.collection, one.query, one.documents) for one in askings]
        score = boxes[0].can.scores_pairs
        if score is None or len({id(box.scorer) for box in boxes}) > 1:
            return
        wanted = {
            (one.query, document.content): box
            for one, box in zip(askings, boxes, strict=True)
            for document in one.documents
            if not box.knows(one.query, document.content)
        }
        pairs = sorted(wanted, key=lambda pair: len(pair[1]), reverse=True)
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            queries, texts = [query for query, _ in batch], [text for _, text in batch]
            with self.turns.turn():
                scores = checked_scores(score(queries, texts), queries[0], texts)
            for pair, value in zip(batch, scores.tolist(), strict=True):
                wanted[pair].learn(*pair, value)


class Asking:
    """What a question is about: a query, a ranker, and the documents that the first stage found."""

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self.query: str = plain["query"]
        self.ranker: str = plain["ranker"]
        self.collection: str = plain["collection"]
        self.documents = tuple(
            Document(one["doc_id"], one["text"], one["title"]) for one in plain["documents"]
        )
        self.run: Mapping[str, float] | None = plain.get("run")
        if not self.documents:
            raise InputError(
                f"the first stage finds no document for {self.query!r}: there is nothing to rank; use "
                "words that documents of the collection have"
            )


def can_of(scorer: Scorer) -> dict[str, bool]:
    """What a ranker can do, as far as it says.

    >>> [name for name, able in can_of(lambda query, texts: [0.0] * len(texts)).items() if able]
    ['scores', 'each_alone']
    """
    can = Capabilities.of(scorer)
    sides = can.at_side is not None
    return {
        "scores": True,
        "gradients": can.differentiable is not None,
        "grad_cam": can.feature_mapped is not None,
        "features": isinstance(scorer, FeatureRanker),
        "attention": can.attentions is not None,
        "token_pairs": sides or can.token_matches is not None or can.interacting is not None,
        "two_sides": sides,
        "each_alone": not can.listwise,
    }
