"""Terms as people write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from intentx.text.analyzer import Analyzer

__all__ = ["written_terms"]


def written_terms(
    terms: Sequence[str], query: str, texts: Sequence[str], analyzer: Analyzer
) -> tuple[str, ...]:
    """Each term as in the query, or else as most often in the texts; itself where none has it.

    Only where the analyzer stems does this differ from the terms.

    >>> stems = Analyzer(stem="english")
    >>> written_terms(["review", "key"], "piano reviews", ["a key", "keys, keys"], stems)
    ('reviews', 'keys')
    """
    if not analyzer.stem:
        return tuple(terms)
    wanted, seen = set(terms), Counter[tuple[str, str]]()
    for text in texts:
        seen.update(
            (token.term, text[token.start : token.end].lower())
            for token in analyzer.tokens(text)
            if token.term in wanted
        )
    written = dict(sorted(seen, key=lambda one: (seen[one], one)))  # the last one of a term stays
    written |= {t.term: query[t.start : t.end].lower() for t in analyzer.tokens(query)}
    return tuple(written.get(term, term) for term in terms)
