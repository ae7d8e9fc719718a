"""The command ``intentx explain``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from intentx.cli.change_options import add_change, check_change, explain_change
from intentx.cli.encoders import encoder, vectors
from intentx.cli.explain_features import add_features, explain_features, refuse_features
from intentx.cli.explained_ranking import document_in, ranking_of, settle_rankers, tell_hits
from intentx.cli.explained_shown import Shown, show_explanations
from intentx.cli.method_options import (
    OF_DOCUMENTS,
    OF_RANKINGS,
    MethodNames,
    explaining,
    having,
    method_of,
    takes,
)
from intentx.cli.parser import positive
from intentx.cli.setting_options import add_settings
from intentx.cli.simple_ranker_options import check_simple_rankers
from intentx.cli.terminal import check_folder, given_text, progress
from intentx.cli.word_options import word_settings
from intentx.datasets import read_documents
from intentx.errors import InputError
from intentx.evaluation.axioms import axioms
from intentx.evaluation.base import Measure
from intentx.evaluation.faithfulness import faithfulness
from intentx.evaluation.heldout import heldout_fidelity
from intentx.explainers.methods import METHODS, Method, all_methods, find_method
from intentx.preferences.simple_rankers import chosen_simple_rankers
from intentx.rankers import RankerSpec
from intentx.rankers.kinds import SPECS, listed
from intentx.ranking import Document, Ranking
from intentx.report.pictures.words import check_picture

__all__ = ["add_explain"]

STRICT = ("dense", "objective", "max_weight", "controls", "collection")  # never passed over


def add_explain(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    explain = commands.add_parser(
        "explain",
        help="explain the ranking of your documents for a query, or one document",
        description="Without --doc, the whole ranking is explained by intent terms; with it, one "
        "document by signed words.",
    )
    explain.add_argument(
        "--ranker", metavar="SPEC", action="append",
        help=f"{SPECS}, or run:FILE; with --doc several times, perhaps as NAME=SPEC: the rankers side "
        "by side",
    )  # fmt: skip
    explain.add_argument("--query", metavar="Q", help="the query")
    explain.add_argument("--docs", metavar="FILE", help="JSONL or TSV; - reads stdin")
    explain.add_argument(
        "--run",
        metavar="FILE",
        help="a TREC run: rank only its documents; without --ranker, explain the run itself",
    )
    explain.add_argument("--qid", help="the query's id in the run or the LETOR file")
    explain.add_argument(
        "--method", choices=MethodNames(), action="append", metavar="METHOD",
        help=f"for rankings: {', '.join(explaining('ranking'))} (default multiplex); for documents, "
        f"some of them for rankings, too: {', '.join(explaining('document'))} (default shap); "
        "or one that an installed package adds; can be given several times; NAME:VALUE is a variant, "
        f"such as deepshap:oov, of {_and([name for name, method in METHODS.items() if method.variant])}",
    )  # fmt: skip
    explain.add_argument(
        "--doc", metavar="ID",
        help="explain this document; #3 is the one of rank 3, by the first ranker",
    )  # fmt: skip
    explain.add_argument(
        "--above",
        metavar="ID",
        help=f"why --doc is above this one (methods {_and(_contrastive(METHODS))})",
    )
    explain.add_argument("--max-terms", type=positive, metavar="K", help="at most K terms (default 10)")
    explain.add_argument(
        "--vectors", metavar="SOURCE",
        help="term vectors: a GloVe/word2vec text file, a sentence-transformers model, or minilm; "
        "by default they are learned from the documents",
    )  # fmt: skip
    _add_measures(explain)
    explain.add_argument("--seed", type=int, default=0, help="of all random draws (default 0)")
    explain.add_argument(
        "--cut", action="store_true",
        help="cut documents to the part that the ranker reads, and explain only that part",
    )  # fmt: skip
    explain.add_argument(
        "--cache", metavar="FILE", help="cache scores in FILE; texts found there are not scored again"
    )
    explain.add_argument(
        "--fingerprint", metavar="TEXT",
        help="with --cache, for a module:callable: a string; change it whenever its scores may change",
    )  # fmt: skip
    _add_outputs(explain)
    add_settings(explain)
    add_features(explain)
    add_change(explain)
    explain.set_defaults(run_command=_explain)


def _add_outputs(explain: argparse.ArgumentParser) -> None:
    """Options that say where the explanation goes."""
    explain.add_argument("--json", action="store_true", help="print the explanation as JSON")
    explain.add_argument("--html", type=Path, metavar="FILE", help="write an HTML page")
    explain.add_argument(
        "--png", type=Path, metavar="FILE", help="write a picture; .svg and .pdf work, too"
    )


def _add_measures(explain: argparse.ArgumentParser) -> None:
    """What is measured of an explanation on request."""
    explain.add_argument(
        "--heldout", type=int, default=0, metavar="SPLITS", help="measure on held-out documents, too"
    )
    explain.add_argument(
        "--faithfulness", action="store_true",
        help="with --doc: remove its words, or all others, and measure how the rank changes",
    )  # fmt: skip
    explain.add_argument(
        "--axioms", action="store_true",
        help="count which retrieval axioms the ranker agrees with, too; asks no ranker",
    )  # fmt: skip


def _explain(options: argparse.Namespace) -> None:
    settle_rankers(options)
    if options.letor:
        explain_features(options)
        return
    refuse_features(options)
    for name in ("query", "docs"):
        if getattr(options, name) is None:
            raise InputError(f"the following arguments are required: --{name}")
    _settle_spec(options)
    for name in ("query", "qid", "doc", "above"):
        given = getattr(options, name)
        setattr(options, name, given if given is None else given_text(given))
    check_change(options)
    usual = ["multiplex" if options.doc is None else "shap"]
    options.method = [name.lower() if ":" in name else name for name in options.method or usual]
    if options.goal is None:
        _check_options(options, options.method)
    options.analyzer = word_settings(options).analyzer()
    documents = read_documents(options.docs)
    with progress() as bar:
        if options.rankers:
            explanations = _by_rankers(options, documents, bar)
        else:
            explanations = _by_one_ranker(options, documents, bar)
        shown = Shown(explanations, options)
    show_explanations(shown)


def _settle_spec(options: argparse.Namespace) -> None:
    """Parse the spec of the one ranker; a recorded run becomes the run of the options."""
    options.spec = RankerSpec.parse(options.ranker) if options.ranker else None
    if options.spec is not None and options.spec.kind == "run":
        if options.run:
            raise InputError(f"--run {options.run} and --ranker {options.ranker} are two runs; give one")
        options.ranker, options.run = None, options.spec.target
    if not options.ranker and not options.run:
        raise InputError(f"name a ranker: --ranker with one of {listed()}; or give --run FILE")


def _by_one_ranker(
    options: argparse.Namespace, documents: Sequence[Document], bar: Callable[[int, int], None]
) -> dict[str, Any]:
    """By the names of the methods, explanations of one ranker's ranking or document."""
    ranking = ranking_of(options, documents, bar)
    doc, above = (document_in(ranking, name) for name in (options.doc, options.above))
    if options.goal is not None and doc is not None:
        explanations: dict[str, Any] = {"change": explain_change(options, ranking, doc, above)}
    else:
        explanations = _by_words(options, options.method, ranking, doc, above)
    tell_hits(ranking.scorer)
    return explanations


