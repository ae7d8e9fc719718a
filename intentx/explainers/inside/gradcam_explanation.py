"""`GradCAMExplanation`: what Grad-CAM shows of one document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.evaluation.base import none_for_nan
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.snippets import Snippet

__all__ = ["GradCAMExplanation", "Snippet"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GradCAMExplanation(DocumentExplanation):
    """What Grad-CAM shows of one document: L document terms against Q query terms.

    Attributes
    ----------
    query_terms
        Q terms of the query, as the ranker reads them; the L document terms are those of `words`.
    map
        (Q, L) how much each match adds to the score, 0 at least.
    interaction
        (Q, L) the ranker's interaction matrix.
    contributions
        (L,) column sums of the map: the weights of the words.
    similarities
        (L,) largest cosine of each document term's vector with one of a query term.
    effective_terms
        Terms of high contribution, the highest first.
    filtered_terms
        Terms of low contribution in spite of high similarity, the most similar first.
    snippets
        The best window of words by exact matches, and by exact matches and contributions.
    """

    query_terms: tuple[str, ...]
    map: Floats = field(repr=False)
    interaction: Floats = field(repr=False)
    contributions: Floats = field(repr=False)
    similarities: Floats = field(repr=False)
    effective_terms: tuple[str, ...]
    filtered_terms: tuple[str, ...]
    snippets: Mapping[str, Snippet] = field(repr=False)

    FORMAT: ClassVar[str] = "intentx.gradcam/2"

    @property
    def document_terms(self) -> tuple[str, ...]:
        """L terms of the document, one for each occurrence, in the order of the text."""
        return tuple(word.term for word in self.words)

    @property
    def flattened(self) -> Floats:
        """(L,) column sums of the interaction matrix, as `contributions` are those of the map."""
        return np.asarray(self.interaction.sum(axis=0))

    @property
    def kurtosis(self) -> float:
        """Excess kurtosis (Fisher's, 0 for a normal distribution) of the map's cells; see `kurtosis`."""
        return float(self.metrics["kurtosis"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        return super().to_dict() | {
            "query_terms": list(self.query_terms),
            "map": self.map.tolist(),
            "interaction": self.interaction.tolist(),
            "contributions": self.contributions.tolist(),
            "flattened": self.flattened.tolist(),
            "similarities": [none_for_nan(value) for value in self.similarities.tolist()],
            "effective_terms": list(self.effective_terms),
            "filtered_terms": list(self.filtered_terms),
            "snippets": {name: snippet._asdict() for name, snippet in self.snippets.items()},
        }

    @classmethod
    def _parts(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        shape = (len(plain["query_terms"]), len(plain["words"]))
        arrays = {
            name: np.array(plain[name], dtype=np.float64) for name in ("contributions", "similarities")
        }
        for name in ("map", "interaction"):
            arrays[name] = np.array(plain[name], dtype=np.float64).reshape(shape)
        lists = ("query_terms", "effective_terms", "filtered_terms")
        snippets = {name: Snippet(**snippet) for name, snippet in plain["snippets"].items()}
        listed = {name: tuple(plain[name]) for name in lists}
        return super()._parts(plain) | arrays | listed | {"snippets": snippets}
