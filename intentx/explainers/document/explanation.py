"""`DocumentExplanation`: the signed words that explain one document, and what is known about them."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from intentx.errors import InputError, ScorerError
from intentx.evaluation.base import Measure, none_for_nan
from intentx.evaluation.fidelity import Fidelity, fidelity
from intentx.evaluation.measures import measures_in
from intentx.explainers.base import Explanation
from intentx.explainers.document.shown import document_html, document_tables
from intentx.explainers.document.verdict import DocumentVerdict, document_verdict
from intentx.explainers.document.weighed import Word
from intentx.explainers.plain import (
    number,
    numbers,
    parts_of,
    ranking_of,
    spent,
    strings,
    table,
)
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.given import given_terms
from intentx.ranking import Ranking
from intentx.text import Analyzer

if TYPE_CHECKING:
    from rich.console import Group

    from intentx.preferences.simple_rankers import SimpleRankers
    from intentx.preferences.vectors import TermVectors

__all__ = ["DocumentExplanation", "Word"]

INTENT_TERMS = 10  # of a document's words that stand for a whole ranking


@dataclass(frozen=True, eq=False)
class DocumentExplanation(Explanation):
    """Signed words of one document: what speaks for its place, and what against.

    Attributes
    ----------
    method
        Name of the method that weighed the words.
    ranking
        The ranking that the document is in.
    position
        The document's 0-based position there.
    above
        Position of the document that it was compared with; None when it was explained by itself.
    terms
        Every term of the document that the ranker reads (of both documents, where two are
        compared), those with the largest absolute weight first.
    weights
        Weight of each term: above 0, it speaks for the document. What its unit is, the method says.
    words
        Every occurrence in the document, in the order of the text, with character spans in
        ``ranking.texts[position]``. Methods that look inside the model give each occurrence a weight
        of its own, and a term has their sum; methods that take words away take all occurrences
        at once, and each of them shows the weight of the term.
    metrics
        Numbers of the method, such as the ``"score"`` of the document, how well a surrogate
        fits, or by how much attributions miss the difference they should add up to.
    unseen
        Terms that the ranker never read, since it cuts the document off; they have no weight.
    analyzer, settings
        What turned the text into terms; the settings of the method, as plain data.
    intent_analyzer
        What leaves stopwords out where the words stand for an intent; None: ``analyzer``.
    model_calls
        Different texts that the method has the ranker score besides the documents of the ranking, and
        versions of embeddings it is run on. Answers from memory or from a file count like others: the
        number is the same whatever was asked before.
    seconds
        The ``"total"``, and the ``"model"``'s part of it.
    notes
        What a reader should know, e.g. that all labels were equal.
    cautions
        Those of the notes that come first wherever the explanation is shown: by how much it misses
        what it should account for.
    measures
        What was measured of it, as `with_measures` keeps it.
    scored
        What the ranker was asked for, as `intentx.asked.mark_of_text` has it; empty after a round trip
        through JSON.
    """

    method: str
    ranking: Ranking
    position: int
    above: int | None
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    words: tuple[Word, ...] = field(repr=False)
    metrics: Mapping[str, float] = field(repr=False)
    unseen: tuple[str, ...] = field(repr=False)
    analyzer: Analyzer = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    model_calls: int
    seconds: Mapping[str, float] = field(repr=False)
    notes: tuple[str, ...] = ()
    intent_analyzer: Analyzer | None = field(default=None, repr=False)
    cautions: tuple[str, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)
    scored: frozenset[bytes] = field(default=frozenset(), repr=False)

    FORMAT: ClassVar[str] = "intentx.document/2"

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{t} {w:+.3g}" for t, w in zip(self.terms[:8], self.weights[:8], strict=True) if w
        )
        more = ", …" if len(self.terms) > 8 else ""
        left = self.wordless
        rest = f"; the rest {left:+.3g}" if left and not math.isnan(left) else ""
        first = f"CAUTION, {'; '.join(self.cautions)} | " if self.cautions else ""
        words = f"{shown or 'no word matters'}{more}{rest}"
        return f"<{first}{self.method} for {self._subject()}: {words}>"

    def _subject(self) -> str:
        name = f"{self.ranking.doc_ids[self.position]!r} (rank {self.position + 1})"
        if self.above is not None:
            name += f" above {self.ranking.doc_ids[self.above]!r} (rank {self.above + 1})"
        return f"{name} of {self.ranking.query!r}"

    @property
    def document(self) -> str:
        """The text that is explained."""
        return self.ranking.texts[self.position]

    @property
    def rest(self) -> float:
        """What no word carries, in the unit of the weights; NaN where it is not known.

        Of a method whose weights add up to a score, the other part of it: what the ranker makes of
        signs, and of a document without words. The metric ``"rest"``.
        """
        return self.wordless

    @property
    def wordless(self) -> float:
        """What no word carries, as tables and pages show it beside the words; mostly the `rest`."""
        return float(self.metrics.get("rest", math.nan))

    @cached_property
    def content_terms(self) -> tuple[str, ...]:
        """The `terms` that can stand for an intent: those that are no stopwords."""
        if self.intent_analyzer in (None, self.analyzer):
            return self.terms
        explained = (self.position,) if self.above is None else (self.position, self.above)
        texts = [self.ranking.texts[position] for position in explained]
        content = {term for text in texts for term in self.intent_analyzer.terms(text)}
        return tuple(term for term in self.terms if term in content)

    @property
    def intent_terms(self) -> tuple[str, ...]:
        """The ten terms that speak most for the document: an expanded query for `ix.fidelity`.

        Stopwords are none of them.
        """
        return self._for(INTENT_TERMS)

    def _for(self, number: int) -> tuple[str, ...]:
        weight_of = dict(zip(self.terms, self.weights, strict=True))
        return tuple(term for term in self.content_terms if weight_of[term] > 0)[:number]

    @property
    def verdict(self) -> DocumentVerdict | None:
        """How far the weights can be believed: worked out when it is first asked for, and kept.

        That asks the ranker for some more texts (`document_verdict`). None where it cannot be told,
        and then `unjudged` says why.
        """
        return self._judged[0]

    @property
    def unjudged(self) -> str:
        """Why there is no `verdict`: a recorded ranking, no word, a ranker that failed; or ""."""
        return self._judged[1]

    @cached_property
    def _judged(self) -> tuple[DocumentVerdict | None, str]:
        try:
            return document_verdict(self), ""
        except (InputError, ScorerError) as error:  # what is shown without it is right all the same
            return None, str(error)

    @cached_property
    def fidelity(self) -> Fidelity | None:
        """How far the `intent_terms` reproduce the whole ranking, by the default simple rankers.

        None where that cannot be said: no word speaks for the document, or the ranking has no
        preference pair.
        """
        try:
            return fidelity(self) if self.intent_terms else None
        except InputError:
            return None

    def as_intent(
        self,
        max_terms: int = INTENT_TERMS,
        *,
        simple_rankers: SimpleRankers | None = None,
        vectors: TermVectors | None = None,
    ) -> IntentExplanation:
        """The terms that speak most for the document as intent terms of the whole ranking.

        Parameters
        ----------
        max_terms
            Most terms.
        simple_rankers, vectors
            As in `intentx.Multiplex`.

        Raises
        ------
        InputError
            If no word speaks for the document, or the ranking has no preference pair.
        """
        terms = self._for(max_terms)
        if not terms:
            raise InputError(f"no word speaks for {self._subject()}, so none can stand for an intent")
        return given_terms(
            self.ranking,
            self.method,
            terms,
            simple_rankers=simple_rankers,
            vectors=vectors,
            analyzer=self.intent_analyzer or self.analyzer,
            settings=self.settings,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``; NaN becomes None."""
        return {
            "format": self.FORMAT,
            "method": self.method,
            "query": self.ranking.query,
            "doc_id": self.ranking.doc_ids[self.position],
            "above": None if self.above is None else self.ranking.doc_ids[self.above],
            "terms": list(self.terms),
            "weights": list(self.weights),
            "words": [word._asdict() for word in self.words],
            "rest": none_for_nan(self.rest),
            "unseen": list(self.unseen),
            "metrics": {key: none_for_nan(float(value)) for key, value in self.metrics.items()},
            "ranking": self.ranking.to_dict(),
            "fidelity": None if self.fidelity is None else self.fidelity.to_dict(),
            "settings": dict(self.settings),
            "model_calls": self.model_calls,
            "seconds": dict(self.seconds),
            "notes": list(self.notes),
            "cautions": list(self.cautions),
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "unjudged": self.unjudged,
            "analyzer": self.analyzer.to_dict(),
            "intent_analyzer": (self.intent_analyzer or self.analyzer).to_dict(),
            **self._measures_to_plain(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the ranker does not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of(cls.__name__, plain, cls.FORMAT) as plain:
            found = cls(**cls._parts(plain))
            judged = plain.get("verdict") and DocumentVerdict.from_dict(table(plain, "verdict"))
            why = "" if judged else str(plain.get("unjudged", "it was saved without a verdict"))
            found.__dict__["_judged"] = judged or None, why
            return found

    @classmethod
    def _parts(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the constructor from plain data."""
        ranking, above = ranking_of(plain), plain["above"]
        terms, weights = strings(plain, "terms"), numbers(plain, "weights")
        if len(terms) != len(weights):
            raise InputError(f"{len(terms)} terms have {len(weights)} weights")
        if not isinstance(plain["doc_id"], str) or not isinstance(above, str | None):
            raise InputError(f"doc_id and above must be ids, not {plain['doc_id']!r} and {above!r}")
        metrics = {k: np.nan if v is None else v for k, v in table(plain, "metrics").items()}
        return {
            "method": str(plain["method"]),
            "ranking": ranking,
            "position": ranking.position(plain["doc_id"]),
            "above": None if above is None else ranking.position(above),
            "terms": terms,
            "weights": weights,
            "words": tuple(map(_word, plain["words"])),
            "metrics": {name: float(metric) for name, metric in metrics.items()},
            "unseen": strings(plain, "unseen"),
            "analyzer": Analyzer.from_dict(plain["analyzer"]),
            "intent_analyzer": Analyzer.from_dict(plain.get("intent_analyzer") or plain["analyzer"]),
            "settings": table(plain, "settings"),
            "model_calls": number(plain, "model_calls"),
            "seconds": spent(plain),
            "notes": strings(plain, "notes"),
            "cautions": strings({"cautions": (), **plain}, "cautions"),
            "measures": measures_in(plain),
        }

    def _columns(self) -> dict[str, Sequence[Any]]:
        times = Counter(word.term for word in self.words)
        return {
            "term": self.terms,
            "weight": self.weights,
            "times": [times[term] for term in self.terms],
        }

    def __rich__(self) -> Group:
        return document_tables(self)

    def _repr_html_(self) -> str:
        return document_html(self)


def _word(plain: Mapping[str, Any]) -> Word:
    """A word as plain data has it."""
    word = Word(**plain)
    if not isinstance(word.term, str):
        raise InputError(f"the term of a word must be a string, not {word.term!r}")
    for name in ("start", "end", "weight"):
        number(plain, name)
    return Word(word.term, operator.index(word.start), operator.index(word.end), word.weight)
