"""``intentx survey``: a blind side-by-side page of snippets for assessors, and what they answered."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from intentx.cli.asked_topics import add_topics, asked_topics, check_topics
from intentx.cli.parser import positive
from intentx.cli.terminal import given_text, made_folder, progress, quiet_models, show, show_json, tell
from intentx.cli.word_options import add_words, word_settings
from intentx.errors import InputError
from intentx.evaluation.survey import TITLE, Survey, SurveyQuestion
from intentx.evaluation.survey_answers import read_answers
from intentx.explainers.document.snippets import Snippet, query_snippet, snippet
from intentx.explainers.methods import all_methods, find_method, make_method
from intentx.rankers.kinds import SPECS
from intentx.ranking import Ranking
from intentx.report.pages.survey import write_survey
from intentx.saved import load
from intentx.study.rankings import mark_of, ranking_of
from intentx.text import Analyzer

__all__ = ["add_survey"]

VANILLA = "vanilla"
KEY = "key.json"

Cut = Callable[[Ranking, int], Snippet]


def add_survey(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    survey = commands.add_parser(
        "survey", help="ask people which of two snippets is better: make the page, count the answers"
    )
    steps = survey.add_subparsers(required=True, metavar="STEP")
    _add_make(steps)
    count = steps.add_parser("count", help="count the answers of assessors, with an interval")
    count.add_argument("key", type=Path, metavar="KEY", help="key.json, or the folder that holds it")
    count.add_argument("answers", nargs="+", metavar="ANSWERS", help="files that assessors saved")
    count.add_argument("--json", action="store_true", help="print the count as JSON")
    count.set_defaults(run_command=_count)


def _add_make(steps: Any) -> None:
    make = steps.add_parser(
        "make",
        help="write the page for assessors, and the key",
        description="Ranks documents, cuts a snippet of the first ones by two methods, and writes pages "
        "that show both side by side without saying which is which. Assessors save their answers as a "
        "file; intentx survey count reads these with the key.",
    )
    make.add_argument("--ranker", required=True, metavar="SPEC", help=f"one of {SPECS}")
    make.add_argument(
        "--method", action="append", required=True, metavar="NAME",
        help=f"given twice: a method that explains documents, or {VANILLA} (the window with most words "
        "of the query)",
    )  # fmt: skip
    add_topics(make)
    make.add_argument(
        "--words", type=positive, default=20, metavar="N", help="words of a snippet (default 20)"
    )
    make.add_argument(
        "--per-query", type=positive, default=1, metavar="N",
        help="ask about the first N documents of each query (default 1)",
    )  # fmt: skip
    make.add_argument(
        "--copies", type=positive, default=1, metavar="N",
        help="pages, each with sides and order of its own (default 1)",
    )  # fmt: skip
    make.add_argument("--title", default=TITLE, metavar="TEXT", help="the question that is asked")
    add_words(make, extra="for methods, and for bm25, lm and rm3")
    make.add_argument("--seed", type=int, default=0, help="of all random draws (default 0)")
    make.add_argument("--out", type=Path, required=True, metavar="DIR", help="created if needed")
    make.set_defaults(run_command=_make)


def _make(options: argparse.Namespace) -> None:
    check_topics(options)
    options.analyzer = word_settings(options).analyzer()
    if len(options.method) != 2 or options.method[0] == options.method[1]:
        raise InputError(
            f"a survey is of two different methods: give --method twice, not "
            f"{' and '.join(options.method)}"
        )
    if options.seed < 0:
        raise InputError(f"--seed must be 0 or more, not {options.seed}")
    cuts = [_cut(name, options) for name in options.method]
    out = _folder(options.out)
    quiet_models(options.ranker)
    topics = asked_topics(options)
    mark_of(options.ranker, options.analyzer)  # loads it: what is no ranker is told now
    questions = []
    with progress("queries") as bar:
        for number, topic in enumerate(topics, start=1):
            ranking = ranking_of(options.ranker, topic, analyzer=options.analyzer)
            questions += _questions(ranking, cuts, options.per_query)
            bar(number, len(topics))
    methods = (options.method[0], options.method[1])
    survey = Survey.draw(
        methods, questions, copies=options.copies, title=given_text(options.title), seed=options.seed
    )
    pages, key = write_survey(out, survey)
    for page in pages:
        show(f"page: {page}")
    show(f"key, not for assessors: {key}")
    same = f"; {survey.same} with the same snippet by both are not asked" if survey.same else ""
    tell(f"{len(survey.questions)} questions{same}")


def _questions(ranking: Ranking, cuts: Sequence[Cut], number: int) -> list[SurveyQuestion]:
    """One for each of the first documents that hold a word."""
    found = []
    for position in range(min(number, len(ranking))):
        first, second = (cut(ranking, position).text for cut in cuts)
        if first or second:
            found.append(
                SurveyQuestion(
                    ranking.query, ranking.doc_ids[position], ranking.texts[position], first, second
                )
            )
    return found


def _cut(name: str, options: argparse.Namespace) -> Cut:
    """What makes the snippet of a document by a method."""
    words, analyzer = options.words, options.analyzer
    if name == VANILLA:
        return partial(_vanilla, words, analyzer)
    method = find_method(name)
    if method.explains != "document":
        able = [one for one, known in all_methods().items() if known.explains == "document"]
        raise InputError(
            f"{name} explains a whole ranking, and a snippet is of one document; choose from "
            f"{', '.join([VANILLA, *able])}"
        )
    settings: dict[str, Any] = {}
    if "seed" in method.settings:
        settings["seed"] = options.seed
    made = make_method(name, settings)
    return lambda ranking, position: snippet(made.explain(ranking, position), words)


def _vanilla(words: int, analyzer: Analyzer, ranking: Ranking, position: int) -> Snippet:
    return query_snippet(ranking, position, words, analyzer=analyzer)


def _folder(path: Path) -> Path:
    """The folder, made; one that holds a survey is refused, whose answers could not be counted then."""
    if (path / KEY).exists():
        raise InputError(
            f"{path} holds a survey already, and its answers need its {KEY}; name another folder"
        )
    return made_folder(path)


def _count(options: argparse.Namespace) -> None:
    path = options.key / KEY if options.key.is_dir() else options.key
    survey = load(path)
    if not isinstance(survey, Survey):
        raise InputError(f"{path} is no key of a survey, but a {type(survey).__name__}")
    found = survey.count([read_answers(name) for name in options.answers])
    if options.json:
        show_json({"format": found.FORMAT, **found.to_dict()})
    else:
        show(found)
