"""The edits of a document that are offered to a search."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from intentx.errors import InputError
from intentx.explainers.change.edits import Edit, Unit
from intentx.explainers.change.forms import written_forms
from intentx.explainers.change.kept import Kept
from intentx.perturbation import within_limit
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex, Token
from intentx.text.letters import is_telling

__all__ = ["DOWN", "OFFERS", "UP", "Offer", "Offered", "Source", "offered_edits"]

SIGNS = frozenset("%‰#@&§")  # beside those of Unicode's category of symbols
Offer = Literal[
    "remove-words", "remove-sentences", "remove-passages",
    "insert-top-words", "insert-query-words", "insert-own-words", "insert-sentences",
    "replace-words",
]  # fmt: skip
OFFERS: tuple[Offer, ...] = get_args(Offer)
DOWN: tuple[Offer, ...] = ("remove-words",)
UP: tuple[Offer, ...] = ("insert-query-words", "insert-top-words")

MOST_WORDS = 100  # words of other documents that are offered
MOST_SENTENCES = 40  # sentences of other documents
PASSAGE = 3  # sentences of a passage, where no blank line ends one
NEAR = 3  # words that may stand for one
LEAST_NEAR = 0.3  # their least cosine


@dataclass(frozen=True, eq=False)
class Source:
    """What edits of a document are made from.

    Attributes
    ----------
    text
        The document.
    start, end
        What of it the ranker reads: nothing is offered outside of it.
    better
        Positions of the documents whose words and sentences may be put in, the best first.
    analyzer
        Finds every word.
    content
        Leaves stopwords out of what is put in.
    kept, own
        Words that are left alone; words that a user wants to see put in.
    vectors
        What says which words are near each other; None: they are learned from the documents.
    """

    ranking: Ranking
    position: int
    start: int
    end: int
    better: tuple[int, ...]
    analyzer: Analyzer
    content: Analyzer
    kept: Kept
    own: tuple[str, ...] = ()
    vectors: TermVectors | None = None

    @property
    def text(self) -> str:
        """The document."""
        return self.ranking.texts[self.position]

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The words that the ranker reads."""
        read, _ = within_limit(self.text[self.start : self.end], self.analyzer)
        return tuple(
            token._replace(start=token.start + self.start, end=token.end + self.start)
            for token in self.analyzer.tokens(read)
        )

    @cached_property
    def places(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """The spans of each word, in the order of the text."""
        found: dict[str, list[tuple[int, int]]] = {}
        for token in self.tokens:
            found.setdefault(token.term, []).append((token.start, token.end))
        return {term: tuple(spans) for term, spans in found.items()}

    @cached_property
    def index(self) -> TextIndex:
        """All documents, without stopwords."""
        return TextIndex([within_limit(t, self.content)[0] for t in self.ranking.texts], self.content)

    @cached_property
    def forms(self) -> dict[str, str]:
        """Each term of the documents as it is written there."""
        return written_forms(self.index.texts, self.content)

    def rarity(self, term: str) -> float:
        """Of how few documents a word is: ln(1 + N / n)."""
        return math.log1p(len(self.ranking) / max(1, int((self.index.counts_of([term]) > 0).sum())))

    def insert(self, text: str, unit: Unit = "word") -> Edit:
        """Putting a text in front of what the ranker reads."""
        return Edit("insert", text, ((self.start, self.start),), unit)


@dataclass(frozen=True, eq=False)
class Offered:
    """Edits that are offered, and those numbers of them that promise most, first.

    Attributes
    ----------
    left_alone
        Number of edits that are not offered since they are of words to keep.
    """

    edits: tuple[Edit, ...]
    order: tuple[int, ...]
    left_alone: int


def offered_edits(source: Source, offers: Sequence[Offer]) -> Offered:
    """The edits of these kinds, each once, in the order of the kinds and of the text.

    Raises
    ------
    InputError
        If there is none.
    """
    found: dict[tuple[str, str, str], tuple[Edit, float]] = {}
    left_alone = 0
    for offer in OFFERS:
        if offer not in offers:
            continue
        for edit, promise in _MAKERS[offer](source):
            if edit.text in source.kept or (edit.instead_of and edit.instead_of in source.kept):
                left_alone += 1
                continue
            # A word that is put in is offered once, as the list has it that promises more of it.
            written = edit.text.casefold()
            key = (edit.kind, edit.instead_of, f"{edit.places}" if edit.kind == "remove" else written)
            if key not in found or found[key][1] < promise:
                found[key] = edit, promise
    edits = tuple(edit for edit, _ in found.values())
    if not edits:
        why = f"; {left_alone} are of words that are to be kept" if left_alone else ""
        raise InputError(
            f"document {source.ranking.doc_ids[source.position]!r} can be changed by no edit of "
            f"{', '.join(offers)}{why}; offer others: edits=, of {', '.join(OFFERS)}"
        )
    promises = [promise for _, promise in found.values()]
    order = tuple(sorted(range(len(edits)), key=lambda i: (-promises[i], i)))
    return Offered(edits, order, left_alone)


def _written(source: Source, span: tuple[int, int]) -> str:
    return source.text[span[0] : span[1]]


def _promise_of_word(source: Source) -> Callable[[str, int], float]:
    """What taking a word out promises: words of the query first, then rare ones; stopwords last."""
    query = Kept([source.ranking.query], source.content)
    content = set(source.content.terms(source.text))
    asked = set(source.content.terms(source.ranking.query))

    def promise(term: str, times: int) -> float:
        of_query = term in asked or (term in content and term in query)
        rarity = source.rarity(term) if term in content else 0.0
        return 100.0 * of_query + rarity * (1 + math.log(times))

    return promise


def _words_out(source: Source) -> Iterable[tuple[Edit, float]]:
    promise = _promise_of_word(source)
    for term, places in source.places.items():
        spans = tuple(_with_signs(source, *span) for span in places)
        yield Edit("remove", _written(source, spans[0]), spans), promise(term, len(spans))


def _with_signs(source: Source, start: int, end: int) -> tuple[int, int]:
    """A word with the signs that belong to it: *3%*, *$5*, *C#*, which would be read without it."""
    text, number = source.text, end

    def is_sign(sign: str) -> bool:
        return sign in SIGNS or unicodedata.category(sign)[0] == "S"

    while number < source.end and is_sign(text[number]):
        number += 1
    first = start
    while first > source.start and is_sign(text[first - 1]):
        first -= 1
    if first > source.start and not text[first - 1].isspace():
        first = start  # they belong to what stands before
    return first, number


def _sentence_spans(source: Source) -> list[tuple[int, int]]:
    """The spans of the sentences that the ranker reads, without blanks around them."""
    read = source.text[source.start : source.end]
    starts = source.analyzer.sentences(read)
    spans = []
    for start, end in zip(starts, (*starts[1:], len(read)), strict=True):
        part = read[start:end]
        left = len(part) - len(part.lstrip())
        if part.strip():
            spans.append((source.start + start + left, source.start + start + len(part.rstrip())))
    return spans


def _sentences_out(source: Source) -> Iterable[tuple[Edit, float]]:
    return _parts_out(source, _sentence_spans(source), "sentence")


def _passages_out(source: Source) -> Iterable[tuple[Edit, float]]:
    """Paragraphs, and where there are none, three sentences each."""
    passages: list[list[tuple[int, int]]] = []
    sentences = _sentence_spans(source)
    blank = "\n\n" in source.text[source.start : source.end]
    for i, span in enumerate(sentences):
        between = source.text[sentences[i - 1][1] : span[0]] if i else ""
        new = between.count("\n") > 1 if blank else i % PASSAGE == 0
        if new or not passages:
            passages.append([])
        passages[-1].append(span)
    return _parts_out(source, [(some[0][0], some[-1][1]) for some in passages], "passage")


def _parts_out(
    source: Source, spans: Sequence[tuple[int, int]], unit: Unit
) -> Iterable[tuple[Edit, float]]:
    promise = _promise_of_word(source)
    for span in spans:
        text = _written(source, span)
        words = dict.fromkeys(source.analyzer.terms(text))
        yield Edit("remove", text, (span,), unit), sum(promise(word, 1) for word in words)


def _top_words(source: Source) -> Iterable[tuple[Edit, float]]:
    """Words of better documents that this one lacks: those of many of them, of the best, and rare."""
    index = source.index
    held = index.counts.toarray() > 0
    discount = np.zeros(len(source.ranking))
    discount[list(source.better)] = 1 / np.log2(np.arange(len(source.better)) + 2)
    own = set(source.places)
    # As often as among all documents, a word tells nothing of the better ones.
    worth = held @ discount - held.mean(axis=1) * discount.sum()
    rarity = np.log1p(len(source.ranking) / np.maximum(held.sum(axis=1), 1))
    promise = {
        term: float(worth[i] * rarity[i])
        for i, term in enumerate(index.vocabulary)
        if term not in own and is_telling(term) and held[i, list(source.better)].any()
    }
    best = sorted(promise, key=lambda term: (-promise[term], term))
    chosen = [term for term in best if term not in source.kept][:MOST_WORDS]
    for term in chosen:
        yield source.insert(source.forms[term]), promise[term]
    for term in best:
        if term in source.kept:
            yield source.insert(term), 0.0  # counted as left alone


def _query_words(source: Source) -> Iterable[tuple[Edit, float]]:
    """Words of the query, those that the document lacks first."""
    for token in dict.fromkeys(
        source.ranking.query[token.start : token.end]
        for token in source.content.tokens(source.ranking.query)
    ):
        lacks = not any(term in source.places for term in source.analyzer.terms(token))
        yield source.insert(token), 100.0 + lacks


def _own_words(source: Source) -> Iterable[tuple[Edit, float]]:
    for word in dict.fromkeys(source.own):
        yield source.insert(word), 50.0


def _other_sentences(source: Source) -> Iterable[tuple[Edit, float]]:
    """Sentences of better documents, in their order."""
    number = 0
    for position in source.better:
        text, _ = within_limit(source.ranking.texts[position], source.analyzer)
        starts = source.analyzer.sentences(text)
        for start, end in zip(starts, (*starts[1:], len(text)), strict=True):
            sentence = " ".join(text[start:end].split())
            if not source.analyzer.terms(sentence) or sentence in source.text:
                continue
            yield source.insert(sentence, "sentence"), 1.0 / (1 + number)
            number += sentence not in source.kept
            if number >= MOST_SENTENCES:
                return


def _near_words(source: Source) -> Iterable[tuple[Edit, float]]:
    """For each content word, words of other documents that are near it in meaning."""
    vectors = source.vectors or TermVectors.from_lsa(source.index)
    vocabulary = np.array(source.index.vocabulary, dtype=object)
    known, units = vectors.units(source.index.vocabulary)
    names: list[str] = vocabulary[known].tolist()
    place = {term: i for i, term in enumerate(names)}
    promise = _promise_of_word(source)
    for term, spans in source.places.items():
        if term not in place:
            continue
        near = units @ units[place[term]]
        others = [
            j
            for j in np.argsort(-near, kind="stable").tolist()
            if names[j] not in source.places and near[j] >= LEAST_NEAR
        ]
        for j in others[:NEAR]:
            edit = Edit("replace", source.forms[names[j]], spans, "word", _written(source, spans[0]))
            yield edit, promise(term, len(spans)) * float(near[j])


_MAKERS: Mapping[Offer, Callable[[Source], Iterable[tuple[Edit, float]]]] = {
    "remove-words": _words_out,
    "remove-sentences": _sentences_out,
    "remove-passages": _passages_out,
    "insert-top-words": _top_words,
    "insert-query-words": _query_words,
    "insert-own-words": _own_words,
    "insert-sentences": _other_sentences,
    "replace-words": _near_words,
}
