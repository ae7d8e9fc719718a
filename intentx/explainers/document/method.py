"""What methods have in common that explain one document by signed words."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, overload

import numpy as np
import numpy.typing as npt

from intentx.asked import asking
from intentx.call_limits import cost_note
from intentx.checks import Seed, Size
from intentx.errors import InputError
from intentx.evaluation.stage_places import stage_places
from intentx.explainers.base import Explainer, Question
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.pair import AskedPair, asked_pair
from intentx.explainers.document.subject import OF_LARGEST, Subject, as_used, every_word
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.given import given_terms
from intentx.preferences.simple_rankers import SimpleRankers, checked_simple_rankers
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["DocumentMethod"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DocumentMethod(Explainer[DocumentExplanation | IntentExplanation]):
    """A method that explains one document, and by several documents a whole ranking.

    Parameters
    ----------
    max_terms
        Most intent terms of a whole ranking.
    documents
        How many documents from the top of a ranking its intent is gathered from.
    simple_rankers, vectors
        What judges the intent terms, as in `intentx.Multiplex`.
    analyzer
        How texts become words; single ones, ``ngrams=1``. Its stopwords are never intent terms; of a
        document every word is explained, whatever they are.
    seed
        For every random draw.
    """

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document")

    max_terms: Size = 10
    documents: Size = 10
    simple_rankers: SimpleRankers | None = None
    vectors: TermVectors | None = None
    analyzer: Analyzer = field(default_factory=Analyzer)
    seed: Seed = 0

    edits: ClassVar[bool] = False  # whether it asks for many versions of a document

    def _check(self) -> None:
        checked_simple_rankers(self.simple_rankers, self.vectors)

    @overload
    def explain(self, ranking: Ranking) -> IntentExplanation: ...
    @overload
    def explain(
        self, ranking: Ranking, doc: str | int, *, above: str | int | None = None
    ) -> DocumentExplanation: ...
    @overload
    def explain(
        self, ranking: Ranking, doc: str | int | None = None, *, above: str | int | None = None
    ) -> DocumentExplanation | IntentExplanation: ...
    def explain(
        self, ranking: Ranking, doc: str | int | None = None, *, above: str | int | None = None
    ) -> DocumentExplanation | IntentExplanation:
        """Explain one document by its words; without ``doc``, the whole ranking by intent terms.

        Parameters
        ----------
        doc
            Its id, or its 0-based position in the ranking.
        above
            A document to compare it with, for methods that can: why is ``doc`` above it?

        Raises
        ------
        InputError
            If there is no such document, the method cannot compare two, or the ranking is a recorded
            one, without a ranker to ask.
        ScorerError
            If the ranker fails on a version of the document.
        """
        return super().explain(ranking, doc, above=above)

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> DocumentExplanation | IntentExplanation:
        with asking(ranking.scorer) as asked:
            if doc is None:
                found: DocumentExplanation | IntentExplanation = self._intent(ranking)
            elif above is not None and ranking.can.preference is not None:
                pair = asked_pair(ranking, doc, above)
                ranking = pair.ranking
                found = self._of_pair(pair)
            else:
                found = self._explained(ranking, doc, above)
        calls = asked.besides(ranking.query, ranking.texts)
        seconds = {**found.seconds, "model": asked.seconds}
        notes = (*found.notes, *cost_note(ranking, asked), *ranking.can.remarks)
        if isinstance(found, IntentExplanation):
            return dataclasses.replace(found, model_calls=calls, seconds=seconds, notes=notes)
        found = dataclasses.replace(
            found, model_calls=calls, seconds=seconds, notes=notes, scored=asked.marks
        )
        stages = stage_places(ranking, found.position, found.above)
        return found if stages is None else found.with_measures(stages)

    def _explained(
        self, ranking: Ranking, doc: str | int, above: str | int | None
    ) -> DocumentExplanation:
        """One document by its words."""
        if above is None:
            return self._weigh(self._subject(ranking, doc), None)
        subject, other = self._subject(ranking, doc), self._subject(ranking, above)
        if subject.position == other.position:
            raise InputError(f"document {ranking.doc_ids[other.position]!r} cannot be above itself")
        subject.notes += [note for note in other.notes if note not in subject.notes]
        return self._weigh(subject, other)

    def _of_pair(self, pair: AskedPair) -> DocumentExplanation:
        """The words of a document beside another one, of a ranker that is asked about the pair."""
        found = self._explained(pair.ranking, pair.doc, pair.above)
        metrics = {**found.metrics, "preference": pair.preference}
        return dataclasses.replace(found, metrics=metrics, notes=(pair.note, *found.notes))

    @abstractmethod
    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        """The weights of a document's words, where it is compared with another those that matter."""

    def _subject(self, ranking: Ranking, doc: str | int) -> Subject:
        ranking.black_box(f"an explanation by {self.name}")
        return Subject(
            self.name,
            ranking,
            ranking.position(doc),
            every_word(self.analyzer),
            self.analyzer,
            edited=self.edits,
        )

    def _intent(self, ranking: Ranking) -> IntentExplanation:
        """Intent terms: words that speak for the first documents, the first ones most.

        A word weighs what it does in each of the documents, over the largest weight there, and
        document i from 0 counts ``1 / log2(i + 2)``. Stopwords are no intent terms.
        """
        totals: dict[str, float] = {}
        explained = ranking.doc_ids[: self.documents]
        limit = getattr(self, "seconds", None)  # of all documents together
        one_by_one = (
            self if limit is None else dataclasses.replace(self, **{"seconds": limit / len(explained)})
        )
        found = [one_by_one.explain(ranking, doc) for doc in explained]
        for place, one in enumerate(found):
            largest = max(map(abs, one.weights), default=0.0)
            weights = dict(zip(one.terms, one.weights, strict=True))
            for term in one.content_terms:
                share = weights[term] / largest / math.log2(place + 2) if largest else 0.0
                totals[term] = totals.get(term, 0.0) + share
        # Shares of what the first document counts, 1, so that less than this is rounding.
        best = sorted((t for t in totals if totals[t] > OF_LARGEST), key=lambda term: -totals[term])
        if not best:
            raise InputError(
                f"{self.name} finds no word that speaks for any of the first {len(found)} documents of "
                f"{ranking.query!r}"
            )
        explanation = given_terms(
            ranking,
            self.name,
            tuple(best[: self.max_terms]),
            simple_rankers=self.simple_rankers,
            vectors=self.vectors,
            analyzer=self.analyzer,
            seed=self.seed,
        )
        spent = sum(one.seconds["total"] for one in found)
        return dataclasses.replace(
            explanation,
            settings=as_used(self.settings(), ranking),
            seconds={**explanation.seconds, "total": spent + explanation.seconds["total"]},
            notes=(
                *(cautions := dict.fromkeys(note for one in found for note in one.cautions)),
                *explanation.notes,
                *dict.fromkeys(n for one in found for n in one.notes if n not in cautions),
            ),
            cautions=tuple(cautions),
        )
