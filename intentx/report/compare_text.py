"""A comparison of rankers as text and tables, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from intentx.report.markup import count, percent, real
from intentx.signs import first_line, visible
from intentx.study.biases import RankerBiases
from intentx.study.comparison import Comparison, QueryComparison
from intentx.study.contrasts import OTHERS, Disagreement
from intentx.study.evidence import PROPERTIES

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["p_value", "rich_comparison"]


def rich_comparison(comparison: Comparison) -> Iterator[Any]:
    """Every query, then what holds over all of them, as things that rich prints."""
    for query in comparison.queries:
        yield _of_query(query)
    if comparison.compared:
        yield _agreements(comparison)
        yield _crossed(comparison)
        # What one of two wants is what the other does not.
        for biases in comparison.biases[: None if len(comparison.rankers) > 2 else 1]:
            yield _biases(biases, comparison)


def _of_query(query: QueryComparison) -> Text:
    from rich.text import Text

    text = Text()
    text.append(visible(query.query), style="bold")
    text.append(visible(f"  {query.qid}"), style="dim")
    if query.documents:
        left = sum(query.left_out.values())
        not_all = f"; {left} ranked by some only" if left else ""
        text.append(f"  {count(len(query.documents), 'document')}{not_all}", style="dim")
    for name, reason in query.failed.items():
        first = first_line(reason)
        text.append(visible(f"\n  {name + ': ' if name else ''}{first}"), style="red")
    for name, intent in query.intents.items():
        text.append(visible(f"\n  {name} reads it as: {', '.join(intent.terms) or 'nothing'}"))
        text.append(f"  {percent(intent.all)} all, {percent(intent.far)} far", style="dim")
    for one in query.disagreements:
        text.append_text(_disagreement(one))
    text.append("\n")
    return text


def _disagreement(one: Disagreement) -> Text:
    from rich.text import Text

    other = "the others" if one.second == OTHERS else one.second
    text = Text(visible(f"\n  {one.first}, not {other}: "))
    if one.reason:
        text.append(visible(f"{one.reason} ({one.pairs} of {one.of})"), style="dim")
        return text
    for sign, side, style in (("+", one.wants, "blue"), ("−", one.not_wants, "dark_orange")):
        for term in side.terms:
            text.append(visible(f"{sign}{term} "), style=style)
    held = (
        "too few to hold documents out"
        if math.isnan(one.heldout)
        else f"{percent(one.heldout)} of held-out ones"
        + ("" if one.believable else ", not clearly above chance")
    )
    text.append(
        f" {percent(one.covered)} of {count(one.pairs, 'disagreement')} (in {count(one.of, 'pair')}), "
        + held,
        style="dim",
    )
    return text


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(visible(title), style="italic"), title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(
            Text(visible(column)),
            justify="right" if number else "left",
            overflow="fold",
            min_width=6 if number else 14,
        )
    return table


def _agreements(comparison: Comparison) -> Table:
    from rich.text import Text

    table = _table(
        "How far they agree, in the mean over queries",
        "rankers", "Kendall τ-b", "RBO", "same of first ten", "same terms", "n",
    )  # fmt: skip
    for two in combinations(comparison.rankers, 2):
        mean, number = comparison.mean_agreement(*two)
        shares = (percent(mean.first_ten), percent(mean.jaccard))
        cells = (real(mean.tau, 2), real(mean.rbo, 2), *shares, count(number))
        table.add_row(Text(visible(" and ".join(two))), *cells)
    return table


def _crossed(comparison: Comparison) -> Table:
    from rich.text import Text

    title = "How much of a ranker's order (column) the terms of a ranker (row) reproduce"
    table = _table(title, "terms of", *comparison.rankers)
    for one in comparison.rankers:
        shares = (percent(comparison.mean_cross(one, other)) for other in comparison.rankers)
        table.add_row(Text(visible(one)), *shares)
    return table


def _biases(biases: RankerBiases, comparison: Comparison) -> Any:
    from rich.console import Group
    from rich.text import Text

    others = [name for name in comparison.rankers if name != biases.ranker]
    against = others[0] if len(others) == 1 else "the others"
    title = f"What {biases.ranker} keeps preferring against {against}"
    found = f"{count(biases.queries, 'query', 'queries')}, {count(biases.pairs, 'disagreement')}"
    closing = Text(f"{found}, {count(biases.tested, 'term')} tested; p adjusted for that", style="dim")
    if biases.reason:
        closing.append(visible(f": {biases.reason}"))
    if not biases.held:
        tested = any(not math.isnan(bias.p) for bias in (*biases.properties, *biases.terms))
        return Group(
            Text(visible(f"{title}: {'nothing that stands out' if tested else 'not tested'}")), closing
        )
    table = _table(title, "", "net share", "95 %", "more", "less", "n", "p")
    for bias in biases.held:
        name = PROPERTIES[bias.name] if bias.kind == "property" else bias.name
        interval = "–" if math.isnan(bias.low) else f"{real(bias.low, 2)} to {real(bias.high, 2)}"
        table.add_row(
            Text(visible(name), style="italic" if bias.kind == "property" else ""),
            ("+" if bias.net > 0 else "") + real(bias.net, 2), interval, percent(bias.more),
            percent(bias.less), count(bias.queries), p_value(bias.adjusted_p),
        )  # fmt: skip
    rest = [b.name for b in (*biases.properties, *biases.terms) if b.stands_out and not b.holds]
    if rest:
        closing.append(f"; follow from these: {', '.join(rest[:12])}{', …' if len(rest) > 12 else ''}")
    return Group(table, closing)


def p_value(p: float) -> str:
    """A p value as people read it.

    >>> p_value(0.0123), p_value(0.00002), p_value(math.nan)
    ('0.012', '< 0.001', '–')
    """
    return "< 0.001" if p < 0.001 else real(p)
