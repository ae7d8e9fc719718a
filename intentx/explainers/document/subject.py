"""One document while it is explained: what the ranker reads of it, as words, and what it cost."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, ScorerError
from intentx.explainers.document.explanation import DocumentExplanation, Word
from intentx.perturbation import (
    LONGEST_EDITED,
    MOST_WORDS,
    EditedDocuments,
    Removal,
    check_edits,
    keep_units,
    removal_for,
    score_edits,
    within_limit,
)
from intentx.ranking import Ranking
from intentx.text import Analyzer, Token, warn_about

__all__ = ["OF_LARGEST", "Subject", "as_used", "every_word"]

Floats = npt.NDArray[np.float64]

# What is smaller is rounding, and no weight: 1e-14 beside weights of 1, or beside scores of 100.
OF_LARGEST = 1e-12
OF_SCORE = 16 * float(np.finfo(np.float64).eps)


def every_word(analyzer: Analyzer) -> Analyzer:
    """An analyzer that reads as this one does, and leaves no word out.

    What a document says can depend on any of its words: *without* is one of them.

    >>> every_word(Analyzer()).terms("A phone without a camera")
    ('a', 'phone', 'without', 'camera')
    """
    return dataclasses.replace(analyzer, stopwords=frozenset())


class Subject:
    """One document being explained: what the ranker reads of it, as words, and what it cost.

    Attributes
    ----------
    ranking, position
        The ranking and the document's place in it.
    text
        The document as far as the ranker reads it; its score is the document's.
    start
        Where ``text`` begins in the document: 0 but for rankers that cut a text off at its beginning.
    tokens
        Occurrences of terms in ``text``.
    terms
        T distinct terms in the order of first appearance.
    unseen
        Terms of the document that the ranker never reads.
    notes
        What a reader should know; methods add to it.
    cautions
        What a reader must know before anything else.

    Parameters
    ----------
    analyzer
        What reads the document: of most methods `every_word` of their own.
    intent_analyzer
        What says which of its terms may be an intent.
    edited
        Whether many versions of ``text`` are made: it then is no longer than
        `intentx.perturbation.within_limit`, and what lies behind is explained by no word.
    """

    def __init__(
        self,
        method: str,
        ranking: Ranking,
        position: int,
        analyzer: Analyzer,
        intent_analyzer: Analyzer | None = None,
        *,
        edited: bool = False,
    ) -> None:
        if analyzer.ngrams > 1:
            raise InputError(
                f"{method} explains a document by single words; use an Analyzer with ngrams=1, "
                f"not {analyzer.ngrams}"
            )
        warn_about(ranking.doc_ids, ranking.texts, analyzer, ranking.told)
        self.method, self.ranking, self.position, self.analyzer = method, ranking, position, analyzer
        self.intent_analyzer = intent_analyzer or analyzer
        self.notes: list[str] = []
        self.cautions: list[str] = []
        self._started = time.perf_counter()
        box = ranking.scorer
        self.notes += box.doubts.values() if box else ()
        ranking.check_scorer()
        whole = ranking.texts[position]
        read = self._read(whole)
        self.text, self.cut = within_limit(read, analyzer) if edited else (read, False)
        self.start = max(0, whole.find(self.text))
        self.tokens: tuple[Token, ...] = analyzer.tokens(self.text)
        self.terms = tuple(dict.fromkeys(token.term for token in self.tokens))
        if self.cut:
            self.notes.append(
                f"document {ranking.doc_ids[position]!r} has {len(read):,} characters, and edited "
                f"versions are limited to {LONGEST_EDITED:,} characters or {MOST_WORDS:,} words: only "
                f"the first {len(self.text):,} characters are explained, as a document of their own; "
                "the effect of the others is part of the rest"
            )
        reader = every_word(analyzer)
        seen = set(analyzer.terms(read)) if read != whole or reader != analyzer else None
        self.unseen = () if seen is None else tuple(t for t in reader.terms(whole) if t not in seen)

    def _read(self, whole: str) -> str:
        """The document as far as it is read, where the ranker tells."""
        (text,), unknown = self.ranking.can.read(self.ranking.query, [whole])
        if unknown:
            self.notes.append(f"whether the ranker reads the document to its end is unknown: {unknown}")
        return text

    @property
    def doc_id(self) -> str:
        """The document's id."""
        return self.ranking.doc_ids[self.position]

    @property
    def score(self) -> float:
        """The ranker's score of the document."""
        return float(self.ranking.scores[self.position])

    @cached_property
    def units(self) -> list[list[tuple[int, int]]]:
        """T lists of the character spans of each term in ``text``."""
        spans: dict[str, list[tuple[int, int]]] = {term: [] for term in self.terms}
        for token in self.tokens:
            spans[token.term].append((token.start, token.end))
        return list(spans.values())

    def score_texts(self, texts: Sequence[str]) -> Floats:
        """(S,) scores of texts in the place of the document, as by `score_edits`."""
        return score_edits(self.ranking, self._edits(texts), self._purpose)

    @property
    def _purpose(self) -> str:
        return f"an explanation by {self.method}"

    def _edits(self, texts: Sequence[str]) -> EditedDocuments:
        return EditedDocuments(tuple(texts), np.full(len(texts), self.position, dtype=np.intp))

    def score_kept(
        self, kept: npt.NDArray[np.bool_], how: Removal = "delete", mask: str | None = None
    ) -> Floats:
        """(S,) scores of the document with only those terms left that ``kept`` (S, T) says."""
        return self.score_texts(self._kept(kept, how, mask))

    def check_kept(
        self,
        several: Sequence[tuple[Subject, npt.NDArray[np.bool_]]],
        how: Removal = "delete",
        mask: str | None = None,
    ) -> None:
        """Refuse what `score_kept` of several documents would take, if the ranker does not allow it."""
        edits = [one._edits(one._kept(kept, how, mask)) for one, kept in several]
        check_edits(self.ranking, edits, self._purpose)

    def _kept(self, kept: npt.NDArray[np.bool_], how: Removal, mask: str | None) -> Sequence[str]:
        how, mask = removal_for(self.ranking, how, mask)
        return keep_units(self.text, self.units, kept, how=how, mask=mask)

    @contextlib.contextmanager
    def looking_inside(self, versions: int) -> Iterator[None]:
        """Around each pass through the model itself, of so many versions: they are counted and timed."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.ranking.black_box(self.method).spent(time.perf_counter() - started, versions)

    def joined(self, other: Subject) -> None:
        """Take over what was noted of the document that this one is compared with."""
        self.cautions += [one for one in other.cautions if one not in self.cautions]
        self.notes += [one for one in other.notes if one not in self.notes]

    def explanation(
        self,
        weights: Mapping[str, float],
        *,
        settings: Mapping[str, Any],
        metrics: Mapping[str, float],
        occurrences: Sequence[float] | None = None,
        above: int | None = None,
        unit: float | None = None,
        kind: type[DocumentExplanation] = DocumentExplanation,
        **more: Any,
    ) -> DocumentExplanation:
        """What was found, as an explanation; what it cost, `DocumentMethod.explain` knows.

        Parameters
        ----------
        weights
            Of every term, in an order that breaks ties. What is rounding, beside the largest of them
            or ``unit``, becomes 0.
        metrics
            With ``"rest"``, what no word carries.
        occurrences
            Weight of each of `tokens`; None: that of its term.
        unit
            The size of what the weights are made from; None: the document's score.
        kind, more
            A class of explanation with more attributes than others, and those.

        Raises
        ------
        ScorerError
            If a weight or the rest is larger than any number.
        """
        self.check_finite(weights.values(), metrics.values())
        found = [*weights.values(), *(() if occurrences is None else occurrences)]
        least = max(
            OF_LARGEST * max(map(abs, found), default=0.0),
            OF_SCORE * (abs(self.score) if unit is None else unit),
        )
        weights = {term: weight if abs(weight) > least else 0.0 for term, weight in weights.items()}
        terms = sorted(weights, key=lambda term: -abs(weights[term]))
        if occurrences is None:
            occurrences = [weights[token.term] for token in self.tokens]
        occurrences = [weight if abs(weight) > least else 0.0 for weight in occurrences]
        words = tuple(
            Word(token.term, self.start + token.start, self.start + token.end, float(weight))
            for token, weight in zip(self.tokens, occurrences, strict=True)
        )
        if not terms:
            self.notes.append("the document has no word that could be explained")
        return kind(
            method=self.method,
            ranking=self.ranking,
            position=self.position,
            above=above,
            terms=tuple(terms),
            weights=tuple(float(weights[term]) for term in terms),
            words=words,
            metrics=self._metrics(metrics, above),
            unseen=self.unseen,
            analyzer=self.analyzer,
            intent_analyzer=self.intent_analyzer,
            settings=as_used(settings, self.ranking),
            model_calls=0,
            seconds={"model": 0.0, "total": time.perf_counter() - self._started},
            notes=(*self.cautions, *self.notes),
            cautions=tuple(self.cautions),
            **more,
        )

    def _metrics(self, metrics: Mapping[str, float], above: int | None) -> dict[str, float]:
        """Numbers of the method; beside a raw score, what the ranker makes of it."""
        shown = {"score": self.ranking.activation(self.position)}
        if above is not None:
            other = self.ranking.activation(above)
            shown["other_score"] = {f"other_{name}": value for name, value in other.items()}
        found: dict[str, float] = {}
        for key, value in metrics.items():
            found[key] = float(value)
            found |= shown.get(key, {})
        return found

    def check_finite(self, weights: Iterable[float], metrics: Iterable[float] = ()) -> None:
        """Refuse weights that are no finite numbers, and metrics that are infinite.

        A sum or a difference of scores has made them so.
        """
        if np.isfinite([*weights]).all() and not np.isinf([*metrics]).any():
            return
        name = self.ranking.doc_ids[self.position]
        raise ScorerError(
            f"the scores of versions of document {name!r} are too far apart for {self.method}: a "
            "difference of two overflows; limit their range, for instance by a "
            "floor: max(score, -1e6)",
            self.ranking.query,
            [self.text],
        )


def as_used(settings: Mapping[str, Any], ranking: Ranking) -> dict[str, Any]:
    """Settings with the mask that was really written in the place of words, or None."""
    if "removal" not in settings:
        return dict(settings)
    return {**settings, "mask": removal_for(ranking, settings["removal"], settings["mask"])[1]}
