"""What few calls of a language model buy, as measured with a simulated one."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MEASURED", "Bought", "bought"]


class Bought(NamedTuple):
    """What a number of calls bought in `benchmarks/llm_budget.py`, for lists of 20 passages.

    Attributes
    ----------
    calls
        The limit.
    right
        Share of the terms said to be wanted that the model looks for.
    weight
        The weight of the right ones, over that of the ten heaviest.
    noisy_right, noisy_weight
        The same where 10 % of the passages of each answer stand at random places.
    """

    calls: int
    right: float
    weight: float
    noisy_right: float
    noisy_weight: float


MEASURED = (
    Bought(15, 0.94, 0.41, 1.0, 0.25),
    Bought(30, 0.96, 0.60, 0.94, 0.47),
    Bought(60, 0.97, 0.69, 0.96, 0.55),
    Bought(120, 0.97, 0.66, 0.97, 0.59),
)
"""By the number of calls."""


def bought(calls: int) -> str:
    """What to expect of so many calls, for the notes of an explanation.

    >>> bought(28).startswith("with 30 calls of a simulated model")
    True
    """
    row = min(MEASURED, key=lambda one: abs(one.calls - calls))
    more = MEASURED[-1]
    text = (
        f"with {row.calls} calls of a simulated model, {row.right:.0%} of the terms said to be wanted "
        f"were right, with {row.weight:.0%} of the weight of the ten heaviest; where 10 % of each "
        f"answer was noise, {row.noisy_right:.0%} were right, with {row.noisy_weight:.0%} of the weight"
    )
    if row == more:
        return text
    return f"{text} ({more.calls} calls: {more.weight:.0%} and {more.noisy_weight:.0%} of the weight)"
