"""Texts with some of their characters replaced."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["replace_spans"]


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
