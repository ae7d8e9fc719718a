"""What the parts of a document's page share: one explanation with its label and its colours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from intentx.explainers.document.explanation import DocumentExplanation, Word
from intentx.explainers.document.signed import ONE_SIDED, SIZES, signed
from intentx.explainers.document.votes import NOTABLE
from intentx.markup import Html, count, join, tag

__all__ = ["NOTABLE", "ONE_SIDED", "SIZES", "STRONGEST", "DocumentView", "number"]

LONGEST = 100_000  # characters of a text that are shown
STRONGEST = 65  # percent of a colour behind a word, that is to stay readable
FAINTEST = 6


@dataclass(frozen=True)
class DocumentView:
    """One explanation as the page shows it.

    Attributes
    ----------
    label
        What tells it from the others on the page.
    """

    explanation: DocumentExplanation
    label: str

    @cached_property
    def of_term(self) -> dict[str, float]:
        """The weight of each term."""
        return dict(zip(self.explanation.terms, self.explanation.weights, strict=True))

    @cached_property
    def largest(self) -> float:
        """The largest absolute weight of a term."""
        return max(map(abs, self.explanation.weights), default=0.0)

    @property
    def signless(self) -> bool:
        """Whether weights say how much a word matters, and nothing of the direction."""
        return self.explanation.method in SIZES

    @property
    def one_sided(self) -> bool:
        """Whether the method sees nothing that speaks against a document."""
        return self.explanation.method in ONE_SIDED

    @property
    def others(self) -> list[tuple[str, float]]:
        """What no word carries, as a row of a table; nothing where it is not known."""
        rest = self.explanation.wordless
        return [] if math.isnan(rest) else [("the rest: no word", rest)]

    def number(self, weight: float) -> str:
        """A term's weight as people read it."""
        return _with_sign(weight, self.largest)

    def rest(self, weight: float) -> str:
        """What several words or none of them carry, with the digits of whichever is larger."""
        return _with_sign(weight, max(self.largest, abs(weight)))

    def term(self, term: str, shown: str | None = None) -> Html:
        """A term, or what is shown for it, on the colour of its weight."""
        weight = self.of_term[term]
        text = tag("bdi", term) if shown is None else shown
        return _mark(text, weight, self.largest, f"{term} {self.number(weight)}")

    @cached_property
    def text(self) -> Html:
        """The document with every word on the colour of its weight there."""
        return _coloured(self.explanation.document, self.explanation.words)

    @cached_property
    def text_of_other(self) -> Html:
        """The document that it is compared with, with the words coloured that have a weight."""
        explanation = self.explanation
        text = explanation.ranking.texts[explanation.above or 0]
        words = (
            Word(token.term, token.start, token.end, self.of_term[token.term])
            for token in explanation.analyzer.tokens(text)
            if token.term in self.of_term
        )
        return _coloured(text, tuple(words))


def number(value: float, largest: float) -> str:
    """A number with the digits that the largest of its kind needs, and a true minus sign.

    >>> number(-0.0123, 0.5), number(0.25, 0.5)
    ('−0.012', '0.250')
    """
    return "–" if math.isnan(value) else _with_sign(value, largest).removeprefix("+")


def _with_sign(value: float, largest: float) -> str:
    return signed(value, largest).replace("-", "−")


def _coloured(text: str, words: Iterable[Word]) -> Html:
    """A text with words on colours; what a long one has beyond the limit is counted."""
    if not text.strip():
        return tag("em", "(empty)")
    shown = [word for word in words if word.end <= LONGEST]
    largest = max((abs(word.weight) for word in shown), default=0.0)
    parts: list[str] = []
    done = 0
    for word in shown:
        title = _with_sign(word.weight, largest)
        parts += [
            text[done : word.start],
            _mark(text[word.start : word.end], word.weight, largest, f"{word.term} {title}"),
        ]
        done = word.end
    parts.append(text[done:LONGEST])
    if len(text) > LONGEST:
        parts.append(tag("em", f" … {count(len(text) - LONGEST, 'more character')} not shown"))
    return join(parts)


def _mark(text: str, weight: float, largest: float, title: str) -> Html:
    if not weight or not largest:
        return tag("mark", text, class_="none", title=title)
    share = abs(weight) / largest
    strength = FAINTEST + (STRONGEST - FAINTEST) * share
    kind = ("for" if weight > 0 else "against") + (" much" if share >= NOTABLE else "")
    return tag("mark", text, class_=kind, style=f"--a:{strength:.0f}%", title=title)
