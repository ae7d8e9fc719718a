"""The smallest change of a document that brings it into the first k, through all stages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.change.counterfactual import Counterfactual
from intentx.explainers.change.missing_answer import Change
from intentx.explainers.change.standing import Standings
from intentx.ranking import Ranking, rank
from intentx.text import Analyzer

__all__ = ["bring_in"]

PROVE = 100  # edited texts, at most, that the proof asks about


class _Passing:
    """Scores texts by how far they come in the place of the document; the first k others are fixed."""

    def __init__(self, asked: Standings, others: Sequence[str]) -> None:
        self.asked = asked
        # Below a document that is among the first k in the end, above one that is not.
        last = len(asked.stages) + 1 / asked.k
        self.fixed = {text: last - 1e-6 * (i + 1) for i, text in enumerate(others)}

    def seen(self, query: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Each text as far as one of the stages reads it."""
        read = [box.can.read(query, texts) for box in self.asked.boxes if box is not None]
        if any(one.unknown for one in read):
            raise InputError("a stage does not say what it reads")
        return tuple(max(some, key=len) for some in zip(*(one.texts for one in read), strict=True))

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        new = [text for text in texts if text not in self.fixed]
        self.asked.ask_ahead(new)
        return np.array(
            [self.fixed[text] if text in self.fixed else self.asked.passed(text) for text in texts]
        )


def bring_in(
    asked: Standings, budget: int, keep: Literal["query"] | tuple[str, ...] | None, analyzer: Analyzer
) -> Change | None:
    """The smallest change that `Counterfactual` finds, of words of the query and of the first k.

    None where there is no word to offer.
    """
    own = asked.text
    others = [text for text in dict.fromkeys(asked.ahead()) if text != own]
    if not others:  # no words to offer but those of the query
        others = [asked.query]
    scorer = _Passing(asked, others)
    ranking: Ranking = rank(
        scorer, asked.query, {"": own, **{str(i): text for i, text in enumerate(others)}}
    )
    method = Counterfactual(
        goal="enter",
        k=max(1, len(others)),
        keep=keep,
        budget=budget,
        prove=min(budget, PROVE),
        analyzer=analyzer,
    )
    try:
        found = method.explain(ranking, "")
    except InputError:
        return None
    rank_after = asked.way(found.edited_text).rank if found.changes else None
    robustness = None if math.isnan(found.robustness) else found.robustness
    tried = sum(found.calls[key] for key in ("search", "proof"))
    changes = tuple(one.words for one in found.changes)
    return Change(changes, found.edited_text, found.status, rank_after, robustness, tried)
