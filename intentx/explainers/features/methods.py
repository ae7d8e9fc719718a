"""The table of methods for rankers over features, as the command line spells them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from intentx.explainers.features.baseline import FeatureBaseline
from intentx.explainers.features.listwise import ListwiseSHAP
from intentx.explainers.features.mimic import MimicTree
from intentx.explainers.features.valid import ValidFeatures
from intentx.explainers.methods import Method

__all__ = ["FEATURE_METHODS"]


def _of_features(name: str, explainer: type) -> Method:
    return Method(name=name, explainer=explainer, explains="ranking")


FEATURE_METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            _of_features("valid-features", ValidFeatures),
            _of_features("feature-baseline", FeatureBaseline),
            _of_features("listwise-shap", ListwiseSHAP),
            _of_features("mimic", MimicTree),
        )
    }
)
"""The methods for rankers over features that come with intentx."""
