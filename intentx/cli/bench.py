"""The command ``intentx bench``."""

from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path
from typing import Any

from intentx.cli.terminal import progress, quiet_models, show, tell
from intentx.cli.word_options import add_words, word_settings
from intentx.errors import InputError
from intentx.preferences.simple_rankers import SIMPLE_RANKERS
from intentx.rankers.services.redaction import without_secrets
from intentx.rankers.specs import is_spec
from intentx.signs import first_line
from intentx.study.by_query import rich_queries
from intentx.study.data_settings import Data
from intentx.study.plan import SHIPPED, Study, read_study
from intentx.study.results import read_results
from intentx.study.run import run_study, status
from intentx.study.simple_rankers import with_simple_rankers
from intentx.study.tables import rich_known, rich_tables

__all__ = ["add_bench"]

_PART = re.compile(r"\.(txt|dat|svm)(\.\w+)?$")  # a file of LETOR
FEW = 3  # failed queries of a method that are named; the others are in the results


def add_bench(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    bench = commands.add_parser(
        "bench",
        help="measure methods on many queries and rankers",
        description="Runs a study: rankers × methods × queries. Results are saved as they come; after a "
        "crash, run the same command again to resume.",
    )
    bench.add_argument(
        "study", nargs="?", metavar="STUDY", help=f"a TOML or YAML file, or one of {', '.join(SHIPPED)}"
    )
    bench.add_argument("--out", type=Path, metavar="DIR", help="where results are kept")
    bench.add_argument("--status", type=Path, metavar="DIR", help="show the progress of a study")
    bench.add_argument("--data", metavar="DIR", help="use this folder instead of the study's data")
    bench.add_argument(
        "--letor", action="append", metavar="FILE",
        help="of a study of rankers over features: judge the queries of this file; can be given several "
        "times",
    )  # fmt: skip
    bench.add_argument(
        "--train", action="append", metavar="FILE",
        help="with --letor: a file of other queries, for background values and the ranker lambdamart; "
        "can be given several times",
    )  # fmt: skip
    bench.add_argument(
        "--queries", type=int, metavar="N",
        help="use at most N queries, evenly spread; a smaller N takes a subset of those of a larger one",
    )  # fmt: skip
    bench.add_argument("--pool", metavar="RUN", help="the recorded run whose documents are ranked")
    _add_rankers(bench)
    _add_running(bench)
    add_words(bench, extra="override the study's [text]")
    bench.set_defaults(run_command=_bench)


def _add_rankers(bench: argparse.ArgumentParser) -> None:
    """Options that say what is measured."""
    bench.add_argument(
        "--ranker", action="append", default=[], metavar="NAME=SPEC",
        help="replace the study's ranker NAME by SPEC (NAME= may be left out if the study has one "
        "ranker); can be given several times",
    )  # fmt: skip
    bench.add_argument(
        "--simple-rankers", metavar="LIST",
        help="simple rankers to use instead of the study's, in methods that take several, and one at a "
        f"time where the study does so: some of {', '.join(SIMPLE_RANKERS)}",
    )  # fmt: skip
    bench.add_argument(
        "--dense", metavar="MODEL", help="encoder of the simple ranker dense in --simple-rankers"
    )
    bench.add_argument(
        "--by-query", action="store_true", help="show the terms and their fidelity for every query, too"
    )
    bench.add_argument(
        "--without", action="append", default=[], metavar="NAME",
        help="leave out a ranker or a method of the study; can be given several times",
    )  # fmt: skip


def _add_running(bench: argparse.ArgumentParser) -> None:
    """Options that say how it runs."""
    bench.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: what the study says, else 1)"
    )
    bench.add_argument("--dask", metavar="ADDRESS", help="use the workers of this Dask scheduler")
    bench.add_argument(
        "--cache", type=Path, metavar="FILE", help="cache scores of rankers that have a fingerprint"
    )
    bench.add_argument(
        "--index", type=Path, metavar="DIR",
        help="where BM25 finds the documents, keep its index of them in DIR, for other studies of the "
        "same documents (default: index in the folder of the results)",
    )  # fmt: skip
    bench.add_argument(
        "--shard", type=_shard, default=(0, 1), metavar="I/N",
        help="only the I-th of N parts of the queries; intentx report merges their folders",
    )  # fmt: skip
    bench.add_argument(
        "--resume", action=argparse.BooleanOptionalAction, default=True,
        help="resume from the results in the folder (default); --no-resume needs a folder without "
        "results",
    )  # fmt: skip


