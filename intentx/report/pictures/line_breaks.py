"""Text broken into lines by measured widths, for pictures: matplotlib breaks none by itself."""

from __future__ import annotations

import bisect
import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from intentx.explainers.document.explanation import DocumentExplanation
from intentx.markup import FORBIDDEN, count

__all__ = [
    "Line",
    "cleaned",
    "coloured_lines",
    "direction",
    "first_line",
    "fitted",
    "fonts",
    "measured",
    "part_lines",
    "shortened",
    "wrapped",
]

# Of those that are installed, the first that has a letter draws it.
FONTS = [
    *("DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic"),
    *("Microsoft YaHei", "WenQuanYi Zen Hei", "IPAGothic", "Noto Sans Arabic", "Noto Sans Devanagari"),
    *("Noto Sans Thai", "Leelawadee UI", "Thonburi", "Loma", "PingFang SC", "Malgun Gothic"),
    *("Noto Sans Hebrew", "Noto Sans Bengali", "Noto Sans Tamil", "Noto Emoji", "Arial Unicode MS"),
]

SLACK = 0.02  # of a line's width: letters are drawn on whole pixels
FAR_TOO_LONG = 2_000  # characters, for a line

Line = list[tuple[float, str, float]]


class _Piece(NamedTuple):
    """A stretch of text without blanks, with its weight, 0 for none."""

    text: str
    weight: float


_Chunk = list[_Piece]  # what stands between two blanks


def cleaned(text: str) -> str:
    """``text`` without what no font has: control characters, halves of surrogate pairs."""
    return FORBIDDEN.sub("\ufffd", text)


@functools.cache
def fonts() -> list[str]:
    """Names of the installed fonts that pictures are written in, best first."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return [name for name in FONTS if name in installed] or ["sans-serif"]


@functools.lru_cache(10_000)
def measured(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=fonts(), size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """A text as lines no wider than ``width`` points, broken at blanks where there are any."""
    width *= 1 - SLACK
    lines = _broken([[_Piece(word, 0.0)] for word in text.split()], width, size, bold)
    return [" ".join("".join(piece.text for piece in chunk) for chunk in line) for line in lines]


def fitted(text: str, width: float, size: float, most: int, bold: bool = False) -> list[str]:
    """A text as `wrapped`, in no more than ``most`` lines: the last one then ends in "…"."""
    lines = wrapped(shortened(text, FAR_TOO_LONG), width, size, bold)
    if len(lines) <= most and len(text) <= FAR_TOO_LONG:
        return lines
    return [*lines[: most - 1], first_line(f"{lines[most - 1]}…", width * (1 - SLACK), size, bold)]


def first_line(text: str, width: float, size: float, bold: bool = False) -> str:
    """A text, its end replaced by "…" where it is wider than ``width`` points."""
    if len(text) < FAR_TOO_LONG and measured(text, size, bold) <= width:
        return text
    text = text[:FAR_TOO_LONG]
    ends = range(1, len(text) + 1)  # by halves: a longer beginning is wider, and long to measure
    fit = bisect.bisect_right(ends, width, key=lambda end: measured(f"{text[:end]}…", size, bold))
    return f"{text[:fit]}…"


def shortened(text: str, most: int) -> str:
    """A text of no more than ``most`` characters, its end replaced by "…" where it has more.

    >>> shortened("jaguar speed", 8), shortened("jaguar", 8)
    ('jaguar …', 'jaguar')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def coloured_lines(
    explanation: DocumentExplanation, width: float, size: float, longest: int
) -> list[Line]:
    """Lines of a document's text: of each stretch the place, the text, and its weight or 0.

    Parameters
    ----------
    width, size
        Of a line and of the letters, in points.
    longest
        Characters; a last line says how many more there are.

    Notes
    -----
    A text that begins from right to left is set against the right edge, and runs of words of the
    other direction keep their order within a line.
    """
    text = explanation.document
    lines = part_lines(_parts(explanation, longest), width, size)
    if not text.strip():
        lines.append([(0.0, "(empty)", 0.0)])
    if len(text) > longest:
        left = count(len(text) - longest, "more character")
        lines.append([(0.0, f"… {left} not shown", 0.0)])
    return lines


