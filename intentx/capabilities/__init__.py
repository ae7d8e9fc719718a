"""What a scorer is, and what it can do: said once."""

from intentx.capabilities.capabilities import Capabilities, Read
from intentx.capabilities.protocols import (
    Activates,
    Analyzes,
    Attending,
    AttentionMaps,
    Differentiable,
    EmbeddedText,
    FeatureMapped,
    Fingerprinted,
    Listwise,
    Masks,
    Scorer,
    StateMarked,
    TermWeights,
    TokenMatched,
    TokenMatches,
    Truncates,
)

__all__ = [
    "Activates",
    "Analyzes",
    "Attending",
    "AttentionMaps",
    "Capabilities",
    "Differentiable",
    "EmbeddedText",
    "FeatureMapped",
    "Fingerprinted",
    "Listwise",
    "Masks",
    "Read",
    "Scorer",
    "StateMarked",
    "TermWeights",
    "TokenMatched",
    "TokenMatches",
    "Truncates",
]
