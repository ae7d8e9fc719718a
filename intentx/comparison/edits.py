"""Which edits of a document move it in the order of one ranker, and not in that of another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from intentx.errors import InputError
from intentx.evaluation.base import Measure, Sheet
from intentx.explainers.change.counterfactual import Counterfactual
from intentx.explainers.change.edits import Edit, written
from intentx.explainers.change.explanation import Status
from intentx.explainers.change.goals import Outcome, Target
from intentx.ranking import Ranking

__all__ = ["ComparedEdit", "EditComparison", "compare_edits", "edits_compared"]

MOST = 3  # answers of each ranker
FIRST = 10  # documents that are to be left


@dataclass(frozen=True)
class ComparedEdit:
    """Edits of a document, made for all rankers.

    Attributes
    ----------
    changes
        Each in a few words, such as ``"− piano"``.
    found_for
        The rankers that it is an answer for, separated by commas; "" for a single edit of an answer.
    ranks
        The document's rank with them by each ranker, from 1.
    reached
        For each ranker, whether they reach the goal.
    """

    changes: tuple[str, ...]
    found_for: str
    ranks: Mapping[str, int]
    reached: Mapping[str, bool]

    @property
    def tells_apart(self) -> bool:
        """Whether they reach the goal for one ranker and not for another."""
        return len(set(self.reached.values())) > 1


@dataclass(frozen=True)
class EditComparison(Measure):
    """Which edits move a document in the order of one ranker, and not in that of another.

    Attributes
    ----------
    query, doc_id, document
        The question, and the text.
    goal, k
        What the edits are to reach: to ``"leave"`` the first ``k``, or to ``"enter"`` them.
    rank_before
        The document's rank by each ranker, from 1.
    status
        What the search found for each ranker, as of `intentx.Counterfactual`; ``"met"`` where the
        goal is reached as it is.
    edits
        The answers of each ranker, and their single edits, those that tell rankers apart first.
    model_calls
        Texts that all rankers were asked to score.
    """

    query: str
    doc_id: str
    document: str
    goal: Literal["leave", "enter"]
    k: int
    rank_before: Mapping[str, int]
    status: Mapping[str, Status | Literal["met"]]
    edits: tuple[ComparedEdit, ...]
    model_calls: int

    FORMAT: ClassVar[str] = "intentx.edit-comparison/1"

    @property
    def apart(self) -> tuple[ComparedEdit, ...]:
        """The edits that reach the goal for one ranker and not for another."""
        return tuple(one for one in self.edits if one.tells_apart)

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        ranks = ", ".join(f"{rank} by {name}" for name, rank in self.rank_before.items())
        start = f"{self.doc_id!r} (rank {ranks}), to {self.goal} the first {self.k}"
        if not self.edits:
            return f"{start}: no change was found for any ranker."
        if not self.apart:
            number = len(self.edits)
            return f"{start}: all {number} edits that were compared do the same for all rankers."
        said = []
        for one in self.apart[:MOST]:
            does = [name for name, yes in one.reached.items() if yes]
            not_so = [f"{name} (rank {one.ranks[name]})" for name, yes in one.reached.items() if not yes]
            said.append(f"{', '.join(one.changes)} does it for {_and(does)}, not for {_and(not_so)}")
        return f"{start}: {'; '.join(said)}."

    def _sheet(self) -> Sheet:
        names = tuple(self.rank_before)
        rows = [("as it is", "", *(str(self.rank_before[name]) for name in names), "")]
        rows += [
            (
                ", ".join(one.changes), one.found_for,
                *(f"{one.ranks[name]}{' ✓' if one.reached[name] else ''}" for name in names),
                "yes" if one.tells_apart else "no",
            )
            for one in self.edits
        ]  # fmt: skip
        head = ("change", "found for", *(f"rank by {name}" for name in names), "tells apart")
        return Sheet(head, tuple(rows), self.sentence)


def compare_edits(
    rankings: Mapping[str, Ranking],
    doc: str | int,
    *,
    goal: Literal["leave", "enter"] = "leave",
    k: int = 10,
    **settings: Any,
) -> EditComparison:
    """Find the smallest changes of a document for each ranker, and ask all rankers about all of them.

    Parameters
    ----------
    rankings
        Two or more rankings of the same documents for one query, by the names of the rankers.
    doc
        The document's id, or its position in the first ranking.
    goal, k
        To leave the first ``k``, or to enter them.
    settings
        Of `intentx.Counterfactual`, such as ``keep="query"``, ``edits`` or ``budget``.

    Returns
    -------
    EditComparison
        With up to three answers for each ranker, and every single edit of them.

    Raises
    ------
    InputError
        For fewer than two rankings, other documents or queries, no scorer to ask, or bad settings.

    Examples
    --------
    >>> from intentx import rank
    >>> docs = {"a": "grand piano", "b": "old piano", "c": "grand tea", "d": "tea"}
    >>> one = rank(lambda query, some: [t.count("piano") + len(t) / 99 for t in some], "x", docs)
    >>> other = rank(lambda query, some: [t.count("grand") + len(t) / 99 for t in some], "x", docs)
    >>> found = compare_edits({"one": one, "other": other}, "a", k=2)
    >>> [(edit.changes, edit.reached) for edit in found.apart]
    [(('− piano',), {'one': True, 'other': False}), (('− grand',), {'one': False, 'other': True})]
    """
    _check(rankings)
    first = next(iter(rankings.values()))
    name = first.doc_ids[first.position(doc)]
    method = Counterfactual(**{"most": MOST, **settings, "goal": goal, "k": k})
    places = {ranker: ranking.position(name) for ranker, ranking in rankings.items()}
    status: dict[str, Status | Literal["met"]] = {}
    sets: dict[tuple[Edit, ...], list[str]] = {}
    calls = 0
    for ranker, ranking in rankings.items():
        found = method.explain(ranking, places[ranker])
        calls += found.model_calls
        status[ranker] = found.status if found.changes or not found.reached else "met"
        for answer in (found.answer, *found.alternatives):
            if answer.changes:
                sets.setdefault(answer.changes, []).append(ranker)
    for changes in [*sets]:
        for change in changes:
            sets.setdefault((change,), [])
    text = first.texts[first.position(name)]
    rows = []
    for changes, rankers in sets.items():
        edited = written(text, changes)
        outcomes = {one: _outcome(rankings[one], places[one], edited, goal, k) for one in rankings}
        calls += len(rankings)
        shown = tuple(change.words for change in changes)
        ranks = {one: outcome.rank for one, outcome in outcomes.items()}
        reached = {one: outcome.margin > 0 for one, outcome in outcomes.items()}
        rows.append(ComparedEdit(shown, ", ".join(rankers), ranks, reached))
    rows.sort(key=lambda one: (not one.tells_apart, len(one.changes)))
    before = {ranker: place + 1 for ranker, place in places.items()}
    return EditComparison(first.query, name, text, goal, k, before, status, tuple(rows), calls)


def edits_compared(rankings: Mapping[str, Ranking], documents: int) -> Iterable[EditComparison]:
    """Of the documents that all rankings have high: to leave the first ten, or so many as hold them.

    Nothing where a ranker cannot be asked, or no document is among the first twenty of all (of half and
    of all documents, where there are fewer).
    """
    if any(ranking.scorer is None for ranking in rankings.values()):
        return
    size = len(next(iter(rankings.values())))
    k = min(FIRST, max(1, size // 2))
    places = [{doc_id: i for i, doc_id in enumerate(ranking.doc_ids)} for ranking in rankings.values()]
    worst = {name: max(place[name] for place in places) for name in places[0]}
    for name in sorted(worst, key=lambda one: (worst[one], one))[:documents]:
        if worst[name] < min(2 * k, size - 1):
            with contextlib.suppress(InputError):  # a document without words
                yield compare_edits(rankings, name, k=max(k, worst[name] + 1))


def _outcome(
    ranking: Ranking, place: int, text: str, goal: Literal["leave", "enter"], k: int
) -> Outcome:
    """Where a ranker puts the document with another text."""
    target = Target.of(ranking, place, goal, k, None, None)
    box = ranking.black_box("a comparison of edits")
    if box.listwise:
        texts = [text if i == place else one for i, one in enumerate(ranking.texts)]
        scores = box(ranking.query, texts)
        return target.outcome(float(scores[place]), scores)
    return target.outcome(float(box(ranking.query, [text])[0]), ranking.scores)


def _check(rankings: Mapping[str, Ranking]) -> None:
    if not isinstance(rankings, Mapping) or len(rankings) < 2:
        raise InputError("compare_edits needs two rankings or more, by the names of their rankers")
    first, *others = rankings.values()
    for one in others:
        if one.query != first.query:
            raise InputError(f"the rankings are of two queries: {first.query!r} and {one.query!r}")
        if set(one.doc_ids) != set(first.doc_ids):
            raise InputError(
                "the rankings are of different documents: keep those that all rank, "
                "ranking.subset(positions)"
            )


def _and(names: list[str]) -> str:
    return " and ".join(names) or "none"
