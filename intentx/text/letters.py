"""Whether a term says something by itself, or is no more than a letter."""

from __future__ import annotations

import unicodedata

__all__ = ["is_telling"]


def is_telling(term: str) -> bool:
    """Whether a term is more than one letter or digit, with its marks, of a script that spells words.

    Signs of Chinese, Japanese and Korean, and emoji, are as wide as two letters and words by themselves.

    >>> [is_telling(term) for term in ("s", "7", "é", "tea", "茶", "c++", "ก", "🎹")]
    [False, False, False, True, True, True, False, True]
    """
    signs = [sign for sign in term if unicodedata.category(sign)[0] != "M"]
    return len(signs) > 1 or any(unicodedata.east_asian_width(sign) in "WF" for sign in signs)
