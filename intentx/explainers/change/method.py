"""What changes of a document and of a query have in common: settings, the search, the answer."""

from __future__ import annotations

import itertools
import math
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from intentx.checks import Count, Positive, Seed, Size
from intentx.errors import InputError, ScorerError
from intentx.explainers.base import Explainer, Question
from intentx.explainers.change.edits import Edit, in_order, written
from intentx.explainers.change.explanation import Changed, ChangeExplanation, Of, Status, Tried
from intentx.explainers.change.goals import Goal, Outcome, Target
from intentx.explainers.change.placing import elsewhere
from intentx.explainers.change.search import SetSearch
from intentx.markup import count
from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["Asked", "ChangeMethod", "Task"]

AGAIN = 5  # times that an answer must hold of a ranker whose scores vary
SAME = 1e-5  # of the largest score: what differs by less is rounding
ROBUST = 0.75  # share of positions and orders at which a robust answer holds
NEAREST = 10  # sets that are told of those that failed

Chosen = frozenset[int]


class Asked(Protocol):
    """Asks the ranker about edited texts."""

    texts_each: int

    def outcomes(self, texts: Sequence[str]) -> list[Outcome]: ...
    def again(self, text: str, *, others: bool = False) -> tuple[Outcome, int]: ...


@dataclass(frozen=True, eq=False)
class Task:
    """One question: what is edited, how, and what is to be reached."""

    ranking: Ranking
    target: Target
    text: str
    edits: tuple[Edit, ...]
    order: tuple[int, ...]
    gaps: tuple[int, ...]
    asked: Asked
    notes: tuple[str, ...] = ()
    of: Of = "document"


@dataclass(frozen=True, kw_only=True)
class ChangeMethod(Explainer[ChangeExplanation]):
    """Settings of both, documented there."""

    questions: ClassVar[tuple[Question, ...]] = ("document", "pair")

    goal: Goal = "leave"
    k: Size = 10
    rank: Size | None = None
    most: Size = 1
    robust: bool = False
    prove: Count = 300
    budget: Size = 300
    seconds: Positive | None = None
    analyzer: Analyzer = field(default_factory=Analyzer)
    seed: Seed = 0

    def _check(self) -> None:
        if self.goal == "rank" and self.rank is None:
            raise InputError(f"{self.name}: goal='rank' needs the rank to reach: rank=, 1 or more")
        if self.goal != "rank" and self.rank is not None:
            raise InputError(f"{self.name}: rank={self.rank} is for goal='rank', not {self.goal!r}")

    def _explain(
        self, ranking: Ranking, doc: str | int | None, above: str | int | None
    ) -> ChangeExplanation:
        position = ranking.position(doc) if doc is not None else 0
        other = None if above is None else ranking.position(above)
        ranking.black_box(f"an explanation by {self.name}")
        ranking.check_scorer()
        target = Target.of(ranking, position, self.goal, self.k, self.rank, other)
        return Found(self, ranking, target).explanation()

    @abstractmethod
    def _task(self, ranking: Ranking, target: Target) -> Task:
        """What is offered and asked for this question."""

    @property
    @abstractmethod
    def _of(self) -> Of:
        """What is changed."""


def _asked_whole(size: int, edits: int) -> str:
    """What is proven where all sets up to a size were asked about."""
    if size == 1:
        return f"no single one of {count(edits, 'offered edit')} does it"
    return f"no set of up to {size} of {count(edits, 'offered edit')} does it"


