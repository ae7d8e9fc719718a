"""Whether a word in capitals is a name, such as the IT of "IT jobs", or part of a text in capitals."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import regex

from intentx.text.words import same_letters

__all__ = ["stands_out"]

AROUND = 100  # characters on either side, at most, that are looked at
SHORT = 3  # letters of what may be an abbreviation like US or GDP, all of a text in capitals

_WORD = regex.compile(r"\p{L}[\p{L}\p{M}'’]+")
_BLANK = regex.compile(r"[^\S\n]+")


def stands_out(
    text: str, start: int, end: int, starts: Sequence[int], stopwords: frozenset[str]
) -> bool:
    """Whether ``text[start:end]``, a stopword in capitals, is there as a name.

    It is not where it stands among other stopwords in capitals with only blanks between, or where all
    other words of two letters and more on its line and in its sentence are in capitals. Lines with
    nothing but short words in capitals, such as "US GDP", cannot be told from abbreviations, and are
    taken for them.

    Parameters
    ----------
    starts
        Where the sentences of the text begin.
    stopwords
        As `Analyzer` compares them.

    Examples
    --------
    >>> texts = ("WHO guidelines", "WHO IS THE PRESIDENT", "WHO? PLEASE TELL", "WHO")
    >>> [stands_out(text, 0, 3, [0], frozenset({"who", "is", "the"})) for text in texts]
    [True, False, False, True]
    """
    number = bisect.bisect_right(starts, start)
    first = max(starts[number - 1], start - AROUND)
    first = max(first, text.rfind("\n", first, start) + 1)
    last = min(starts[number] if number < len(starts) else len(text), end + AROUND)
    line_end = text.find("\n", end, last)
    found = list(_WORD.finditer(text, first, last if line_end < 0 else line_end))
    here = next((i for i, match in enumerate(found) if match.end() > start), len(found))
    others = [m.group() for m in found[:here] + found[here + 1 :]]
    cased = [word for word in others if word.lower() != word.upper()]
    if cased and all(map(str.isupper, cased)) and max(map(len, cased)) > SHORT:
        return False
    before, behind = found[:here][::-1], found[here + 1 :]
    for side, edge in ((before, start), (behind, end)):
        for match in side:
            gap = text[match.end() : edge] if match.end() <= edge else text[edge : match.start()]
            if not match.group().isupper() or not _BLANK.fullmatch(gap):
                break
            if same_letters(match.group()) in stopwords:
                return False
            edge = match.start() if match.end() <= edge else match.end()
    return True
