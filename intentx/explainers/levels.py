"""What all verdicts have: a level and a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from intentx.errors import InputError
from intentx.evaluation.fidelity import none_for_nan
from intentx.explainers.plain import number

__all__ = ["OPENINGS", "Judgement", "Level", "known_level", "numbers_of"]

Level = Literal["holds", "weak", "chance"]
OPENINGS: dict[Level, str] = {"holds": "Holds", "weak": "Weak", "chance": "May be chance"}


@dataclass(frozen=True)
class Judgement:
    """A verdict of any kind.

    Attributes
    ----------
    level
        ``"holds"``, ``"weak"`` or ``"chance"``.
    sentence
        The same in words, with the numbers.
    """

    level: Level
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data; None for numbers that are not known."""
        return {name: none_for_nan(value) for name, value in asdict(self).items()}


def known_level(plain: Mapping[str, Any]) -> Level:
    """The level that plain data has.

    Raises
    ------
    InputError
        If there is no such level.
    """
    level: Level = plain["level"]
    if level not in get_args(Level):
        raise InputError(f"a verdict is one of {get_args(Level)}, not {level!r}")
    return level


def numbers_of(plain: Mapping[str, Any], keys: Iterable[str]) -> dict[str, float]:
    """Numbers of plain data, NaN for None."""
    return {key: math.nan if plain[key] is None else float(number(plain, key)) for key in keys}
