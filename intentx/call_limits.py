"""What explanations may ask of a ranker of dear calls, and what they did ask."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from intentx.asked import Asked, asking_now
from intentx.capabilities import CallCost
from intentx.errors import CostWarning, InputError
from intentx.ranking import Ranking

__all__ = ["calls_of", "check_calls", "cost_note"]


def check_calls(
    ranking: Ranking,
    cost: CallCost,
    lists: Sequence[Sequence[str]],
    purpose: str,
    *,
    tell: bool = True,
) -> None:
    """Tell what a ranker of dear calls is going to be asked, or refuse what it does not allow.

    Parameters
    ----------
    lists
        What it is going to be asked about.
    tell
        Whether a warning says what it costs.

    Raises
    ------
    InputError
        If these lists and those asked for since the explanation began, take more calls than
        ``cost.most_calls``; it says how many, what they cost, and what to set.

    Warns
    -----
    CostWarning
        Before the first calls of an explanation: how many there are, and what they cost.
    """
    asked = asking_now(ranking.scorer)
    known = asked[0].lists(ranking.query) if asked else frozenset()
    own = tuple(ranking.texts)
    new = {tuple(one) for one in lists} - known - {own}
    calls = sum(cost.calls_for(len(one)) for one in new)
    spent = sum(cost.calls_for(len(one)) for one in known if one != own)
    if not calls:
        return
    words = cost.in_words(max(lists, key=len), calls)
    if spent + calls <= cost.most_calls:
        if tell and not spent:
            warnings.warn(
                f"{purpose} now asks {ranking.can.name} by {calls} calls ({words}); it allows "
                f"{cost.most_calls} for one explanation",
                CostWarning,
                stacklevel=3,
            )
        return
    after = f", after {spent} so far" if spent else ""
    raise InputError(
        f"{purpose} would ask {ranking.can.name} about {len(new):,} more lists: {calls:,} calls "
        f"({words}){after}. It allows {cost.most_calls} calls for one explanation, and none of these "
        "was made. Ask about fewer versions (samples=…, budget=…), or allow more: "
        f"most_calls={spent + calls} on the ranker (in a spec #most_calls={spent + calls})"
    )


def calls_of(ranking: Ranking, asked: Asked) -> int:
    """Calls, at most, that an explanation made beside those for the ranking; 0 where none are dear."""
    cost = ranking.can.cost
    if cost is None:
        return 0
    lists = asked.lists(ranking.query) - {tuple(ranking.texts)}
    return sum(cost.calls_for(len(one)) for one in lists)


def cost_note(ranking: Ranking, asked: Asked) -> tuple[str, ...]:
    """What an explanation asked of a ranker of dear calls, for its notes; () of other rankers."""
    cost = ranking.can.cost
    if cost is None:
        return ()
    lists = asked.lists(ranking.query) - {tuple(ranking.texts)}
    calls = calls_of(ranking, asked)
    if not calls:
        return (f"{ranking.can.name} was asked nothing beside the ranking itself",)
    words = cost.in_words(max(lists, key=lambda one: (len(one), one)), calls)
    return (
        f"{ranking.can.name} was asked by {calls} calls beside the ranking ({words}); it allows "
        f"{cost.most_calls} for one explanation (most_calls)",
    )
