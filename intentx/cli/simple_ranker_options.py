"""The options that choose simple rankers: the same for every command that explains rankings."""

from __future__ import annotations

import argparse

from intentx.errors import InputError
from intentx.preferences.simple_rankers import (
    NO_ENCODER,
    SIMPLE_RANKERS,
    SimpleRanker,
    chosen_simple_rankers,
)

__all__ = ["add_simple_rankers", "check_simple_rankers"]


def add_simple_rankers(command: argparse._ActionsContainer) -> None:
    """Add the options to a command, or to a group of its options."""
    command.add_argument(
        "--simple-rankers", metavar="LIST",
        help=f"what scores documents for terms, such as text,position: some of "
        f"{', '.join(SIMPLE_RANKERS)}; text is bm25 (default text,position,semantic)",
    )  # fmt: skip
    command.add_argument(
        "--dense", metavar="MODEL",
        help="the encoder of dense, a sentence-transformers model, or minilm; without --simple-rankers, "
        "dense is a fourth one: how close documents are to the query and a term",
    )  # fmt: skip


def check_simple_rankers(options: argparse.Namespace) -> tuple[SimpleRanker | str, ...] | None:
    """What ``--simple-rankers`` names, before a model is loaded; None without the option.

    Raises
    ------
    InputError
        If a name is unknown or there twice, or the list and ``--dense`` or ``--vectors`` do not go
        together.
    """
    if options.simple_rankers is None:
        return None
    chosen = chosen_simple_rankers(options.simple_rankers, None if options.dense is None else NO_ENCODER)
    names = [one if isinstance(one, str) else one.name for one in chosen]
    for option, name in (("dense", "dense"), ("vectors", "semantic")):
        if getattr(options, option) is not None and name not in names:
            raise InputError(
                f"--{option} is for the simple ranker {name!r}, which --simple-rankers "
                f"{options.simple_rankers} lacks; add it, or leave --{option} out"
            )
    return chosen
