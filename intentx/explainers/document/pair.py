"""Two documents of a ranking whose ranker can be asked about the pair directly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intentx.errors import InputError
from intentx.ranking import Ranking

__all__ = ["AskedPair", "asked_pair"]


class AskedPair(NamedTuple):
    """The two documents as a ranking of their own.

    Attributes
    ----------
    ranking
        Both documents, by what the ranker makes of a list of these two.
    doc, above
        Ids of the document and of the one that it is compared with.
    preference
        The probability that the ranker prefers the first.
    note
        What a reader should know.
    """

    ranking: Ranking
    doc: str
    above: str
    preference: float
    note: str


def asked_pair(ranking: Ranking, doc: str | int, above: str | int) -> AskedPair:
    """The ranker asked about two documents of a ranking, and about no others.

    Raises
    ------
    InputError
        If there is no such document, or both are the same.

    Examples
    --------
    >>> import intentx as ix
    >>> shorter = ix.PairwiseRanker(lambda query, one, other: len(one) < len(other))
    >>> pair = asked_pair(ix.rank(shorter, "tea", {"a": "tea", "b": "a pot", "c": "a desk"}), "c", "a")
    >>> pair.ranking.doc_ids, pair.preference
    (('a', 'c'), 0.0)
    """
    places = ranking.position(doc), ranking.position(above)
    names = [ranking.doc_ids[place] for place in places]
    if places[0] == places[1]:
        raise InputError(f"document {names[1]!r} cannot be above itself")
    texts = [ranking.texts[place] for place in places]
    box = ranking.black_box("a comparison of two documents")
    scores = box(ranking.query, texts)
    prefers = box.can.preference
    preference = float("nan") if prefers is None else float(prefers(ranking.query, *texts))
    order = np.argsort(-scores, kind="stable")
    pair = Ranking(
        ranking.query,
        tuple(names[i] for i in order),
        tuple(texts[i] for i in order),
        scores[order],
        box,
        mark=box.mark,
        told=ranking.told,
    )
    note = (
        "the ranker compares two texts, and was asked about this pair directly: it prefers "
        f"{names[0]!r} to {names[1]!r} with a probability of {preference:.3g}; all ranks here are those "
        f"of the pair, in the whole ranking they are {places[0] + 1} and {places[1] + 1} of "
        f"{len(ranking)}"
    )
    return AskedPair(pair, names[0], names[1], preference, note)
