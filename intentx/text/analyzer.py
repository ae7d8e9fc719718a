"""Text as terms: one `Analyzer` for candidates, simple rankers, masking and highlighting."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from intentx.errors import InputError, TextWarning
from intentx.text import segmenters
from intentx.text.capitals import stands_out
from intentx.text.markup import Stripped, strip_markup
from intentx.text.sentences import sentence_starts
from intentx.text.stopwords import (
    ELISIONS,
    STOPWORDS,
    folded_stopwords,
    language_code,
    stemmer,
    stemmer_name,
    stopwords_of,
)
from intentx.text.words import (
    chunk_texts,
    chunks,
    cut_chunk,
    fold,
    icu_version,
    possessive,
    same_letters,
)

__all__ = ["LONGEST_REMEMBERED", "Analyzer", "Token"]

REMEMBERED = 1_000  # texts whose analysis is kept, since a ranking is read again and again ...
LONGEST_REMEMBERED = 4_000  # ... of at most so many characters each: some 50 MB at worst
LONGEST_CHUNK = 40  # characters; longer runs of letters hardly come twice

LONGEST_NAME = 4  # letters of a stopword that is a name in capitals: NEVER is one in none

ICU, LETTERS = "icu", "letters"


class Token(NamedTuple):
    """One occurrence of a term: ``text[start:end]``, in sentence number ``sentence`` (from 0)."""

    term: str
    start: int
    end: int
    sentence: int


class _Piece(NamedTuple):
    """A word of a chunk, by its place in it; a stopword has no term."""

    term: str | None
    start: int
    end: int
    name: str | None = None  # the term of a stopword that its capitals may make a name, such as US


_PiecesOf = Callable[[str], tuple[_Piece, ...]]
_TermsOf = Callable[[str], tuple[str, ...] | None]


@dataclass(frozen=True)
class Analyzer:
    """Turns text into terms with character spans and sentence numbers.

    Parameters
    ----------
    stem
        Language of a Snowball stemmer ("english", "de", …), True for that of ``language``, or None for
        the words as written.
    stopwords
        Words that never become terms, compared before stemming; None: those of ``language``; ``()``:
        none. Short words in capitals, such as the *IT* of "IT jobs", are terms unless the text around
        them is in capitals, too.
    ngrams
        Longest run of neighbouring words that becomes a term, 1 for single words. The words of
        an n-gram stand in one sentence with no stopword between; they are joined by one space.
    language
        What chooses stopwords: an English name or an ISO code. Words are found in all languages,
        whatever it is.
    segmenter
        What cuts a text into words. ``"icu"``: rules for writing with spaces, ICU's dictionaries for
        Chinese, Japanese, Thai, Lao, Khmer and Burmese. Or a callable of your own, ``text -> words`` in
        their order or ``(start, end)`` of each; what holds no letter, digit or emoji is left out.
        ``"letters"`` is how intentx cut words before it asked ICU.
    strip_markup
        Whether texts are HTML, of whose tags and entities no terms are made. Spans still refer to the
        text as given, and so does the ranker see it.

    Terms are NFKC-normalised and case-folded, so "Straße" and "STRASSE" are one term; spans always
    refer to the text as given.

    Raises
    ------
    InputError
        If a language, a stemmer or a segmenter is unknown, or a value is out of range.

    Examples
    --------
    >>> Analyzer().tokens("Café owners. Their café!")
    (Token(term='café', start=0, end=4, sentence=0), \
Token(term='owners', start=5, end=11, sentence=0), Token(term='café', start=19, end=23, sentence=1))
    >>> Analyzer().terms("我喜欢用手机, AT&T and C++")
    ('我', '喜欢', '用', '手机', 'at&t', 'c++')
    >>> Analyzer(language="de", stem=True).terms("Die Häuser und das Haus")
    ('haus',)
    """

    stem: str | bool | None = None
    # Any collection will do; it is a frozenset once the analyzer is there.
    stopwords: frozenset[str] = field(default=None, repr=False)  # type: ignore[arg-type]
    ngrams: int = 1
    language: str = "english"
    segmenter: str | segmenters.Segmenter = ICU
    strip_markup: bool = False

    def __post_init__(self) -> None:
        if self.ngrams < 1:
            raise InputError(f"ngrams must be 1 or more, not {self.ngrams!r}")
        if isinstance(self.stopwords, str):
            raise InputError("stopwords must be a collection of words, not one string")
        object.__setattr__(self, "language", language_code(self.language))
        given: Collection[str] | None = self.stopwords
        words = stopwords_of(self.language) if given is None else frozenset(given)
        object.__setattr__(self, "stopwords", folded_stopwords(words))
        stem = self.language if self.stem is True else self.stem or None
        object.__setattr__(self, "stem", stem and stemmer_name(stem))
        if callable(self.segmenter):
            segmenters.register(self.segmenter)
        elif self.segmenter not in (ICU, LETTERS):
            raise InputError(
                f"segmenter must be {ICU!r}, {LETTERS!r} or a callable, text -> words, not "
                f"{self.segmenter!r}; on the command line, --segmenter module:callable"
            )

    def tokens(self, text: str) -> tuple[Token, ...]:
        """All term occurrences in ``text``, in the order of their first and then last character."""
        return _analysed(self, text)[0]

    def occurrences(self, text: str) -> list[str]:
        """The terms of `tokens` in their order, without their places: several times as quick.

        Nothing is remembered of the text, so that it is for texts that are read once.

        >>> Analyzer(stem="english").occurrences("Tea pots, and a pot of tea")
        ['tea', 'pot', 'pot', 'tea']
        """
        simple = self.ngrams == 1 and not self.strip_markup and self.segmenter == ICU
        if simple and type(self).tokens is Analyzer.tokens:
            terms_of, directly = self._terms_reader
            found: list[str] = []
            for chunk in chunk_texts(text):
                terms = terms_of(chunk) if len(chunk) <= LONGEST_CHUNK else directly(chunk)
                if terms is None:  # capitals, whose meaning depends on what is around
                    break
                found += terms
            else:
                return found
        return [token.term for token in self.tokens(text)]

    def terms(self, text: str) -> tuple[str, ...]:
        """The terms of ``text`` without repetition, in order of first appearance.

        >>> Analyzer(stem="english").terms("The reviews of reviewers reviewing")
        ('review',)
        """
        return tuple(dict.fromkeys(token.term for token in self.tokens(text)))

    def sentences(self, text: str) -> tuple[int, ...]:
        """Start offsets of the sentences of ``text``; the first is always 0."""
        if len(text) > LONGEST_REMEMBERED and not self.strip_markup:
            return sentence_starts(text)
        return _analysed(self, text)[1]

    def spans(self, text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
        """Character spans at which any of ``terms`` occurs, sorted."""
        wanted = set(terms)
        return [(t.start, t.end) for t in self.tokens(text) if t.term in wanted]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ``stopwords`` is None for the list that comes with intentx."""
        own = None if self.stopwords == folded_stopwords(STOPWORDS) else sorted(self.stopwords)
        return {
            "stem": self.stem,
            "stopwords": own,
            "ngrams": self.ngrams,
            "language": self.language,
            "segmenter": self._segmenter_to_dict(),
            "strip_markup": self.strip_markup,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Analyzer:
        """The inverse of `to_dict`.

        A segmenter of a user's own must have been given to an `Analyzer` of this process before; else
        the analyzer says so as soon as it is asked. Data from before there were segmenters are read as
        they were made: words are cut by ``"letters"``.

        Warns
        -----
        TextWarning
            If the data were made with another version of the segmenter.
        """
        return cls(
            stem=plain["stem"],
            stopwords=STOPWORDS if plain["stopwords"] is None else frozenset(plain["stopwords"]),
            ngrams=plain["ngrams"],
            language=plain.get("language", "english"),
            segmenter=_segmenter_from_dict(plain.get("segmenter", {"name": LETTERS})),
            strip_markup=plain.get("strip_markup", False),
        )

    def _segmenter_to_dict(self) -> dict[str, str | None]:
        if callable(self.segmenter):
            name = segmenters.segmenter_name(self.segmenter)
            return {"name": name, "version": segmenters.segmenter_version(self.segmenter)}
        return {"name": self.segmenter, "version": _version(self.segmenter)}

    def _analysed(self, text: str) -> tuple[tuple[Token, ...], tuple[int, ...]]:
        """The tokens of ``text``, and the starts of its sentences."""
        if self.strip_markup:
            return self._of_markup(strip_markup(text))
        starts = sentence_starts(text)
        words = self._words(text, starts)
        if self.ngrams == 1:
            return tuple(word for word, _ in words), starts
        return tuple(self._with_ngrams(words)), starts

    def _of_markup(self, page: Stripped) -> tuple[tuple[Token, ...], tuple[int, ...]]:
        """As `_analysed`, of text without its markup, but with places in the source."""
        starts = sentence_starts(page.text)
        words = self._words(page.text, starts)
        tokens = (word for word, _ in words) if self.ngrams == 1 else self._with_ngrams(words)
        placed = (
            token._replace(start=s, end=e) for token in tokens for s, e in [page.span(*token[1:3])]
        )
        return tuple(placed), (0, *(page.starts[start] for start in starts[1:]))

    def _words(self, text: str, starts: Sequence[int]) -> list[tuple[Token, int]]:
        """Word tokens with their running number, stopwords counted but left out."""
        pieces_of, directly = self._reader
        sentence = number = 0
        following = starts[1] if len(starts) > 1 else math.inf
        words = []
        for chunk, offset in self._chunks(text):
            for piece in pieces_of(chunk) if len(chunk) <= LONGEST_CHUNK else directly(chunk):
                number += 1
                term, start, end, name = piece
                if term is None:
                    if name is None or not self._is_name(text, offset + start, offset + end, starts):
                        continue
                    term = name
                start += offset
                while following <= start:
                    sentence += 1
                    following = starts[sentence + 1] if sentence + 1 < len(starts) else math.inf
                words.append((Token(term, start, offset + end, sentence), number))
        return words

    @property
    def _reader(self) -> tuple[_PiecesOf, _PiecesOf]:
        """What finds the words of a chunk, with memory and without."""
        stem = str(self.stem) if self.stem else None
        return _pieces_of(stem, self.stopwords, self.language, self.segmenter == ICU)

    @property
    def _terms_reader(self) -> tuple[_TermsOf, _TermsOf]:
        """The same for terms alone."""
        stem = str(self.stem) if self.stem else None
        return _terms_of(stem, self.stopwords, self.language)

    def _is_name(self, text: str, start: int, end: int, starts: Sequence[int]) -> bool:
        """Whether a stopword in capitals is one that stands out."""
        return self.segmenter != LETTERS and stands_out(text, start, end, starts, self.stopwords)

    def _chunks(self, text: str) -> Iterable[tuple[str, int]]:
        """Parts of ``text`` that hold one word, or several which the rules of intentx tell apart."""
        if self.segmenter == ICU:
            return [(match.group(), match.start()) for match in chunks(text)]
        if callable(self.segmenter):
            return [(text[a:b], a) for a, b in segmenters.own_words(self.segmenter, text)]
        return [(match.group(), match.start()) for match in segmenters.LETTERS.finditer(text)]

    def _with_ngrams(self, words: list[tuple[Token, int]]) -> Iterable[Token]:
        for first, (head, number) in enumerate(words):
            yield head
            term = head.term
            for tail, tail_number in words[first + 1 : first + self.ngrams]:
                number += 1
                if tail_number != number or tail.sentence != head.sentence:
                    break
                term = f"{term} {tail.term}"
                yield Token(term, head.start, tail.end, head.sentence)


def _analysed(analyzer: Analyzer, text: str) -> tuple[tuple[Token, ...], tuple[int, ...]]:
    """`Analyzer._analysed`, remembered for short texts."""
    return (_remembered if len(text) <= LONGEST_REMEMBERED else Analyzer._analysed)(analyzer, text)


_remembered = functools.lru_cache(maxsize=REMEMBERED)(Analyzer._analysed)


def _version(segmenter: str) -> str | None:
    return icu_version() if segmenter == ICU else None


def _segmenter_from_dict(plain: Mapping[str, Any]) -> str | segmenters.Segmenter:
    name, version = plain.get("name"), plain.get("version")
    if name in (ICU, LETTERS):
        here = _version(name)
        found: str | segmenters.Segmenter = name
    else:
        found = segmenters.find_segmenter(plain)
        here = segmenters.segmenter_version(found)
    if version != here:
        warnings.warn(
            f"made with version {version} of the segmenter {name}, but version {here} is installed: it "
            "may segment some words differently",
            TextWarning,
            stacklevel=4,
        )
    return found


@functools.lru_cache(maxsize=8)
def _pieces_of(
    stem: str | None, stopwords: frozenset[str], language: str, cut: bool
) -> tuple[_PiecesOf, _PiecesOf]:
    """What turns a chunk of text, or a single word, into the words of it: with memory, and without."""
    stemmed = stemmer(stem) if stem is not None else None
    elided = ELISIONS.get(language, frozenset())

    def spans_of(chunk: str) -> Iterable[tuple[int, int]]:
        for start, end in cut_chunk(chunk) if cut else [(0, len(chunk))]:
            head, sign, rest = chunk[start:end].replace("’", "'").partition("'")
            if (
                elided
                and sign
                and rest
                and same_letters(head) in elided
                and (same_letters(chunk[start:end]) not in stopwords)
            ):
                yield start, start + len(head)
                start += len(head) + 1
            yield start, end

    def piece(chunk: str, start: int, end: int) -> _Piece:
        word = chunk[start:end]
        key = same_letters(word)
        if key.endswith("'s") and key not in stopwords and (gone := possessive(word)):
            end, word = end - gone, word[:-gone]
            key = same_letters(word)
        if key.rstrip(".") in stopwords or not key:
            name = (
                fold(word)
                if key.isalpha() and 2 <= len(key) <= LONGEST_NAME and word.isupper()
                else None
            )
            return _Piece(None, start, end, (stemmed(name) if stemmed else name) if name else None)
        term = fold(word)
        return _Piece(stemmed(term) if stemmed else term, start, end)

    def pieces_of(chunk: str) -> tuple[_Piece, ...]:
        if chunk.isascii() and chunk.isalnum() and (term := chunk.lower()) not in stopwords:
            return (_Piece(stemmed(term) if stemmed else term, 0, len(chunk)),)  # the same, but quick
        return tuple(piece(chunk, start, end) for start, end in spans_of(chunk))

    return functools.lru_cache(maxsize=100_000)(pieces_of), pieces_of


@functools.lru_cache(maxsize=8)
def _terms_of(stem: str | None, stopwords: frozenset[str], language: str) -> tuple[_TermsOf, _TermsOf]:
    """The terms of a chunk, with memory and without; None where its capitals may make it a name."""
    _, pieces_of = _pieces_of(stem, stopwords, language, True)

    def terms_of(chunk: str) -> tuple[str, ...] | None:
        pieces = pieces_of(chunk)
        if any(piece.name is not None for piece in pieces):
            return None
        return tuple(piece.term for piece in pieces if piece.term is not None)

    return functools.lru_cache(maxsize=200_000)(terms_of), terms_of
