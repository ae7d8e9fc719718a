"""`TermRole`: what one intent term does among the others."""

from __future__ import annotations

from dataclasses import dataclass

from intentx.equality import equal_by_values

__all__ = ["TermRole"]


@equal_by_values
@dataclass(frozen=True)
class TermRole:
    """What one term does among the others.

    Attributes
    ----------
    share
        Its share of the coverage (`IntentExplanation.weights`).
    won, lost
        Fitted pairs that are covered with it and not without it, and the other way round.
    documents
        Documents it occurs in.
    """

    term: str
    share: float
    won: int
    lost: int
    documents: int
