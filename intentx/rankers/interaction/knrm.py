"""KNRM, the kernel-based neural ranking model (Xiong, Dai, Callan, Liu & Power, SIGIR 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import torch
from torch import nn

from intentx.checks import check_fields
from intentx.errors import InputError
from intentx.rankers.interaction.base import InteractionRanker, seeded
from intentx.rankers.interaction.lexicon import Lexicon
from intentx.rankers.limits import Limited, Number, Seed

__all__ = ["KNRM", "KNRMSettings"]

TermWeights = Literal["equal", "idf"]

SMALLEST = 1e-10  # a soft count below it counts as this, so that its logarithm is finite
SCALE = 0.01  # of the logarithms, as in the authors' code, so that tanh does not saturate


@dataclass(frozen=True)
class KNRMSettings:
    """Settings of `KNRM`; `published` gives those of the paper.

    Parameters
    ----------
    kernels
        K, the number of kernels: one at 1 for exact matches, the others evenly from -1 to 1.
    width, exact_width
        Standard deviations of the others and of the one for exact matches.
    term_weights
        ``"equal"`` as in the paper; ``"idf"`` weighs a query term's logarithms by its idf, over the
        mean idf of the query. Without it a rare word counts as much as a common one, unless the
        vectors tell them apart.
    tune_vectors
        Train the term vectors as well, as the paper does with millions of queries.
    seed
        Of the first weights.
    """

    kernels: Limited = 11
    width: Number = 0.1
    exact_width: Number = 0.001
    term_weights: TermWeights = "idf"
    tune_vectors: bool = False
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_fields("knrm", self)
        if self.kernels < 2:
            raise InputError(f"kernels must be 2 or more, not {self.kernels!r}")
        if not min(self.width, self.exact_width) > 0:
            raise InputError(f"widths must be positive, not {self.width!r} and {self.exact_width!r}")
        if self.term_weights not in get_args(TermWeights):
            raise InputError(
                f"term_weights must be one of {get_args(TermWeights)}, not {self.term_weights!r}"
            )

    @classmethod
    def published(cls, **changes: Any) -> Self:
        """The settings of Xiong et al. (2017)."""
        return cls(**dict[str, Any](term_weights="equal", tune_vectors=True) | changes)


class KernelPooling(nn.Module):
    """``tanh(w φ + b)`` with ``φ_k = sum_i log sum_j exp(-(S_ij - μ_k)² / 2σ_k²)`` (section 3)."""

    centers: torch.Tensor
    widths: torch.Tensor

    def __init__(self, settings: KNRMSettings) -> None:
        super().__init__()
        others = settings.kernels - 1
        centers = [1.0, *(1.0 - (2 * k + 1) / others for k in range(others))]
        widths = [settings.exact_width] + others * [settings.width]
        self.register_buffer("centers", torch.tensor(centers))
        self.register_buffer("widths", torch.tensor(widths))
        self.linear = nn.Linear(settings.kernels, 1)
        self.term_weights = settings.term_weights

    def forward(self, values: torch.Tensor, there: torch.Tensor, idf: torch.Tensor) -> torch.Tensor:
        """(N,) scores from similarities (N, Q, L), document terms (N, L) and idf (Q,)."""
        away = (values[..., None] - self.centers) / self.widths
        counts = torch.where(there[:, None, :, None], torch.exp(-(away**2) / 2), 0.0).sum(dim=2)
        logs = SCALE * torch.log(counts.clamp(min=SMALLEST))
        if self.term_weights == "idf":
            logs = logs * (idf / idf.mean().clamp(min=1e-9))[:, None]
        scores: torch.Tensor = torch.tanh(self.linear(logs.sum(dim=1)))[:, 0]
        return scores


class KNRM(InteractionRanker):
    """KNRM: soft counts of document terms at eleven levels of similarity to the query terms.

    It is `intentx.capabilities.Differentiable`: the kernels are smooth in the
    cosines, though the one for exact matches is so narrow that its gradient is zero elsewhere.

    Parameters
    ----------
    lexicon
        Terms, vectors and idf.
    settings
        By default with idf, and the term vectors left as they are.
    """

    name = "knrm"
    learning_rate = 0.1  # features are logarithms times 0.01, and weights grow to match
    settings_type = KNRMSettings
    settings: KNRMSettings

    def __init__(self, lexicon: Lexicon, settings: KNRMSettings | None = None) -> None:
        settings = settings or KNRMSettings()
        super().__init__(lexicon, settings, seeded(settings.seed, lambda: KernelPooling(settings)))
