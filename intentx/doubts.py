"""Whether a scorer's scores can be taken one by one: asked alone, in another order, and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from intentx.errors import ScorerError
from intentx.scoring import BlackBox

__all__ = ["doubts"]

Floats = npt.NDArray[np.float64]

# Sums of another order round otherwise: of batches, of padding, of kernels for other shapes.
SINGLE, HALF = 1e-5, 2.0**-6  # so far apart two results may be, as a share of the largest score
OF_SPREAD = 0.02  # and of the difference between best and worst that nobody would explain
REPEATED = 1e-4  # the same call again, which has nothing to round otherwise: share of that difference


def doubts(
    box: BlackBox, query: str, ids: Sequence[str], texts: Sequence[str], scores: Floats
) -> list[str]:
    """What is odd about the scores of a list, in sentences that say what to set; none as a rule.

    Three texts are scored once more: one alone, and the best and the worst in another order (each of
    two texts alone). Where
    their scores differ, the same call is made again: it tells chance from company. Of a listwise
    scorer, best and worst are asked as a list twice.

    The sentences are kept in ``box.doubts``, for the notes of explanations.
    """
    first = {text: place for place, text in reversed(list(enumerate(texts)))}
    order = sorted(first.values(), key=lambda place: (-scores[place], place))
    found: dict[str, str] = {}
    for places in _questions(order, texts, box.listwise):
        batch = [texts[place] for place in places]
        found |= _of_call(box, query, batch, scores[places], [ids[place] for place in places], scores)
        if found:
            break
    box.doubts = found
    return list(found.values())


def _questions(order: list[int], texts: Sequence[str], listwise: bool) -> Iterator[list[int]]:
    """Places of the texts of each call: one alone, and two of them not as they were asked before."""
    if not listwise:
        yield [order[(len(order) - 1) // 2]]
    if not listwise and len(order) == 2:  # the best of two may have by chance what it has alone
        yield order[1:]
    elif len(order) > 1:  # a black box asks for the longest first, else in the order of the input
        yield sorted((order[0], order[-1]), key=lambda place: (len(texts[place]), -place))


def _of_call(
    box: BlackBox, query: str, batch: list[str], before: Floats, ids: list[str], scores: Floats
) -> dict[str, str]:
    """What one call shows, by kind."""
    largest = float(np.abs(scores).max()) or 1.0
    spread = float(np.ptp(scores / largest))  # as a share of the largest score, as all that follows
    rounding = _rounding(box, scores)
    try:
        now = box.ask_again(query, batch)
    except ScorerError as error:
        if box.listwise:  # it may need longer lists
            return {}
        return {"company": _company(box, ids[0], f"{str(error).splitlines()[0]} when asked alone")}
    apart = np.abs(now / largest - before / largest)
    if not box.listwise and float(apart.max()) <= min(rounding, REPEATED * spread) + SINGLE:
        return {}
    try:
        again = box.ask_again(query, batch)
    except ScorerError:
        return {}
    chance = float(np.abs(again / largest - now / largest).max())
    if chance > max(REPEATED * spread, SINGLE):
        return {"chance": _chance(box, chance * largest, chance / spread if spread else 0.0)}
    place = int(np.argmax(apart))
    if box.listwise or float(apart[place]) <= OF_SPREAD * spread + rounding:
        return {}
    beside = "alone" if len(batch) == 1 else "beside one other"
    what = f"{before[place]:.4g} among {len(scores)} texts and {now[place]:.4g} {beside}"
    return {"company": _company(box, ids[place], what)}


def _company(box: BlackBox, doc_id: str, what: str) -> str:
    return (
        f"the scores of {box.can.name} depend on which texts are asked together: document {doc_id!r} "
        f"has {what}. An explanation compares scores of different calls, and means nothing here. Set "
        "listwise = True on the scorer (of an HTTP service: #listwise=true), so that each list is "
        "scored as a whole; or score each text by itself, without scaling by the others"
    )


def _chance(box: BlackBox, apart: float, share: float) -> str:
    of = f", {share:.1%} of the difference between best and worst" if share else ""
    return (
        f"{box.can.name} gives the same text different scores in different calls: {apart:.4g} "
        f"apart{of}. "
        "An explanation would explain the noise, too. Call eval() on a model with dropout, set the "
        "temperature of a language model to 0, or seed what the scorer draws at each call"
    )


def _rounding(box: BlackBox, scores: Floats) -> float:
    """How far results may be apart for want of digits, as a share of the largest score."""
    if box.can.half_precision:
        return HALF
    with np.errstate(over="ignore"):
        single = scores.astype(np.float32)
        as_half = (single.astype(np.float16) == scores).all()
    as_brain = (single == scores).all() and not (single.view(np.uint32) & 0xFFFF).any()
    return HALF if as_half or as_brain else SINGLE
