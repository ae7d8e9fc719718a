"""The queries of a study as a page keeps them: one block of JSON, that a script makes tables of."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from intentx.evaluation.metrics import STUDIED, titled
from intentx.markup import FORBIDDEN, Html, tag
from intentx.report.tables.study import present
from intentx.study.by_query import shown_by_query

if TYPE_CHECKING:
    from intentx.study.results import Results

__all__ = ["data_block", "queries_section", "query_data"]

# What must not stand in a script as it is: "<" could end it, the others are no characters of HTML.
_ESCAPED = re.compile(r"[<\x7f-\x9f\u2028\u2029]")
PLACES = 6  # digits of a metric that are kept: rounded again to three, they are right


def query_data(results: Results) -> dict[str, Any]:
    """All that is shown of single queries, as plain data.

    Returns
    -------
    dict
        ``metrics``: key, group, title, description and digits of each metric;
        ``beside``: those that are shown beside terms, with their titles; ``by_query``: whether terms
        are shown first;
        ``pairs``: ranker and method; ``queries``: id and text; ``words``, ``reasons``: texts that
        ``cells`` refer to by their place. ``cells`` has a list per query with one part per pair: 0
        where it is not measured yet, the place of a reason where it has failed, or else a list of two:
        places of its terms, and metrics, None where one is not defined.
    """
    names = [name for name in present(results.lines) if name in STUDIED]
    pairs = {(line.ranker, line.method): i for i, line in enumerate(results.lines)}
    places = {qid: i for i, (qid, _) in enumerate(results.topics)}
    words: dict[str, int] = {}
    reasons: dict[str, int] = {}
    cells: list[list[Any]] = [[0] * len(pairs) for _ in places]
    for row in results.rows():
        pair, place = pairs.get((row.ranker, row.method)), places.get(row.qid)
        if pair is None or place is None:
            continue
        if row.reason:
            cells[place][pair] = reasons.setdefault(_clean(row.reason), len(reasons) + 1)
            continue
        terms = [words.setdefault(_clean(term), len(words)) for term in row.terms]
        cells[place][pair] = [terms, [_rounded(row.metrics.get(name)) for name in names]]
    told = [STUDIED[name] for name in names]
    return {
        "metrics": [
            [one.key, one.group, one.title, one.description, 0 if one.is_count else one.digits]
            for one in told
        ],
        "beside": [[*pair] for pair in titled(shown_by_query(results.lines)).items()],
        "by_query": results.study.by_query,
        "pairs": [[_clean(ranker), _clean(method)] for ranker, method in pairs],
        "queries": [[_clean(qid), _clean(query)] for qid, query in results.topics],
        "words": list(words),
        "reasons": list(reasons),
        "cells": cells,
    }


def data_block(plain: dict[str, Any]) -> Html:
    """Plain data in a page, where no script of it can begin or end."""
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return tag("script", Html(text), type="application/json", id="data")


def queries_section() -> Html:
    """What the script fills."""
    return tag(
        "section",
        tag("h2", "Queries"),
        tag("noscript", tag("p", "This table needs JavaScript; see cells.csv for all.", class_="note")),
        tag("div", id="query-controls", class_="controls"),
        tag("div", tag("table", class_="queries", id="query-table"), class_="scroll", tabindex="0",
            role="region", aria_label="Metrics of each query"),
        tag("div", id="query-pages", class_="controls"),
        tag("dialog", id="query", aria_labelledby="query-title"),
        id="queries",
    )  # fmt: skip


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)


def _rounded(value: float | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    rounded = round(value, PLACES)
    return int(rounded) if rounded == int(rounded) else rounded
