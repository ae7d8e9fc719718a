"""Where the sentences of a text begin."""

from __future__ import annotations

import regex

__all__ = ["sentence_starts"]

# A sentence ends at closing punctuation before white space; at a stop that ends nothing else, such as
# those of Chinese, Hindi, Urdu, Armenian, Ethiopic, Burmese and Khmer; or at a blank line. Each
# alternative begins with a rare character, which `regex` finds quickly. Khmer for "etc." holds a stop.
_END = regex.compile(
    r"[.!?…؟][\"')\]”’»]*\s+(?=[^\p{Ll}\s])"
    r"|(?:[。！？｡।॥۔։።፧။៕]|(?<!។ល)។(?!ល។))[。！？｡।॥။!?]*[\"')\]”’»」』）]*\s*|\n[^\S\n]*\n\s*"
)
# Abbreviations after which a full stop does not end the sentence.
_ABBREVIATION = regex.compile(
    r"(?:^|\W)(?:(?-i:\p{Lu})|e\.g|i\.e|vs|etc|cf|mr|mrs|ms|dr|st|no|fig)\.$", regex.I
)


def sentence_starts(text: str) -> tuple[int, ...]:
    """Start offsets of the sentences of ``text``; the first is always 0.

    >>> sentence_starts("Dr. Who met J. Smith. 你好。再见")
    (0, 22, 25)
    """
    starts = [0]
    first = len(text) - len(text.lstrip())  # blank lines in front are no sentence
    for match in _END.finditer(text, first):
        stop = match.start() + (text[match.start()] != "\n")
        if match.end() < len(text) and not _ABBREVIATION.search(text[max(0, stop - 8) : stop]):
            starts.append(match.end())
    return tuple(starts)