def _by_rankers(
    options: argparse.Namespace, documents: Sequence[Document], bar: Callable[[int, int], None]
) -> dict[str, Any]:
    """By the names of the rankers, explanations of one document by one method."""
    explanations: dict[str, Any] = {}
    for name, spec in options.rankers.items():
        one = argparse.Namespace(**{**vars(options), "ranker": spec})
        try:
            _settle_spec(one)
            ranking = ranking_of(one, documents, bar)
            doc, above = (document_in(ranking, given) for given in (options.doc, options.above))
            [explanations[name]] = _by_words(one, options.method, ranking, doc, above).values()
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        if not explanations.keys() - {name}:  # a document named by its rank is the same for the others
            options.doc = None if doc is None else ranking.doc_ids[doc]
            options.above = None if above is None else ranking.doc_ids[above]
        tell_hits(ranking.scorer)
    return explanations


def _by_words(
    options: argparse.Namespace,
    names: Sequence[str],
    ranking: Ranking,
    doc: int | None,
    above: int | None,
) -> dict[str, Any]:
    """Explanations by the methods, and what was measured of them."""
    options.term_vectors = vectors(options.vectors, ranking.texts, options.analyzer)
    options.encoder = encoder(options, ranking)
    if options.simple_rankers is not None:
        options.simple_rankers = chosen_simple_rankers(options.simple_rankers, options.encoder)
    if options.collection is not None:
        options.collection = read_documents(options.collection)
    methods = {name: method_of(name, options) for name in names}
    explanations = {name: _explained(method, ranking, doc, above) for name, method in methods.items()}
    return {
        name: one.with_measures(*_judged(options, methods[name], one))
        for name, one in explanations.items()
    }


