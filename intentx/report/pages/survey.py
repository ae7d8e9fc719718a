"""The page of a survey: two snippets side by side, blind, and the answers as a file."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from intentx.evaluation.survey import Survey, SurveyQuestion
from intentx.evaluation.survey_answers import ANSWERS
from intentx.markup import Html, tag
from intentx.report.pages.layout import html_page, writable, write_file

__all__ = ["survey_page", "write_survey"]

CHOICES = (("left", "The left one"), ("same", "No difference"), ("right", "The right one"))


def survey_page(survey: Survey, copy: int = 0) -> str:
    """One copy of the page; it does not say which method made which snippet.

    Parameters
    ----------
    copy
        Which of the copies, from 0.
    """
    asked = survey.shown(copy)
    cards = [
        _card(place, len(asked), number, one, (left, right), survey.title)
        for place, (number, one, left, right) in enumerate(asked, start=1)
    ]
    plain = {"format": ANSWERS, "survey": survey.id, "copy": copy, "questions": len(asked)}
    data = Html(json.dumps(plain).replace("<", "\\u003c"))
    intro = (
        f"{len(asked)} questions. Each shows a query and two parts of one document. Choose the one "
        "that helps you more; there is no right answer. At the end, save your answers as a file and "
        "send it to the person who asked you. Nothing leaves this page before."
    )
    who = tag(
        "label",
        "Your name or initials ",
        tag("input", id="who", type="text", maxlength=80),
        class_="who",
    )
    end = tag(
        "section",
        tag("p", "", id="state", class_="note", aria_live="polite"),
        tag("button", "Save answers", id="save", type="button"),
        tag("noscript", tag("p", "This page needs JavaScript to save the answers.")),
        id="end",
    )
    own = files("intentx.report.pages")
    return html_page(
        "Which part of the document helps more?",
        tag("header", tag("h1", "Which part of the document helps more?"), class_="top"),
        tag("main", tag("p", intro, class_="answer"), who, *cards, end),
        tag("script", data, id="data", type="application/json"),
        style=own.joinpath("survey.css").read_text(encoding="utf-8"),
        script=own.joinpath("survey.js").read_text(encoding="utf-8"),
    )


def write_survey(folder: str | Path, survey: Survey) -> tuple[list[Path], Path]:
    """Write the pages ``survey-1.html`` … and ``key.json``, and return their paths.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    folder = Path(folder)
    for name in ("survey-1.html", "key.json"):
        writable(folder / name)
    pages = [
        write_file(folder / f"survey-{copy + 1}.html", survey_page(survey, copy).encode("utf-8"))
        for copy in range(len(survey.sides))
    ]
    return pages, survey.save(folder / "key.json")


def _card(
    place: int, of: int, number: int, one: SurveyQuestion, sides: tuple[str, str], title: str
) -> Html:
    """One question; its number is that in the key."""
    name = f"q{number}"
    parts = (
        tag("blockquote", text, dir="auto", class_=side)
        for side, text in zip(("left", "right"), sides, strict=True)
    )
    choices = (
        tag("label", tag("input", type="radio", name=name, value=value), f" {label}")
        for value, label in CHOICES
    )
    whole = tag("details", tag("summary", "The whole document"), tag("p", one.document, dir="auto"))
    return tag(
        "section",
        tag("p", f"{place} of {of}", class_="note"),
        tag("h2", tag("bdi", one.query)),
        tag("div", *parts, class_="two"),
        tag("fieldset", tag("legend", title), *choices),
        whole,
        class_="question",
    )
