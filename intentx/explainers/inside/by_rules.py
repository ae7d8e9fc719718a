"""Contributions by DeepLIFT's rules, and what may keep attributions from adding up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.explainers.inside.completeness import Attributions
from intentx.explainers.inside.embedding_layer import Model, doubled

if TYPE_CHECKING:
    import torch

__all__ = ["by_rules", "coarse", "summed"]

Floats = npt.NDArray[np.float64]


def by_rules(model: Model, references: torch.Tensor) -> Attributions:
    """The mean contributions over references, as many at once as the batch allows."""
    import torch

    from intentx.explainers.inside.deeplift import DeepLiftRules

    x = model.embedded.vectors
    total, scores, of_references = np.zeros(len(x)), 0.0, 0.0
    uncovered: dict[str, None] = {}
    cut: dict[str, None] = {}

    def passed(part: slice) -> tuple[DeepLiftRules, Floats, torch.Tensor]:
        some = references[part]
        rules = DeepLiftRules(len(some))
        inputs = x.expand(len(some), *x.shape)
        return rules, *model.gradients(torch.cat([inputs, some]), len(some), rules)

    for part, (rules, found, multipliers) in model.in_parts(len(references), passed, each=2):
        some = references[part]
        number = len(some)
        total += summed(multipliers, x.expand(number, *x.shape) - some).sum(axis=0)
        scores += float(found[:number].sum())
        of_references += float(found[number:].sum())
        uncovered |= dict.fromkeys(rules.uncovered)
        cut |= dict.fromkeys(rules.cut)
    n = len(references)
    return Attributions(total / n, scores / n, of_references / n, _cause(model, [*uncovered], [*cut]))


def _cause(model: Model, uncovered: Sequence[str], cut: Sequence[str]) -> str:
    """What a gap may come from, as far as it was seen; what has no rule becomes a note in any case."""
    causes = []
    if uncovered:
        causes.append(f"no DeepLIFT rule for {', '.join(uncovered)}: its plain gradient was used")
        model.subject.notes += causes
    causes += coarse(model)
    if cut and not uncovered:
        causes.append(f"the model may block gradients through {', '.join(cut)}")
    return "; ".join(causes)


def coarse(model: Model) -> list[str]:
    """That the model computes with few digits, if it does."""
    kind = str(model.embedded.vectors.dtype).removeprefix("torch.")
    if kind not in ("float16", "bfloat16"):
        return []
    return [f"rounding errors of {kind}: load the model in float32"]


def summed(gradients: torch.Tensor, vectors: torch.Tensor) -> Floats:
    """(…, L) their product, added up over the embedding's dimensions."""
    return np.asarray((gradients * doubled(vectors)).sum(dim=-1).numpy())
