"""What a ranker does with one term."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.explainers.plain import number

__all__ = ["EffectKind", "TermEffect", "not_asked"]

EffectKind = Literal["wanted", "unwanted", "no effect", "not asked"]

VERBS = {"wanted": "wants", "unwanted": "avoids", "not asked": "goes along"}


@equal_by_values
@dataclass(frozen=True)
class TermEffect:
    """What the ranker does with one term, asked with it and without.

    Attributes
    ----------
    term
        The term.
    effect
        Change of a document's score when the term is put in; taking it out does the opposite. A mean
        over documents of the ranking, and over what else was changed in them. NaN where it was not
        asked.
    low, high
        95 % interval of ``effect``.
    places
        Places in the ranking that a document rises when the term is put in.
    tested
        Edited documents in which the term was put in or taken out.
    kind
        ``"wanted"`` or ``"unwanted"``: the effect is not due to chance; among all terms said to have
        one, a tenth at most is expected to have none. ``"no effect"``: none was found, and it lies
        in the interval. ``"not asked"``: there is no ranker to ask, or the term was never changed.
    beside
        The term that a document must hold for this one to count; "" where that is not known. All
        numbers are then those of documents that hold it.
    """

    term: str
    effect: float
    low: float
    high: float
    places: float
    tested: int
    kind: EffectKind
    beside: str = ""

    @property
    def verb(self) -> str:
        """What the ranker does with the term, in words; "goes along" where it was not asked.

        >>> TermEffect("jumping", 2.0, 1.8, 2.2, 7.5, 40, "wanted", "people").verb
        'wants beside “people”'
        """
        verb = VERBS.get(self.kind, self.kind)
        return f"{verb} beside “{self.beside}”" if self.beside else verb

    def cells(self) -> tuple[str, str]:
        """What the ranker does with the term, in words and in score, half of the interval beside; and
        in places. "goes along" where it was not asked.
        """
        if self.kind == "not asked":
            return self.verb, ""
        return (
            f"{self.verb} {self.effect:+.2g} ± {(self.high - self.low) / 2:.1g}",
            f"{self.places:+.1f}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data; None for numbers that are not known."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TermEffect:
        """The inverse of `to_dict`."""
        if plain["kind"] not in get_args(EffectKind):
            raise InputError(f"an effect is of kind {get_args(EffectKind)}, not {plain['kind']!r}")
        effect, low, high, places = (
            math.nan if plain[key] is None else number(plain, key)
            for key in ("effect", "low", "high", "places")
        )
        numbers = effect, low, high, places, int(plain["tested"])
        return cls(str(plain["term"]), *numbers, plain["kind"], str(plain.get("beside", "")))


def not_asked(term: str) -> TermEffect:
    """What is known of a term that no ranker was asked about."""
    return TermEffect(term, math.nan, math.nan, math.nan, math.nan, 0, "not asked")
