"""Recorded runs as rankers of the page: which of their rankings belongs to a query."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import NamedTuple

from intentx.errors import InputError
from intentx.rankers import read_run
from intentx.serve.rankers import ServedRanker

__all__ = ["Recorded", "recorded"]

SHOWN = 8  # queries that a message lists
LONGEST = 80  # characters of each


class Recorded(NamedTuple):
    """The scores of documents, and what to say of them; "": nothing."""

    scores: Mapping[str, float]
    note: str = ""


def recorded(ranker: ServedRanker, query: str, queries: Mapping[str, str]) -> Recorded:
    """What a run has for a query: by its text among ``queries``, else by its id.

    Where no query of the collection has an id, a run of one query is shown for any text, and says so.

    Parameters
    ----------
    queries
        Texts by the ids that a collection has for its queries.

    Raises
    ------
    InputError
        If the run has no such query; the message lists those that it has.
    """
    runs = read_run(ranker.spec.target)
    for qid in (*(one for one, text in queries.items() if text == query), query):
        if qid in runs:
            return Recorded(runs[qid])
    if len(runs) == 1 and not queries:
        (qid,) = runs
        return Recorded(
            runs[qid],
            f"This recorded run has one query, {qid!r}. What it asks is not known here: these are its "
            "results whatever is searched for.",
        )
    known = [repr(shorten(queries.get(qid, qid), LONGEST)) for qid in list(runs)[:SHOWN]]
    more = f" and {len(runs) - SHOWN:,} more" if len(runs) > SHOWN else ""
    raise InputError(
        f"the recorded run {ranker.name!r} has no query {shorten(query, LONGEST)!r}; "
        f"it has {', '.join(known)}{more}"
    )
