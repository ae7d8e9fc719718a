"""The command line: ``intentx demo``, ``intentx explain`` and ``intentx train``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import intentx
from intentx.datasets import demo_queries, load_demo, read_documents
from intentx.datasets.demo import DemoQuery
from intentx.errors import CacheWarning, InputError, IntentxError, ScorerError, TruncationWarning
from intentx.evaluation.heldout import heldout_fidelity
from intentx.evaluation.orders import kendall_tau_b
from intentx.explainers.explanation import IntentExplanation
from intentx.explainers.intent import IntentGreedy, Multiplex, QueryTerms, RandomTerms
from intentx.preferences.vectors import TermVectors
from intentx.rankers import load_ranker, run_of
from intentx.rankers.encoders import BiEncoder
from intentx.rankers.load import SPECS
from intentx.ranking import Document, Ranking, rank
from intentx.report import write_page
from intentx.scoring import BlackBox
from intentx.text import Analyzer, TextIndex
from intentx.train_cli import add_train

__all__ = ["main"]

FINE, FAILED, USAGE = 0, 1, 2

METHODS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "multiplex": lambda a: Multiplex(**_chosen(a), generality=a.generality, budget=a.budget),
    "multiplex-published": lambda a: Multiplex.published(**_chosen(a)),
    "greedy": lambda a: IntentGreedy(**_without(_chosen(a), "vectors")),
    "query-terms": lambda a: QueryTerms(vectors=a.term_vectors, analyzer=_analyzer(a)),
    "random-terms": lambda a: RandomTerms(**_chosen(a)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 fine, 1 the ranker failed, 2 usage."""
    # Tests and pipes read plain lines; a model's own progress bars do not belong on a terminal.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        with _warnings_in_words():
            options.run_command(options)
    except ScorerError as error:
        sys.stderr.write(f"intentx: the ranker failed: {error}\n")
        return FAILED
    except IntentxError as error:
        sys.stderr.write(f"intentx: {error}\n")
        return USAGE
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
    return FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="intentx", description="What does a text ranker think a query means?"
    )
    parser.add_argument("--version", action="version", version=f"intentx {intentx.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="rank an ambiguous query with BM25 and MiniLM, explain both")
    demo.add_argument("--query", default="jaguar speed", help="one of the demo queries (--list)")
    demo.add_argument("--list", action="store_true", help="list the demo queries")
    demo.add_argument("--html", type=Path, default=Path("intentx-demo.html"), metavar="FILE")
    demo.add_argument("--json", action="store_true", help="print both explanations as JSON")
    demo.add_argument("--seed", type=int, default=0)
    demo.set_defaults(run_command=_demo)

    explain = commands.add_parser("explain", help="explain the ranking of your documents for a query")
    explain.add_argument("--ranker", metavar="SPEC", help=f"{SPECS}, or run:FILE")
    explain.add_argument("--query", required=True, metavar="Q")
    explain.add_argument("--docs", required=True, metavar="FILE", help="JSONL or TSV; - reads stdin")
    explain.add_argument(
        "--run",
        metavar="FILE",
        help="a TREC run: rank only its documents; without --ranker, explain the run itself",
    )
    explain.add_argument("--qid", help="the query's id in the run, when it holds several")
    explain.add_argument("--method", choices=METHODS, default="multiplex")
    explain.add_argument("--max-terms", type=_positive, default=10, metavar="K")
    explain.add_argument("--candidates", type=_positive, default=200, metavar="N")
    explain.add_argument(
        "--generality", type=float, default=0.5, metavar="G",
        help="0 fits the list and nothing else, 1 seeks terms that hold beyond it (default 0.5)",
    )  # fmt: skip
    explain.add_argument("--budget", type=int, default=300, help="most edited documents to score")
    explain.add_argument("--query-terms", choices=("allow", "exclude"), default="allow")
    explain.add_argument("--stem", metavar="LANGUAGE", help="stem words, e.g. english")
    explain.add_argument("--ngrams", type=_positive, default=1, metavar="N")
    explain.add_argument(
        "--vectors", metavar="SOURCE",
        help="term vectors: a GloVe/word2vec text file, a sentence-transformers model, or minilm; "
        "without, they are learned from the documents",
    )  # fmt: skip
    explain.add_argument(
        "--heldout", type=int, default=0, metavar="SPLITS", help="measure on held-out documents too"
    )
    explain.add_argument("--seed", type=int, default=0)
    explain.add_argument(
        "--cut", action="store_true",
        help="cut documents to what the ranker reads of them, so that no other word is explained",
    )  # fmt: skip
    explain.add_argument(
        "--cache", metavar="FILE", help="remember scores in FILE: what it has, the ranker is not asked"
    )
    explain.add_argument(
        "--fingerprint", metavar="TEXT",
        help="with --cache, for a module:callable: a text that changes whenever its scores may",
    )  # fmt: skip
    output = explain.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the explanation as JSON")
    output.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    explain.set_defaults(run_command=_explain)
    add_train(commands, _progress)
    return parser


def _explain(options: argparse.Namespace) -> None:
    documents = read_documents(options.docs)
    if options.ranker and options.ranker.startswith("run:"):
        if options.run:
            raise InputError(f"two runs, --run {options.run} and --ranker {options.ranker}; name one")
        options.ranker, options.run = None, options.ranker.removeprefix("run:")
    if not options.ranker and not options.run:
        raise InputError(f"name a ranker: --ranker with one of {SPECS}; or give --run FILE")
    _check_folder(options.html)
    with _progress() as bar:
        ranking = _ranking(options, documents, bar)
        options.term_vectors = _vectors(options.vectors, ranking.texts, _analyzer(options))
        method = METHODS[options.method](options)
        explanation = method.explain(ranking)
        heldout = heldout_fidelity(method, ranking, repeats=options.heldout) if options.heldout else None
    _tell_hits(ranking.scorer)
    plain = explanation.to_dict()
    if heldout is not None:
        plain["heldout_documents"] = heldout.to_dict()
    if options.json:
        sys.stdout.write(json.dumps(plain, ensure_ascii=False) + "\n")
        return
    _show(explanation)
    if heldout is not None:
        _show(heldout)
    if options.html:
        _show(f"page: {write_page(options.html, [explanation], labels=[options.ranker or 'run'])}")


def _check_folder(page: Path | None) -> None:
    """Refuse a page that cannot be written, before any work is done for it."""
    if page and not page.absolute().parent.is_dir():
        raise InputError(f"no folder {page.absolute().parent} for the page")


def _ranking(
    options: argparse.Namespace, documents: Sequence[Document], bar: Callable[[int, int], None]
) -> Ranking:
    run = run_of(options.run, options.qid) if options.run else None
    if run is not None:
        recorded = Ranking.from_run(run, options.query, documents)
        if not options.ranker:
            if options.cache:
                raise InputError("a recorded run asks no ranker, and --cache has nothing to remember")
            if options.cut:
                raise InputError(
                    "what the ranker of a recorded run reads is unknown: --cut needs --ranker"
                )
            return recorded
        by_id = {document.id: document for document in documents}
        documents = [by_id[doc_id] for doc_id in run]
    sys.path.insert(0, str(Path.cwd()))  # so that module:callable finds a module next to the user
    _quiet_models(options.ranker)
    scorer = load_ranker(options.ranker, [document.content for document in documents])
    box = BlackBox(scorer, progress=bar, cache=options.cache, fingerprint=options.fingerprint)
    return rank(box, options.query, documents, truncated="cut" if options.cut else "warn")


def _tell_hits(box: BlackBox | None) -> None:
    if box is not None and box.cache is not None:
        sys.stderr.write(
            f"scores: {box.texts_asked} asked for, {box.texts_known} of them in memory, "
            f"{box.texts_found} in {box.cache.path.name}, {box.texts_scored} from the ranker\n"
        )


def _demo(options: argparse.Namespace) -> None:
    if options.list:
        _show("\n".join(demo_queries()))
        return
    demo = load_demo(options.query)
    _check_folder(options.html)
    texts = [document.content for document in demo.documents]
    _quiet_models("bi-encoder:minilm")
    with _progress() as bar:
        encoder = BiEncoder.minilm()
        scorers = {"BM25": load_ranker("bm25", texts), "MiniLM": encoder}
        vocabulary = TextIndex(texts, Analyzer()).vocabulary
        vectors = TermVectors.from_sentence_transformer(encoder.model, vocabulary)
        method = Multiplex(vectors=vectors, seed=options.seed)
        explanations = {
            name: method.explain(rank(BlackBox(scorer, progress=bar), demo.query, demo.documents))
            for name, scorer in scorers.items()
        }
    if options.json:
        plain = {name: explanation.to_dict() for name, explanation in explanations.items()}
        sys.stdout.write(json.dumps(plain, ensure_ascii=False) + "\n")
        return
    for name, explanation in explanations.items():
        _show(f"\n{name}, best first: {_senses(explanation.ranking, demo)}")
        _show(explanation)
    _show(_difference(explanations))
    page = write_page(
        options.html,
        list(explanations.values()),
        labels=list(explanations),
        senses=demo.sense_of,
        sense_names=demo.senses,
    )
    _show(f"page: {page}")


def _senses(ranking: Ranking, demo: DemoQuery) -> str:
    """The senses of the ten best documents, in order."""
    return " ".join(demo.sense_of[doc_id] for doc_id in ranking.doc_ids[:10])


def _difference(explanations: dict[str, IntentExplanation]) -> str:
    """What either of two explanations has alone, and how far their rankings agree."""
    (name, first), (other, second) = explanations.items()
    scores = dict(zip(second.ranking.doc_ids, second.ranking.scores, strict=True))
    tau = kendall_tau_b(first.ranking.scores, np.array([scores[i] for i in first.ranking.doc_ids]))
    lines = [f"\nThe two rankings agree with Kendall τ-b {tau:.2f}."]
    for label, one, two in ((name, first, second), (other, second, first)):
        own = ", ".join(term for term in one.terms if term not in two.terms)
        lines.append(f"Only {label} wants: {own or 'nothing of its own'}")
    both = ", ".join(term for term in first.terms if term in second.terms)
    return "\n".join([*lines, f"Both want: {both or 'nothing in common'}"])


def _vectors(source: str | None, texts: Sequence[str], analyzer: Analyzer) -> TermVectors | None:
    if source is None:
        return None
    vocabulary = TextIndex(texts, analyzer).vocabulary
    if Path(source).is_file():
        return TermVectors.from_text_file(source, vocabulary)
    _quiet_models(f"bi-encoder:{source}")
    encoder = BiEncoder.minilm() if source == "minilm" else BiEncoder(source)
    return TermVectors.from_sentence_transformer(encoder.model, vocabulary)


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that all methods share which choose terms."""
    return {
        "max_terms": options.max_terms,
        "candidates": options.candidates,
        "query_terms": options.query_terms,
        "vectors": options.term_vectors,
        "analyzer": _analyzer(options),
        "seed": options.seed,
    }


def _without(settings: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != name}


def _analyzer(options: argparse.Namespace) -> Analyzer:
    return Analyzer(stem=options.stem, ngrams=options.ngrams)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"1 or more expected, not {number}")
    return number


def _quiet_models(spec: str) -> None:
    """Switch off the weight-loading bars of transformers: progress here is intentx's own."""
    if spec.startswith(("bi-encoder:", "cross-encoder:", "dpr:")):
        with contextlib.suppress(ImportError):
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Our own warnings as a line each, without the line of code that they come from."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, CacheWarning | TruncationWarning):
                sys.stderr.write(f"intentx: {message}\n")
            else:
                others(message, category, *where, **more)

        warnings.showwarning = show
        yield


@contextlib.contextmanager
def _progress(label: str = "asking the ranker") -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's standard error; yields what a `BlackBox` reports its progress to."""
    from rich.console import Console
    from rich.progress import Progress

    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _show(something: Any) -> None:
    from rich.console import Console

    # What users named may hold brackets, and a path is not to be broken.
    Console(highlight=False, markup=False, soft_wrap=isinstance(something, str)).print(something)
