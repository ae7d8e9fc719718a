"""Explanations held against what a ranker says that it looks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intentx.equality import equal_by_values
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["MOST", "STEM", "KnownMetrics", "held_against", "intent_metrics", "known_intent", "stems"]

MOST = 10  # terms that average precision looks at, whatever the method may choose
STEM = Analyzer(stem="english")


@equal_by_values
@dataclass(frozen=True)
class KnownMetrics:
    """How far terms are those that a ranker looks for; all in [0, 1].

    Attributes
    ----------
    precision
        Share of the terms that the ranker looks for; 0 where there is no term.
    recall
        Share of what the ranker looks for that is among the terms.
    f1
        The harmonic mean of the two.
    average_precision
        Precision at each right one of the first terms, added up, over the most right ones that so many
        terms can have.
    weight
        Weights of the right terms, over those of the heaviest that so many terms can have.
    """

    precision: float
    recall: float
    f1: float
    average_precision: float
    weight: float


def stems(terms: Iterable[str], reader: Analyzer = STEM) -> tuple[str, ...]:
    """Terms as ``reader`` reads them, without repetition; one that it leaves out stays as it is.

    >>> stems(["reviews", "reviewing", "the"])
    ('review', 'the')
    """
    return tuple(dict.fromkeys(stem for term in terms for stem in reader.terms(term) or (term,)))


def held_against(terms: Iterable[str], wanted: Mapping[str, float], most: int = MOST) -> KnownMetrics:
    """Terms, the best first, held against those that are looked for and their weights.

    Parameters
    ----------
    terms
        Spelled like those of ``wanted``; repetitions count once.
    wanted
        Weights above 0 by term, one or more.
    most
        Terms that average precision looks at, from the first.

    Examples
    --------
    >>> held_against(["tea", "pot", "leaf"], {"tea": 2.0, "leaf": 1.0, "green": 1.0}).precision
    0.6666666666666666
    """
    found = tuple(dict.fromkeys(terms))
    right = [term in wanted for term in found]
    number = sum(right)
    precision, recall = number / max(len(found), 1), number / len(wanted)
    ranked = sum(sum(right[: i + 1]) / (i + 1) for i, one in enumerate(right[:most]) if one)
    heaviest = sum(sorted(wanted.values())[-most:])
    return KnownMetrics(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if number else 0.0,
        average_precision=ranked / min(most, len(wanted)),
        weight=sum(wanted.get(term, 0.0) for term in found) / heaviest,
    )


def known_intent(ranking: Ranking) -> tuple[Mapping[str, float], Analyzer] | None:
    """What the ranker of a ranking looks for in its documents, and what its terms are read by.

    The ranker says it by a method ``term_weights(query)``, which gives weights by term. Those above 0
    count whose terms occur in a document. They are stems: by the ranker's own ``analyzer`` where this
    stems, and English ones otherwise. Of two terms with one stem the heavier counts.

    Returns
    -------
    tuple
        Weights by stem, and the analyzer. None where there is no ranker, or it does not say.

    Raises
    ------
    ScorerError
        If ``term_weights`` raises, or gives something else.
    """
    said = ranking.can.term_weights(ranking.query)
    if said is None:
        return None
    own = ranking.can.analyzer or STEM
    stemmed = own is not STEM and bool(own.stem)
    reader = own if own.stem else dataclasses.replace(own, stem="english")
    held = {term for text in ranking.texts for term in reader.terms(text)}
    wanted: dict[str, float] = {}
    for term, weight in said.items():
        for stem in (term,) if stemmed and term in held else stems([term], reader):
            if stem in held and weight > 0:
                wanted[stem] = max(wanted.get(stem, 0.0), weight)
    return wanted, reader


def intent_metrics(explanation: Any, ranking: Ranking) -> KnownMetrics | None:
    """An explanation of a whole ranking held against what the ranker looks for.

    Returns
    -------
    KnownMetrics
        None where the ranker does not say what it looks for, or no document holds any of it.

    Raises
    ------
    ScorerError
        As `known_intent`.

    Examples
    --------
    >>> import intentx as ix
    >>> from intentx.rankers import BM25
    >>> docs = ["green tea", "black tea in a pot", "a piano", "a boat"]
    >>> ranking = ix.rank(BM25(docs), "green tea room", docs)
    >>> intent_metrics(ix.QueryTerms().explain(ranking), ranking).f1  # no document holds "room"
    0.8
    """
    known = known_intent(ranking)
    if known is None or not known[0]:
        return None
    wanted, reader = known
    return held_against(_as_read(explanation, reader), wanted)


def _as_read(explanation: Any, reader: Analyzer) -> Sequence[str]:
    """The terms of an explanation, spelled as ``reader`` does."""
    theirs = explanation.analyzer
    if theirs.stem and (theirs.stem, theirs.ngrams) == (reader.stem, reader.ngrams):
        return tuple(explanation.terms)
    return stems(explanation.words, reader)
