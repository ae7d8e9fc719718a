"""What is said of a number that is measured of explanations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Direction", "Metric", "Unit", "by_key"]

Direction = Literal["higher", "lower", "none"]
Unit = Literal[
    "share of pairs",
    "share of terms",
    "share of documents",
    "share of features",
    "share of queries",
    "similarity",
    "rank correlation",
    "ranks",
    "terms",
    "words",
    "texts",
    "rows",
    "seconds",
    "score",
    "number",
]


@dataclass(frozen=True)
class Metric:
    """A number that says something about an explanation, and how people and programs call it.

    Attributes
    ----------
    key
        Its name in code, in JSON, in CSV files, and in the results of studies.
    title
        Its name wherever people read it: tables, pages, plots, docs.
    description
        What it is, in a sentence without its full stop.
    unit
        What it counts in.
    direction
        Whether ``"higher"`` or ``"lower"`` is better; ``"none"`` where neither is: a control, a size.
    measured_by
        The function, attribute or field of the library that it comes from, by its dotted name.
    group
        Heading of the columns among which a page shows it.

    Examples
    --------
    >>> from intentx.evaluation.metrics import METRICS
    >>> METRICS["heldout_documents"].title, METRICS["heldout_documents"].bounds
    ('held-out documents', (0.0, 1.0))
    """

    key: str
    title: str
    description: str
    unit: Unit
    direction: Direction
    measured_by: str
    group: str = ""

    @property
    def is_share(self) -> bool:
        """Whether it lies in [0, 1]."""
        return self.unit.startswith("share") or self.unit == "similarity"

    @property
    def bounds(self) -> tuple[float, float]:
        """What it lies between, −∞ and ∞ where it has no bounds."""
        if self.is_share:
            return 0.0, 1.0
        if self.unit in ("terms", "words", "texts", "rows", "seconds"):
            return 0.0, math.inf
        return (-1.0, 1.0) if self.unit == "rank correlation" else (-math.inf, math.inf)

    @property
    def digits(self) -> int:
        """Digits behind the point of a mean: three between two bounds, else one."""
        return 3 if math.isfinite(self.bounds[1]) else 1

    @property
    def is_count(self) -> bool:
        """Whether it is a whole number where it is of one query."""
        return self.unit in ("terms", "texts", "rows")


def by_key(metrics: Iterable[Metric]) -> Mapping[str, Metric]:
    """Metrics by their names in code."""
    return {metric.key: metric for metric in metrics}
