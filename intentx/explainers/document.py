"""`DocumentExplanation`: the signed words that explain one document, and what is known about them."""

from __future__ import annotations

import html
import math
import operator
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from intentx.errors import InputError
from intentx.evaluation.fidelity import Fidelity, fidelity, none_for_nan
from intentx.evaluation.measures import Measure, Measured, measures_in
from intentx.explainers.explanation import IntentExplanation
from intentx.explainers.intent import given_terms
from intentx.explainers.plain import (
    json_text,
    number,
    numbers,
    parts_of,
    printed,
    ranking_of,
    spent,
    strings,
    table,
)
from intentx.explainers.signed import signed, two_sided
from intentx.files import json_object
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.signs import visible
from intentx.text import Analyzer

if TYPE_CHECKING:
    from rich.console import Group

    from intentx.preferences.simple_rankers import SimpleRankers
    from intentx.preferences.vectors import TermVectors

__all__ = ["DocumentExplanation", "Word"]

INTENT_TERMS = 10  # of a document's words that stand for a whole ranking
SHOWN = 20  # rows of the text table
BAR = 12  # characters of a bar to either side
NAMED = 20  # words that the ranker never read


class Word(NamedTuple):
    """One occurrence of a term: ``text[start:end]`` of the document, and its weight."""

    term: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, eq=False)
