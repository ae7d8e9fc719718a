"""Terms as they are written in texts, so that what is put in is a word and no stem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from intentx.text import Analyzer

__all__ = ["written_forms"]


def written_forms(texts: Iterable[str], analyzer: Analyzer) -> dict[str, str]:
    """For each term the form in which it most often stands there; of equal ones that in small letters.

    Examples
    --------
    >>> texts = ["Batteries from Japan", "Japan has batteries", "batteries"]
    >>> written_forms(texts, Analyzer(stem="english"))
    {'batteri': 'batteries', 'japan': 'Japan'}
    """
    seen: dict[str, Counter[str]] = {}
    for text in texts:
        for token in analyzer.tokens(text):
            seen.setdefault(token.term, Counter())[text[token.start : token.end]] += 1
    return {
        term: min(forms, key=lambda one: (-forms[one], not one.islower(), one))
        for term, forms in seen.items()
    }
