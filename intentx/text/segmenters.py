"""Segmenters of a user's own: what cuts a text into words in place of the rules of intentx."""

from __future__ import annotations

import importlib
import importlib.metadata
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import regex

from intentx.errors import InputError
from intentx.text.words import HOLDS_WORD, Span

__all__ = [
    "LETTERS",
    "UnknownSegmenter",
    "find_segmenter",
    "load_segmenter",
    "own_words",
    "register",
    "segmenter_name",
    "segmenter_version",
]

Segmenter = Callable[[str], Iterable[Any]]
"""Text -> its words in order, or (start, end) of each."""

# How intentx cut words before it asked ICU: explanations and rankers saved then are read with it.
LETTERS = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}][\p{M}ーｰ]*"
    r"|[\p{L}\p{N}](?:[[\p{L}\p{M}\p{N}_]--[\p{Han}\p{Hiragana}\p{Katakana}]]"
    r"|['’](?=[\p{L}--[\p{Han}\p{Hiragana}\p{Katakana}]])|[.,](?<=\p{N}.)(?=\p{N}))*"
    r"|\p{Emoji_Presentation}(?:\p{M}|\p{Emoji_Modifier}|\u200d\p{Emoji})*",
    regex.V1,
)

_SHOWN = 60  # characters of a text in a message
_SEEN: dict[str, Segmenter] = {}  # by name, those that analyzers of this process were given


@dataclass(frozen=True)
class UnknownSegmenter:
    """Stands for a segmenter that a file names and this process was not given: it says so when asked.

    A name in a file is not imported: that would run whatever the file names.
    """

    name: str
    version: str | None = None

    def __call__(self, text: str) -> Iterable[Any]:
        raise InputError(
            f"this was made with the segmenter {self.name}"
            + (f" {self.version}" if self.version else "")
            + ", which is not loaded; import it and pass it once, Analyzer(segmenter=…), on the "
            f"command line --segmenter {self.name}, then read the file again"
        )


def own_words(segmenter: Segmenter, text: str) -> list[Span]:
    """What a segmenter of a user's own finds in ``text``: spans that hold a letter, a digit or an emoji.

    Raises
    ------
    InputError
        If it fails, or gives what are no words or spans of the text one behind the other.

    Examples
    --------
    >>> own_words(str.split, "green tea, black tea")
    [(0, 5), (6, 10), (11, 16), (17, 20)]
    """
    name = segmenter_name(segmenter)
    try:
        given = segmenter(text)
        found = given if isinstance(given, str) else list(given)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"the segmenter {name} failed on {text[:_SHOWN]!r}: {type(error).__name__}: {error}"
        ) from error
    if isinstance(found, str):
        raise InputError(f"the segmenter {name} must give several words or spans, not one string")
    spans, done = [], 0
    for item in found:
        start, end = (
            _placed(name, item, text, done) if isinstance(item, str) else _span(name, item, text)
        )
        if start < done:
            raise InputError(
                f"the segmenter {name} gave {(start, end)} after a word that ends at {done}: spans "
                f"must follow each other; text: {text[:_SHOWN]!r}"
            )
        done = max(done, end)
        word = text[start:end]
        if HOLDS_WORD.search(word):
            start += len(word) - len(word.lstrip())
            spans.append((start, start + len(word.strip())))
    return spans


def _placed(name: str, word: str, text: str, done: int) -> Span:
    start = text.find(word, done)
    if start < 0:
        raise InputError(
            f"the segmenter {name} gave {word!r}, which is not in the text after position {done}: "
            "it must give words as they are written, in their order, or (start, end) of each; text: "
            f"{text[:_SHOWN]!r}"
        )
    return start, start + len(word)


def _span(name: str, item: Any, text: str) -> Span:
    try:
        start, end = map(operator.index, item)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the segmenter {name} must give words or spans (start, end), not {item!r}"
        ) from error
    if not 0 <= start <= end <= len(text):
        raise InputError(
            f"the segmenter {name} gave {(start, end)} for a text of {len(text)} characters; "
            "0 <= start <= end <= length must hold"
        )
    return start, end


def segmenter_name(segmenter: Segmenter) -> str:
    """``module:callable``, or the ``name`` that the segmenter says it has."""
    named = getattr(segmenter, "name", None)
    if isinstance(named, str):
        return named
    what = segmenter if hasattr(segmenter, "__qualname__") else type(segmenter)
    owner = getattr(segmenter, "__self__", None)
    module = getattr(what, "__module__", None) or type(owner).__module__
    return f"{module}:{what.__qualname__}"


def segmenter_version(segmenter: Segmenter) -> str | None:
    """The ``version`` that the segmenter says it has, or that of its package, or None."""
    version = getattr(segmenter, "version", None)
    if isinstance(version, str):
        return version
    package = segmenter_name(segmenter).partition(":")[0].partition(".")[0]
    version = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def register(segmenter: Segmenter) -> None:
    """Remember a segmenter by its name, for files that name it."""
    if not isinstance(segmenter, UnknownSegmenter):
        _SEEN[segmenter_name(segmenter)] = segmenter


def find_segmenter(plain: Mapping[str, Any]) -> Segmenter:
    """The segmenter that a file names, where this process was given one of that name."""
    name, version = str(plain.get("name")), plain.get("version")
    return _SEEN.get(name) or UnknownSegmenter(name, version)


def load_segmenter(spec: str) -> Segmenter:
    """Import a segmenter by ``module:callable``.

    Raises
    ------
    InputError
        If there is no such module or callable.

    Examples
    --------
    >>> load_segmenter("builtins:str.split")("green tea")
    ['green', 'tea']
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise InputError(f"a segmenter is module:callable, such as jieba:lcut, not {spec!r}")
    try:
        found: Any = reduce(getattr, name.split("."), importlib.import_module(module))
    except ImportError as error:
        raise InputError(
            f"the segmenter {spec}: module {module!r} cannot be imported: {error}"
        ) from error
    except AttributeError as error:
        raise InputError(f"the segmenter {spec}: module {module!r} has no {name!r}") from error
    if not callable(found):
        raise InputError(
            f"{spec} is not callable; a segmenter is text -> words, or (start, end) of each"
        )
    segmenter: Segmenter = found
    return segmenter
