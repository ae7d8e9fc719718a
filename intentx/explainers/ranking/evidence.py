"""What the ranker says of terms when it is asked: evidence beyond the ranked list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.explainers.ranking.effects import ask
from intentx.explainers.ranking.measured import term_effects
from intentx.explainers.ranking.term_effect import TermEffect, not_asked
from intentx.perturbation import EditedDocuments
from intentx.preferences import PreferenceMatrices
from intentx.preferences.edited import with_edited_documents, with_effects
from intentx.preferences.simple_rankers import SimpleRanker
from intentx.ranking import Ranking
from intentx.text import TextIndex

__all__ = ["Evidence", "evidence_of"]

MATERIAL = 0.1  # of the smallest effect that is no chance: what is expected of others, at least
EXPECTED = 0.25  # of an effect that could be chance; 1,600 texts find .1 to .27 of it (MiniLM, BERT)
FIRST = 10  # documents that terms should matter to


class Evidence(NamedTuple):
    """Edited documents of a ranking, their (E,) scores, and what they say of each term.

    The default is that of a ranker that was not asked.
    """

    edits: EditedDocuments = EditedDocuments((), np.zeros(0, dtype=np.intp))
    scores: npt.NDArray[np.float64] = np.zeros(0)
    effects: tuple[TermEffect, ...] = ()

    def of(self, terms: Sequence[str]) -> tuple[TermEffect, ...]:
        """What is known of each of some terms."""
        known = {one.term: one for one in self.effects}
        return tuple(known.get(term) or not_asked(term) for term in terms)

    @property
    def unwanted(self) -> tuple[TermEffect, ...]:
        """Terms that the ranker avoids, the strongest first."""
        found = (one for one in self.effects if one.kind == "unwanted")
        return tuple(sorted(found, key=lambda one: one.effect))

    def wanted(self, terms: Sequence[str]) -> npt.NDArray[np.float64]:
        """(T,) effects of the terms that the ranker wants; 0 of others."""
        return np.array([one.effect if one.kind == "wanted" else 0.0 for one in self.of(terms)])

    def leaning(self, terms: Sequence[str]) -> npt.NDArray[np.float64]:
        """(T,) what to expect of effects above 0 that could be chance; 0 of other terms."""
        of_terms = self.of(terms)
        effects = np.array([one.effect if one.kind == "no effect" else 0.0 for one in of_terms])
        return np.asarray(EXPECTED * np.maximum(effects, 0.0))

    def largest(self, terms: Sequence[str], index: TextIndex, most: int) -> npt.NDArray[np.intp]:
        """Places of the terms that matter most to the first documents of ``index``: first of those that
        the ranker wants, of which there is one at least, then of others of which not far less is to be
        expected.
        """
        wanted = self.wanted(terms)
        expected = wanted + self.leaning(terms)
        matter = expected * _reach(terms, index)
        order = np.lexsort((-expected, -matter, wanted == 0))
        enough = expected >= MATERIAL * wanted[wanted > 0].min()
        counts = (wanted > 0) | (enough & (matter > 0))
        return np.asarray(order[counts[order]][:most])

    def joined(
        self,
        matrices: PreferenceMatrices,
        ranking: Ranking,
        index: TextIndex,
        simple_rankers: Sequence[SimpleRanker],
        *,
        edited: float,
        effects: float,
        seed: int,
    ) -> PreferenceMatrices:
        """``matrices`` with pairs that involve edited documents, and with effects.

        Parameters
        ----------
        edited, effects
            Shares of the weight that each of these has.
        """
        if len(self.edits) and edited:
            matrices = with_edited_documents(
                matrices, ranking, index, simple_rankers, self.edits, self.scores,
                share=edited, seed=seed,
            )  # fmt: skip
        terms = matrices.scores.terms
        wanted = self.wanted(terms)
        if 0 < effects < 1 and wanted.any():
            expected = wanted + self.leaning(terms) * _reach(terms, index)
            matrices = with_effects(matrices, expected, effects)
        return matrices


def _reach(terms: Sequence[str], index: TextIndex) -> npt.NDArray[np.float64]:
    """(T,) share of the first documents that hold a term, these weighed as by DCG."""
    weight = np.zeros(len(index.lengths))
    weight[:FIRST] = 1 / np.log2(np.arange(len(weight[:FIRST])) + 2)
    share: npt.NDArray[np.float64] = (index.counts_of(terms) > 0) @ (weight / weight.sum())
    return share


def evidence_of(
    ranking: Ranking,
    terms: Sequence[str],
    index: TextIndex,
    budget: int,
    seconds: float | None,
    seed: int,
    stability: float | None = None,
) -> Evidence:
    """Ask the ranker about terms; none where no document is short enough to be edited."""
    edits, scores = ask(ranking, terms, index, budget, seconds, seed, stability)
    if not len(edits):
        return Evidence()
    found = term_effects(ranking, terms, edits, scores, index, seed)
    return Evidence(edits.edits, scores, tuple(found))
