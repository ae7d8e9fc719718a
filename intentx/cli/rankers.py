"""``intentx rankers``: the kinds of rankers, whether they are installed, and what they can do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
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
    show("Kinds of rankers, each with an example that follows --ranker, and with what it can do:\n")
    show("\n".join(line for one in found for line in _lines(one)))
    show("\nWhat that is:\n")
    show("\n".join(f"{name}: {what}" for name, what in ABILITIES.items()))
    show(
        "\nA ranker over features follows --ranker together with --letor. Settings stand behind the #, "
        "joined by &; intentx rankers --json lists those of each kind."
    )


def _lines(one: KindReport) -> Iterator[str]:
    """What a newcomer wants to know of a kind; the example can be pasted into a shell."""
    missing = "" if one.installed else f"; not installed: pip install 'intentx[{one.extra}]'"
    yield f"{one.name}: {one.help}{missing}"
    yield f"    --ranker '{one.example}'"
    yield f"    {', '.join(one.can) or 'explained by its order alone'}"
    if one.trained:
        yield f"    intentx train {one.name} makes one"
