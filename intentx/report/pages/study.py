"""One self-contained HTML page about the results of a study."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from intentx.markup import Html, join, tag
from intentx.report.pages.layout import html_page, links
from intentx.report.pages.study_queries import data_block, queries_section, query_data
from intentx.report.pictures.study import Plot, inline
from intentx.report.tables.study import legend, main_table
from intentx.report.tables.study_sentences import failures, findings, how_it_was_run, state

if TYPE_CHECKING:
    from intentx.study.results import Results

__all__ = ["study_page"]


def study_page(results: Results, plots: Sequence[Plot] = ()) -> str:
    """A page with the metrics of a study, plots of them, and every query.

    Parameters
    ----------
    results
        Of a study, finished or not.
    plots
        As `intentx.report.pictures.study.plots` draws them; none, where matplotlib is not installed.

    Returns
    -------
    str
        HTML with one script and without requests; the same for the same results.
    """
    sections = [("table", "Metrics")]
    if plots:
        sections.append(("plots", "Plots"))
    sections += [("queries", "Queries"), ("made", "How it was run")]
    name = results.study.name
    header = tag(
        "header",
        tag("h1", tag("bdi", name)),
        state(results),
        findings(results.lines, results.study.baselines_of),
        failures(results.lines),
        links(sections),
        class_="top",
    )
    table = tag(
        "section",
        tag("h2", "Metrics"),
        tag("div", id="table-controls", class_="controls"),
        main_table(results.lines),
        legend(results.lines),
        id="table",
    )
    main = tag(
        "main",
        table,
        _plots(plots),
        queries_section(),
        tag("section", tag("h2", "How it was run"), how_it_was_run(results.study), id="made"),
    )
    resources = files("intentx.report.pages")
    style, script = (
        resources.joinpath(f"study.{ending}").read_text(encoding="utf-8") for ending in ("css", "js")
    )
    body = join([header, main, data_block(query_data(results))])
    return html_page(f"{name}: a study by intentx", body, style=style, script=script)


def _plots(plots: Sequence[Plot]) -> Html:
    if not plots:
        return Html("")
    return tag("section", tag("h2", "Plots"), *map(inline, plots), id="plots")