def _bench(options: argparse.Namespace) -> int:
    if options.status is not None:
        found = status(options.status)
        show(
            f"{found['name']}: {found['done']} of {found['cells']} cells of {found['queries']} queries "
            f"started; {found['failed']} without metrics"
        )
        return 0
    if options.study is None or options.out is None:
        raise InputError("name a study and a folder for its results: intentx bench STUDY --out DIR")
    if not options.resume and (options.out / "study.sqlite").exists():
        raise InputError(
            f"{options.out} already holds results; name another folder, or leave out --no-resume"
        )
    study = _changed(read_study(options.study), options)
    for spec in study.rankers.values():
        quiet_models(spec)
    for model in (study.measures.vectors, *(plain.get("dense") for plain in study.methods.values())):
        if model:
            quiet_models(f"bi-encoder:{model}")
    cells = 0

    def begin(number: int) -> None:
        nonlocal cells
        cells = number
        bar(0, cells)

    with progress("cells", lines=True) as bar:
        outcome = run_study(
            study,
            options.out,
            workers=options.workers,
            dask=options.dask,
            cache=options.cache,
            index=options.index,
            shard=options.shard,
            progress=lambda done, qid: bar(done, cells),
            total=begin,
        )
        bar(outcome.measured + outcome.found, cells)
    tell(
        f"{outcome.measured} cells measured, {outcome.found} were there, {outcome.failed} without "
        "metrics"
    )
    results = read_results([options.out])
    lines = results.lines
    if study.by_query:
        for table in rich_queries(results):
            show(table)
    for table in rich_tables(lines):
        show(table)
    known = rich_known(lines)
    if known is not None:
        show(known)
    for line in lines:
        for qid, reason in list(line.failed.items())[:FEW]:
            tell(f"{line.ranker}, {line.method}, query {qid}: {first_line(reason)}")
    return 1 if any(line.failed for line in lines) else 0


def _changed(study: Study, options: argparse.Namespace) -> Study:
    """The study with what the command line puts in its place."""
    data, rankers = study.data, dict(study.rankers)
    if options.letor or options.train or study.data.letor:
        data = _letor(study, options)
    elif options.data is not None:
        data = dataclasses.replace(
            data, folder=options.data, demo=(), beir=None, ir_datasets=None, topics=None, docs=None,
            runs={},
        )  # fmt: skip
    if options.queries is not None:
        data = dataclasses.replace(data, queries=options.queries)
    if options.pool is not None:
        data = dataclasses.replace(data, pool=options.pool or None)
    methods = study.methods
    for change in options.ranker:
        name, equals, spec = change.partition("=")
        if equals and name in rankers:
            rankers[name] = spec
            continue
        if len(study.rankers) > 1 or not is_spec(change):
            raise InputError(
                f"--ranker takes NAME=SPEC with the name of a ranker of the study, one of "
                f"{', '.join(study.rankers)}; not {without_secrets(change)!r}"
            )
        [old], new = study.rankers, without_secrets(change)  # the only one goes by its spec
        rankers.pop(old, None)
        rankers[new] = change
        methods = {
            method: {**plain, "rankers": (*rankers,)} if "rankers" in plain else plain
            for method, plain in methods.items()
        }
    text = word_settings(options, study.text.to_dict())
    study = dataclasses.replace(
        study, data=data, rankers=rankers, methods=methods, text=text,
        by_query=study.by_query or options.by_query,
    )  # fmt: skip
    if options.simple_rankers is not None:
        study = with_simple_rankers(study, options.simple_rankers.split(","), options.dense)
    elif options.dense is not None:
        raise InputError(
            "--dense sets the encoder of the simple ranker 'dense': name it in --simple-rankers, too"
        )
    return study.without(options.without)


def _letor(study: Study, options: argparse.Namespace) -> Data:
    """The files of a study of rankers over features that the command line puts in their place."""
    data = study.data
    if not data.letor:
        raise InputError("--letor and --train are for studies of rankers over features, such as ltr")
    if options.data is not None:
        folder = Path(options.data)
        files = sorted(str(one) for one in folder.glob("*") if _PART.search(one.name))
        if not files:
            raise InputError(
                f"{folder} has no files *.txt, *.dat or *.svm, packed or not, with features"
            )
        data = dataclasses.replace(data, letor=(*files,), train=(), folds=True)
    if options.letor:
        train = tuple(options.train or ())
        data = dataclasses.replace(data, letor=tuple(options.letor), train=train, folds=False)
    elif options.train:
        raise InputError("--train goes with --letor, the file of the queries that are judged")
    return data


def _shard(text: str) -> tuple[int, int]:
    """``"2/5"``, counted from 1 by people, as ``(1, 5)``."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 0 < int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"I/N expected, I from 1 to N, such as 2/5, not {text!r}")
    return int(part) - 1, int(parts)
