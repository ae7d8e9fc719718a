"""What rankers cost that are asked together."""

from __future__ import annotations

from collections.abc import Sequence

from intentx.capabilities.capabilities import Capabilities
from intentx.capabilities.protocols import CallCost

__all__ = ["combined_cost"]


def combined_cost(parts: Sequence[tuple[object, int | None]]) -> CallCost | None:
    """What rankers cost that are asked together, as far as they say; None where none does.

    Parameters
    ----------
    parts
        Each ranker with the most texts that it is given; None: all.
    """
    costs = [(found, most) for part, most in parts if (found := Capabilities.of(part).cost) is not None]
    if not costs:
        return None

    def given(texts: int, most: int | None) -> int:
        return texts if most is None else min(texts, most)

    def in_words(texts: Sequence[str], calls: int) -> str:
        cost, most = max(costs, key=lambda one: one[0].calls_for(given(len(texts), one[1])))
        return cost.in_words(texts[: given(len(texts), most)], calls)

    return CallCost(
        most_calls=min(cost.most_calls for cost, _ in costs),
        window=None,
        calls_for=lambda texts: sum(cost.calls_for(given(texts, most)) for cost, most in costs),
        in_words=in_words,
    )
