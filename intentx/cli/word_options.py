"""The options that choose how texts become terms: the same for every command that has them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from intentx.cli.parser import positive
from intentx.text import TextSettings

__all__ = ["add_words", "word_settings"]

OPTIONS = ("language", "stopwords", "stem", "ngrams", "segmenter", "strip_markup")


def add_words(command: argparse.ArgumentParser, *, ngrams: bool = True, extra: str = "") -> None:
    """Add the options to a command, without ``--ngrams`` where it can have single words only."""
    group = command.add_argument_group("words", extra or None)
    group.add_argument(
        "--language",
        metavar="NAME",
        help="chooses stopwords: a name or ISO code (default english)",
    )
    group.add_argument(
        "--stopwords", metavar="FILE", help="stopwords, one per line; or none: keep all words"
    )
    group.add_argument(
        "--stem", metavar="LANGUAGE", nargs="?", const=True,
        help="stem words, e.g. english; by default, of --language",
    )  # fmt: skip
    if ngrams:
        group.add_argument("--ngrams", type=positive, metavar="N", help="terms of up to N words")
    group.add_argument(
        "--segmenter", metavar="MODULE:CALLABLE",
        help="segments texts into words instead of ICU and the rules of intentx: text -> words or spans",
    )  # fmt: skip
    group.add_argument(
        "--strip-markup", action="store_true", default=None,
        help="documents are HTML: make no terms of tags and entities (the ranker still sees them)",
    )  # fmt: skip


def word_settings(
    options: argparse.Namespace, defaults: Mapping[str, Any] | None = None
) -> TextSettings:
    """What the options say; those that were not given are as in ``defaults``."""
    given = {name: getattr(options, name, None) for name in OPTIONS}
    said = {name: value for name, value in given.items() if value is not None}
    return TextSettings(**{**(defaults or {}), **said})
