"""What each method says of each query: its terms and their fidelity."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from intentx.signs import visible
from intentx.study.results import Results
from intentx.study.tables import Line, narrow, number

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["BY_QUERY", "rich_queries", "shown_by_query"]

# Metrics beside the terms, or beside the features.
BY_QUERY = (
    *("all", "heldout_documents", "heldout_pairs"),
    *("preservation_5", "deletion_5", "feature_heldout"),
)


def shown_by_query(lines: Sequence[Line]) -> list[str]:
    """Names of the metrics of `BY_QUERY` that some line has."""
    return [name for name in BY_QUERY if any(name in line.metrics for line in lines)]


def rich_queries(results: Results) -> Iterator[Table]:
    """One table for each query and ranker, for a terminal: method, terms, fidelity."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    names = shown_by_query(results.lines)
    queries = dict(results.topics)
    for (qid, ranker), rows in itertools.groupby(results.rows(), lambda row: (row.qid, row.ranker)):
        title = Text(visible(queries[qid]), style="bold")
        title.append(f", {visible(qid)}, by {visible(ranker)}", style="not bold")
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
        table.add_column("method", overflow="fold", min_width=11)
        table.add_column("terms", overflow="fold", ratio=1)
        for name in names:
            table.add_column(narrow(name), justify="right", min_width=4)
        for row in rows:
            terms = ", ".join(row.terms) or row.reason
            metrics = [number(name, row.metrics.get(name, float("nan"))) for name in names]
            table.add_row(Text(visible(row.method)), Text(visible(terms)), *metrics)
        yield table
