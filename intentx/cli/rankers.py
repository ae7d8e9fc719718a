"""``intentx rankers``: the kinds of rankers, whether they are installed, and what they can do."""

from __future__ import annotations

import argparse
from typing import Any

from intentx.cli.terminal import show, show_json
from intentx.rankers.abilities import ABILITIES, KindReport, kind_reports

__all__ = ["add_rankers"]


def add_rankers(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    rankers = commands.add_parser(
        "rankers", help="list the kinds of rankers: what is installed, and what each can do"
    )
    rankers.add_argument("--json", action="store_true", help="print them as JSON")
    rankers.set_defaults(run_command=_rankers)


def _rankers(options: argparse.Namespace) -> None:
    found = kind_reports()
    if options.json:
        show_json({"rankers": [one.to_dict() for one in found], "abilities": dict(ABILITIES)})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("ranker", "installed", "what it can do", "example"):
        table.add_column(title, overflow="fold")
    for one in found:
        table.add_row(one.name, _installed(one), ", ".join(one.can) or "a recorded ranking", one.example)
    show(table)
    show("\n" + "\n".join(f"{name}: {what}" for name, what in ABILITIES.items()))


def _installed(one: KindReport) -> str:
    return "yes" if one.installed else f"no: pip install 'intentx[{one.extra}]'"
