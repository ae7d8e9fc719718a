"""`MissingDocument`: where a document was lost, and what would bring it in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from intentx.equality import equal_by_values
from intentx.evaluation.base import Measure, Sheet
from intentx.markup import count, percent

__all__ = ["Addition", "Change", "LackedWord", "MissingDocument", "StageRank", "Unread"]

Where = Literal["found", "first stage", "reranker", "ranker", "length"]
Status = Literal["minimal", "none within the budget"]


@equal_by_values
@dataclass(frozen=True)
class StageRank:
    """What one stage makes of the document.

    Attributes
    ----------
    name
        ``"first stage"``, ``"reranker"`` or ``"ranker"``.
    reached
        Whether the document came as far as this stage. Where it did not, the rank and the score are
        those that it would have in the place of the last one that did.
    rank
        Its rank, from 1; None: a search by words does not find it.
    documents
        How many documents the stage ranks.
    limit
        The last rank that goes on to the next stage, or into the first ``k``.
    score, last_score
        The document's, and that of the document at the last rank that goes on; None: there is none.
    """

    name: str
    reached: bool
    rank: int | None
    documents: int
    limit: int
    score: float | None
    last_score: float | None

    @property
    def distance(self) -> float | None:
        """How much of the score is missing to the last rank that goes on; 0 or less: it goes on."""
        if self.score is None or self.last_score is None:
            return None
        return self.last_score - self.score


@dataclass(frozen=True)
class LackedWord:
    """A word of the query that the document lacks.

    Attributes
    ----------
    word, term
        As it stands in the query, and what the first stage's analyzer makes of it.
    documents
        How many documents of the collection hold it; None where a search engine does not tell.
    """

    word: str
    term: str
    documents: int | None


@dataclass(frozen=True)
class Addition:
    """Words of the query put in front of the document, as a sentence.

    Attributes
    ----------
    words
        The fewest that suffice; empty where none do.
    status
        ``"minimal"``: fewer do not suffice. ``"none within the budget"``: nothing tried suffices.
    exact
        Whether it comes from the formula of BM25; else texts were asked.
    tried
        Texts, or numbers of words, that were looked at.
    rank
        The document's rank with them; None: not known, or not found.
    """

    words: tuple[str, ...]
    status: Status
    exact: bool
    tried: int
    rank: int | None


@equal_by_values
@dataclass(frozen=True)
class Change:
    """The smallest set of edits of the document that brings it into the first ``k``.

    Attributes
    ----------
    changes
        Each in a few words, such as ``"+ tea"``; none where nothing was found.
    edited_text
        The document with them.
    status
        As of `intentx.Counterfactual`.
    rank
        The document's rank with them, through all stages; None where nothing was found.
    robustness
        Share of other positions and orders of the inserted words at which it is brought in, too; None
        where nothing was found.
    tried
        Edited texts that were asked about.
    """

    changes: tuple[str, ...]
    edited_text: str
    status: Literal["minimal", "feasible", "none within the budget"]
    rank: int | None
    robustness: float | None
    tried: int


@dataclass(frozen=True)
class Unread:
    """What the stage that lost the document does not read of it.

    Attributes
    ----------
    start
        Characters from here on are not read.
    words
        Words of the query that stand only there.
    passages
        Unread passages that the stage was asked about, each in the place of the document.
    best_start, best_end, best_rank
        The one of the best rank; ``document[best_start:best_end]``.
    """

    start: int
    words: tuple[str, ...]
    passages: int
    best_start: int
    best_end: int
    best_rank: int | None


@dataclass(frozen=True)
class MissingDocument(Measure):
    """Where a document was lost on its way into the first ``k``, and what would bring it in.

    Attributes
    ----------
    query, doc_id, document, k
        What was asked; the text of the document.
    stage
        ``"found"``: it is among the first ``k``. ``"first stage"``, ``"reranker"`` or ``"ranker"``:
        there it was lost. ``"length"``: it was lost since a passage that would bring it in lies behind
        what the ranker reads.
    lost_at
        The name of the stage, also for ``"length"``; ``""`` for a document that is found.
    rank
        Its rank in the end, from 1; None: not found.
    stages
        What each stage makes of it.
    lacks
        Words of the query that it lacks, by the analyzer of the first stage.
    for_first
        The words of the query that would bring it through the first stage, where it was lost there.
    change
        The words of the query that would bring it into the first ``k``.
    unread
        What is behind the end of what is read, at the stage that lost it; None: nothing.
    notes
        What a reader should know.
    model_calls
        Texts that the stages were asked to score.
    smallest
        The smallest change of all that were offered, words of the query and of the first ``k``; None
        where it is found, or edited texts cannot be asked about.
    """

    query: str
    doc_id: str
    document: str
    k: int
    stage: Where
    lost_at: str
    rank: int | None
    stages: tuple[StageRank, ...]
    lacks: tuple[LackedWord, ...]
    for_first: Addition | None
    change: Addition | None
    unread: Unread | None
    notes: tuple[str, ...]
    model_calls: int
    smallest: Change | None = None

    FORMAT: ClassVar[str] = "intentx.missing/1"

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        return " ".join([*self._where(), *self._needs(), *self.notes])

    def _where(self) -> list[str]:
        place = "not found" if self.rank is None else f"at rank {count(self.rank)}"
        if self.stage == "found":
            return [f"{self.doc_id!r} is among the first {count(self.k)}: {place}."]
        lost = next(one for one in self.stages if one.name == self.lost_at)
        named = (
            f"at rank {count(lost.rank or 0)} of {count(lost.documents)}, and {count(lost.limit)} go on"
        )
        if lost.rank is None:
            named = "which finds no word of the query in it"
        how = "by its length, " if self.stage == "length" else ""
        lines = [f"{self.doc_id!r} is lost {how}at the {self.lost_at}, {named}."]
        if lost.distance is not None and lost.last_score is not None:
            lines.append(
                f"Its score is {lost.score:.4g}, that of rank {count(lost.limit)} is "
                f"{lost.last_score:.4g}: {lost.distance:.4g} more."
                if lost.distance or lost.rank is None or lost.rank <= lost.limit
                else f"Its score, {lost.score:.4g}, is that of rank {count(lost.limit)}, which stands "
                "before it."
            )
        lines += [
            f"The {one.name} would put it at rank {count(one.rank)}."
            for one in self.stages
            if not one.reached and one.rank is not None
        ]
        return lines

    def _needs(self) -> list[str]:
        lines = []
        if self.lacks:
            lines.append(f"It lacks the query's {', '.join(repr(one.word) for one in self.lacks)}.")
        if self.unread is not None:
            best = self.unread.best_rank
            lines.append(
                f"The {self.lost_at} does not read it from character {count(self.unread.start)} on"
                + (
                    f"; of {count(self.unread.passages, 'passage')} there, the best alone would be at "
                    f"rank {count(best)}."
                    if best is not None
                    else "."
                )
            )
        return [*lines, *self._in_front(), *self._smallest()]

    def _in_front(self) -> list[str]:
        """What the query's words do in front of the document, at the first stage and in the end."""
        first, last = self.for_first, self.change
        if first is not None and last is not None and first.words == last.words and first.words:
            words = " ".join(first.words)
            return [
                f"With {words!r} in front, the first stage lets it through{_place(first)}, and in the "
                f"end it is{_place(last)}."
            ]
        through, among = "the first stage lets it through", f"it is among the first {count(self.k)}"
        lines = []
        for found, goal, reached in ((first, through, through), (last, among, "it is")):
            if found is None:
                continue
            if found.words:
                words = " ".join(found.words)
                lines.append(f"With {words!r} in front, {reached}{_place(found)}.")
            else:
                lines.append(
                    f"No words of the query that were tried in front of it suffice so that {goal}."
                )
        return lines

    def _smallest(self) -> list[str]:
        found = self.smallest
        if found is None:
            return []
        if not found.changes:
            return [f"No change was found that brings it in ({count(found.tried, 'text')} tried)."]
        line = f"The smallest change found is {', '.join(found.changes)} ({found.status})"
        held = (
            "." if found.robustness is None else f"; it holds at {percent(found.robustness)} of places."
        )
        return [f"{line}: at rank {count(found.rank or 0)}{held}"]

    def _sheet(self) -> Sheet:
        rows = tuple(
            (
                one.name + ("" if one.reached else " (would be)"),
                "not found" if one.rank is None else count(one.rank),
                count(one.documents),
                count(one.limit),
                "–" if one.score is None else f"{one.score:.4g}",
                "–" if one.last_score is None else f"{one.last_score:.4g}",
            )
            for one in self.stages
        )
        head = ("stage", "rank", "of", "go on", "score", "score of the last that goes on")
        return Sheet(head, rows, self.sentence)

    def to_html(self, path: str | Path) -> Path:
        """Write a page about it that needs no other file, and return its path.

        Raises
        ------
        InputError
            If the file cannot be written, for instance since its folder does not exist.
        """
        from intentx.report.pages.missing import write_missing_page

        return write_missing_page(path, self)


def _place(found: Addition) -> str:
    return "" if found.rank is None else f" at rank {count(found.rank)}"
