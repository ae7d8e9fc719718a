"""`AttentionExplanation`: what a transformer attends to in one document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.explainers.document.explanation import DocumentExplanation

__all__ = ["AttentionExplanation"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AttentionExplanation(DocumentExplanation):
    """Shares of attention as weights of a document's words; they are sizes, without a direction.

    Attributes
    ----------
    grid
        (layers, heads, L) what each head of each layer attends to on each of the L `words`; None unless
        it was asked for.
    """

    grid: Floats | None = field(default=None, repr=False)

    FORMAT: ClassVar[str] = "intentx.attention/1"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        return super().to_dict() | {"grid": None if self.grid is None else self.grid.tolist()}

    @classmethod
    def _parts(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        grid = plain["grid"]
        found = None
        if grid is not None:
            layers, heads = len(grid), len(grid[0]) if grid else 0
            found = np.array(grid, dtype=np.float64).reshape(layers, heads, len(plain["words"]))
        return super()._parts(plain) | {"grid": found}
