"""One pair of documents under several rankers, as tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from intentx.comparison.pair import PairComparison, PairSide
from intentx.markup import real
from intentx.signs import visible

__all__ = ["lost", "rich_pair"]


def lost(share: float) -> str:
    """A share of a ranker's preference as people read it.

    >>> lost(0.4), lost(-0.25), lost(float("nan"))
    ('40 %', '−25 %', '–')
    """
    return "–" if math.isnan(share) else f"{100 * share:z.0f} %".replace("-", "−")


def rich_pair(pair: PairComparison) -> Iterator[Any]:
    """Who prefers which, and for each ranker its terms by each simple ranker."""
    from rich.text import Text

    yield Text(visible(pair.sentence), style="bold")
    for side in pair.sides:
        yield Text(visible(pair.said_of(side)))
        yield _table(pair, side)
    yield Text(
        visible(
            f"+ speaks for {pair.first!r}, − for {pair.second!r}, in typical differences of each simple "
            "ranker. Lead lost: the share of the ranker's own preference that goes with the term when "
            "it is taken out of both documents."
        ),
        style="dim",
    )


def _table(pair: PairComparison, side: PairSide) -> Any:
    from rich.table import Table
    from rich.text import Text

    title = (
        f"{side.ranker}: {pair.first} has rank {side.ranks[0]}, {pair.second} has rank {side.ranks[1]}"
    )
    table = Table(title=Text(visible(title), style="italic"), title_justify="left")
    table.add_column("term", overflow="fold", min_width=11)
    for name in side.simple_rankers:
        table.add_column(Text(visible(name)), justify="right", overflow="fold", min_width=5)
    table.add_column("lead lost", justify="right", min_width=5)
    for term, row, share in zip(side.terms, side.values, side.lead_lost, strict=True):
        table.add_row(Text(visible(term)), *map(_cell, row), lost(share))
    table.add_row(Text("together", style="italic"), *map(_cell, side.together), "")
    return table


def _cell(value: float) -> Any:
    from rich.text import Text

    if not round(value, 2):
        return Text("0", style="dim")
    shown = ("+" if value > 0 else "") + real(value, 2)
    return Text(shown, style="blue" if value > 0 else "dark_orange")
