"""The command line, ``intentx COMMAND``: one file a command."""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import intentx
from intentx.cli.bench import add_bench
from intentx.cli.compare import add_compare
from intentx.cli.explain import add_explain
from intentx.cli.missing import add_missing
from intentx.cli.parser import USAGE, Parser
from intentx.cli.rankers import add_rankers
from intentx.cli.report import add_report
from intentx.cli.serve import add_serve
from intentx.cli.survey import add_survey
from intentx.cli.terminal import (
    check_folder,
    progress,
    quiet_models,
    show,
    show_json,
    standard_output_kept,
    tell,
    warnings_in_words,
    whatever_terminal,
)
from intentx.cli.train import add_train
from intentx.datasets import demo_queries, load_demo
from intentx.datasets.demo import DemoQuery
from intentx.errors import IntentxError, ScorerError
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.multiplex import Multiplex
from intentx.preferences.vectors import TermVectors
from intentx.rankers import load_ranker
from intentx.rankers.transformers.encoders import BiEncoder
from intentx.ranking import Ranking, rank
from intentx.report import write_page
from intentx.scoring import BlackBox
from intentx.text import Analyzer, TextIndex

__all__ = ["main"]

FINE, FAILED = 0, 1
INTERRUPTED = 130  # as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0 fine, 1 the ranker or some queries failed, 2 usage."""
    # Tests and pipes read plain lines; a model's own progress bars do not belong on a terminal.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    with whatever_terminal():
        options = _parser().parse_args(arguments)
        here = str(Path.cwd())
        if here not in sys.path:  # so that module:callable finds a module next to the user
            sys.path.insert(0, here)
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        with standard_output_kept(), warnings_in_words():
            code: int = options.run_command(options) or FINE
    except ScorerError as error:
        tell(f"intentx: the ranker failed: {error}")
        return FAILED
    except IntentxError as error:
        tell(f"intentx: {error}")
        return USAGE
    except KeyboardInterrupt:
        tell("intentx: interrupted; to resume a study, run the same command again")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return FINE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="intentx", description="What does a text ranker think a query means?")
    parser.add_argument("--version", action="version", version=f"intentx {intentx.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="rank an ambiguous query with BM25 and MiniLM, explain both")
    demo.add_argument("--query", default="jaguar speed", help="one of the demo queries (--list)")
    demo.add_argument("--list", action="store_true", help="list the demo queries")
    demo.add_argument("--html", type=Path, default=Path("intentx-demo.html"), metavar="FILE")
    demo.add_argument("--json", action="store_true", help="print both explanations as JSON")
    demo.add_argument("--seed", type=int, default=0)
    demo.set_defaults(run_command=_demo)

    add_explain(commands)
    add_missing(commands)
    add_bench(commands)
    add_report(commands)
    add_compare(commands)
    add_train(commands, progress)
    add_rankers(commands)
    add_serve(commands)
    add_survey(commands)
    return parser


def _demo(options: argparse.Namespace) -> None:
    if options.list:
        show("\n".join(demo_queries()))
        return
    demo = load_demo(options.query)
    check_folder(options.html)
    texts = [document.content for document in demo.documents]
    quiet_models("bi-encoder:minilm")
    with progress() as bar:
        encoder = BiEncoder.minilm()
        scorers = {"BM25": load_ranker("bm25", texts), "MiniLM": encoder, "random": _at_random}
        vocabulary = TextIndex(texts, Analyzer()).vocabulary
        vectors = TermVectors.from_sentence_transformer(encoder.model, vocabulary)
        explanations = {
            name: Multiplex(vectors=vectors if name == "MiniLM" else None, seed=options.seed).explain(
                rank(BlackBox(scorer, progress=bar), demo.query, demo.documents)
            )
            for name, scorer in scorers.items()
        }
    if options.json:
        plain = {name: explanation.to_dict() for name, explanation in explanations.items()}
        show_json(plain)
        return
    for name, explanation in explanations.items():
        show(f"\n{name}, best first: {_senses(explanation.ranking, demo)}")
        show(explanation)
    show(_difference(explanations))
    page = write_page(
        options.html,
        list(explanations.values()),
        labels=list(explanations),
        senses=demo.sense_of,
        sense_names=demo.senses,
    )
    show(f"page: {page}")


def _at_random(query: str, texts: Sequence[str]) -> list[float]:
    """A ranker that looks for nothing: numbers that look random, the same for the same text."""
    return [zlib.crc32(text.encode()) / 2**32 for text in texts]


def _senses(ranking: Ranking, demo: DemoQuery) -> str:
    """The senses of the ten best documents, in order."""
    return " ".join(demo.sense_of[doc_id] for doc_id in ranking.doc_ids[:10])


def _difference(explanations: dict[str, IntentExplanation]) -> str:
    """What the first two explanations have alone and in common, and how far their rankings agree."""
    (name, first), (other, second) = [*explanations.items()][:2]
    scores = dict(zip(second.ranking.doc_ids, second.ranking.scores, strict=True))
    tau = kendall_tau_b(first.ranking.scores, np.array([scores[i] for i in first.ranking.doc_ids]))
    lines = [f"\nThe rankings of {name} and {other} agree with Kendall τ-b {tau:.2f}."]
    for label, one, two in ((name, first, second), (other, second, first)):
        own = ", ".join(word for word in one.words if word not in two.words)
        lines.append(f"Only {label}: {own or 'nothing of its own'}")
    both = ", ".join(word for word in first.words if word in second.words)
    return "\n".join([*lines, f"Both: {both or 'nothing in common'}"])