class DocumentExplanation(Measured):
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
    figures
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
    """

    method: str
    ranking: Ranking
    position: int
    above: int | None
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    words: tuple[Word, ...] = field(repr=False)
    figures: Mapping[str, float] = field(repr=False)
    unseen: tuple[str, ...] = field(repr=False)
    analyzer: Analyzer = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    model_calls: int
    seconds: Mapping[str, float] = field(repr=False)
    notes: tuple[str, ...] = ()
    intent_analyzer: Analyzer | None = field(default=None, repr=False)
    cautions: tuple[str, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)

    FORMAT: ClassVar[str] = "intentx.document/1"

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{t} {w:+.3g}" for t, w in zip(self.terms[:8], self.weights[:8], strict=True) if w
        )
        more = ", …" if len(self.terms) > 8 else ""
        rest = f"; the rest {self.rest:+.3g}" if self.rest and not math.isnan(self.rest) else ""
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
        signs, and of a document without words. The figure ``"rest"``.
        """
        return float(self.figures.get("rest", math.nan))

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
            "figures": {key: none_for_nan(float(value)) for key, value in self.figures.items()},
            "ranking": self.ranking.to_dict(),
            "fidelity": None if self.fidelity is None else self.fidelity.to_dict(),
            "settings": dict(self.settings),
            "model_calls": self.model_calls,
            "seconds": dict(self.seconds),
            "notes": list(self.notes),
            "cautions": list(self.cautions),
            "analyzer": self.analyzer.to_dict(),
            "intent_analyzer": (self.intent_analyzer or self.analyzer).to_dict(),
            **self._measures_to_plain(),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON; the same for the same seed and versions, seconds aside."""
        return json_text(self.to_dict(), indent)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the ranker does not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of(cls.__name__, plain, cls.FORMAT):
            return cls(**cls._parts(plain))

    @classmethod
    def _parts(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the constructor from plain data."""
        ranking, above = ranking_of(plain), plain["above"]
        terms, weights = strings(plain, "terms"), numbers(plain, "weights")
        if len(terms) != len(weights):
            raise InputError(f"{len(terms)} terms have {len(weights)} weights")
        if not isinstance(plain["doc_id"], str) or not isinstance(above, str | None):
            raise InputError(f"doc_id and above must be ids, not {plain['doc_id']!r} and {above!r}")
        figures = {k: np.nan if v is None else v for k, v in table(plain, "figures").items()}
        return {
            "method": str(plain["method"]),
            "ranking": ranking,
            "position": ranking.position(plain["doc_id"]),
            "above": None if above is None else ranking.position(above),
            "terms": terms,
            "weights": weights,
            "words": tuple(map(_word, plain["words"])),
            "figures": {name: float(figure) for name, figure in figures.items()},
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

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls.from_dict(json_object(text))

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        title = Text(visible(f"{self.method} for {self._subject()}"), style="italic")
        table = Table()
        table.add_column("word", overflow="fold", min_width=10)
        table.add_column("weight", justify="right", no_wrap=True)
        table.add_column(two_sided("against", "for", " ", width=BAR), no_wrap=True, overflow="crop")
        times = Counter(word.term for word in self.words)
        if self.above is None:
            there: Counter[str] | None = None
        else:
            text = self.ranking.texts[self.above]
            there = Counter(token.term for token in self.analyzer.tokens(text))
        table.add_column("times", justify="right", no_wrap=True)
        largest = max(map(abs, self.weights), default=0.0)
        for term, weight in list(zip(self.terms, self.weights, strict=True))[:SHOWN]:
            length = round(2 * BAR * (abs(weight) / largest)) if largest else 0  # in half blocks
            whole, half = divmod(length, 2)
            sides = ("▐" * half + "█" * whole, "") if weight < 0 else ("", "█" * whole + "▌" * half)
            number = str(times[term] or "–")
            if there is not None:
                number += f" / {there[term] or '–'}"
            table.add_row(
                Text(visible(term)), signed(weight, largest), two_sided(*sides, width=BAR), number
            )
        for name, weight in self._others():
            table.add_row(Text(name, style="italic"), signed(weight, max(largest, abs(weight))))
        first = [Text(visible(f"Caution: {caution}"), style="bold") for caution in self.cautions]
        closing = Text(visible(self._closing()), style="dim")
        return Group(*first, title, table, *self._rich_measures(), closing)

    def _others(self) -> list[tuple[str, float]]:
        """What no shown row carries: the words of smaller weight together, and the rest."""
        smaller = self.weights[SHOWN:]
        unit = unit_of(smaller)
        together = math.fsum(weight / unit for weight in smaller) * unit
        rows = [(f"{len(smaller)} smaller words", together)] if smaller else []
        return rows if math.isnan(self.rest) else [*rows, ("the rest: no word", self.rest)]

    def _closing(self) -> str:
        lines = []
        if self.above is not None:
            one, other = (self.ranking.doc_ids[i] for i in (self.position, self.above))
            lines.append(f"times in {one!r} / in {other!r}; – / 1: only in {other!r}")
        figures = {key: value for key, value in self.figures.items() if key != "rest"}
        if figures:
            shown = (f"{key.replace('_', ' ')} {value:.4g}" for key, value in figures.items())
            lines.append(", ".join(shown))
        if self.unseen:
            others = len(self.unseen) - NAMED
            more = f" and {others} more words" if others > 0 else ""
            lines.append(f"the ranker never read: {', '.join(self.unseen[:NAMED])}{more}")
        versions = "1 version" if self.model_calls == 1 else f"{self.model_calls} versions"
        lines.append(
            f"{versions} scored by the ranker; {self.seconds['total']:.2f} s, "
            f"{self.seconds['model']:.2f} s of them the ranker's"
        )
        return "\n".join([*lines, *(note for note in self.notes if note not in self.cautions)])

    def text(self, width: int = 100) -> str:
        """The words with their weights as a table of plain text."""
        return printed(self, width)

    def _repr_html_(self) -> str:
        largest = max((abs(word.weight) for word in self.words), default=0.0) or 1.0
        parts, done = [], 0
        for word in self.words:
            colour = "47,127,214" if word.weight > 0 else "224,107,18"
            parts += [
                html.escape(self.document[done : word.start]),
                f'<span style="background:rgba({colour},{abs(word.weight) / largest:.2f})" '
                f'title="{word.weight:+.4g}">{html.escape(self.document[word.start : word.end])}</span>',
            ]
            done = word.end
        text = "".join([*parts, html.escape(self.document[done:])])
        first = "".join(f"<p><b>Caution:</b> {html.escape(one)}</p>" for one in self.cautions)
        rest = (
            "" if math.isnan(self.rest) else f"<p>the rest, which no word carries: {self.rest:+.4g}</p>"
        )
        about = f"<p><b>{html.escape(self.method)}</b> for {html.escape(self._subject())}</p>"
        return f"{first}{about}<p>{text}</p>{rest}{self._html_measures()}"


def _word(plain: Mapping[str, Any]) -> Word:
    """A word as plain data has it."""
    word = Word(**plain)
    if not isinstance(word.term, str):
        raise InputError(f"the term of a word must be a string, not {word.term!r}")
    for name in ("start", "end", "weight"):
        number(plain, name)
    return Word(word.term, operator.index(word.start), operator.index(word.end), word.weight)
