"""Queries in the syntax of Lucene's query parser."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["lucene_query"]

_SPECIAL = re.compile(r'([-+=&|!(){}\[\]^"~*?:\\/])')
_QUOTED = re.compile(r"[\s<>\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_OPERATORS = ("AND", "OR", "NOT", "TO")


def lucene_query(words: Sequence[str], weights: Sequence[float]) -> str:
    r"""Words as one query; weights other than 1 as boosts.

    Several words in one are a phrase, and so are words of scripts without spaces, which a search engine
    may cut in another way.

    >>> lucene_query(["c++", "stage piano", "and/or"], [1, 2, 1])
    'c\\+\\+ "stage piano"^2 and\\/or'
    """
    return " ".join(
        _written(word) + ("" if weight == 1 else f"^{weight:g}")
        for word, weight in zip(words, weights, strict=True)
    )


def _written(word: str) -> str:
    if _QUOTED.search(word) or word in _OPERATORS:
        return '"' + re.sub(r'(["\\])', r"\\\1", word) + '"'
    return _SPECIAL.sub(r"\\\1", word)
