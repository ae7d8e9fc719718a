"""The command ``intentx report``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from intentx.cli.terminal import made_folder, show, tell
from intentx.errors import InputError, MissingExtraError
from intentx.files import write_file
from intentx.markup import count
from intentx.report.pages.study import study_page
from intentx.report.pictures.study import Plot, plots, written
from intentx.study.export import csv_cells, csv_table, latex, markdown, markdown_queries
from intentx.study.results import Results, read_results

__all__ = ["add_report"]


def add_report(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    report = commands.add_parser(
        "report",
        help="write a page, plots and tables of the results of intentx bench",
        description="Writes report.html, a self-contained page; table.md, table.tex and table.csv; "
        "cells.csv and queries.md, with every query; and plots as PNG and SVG.",
    )
    report.add_argument(
        "folders", nargs="+", type=Path, metavar="DIR",
        help="results of intentx bench; several are shards of one study, in any order",
    )  # fmt: skip
    report.add_argument("--out", type=Path, metavar="FOLDER", help="created if needed (default: DIR)")
    report.set_defaults(run_command=_report)


def _report(options: argparse.Namespace) -> None:
    results = read_results(options.folders)
    out = made_folder(options.out or options.folders[0])
    drawn = _drawn(results)
    page = study_page(results, drawn).encode("utf-8")
    paths = [
        write_file(out / "report.html", page),
        write_file(out / "table.md", markdown(results).encode("utf-8")),
        write_file(out / "table.tex", latex(results).encode("utf-8")),
        write_file(out / "table.csv", csv_table(results).encode("utf-8")),
        _write_lines(out / "cells.csv", csv_cells(results)),
        _write_lines(out / "queries.md", markdown_queries(results)),
        *_pictures(out, drawn),
    ]
    for path in paths:
        show(str(path))
    _tell(results)


def _drawn(results: Results) -> list[Plot]:
    try:
        return plots(results)
    except MissingExtraError as error:
        tell(f"no plots: {error}")
        return []


def _pictures(out: Path, drawn: Sequence[Plot]) -> list[Path]:
    if not drawn:
        return []
    folder = made_folder(out / "plots")
    return [
        write_file(folder / f"{plot.name}.{kind}", content)
        for plot in drawn
        for kind, content in (("png", written(plot.figure, "png")), ("svg", plot.svg))
    ]


def _write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write lines as they come, since there is one for each cell."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _tell(results: Results) -> None:
    """What the reader of a report should know, on standard error."""
    if not results.cells:
        tell(
            "nothing was measured yet, so that the tables are empty: run intentx bench again, which "
            "says what stopped it"
        )
    if results.done < results.cells:
        tell(
            f"unfinished: {count(results.done)} of {count(results.cells)} cells of the queries started "
            "so far are measured, and the report covers only those; run intentx bench again to measure "
            "the rest"
        )
    if results.failed:
        tell(f"{count(results.failed, 'cell')} without metrics: report.html says why")
