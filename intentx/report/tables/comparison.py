"""A comparison of rankers as text and tables, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from intentx.comparison.biases import HEADLINE_DOCUMENTS, HEADLINE_TESTED, RankerBiases
from intentx.comparison.disagreements import PROPERTIES
from intentx.comparison.preferred import OTHERS, Disagreement
from intentx.comparison.results import Comparison, Intent, QueryComparison
from intentx.evaluation.metrics import AGREEMENT
from intentx.markup import count, percent, real
from intentx.report.tables.comparison_pair import rich_pair
from intentx.signs import first_line, visible

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["p_value", "rich_comparison"]

WIDTH = 80  # columns of a terminal
FIRST_COLUMN = 18  # of them, at least, for the names of rows


def rich_comparison(comparison: Comparison) -> Iterator[Any]:
    """Every query, then what holds over all of them, as things that rich prints.

    No table is wider than 80 columns, whatever the rankers are called and however many they are.
    """
    from rich.text import Text

    for query in comparison.queries:
        yield _of_query(query)
        yield from (edits.__rich__() for edits in query.edits)
        for name, axioms in query.axioms.items():
            yield Text(visible(f"{name}: {axioms.sentence}"))
        if query.pair is not None:
            yield from rich_pair(query.pair)
    if comparison.few:
        yield Text(f"Caution: {comparison.few}.", style="bold")
    if comparison.compared:
        yield _agreements(comparison)
        yield from _crossed(comparison)
        # What one of two prefers is what the other does not.
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
        text.append(visible(f"\n  {_terms(name, intent)}"))
        text.append(f"  {percent(intent.all)} all, {percent(intent.far)} far", style="dim")
    for one in query.disagreements:
        text.append_text(_disagreement(one))
    text.append("\n")
    return text


def _terms(name: str, intent: Intent) -> str:
    """The terms that the ranker was asked about, and wants; and those that go along with its order."""
    both = [*zip(intent.terms, intent.wanted, strict=True)]
    wanted, along = (", ".join(term for term, wants in both if wants is kind) for kind in (True, False))
    if wanted:
        return f"{name} wants: {wanted}" + (f"; its order goes along with: {along}" if along else "")
    return f"the order of {name} goes along with: {along or 'no word'}"


def _disagreement(one: Disagreement) -> Text:
    from rich.text import Text

    other = "the others" if one.second == OTHERS else one.second
    text = Text(visible(f"\n  {one.first}, not {other}: "))
    if one.reason:
        text.append(visible(f"{one.reason} ({one.pairs} of {one.of})"), style="dim")
        return text
    for sign, side, style in (("+", one.for_first, "blue"), ("−", one.for_second, "dark_orange")):
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
            min_width=4 if number else 11,
        )
    return table


def _agreements(comparison: Comparison) -> Table:
    from rich.text import Text

    table = _table(
        "How far they agree, averaged over queries",
        "rankers", *(metric.title for metric in AGREEMENT.values()), "n",
    )  # fmt: skip
    for two in combinations(comparison.rankers, 2):
        mean, number = comparison.mean_agreement(*two)
        shares = (percent(mean.first_ten), percent(mean.jaccard))
        cells = (real(mean.tau, 2), real(mean.rbo, 2), *shares, count(number))
        table.add_row(Text(visible(" and ".join(two))), *cells)
    return table


def _crossed(comparison: Comparison) -> Iterator[Table]:
    """One table, or several beside each other below: numbers stand for names that do not fit above."""
    from rich.cells import cell_len
    from rich.text import Text

    rankers = list(comparison.rankers)
    named = FIRST_COLUMN + sum(max(5, cell_len(visible(name))) + 3 for name in rankers) <= WIDTH
    labels = rankers if named else [f"{n} {name}" for n, name in enumerate(rankers, start=1)]
    across = len(rankers) if named else (WIDTH - FIRST_COLUMN) // 8
    title = "How much of a ranker's order (column) the terms of a ranker (row) reproduce"
    for start in range(0, len(rankers), across):
        shown = rankers[start : start + across]
        heads = shown if named else [str(start + n) for n in range(1, len(shown) + 1)]
        table = _table(title if not start else "continued", "terms of", *heads)
        for label, one in zip(labels, rankers, strict=True):
            shares = (percent(comparison.mean_cross(one, other)) for other in shown)
            table.add_row(Text(visible(label)), *shares)
        yield table


def _biases(biases: RankerBiases, comparison: Comparison) -> Any:
    from rich.console import Group
    from rich.text import Text

    others = [name for name in comparison.rankers if name != biases.ranker]
    against = others[0] if len(others) == 1 else "the others"
    title = f"What {biases.ranker} consistently prefers over {against}"
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
    if len(biases.headline) < len(biases.held):
        closing.append("; " + too_little(biases))
    if rest:
        closing.append(f"; follow from these: {', '.join(rest[:12])}{', …' if len(rest) > 12 else ''}")
    return Group(table, closing)


def too_little(biases: RankerBiases) -> str:
    """Why some of what stands out is no headline."""
    weak = [b.name for b in biases.held if b not in biases.headline]
    names = ", ".join(weak[:4]) + (", …" if len(weak) > 4 else "")
    return (
        f"too little to rely on: {names} (a single letter, fewer than {HEADLINE_DOCUMENTS} documents, "
        f"or fewer than {HEADLINE_TESTED} terms tested)"
    )


def p_value(p: float) -> str:
    """A p value as people read it.

    >>> p_value(0.0123), p_value(0.00002), p_value(math.nan)
    ('0.012', '< 0.001', '–')
    """
    return "< 0.001" if p < 0.001 else real(p)
