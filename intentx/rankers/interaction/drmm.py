"""DRMM, the deep relevance matching model (Guo, Fan, Ai & Croft, CIKM 2016)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from intentx.checks import check_fields
from intentx.errors import InputError
from intentx.rankers.interaction.base import TermRanker, seeded
from intentx.rankers.interaction.lexicon import Lexicon, Memory, Words
from intentx.rankers.limits import Layers, Limited, Seed
from intentx.rankers.transformers.models import checked

__all__ = ["DRMM", "DRMMSettings", "histograms"]

Floats = npt.NDArray[np.float32]
Gating = Literal["idf", "vector"]

REMEMBERED = 50_000  # histograms; one of five query terms takes about 1 kB beside its text


@dataclass(frozen=True)
class DRMMSettings:
    """Settings of `DRMM`; by default those of the paper.

    Parameters
    ----------
    bins
        Bins of a histogram: the last for the term itself, the others of equal width from -1 to 1.
    hidden
        Sizes of the hidden layers of the matching network.
    gating
        What weighs the query terms: their ``"idf"`` or their ``"vector"``.
    seed
        Of the first weights.
    """

    bins: Limited = 30
    hidden: Layers = (5,)
    gating: Gating = "idf"
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_fields("drmm", self)
        if self.bins < 2:
            raise InputError(f"bins must be 2 or more, not {self.bins!r}")
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden must be sizes of 1 or more, such as (5,), not {self.hidden!r}")
        if self.gating not in get_args(Gating):
            raise InputError(f"gating must be one of {get_args(Gating)}, not {self.gating!r}")


class MatchingNetwork(nn.Module):
    """One score per query term from its histogram, and a softmax gate that sums them up.

    ``score = sum_i g_i z_i`` with ``z_i`` a feed-forward network of tanh layers on the log-count
    histogram of term i, and ``g = softmax(w x)`` (section 3 of the paper).
    """

    def __init__(self, settings: DRMMSettings, dimensions: int) -> None:
        super().__init__()
        sizes = [settings.bins, *settings.hidden, 1]
        layers: list[nn.Module] = []
        for one, next_one in itertools.pairwise(sizes):
            layers += [nn.Linear(one, next_one), nn.Tanh()]
        self.matching = nn.Sequential(*layers)
        self.gate = nn.Linear(1 if settings.gating == "idf" else dimensions, 1, bias=False)

    def forward(self, histograms: torch.Tensor, gates: torch.Tensor) -> torch.Tensor:
        """(N,) scores from histograms (N, Q, bins), and idf (Q, 1) or vectors (Q, D)."""
        weights = self.gate(gates)[:, 0].softmax(dim=0)
        scores: torch.Tensor = self.matching(histograms)[..., 0] @ weights
        return scores


class DRMM(TermRanker):
    """DRMM: for each query term a histogram of its similarities with all terms of the text.

    A histogram knows how many terms are how similar, not which: counts are steps, whose derivative
    is zero almost everywhere. So there is no useful gradient with respect to a document's vectors,
    and DRMM is not `intentx.capabilities.Differentiable`; its smooth relative is
    `intentx.rankers.interaction.knrm.KNRM`.

    Parameters
    ----------
    lexicon
        Terms, vectors and idf.
    settings
        By default those of the paper.

    Notes
    -----
    Histograms depend on no trained weight and are remembered, those of the latest 50,000 pairs of
    query and text. A text without a term has empty histograms.
    """

    name = "drmm"
    no_gradients = "it counts matches in histograms, which have no useful gradient"
    learning_rate = 0.01
    settings_type = DRMMSettings
    settings: DRMMSettings

    def __init__(self, lexicon: Lexicon, settings: DRMMSettings | None = None) -> None:
        settings = settings or DRMMSettings()
        module = seeded(settings.seed, lambda: MatchingNetwork(settings, lexicon.dimensions))
        super().__init__(lexicon, settings, module)
        self._histograms: Memory[Floats] = Memory(REMEMBERED)

    def score(self, query: str, texts: Sequence[str]) -> torch.Tensor:
        texts = checked(query, texts)
        in_query = self._query(query)
        if not texts:
            return self._placed(np.empty(0, dtype=np.float32))
        by_idf = self.settings.gating == "idf"
        gates = self.lexicon.idf_of(in_query.terms)[:, None] if by_idf else None
        if gates is None:
            gates = self.lexicon.vectors_of(in_query.terms)
        scores: torch.Tensor = self.module(
            self._placed(self.histograms(query, texts)), self._placed(gates)
        )
        return scores

    def histograms(self, query: str, texts: Sequence[str]) -> Floats:
        """(N, Q, bins) what the network reads: ``ln(1 + count)``."""
        found = {text: self._histograms.get((query, text)) for text in texts}
        new = [text for text, histogram in found.items() if histogram is None]
        if new:
            words = [self.lexicon.read(text) for text in new]
            made = histograms(self.lexicon, self._query(query), words, self.settings.bins)
            for text, histogram in zip(new, made, strict=True):
                found[text] = histogram
                self._histograms.put((query, text), histogram)
        return np.stack([histogram for histogram in map(found.get, texts) if histogram is not None])


def histograms(lexicon: Lexicon, query: Words, texts: Sequence[Words], bins: int) -> list[Floats]:
    """For each of N texts the (Q, bins) log-count histograms of its terms' similarities.

    A document term with cosine c to a query term counts in bin ``floor((c + 1) / 2 * (bins - 1))``,
    and the query term itself in the last one (section 4.1 of the paper: log-count histograms, LCH).
    """
    numbers: dict[str, int] = {}
    for words in texts:
        for term in words.terms:
            numbers.setdefault(term, len(numbers))
    terms = tuple(numbers)
    cosines = lexicon.vectors_of(query.terms) @ lexicon.vectors_of(terms).T
    table = np.floor((cosines + 1.0) / 2.0 * (bins - 1)).astype(np.intp).clip(0, bins - 2)
    for row, term in enumerate(query.terms):
        if term in numbers:
            table[row, numbers[term]] = bins - 1
        table[row] += row * bins
    made = []
    for words in texts:
        cells = table[:, [numbers[term] for term in words.terms]].ravel()
        counts = np.bincount(cells, minlength=len(query.terms) * bins)
        made.append(np.log1p(counts, dtype=np.float32).reshape(-1, bins))
    return made