def part_lines(parts: Iterable[tuple[str, float]], width: float, size: float) -> list[Line]:
    """Lines of a text that is given in parts, each with its weight, as `coloured_lines` has them."""
    parts = list(parts)
    lines: list[Line] = []
    rightwards = direction("".join(text for text, _ in parts)) >= 0
    blank = measured("a b", size) - measured("ab", size)
    for paragraph in _paragraphs(parts):
        for chunks in _broken(paragraph, width, size):
            line: Line = []
            x = 0.0
            for chunk in _in_sight(chunks, rightwards):
                for piece in chunk:
                    line.append((x, piece.text, piece.weight))
                    x += measured(piece.text, size)
                x += blank
            shift = 0.0 if rightwards else width - (x - blank)
            lines.append([(place + shift, shown, weight) for place, shown, weight in line])
    return lines


def _parts(explanation: DocumentExplanation, longest: int) -> Iterator[tuple[str, float]]:
    """The text of a document in parts, words with their weights."""
    text, done = explanation.document[:longest], 0
    for word in explanation.words:
        if word.end > len(text):
            break
        yield text[done : word.start], 0.0
        yield text[word.start : word.end], word.weight
        done = word.end
    yield text[done:], 0.0


def _paragraphs(parts: Iterable[tuple[str, float]]) -> Iterator[list[_Chunk]]:
    """What stands between blanks, paragraph by paragraph."""
    chunks, open_ = list[_Chunk](), False
    for part, weight in parts:
        for bit in re.split(r"(\s+)", part):
            if bit.isspace():
                open_ = False
                if "\n" in bit and chunks:
                    yield chunks
                    chunks = []
            elif bit:
                if not open_:
                    chunks.append([])
                chunks[-1].append(_Piece(cleaned(bit), weight))
                open_ = True
    if chunks:
        yield chunks


def _broken(
    chunks: Iterable[_Chunk], width: float, size: float, bold: bool = False
) -> list[list[_Chunk]]:
    """Chunks in lines no wider than ``width``; one that alone is wider is broken anywhere."""
    blank = measured("a b", size, bold) - measured("ab", size, bold)
    lines: list[list[_Chunk]] = []
    x = 0.0
    for chunk in chunks:
        for part in _fitting(chunk, width, size, bold):
            wide = sum(measured(piece.text, size, bold) for piece in part)
            if not lines or x + blank + wide > width:
                lines.append([])
                x = -blank
            lines[-1].append(part)
            x += blank + wide
    return lines


def _fitting(chunk: _Chunk, width: float, size: float, bold: bool) -> Iterator[_Chunk]:
    """The chunk, or parts of it that fit into a line each."""
    if sum(measured(piece.text, size, bold) for piece in chunk) <= width:
        yield chunk
        return
    part: _Chunk = []
    x = 0.0
    for piece in chunk:
        fits = measured(piece.text, size, bold) <= width
        for bit in [piece.text] if fits else piece.text:
            wide = measured(bit, size, bold)
            if part and x + wide > width:
                yield part
                part, x = [], 0.0
            if part and part[-1].weight == piece.weight and not fits:
                part[-1] = _Piece(part[-1].text + bit, piece.weight)
            else:
                part.append(_Piece(bit, piece.weight))
            x += wide
    yield part


def direction(text: str) -> int:
    """1 or -1 by the first letter that has a direction, 0 without one."""
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((1 if kind == "L" else -1 for kind in kinds if kind in ("L", "R", "AL")), 0)


def _in_sight(chunks: list[_Chunk], rightwards: bool) -> list[_Chunk]:
    """Chunks and their pieces from left to right, as they are seen."""
    directions = [direction("".join(piece.text for piece in chunk)) for chunk in chunks]
    default = 1 if rightwards else -1
    seen: list[_Chunk] = []
    run: list[_Chunk] = []
    for place, chunk in enumerate(chunks):
        way = directions[place] or default
        run.append(chunk if way > 0 else chunk[::-1])
        if place + 1 == len(chunks) or (directions[place + 1] or default) != way:
            ordered = run if way > 0 else run[::-1]
            seen = [*seen, *ordered] if rightwards else [*ordered, *seen]
            run = []
    return seen
