"""`FeatureFaithfulness`: what is left of an order with only some features, and without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from intentx.evaluation.base import Measure, Sheet

__all__ = ["FeatureFaithfulness"]

Curve = tuple[float, ...]


@dataclass(frozen=True)
class FeatureFaithfulness(Measure):
    """How near the model's order stays to its own with only the first features, and without them.

    Attributes
    ----------
    ks
        Numbers of features, K of them.
    preservation, deletion
        (K,) Kendall's τ-b to the ranking of the order with only the first k features, all others at
        background values: high is good; and of the order with the first k at background values: low is
        good. Means over the background rows.
    exposure_preservation, exposure_deletion
        (K,) 1 less the share of the exposure, 1 / log2(1 + rank), that moves in the same orders.
    random_preservation, random_deletion, random_exposure_preservation, random_exposure_deletion
        The same for features in random orders: means over the draws.
    background_rows
        How many.
    draws
        Random orders.
    rows_asked
        Rows that the model was asked for it.
    """

    ks: tuple[int, ...]
    preservation: Curve
    deletion: Curve
    exposure_preservation: Curve
    exposure_deletion: Curve
    random_preservation: Curve
    random_deletion: Curve
    random_exposure_preservation: Curve
    random_exposure_deletion: Curve
    background_rows: int
    draws: int
    rows_asked: int

    NAME: ClassVar[str] = "feature_faithfulness"
    FORMAT: ClassVar[str] = "intentx.feature-faithfulness/1"

    def __repr__(self) -> str:
        return (
            f"FeatureFaithfulness(k = {self.ks[-1]}: alone {self.preservation[-1]:.2f} (random "
            f"{self.random_preservation[-1]:.2f}), without {self.deletion[-1]:.2f} "
            f"({self.random_deletion[-1]:.2f}))"
        )

    @property
    def sentence(self) -> str:
        """What was found, as all that shows the explanation says it."""
        k = self.ks[-1]
        first = "the first feature" if k == 1 else f"the first {k} features"
        return (
            f"Faithfulness: with only {first} the order has τ {_tau(self.preservation[-1])} to the "
            f"ranking ({_tau(self.random_preservation[-1])} with as many random features), without "
            f"{'it' if k == 1 else 'them'} τ {_tau(self.deletion[-1])} "
            f"({_tau(self.random_deletion[-1])})."
        )

    def _sheet(self) -> Sheet:
        columns = (
            self.preservation, self.random_preservation, self.deletion, self.random_deletion,
            self.exposure_preservation, self.exposure_deletion,
        )  # fmt: skip
        rows = tuple(
            (str(k), *map(_tau, numbers)) for k, *numbers in zip(self.ks, *columns, strict=True)
        )
        head = (
            "features", "τ alone", "random", "τ without", "random", "exposure alone",
            "exposure without",
        )  # fmt: skip
        return Sheet(head, rows, self.sentence)


def _tau(number: float) -> str:
    return f"{number:z.2f}".replace("-", "\u2212")
