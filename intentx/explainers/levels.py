"""What all verdicts have: a level and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from intentx.evaluation.base import Measure

__all__ = ["OPENINGS", "Judgement", "Level"]

Level = Literal["holds", "weak", "chance"]
OPENINGS: dict[Level, str] = {"holds": "Holds", "weak": "Weak", "chance": "May be chance"}


@dataclass(frozen=True)
class Judgement(Measure):
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
