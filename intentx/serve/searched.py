"""Collections that the page searches: their engines, asked in threads, and what they found of late."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from intentx.serve.engines import Engine, Hit, Passage
from intentx.text import Analyzer

__all__ = ["examples", "marked", "order_of", "plain_documents", "query_ids"]

LONGEST = 20_000  # characters of a text that words are marked in


def examples(engine: Engine, most: int = 50) -> list[str]:
    """Queries that an engine suggests."""
    known = getattr(engine, "queries", ())
    texts = known.values() if isinstance(known, Mapping) else known
    return [str(text) for text in list(texts)[:most]]


def query_ids(engine: Engine) -> Mapping[str, str]:
    """Text of each query id, where an engine knows it."""
    known = getattr(engine, "queries", {})
    return known if isinstance(known, Mapping) else {}


def plain_documents(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """Documents as workers take them."""
    return [one._asdict() for one in passages]


def marked(query: str, text: str, analyzer: Analyzer) -> list[tuple[int, int]]:
    """Where words of the query stand in a text: first and last character, the last one excluded.

    >>> marked("keyboards", "A keyboard, or keys.", Analyzer(stem="english"))
    [(2, 10)]
    """
    terms = _terms(query, analyzer)
    return [(start, end) for term, start, end in _words(text[:LONGEST], analyzer) if term in terms]


@functools.lru_cache(maxsize=256)
def _terms(query: str, analyzer: Analyzer) -> frozenset[str]:
    return frozenset(analyzer.terms(query))


@functools.lru_cache(maxsize=2_048)
def _words(text: str, analyzer: Analyzer) -> tuple[tuple[str, int, int], ...]:
    return tuple((token.term, token.start, token.end) for token in analyzer.tokens(text))


def order_of(hits: Sequence[Hit]) -> dict[str, int]:
    """Rank of each document in the first stage, from 1."""
    return {hit.doc_id: rank for rank, hit in enumerate(hits, start=1)}
