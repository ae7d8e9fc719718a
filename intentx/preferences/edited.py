"""Preference pairs that involve edited documents: evidence beyond the ranked list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.perturbation import EditedDocuments
from intentx.preferences.matrices import PreferenceMatrices, TermScores
from intentx.preferences.pairs import SENTINEL, Pairs
from intentx.preferences.simple_rankers import SimpleRanker, term_scores
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import TextIndex

__all__ = ["with_edited_documents"]

Floats = npt.NDArray[np.float64]

PARTNERS = 10  # other documents that each edited document is compared with
LEAST_GAP = 0.01  # of the scores' standard deviation: what is closer is no preference


def with_edited_documents(
    matrices: PreferenceMatrices,
    ranking: Ranking,
    index: TextIndex,
    simple_rankers: Sequence[SimpleRanker],
    edits: EditedDocuments,
    edit_scores: Floats,
    *,
    share: float,
    seed: int = 0,
) -> PreferenceMatrices:
    """Matrices over the N ranked and E edited documents, in the order of their scores.

    Each edited document is paired with ten others at random, edited or not. Together these pairs
    carry ``share`` of all weight; the scale stays that of the ranked documents.

    Parameters
    ----------
    matrices
        Over the ranked documents.
    index
        The ranked documents' texts; statistics such as idf stay theirs.
    edit_scores
        (E,) the ranker's scores of the edited documents.
    """
    n, e = len(ranking), len(edits)
    scores = np.concatenate([ranking.scores, edit_scores])
    generator = np.random.default_rng(seed)
    ends = np.stack(
        [np.repeat(np.arange(n, n + e), PARTNERS), generator.integers(n + e, size=e * PARTNERS)]
    )
    with np.errstate(over="ignore"):  # an infinite gap is a gap
        gap = np.abs(scores[ends[0]] - scores[ends[1]])
    ends = ends[:, gap > LEAST_GAP * _spread(ranking.scores)]
    if not ends.size:
        return matrices
    order = np.argsort(-scores, kind="stable")
    place = np.empty(n + e, dtype=np.intp)
    place[order] = np.arange(n + e)
    high, low = np.sort(place[ends], axis=0)

    terms = matrices.scores.terms
    edited = term_scores(terms, TextIndex(edits.texts, index.analyzer, index), simple_rankers)
    values = np.concatenate([matrices.scores.values, edited.values], axis=2)[:, :, order]
    listed = matrices.pairs
    weight = np.ones(len(listed)) if listed.weight is None else listed.weight
    extra = np.full(len(high), weight.sum() * share / (1 - share) / len(high))
    pairs = Pairs(
        np.concatenate([place[listed.high], high]),
        np.concatenate([place[listed.low], low]),
        np.concatenate([weight, extra]),
    )
    scores_of_terms = TermScores(values, terms, matrices.scores.rankers)
    return PreferenceMatrices(scores_of_terms, pairs, matrices.scale, matrices.margin)


def _spread(scores: Floats) -> float:
    """Standard deviation of scores; those that stand for "never" or "always" are left aside.

    Beside one of them all other differences would look like nothing.
    """
    usual = scores[np.abs(scores) <= SENTINEL]
    usual = usual if len(usual) else scores
    unit = unit_of(usual)
    return float(np.std(usual / unit) * unit)
