"""What methods for features have in common."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from intentx.explainers.base import Explainer
from intentx.explainers.features.background import (
    Background,
    check_background,
    plain_background,
)
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.feature_ranking import FeatureRanking
from intentx.ordered import Ordered

__all__ = ["FeatureMethod"]

Found = TypeVar("Found", bound=FeatureExplanation, covariant=True)


class FeatureMethod(Explainer[Found]):
    """A method that leaves features out, and puts background values in their place."""

    takes: ClassVar[tuple[type[Ordered], ...]] = (FeatureRanking,)
    background: Background

    def _check(self) -> None:
        check_background(self.background)

    def settings(self) -> dict[str, Any]:
        """The settings as plain data; rows of a background as their number."""
        return {**super().settings(), "background": plain_background(self.background)}
