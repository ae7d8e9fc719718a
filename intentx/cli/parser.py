"""The parser of the command line: what is wrong in one line, numbers with their limits."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

from intentx.plugins import nearest
from intentx.signs import visible

__all__ = ["Parser", "positive", "real", "whole"]

USAGE = 2  # the exit code
Number = TypeVar("Number", int, float)
_KIND = re.compile(r"invalid (int|float) value: (.*)$")
_KINDS = {"int": "a whole number", "float": "a number"}
_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)$")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line each, and show what a terminal would obey.

    The usage of a command with many options would push the complaint off the screen. A choice that
    there is not comes with the nearest one that there is.
    """

    def error(self, message: str) -> NoReturn:
        wrong = _CHOICE.search(message)
        close = nearest(wrong[1], re.findall(r"[^\s,']+", wrong[2])) if wrong else ""
        message = _KIND.sub(lambda kind: f"{_KINDS[kind[1]]} expected, not {kind[2]}", message)
        more = f"; for all options: {self.prog} --help"
        self.exit(USAGE, f"{self.prog}: error: {visible(message + close)}{more}\n")


def whole(fits: Callable[[int], bool], expected: str) -> Callable[[str], int]:
    """The ``type`` of an option: whole numbers that fit, others refused by what is expected."""

    def read(text: str) -> int:
        return _fitting(int, text, fits, expected)

    return read


def real(fits: Callable[[float], bool], expected: str) -> Callable[[str], float]:
    """As `whole`, of numbers with a point."""

    def read(text: str) -> float:
        return _fitting(float, text, fits, expected)

    return read


def _fitting(
    kind: Callable[[str], Number], text: str, fits: Callable[[Number], bool], expected: str
) -> Number:
    number: Number | None
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not fits(number):
        raise argparse.ArgumentTypeError(f"{expected} expected, not {text!r}")
    return number


positive = whole(lambda number: number >= 1, "a whole number, 1 or more,")
