"""What words by ICU and rules for names cost on English: the analyzer against the one before.

The one before is kept here as it was: one regular expression, and a dictionary of what words become.
Processor time, in rounds in which the two take turns; each begins with empty memories, or with what
a first reading left in them.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import math
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import regex
import snowballstemmer
from problems import write
from trec import load, machine

import intentx as ix
from intentx.text import STOPWORDS, Token
from intentx.text.analyzer import _pieces_of
from intentx.text.segmenters import LETTERS
from intentx.text.stopwords import stemmer
from intentx.text.words import icu_version, same_letters

_END = regex.compile(r"[.!?…؟।][\"'”’)\]]*\s+(?=[^\p{Ll}\s])|[。！？][”’」』）]*\s*|\n[^\S\n]*\n\s*")
_ABBREVIATION = regex.compile(
    r"(?:^|\W)(?:(?-i:\p{Lu})|e\.g|i\.e|vs|etc|cf|mr|mrs|ms|dr|st|no|fig)\.$", regex.I
)

SENTENCES = {
    "Chinese": "我喜欢用手机听音乐，他在北京大学学习经济学。",
    "Japanese": "私は携帯電話で音楽を聴きながら東京都に住んでいます。",
    "Thai": "ฉันรักการอ่านหนังสือและดื่มชาทุกวัน ",
}


class Before:
    """The analyzer as it was before it asked ICU."""

    def __init__(self, stem: str | None) -> None:
        self.stem = snowballstemmer.stemmer(stem).stemWord if stem else None
        self.term_of = functools.lru_cache(maxsize=200_000)(self._term_of)

    def _term_of(self, word: str) -> tuple[str, int] | None:
        term, cut = unicodedata.normalize("NFKC", word).casefold().replace("’", "'"), 0
        if term not in STOPWORDS and term.endswith("'s"):
            term, cut = term[:-2], 2
        if not term or term in STOPWORDS:
            return None
        return (self.stem(term) if self.stem else term), cut

    def analysed(self, text: str) -> tuple[tuple[Token, ...], list[int]]:
        starts = [0]
        for match in _END.finditer(text, len(text) - len(text.lstrip())):
            stop = match.start() + (text[match.start()] != "\n")
            if match.end() < len(text) and not _ABBREVIATION.search(text[max(0, stop - 8) : stop]):
                starts.append(match.end())
        term_of, sentence, ends, words = self.term_of, 0, (*starts[1:], math.inf), []
        for number, match in enumerate(LETTERS.finditer(text)):
            found = term_of(match.group())
            if found is None:
                continue
            term, cut = found
            start, end = match.span()
            while ends[sentence] <= start:
                sentence += 1
            words.append((Token(term, start, end - cut, sentence), number))
        return tuple(word for word, _ in words), starts


def seconds(call: Callable[[str], object], texts: Sequence[str], again: bool) -> float:
    """Processor time of reading the texts, with nothing remembered, or ``again``."""
    _pieces_of.cache_clear()
    same_letters.cache_clear()
    stemmer.cache_clear()
    for _ in range(1 + again):
        started = time.process_time()
        for text in texts:
            call(text)
    return time.process_time() - started


def row(
    name: str, texts: Sequence[str], rounds: int, stem: str | None = None, again: bool = False
) -> str:
    """Microseconds a text of both, and their ratio."""
    new = ix.Analyzer(stem=stem)
    ways = {"before": None, "now": new._analysed}
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way in list(ways)[:: 1 if turn % 2 else -1]:
            taken[way].append(seconds(ways[way] or Before(stem).analysed, texts, again))
    ratio = np.array(taken["now"]) / np.array(taken["before"])
    middle, low, high = np.percentile(ratio, [50, 25, 75])
    before, now = (1e6 * np.median(taken[way]) / len(texts) for way in ways)
    spread = f"**{middle:.2f}** | {low:.2f}–{high:.2f}"
    return f"| {name} | {len(texts):,} | {before:.0f} | {now:.0f} | {spread} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, help="folder for words.md")
    options = parser.parse_args()
    write(report(options.texts, options.rounds), options.out, "words.md")


def report(number: int, rounds: int) -> Iterator[str]:
    """The lines of the result."""
    collection = load()
    passages = list(itertools.islice(collection.texts.values(), number))
    yield "# Words: the analyzer against the one before\n"
    yield (
        f"{collection.name}; processor time, medians of {rounds} rounds in which "
        "the two take turns, ratios within a round. The one before cut Chinese and Japanese into "
        f"characters, and Thai not at all. ICU {icu_version()}. Machine: {machine()}.\n"
    )
    yield "| text | texts | before, µs a text | now, µs a text | now / before | quartiles |"
    yield "|---|---|---|---|---|---|"
    yield row("English, as written", passages, rounds)
    yield row("English, words seen before", passages, rounds, again=True)
    yield row("English, stemmed", passages, rounds, "english")
    yield row("English, ASCII only", [text for text in passages if text.isascii()], rounds)
    for name, sentence in SENTENCES.items():
        yield row(name, [f"{i} {sentence * 10}" for i in range(300)], rounds)


if __name__ == "__main__":
    main()
