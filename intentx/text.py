"""Text as terms: one `Analyzer` for candidates, simple rankers, masking and highlighting."""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from intentx.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["STOPWORDS", "Analyzer", "TextIndex", "Token", "replace_spans"]

# Function words only. Lists in wide use also hold words such as "system", "fire" or "bill", which
# are exactly what an intent can be about.
STOPWORDS: frozenset[str] = frozenset(
    """a about above across after again against all almost along already also although always am
    among amongst an and another any anybody anyone anything are aren't around as at away be
    became because become becomes been before behind being below beneath beside besides between
    beyond both but by can can't cannot could couldn't despite did didn't do does doesn't doing
    don't down during each either else enough etc even ever every everybody everyone everything
    except few for from further get gets got had hadn't has hasn't have haven't having he he'd
    he'll he's hence her here here's hers herself him himself his how how's however i i'd i'll i'm
    i've if in inside instead into is isn't it it's its itself just later least less let's like
    many may maybe me might more most much must mustn't my myself near nearly neither never no
    nobody none nor not nothing now nowhere of off often on once one only onto or other others
    ought our ours ourselves out outside over own per perhaps quite rather really same several
    shall shan't she she'd she'll she's should shouldn't simply since so some someone something
    somewhere soon still such than that that's the their theirs them themselves then there there's
    therefore these they they'd they'll they're they've this those though through throughout thus
    to together too toward towards under unless until up upon us very via was wasn't we we'd we'll
    we're we've were weren't what what's whatever when when's whenever where where's wherever
    whether which while who who's whoever whom whose why why's will with within without won't
    would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves""".split()
)

# A word: letters with their combining marks, digits and inner apostrophes; Chinese and Japanese
# give one token per character, also next to other letters; a symbol such as an emoji is a token of
# its own.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}][\p{M}ーｰ]*"
    r"|[\p{L}\p{N}](?:[[\p{L}\p{M}\p{N}_]--[\p{Han}\p{Hiragana}\p{Katakana}]]"
    r"|['’](?=[\p{L}--[\p{Han}\p{Hiragana}\p{Katakana}]])|[.,](?<=\p{N}.)(?=\p{N}))*"
    r"|\p{Emoji_Presentation}(?:\p{M}|\p{Emoji_Modifier}|\u200d\p{Emoji})*",
    regex.V1,
)
# A sentence ends at closing punctuation before white space, at a full-width stop, or at a blank
# line. Each alternative begins with a rare character, which `regex` finds quickly.
_SENTENCE_END = regex.compile(
    r"[.!?…؟।][\"'”’)\]]*\s+(?=[^\p{Ll}\s])|[。！？][”’」』）]*\s*|\n[^\S\n]*\n\s*"
)
# Abbreviations after which a full stop does not end the sentence.
_ABBREVIATION = regex.compile(
    r"(?:^|\W)(?:(?-i:\p{Lu})|e\.g|i\.e|vs|etc|cf|mr|mrs|ms|dr|st|no|fig)\.$", regex.I
)


REMEMBERED = 1_000  # texts whose analysis is kept, since a ranking is read again and again ...
LONGEST_REMEMBERED = 4_000  # ... of at most so many characters each: some 50 MB at worst


class Token(NamedTuple):
    """One occurrence of a term: ``text[start:end]``, in sentence number ``sentence`` (from 0)."""

    term: str
    start: int
    end: int
    sentence: int


@functools.lru_cache(maxsize=8)
def _stemmer(language: str) -> Callable[[str], str]:
    import snowballstemmer

    if language not in snowballstemmer.algorithms():
        raise InputError(
            f"no stemmer for {language!r}; choose one of {sorted(snowballstemmer.algorithms())}"
        )
    stem: Callable[[str], str] = snowballstemmer.stemmer(language).stemWord
    return functools.lru_cache(maxsize=200_000)(stem)


