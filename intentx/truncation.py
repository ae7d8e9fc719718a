"""What a ranker does not read of texts: told, or cut off."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, get_args

from intentx.documents import listed
from intentx.errors import InputError, TruncationWarning
from intentx.scoring import BlackBox

__all__ = ["Truncated", "as_read"]

Truncated = Literal["warn", "cut"]


def as_read(
    box: BlackBox, query: str, ids: Sequence[str], texts: tuple[str, ...], truncated: Truncated
) -> tuple[str, ...]:
    """The texts, cut to what the ranker reads of them where that is asked for."""
    if truncated not in get_args(Truncated):
        raise InputError(f"truncated must be one of {get_args(Truncated)}, not {truncated!r}")
    if truncated == "cut":
        cut = box.can.seen(query, texts)
        if cut is None:
            raise InputError(
                f"{box.can.name} has no method seen(query, texts) that returns what it reads of each "
                "text, so texts cannot be cut to that"
            )
        return cut
    read = box.can.read(query, texts)
    if read.unknown:
        message = f"whether the ranker reads the documents to their end is unknown: {read.unknown}"
        warnings.warn(message, TruncationWarning, stacklevel=3)
    long = [
        f"{i!r} ({len(part)} of {len(text)} characters)"
        for i, text, part in zip(ids, texts, read.texts, strict=True)
        if part != text
    ]
    if long:
        warnings.warn(
            f"the ranker reads only part of {len(long)} of {len(ids)} documents: {listed(long)}; an "
            "explanation may name words that it never saw. Cut them to what it reads: "
            "rank(…, truncated='cut'), on the command line --cut",
            TruncationWarning,
            stacklevel=3,
        )
    return texts
