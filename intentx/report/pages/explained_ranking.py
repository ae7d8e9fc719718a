"""What the parts of the page share: one explanation with its label, its order and its colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.markup import Html, tag

__all__ = ["SHOWN_DOCUMENTS", "Senses", "View"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SHOWN_DOCUMENTS = 200  # texts in full; the others are on the page by their ids only
_TERM_COLOURS = 12
_SENSE_COLOURS = 8


@dataclass(frozen=True)
class Senses:
    """Sense labels of documents, their long names, and a colour for each label."""

    of: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels in use: those with a long name first, in their order, then the others sorted."""
        used = set(self.of.values())
        named = [label for label in self.names if label in used]
        return (*named, *sorted(used - set(named)))

    def dot(self, doc_id: str) -> Html:
        """A coloured dot, nothing for a document without a sense."""
        label = self.of.get(doc_id)
        if label is None:
            return Html("")
        return tag("i", class_=f"dot {self._colour(label)}", title=label)

    def chip(self, label: str | None) -> Html:
        """The label on its colour."""
        if label is None:
            return Html("")
        dot = tag("i", class_=f"dot {self._colour(label)}")
        return tag("span", dot, tag("bdi", label), class_="chip", title=self.names.get(label))

    def strip(self, doc_ids: Iterable[str]) -> Html:
        """One square per document, in order."""
        squares = (
            tag("i", class_=f"square {self._colour(self.of[i])}", title=self.of[i])
            if i in self.of
            else tag("i", class_="square", title="no sense given")
            for i in doc_ids
        )
        return tag("span", *squares, class_="strip")

    def legend(self) -> Html:
        """Every label with its long name."""
        items = (
            tag("li", self.chip(label), " ", tag("bdi", self.names.get(label, "")))
            for label in self.labels
        )
        return tag("ul", *items, class_="legend")

    def _colour(self, label: str) -> str:
        return f"s{self.labels.index(label) % _SENSE_COLOURS}"


@dataclass(frozen=True)
class View:
    """One explanation as the page shows it.

    Attributes
    ----------
    label
        Name of the ranker.
    number
        Its place on the page, from 0: part of the anchors of its documents.
    """

    explanation: IntentExplanation
    label: str
    number: int
    senses: Senses

    @cached_property
    def explained_rank(self) -> tuple[int, ...]:
        """(N,) 0-based place of each document in the explanation's order."""
        order = self.explanation.explained_order
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        return tuple(place.tolist())

    @cached_property
    def _tie_ranges(self) -> tuple[tuple[Places, Places], tuple[Places, Places]]:
        """First and last place that each document could have, by the ranker and as explained."""
        order = self.explanation.explained_order
        scores = self.explanation.document_scores
        return (
            _places(self.explanation.ranking.scores, self.explanation.ranking.scores),
            _places(scores[order], scores),
        )

    @cached_property
    def tied(self) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
        """(N,) whether the ranker, and (N,) whether the explanation ties a document with another."""
        ranker, explained = (tuple((last > first).tolist()) for first, last in self._tie_ranges)
        return ranker, explained

    @cached_property
    def moves(self) -> tuple[int, ...]:
        """(N,) ranks that the explanation lifts each document by; ties count as no move."""
        (first, last), (explained_first, explained_last) = self._tie_ranges
        up = np.maximum(first - explained_last, 0)
        down = np.maximum(explained_first - last, 0)
        return tuple((up - down).tolist())

    @cached_property
    def move_limits(self) -> tuple[int, int, int]:
        """Largest move, in ranks, that still counts as staying, as small, and as middling."""
        n = len(self.explained_rank)
        stays = max(1, round(0.05 * n))
        small = max(stays + 1, round(0.15 * n))
        return stays, small, max(small + 1, round(0.3 * n))

    def move_colour(self, position: int) -> str:
        """CSS class for how far the document at ``position`` moves."""
        return f"m{sum(abs(self.moves[position]) > limit for limit in self.move_limits)}"

    def anchor(self, position: int) -> str:
        """Id of the document's text on the page."""
        return f"d{self.number}-{position + 1}"

    def term(self, number: int, text: str | None = None, title: str | None = None) -> Html:
        """A term, or its occurrence as it is written, on the term's colour."""
        shown = self.explanation.words[number] if text is None else text
        inner = tag("bdi", shown) if text is None else shown
        return tag("mark", inner, class_=f"t{number % _TERM_COLOURS}", title=title)


def _places(in_order: Floats, scores: Floats) -> tuple[Places, Places]:
    """First and last place of each of ``scores`` among ``in_order``, which does not increase."""
    return np.searchsorted(-in_order, -scores), np.searchsorted(-in_order, -scores, side="right") - 1
