"""Asking a game about some of its coalitions, the later ones chosen by what the first ones tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from intentx.explainers.document.coalitions import design
from intentx.explainers.document.interactions import most_telling

__all__ = ["asked", "likely"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]


def asked(
    ask: Callable[[Kept], Floats],
    value: Callable[[Floats], Floats],
    players: int,
    number: int,
    generator: np.random.Generator,
) -> tuple[Kept, Floats]:
    """Coalitions (S, T), about ``number``, and answers (2 + S, ...) about none, all and these.

    Parameters
    ----------
    ask
        Answers (R, ...) about coalitions (R, T); called once or twice.
    value
        Values (R,) of the game by answers (R, ...).

    Examples
    --------
    >>> square = lambda kept: kept.sum(axis=1) ** 2.0
    >>> kept, answers = asked(square, lambda answers: answers, 5, 20, np.random.default_rng(0))
    >>> kept.shape, answers[:2].tolist(), bool((answers[2:] == kept.sum(axis=1) ** 2).all())
    ((20, 5), [0.0, 25.0], True)
    """
    ends = np.array([[False], [True]]).repeat(players, axis=1)
    some = design(players, number, generator)
    answers = ask(np.concatenate([ends, some.first]))
    if not some.rests:
        return some.first, answers
    values = value(answers)
    empty, full = float(values[0]), float(values[1])
    rest = some.rests[most_telling(some, values[2:], empty, full)]
    return np.concatenate([some.first, rest]), np.concatenate([answers, ask(rest)])


def likely(players: int, number: int, seed: int) -> Kept:
    """(S, T) coalitions, none and all among them, as many as `asked` asks about by a seed.

    >>> likely(5, 20, 0).shape
    (20, 5)
    """
    ends = np.array([[False], [True]]).repeat(players, axis=1)
    some = design(players, number - 2, np.random.default_rng(seed))
    return np.concatenate([ends, some.first, *some.rests[:1]])