@dataclass(frozen=True)
class Analyzer:
    """Turns text into terms with character spans and sentence numbers.

    Parameters
    ----------
    stem
        Language of a Snowball stemmer ("english", "german", …), or None for the words as written.
    stopwords
        Words that never become terms, compared before stemming.
    ngrams
        Longest run of neighbouring words that becomes a term, 1 for single words. The words of
        an n-gram stand in one sentence with no stopword between; they are joined by one space.

    Terms are NFKC-normalised and case-folded, so "Straße" and "STRASSE" are one term; spans always
    refer to the text as given.

    Examples
    --------
    >>> Analyzer().tokens("Café owners. Their café!")
    (Token(term='café', start=0, end=4, sentence=0), \
Token(term='owners', start=5, end=11, sentence=0), Token(term='café', start=19, end=23, sentence=1))
    """

    stem: str | None = None
    stopwords: frozenset[str] = field(default=STOPWORDS, repr=False)
    ngrams: int = 1

    def __post_init__(self) -> None:
        if self.ngrams < 1:
            raise InputError(f"ngrams must be 1 or more, not {self.ngrams!r}")
        if isinstance(self.stopwords, str):
            raise InputError("stopwords must be a collection of words, not one string")
        object.__setattr__(self, "stopwords", frozenset(map(_fold, self.stopwords)))
        if self.stem is not None:
            _stemmer(self.stem)

    def tokens(self, text: str) -> tuple[Token, ...]:
        """All term occurrences in ``text``, in the order of their first and then last character."""
        return _analysed(self, text)[0]

    def terms(self, text: str) -> tuple[str, ...]:
        """The terms of ``text`` without repetition, in order of first appearance.

        >>> Analyzer(stem="english").terms("The reviews of reviewers reviewing")
        ('review',)
        """
        return tuple(dict.fromkeys(token.term for token in self.tokens(text)))

    def sentences(self, text: str) -> tuple[int, ...]:
        """Start offsets of the sentences of ``text``; the first is always 0."""
        if len(text) > LONGEST_REMEMBERED:
            return _sentence_starts(text)
        return _analysed(self, text)[1]

    def spans(self, text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
        """Character spans at which any of ``terms`` occurs, sorted."""
        wanted = set(terms)
        return [(t.start, t.end) for t in self.tokens(text) if t.term in wanted]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ``stopwords`` is None for the list that comes with intentx."""
        own = None if self.stopwords == STOPWORDS else sorted(self.stopwords)
        return {"stem": self.stem, "stopwords": own, "ngrams": self.ngrams}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Analyzer:
        """The inverse of `to_dict`."""
        words = STOPWORDS if plain["stopwords"] is None else frozenset(plain["stopwords"])
        return cls(stem=plain["stem"], stopwords=words, ngrams=plain["ngrams"])

    def _analysed(self, text: str) -> tuple[tuple[Token, ...], tuple[int, ...]]:
        """The tokens of ``text``, and the starts of its sentences."""
        starts = _sentence_starts(text)
        words = self._words(text, starts)
        if self.ngrams == 1:
            return tuple(word for word, _ in words), starts
        return tuple(self._with_ngrams(words)), starts

    def _words(self, text: str, starts: Sequence[int]) -> list[tuple[Token, int]]:
        """Word tokens with their running number, stopwords counted but left out."""
        term_of = _term_of(self.stem, self.stopwords)
        sentence = 0
        ends = (*starts[1:], math.inf)
        words = []
        for number, match in enumerate(_WORD.finditer(text)):
            found = term_of(match.group())
            if found is None:
                continue
            term, cut = found
            start, end = match.span()
            while ends[sentence] <= start:
                sentence += 1
            words.append((Token(term, start, end - cut, sentence), number))
        return words

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


def _sentence_starts(text: str) -> tuple[int, ...]:
    starts = [0]
    first = len(text) - len(text.lstrip())  # blank lines in front are no sentence
    for match in _SENTENCE_END.finditer(text, first):
        stop = match.start() + (text[match.start()] != "\n")
        if match.end() < len(text) and not _ABBREVIATION.search(text[max(0, stop - 8) : stop]):
            starts.append(match.end())
    return tuple(starts)


@functools.lru_cache(maxsize=8)
def _term_of(language: str | None, stopwords: frozenset[str]) -> Callable[[str], tuple[str, int] | None]:
    """What turns a word into its term and the characters cut off its end; a stopword into None."""
    stem = _stemmer(language) if language is not None else None

    @functools.lru_cache(maxsize=200_000)
    def term_of(word: str) -> tuple[str, int] | None:
        term, cut = _fold(word), 0
        if term not in stopwords and term.endswith("'s"):
            term, cut = term[:-2], 2
        if not term or term in stopwords:
            return None
        return (stem(term) if stem else term), cut

    return term_of


@functools.lru_cache(maxsize=200_000)
def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'")


def replace_spans(text: str, spans: Sequence[tuple[int, int]], replacement: str = "") -> str:
    """``text`` with exactly these character spans replaced; overlapping spans count as one.

    >>> replace_spans("piano, pianos", [(0, 5)], "[MASK]")
    '[MASK], pianos'
    """
    parts, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            parts += [text[done:start], replacement]
        done = max(done, end)
    return "".join([*parts, text[done:]])


class TextIndex:
    """Several texts as arrays: every term occurrence, with its text and its sentence.

    Attributes
    ----------
    texts, analyzer
        What was indexed, and how.
    background
        The index that collection statistics (document frequencies, mean length, …) come from:
        this one, unless another was given. Edited or unseen documents get that of the ranking.
    vocabulary
        The V distinct terms, in order of first appearance.
    text, term, sentence
        (M,) integer arrays, one entry per occurrence: number of the text, of the term in the
        vocabulary, and of the sentence.
    counts
        (V, N) sparse array, the times a term occurs in a text.
    lengths, sentence_counts
        (N,) arrays; length in occurrences.
    """

    def __init__(
        self, texts: Sequence[str], analyzer: Analyzer, background: TextIndex | None = None
    ) -> None:
        self.texts = tuple(texts)
        self.analyzer = analyzer
        self.background = self if background is None else background
        numbers: dict[str, int] = {}
        text: list[int] = []
        term: list[int] = []
        sentence: list[int] = []
        sentence_counts: list[int] = []
        for i, content in enumerate(self.texts):
            tokens = analyzer.tokens(content)
            sentence_counts.append(len(analyzer.sentences(content)))
            text += [i] * len(tokens)
            term += [numbers.setdefault(token.term, len(numbers)) for token in tokens]
            sentence += [token.sentence for token in tokens]
        self.vocabulary = tuple(numbers)
        self._numbers = numbers
        self.text = np.array(text, dtype=np.intp)
        self.term = np.array(term, dtype=np.intp)
        self.sentence = np.array(sentence, dtype=np.intp)
        self.sentence_counts = np.array(sentence_counts, dtype=np.intp)
        self.lengths = np.bincount(self.text, minlength=len(self.texts))

    @functools.cached_property
    def counts(self) -> csr_array:
        from scipy.sparse import csr_array

        shape = (len(self.vocabulary), len(self.texts))
        return csr_array((np.ones(len(self.term)), (self.term, self.text)), shape=shape)

    def rows(self, terms: Sequence[str]) -> npt.NDArray[np.intp]:
        """(T,) numbers of ``terms`` in the vocabulary, -1 for a term that no text holds."""
        return np.array([self._numbers.get(term, -1) for term in terms], dtype=np.intp)

    def counts_of(self, terms: Sequence[str]) -> npt.NDArray[np.float64]:
        """(T, N) times each of ``terms`` occurs in each text."""
        rows = self.rows(terms)
        counts = np.zeros((len(rows), len(self.texts)))
        known = rows >= 0
        if known.any():
            counts[known] = self.counts[rows[known]].toarray()
        return counts
