"""What a scorer is, and what it can do: said once."""

from intentx.capabilities.capabilities import Capabilities, Read, combined_cost
from intentx.capabilities.protocols import (
    Activates,
    Analyzes,
    CallCost,
    Costly,
    Differentiable,
    EmbeddedText,
    FeatureMapped,
    Fingerprinted,
    Listwise,
    Masks,
    Prefers,
    Scorer,
    StateMarked,
    TermWeights,
    Truncates,
)

__all__ = [
    "Activates",
    "Analyzes",
    "CallCost",
    "Capabilities",
    "Costly",
    "Differentiable",
    "EmbeddedText",
    "FeatureMapped",
    "Fingerprinted",
    "Listwise",
    "Masks",
    "Prefers",
    "Read",
    "Scorer",
    "StateMarked",
    "TermWeights",
    "Truncates",
    "combined_cost",
]
