"""The command ``intentx missing``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from intentx.cli.change_options import kept_words
from intentx.cli.parser import positive
from intentx.cli.terminal import check_folder, given_text, progress, quiet_models, show, show_json, tell
from intentx.cli.word_options import add_words, word_settings
from intentx.datasets import read_documents
from intentx.errors import InputError
from intentx.explainers.change.missing import missing
from intentx.rankers import Pipeline, RankerSpec
from intentx.rankers.kinds import SPECS
from intentx.scoring import BlackBox

__all__ = ["add_missing"]


def add_missing(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser(
        "missing",
        help="why a document is not among the first K, and what would bring it in",
        description="At which stage the document was lost, its rank and score at each stage, the "
        "query's words that it lacks, and the fewest of the query's words that would bring it in.",
    )
    command.add_argument("--ranker", required=True, metavar="SPEC", help=SPECS)
    command.add_argument(
        "--first", metavar="SPEC", help="the first stage, such as bm25; --ranker then reranks"
    )
    command.add_argument(
        "--depth", type=positive, metavar="N", help="documents that --ranker reranks (default 100)"
    )
    command.add_argument("--query", required=True, metavar="Q", help="the query")
    command.add_argument("--doc", required=True, metavar="ID", help="the document")
    command.add_argument("--docs", required=True, metavar="FILE", help="JSONL or TSV; - reads stdin")
    command.add_argument("--k", type=positive, default=10, metavar="K", help="ranks (default 10)")
    command.add_argument(
        "--budget", type=positive, default=200, metavar="N", help="most edited texts (default 200)"
    )
    command.add_argument(
        "--keep", metavar="WORDS",
        help="words that the smallest change does not insert, with commas; query: those of the query",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print the answer as JSON")
    command.add_argument("--html", type=Path, metavar="FILE", help="write an HTML page")
    add_words(command, ngrams=False, extra="for bm25, lm and rm3")
    command.set_defaults(run_command=_missing)


def _missing(options: argparse.Namespace) -> None:
    check_folder(options.html)
    if options.depth is not None and options.first is None:
        raise InputError("--depth says how many documents of --first are reranked: give --first, too")
    specs = [RankerSpec.parse(spec) for spec in (options.first, options.ranker) if spec is not None]
    if any(spec.kind == "run" for spec in specs):
        raise InputError("a recorded run cannot score texts; name a ranker that can be asked")
    query, doc = given_text(options.query), given_text(options.doc)
    analyzer = word_settings(options).analyzer()
    documents = read_documents(options.docs)
    contents = [document.content for document in documents]
    with progress() as bar:
        loaded = []
        for spec in specs:
            quiet_models(str(spec))
            loaded.append(spec.load(contents, analyzer))
        if len(loaded) == 2:
            ranker: Any = Pipeline(loaded[0], loaded[1], options.depth or 100)
        else:
            ranker = BlackBox(loaded[0], progress=bar)
        kept = kept_words(options.keep)
        answer = missing(ranker, query, doc, documents, k=options.k, budget=options.budget, keep=kept)
    if options.json:
        show_json({"format": answer.FORMAT, **answer.to_dict()})
    else:
        show(answer)
    if options.html:
        line = f"page: {answer.to_html(options.html)}"
        if options.json:
            tell(line)
        else:
            show(line)
