"""Integrals over the way from a reference to a text, and weights that make a known sum exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NUMBERS", "KnownSum", "adding_up", "nodes_and_weights"]

Floats = npt.NDArray[np.float64]

# The vector of a text moves fastest about a fifth of the way from the reference, since its embeddings
# are normalised there. The nodes stand close together at it.
FASTEST, WIDTH = 0.2, 0.1
NUMBERS = (14, 16, 20, 24, 32, 48, 72, 96)  # of nodes that are tried, until they are enough
# What a side may miss before its weights are adjusted, and up to where they are: shares of |Δq| |Δd|.
# The score is no measure: where it is near 0, cells that add up to 0.9 meet a rest of -0.9.
ENOUGH, ADJUSTED = 5e-4, 1e-2


def nodes_and_weights(steps: int) -> tuple[Floats, Floats]:
    """(S,) places from 0 to 1 and their weights: Gauss-Legendre, denser at a fifth of the way.

    >>> places, weights = nodes_and_weights(20)
    >>> bool(np.isclose(weights.sum(), 1)), bool(np.isclose((weights * places**3).sum(), 1 / 4))
    (True, True)
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    first = np.arcsinh(FASTEST / WIDTH)
    length = first + np.arcsinh((1 - FASTEST) / WIDTH)
    at = length * (nodes + 1) / 2 - first
    places = FASTEST + WIDTH * np.sinh(at)
    return places, np.asarray(weights / 2 * length * WIDTH * np.cosh(at))


def adding_up(weights: Floats, along: Floats, known: float, most: float) -> Floats:
    """(S,) the weights with which values at the nodes, (S,) ``along``, add up to what they are known to.

    Of all such weights those nearest to ``weights``, by squares as shares of them; ``weights``
    themselves where these miss it by more than ``most``: nodes are missing, and the gap must be seen.

    >>> weights = np.array([0.5, 0.5])
    >>> adding_up(weights, np.array([1.0, 2.0]), 1.55, 0.1).round(2)
    array([0.51, 0.52])
    >>> adding_up(weights, np.array([1.0, 2.0]), 3.0, 0.1)
    array([0.5, 0.5])
    """
    missed = known - float(weights @ along)
    size = float(weights @ along**2)
    if abs(missed) > most or size <= 0:
        return weights
    return np.asarray(weights * (1 + along * (missed / size)))


@dataclass(frozen=True)
class KnownSum:
    """What the integral over all tokens must be, known from the ends of the way.

    Attributes
    ----------
    total
        ``Δq · Δd``, what all cells of a matrix of token pairs add up to.
    size
        ``|Δq| |Δd|``, the most that it could be.
    """

    total: float
    size: float

    def missed(self, along: Floats) -> float:
        """How far the sum over nodes of (S,) values misses it, as a share of ``size``."""
        _, weights = nodes_and_weights(len(along))
        return abs(float(weights @ along) - self.total) / self.size if self.size else 0.0

    def is_met(self, along: Floats) -> bool:
        """Whether there are as many nodes as it takes."""
        return self.missed(along) <= ENOUGH

    @staticmethod
    def is_adjusted(missed: float) -> bool:
        """Whether so small a share is made up for."""
        return missed <= ADJUSTED

    def integral(self, values: Floats, along: Floats) -> Floats:
        """The integral of (S, …) values, whose sums at the nodes are (S,) ``along``."""
        _, weights = nodes_and_weights(len(along))
        weights = adding_up(weights, along, self.total, ADJUSTED * self.size)
        return np.asarray(np.tensordot(weights, values, axes=1))
