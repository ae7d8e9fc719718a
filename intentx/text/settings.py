"""What chooses an analyzer, as command lines and study files say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from intentx.errors import InputError
from intentx.text.analyzer import ICU, LETTERS, Analyzer
from intentx.text.segmenters import load_segmenter
from intentx.text.stopwords import language_code, read_stopwords, stemmer_name

__all__ = ["NONE", "TextSettings"]

NONE = "none"


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """How texts become terms, in plain data.

    Parameters
    ----------
    language
        What chooses stopwords: a name or an ISO code.
    stopwords
        A file of stopwords, one a line, ``"none"``, or the words; None: those of ``language``.
    stem
        A language whose words are stemmed, or True for ``language``; None or False: none.
    ngrams
        Longest run of neighbouring words that becomes a term.
    segmenter
        ``module:callable``, ``"icu"`` or ``"letters"``; it is imported when the analyzer is made.
    strip_markup
        Whether texts are HTML, of whose markup no terms are made.

    Raises
    ------
    InputError
        If a language is unknown, a file cannot be read, or a value is not allowed.

    Examples
    --------
    >>> TextSettings(language="de", stem=True, stopwords="none").analyzer().terms("Die Häuser")
    ('die', 'haus')
    """

    language: str = "english"
    stopwords: str | tuple[str, ...] | None = None
    stem: str | bool | None = None
    ngrams: int = 1
    segmenter: str = ICU
    strip_markup: bool = False

    def __post_init__(self) -> None:
        language_code(self.language)
        words = self.stopwords
        if isinstance(words, str):
            words = () if words.casefold() == NONE else tuple(sorted(read_stopwords(words)))
        listed = words is None or isinstance(words, Iterable)
        if words is not None and not (listed and all(isinstance(word, str) for word in words)):
            raise InputError(f"stopwords must be words, a file, or {NONE!r}, not {words!r}")
        object.__setattr__(self, "stopwords", None if words is None else tuple(words))
        if self.stem and not isinstance(self.stem, (str, bool)):
            raise InputError(f"stem must be true, false or a language, not {self.stem!r}")
        if self.stem and self.stem is not True:
            stemmer_name(self.stem)
        if not isinstance(self.segmenter, str):
            raise InputError(f"segmenter must be named as module:callable, not {self.segmenter!r}")
        if type(self.strip_markup) is not bool:
            raise InputError(f"strip_markup must be true or false, not {self.strip_markup!r}")
        if type(self.ngrams) is not int or self.ngrams < 1:
            raise InputError(f"ngrams must be 1 or more, not {self.ngrams!r}")

    def analyzer(self) -> Analyzer:
        """The analyzer; a segmenter of a user's own is imported."""
        own = self.segmenter not in (ICU, LETTERS)
        return Analyzer(
            stem=self.stem,
            stopwords=self.stopwords,  # type: ignore[arg-type]
            ngrams=self.ngrams,
            language=self.language,
            segmenter=load_segmenter(self.segmenter) if own else self.segmenter,
            strip_markup=self.strip_markup,
        )

    def to_dict(self) -> dict[str, Any]:
        """Those settings that are not as they are by default."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }
