"""`DocumentExplanation`: the signed words that explain one document, and what is known about them."""

from __future__ import annotations

import html
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from intentx.errors import InputError
from intentx.evaluation.fidelity import Fidelity, fidelity, none_for_nan
from intentx.explainers.explanation import IntentExplanation
from intentx.explainers.intent import given_terms
from intentx.explainers.plain import json_object, printed
from intentx.ranking import Ranking
from intentx.text import Analyzer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group

    from intentx.preferences.simple_rankers import SimpleRanker
    from intentx.preferences.vectors import TermVectors

__all__ = ["DocumentExplanation", "Word", "signed"]

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
class DocumentExplanation:
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
    model_calls
        Texts that the ranker was asked to score, and versions of embeddings it was run on; answers
        from memory not counted.
    seconds
        The ``"total"``, and the ``"model"``'s part of it.
    notes
        What a reader should know, e.g. that all labels were equal.
    cautions
        Those of the notes that come first wherever the explanation is shown: by how much it misses
        what it should account for.
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
    cautions: tuple[str, ...] = ()

    FORMAT: ClassVar[str] = "intentx.document/1"

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{t} {w:+.3g}" for t, w in zip(self.terms[:8], self.weights[:8], strict=True) if w
        )
        more = ", …" if len(self.terms) > 8 else ""
        first = f"CAUTION, {'; '.join(self.cautions)} | " if self.cautions else ""
        return f"<{first}{self.method} for {self._subject()}: {shown or 'no word matters'}{more}>"

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
    def intent_terms(self) -> tuple[str, ...]:
        """The ten terms that speak most for the document: an expanded query for `ix.fidelity`."""
        return self._for(INTENT_TERMS)

    def _for(self, number: int) -> tuple[str, ...]:
        pairs = zip(self.terms, self.weights, strict=True)
        return tuple(term for term, weight in pairs if weight > 0)[:number]

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
        simple_rankers: Sequence[SimpleRanker] | None = None,
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
            analyzer=self.analyzer,
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
            "unseen": list(self.unseen),
            "figures": {key: none_for_nan(float(value)) for key, value in self.figures.items()},
            "ranking": {
                "doc_ids": list(self.ranking.doc_ids),
                "scores": self.ranking.scores.tolist(),
                "texts": list(self.ranking.texts),
            },
            "fidelity": None if self.fidelity is None else self.fidelity.to_dict(),
            "settings": dict(self.settings),
            "model_calls": self.model_calls,
            "seconds": dict(self.seconds),
            "notes": list(self.notes),
            "cautions": list(self.cautions),
            "analyzer": self.analyzer.to_dict(),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON; the same for the same seed and versions, seconds aside."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, allow_nan=False)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the ranker does not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        if plain.get("format") != cls.FORMAT:
            raise InputError(
                f"format is {plain.get('format')!r}, not {cls.FORMAT!r}: not a {cls.__name__}"
            )
        try:
            return cls(**cls._parts(plain))
        except KeyError as error:
            raise InputError(f"the explanation lacks {error}") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(f"the explanation is damaged: {error}") from error

    @classmethod
    def _parts(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the constructor from plain data."""
        listed = plain["ranking"]
        ranking = Ranking(
            plain["query"], tuple(listed["doc_ids"]), tuple(listed["texts"]), np.array(listed["scores"])
        )
        above = plain["above"]
        return {
            "method": plain["method"],
            "ranking": ranking,
            "position": ranking.position(plain["doc_id"]),
            "above": None if above is None else ranking.position(above),
            "terms": tuple(plain["terms"]),
            "weights": tuple(plain["weights"]),
            "words": tuple(Word(**word) for word in plain["words"]),
            "figures": {k: np.nan if v is None else v for k, v in plain["figures"].items()},
            "unseen": tuple(plain["unseen"]),
            "analyzer": Analyzer.from_dict(plain["analyzer"]),
            "settings": plain["settings"],
            "model_calls": plain["model_calls"],
            "seconds": plain["seconds"],
            "notes": tuple(plain["notes"]),
            "cautions": tuple(plain.get("cautions", ())),
        }

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls.from_dict(json_object(text))

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        title = Text(f"{self.method} for {self._subject()}", style="italic")
        table = Table()
        table.add_column("word", overflow="fold", min_width=10)
        table.add_column("weight", justify="right", no_wrap=True)
        table.add_column(_bar("against", "for", " "), no_wrap=True, overflow="crop")
        times = Counter(word.term for word in self.words)
        if self.above is None:
            there: Counter[str] | None = None
        else:
            text = self.ranking.texts[self.above]
            there = Counter(token.term for token in self.analyzer.tokens(text))
        table.add_column("times", justify="right", no_wrap=True)
        largest = max(map(abs, self.weights), default=0.0)
        for term, weight in list(zip(self.terms, self.weights, strict=True))[:SHOWN]:
            length = round(2 * BAR * abs(weight) / largest) if largest else 0  # in half blocks
            whole, half = divmod(length, 2)
            sides = ("▐" * half + "█" * whole, "") if weight < 0 else ("", "█" * whole + "▌" * half)
            number = str(times[term] or "–")
            if there is not None:
                number += f" / {there[term] or '–'}"
            table.add_row(Text(term), signed(weight, largest), _bar(*sides), number)
        first = [Text(f"Caution: {caution}", style="bold") for caution in self.cautions]
        return Group(*first, title, table, Text(self._closing(), style="dim"))

    def _closing(self) -> str:
        left = len(self.terms) - SHOWN
        lines = [f"… and {left} more words of smaller weight"] if left > 0 else []
        if self.above is not None:
            one, other = (self.ranking.doc_ids[i] for i in (self.position, self.above))
            lines.append(f"times in {one!r} / in {other!r}; – / 1: only in {other!r}")
        if self.figures:
            shown = (f"{key.replace('_', ' ')} {value:.4g}" for key, value in self.figures.items())
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
        about = f"<p><b>{html.escape(self.method)}</b> for {html.escape(self._subject())}</p>"
        return f"{first}{about}<p>{text}</p>"


def _bar(left: str, right: str, gap: str = "") -> str:
    """What stands to the left and to the right of a middle line; blanks at its end are kept."""
    return f"{left + gap:>{BAR}}│{gap + right:<{BAR}}".replace(" ", "\u00a0")


def signed(weight: float, largest: float) -> str:
    """A weight with its sign, and as many digits as the largest of its kind needs for three.

    >>> signed(0.0213, -1.5), signed(-1.5, -1.5), signed(2.5e-7, 2.5e-7)
    ('+0.02', '-1.50', '+2.50e-07')
    >>> signed(0.0, 1.5), signed(-0.0001, 1.5)  # nothing, and next to nothing
    ('0', '0.00')
    """
    size = abs(largest)
    if weight == 0 or not size:
        return "0"
    if not 1e-4 <= size < 1e6:
        return f"{weight:+.2e}"
    digits = max(0, 2 - math.floor(math.log10(size)))
    return f"{weight:{'+' if round(weight, digits) else 'z'}.{digits}f}"
