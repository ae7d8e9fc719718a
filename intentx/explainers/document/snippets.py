"""`snippet`: the window of a document that an explanation of it points at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intentx.errors import InputError
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import Analyzer, Token

if TYPE_CHECKING:
    from intentx.explainers.document.explanation import DocumentExplanation

__all__ = ["Snippet", "best_window", "query_snippet", "snippet"]


class Snippet(NamedTuple):
    """A window of a document: ``text[start:end]``."""

    start: int
    end: int
    text: str


def best_window(values: Sequence[float], size: int) -> tuple[int, int]:
    """Start and end of the ``size`` neighbouring values with the largest sum, the first of several.

    >>> best_window([0, 1, 0, 2, 1], 2)
    (3, 5)
    """
    totals = np.concatenate([[0.0], np.cumsum(values)])
    size = min(size, len(values))
    sums = totals[size:] - totals[: len(totals) - size]
    start = int(np.flatnonzero(sums >= sums.max() - 1e-9)[0])
    return start, start + size


def snippet(explanation: DocumentExplanation, words: int = 20) -> Snippet:
    """The window of so many words whose weights add up to most, the first of several.

    Words are those that the explanation's analyzer reads, in any script, stopwords among them; a word
    without a weight counts as 0, and one that speaks against the document is taken off. The window
    begins and ends with a word.

    Parameters
    ----------
    explanation
        Of one document, by any method that weighs its words.
    words
        Words of the window; all of a shorter document.

    Returns
    -------
    Snippet
        ``text`` and its characters ``start`` to ``end`` in the document; empty for a document without
        a word.

    Raises
    ------
    InputError
        If ``words`` is not 1 or more, or the explanation is not of one document.

    Examples
    --------
    >>> import intentx as ix
    >>> score = lambda query, texts: [text.count("piano") for text in texts]
    >>> ranking = ix.rank(score, "keys", ["a lamp, a desk, and a stage piano with keys", "desk"])
    >>> ix.snippet(ix.KernelSHAP().explain(ranking, 0), words=3).text
    'a stage piano'
    """
    _check_words(words)
    for name in ("words", "document", "analyzer"):
        if not hasattr(explanation, name):
            raise InputError(
                f"a snippet is a part of one document, and this {type(explanation).__name__} is about "
                "none: explain a document by EXS, KernelSHAP or another method that weighs its words"
            )
    reader = dataclasses.replace(explanation.analyzer, stopwords=frozenset(), ngrams=1)
    tokens = reader.tokens(explanation.document)
    unit = unit_of([word.weight for word in explanation.words]) or 1.0
    largest = max((abs(word.weight) for word in explanation.words), default=0.0) / unit or 1.0
    weight = {word.start: word.weight / unit / largest for word in explanation.words}
    return _window(
        explanation.document, tokens, [weight.get(token.start, 0.0) for token in tokens], words
    )


def query_snippet(
    ranking: Ranking, doc: int | str, words: int = 20, *, analyzer: Analyzer | None = None
) -> Snippet:
    """The window of so many words that holds most words of the query, the first of several.

    That is how search engines cut snippets. No ranker is asked.

    Parameters
    ----------
    doc
        The document's position or its id.
    words
        Words of the window; all of a shorter document.
    analyzer
        What words are found by and matched with; None: English ones, stopwords left out.

    Raises
    ------
    InputError
        If ``words`` is not 1 or more, or there is no such document.

    Examples
    --------
    >>> import intentx as ix
    >>> ranking = ix.rank(lambda q, texts: [1.0], "stage piano", ["a lamp, and a stage piano with keys"])
    >>> ix.query_snippet(ranking, 0, words=3).text
    'a stage piano'
    """
    _check_words(words)
    text = ranking.texts[ranking.position(doc)]
    reader = analyzer or Analyzer()
    wanted = set(reader.terms(ranking.query))
    matched = {token.start for token in reader.tokens(text) if token.term in wanted}
    tokens = dataclasses.replace(reader, stopwords=frozenset(), ngrams=1).tokens(text)
    return _window(text, tokens, [float(token.start in matched) for token in tokens], words)


def _check_words(words: int) -> None:
    if isinstance(words, bool) or not isinstance(words, int) or words < 1:
        raise InputError(f"words must be a whole number, 1 or more, not {words!r}")


def _window(text: str, tokens: Sequence[Token], values: Sequence[float], words: int) -> Snippet:
    """The best window of a text by the values of its words."""
    if not tokens:
        return Snippet(0, 0, "")
    first, end = best_window(values, words)
    start, stop = tokens[first].start, tokens[end - 1].end
    return Snippet(start, stop, text[start:stop])
