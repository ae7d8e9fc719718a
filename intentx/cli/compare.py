"""The command ``intentx compare``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intentx.cli.asked_topics import add_topics, asked_topics, check_topics, is_file, some
from intentx.cli.ranker_names import named_rankers
from intentx.cli.simple_ranker_options import add_simple_rankers, check_simple_rankers
from intentx.cli.terminal import check_folder, given_text, progress, quiet_models, show, show_json, tell
from intentx.cli.word_options import add_words, word_settings
from intentx.comparison.compare import check_rankers, compare_rankers
from intentx.errors import InputError
from intentx.explainers.ranking.multiplex import Multiplex
from intentx.preferences.simple_rankers import chosen_simple_rankers
from intentx.rankers import read_run
from intentx.rankers.kinds import SPECS, listed
from intentx.rankers.specs import is_lexical, is_spec, named_spec
from intentx.report.pages.comparison import write_comparison
from intentx.report.tables.comparison import rich_comparison
from intentx.signs import first_line
from intentx.study.data import Topic
from intentx.study.rankings import encoder_of, mark_of
from intentx.text import Analyzer

__all__ = ["add_compare", "split_specs"]

RUN = "run:"
FOUR = "text,position,semantic,dense"  # simple rankers with --dense alone

Run = Mapping[str, Mapping[str, float]]


def add_compare(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    compare = commands.add_parser(
        "compare",
        help="compare rankers: what one prefers and another does not, for each query and over all "
        "queries",
        description="Ranks the same documents by several rankers, explains each ranking, and shows what "
        "one prefers and another does not; over all queries, what a ranker consistently prefers.",
    )
    compare.add_argument(
        "--rankers", required=True, metavar="A,B,…",
        help=f"two or more of {SPECS}, run:FILE, or run:NAME of a run in the data; NAME=SPEC names one",
    )  # fmt: skip
    add_topics(compare)
    compare.add_argument(
        "--pair", nargs=2, metavar=("A", "B"),
        help="two documents: which terms, by which simple ranker, speak for A in one ranker and for B "
        "in another",
    )  # fmt: skip
    compare.add_argument("--max-terms", type=int, default=10, metavar="K", help="at most K terms each")
    compare.add_argument("--vectors", metavar="SOURCE", help="term vectors: minilm, a model or a file")
    add_simple_rankers(compare)
    add_words(
        compare,
        extra="for the explanation, and for bm25, lm and rm3 unless they have settings of their own",
    )
    compare.add_argument(
        "--edits", type=int, default=0, metavar="N",
        help="for N documents of each query that all rank high: which edits move them down in one order "
        "and not in another; some hundred texts for each document and ranker (default 0)",
    )  # fmt: skip
    compare.add_argument(
        "--axioms", action="store_true",
        help="count which retrieval axioms each ranker agrees with; asks no ranker",
    )  # fmt: skip
    compare.add_argument("--seed", type=int, default=0)
    compare.add_argument("--cache", metavar="FILE", help="cache scores in FILE")
    compare.add_argument("--json", action="store_true", help="print the comparison as JSON")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write an HTML page")
    compare.set_defaults(run_command=_compare)


def _compare(options: argparse.Namespace) -> int:
    check_folder(options.html)
    if options.max_terms < 1:
        raise InputError(f"--max-terms must be 1 or more, not {options.max_terms}")
    check_topics(options)
    if options.edits < 0:
        raise InputError(f"--edits must be 0 or more, not {options.edits}")
    options.analyzer = word_settings(options).analyzer()
    analyzer = None if options.analyzer == Analyzer() else options.analyzer  # a ranker may have its own
    specs = split_specs(options.rankers)
    check_rankers(specs)
    for spec in specs.values():
        quiet_models(spec)
    if options.vectors:
        quiet_models(f"bi-encoder:{options.vectors}")
    method = Multiplex(
        max_terms=options.max_terms, seed=options.seed, analyzer=analyzer, **_simple_rankers(options)
    )
    asked = _with_pair(_with_runs(asked_topics(options), specs), options.pair)
    for spec in specs.values():
        mark_of(spec, analyzer)  # loads it: what is no ranker is told now, and not for each query
    with progress("queries") as bar:
        comparison = compare_rankers(
            specs,
            asked,
            method=method,
            vectors=options.vectors,
            edits=options.edits,
            axioms=options.axioms,
            pair=options.pair and tuple(map(given_text, options.pair)),
            seed=options.seed,
            cache=options.cache,
            progress=lambda done, query: bar(done, len(asked)),
        )
    if options.json:
        show_json(comparison.to_dict())
    else:
        for part in rich_comparison(comparison):
            show(part)
    if options.html:
        written = write_comparison(options.html, comparison)
        (tell if options.json else show)(f"page: {written}")
    failed = [query for query in comparison.queries if query.failed]
    for query in failed:
        for name, reason in query.failed.items():
            who = f"{name}, query" if name else "query"
            tell(f"{who} {query.qid}: {first_line(reason)}")
    return 1 if failed else 0


def _simple_rankers(options: argparse.Namespace) -> dict[str, Any]:
    """The setting of the method, with the encoder loaded that ``--dense`` names."""
    named = check_simple_rankers(options)
    if options.dense is None:
        return {"simple_rankers": named}
    quiet_models(f"bi-encoder:{options.dense}")
    names = FOUR if named is None else options.simple_rankers
    return {"simple_rankers": chosen_simple_rankers(names, encoder_of(options.dense))}


def split_specs(text: str) -> dict[str, str]:
    """Specs of rankers by name, from a list with commas: ``bm25,my=dpr:QUERY_ENCODER,DOC_ENCODER``.

    A part that does not begin with a known kind or as a module:callable belongs to the one before.

    Raises
    ------
    InputError
        If there is no ranker, a part is empty, or two rankers have one name or are the same.

    Examples
    --------
    >>> split_specs("bm25,my=dpr:a,b")
    {'bm25': 'bm25', 'my': 'dpr:a,b'}
    """
    specs: list[str] = []
    for part in text.split(","):
        if not part.strip():
            raise InputError(f"--rankers has an empty part: {text!r}")
        if not specs or _begins(part.strip()):
            specs.append(part.strip())
        elif is_lexical(named_spec(specs[-1])[1]):  # takes nothing after a comma
            raise InputError(f"no ranker {part.strip()!r}; a ranker is one of: {listed()}, run:FILE")
        else:
            specs[-1] += f",{part.strip()}"
    return named_rankers(specs, "--rankers")


def _begins(part: str) -> bool:
    return is_spec(named_spec(part)[1])


def _with_runs(found: list[Topic], specs: Mapping[str, str]) -> list[Topic]:
    """The topics with the runs that rankers name as files; names that no query has are refused."""
    for spec in specs.values():
        if not spec.startswith(RUN):
            continue
        name = spec.removeprefix(RUN)
        if any(name in topic.runs for topic in found):
            continue
        if not is_file(Path(name)):
            known = dict.fromkeys(run for topic in found for run in topic.runs)
            raise InputError(
                f"no file {name!r}, and no such run in the data; it has {some(list(known))}"
            )
        run = read_run(name)
        only = next(iter(run.values())) if len(run) == len(found) == 1 else {}
        found = [_with_run(topic, name, run.get(topic.qid, only)) for topic in found]
        if not any(name in topic.runs for topic in found):
            raise InputError(f"{name} ranks no document of any query; it has queries {some(list(run))}")
    return found


def _with_pair(found: list[Topic], pair: Sequence[str] | None) -> list[Topic]:
    """The topics, refused where no query has both documents of a pair."""
    if pair is None:
        return found
    known = dict.fromkeys(doc for topic in found for doc in topic.docs)
    absent = [doc for doc in pair if doc not in known]
    if absent:
        raise InputError(f"--pair: no query has a document {absent[0]!r}; there are {some([*known])}")
    if not any({*pair} <= {*topic.pool, *topic.docs} for topic in found):
        raise InputError(f"--pair: no query has both {pair[0]!r} and {pair[1]!r}")
    return found


def _with_run(topic: Topic, name: str, scores: Mapping[str, float]) -> Topic:
    kept = {doc: score for doc, score in scores.items() if doc in topic.docs}
    return dataclasses.replace(topic, runs={**topic.runs, name: kept}) if kept else topic
