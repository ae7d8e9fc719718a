"""Grad-CAM for MatchPyramid (Choi, Choi & Rhee 2020): which matches of terms make the score."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt

from intentx.checks import Cosine, Share, Size
from intentx.errors import InputError
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.snippets import Snippet, best_window
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.ranking import Ranking

if TYPE_CHECKING:
    from intentx.rankers.interaction.matchpyramid import MatchPyramid

__all__ = ["GradCAM", "GradCAMExplanation", "Snippet", "best_window", "class_activation", "kurtosis"]

Floats = npt.NDArray[np.float64]


def class_activation(maps: Floats, gradients: Floats, shape: tuple[int, int]) -> Floats:
    """(Q, L) ``ReLU(sum_k α_k A^k)``, ``α_k`` the mean gradient over the cells of map k (section 3).

    Parameters
    ----------
    maps, gradients
        (K, q, l) feature maps and the derivative of the score in each cell.
    shape
        (Q, L); maps of another size are brought to it by bilinear interpolation.
    """
    alpha = gradients.mean(axis=(1, 2))
    weighted = np.maximum(np.tensordot(alpha, maps, axes=1), 0.0)
    if weighted.shape == shape or not weighted.size:
        return weighted
    import torch

    image = torch.from_numpy(weighted)[None, None]
    wider = torch.nn.functional.interpolate(image, shape, mode="bilinear", align_corners=False)
    return np.asarray(wider[0, 0].numpy())


def kurtosis(values: Floats) -> float:
    """Excess kurtosis of all cells of a map, 0 for a normal distribution; NaN for equal cells."""
    moved = np.asarray(values, dtype=np.float64).ravel()
    if not len(moved) or np.ptp(moved) == 0:
        return float("nan")
    moved = moved - moved.mean()
    return float((moved**4).mean() / (moved**2).mean() ** 2 - 3)


@dataclass(frozen=True, kw_only=True)
class GradCAM(DocumentMethod):
    """Gradient-weighted class activation map of a MatchPyramid's last convolution.

    A word weighs the column sum of the map; no weight is below 0. Words are those that the ranker
    knows, whatever `analyzer` says.

    Parameters
    ----------
    effective
        A term is effective if its contribution is at least this share of the way from the smallest
        in the document to the largest.
    filtered, similar
        A term is filtered if its contribution is at most the share ``filtered`` of that way, though
        the cosine of its vector and that of a query term is ``similar`` or more. (The paper
        states no thresholds.)
    snippet_words
        Words of a snippet, stopwords among them. A word scores 1 for a term of the query and, by
        Grad-CAM, its contribution over the largest on top.
    """

    effective: Share = 0.5
    filtered: Share = 0.1
    similar: Cosine = 0.5
    snippet_words: Size = 20

    def _check(self) -> None:
        super()._check()
        if self.filtered >= self.effective:
            raise InputError(
                "0 <= filtered < effective <= 1 is needed, not "
                f"filtered={self.filtered!r} and effective={self.effective!r}"
            )

    def _subject(self, ranking: Ranking, doc: str | int) -> Subject:
        ranker = _match_pyramid(ranking)
        reading = self._reading_as(ranker)
        place = ranking.position(doc)
        return Subject(self.name, ranking, place, ranker.lexicon.analyzer, reading.analyzer)

    def _intent(self, ranking: Ranking) -> IntentExplanation:
        # Terms may be stems; simple rankers find them only if they read as the ranker does.
        return super(GradCAM, self._reading_as(_match_pyramid(ranking)))._intent(ranking)

    def _reading_as(self, ranker: MatchPyramid) -> Self:
        """With the ranker's analyzer; its own stopwords are no intent terms either."""
        known = ranker.lexicon.analyzer
        both = frozenset(known.stopwords or ()) | frozenset(self.analyzer.stopwords or ())
        return dataclasses.replace(self, analyzer=dataclasses.replace(known, stopwords=both))

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        ranker = _match_pyramid(subject.ranking)
        query = subject.ranking.query
        query_terms = ranker.lexicon.read(query).terms
        terms = [token.term for token in subject.tokens]
        activation = interaction = np.zeros((len(query_terms), len(terms)))
        cosines = np.zeros((len(query_terms), len(terms)))
        if terms:
            with subject.looking_inside(1):
                seen = ranker.feature_maps(query, subject.text)
            interaction = _array(seen.interaction.values)
            activation = class_activation(_array(seen.maps), _array(seen.gradients), interaction.shape)
            vectors = ranker.lexicon.vectors_of(terms).astype(np.float64)
            cosines = ranker.lexicon.vectors_of(query_terms).astype(np.float64) @ vectors.T
            if not activation.any():
                subject.notes.append("the map is zero everywhere: no match adds to the score")
        contributions = activation.sum(axis=0)
        similarities = cosines.max(axis=0) if terms else np.zeros(0)
        by_term: dict[str, float] = {}
        for term, value in zip(terms, contributions.tolist(), strict=True):
            by_term[term] = by_term.get(term, 0.0) + value
        effective, filtered = self._kinds(terms, contributions, similarities)
        return subject.explanation(
            by_term,
            settings=self._reading_as(ranker).settings(),
            metrics={
                "score": subject.score,
                "kurtosis": kurtosis(activation),
                "sum": float(contributions.sum()),
                "rest": 0.0,  # every column of the map is a word
            },
            occurrences=contributions.tolist(),
            kind=GradCAMExplanation,
            query_terms=query_terms,
            map=activation,
            interaction=interaction,
            contributions=contributions,
            similarities=similarities,
            effective_terms=effective,
            filtered_terms=filtered,
            snippets=self._snippets(subject, frozenset(query_terms), contributions),
        )

    def _kinds(
        self, terms: Sequence[str], contributions: Floats, similarities: Floats
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Effective and filtered terms; a term counts with its occurrence of highest contribution."""
        if not contributions.any():
            return (), ()
        best: dict[str, float] = {}
        nearest: dict[str, float] = {}
        for term, value, near in zip(terms, contributions, similarities, strict=True):
            best[term] = max(best.get(term, 0.0), float(value))
            nearest[term] = float(near)
        smallest, largest = min(best.values()), max(best.values())
        if smallest == largest:  # all are as high as the highest, and none is low
            smallest = 0.0
        way = {term: (best[term] - smallest) / (largest - smallest) for term in best}
        high = [term for term in best if way[term] >= self.effective]
        low = [t for t in best if way[t] <= self.filtered and nearest[t] >= self.similar]
        return (
            tuple(sorted(high, key=lambda term: -best[term])),
            tuple(sorted(low, key=lambda term: -nearest[term])),
        )

    def _snippets(
        self, subject: Subject, query_terms: frozenset[str], contributions: Floats
    ) -> dict[str, Snippet]:
        """The best windows by exact matches, and with contributions added to them."""
        words = dataclasses.replace(subject.analyzer, stopwords=frozenset()).tokens(subject.text)
        if not words:
            return {name: Snippet(0, 0, "") for name in ("vanilla", "gradcam")}
        place = {word.start: number for number, word in enumerate(words)}
        exact, added = np.zeros(len(words)), np.zeros(len(words))
        largest = contributions.max(initial=0.0) or 1.0
        for token, contribution in zip(subject.tokens, contributions, strict=True):
            if token.start in place:
                exact[place[token.start]] = float(token.term in query_terms)
                added[place[token.start]] = contribution / largest
        found = {}
        for name, values in (("vanilla", exact), ("gradcam", exact + added)):
            first, end = best_window(values.tolist(), self.snippet_words)
            span = words[first].start, words[end - 1].end
            found[name] = Snippet(*span, subject.text[slice(*span)])
        return found


def _match_pyramid(ranking: Ranking) -> MatchPyramid:
    can = ranking.black_box("an explanation by GradCAM").can
    # A ranker of another kind need not have torch, and then there is nothing to compare it with.
    if can.feature_mapped is not None:
        return cast("MatchPyramid", can.feature_mapped)
    raise InputError(
        f"GradCAM looks at the feature maps of a MatchPyramid, and {can.name} has none; DeepLIFT and "
        "IntegratedGradients look inside other neural rankers, KernelSHAP and EXS explain any ranker"
    )


def _array(values: Any) -> Floats:
    return np.asarray(values.cpu().double().numpy())
