"""Where the words of a text begin and end, and the form in which two of them are one term.

Most scripts separate words by spaces, and a regular expression finds them. Chinese, Japanese, Thai,
Lao, Khmer and Burmese do not: ICU's dictionaries cut them. Rules on top of both keep together what
people search for as one word: C++, AT&T, WH-1000XM5, .NET, 24/7, U.S.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator

import regex

__all__ = [
    "HOLDS_WORD",
    "Span",
    "chunk_texts",
    "chunks",
    "cut_chunk",
    "fold",
    "icu_version",
    "possessive",
    "same_letters",
]

Span = tuple[int, int]

# Soft hyphens, joiners and marks of direction stand inside words and change none.
_FORMAT = r"\u00ad\u034f\u061c\u200c-\u200f\u2060\ufeff"
_LETTERS = rf"[\p{{L}}\p{{M}}\p{{N}}_{_FORMAT}]*+"
# A word: letters with their combining marks, digits, and what may stand between them: apostrophes,
# decimal points, × between numbers, and the signs that Hebrew and Catalan have within words.
_WORD = (
    rf"[\p{{L}}\p{{N}}]{_LETTERS}(?:(?:['’＇](?=\p{{L}})|[.,٫٬×](?<=\p{{N}}.)(?=\p{{N}})"
    rf"|[\"״׳](?<=\p{{Hebrew}}.)(?=\p{{Hebrew}})|[·‧](?<=\p{{L}}.)(?=\p{{L}})){_LETTERS})*+"
)
# An emoji as people see it: with its colour, its family, its flag. Of the signs that are pictures
# only with U+FE0F behind them, a few are meant as such without it, a heart for one.
_EMOJI = (
    r"\p{Regional_Indicator}{2}|[#*]\ufe0f?\u20e3"
    r"|(?:\p{Emoji_Presentation}|[[\u2600-\u26ff\u2708-\u270d\u2763\u2764\U0001f300-\U0001faff]&&\p{Emoji}]"
    r"|[\p{Emoji}--[\p{L}\p{N}#*]](?=[\ufe0f\p{Emoji_Modifier}]))"
    r"(?:\p{M}|\p{Emoji_Modifier}|[\U000e0020-\U000e007f]|\u200d\p{Emoji})*"
)
# Words joined by signs with no blank between, which `cut_chunk` takes apart again; `R & D`. An
# ampersand before "nbsp;" or "page=" joins nothing.
_JOINED = (
    rf"{_WORD}(?:(?:[-‐‑./@+＋#＃]{{1,2}}|[&＆](?!\w*[=;])){_WORD})*+"
    r"(?:[+＋]{1,2}|[#＃]|\.(?<=\.\p{L}\.)|\ &\ (?<=(?<![\w&])\p{Lu}\ &\ )\p{Lu}(?![\w&]))?"
)
_DOT_BEFORE = r"(?<![\p{L}\p{M}\p{N}_.)\]”’…])\.(?=\p{L})"  # of .NET, not of "the end.Next"
_HAS_DOT_BEFORE = regex.compile(_DOT_BEFORE)
_CHUNK = regex.compile(rf"{_JOINED}|{_EMOJI}", regex.V1)
_CHUNK_OR_DOT = regex.compile(rf"(?:{_DOT_BEFORE})?+{_JOINED}|{_EMOJI}", regex.V1)
HOLDS_WORD = regex.compile(rf"[\p{{L}}\p{{N}}]|{_EMOJI}", regex.V1)

# What stays together within a chunk, from the beginning of a word. Letters of one kind are enough to
# tell most apart: a sentence that follows without a blank begins with a capital, "js" of "Node.js"
# does not; a product has a number behind its hyphen, "well-known" has not.
_END = r"(?![\p{L}\p{M}\p{N}_])"
_COMPOUND = regex.compile(
    r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"  # somebody@example.com
    r"|(?<!.)\.(?:\p{Lu}[\p{Lu}\p{N}]*|Net|\p{L}[\p{Ll}\p{N}]*(?:\.\p{Ll}\w*)*)"  # .NET
    rf"{_END}"
    rf"|\p{{L}}(?:\.\p{{L}})+{_END}\.?"  # U.S., e.g.
    rf"|(?:\p{{Lu}}\p{{Ll}}\.\p{{L}}|\p{{Lu}}\.\p{{Lu}}\p{{Ll}}){_END}\.?"  # Ph.D., M.Sc.
    rf"|\p{{L}}\w*(?:\.\p{{Ll}}\w*)+{_END}"  # Node.js, example.com
    rf"|\p{{Lu}}[\p{{Lu}}\p{{N}}]*(?:\.\p{{Lu}}[\p{{Lu}}\p{{N}}]+)+{_END}|\p{{L}}\w*\.NET{_END}"
    rf"|\p{{L}}{{1,3}}(?:[&＆]\p{{L}}{{1,3}}\p{{N}}*)+(?:['’]\p{{L}}+)?{_END}"  # AT&T, S&P500
    r"|\p{Lu}\ &\ \p{Lu}(?:['’]\p{L}+)?"
    rf"|\p{{L}}\w*(?:[+＋]{{2}}\p{{N}}*|[+＋]){_END}(?![+＋])"  # C++, C++11, Disney+
    rf"|\p{{L}}[#＃]\p{{N}}*{_END}(?![#＃])"  # C#
    rf"|\p{{L}}\w*(?:[-‐‑]\p{{L}}{{1,4}})?(?:[-‐‑](?=\p{{L}}*\p{{N}}){_WORD})+(?:[-‐‑]\p{{L}}{_END})?"
    rf"|(?<![-‐‑])\p{{L}}[-‐‑]\p{{L}}{{2,}}{_END}(?![-‐‑])"  # x-ray, but not va-t-il
    rf"|\p{{N}}+[-‐‑]\p{{L}}{_END}|\p{{N}}+(?:[-‐‑]\p{{N}}+){{2,}}{_END}"  # 3-D, 2024-05-31
    rf"|(?<!/)(?:\p{{N}}{{1,4}}(?:/\p{{N}}{{1,4}}){{1,2}}|\p{{L}}/\p{{L}}){_END}(?!/)"  # 24/7, A/B
    rf"|{_WORD}",
    regex.V1,
)
_WORD_ONLY = regex.compile(_WORD, regex.V1)

# A run of writing without spaces, with its long vowels and the sounds of half-width kana.
_UNSPACED = regex.compile(
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]&&[\p{L}\p{M}\p{N}]]"
    r"(?:[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]&&[\p{L}\p{M}\p{N}]]"
    rf"|[\p{{M}}ーｰﾞﾟ{_FORMAT}])*",
    regex.V1,
)
_HALF_WIDTH = regex.compile(r"[\uff66-\uff9f]")
_SOUNDED = regex.compile(r".[\p{M}ﾞﾟ]*", regex.S)


def chunks(text: str) -> Iterator[regex.Match[str]]:
    """Words and what may be one word: matches that `cut_chunk` cuts, each without regard to others."""
    return (_CHUNK_OR_DOT if _HAS_DOT_BEFORE.search(text) else _CHUNK).finditer(text)


def chunk_texts(text: str) -> list[str]:
    """The same without their places."""
    found: list[str] = (_CHUNK_OR_DOT if _HAS_DOT_BEFORE.search(text) else _CHUNK).findall(text)
    return found


def cut_chunk(chunk: str) -> list[Span]:
    """The words of one of `chunks`.

    >>> texts = ("AT&T", "C++/C#", "well-known", "covid-19")
    >>> [text[start:end] for text in texts for start, end in cut_chunk(text)]
    ['AT&T', 'C++', 'C#', 'well', 'known', 'covid-19']
    """
    if chunk.isalnum() and chunk.isascii():
        return [(0, len(chunk))]
    spans: list[Span] = []
    done = 0
    for run in () if chunk.isascii() else _UNSPACED.finditer(chunk):
        spans += _spaced(chunk, done, run.start())
        spans += _by_dictionary(run.group(), run.start())
        done = run.end()
    return spans + _spaced(chunk, done, len(chunk))


def _spaced(chunk: str, start: int, end: int) -> list[Span]:
    """The words of a part that holds none of writing without spaces."""
    if start == end:
        return []
    spans = [match.span() for match in _COMPOUND.finditer(chunk, start, end)]
    return spans or ([(start, end)] if start == 0 and end == len(chunk) else [])  # an emoji


def _by_dictionary(run: str, offset: int) -> Iterable[Span]:
    """The words of a run of writing without spaces, as ICU's dictionaries have them."""
    from icu4py.breakers import WordBreaker

    places = list(range(len(run) + 1))
    if _HALF_WIDTH.search(run):  # cut as if it were written in full width
        clusters = [(m.start(), _wide(m.group())) for m in _SOUNDED.finditer(run)]
        places = [start for start, wide in clusters for _ in wide] + [len(run)]
        run = "".join(wide for _, wide in clusters)
    segments = list(WordBreaker(run, "en").segments())
    if segments[-1][1] != len(run):  # ICU counts in UTF-16
        units = [i for i, c in enumerate(run) for _ in range(1 + (c > "\uffff"))] + [len(run)]
        segments = [(units[start], units[end]) for start, end in segments]
    for start, end in segments:
        first, last = places[start], places[end]
        if first < last and HOLDS_WORD.search(run, start, end):
            yield offset + first, offset + last


