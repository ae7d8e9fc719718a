"""The options of ``intentx explain`` that are settings of some methods."""

from __future__ import annotations

import argparse
from typing import get_args

from intentx.cli.method_options import having
from intentx.cli.parser import positive
from intentx.cli.simple_ranker_options import add_simple_rankers
from intentx.cli.word_options import add_words
from intentx.explainers.change.term_sets import Goal
from intentx.explainers.document.lirme import Sampler
from intentx.explainers.inside.references import Reference
from intentx.explainers.methods import METHODS
from intentx.perturbation import Removal

__all__ = ["add_settings"]


def add_settings(explain: argparse.ArgumentParser) -> None:
    """The options that choose words, and those that are settings of some methods."""
    add_words(
        explain,
        extra="for the explanation, and for bm25, lm and rm3 unless they have settings of their own",
    )
    listwise = explain.add_argument_group("settings of methods that explain rankings")
    listwise.add_argument("--candidates", type=positive, metavar="N", help="terms to choose from")
    listwise.add_argument(
        "--generality", type=float, metavar="G",
        help="0: fit this list only; 1: prefer terms that hold beyond it (default 0.5; of "
        "equivalent-query 0)",
    )  # fmt: skip
    listwise.add_argument(
        "--effects", type=float, metavar="E",
        help="0: choose terms by the order alone; 1: by their effect on the ranker alone (default 0.3)",
    )  # fmt: skip
    listwise.add_argument("--budget", type=int, metavar="N", help="score at most N edited documents")
    listwise.add_argument(
        "--seconds", type=float, metavar="S",
        help=f"time limit for scoring them, or versions of --doc ({_of('seconds')})",
    )  # fmt: skip
    listwise.add_argument(
        "--stability", type=float, metavar="P",
        help="ask no more once this share of the first three terms or words is expected to stay the "
        f"first, such as 0.9 ({_of('stability')})",
    )  # fmt: skip
    listwise.add_argument("--query-terms", choices=("allow", "exclude"))
    listwise.add_argument(
        "--objective", choices=get_args(Goal), help=f"what is maximised ({_of('objective')})"
    )
    listwise.add_argument(
        "--max-weight", type=positive, metavar="W",
        help=f"largest weight of a term; 1: none ({_of('max_weight')})",
    )  # fmt: skip
    listwise.add_argument(
        "--collection", metavar="FILE",
        help=f"the documents that the query is run on, --docs among them ({_of('collection')})",
    )  # fmt: skip
    listwise.add_argument(
        "--no-controls", dest="controls", action="store_false", default=None,
        help=f"do not measure what chance would reach: quicker ({_of('controls')})",
    )  # fmt: skip
    add_simple_rankers(listwise)
    _add_pointwise(explain)


def _add_pointwise(explain: argparse.ArgumentParser) -> None:
    """Those of methods that explain documents."""
    pointwise = explain.add_argument_group("settings of methods that explain documents")
    pointwise.add_argument("--samples", type=positive, metavar="N", help=f"versions ({_of('samples')})")
    pointwise.add_argument(
        "--k", type=positive, metavar="K", help=f"ranks that count as relevant ({_of('k')})"
    )
    pointwise.add_argument(
        "--labels",
        choices=list(dict.fromkeys(label for method in METHODS.values() for label in method.labels)),
        help=f"labels of the edited versions ({_of('labels')})",
    )
    pointwise.add_argument(
        "--sampler", choices=get_args(Sampler), help=f"how words to remove are drawn ({_of('sampler')})"
    )
    pointwise.add_argument(
        "--steps", type=positive, metavar="N",
        help=f"steps of the integral or of the search ({_of('steps')})",
    )  # fmt: skip
    pointwise.add_argument(
        "--reference", choices=get_args(Reference),
        help=f"the reference to compare the document with ({_of('reference')}); auto: zero "
        "vectors, or their mean where zeros break the ranker",
    )  # fmt: skip
    pointwise.add_argument(
        "--removal", choices=get_args(Removal), help=f"words are deleted or masked ({_of('removal')})"
    )
    pointwise.add_argument(
        "--mask", metavar="TOKEN",
        help="what replaces masked words (default: the ranker's own mask, if it names one) "
        f"({_of('mask')})",
    )  # fmt: skip


def _of(option: str) -> str:
    """The methods that come along and take an option, in a help line."""
    return ", ".join(having(option))
