"""Surveys: people choose between two snippets of each document without knowing where they come from."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from intentx.answers import Stored, json_text
from intentx.checks import Seed, Size
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.base import Measure, restored
from intentx.evaluation.statistics import student_reach
from intentx.evaluation.survey_answers import SurveyAnswers
from intentx.files import excerpt
from intentx.markup import count

__all__ = ["TITLE", "Survey", "SurveyCount", "SurveyQuestion"]

Floats = npt.NDArray[np.float64]

TAIL = 0.025  # of an interval, on either side
TITLE = "Which of the two parts tells you better whether the document answers the query?"


@dataclass(frozen=True)
class SurveyQuestion:
    """A document for a query, and two snippets of it.

    Attributes
    ----------
    query, doc_id, document
        The query, and the document with its text.
    first, second
        A snippet by either method, as text.
    """

    query: str
    doc_id: str
    document: str
    first: str
    second: str


@dataclass(frozen=True)
class Survey(Stored):
    """Questions for assessors, and which snippet stands on which side of their pages.

    Attributes
    ----------
    methods
        What made the ``first`` and the ``second`` snippets.
    questions
        What is asked; pairs that are the same text are not.
    sides
        For each copy of the page and each question, in the order of ``questions``, whether the first
        method's snippet stands on the left. In each copy it does so in half of them.
    order
        For each copy, the questions in the order in which they are asked.
    title
        The question above each two snippets.
    same
        How many documents had the same snippet by both methods, and are not asked about.
    """

    methods: tuple[str, str]
    questions: tuple[SurveyQuestion, ...]
    sides: tuple[tuple[bool, ...], ...] = field(repr=False)
    order: tuple[tuple[int, ...], ...] = field(repr=False)
    title: str = TITLE
    same: int = 0

    FORMAT: ClassVar[str] = "intentx.survey/1"

    def __post_init__(self) -> None:
        number = len(self.questions)
        if len(set(self.methods)) != 2:
            raise InputError(f"a survey is of two methods, not {' and '.join(self.methods)}")
        if len(self.sides) != len(self.order) or not self.sides:
            raise InputError(f"{len(self.sides)} copies have sides, and {len(self.order)} an order")
        if any(len(row) != number for row in self.sides) or any(
            sorted(row) != list(range(number)) for row in self.order
        ):
            raise InputError(f"each copy needs a side and a place for each of {number} questions")

    @classmethod
    def draw(
        cls,
        methods: tuple[str, str],
        questions: Sequence[SurveyQuestion],
        *,
        copies: Size = 1,
        title: str = TITLE,
        seed: Seed = 0,
    ) -> Self:
        """A survey with sides and order drawn at random.

        Parameters
        ----------
        copies
            Pages, each with a draw of its own; assessors get any of them.

        Raises
        ------
        InputError
            If there is no question with two different snippets, or no copy.

        Examples
        --------
        >>> asked = SurveyQuestion("tea", "d1", "A pot of green tea.", "A pot of", "green tea")
        >>> Survey.draw(("vanilla", "deeplift"), [asked]).sides
        ((False,),)
        """
        if copies < 1:
            raise InputError(f"copies must be 1 or more, not {copies!r}")
        asked = tuple(one for one in questions if one.first != one.second)
        if not asked:
            raise InputError(
                f"nothing to ask: both methods have the same snippet of all {len(questions)} documents; "
                "name other methods, or more or fewer words"
            )
        generator = np.random.default_rng(seed)
        sides, order = [], []
        for _ in range(copies):
            left = np.arange(len(asked)) % 2 == generator.integers(2)
            sides.append(tuple(generator.permutation(left).tolist()))
            order.append(tuple(generator.permutation(len(asked)).tolist()))
        return cls(methods, asked, tuple(sides), tuple(order), title, len(questions) - len(asked))

    @property
    def id(self) -> str:
        """Stands for the questions and the draws; answers name it."""
        return hashlib.sha256(json_text(self._plain()).encode("utf-8")).hexdigest()[:16]

    def shown(self, copy: int) -> list[tuple[int, SurveyQuestion, str, str]]:
        """Of one copy, in order: a question's number, the question, the snippets left and right."""
        found = []
        for number in self.order[copy]:
            one = self.questions[number]
            left, right = one.first, one.second
            if not self.sides[copy][number]:
                left, right = right, left
            found.append((number, one, left, right))
        return found

    def count(self, answers: Sequence[SurveyAnswers]) -> SurveyCount:
        """Which method the assessors prefer.

        Raises
        ------
        InputError
            If there is no answer, or answers are of another survey, or of the same assessor twice.
        """
        self._check(answers)
        values = np.full((len(answers), len(self.questions)), np.nan)
        lefts = values.copy()
        for row, one in enumerate(answers):
            for number, choice in one.choices.items():
                on_left = self.sides[one.copy][number]
                values[row, number] = 0.5 if choice == "same" else (choice == "left") == on_left
                lefts[row, number] = 0.5 if choice == "same" else choice == "left"
        if np.isnan(values).all():
            raise InputError("no question is answered in any of the files")
        mean, low, high = _interval(values)
        left, *around = _interval(lefts)
        return SurveyCount(
            *self.methods,
            assessors=int((~np.isnan(values)).any(axis=1).sum()),
            questions=int((~np.isnan(values)).any(axis=0).sum()),
            prefer_first=int((values == 1).sum()),
            prefer_second=int((values == 0).sum()),
            prefer_none=int((values == 0.5).sum()),
            unanswered=int(np.isnan(values).sum()),
            share=mean,
            low=low,
            high=high,
            left=left,
            left_low=around[0],
            left_high=around[1],
            agreement=_agreement(values),
            same=self.same,
        )

    def _check(self, answers: Sequence[SurveyAnswers]) -> None:
        if not answers:
            raise InputError("there are no answers to count")
        names: dict[str, str] = {}
        for one in answers:
            if one.survey != self.id:
                raise InputError(
                    f"{one.source} answers another survey ({one.survey}, not {self.id}): it was made "
                    "with another key"
                )
            if not 0 <= one.copy < len(self.sides):
                raise InputError(f"{one.source} answers copy {one.copy + 1} of {len(self.sides)}")
            unknown = [number for number in one.choices if not 0 <= number < len(self.questions)]
            if unknown:
                raise InputError(f"{one.source} answers question {unknown[0]}, which there is not")
            if one.assessor in names:
                raise InputError(
                    f"{names[one.assessor]} and {one.source} are both by {one.assessor!r}: leave one "
                    "out, or name the assessors differently"
                )
            names[one.assessor] = one.source

    def _plain(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``: the key, which assessors must not see."""
        return {"format": self.FORMAT, "id": self.id, **self._plain()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises
        ------
        InputError
            If the data is of another format or damaged.
        """
        if not isinstance(plain, Mapping) or plain.get("format") != cls.FORMAT:
            form = plain.get("format") if isinstance(plain, Mapping) else plain
            raise InputError(f"no Survey: format is {excerpt(form)}, not {cls.FORMAT!r}")
        known = {one.name for one in dataclasses.fields(cls)}
        missing = sorted(known - plain.keys())
        if missing:
            raise InputError(f"the Survey is damaged: it lacks {', '.join(missing)}")
        found: Self = restored(cls, {key: plain[key] for key in known})
        if plain.get("id") != found.id:
            raise InputError("the Survey is damaged: its id is that of other questions or draws")
        return found


@equal_by_values
@dataclass(frozen=True)
class SurveyCount(Measure):
    """Which of two methods' snippets assessors prefer.

    Attributes
    ----------
    first, second
        The methods.
    assessors, questions
        How many answered, and were answered, at least once.
    prefer_first, prefer_second, prefer_none
        Answers for either, and for neither.
    unanswered
        Questions that an assessor left out, over all of them.
    share
        Of the answers for the first, one for neither counting half: the mean over all answers.
    low, high
        Its 95 % interval: Student's over the means of assessors and that over the means of questions,
        their reaches added as right angles are, since both are samples. Answers that are all the same
        have the exact bound of as many throws of a coin as there are assessors or questions, the fewer
        of them. NaN where all means are equal otherwise.
    left, left_low, left_high
        The same for the snippet on the left, whatever it is: .5 unless assessors favour a side.
    agreement
        Of two assessors who answered the same question, how often they said the same; NaN without such.
    same
        Documents of which both methods have the same snippet; nobody was asked.
    """

    first: str
    second: str
    assessors: int
    questions: int
    prefer_first: int
    prefer_second: int
    prefer_none: int
    unanswered: int
    share: float
    low: float
    high: float
    left: float
    left_low: float
    left_high: float
    agreement: float
    same: int

    FORMAT: ClassVar[str] = "intentx.survey-count/1"

    @property
    def preferred(self) -> str | None:
        """The method that the interval speaks for, None where it holds .5 or there is none."""
        return self.first if self.low > 0.5 else self.second if self.high < 0.5 else None

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        who, asked = count(self.assessors, "assessor"), count(self.questions, "question")
        around = "" if math.isnan(self.low) else f" [{self.low:.3f}, {self.high:.3f}]"
        said = (
            f"{who} prefer {self.first} to {self.second} in a share of {self.share:.3f}{around} of "
            f"their answers to {asked}"
        )
        told = f"{self.preferred} is preferred"
        if self.preferred is None:
            told = "which one is preferred cannot be told"
        side = ""
        if self.left_low > 0.5 or self.left_high < 0.5:
            more = "left" if self.left > 0.5 else "right"
            side = f" Whatever stands on the {more} is preferred, too ({self.left:.3f} for the left)."
        return f"{said}: {told}.{side}"


def _interval(values: Floats) -> tuple[float, float, float]:
    """Mean of all answers (A, Q), NaN where there is none, and its 95 % interval."""
    mean = float(np.nanmean(values))
    known = ~np.isnan(values)
    values = values[known.any(axis=1)][:, known.any(axis=0)]
    reach = math.hypot(*(_reach(np.nanmean(values, axis=axis)) for axis in (0, 1)))
    if reach:
        return mean, max(0.0, mean - reach), min(1.0, mean + reach)
    number = min(size for size in values.shape if size > 1) if max(values.shape) > 1 else 1
    bound = TAIL ** (1 / number)  # exact, for answers that are all the same
    if mean == 1:
        return mean, bound, 1.0
    return (mean, 0.0, 1 - bound) if mean == 0 else (mean, math.nan, math.nan)


def _reach(means: Floats) -> float:
    """From the mean of several to either end of its interval; 0 for one."""
    free = len(means) - 1
    return float(np.std(means) / math.sqrt(free) * student_reach(1 - 2 * TAIL, free)) if free else 0.0


def _agreement(values: Floats) -> float:
    """Share of pairs of answers to one question that are the same."""
    same = total = 0
    for one, other in combinations(values, 2):
        both = ~np.isnan(one) & ~np.isnan(other)
        total += int(both.sum())
        same += int((one[both] == other[both]).sum())
    return same / total if total else math.nan
