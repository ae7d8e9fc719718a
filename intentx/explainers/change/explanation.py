"""`ChangeExplanation`: the smallest changes that move a document, and what was tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure, none_for_nan
from intentx.evaluation.measures import measures_in
from intentx.explainers.base import Explanation
from intentx.explainers.change.edits import Edit
from intentx.explainers.change.search import Searched
from intentx.explainers.change.shown import change_html, change_tables
from intentx.explainers.plain import number, numbers, parts_of, ranking_of, spent, strings, table
from intentx.ranking import Ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Group

__all__ = ["ChangeExplanation", "Changed", "Status", "Tried"]

Status = Literal["minimal", "feasible", "none within the budget"]
Of = Literal["document", "query"]


@equal_by_values
@dataclass(frozen=True)
class Changed:
    """A set of changes that reaches the goal.

    Attributes
    ----------
    changes
        The changes, in the order in which `ranks` counts them: the most effective one first.
    edited_text
        The text with all of them.
    rank_after
        The document's rank then, from 1.
    ranks
        Its rank after the first 1, 2, … of them.
    robustness
        Share of other positions and orders of the inserted words at which the goal is reached, too;
        NaN where nothing is inserted.
    """

    changes: tuple[Edit, ...]
    edited_text: str
    rank_after: int
    ranks: tuple[int, ...]
    robustness: float = math.nan

    def to_dict(self) -> dict[str, Any]:
        """Plain data; NaN becomes None."""
        return {
            "changes": [one.to_dict() for one in self.changes],
            "edited_text": self.edited_text,
            "rank_after": self.rank_after,
            "ranks": list(self.ranks),
            "robustness": none_for_nan(self.robustness),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Changed:
        """The inverse of `to_dict`."""
        if not isinstance(plain["edited_text"], str):
            raise InputError(f"edited_text must be a string, not {plain['edited_text']!r}")
        share = plain["robustness"]
        ranks = tuple(int(rank) for rank in numbers(plain, "ranks"))
        changes = tuple(map(Edit.from_dict, plain["changes"]))
        if len(ranks) != len(changes):
            raise InputError(f"{len(changes)} changes have {len(ranks)} ranks")
        return cls(
            changes,
            plain["edited_text"],
            int(number(plain, "rank_after")),
            ranks,
            math.nan if share is None else float(number(plain, "robustness")),
        )


@dataclass(frozen=True)
class Tried:
    """A set of changes that does not reach the goal.

    Attributes
    ----------
    changes
        Each change in a few words, such as ``"− piano"``.
    rank
        The document's rank with them, from 1.
    """

    changes: tuple[str, ...]
    rank: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"changes": list(self.changes), "rank": self.rank}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Tried:
        """The inverse of `to_dict`."""
        return cls(strings(plain, "changes"), int(number(plain, "rank")))


@dataclass(frozen=True, eq=False)
class ChangeExplanation(Explanation):
    """The smallest changes that were found of a document, or of the query, that reach a goal.

    Attributes
    ----------
    method
        ``"Counterfactual"`` or ``"QueryCounterfactual"``.
    ranking
        The ranking that the document is in.
    position
        The document's 0-based position there.
    above
        Position of the document that it is compared with; None without one.
    of
        What is changed: the ``"document"`` or the ``"query"``.
    goal, target
        The goal, and in words what is to be reached.
    status
        ``"minimal"``: every smaller set of the offered edits was asked about and does not reach the
        goal. ``"feasible"``: the changes reach it, and smaller sets are left that were not asked.
        ``"none within the budget"``: nothing was found; `finding` may say more.
    finding
        What was found where no set reaches the goal, e.g. that not even all edits together do; else "".
    answer
        The smallest set of changes; without changes where none was found, or none is needed.
    alternatives
        Other sets that reach the goal, with other edits than `answer` where there are such.
    tried
        Smaller sets (where nothing was found, any) that do not reach it, the nearest ones first.
    searched
        For each smaller size, how many sets were asked about, of how many there are.
    offered
        How many edits were offered.
    calls
        `model_calls` by what they were for: ``"search"``, ``"proof"``, ``"ladder"`` (the rank after each
        change), ``"asked again"`` and ``"robustness"``.
    settings, model_calls, seconds, notes, cautions, measures
        As in every `Explanation`.
    """

    method: str
    ranking: Ranking
    position: int
    above: int | None
    of: Of
    goal: str
    target: str
    status: Status
    finding: str
    answer: Changed
    alternatives: tuple[Changed, ...] = field(repr=False)
    tried: tuple[Tried, ...] = field(repr=False)
    searched: tuple[Searched, ...] = field(repr=False)
    offered: int
    calls: Mapping[str, int] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    model_calls: int
    seconds: Mapping[str, float] = field(repr=False)
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)

    FORMAT: ClassVar[str] = "intentx.change/1"

    @property
    def changes(self) -> tuple[Edit, ...]:
        """The smallest set of changes: each with its kind, text, start and end."""
        return self.answer.changes

    @property
    def edited_text(self) -> str:
        """The document, or the query, with the changes."""
        return self.answer.edited_text

    @property
    def text_before(self) -> str:
        """The document, or the query, as it is."""
        return self.ranking.query if self.of == "query" else self.ranking.texts[self.position]

    @property
    def rank_before(self) -> int:
        """The document's rank in the ranking, from 1."""
        return self.position + 1

    @property
    def rank_after(self) -> int:
        """Its rank with the changes, from 1; `rank_before` where there are none."""
        return self.answer.rank_after

    @property
    def ranks(self) -> tuple[int, ...]:
        """Its rank after each change, from 1."""
        return self.answer.ranks

    @property
    def robustness(self) -> float:
        """Share of other positions and orders of inserted words at which the changes do it, too."""
        return self.answer.robustness

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.status != "none within the budget"

    def __repr__(self) -> str:
        return f"<{self.method} for {self._subject()}: {self.sentence}>"

    def _subject(self) -> str:
        doc_id = self.ranking.doc_ids[self.position]
        return f"{doc_id!r} (rank {self.rank_before}) of {self.ranking.query!r}"

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        if not self.reached:
            return f"no change found {self.target}: {self.finding or self.status}"
        if not self.changes:
            return f"nothing has to change {self.target}: it is at rank {self.rank_before}"
        shown = ", ".join(one.words for one in self.changes)
        return f"{self.target}: {shown}; rank {self.rank_before} → {self.rank_after} ({self.status})"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``; NaN becomes None."""
        return {
            "format": self.FORMAT,
            "method": self.method,
            "query": self.ranking.query,
            "doc_id": self.ranking.doc_ids[self.position],
            "above": None if self.above is None else self.ranking.doc_ids[self.above],
            "of": self.of,
            "goal": self.goal,
            "target": self.target,
            "status": self.status,
            "finding": self.finding,
            "rank_before": self.rank_before,
            **self.answer.to_dict(),
            "alternatives": [one.to_dict() for one in self.alternatives],
            "tried": [one.to_dict() for one in self.tried],
            "searched": [one._asdict() for one in self.searched],
            "offered": self.offered,
            "calls": dict(self.calls),
            "ranking": self.ranking.to_dict(),
            "settings": dict(self.settings),
            "model_calls": self.model_calls,
            "seconds": dict(self.seconds),
            "notes": list(self.notes),
            "cautions": list(self.cautions),
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
            ranking, above = ranking_of(plain), plain["above"]
            if not isinstance(plain["doc_id"], str) or not isinstance(above, str | None):
                raise InputError(f"doc_id and above must be ids: {plain['doc_id']!r}, {above!r}")
            for key, kinds in (("status", get_args(Status)), ("of", get_args(Of))):
                if plain[key] not in kinds:
                    raise InputError(f"{key} must be one of {kinds}, not {plain[key]!r}")
            calls = table(plain, "calls")
            return cls(
                **{key: str(plain[key]) for key in ("method", "goal", "target", "finding")},
                ranking=ranking,
                position=ranking.position(plain["doc_id"]),
                above=None if above is None else ranking.position(above),
                of=plain["of"],
                status=plain["status"],
                answer=Changed.from_dict(plain),
                alternatives=tuple(map(Changed.from_dict, plain["alternatives"])),
                tried=tuple(map(Tried.from_dict, plain["tried"])),
                searched=tuple(
                    Searched(*(int(number(one, key)) for key in Searched._fields))
                    for one in plain["searched"]
                ),
                offered=int(number(plain, "offered")),
                calls={key: int(number(calls, key)) for key in calls},
                settings=table(plain, "settings"),
                model_calls=number(plain, "model_calls"),
                seconds=spent(plain),
                notes=strings(plain, "notes"),
                cautions=strings(plain, "cautions"),
                measures=measures_in(plain),
            )

    def _columns(self) -> dict[str, Sequence[Any]]:
        return {
            "kind": [one.kind for one in self.changes],
            "unit": [one.unit for one in self.changes],
            "text": [one.text for one in self.changes],
            "instead_of": [one.instead_of for one in self.changes],
            "start": [one.start for one in self.changes],
            "end": [one.end for one in self.changes],
            "rank": self.ranks,
        }

    # The report room stands below this one: see `Explanation.plot`.
    def plot(self, ax: Axes | None = None, *, most: int = 20) -> Axes:
        """Draw the ladder of ranks, and return its axis; on a figure of its own beside the diff.

        Parameters
        ----------
        ax
            The axis of matplotlib to draw the ladder on; None: a figure made by pyplot, with the text
            as a diff on the left.
        most
            Most changes in the ladder.

        Raises
        ------
        InputError
            If ``most`` is not 1 or more.
        MissingExtraError
            Without matplotlib.
        """
        from intentx.report.pictures.change import change_axis

        return change_axis(self, ax, most)

    def __rich__(self) -> Group:
        return change_tables(self)

    def _repr_html_(self) -> str:
        return change_html(self)
