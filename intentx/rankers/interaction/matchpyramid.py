"""MatchPyramid (Pang, Lan, Guo, Xu, Wan & Cheng, AAAI 2016; Pang et al., Neu-IR 2016)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self, get_args

import torch
from torch import nn

from intentx.capabilities import EmbeddedText
from intentx.checks import check_fields
from intentx.errors import InputError
from intentx.rankers.interaction.base import Interaction, InteractionRanker, seeded
from intentx.rankers.interaction.lexicon import Lexicon
from intentx.rankers.limits import Layers, Number, Seed, TwoSizes
from intentx.rankers.transformers.models import undisturbed

__all__ = ["FeatureMaps", "MatchPyramid", "MatchPyramidSettings"]

Comparison = Literal["cosine", "dot", "indicator", "gaussian"]
TermWeights = Literal["equal", "idf"]

EQUAL = 1.0 - 1e-5  # cosine from which on two vectors count as the same


@dataclass(frozen=True)
class MatchPyramidSettings:
    """Settings of `MatchPyramid`; `published` gives those of the papers.

    Parameters
    ----------
    comparison
        What stands in the interaction matrix: the ``"cosine"`` of two terms' vectors; their
        ``"dot"`` product, the vectors as long as the square root of their term's idf; an
        ``"indicator"``, 1 for equal terms and else 0; or ``"gaussian"``, ``exp(-γ |u - v|²)``.
    gamma
        γ of the Gaussian; 1 in the paper. Unit vectors of unrelated words lie about 1.2 apart.
    term_weights
        ``"equal"`` as in the paper, or ``"idf"``: rows of the matrix times the query term's idf.
    filters
        Filters of each convolution.
    kernel
        Query and document terms under a filter; both odd.
    pool
        Rows and columns that dynamic pooling leaves. Columns always cut a text into that many
        parts. Rows do so with a query that has more terms; one that has fewer leaves the last
        rows empty, so that a row never stands for two terms.
    hidden
        Sizes of the hidden layers behind; () for none.
    tune_vectors
        Train the term vectors as well.
    seed
        Of the first weights.
    """

    comparison: Comparison = "dot"
    gamma: Number = 1.0
    term_weights: TermWeights = "equal"
    filters: Layers = (8,)
    kernel: TwoSizes = (3, 3)
    pool: TwoSizes = (8, 1)
    hidden: Layers = (16,)
    tune_vectors: bool = False
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_fields("matchpyramid", self)
        for name, kind in (("comparison", Comparison), ("term_weights", TermWeights)):
            allowed = get_args(kind)
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} must be one of {allowed}, not {getattr(self, name)!r}")
        if not self.gamma > 0:
            raise InputError(f"gamma must be positive, not {self.gamma!r}")
        if len(self.kernel) != 2 or any(size < 1 or size % 2 == 0 for size in self.kernel):
            raise InputError(f"kernel must be two odd sizes, such as (3, 3), not {self.kernel!r}")
        if len(self.pool) != 2 or min(self.pool) < 1:
            raise InputError(f"pool must be two sizes of 1 or more, such as (8, 1), not {self.pool!r}")
        if not self.filters or min((*self.filters, *self.hidden)) < 1:
            raise InputError(
                f"filters must be one number or more, and filters and hidden positive, not "
                f"{self.filters!r} and {self.hidden!r}"
            )
        if self.tune_vectors and self.comparison == "indicator":
            raise InputError("an indicator does not change with the vectors: they cannot be tuned")

    @classmethod
    def published(cls, **changes: Any) -> Self:
        """As in the papers: a Gaussian, and texts in ten parts; queries of three terms fill the grid."""
        return cls(**dict[str, Any](comparison="gaussian", pool=(3, 10), hidden=(128,)) | changes)


class Convolutions(nn.Module):
    """Convolutions with a ReLU behind each; columns behind a text's last term stay zero.

    So a text gets the same maps in any company. The output (N, C, Q, L) are the feature maps that
    Grad-CAM looks at: rows are query terms, columns document terms.
    """

    def __init__(self, filters: Sequence[int], kernel: tuple[int, int]) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.layers = nn.ModuleList(
            nn.Conv2d(one, next_one, kernel, padding=padding)
            for one, next_one in itertools.pairwise((1, *filters))
        )

    def forward(self, matrix: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """(N, C, Q, L) maps of matrices (N, Q, L) with document terms in columns (N, L)."""
        columns = there[:, None, None]
        maps = torch.where(columns, matrix[:, None], 0.0)
        for layer in self.layers:
            maps = torch.where(columns, torch.relu(layer(maps)), 0.0)
        return maps


class Pyramid(nn.Module):
    """Convolutions over the interaction matrix, dynamic pooling, and a network on what is left.

    Attributes
    ----------
    convolutions
        Their output are the feature maps.
    dense
        From what pooling leaves to the score.
    """

    def __init__(self, settings: MatchPyramidSettings) -> None:
        super().__init__()
        self.convolutions = Convolutions(settings.filters, settings.kernel)
        self.pool = settings.pool
        sizes = [settings.filters[-1] * settings.pool[0] * settings.pool[1], *settings.hidden]
        dense: list[nn.Module] = []
        for one, next_one in itertools.pairwise(sizes):
            dense += [nn.Linear(one, next_one), nn.ReLU()]
        self.dense = nn.Sequential(*dense, nn.Linear(sizes[-1], 1))
        self.by_idf = settings.term_weights == "idf"

    def forward(self, values: torch.Tensor, there: torch.Tensor, idf: torch.Tensor) -> torch.Tensor:
        """(N,) scores from the matrix (N, Q, L), document terms (N, L) and idf (Q,)."""
        return self.score_maps(self.maps(values, there, idf), there)

    def maps(self, values: torch.Tensor, there: torch.Tensor, idf: torch.Tensor) -> torch.Tensor:
        """(N, C, Q, L) the last feature maps."""
        weighted = values * idf[:, None] if self.by_idf else values
        maps: torch.Tensor = self.convolutions(weighted, there)
        return maps

    def score_maps(self, maps: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """(N,) scores from feature maps."""
        scores: torch.Tensor = self.dense(pooled(maps, there, self.pool).flatten(1))[:, 0]
        return scores


def pooled(maps: torch.Tensor, there: torch.Tensor, pool: tuple[int, int]) -> torch.Tensor:
    """(N, C, R, P) largest values of feature maps (N, C, Q, L) in each cell of a grid.

    Cell p of P covers the columns from ``floor(p L / P)`` to before ``ceil((p + 1) L / P)`` of a text
    of L terms: neighbouring cells overlap by one column where P does not divide L, and none is empty
    (as in the dynamic pooling of the paper, section 3.3). Rows likewise where there are more than R.
    """
    rows, columns = pool
    terms = maps.shape[2]
    if terms > rows:
        bounds = [(r * terms // rows, -(-(r + 1) * terms // rows)) for r in range(rows)]
        maps = torch.stack([maps[:, :, start:end].amax(dim=2) for start, end in bounds], dim=2)
    lengths = there.sum(dim=1).clamp(min=1)
    place = torch.arange(maps.shape[3], device=maps.device)
    cells = []
    for p in range(columns):
        start, end = p * lengths // columns, -(-(p + 1) * lengths // columns)
        inside = (place >= start[:, None]) & (place < end[:, None])
        cells.append(maps.masked_fill(~inside[:, None, None], -torch.inf).amax(dim=3))
    grid = torch.stack(cells, dim=3)
    return nn.functional.pad(grid, (0, 0, 0, max(0, rows - terms)))


class FeatureMaps(NamedTuple):
    """The last feature maps of one text, and how its score depends on them.

    Attributes
    ----------
    interaction
        What the convolutions read: (Q, L), with the terms of query and text.
    maps, gradients
        (C, Q, L) of C filters, and the derivative of the score in each of their cells.
    score
        The ranker's score.
    """

    interaction: Interaction
    maps: torch.Tensor
    gradients: torch.Tensor
    score: float


class MatchPyramid(InteractionRanker):
    """MatchPyramid: convolutions over the matrix of term similarities, as over a picture.

    It is `intentx.capabilities.Differentiable`, save with the ``"indicator"``.

    `feature_maps` shows what its convolutions make of a text, for Grad-CAM.

    Parameters
    ----------
    lexicon
        Terms, vectors and idf.
    settings
        By default dot products of vectors with the length of idf, eight 3 x 3 filters, and for each
        query term the largest value of each map. Over more columns the network learns where in a
        text matches stand, and with a hundred queries takes noise for it.
    """

    name = "matchpyramid"
    learning_rate = 0.003
    settings_type = MatchPyramidSettings
    settings: MatchPyramidSettings

    def __init__(self, lexicon: Lexicon, settings: MatchPyramidSettings | None = None) -> None:
        settings = settings or MatchPyramidSettings()
        super().__init__(lexicon, settings, seeded(settings.seed, lambda: Pyramid(settings)))

    def similarities(self, query: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        comparison = self.settings.comparison
        if comparison == "dot":
            return query @ text.transpose(-1, -2)
        cosines = super().similarities(query, text)
        if comparison == "gaussian":
            return torch.exp(-2.0 * self.settings.gamma * (1.0 - cosines))  # |u - v|² of unit vectors
        return (cosines > EQUAL).to(cosines.dtype) if comparison == "indicator" else cosines

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        if self.settings.comparison == "indicator":
            raise InputError(
                "the indicator interaction has no gradient; train with comparison='cosine', 'dot' or "
                "'gaussian' for methods that need one"
            )
        return super().score_embedded(embedded, vectors)

    def feature_maps(self, query: str, text: str) -> FeatureMaps:
        """The last feature maps of ``text``, which holds one term at least, and their gradients."""
        interaction = self.interaction(query, text)
        if not interaction.text.terms:
            raise InputError("a text without a term has no feature maps")
        there = torch.ones((1, len(interaction.text.terms)), dtype=torch.bool)
        there = there.to(interaction.values.device)
        idf = self._placed(self.lexicon.idf_of(interaction.query.terms))
        pyramid: Any = self.module
        with undisturbed(self.module), torch.enable_grad():
            maps = pyramid.maps(interaction.values[None], there, idf).detach().requires_grad_()
            [score] = pyramid.score_maps(maps, there)
            [gradients] = torch.autograd.grad(score, maps)
        return FeatureMaps(interaction, maps.detach()[0], gradients[0], float(score.detach()))

    def _rows(self, terms: Sequence[str]) -> torch.Tensor:
        rows = super()._rows(terms)
        if self.settings.comparison != "dot":
            return rows
        return rows * self._placed(self.lexicon.idf_of(terms))[:, None].sqrt()
