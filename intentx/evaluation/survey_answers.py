"""What assessors answered in a survey, read from the files that its pages write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intentx.errors import InputError
from intentx.files import excerpt, parse_json, read_text

__all__ = ["ANSWERS", "CHOICES", "SurveyAnswers", "read_answers"]

CHOICES = ("left", "right", "same")
ANSWERS = "intentx.survey-answers/1"


@dataclass(frozen=True)
class SurveyAnswers:
    """What one assessor answered on one page.

    Attributes
    ----------
    survey, copy
        The `Survey.id`, and which copy of the page, from 0.
    assessor
        As they call themselves, or a number drawn by the page.
    choices
        One of `CHOICES` by the number of the question.
    source
        The file, for messages.
    """

    survey: str
    copy: int
    assessor: str
    choices: Mapping[int, str]
    source: str = "the answers"


def read_answers(path: str) -> SurveyAnswers:
    """The file that a page of a survey wrote.

    Raises
    ------
    InputError
        If the file cannot be read, or is something else; the message names it.
    """
    plain = parse_json(read_text(path), path)
    if not isinstance(plain, dict) or plain.get("format") != ANSWERS:
        form = plain.get("format") if isinstance(plain, dict) else plain
        raise InputError(
            f"{path} holds no answers to a survey: format is {excerpt(form)}, not {ANSWERS!r}"
        )
    answers, copy, assessor = plain.get("answers"), plain.get("copy"), plain.get("assessor")
    if not isinstance(copy, int) or isinstance(copy, bool):
        raise InputError(f"{path}: copy must be a whole number, not {excerpt(copy)}")
    if not isinstance(assessor, str) or not assessor.strip():
        raise InputError(f"{path}: assessor must be a text, not {excerpt(assessor)}")
    if not isinstance(answers, dict):
        raise InputError(f"{path}: answers must be an object of choices, not {excerpt(answers)}")
    choices: dict[int, str] = {}
    for number, choice in answers.items():
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise InputError(f"{path}: a question is known by its number, not {excerpt(number)}")
        if choice not in CHOICES:
            raise InputError(
                f"{path}: question {number} is answered by one of {', '.join(CHOICES)}, not "
                f"{excerpt(choice)}"
            )
        choices[int(number)] = choice
    return SurveyAnswers(str(plain.get("survey")), copy, assessor.strip(), choices, str(path))