def _wide(kana: str) -> str:
    return unicodedata.normalize("NFKC", kana)


_IS_FORMAT = regex.compile(rf"[{_FORMAT}\ufe0e\ufe0f]")
_IS_VARIANT = regex.compile(r"[\ufe0e\ufe0f]")
_INITIALS = regex.compile(r"(?=.*(?<!\p{L})\p{L}(?!\p{L}))\p{L}{1,2}(?:\.\p{L}{1,2})+\.?", regex.V1)
# What NFKC and case folding leave apart, or take apart, though it is one word.
_ALIKE = str.maketrans({"’": "'", "ʼ": "'", "‐": "-", "×": "x"})
_TOGETHER = (("i\u0307", "i"), ("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))


@functools.lru_cache(maxsize=100_000)
def same_letters(word: str) -> str:
    """NFKC, case folded, with no soft hyphen or joiner: `fold` but for the dots of initials.

    >>> same_letters("STRASSE"), same_letters("exam\u00adple"), same_letters("İstanbul")
    ('strasse', 'example', 'istanbul')
    """
    if word.isascii():
        folded = word.casefold()
    else:
        ignored = _IS_FORMAT if word[0].isalnum() else _IS_VARIANT  # joiners make families of emoji
        folded = unicodedata.normalize("NFKC", ignored.sub("", word)).casefold().translate(_ALIKE)
        for apart, together in _TOGETHER:
            folded = folded.replace(apart, together)
    return folded.replace(" ", "") if " & " in folded else folded


def fold(word: str) -> str:
    """The form in which words are compared.

    >>> fold("Straße"), fold("ｶﾞ"), fold("R & D"), fold("U.S.")
    ('strasse', 'ガ', 'r&d', 'us')
    """
    folded = same_letters(word)
    if "." in folded and _INITIALS.fullmatch(folded):
        return folded.replace(".", "")
    return folded


_POSSESSIVE = regex.compile(rf"['’ʼ＇][{_FORMAT}]*[sSſｓＳ][{_FORMAT}]*$")


def possessive(word: str) -> int:
    """Characters of the ``'s`` at the end of ``word``; 0 where there is none."""
    found = _POSSESSIVE.search(word)
    return len(word) - found.start() if found and found.start() else 0


def icu_version() -> str:
    """The version of ICU, whose dictionaries these words are cut by."""
    from icu4py import icu_version as version

    return version
