"""Retrieval axioms on pages: which decide pairs, and how often rankers agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from intentx.comparison.results import Comparison
from intentx.evaluation.axioms import Axioms
from intentx.evaluation.measures import Measured
from intentx.markup import Html, join, tag
from intentx.report.pages.comparison_head import named
from intentx.report.pages.tables import share_cell, table

__all__ = ["axioms_table", "compared_axioms", "has_axioms"]


def has_axioms(explanation: Measured) -> bool:
    """Whether axioms were asked for."""
    return Axioms.NAME in explanation.measures


def axioms_table(explanation: Measured) -> Html:
    """A row for each axiom; where the explanation has words, its right and its wrong pairs apart."""
    found = explanation.measures.get(Axioms.NAME)
    if not isinstance(found, Axioms):
        return Html("")
    head, rows, caption = found._sheet()
    lines = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell, class_="n") for cell in row[1:]))
        for row in rows
    ]
    return join([tag("p", caption, class_="note"), table(head, lines, "axioms")])


def compared_axioms(comparison: Comparison) -> list[Html]:
    """Means over queries: how often each ranker agrees with each axiom, and with their votes."""
    found = [query.axioms for query in comparison.queries if query.axioms]
    if not found:
        return []
    rankers = [name for name in comparison.rankers if any(name in one for one in found)]
    by_ranker = {name: [one[name] for one in found if name in one] for name in rankers}
    axioms = dict.fromkeys(row.name for one in found for some in one.values() for row in some.rows)
    rows = [
        tag("tr", tag("th", axiom, scope="row"), tag("td", _about(found, axiom)), *(
            share_cell(_mean([some[axiom].agreement for some in by_ranker[name]])) for name in rankers
        ))
        for axiom in axioms
    ]  # fmt: skip
    votes = {"majority of all": "vote", "fitted vote": "fitted", "fitted vote, held out": "heldout"}
    rows += [
        tag("tr", tag("th", title, scope="row"), tag("td", ""), *(
            share_cell(_mean([getattr(some, key) for some in by_ranker[name]])) for name in rankers
        ))
        for title, key in votes.items()
    ]  # fmt: skip
    queries = f"{len(found)} {'query' if len(found) == 1 else 'queries'}"
    note = (
        f"Share of the pairs that an axiom decides on which a ranker agrees, the mean over {queries}; "
        "one half is chance. Of the votes: share of all pairs. No ranker was asked: this says what goes "
        "along with an order."
    )
    return [
        tag("h4", "Which retrieval axioms the rankers agree with"),
        tag("p", note, class_="note"),
        table(("axiom", "about", *(named(name) for name in rankers)), rows, "axioms"),
    ]


def _about(found: Sequence[Mapping[str, Axioms]], axiom: str) -> str:
    return next(iter(found[0].values()))[axiom].about


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
