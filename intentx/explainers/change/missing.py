"""`missing`: at which stage a document was lost, and what would bring it in."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from intentx.capabilities import Capabilities
from intentx.documents import Document, Documents, as_documents, id_of, some
from intentx.errors import InputError
from intentx.explainers.change.bring_in import bring_in
from intentx.explainers.change.missing_answer import (
    Addition,
    Change,
    LackedWord,
    MissingDocument,
    Unread,
    Where,
)
from intentx.explainers.change.rooms import searched
from intentx.explainers.change.standing import DEEPEST, Standings, Way
from intentx.perturbation import insert_terms
from intentx.rankers.bm25 import BM25
from intentx.rankers.pipeline import Pipeline, Searches, stages_of
from intentx.scoring import BlackBox, Scorer
from intentx.search import SearchIndex
from intentx.text import Analyzer

__all__ = ["missing"]

MOST_WORDS = 20  # of the query that BM25's formula adds at most
MOST_TOGETHER = 3  # words that are tried together by asking
MOST_PASSAGES = 64
DEPTH = 100  # documents of a search that the ranker gets


def missing(
    ranker: Scorer | Searches,
    query: str,
    doc: str | int,
    collection: Documents | Searches | Callable[[str, int], Documents] | None = None,
    *,
    k: int = 10,
    budget: int = 200,
    keep: Literal["query"] | tuple[str, ...] | None = None,
) -> MissingDocument:
    """Why is a document not among the first ``k``?

    Parameters
    ----------
    ranker
        A `Pipeline`, any other scorer, or a search room such as `intentx.search.SearchIndex`.
    doc
        The document's id.
    collection
        The documents that are searched, in any of the forms of `intentx.rank`, or an index of them: a
        `SearchIndex`, an index of bm25s with its corpus. Any other search room, and a callable
        ``(query, k) -> documents``, is the first stage of a ranker that has none. None: the documents of
        the search room that is the first stage.
    k
        Ranks that the document is looked for in.
    budget
        Most edited texts that each search for words to add asks about.
    keep
        Words that the smallest change does not insert, as in `intentx.Counterfactual`: ``"query"`` or a
        list.

    Returns
    -------
    MissingDocument
        At which stage it was lost, its rank and score at each stage, what it lacks, and which words of
        the query suffice.

    Raises
    ------
    InputError
        If the document is not in the collection, there is no collection, or a value is out of range.
    ScorerError
        If a stage fails.

    Notes
    -----
    Ranks of edited texts are exact for the collection as it is: its statistics stay as they were. Words
    are put in front as a sentence. For BM25 as the first stage, the fewest words follow from its
    formula, with repetition; elsewhere sets of up to three of the query's words are asked by size.
    ``smallest`` comes from `intentx.Counterfactual`, which is offered the words of the query and of the
    first ``k`` documents, and asks all stages.

    A stage that says how far it reads (``seen``) is asked about the passages behind: where one of them,
    in the place of the document, goes on, the document was lost by its length.

    Examples
    --------
    >>> docs = {"a": "green tea", "b": "a large pot of green tea", "c": "a boat", "d": "green boats"}
    >>> found = missing(SearchIndex.build(docs), "green tea", "d", k=2)
    >>> found.stage, found.rank, [one.word for one in found.lacks], found.change.words
    ('ranker', 3, ['tea'], ('tea',))
    """
    scorer: Any = ranker.scorer if isinstance(ranker, BlackBox) else ranker
    for name, value in (("k", k), ("budget", budget)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} must be a whole number, 1 or more, not {value!r}")
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"the query must be a text with at least one character, not {query!r}")
    if not callable(scorer) and not isinstance(scorer, Searches):
        raise InputError(f"a ranker is a callable (query, texts) -> scores, not {scorer!r}")
    given: Any = searched(collection)
    found_by: Searches | None = None
    is_search = isinstance(given, Searches) and not isinstance(given, SearchIndex)
    if is_search and stages_of(scorer)[0].room is None:
        scorer, found_by = Pipeline(given, scorer, DEPTH), given
        given.search(query, DEEPEST)  # one that knows what it found only knows the document now
    stages = stages_of(scorer)
    document, documents, notes = _found(stages[0].room, doc, given)
    if found_by is not None:
        notes.append(f"The collection is a search: the ranker gets the first {DEPTH} that it finds.")
    asked = Standings(stages, query, document, documents, k)
    with asked.counted() as counted:
        search = _Search(asked, documents, budget, notes, keep)
        answer = search.answer()
        calls = sum(sum(one.texts.values()) for one in counted)
    return MissingDocument(**answer, notes=tuple(notes), model_calls=calls)


def _found(
    room: Searches | None, doc: str | int, collection: Any
) -> tuple[Document, Sequence[Document] | None, list[str]]:
    """The document and the collection; None where a search room has it."""
    name = id_of(doc, "a document's id")
    notes: list[str] = []
    given: Sequence[Document] | None = None
    if isinstance(collection, Searches):
        if room is None and isinstance(collection, SearchIndex):
            given = tuple(collection.document(one) for one in collection.texts)
        document = collection.document(name)
    elif collection is not None:
        given = as_documents(collection)
        document = _by_id(given, name)
    elif room is None:
        raise InputError("no collection: give the documents that are searched, missing(…, collection)")
    if room is None:
        return _by_id(given or (), name), given, notes
    try:
        document = room.document(name)
    except (InputError, KeyError) as error:
        if collection is None or collection is room:
            raise
        raise InputError(
            f"document {name!r} is in the collection, and not in the index that the first stage "
            f"searches: index it ({error})"
        ) from error
    if given is not None and _by_id(given, name).content != document.content:
        notes.append("The index holds another text of the document than the collection; it is used.")
    return document, None, notes


def _by_id(documents: Sequence[Document], name: str) -> Document:
    for one in documents:
        if one.id == name:
            return one
    raise InputError(
        f"no document {name!r} among the {len(documents)} of the collection; it has "
        f"{some([one.id for one in documents])}"
    )


class _Search:
    """Looks for what is missing, with one budget."""

    def __init__(
        self,
        asked: Standings,
        documents: Sequence[Document] | None,
        budget: int,
        notes: list[str],
        keep: Literal["query"] | tuple[str, ...] | None,
    ) -> None:
        self.keep = keep
        self.asked, self.documents, self.budget, self.notes = asked, documents, budget, notes
        self.query, self.k = asked.query, asked.k
        first: Any = asked.stages[0].scorer
        own = getattr(asked.room, "analyzer", None) or Capabilities.of(first).analyzer
        self.analyzer = own if isinstance(own, Analyzer) else Analyzer(stem="english")
        self.bm25 = first if type(first) is BM25 else None
        if not isinstance(own, Analyzer):
            notes.append("The first stage names no analyzer: its words are those of English stems.")
        self.words: dict[str, str] = {}  # of the query, by term
        for token in self.analyzer.tokens(self.query):
            self.words.setdefault(token.term, self.query[token.start : token.end])
        self.own = set(self.analyzer.terms(asked.text))

    def answer(self) -> dict[str, Any]:
        """The parts of the answer."""
        asked = self.asked
        way = asked.way()
        lost = self._lost_at(way)
        found = way.rank is not None and way.rank <= self.k
        stage: Where = "found" if found else self._kind(lost)
        unread = None if found else self._unread(lost)
        if unread and unread.best_rank is not None and unread.best_rank <= asked.limits[lost]:
            stage = "length"
        if not self.own:
            self.notes.append("The document has no word that the first stage reads.")
        if not self.words:
            self.notes.append("The query has no word that the first stage reads.")
        if asked.stages[0].scorer is None and not found:
            self.notes.append("The first stage searches only: edited texts cannot be asked.")
        at_first = not found and lost == 0 and len(asked.stages) > 1
        return {
            "query": self.query, "doc_id": asked.document.id, "document": asked.text, "k": self.k,
            "stage": stage, "lost_at": "" if found else asked.stages[lost].name, "rank": way.rank,
            "stages": way.stages, "lacks": self._lacks(), "unread": unread,
            "for_first": self._fewest(True) if at_first else None,
            "change": None if found else self._fewest(False),
            "smallest": None if found else self._smallest(),
        }  # fmt: skip

    def _kind(self, lost: int) -> Where:
        if len(self.asked.stages) == 1:
            return "ranker"
        return "reranker" if lost else "first stage"

    def _lost_at(self, way: Way) -> int:
        """The number of the last stage that the document reached."""
        return max(i for i, one in enumerate(way.stages) if one.reached)

    def _lacks(self) -> tuple[LackedWord, ...]:
        lacked = [term for term in self.words if term not in self.own]
        room = self.asked.room
        holding: Counter[str] | None = None  # what a search of one's own holds is not known
        if isinstance(room, SearchIndex):
            holding = Counter({term: room.frequency(term) for term in lacked})
        elif self.documents is not None:
            holding = Counter()
            for one in self.documents if lacked else ():
                holding.update({*lacked} & {*self.analyzer.terms(one.content)})
        return tuple(
            LackedWord(self.words[term], term, None if holding is None else holding[term])
            for term in lacked
        )

    def _fewest(self, first: bool) -> Addition | None:
        """The fewest words of the query in front that suffice, for the first stage or in the end."""
        if self.asked.stages[0].scorer is None or not self.words:
            return None
        alone = first or len(self.asked.stages) == 1
        if self.bm25 is not None and alone:
            return self._by_formula(self.bm25)
        tried = 0
        for size in range(1, min(MOST_TOGETHER, len(self.words)) + 1):
            sets = list(itertools.islice(self._sets(size), self.budget - tried))
            texts = [insert_terms(self.asked.text, words) for words in sets]
            self.asked.ask_ahead(texts)
            ranks = [self._rank(text, first) for text in texts]
            tried += len(sets)
            good = [i for i, rank in enumerate(ranks) if rank is not None and rank <= self._limit(first)]
            if good:
                best = min(good, key=lambda i: (ranks[i], i))
                return Addition(sets[best], "minimal", False, tried, ranks[best])
            if tried >= self.budget:
                break
        return Addition((), "none within the budget", False, tried, None)

    def _smallest(self) -> Change | None:
        """The smallest change by words of the query and of the first documents."""
        if self.asked.stages[0].scorer is None:
            return None
        return bring_in(self.asked, self.budget, self.keep, self.analyzer)

    def _by_formula(self, bm25: BM25) -> Addition:
        ways = bm25.additions(self.query, self.asked.text, MOST_WORDS)
        for tried, (terms, _) in enumerate(ways, start=1):
            words = tuple(self.words[term] for term in terms)
            rank = self._rank(insert_terms(self.asked.text, words), True)
            if rank is not None and rank <= self._limit(True):
                return Addition(words, "minimal", True, tried, rank)
        return Addition((), "none within the budget", True, len(ways), None)

    def _limit(self, first: bool) -> int:
        return self.asked.limits[0] if first else self.k

    def _rank(self, text: str, first: bool) -> int | None:
        way = self.asked.way(text)
        return way.stages[0].rank if first else way.rank

    def _sets(self, size: int) -> Iterator[tuple[str, ...]]:
        """Sets of the query's words, those of lacked ones first."""
        terms = sorted(self.words, key=lambda term: term in self.own)
        for some_terms in itertools.combinations(terms, size):
            yield tuple(self.words[term] for term in some_terms)

    def _unread(self, lost: int) -> Unread | None:
        """What the stage does not read, and whether a passage of it would go on."""
        box, text = self.asked.boxes[lost], self.asked.text
        if box is None:
            return None
        read = box.can.read(self.query, [text])
        if read.unknown:
            self.notes.append(f"Whether the {self.asked.stages[lost].name} reads it whole is unknown.")
        cut = len(read.texts[0])
        if cut >= len(text) or not text.startswith(read.texts[0]):
            return None
        passages = self._passages(box, cut)
        if not box.listwise:
            box(self.query, [text[start:end] for start, end in passages])
        ranks = [self.asked.way(text[start:end], at=lost).stages[lost].rank for start, end in passages]
        places = [i for i, rank in enumerate(ranks) if rank is not None]
        best = min(places, key=lambda i: (ranks[i], i)) if places else 0
        seen = set(self.analyzer.terms(text[:cut]))
        words = tuple(word for term, word in self.words.items() if term in self.own - seen)
        rank = ranks[best] if places else None
        return Unread(cut, words, len(passages), *passages[best], rank)

    def _passages(self, box: BlackBox, cut: int) -> list[tuple[int, int]]:
        """Passages behind the cut: one after the other, and from sentences with words of the query."""
        text = self.asked.text
        starts: list[int] = []
        at = cut
        while at < len(text) and len(starts) < MOST_PASSAGES // 2:
            starts.append(at)
            length = len(box.can.read(self.query, [text[at:]]).texts[0])
            blank = text.rfind(" ", at + 1, at + length)
            at = blank if at + length < len(text) and blank > at else at + max(length, 1)
        sentences = [s for s in self.analyzer.sentences(text) if s >= cut]
        tokens = [t for t in self.analyzer.tokens(text) if t.term in self.words and t.start >= cut]
        starts += [max([s for s in sentences if s <= t.start], default=t.start) for t in tokens]
        starts += [t.start for t in tokens]
        chosen = list(dict.fromkeys(starts))[:MOST_PASSAGES]
        read = [box.can.read(self.query, [text[s:]]).texts[0] for s in chosen]
        return [(s, s + len(part)) for s, part in zip(chosen, read, strict=True)]