def _check_options(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse what cannot work before any work is done for it."""
    check_folder(options.html)
    if options.png:
        check_picture(options.png)
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise InputError(f"--method {repeated[0]} is given twice")
    methods = {name: find_method(name) for name in names}
    whole = [name for name in names if methods[name].explains == "ranking"]
    if options.doc is None:
        for option in ("above", "faithfulness"):
            if getattr(options, option):
                raise InputError(f"--{option} needs one document: name it with --doc")
    elif whole:
        able = [name for name, method in all_methods().items() if method.explains == "document"]
        raise InputError(
            f"{whole[0]} explains a whole ranking; for --doc choose --method from {', '.join(able)}"
        )
    elif options.heldout:
        raise InputError("--heldout measures explanations of a whole ranking: leave --doc out")
    if options.above is not None:
        for name, method in methods.items():
            if not method.contrastive:
                able = _contrastive(all_methods())
                raise InputError(f"{name} explains one document by itself; --above needs {_or(able)}")
    if check_simple_rankers(options) is not None and options.doc is not None:
        raise InputError("--simple-rankers explain a whole ranking: leave --doc out")
    if options.mask is not None and options.removal != "mask":
        raise InputError("--mask says what masked words become: it needs --removal mask")
    _check_settings(options, methods, whole)


def _check_settings(
    options: argparse.Namespace, methods: Mapping[str, Method], whole: Sequence[str]
) -> None:
    """Refuse options that are settings of none of the methods."""
    for option in (*OF_DOCUMENTS, *OF_RANKINGS):
        if getattr(options, option) is None:
            continue
        if option == "dense" and options.simple_rankers is not None:
            continue
        if any(takes(method, option) for method in methods.values()):
            continue
        # Of methods for rankings, those without a setting pass it over; but dense changes the table.
        if option in OF_RANKINGS and option not in STRICT and whole:
            continue
        able, shown = having(option, every=True), option.replace("_", "-")
        shown = "no-controls" if option == "controls" else shown
        raise InputError(f"--{shown} is a setting of {_or(able)}, not of {_or([*methods])}")


def _explained(method: Any, ranking: Ranking, doc: int | None, above: int | None) -> Any:
    """An explanation of a ranking, or of a document, perhaps beside another one."""
    if doc is None:
        return method.explain(ranking)
    return method.explain(ranking, doc) if above is None else method.explain(ranking, doc, above=above)


def _contrastive(methods: Mapping[str, Method]) -> list[str]:
    return [name for name, method in methods.items() if method.contrastive]


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _or(names: Sequence[str] | Mapping[str, Any]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _judged(options: argparse.Namespace, method: Any, explanation: Any) -> list[Measure]:
    """The measures that were asked for."""
    judged: list[Measure] = []
    if options.heldout:
        judged.append(heldout_fidelity(method, explanation.ranking, repeats=options.heldout))
    if options.axioms:
        judged.append(axioms(explanation))
    if options.faithfulness:
        judged.append(faithfulness(explanation, seed=options.seed))
    return judged
