"""What an explanation brings along to be judged by: its words as an expanded query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from intentx.preferences import PreferenceMatrices
from intentx.preferences.simple_rankers import SimpleRanker
from intentx.text import Analyzer

__all__ = ["ExpandedQuery", "content_terms", "intent_terms"]


@dataclass(frozen=True)
class ExpandedQuery:
    """The words of an explanation that stand for the whole ranking, and what they are scored with.

    Attributes
    ----------
    terms
        The explanation's ``intent_terms``; all its ``terms`` where it has none.
    analyzer
        What the terms were found by: its ``intent_analyzer``, else its ``analyzer``, else
        ``Analyzer()``.
    simple_rankers
        Those of the explanation; None where it has none, as after a round trip through JSON.
    matrices
        Scores of the terms over the fitted pairs, where the explanation was made of them.

    Examples
    --------
    >>> import intentx as ix
    >>> ranking = ix.Ranking.from_run({"a": 2, "b": 1}, "green tea", {"a": "tea pot", "b": "a pot"})
    >>> ExpandedQuery.of(ix.QueryTerms().explain(ranking)).terms
    ('tea', 'green')
    """

    terms: tuple[str, ...]
    analyzer: Analyzer
    simple_rankers: tuple[SimpleRanker, ...] | None = field(default=None, repr=False)
    matrices: PreferenceMatrices | None = field(default=None, repr=False)

    @classmethod
    def of(cls, explanation: Any) -> ExpandedQuery:
        """That of any explanation that has ``terms``; everything else it may lack."""
        given = (getattr(explanation, name, None) for name in ("intent_analyzer", "analyzer"))
        return cls(
            terms=intent_terms(explanation),
            analyzer=next(filter(None, given), None) or Analyzer(),
            simple_rankers=getattr(explanation, "simple_rankers", None) or None,
            matrices=getattr(explanation, "matrices", None),
        )


def intent_terms(explanation: Any) -> tuple[str, ...]:
    """Those of an explanation's terms that stand for the whole ranking: all where it does not say."""
    return tuple(getattr(explanation, "intent_terms", explanation.terms))


def content_terms(explanation: Any) -> tuple[str, ...]:
    """Those of an explanation's terms that are no stopwords: all where it does not say."""
    return tuple(getattr(explanation, "content_terms", explanation.terms))
