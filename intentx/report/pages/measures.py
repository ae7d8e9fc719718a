"""What was measured of an explanation beside its fidelity, as parts of its page."""

from __future__ import annotations

from typing import Any

from intentx.evaluation.faithfulness import Faithfulness
from intentx.evaluation.heldout import HeldoutFidelity
from intentx.evaluation.measures import Measured
from intentx.evaluation.metrics import METRICS
from intentx.evaluation.stage_places import StagePlaces
from intentx.markup import Html, count, real, tag
from intentx.report.pages.tables import bar, share_cell, table

__all__ = [
    "FAITHFULNESS",
    "faithfulness_table",
    "has_faithfulness",
    "has_stages",
    "heldout_row",
    "measured",
    "stages_table",
]

FAITHFULNESS = (
    "Ranks of the document, 1 is best. Its words are removed from the document, or kept alone, one "
    "after the other, those that speak most for it first. Random words of the document are the "
    "control: if an explanation names the right words, the document falls further without them, and "
    "less with only them."
)


def measured(explanation: Measured) -> list[Html]:
    """A sentence for each measure."""
    return [tag("p", one.sentence, class_="measure") for one in explanation.measures.values()]


def has_stages(explanation: Measured) -> bool:
    """Whether the ranker told its stages apart."""
    return StagePlaces.NAME in explanation.measures


def stages_table(explanation: Measured) -> Html:
    """Rank and score of the document at each stage, as the table of the terminal has them."""
    head, rows, _ = explanation.measures[StagePlaces.NAME]._sheet()
    lines = [
        tag(
            "tr",
            tag("th", tag("bdi", name), scope="row"),
            *(tag("td", tag("bdi", one)) for one in cells),
        )
        for name, *cells in rows
    ]
    return table(head, lines, "stages")


def heldout_row(explanation: Measured, names: tuple[str, ...]) -> list[Html]:
    """The row of held-out documents in a table of fidelity; none where they were not asked for."""
    held = explanation.measures.get(HeldoutFidelity.NAME)
    if not isinstance(held, HeldoutFidelity):
        return []
    rows = [row for row in held.rows if row.pairs]
    meaning = "pairs among documents that the method had not seen"
    if rows:
        splits = f"{count(len(rows), 'split')}, {held.interval}"
        meaning = f"{meaning}: the mean of {splits}" if len(rows) > 1 else f"{meaning}: {splits}"
    reasons = dict.fromkeys(reason for reason in held.reasons if reason)
    left = len(held.rows) - len(rows)
    said = f"not measured in {left} of {count(len(held.rows), 'split')}: {'; '.join(reasons)}"
    shares = (held.mean, held.majority, *(held.by_ranker.get(name, float("nan")) for name in names))
    cells: list[Any] = [
        tag("th", METRICS[HeldoutFidelity.NAME].title, tag("small", meaning),
            tag("small", said, class_="reason") if left else "", scope="row"),
        tag("td", count(sum(row.pairs for row in rows)) if rows else "0", class_="n"),
        *(share_cell(share) for share in shares),
        tag("td", count(sum(row.ties for row in rows)) if rows else "–", class_="n"),
    ]  # fmt: skip
    return [tag("tr", *cells)]


def has_faithfulness(explanation: Measured) -> bool:
    """Whether the words of an explanation were taken away."""
    return Faithfulness.NAME in explanation.measures


def faithfulness_table(explanation: Measured) -> Html:
    """Where the document goes without its words and with only them, step by step."""
    found = explanation.measures[Faithfulness.NAME]
    if not isinstance(found, Faithfulness):
        return Html("")
    curves = (
        found.deletion, found.random_deletion, found.preservation, found.random_preservation,
    )  # fmt: skip
    rows = [
        tag("tr", tag("th", count(step), scope="row"), *(
            tag("td", bar(rank, 0.0, found.documents, real(rank + 1, 1)), class_="bar") for rank in ranks
        ))
        for step, ranks in enumerate(zip(*curves, strict=True))
    ]  # fmt: skip
    columns = ("words", "taken away", "random taken away", "alone left", "random alone left")
    return table(columns, rows, "faithfulness")