class Found:
    """One run of a method."""

    def __init__(self, method: ChangeMethod, ranking: Ranking, target: Target) -> None:
        self.method, self.ranking, self.target = method, ranking, target
        self.started = time.perf_counter()
        box = ranking.black_box(method.name)
        self._model_before = box.seconds
        self.notes: list[str] = list(box.doubts.values())
        self.calls = {"search": 0, "proof": 0, "ladder": 0, "asked again": 0, "robustness": 0}
        self.noisy = False
        self._outcome_of: dict[str, Outcome] = {}
        self._shares: dict[Chosen, float] = {}

    def explanation(self) -> ChangeExplanation:
        """The answer."""
        ranking, position = self.ranking, self.target.position
        text = ranking.query if self.method._of == "query" else ranking.texts[position]
        nothing = Changed((), text, position + 1, ())
        if self.target.met():
            return self._made("minimal", "", nothing, (), (), (), 0)
        self.task = self.method._task(ranking, self.target)
        self.notes += self.task.notes
        start = self.target.outcome(float(ranking.scores[position]), ranking.scores)
        self._start = start
        until = math.inf if self.method.seconds is None else self.started + self.method.seconds
        self.search = SetSearch(
            self.task.order, self._ask, self._accepts, start,
            budget=self.method.budget, prove=self.method.prove, until=until,
        )  # fmt: skip
        everything = frozenset(self.task.order)
        takes_away = all(edit.kind == "remove" for edit in self.task.edits)
        if takes_away:
            self.search.look([everything])
        found = self.search.smallest() or self.search.rest()
        if found is None:
            return self._none(nothing, everything if takes_away else None)
        answers = [found, *self._others(found)]
        found, proven = self.search.proven(found)
        status: Status = "minimal" if proven and not self.noisy else "feasible"
        if self.noisy:
            self.notes.append(
                f"the ranker gives the same text different scores: the answer held in {AGAIN} fresh "
                "calls, and a smaller set may have failed by chance"
            )
        failed = self._failed(len(found))
        answer = self._changed(found)
        others = sorted((one for one in answers if not one >= found), key=len)
        alternatives = tuple(self._changed(one) for one in others[: self.method.most - 1])
        return self._made(
            status, "", answer, alternatives, failed, self.search.searched(len(found)),
            len(self.task.edits),
        )  # fmt: skip

    def _none(self, nothing: Changed, everything: Chosen | None) -> ChangeExplanation:
        finding = ""
        edits, known = len(self.task.edits), self.search.known
        parts = self.search.searched(edits + 1)
        whole = [part.size for part in itertools.takewhile(lambda part: part.asked == part.of, parts)]
        if len(whole) == edits:
            tried = len(known) - 1
            said = f"all {tried:,} were" if tried > 1 else "there is one only, and it was"
            some = any(one.margin > 0 for one in known.values())
            where = " at three quarters of the places and orders" if self.method.robust and some else ""
            finding = f"no set of the offered edits does it{where}: {said} asked about"
        elif everything is not None and everything in known and not self.search.reaches(everything):
            other = "other words" if getattr(self.method, "keep", None) else "these edits"
            finding = (
                f"no set of {other} was found that does it; with all of them taken away it is still at "
                f"rank {known[everything].rank}"
            )
        elif whole:
            finding = f"none within the budget; {_asked_whole(whole[-1], edits)}"
        failed = self._failed(edits + 1)
        searched = self.search.searched(max(map(len, known)) + 1)
        return self._made("none within the budget", finding, nothing, (), failed, searched, edits)

    def _others(self, found: Chosen) -> list[Chosen]:
        """Further answers: with other edits where there are such, else others all the same."""
        others = [found]
        used = set(found)
        while len(others) < self.method.most:
            rest = [edit for edit in self.task.order if edit not in used]
            one = self.search.smallest(rest) if rest else None
            if one is None:
                break
            used |= one
            if self._is_new(one, others):
                others.append(one)
        known = sorted(
            (one for one in self.search.known if one and self.search.known[one].margin > 0),
            key=lambda one: (len(one), -self.search.known[one].margin, sorted(one)),
        )
        for one in known:
            if len(others) >= self.method.most:
                break
            if self._is_new(one, others) and self.search.reaches(one):
                others.append(one)
        return others[1:]

    def _is_new(self, one: Chosen, others: Sequence[Chosen]) -> bool:
        """Whether a set is another text, by edits that all do something, and holds no other answer."""
        text = self._text(one)
        if any(one >= other or text == self._text(other) for other in others):
            return False
        return all(self._text(one - {edit}) != text for edit in one)

    def _text(self, chosen: Chosen) -> str:
        return written(self.task.text, in_order(self.task.edits, chosen))

    def _ask(self, sets: list[Chosen]) -> list[Outcome]:
        return self._outcomes([self._text(one) for one in sets], self.search.stage)

    def _outcomes(self, texts: Sequence[str], stage: str) -> list[Outcome]:
        new = [text for text in dict.fromkeys(texts) if text not in self._outcome_of]
        self._outcome_of.update(zip(new, self._asked(new), strict=True))
        self.calls[stage] += len(new) * self.task.asked.texts_each
        return [self._outcome_of[text] for text in texts]

    def _asked(self, texts: Sequence[str]) -> list[Outcome]:
        """Outcomes of texts; a blank one that the ranker refuses reaches nothing."""
        if all(text.strip() for text in texts):
            return self.task.asked.outcomes(texts)
        told = [text for text in texts if text.strip()]
        found = dict(zip(told, self.task.asked.outcomes(told) if told else [], strict=True))
        for text in texts:
            if text in found:
                continue
            try:
                [found[text]] = self.task.asked.outcomes([text])
            except ScorerError:
                found[text] = self._start._replace(margin=min(self._start.margin, 0.0))
                self.notes.append("the ranker takes no blank text: taking everything out was not tried")
        return [found[text] for text in texts]

    def _accepts(self, chosen: Chosen) -> bool:
        """Whether a set that reached the goal reaches it when asked again, and robustly if asked for.

        If scores vary, those of the other documents do so, too: all are asked again.
        """
        text, first = self._text(chosen), self.search.known[chosen]
        for _ in range(AGAIN):
            now, asked = self.task.asked.again(text, others=self.noisy)
            self.calls["asked again"] += asked
            largest = max(abs(first.score), abs(now.score), float(np.ptp(self.ranking.scores)))
            varies = abs(now.score / 2 - first.score / 2) > SAME * largest / 2
            self.noisy = self.noisy or varies
            if now.margin <= 0:
                return False
            if not self.noisy:
                break
        return not self.method.robust or not self._share(chosen) < ROBUST

    def _share(self, chosen: Chosen) -> float:
        """Share of other positions and orders of what is inserted at which the goal is reached."""
        if chosen not in self._shares:
            generator = np.random.default_rng(self.method.seed)
            edits = in_order(self.task.edits, chosen)
            texts = elsewhere(self.task.text, edits, self.task.gaps, generator)
            if self.method.robust:
                self.search.spend(len(texts))
            reached = [one.margin > 0 for one in self._outcomes(texts, "robustness")]
            self._shares[chosen] = float(np.mean(reached)) if reached else math.nan
        return self._shares[chosen]

    def _changed(self, chosen: Chosen) -> Changed:
        """A set as an answer: its edits, the most effective one first, and the rank after each."""
        by_effect = sorted(chosen, key=lambda edit: (-self.search.effect(edit), edit))
        steps = [self._text(frozenset(by_effect[: i + 1])) for i in range(len(by_effect))]
        outcomes = self._outcomes(steps, "ladder")
        ranks = tuple(one.rank for one in outcomes)
        edits = tuple(self.task.edits[i] for i in by_effect)
        return Changed(edits, steps[-1], ranks[-1], ranks, self._share(chosen))

    def _failed(self, below: int) -> tuple[Tried, ...]:
        """Smaller sets that do not reach the goal, the nearest ones first."""
        known = self.search.known
        sets = [one for one in known if 0 < len(one) < below and not self.search.reaches(one)]
        nearest = sorted(sets, key=lambda one: (-known[one].margin, len(one), sorted(one)))[:NEAREST]
        return tuple(
            Tried(tuple(e.words for e in in_order(self.task.edits, one)), known[one].rank)
            for one in nearest
        )

    def _made(self, status: Status, finding: str, answer: Changed, *parts: Any) -> ChangeExplanation:
        alternatives, failed, searched, offered = parts
        if hasattr(self, "search") and self.search.late:
            self.notes.append(f"the search was stopped after {self.method.seconds} seconds")
        total = time.perf_counter() - self.started
        model = self.ranking.black_box(self.method.name).seconds - self._model_before
        return ChangeExplanation(
            method=self.method.name,
            ranking=self.ranking,
            position=self.target.position,
            above=self.target.other,
            of=self.method._of,
            goal=self.target.goal,
            target=self.target.words(self.ranking),
            status=status,
            finding=finding,
            answer=answer,
            alternatives=alternatives,
            tried=failed,
            searched=searched,
            offered=offered,
            calls=self.calls,
            settings=self.method.settings(),
            model_calls=sum(self.calls.values()),
            seconds={"model": model, "total": total},
            notes=tuple(dict.fromkeys(self.notes)),
        )
