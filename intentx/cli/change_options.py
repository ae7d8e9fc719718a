"""The options of ``intentx explain`` that ask what would change a document's place."""

from __future__ import annotations

import argparse
from typing import Any, Literal, get_args

from intentx.cli.parser import positive, whole
from intentx.errors import InputError
from intentx.explainers.change.counterfactual import Counterfactual
from intentx.explainers.change.explanation import ChangeExplanation
from intentx.explainers.change.goals import Goal
from intentx.explainers.change.offered import OFFERS
from intentx.explainers.change.query import QueryCounterfactual
from intentx.ranking import Ranking

__all__ = ["add_change", "check_change", "explain_change", "kept_words"]

# Options that only go with --goal, and those of explanations by words that do not go with it.
OWN = ("rank", "edits", "insert", "keep", "most", "robust", "prove", "change")
OTHERS = (
    "method", "max_terms", "vectors", "heldout", "faithfulness", "axioms", "candidates", "generality",
    "effects", "query_terms", "samples", "labels", "sampler", "steps", "reference", "removal", "mask",
    "dense", "simple_rankers", "objective", "max_weight", "collection",
)  # fmt: skip
OF_QUERIES = ("drop", "add", "replace")
_number = whole(lambda number: number >= 0, "a whole number, 0 or more,")


def add_change(explain: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    group = explain.add_argument_group(
        "what would change it", "with --doc and --goal; --k, --above, --budget, --seconds go with them"
    )
    group.add_argument(
        "--goal", choices=get_args(Goal),
        help="find the smallest change that makes --doc leave or enter the first --k, stand below or "
        "above the document --above, or come to --rank",
    )  # fmt: skip
    group.add_argument("--rank", type=positive, metavar="R", help="the rank to reach: --goal rank")
    group.add_argument(
        "--change", choices=("document", "query"), help="what is changed (default document)"
    )
    group.add_argument(
        "--edits", metavar="KINDS",
        help=f"kinds of edits, with commas: of {', '.join(OFFERS)}; of a query {', '.join(OF_QUERIES)}",
    )  # fmt: skip
    group.add_argument("--insert", metavar="WORDS", help="words to insert, with commas, and no others")
    group.add_argument(
        "--keep", metavar="WORDS", help="words to leave alone, with commas; query: those of the query"
    )
    group.add_argument("--most", type=positive, metavar="N", help="different answers (default 1)")
    group.add_argument(
        "--robust", action="store_true", default=None,
        help="answers that hold wherever words are inserted",
    )  # fmt: skip
    group.add_argument(
        "--prove", type=_number, metavar="N", help="texts to prove that no smaller change is enough"
    )


def check_change(options: argparse.Namespace) -> None:
    """Refuse options that do not fit each other, before any work is done."""
    if options.goal is None:
        for option in OWN:
            if getattr(options, option) is not None:
                raise InputError(f"--{option} goes with --goal, one of {', '.join(get_args(Goal))}")
        return
    if options.doc is None:
        raise InputError(f"--goal {options.goal} needs one document: name it with --doc")
    for option in OTHERS:
        if getattr(options, option) not in (None, False, 0):
            shown = option.replace("_", "-")
            raise InputError(f"--{shown} is of explanations by words, and does not go with --goal")
    pair = options.goal in ("above", "below")
    if pair and options.above is None:
        raise InputError(f"--goal {options.goal} compares two documents: name the other with --above")
    if not pair and options.above is not None:
        raise InputError(f"--above goes with --goal above or below, not with --goal {options.goal}")
    if options.k is not None and options.goal not in ("leave", "enter"):
        raise InputError(f"--k goes with --goal leave or enter, not with --goal {options.goal}")
    _method(options)


def explain_change(
    options: argparse.Namespace, ranking: Ranking, doc: int, above: int | None
) -> ChangeExplanation:
    """The smallest change that was found."""
    return _method(options).explain(ranking, doc, above=above)


def _method(options: argparse.Namespace) -> Counterfactual | QueryCounterfactual:
    given: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("goal", "k", "rank", "most", "robust", "prove", "budget", "seconds", "seed")
    }
    given["edits"] = _listed(options.edits)
    if getattr(options, "analyzer", None) is not None:
        given["analyzer"] = options.analyzer
    of_query = options.change == "query"
    if of_query and (options.keep is not None or options.insert is not None):
        raise InputError("--keep and --insert are of changes of a document, not of --change query")
    if not of_query:
        given["keep"] = kept_words(options.keep)
        given["words"] = _listed(options.insert)
    made = {name: value for name, value in given.items() if value is not None}
    return QueryCounterfactual(**made) if of_query else Counterfactual(**made)


def kept_words(given: str | None) -> Literal["query"] | tuple[str, ...] | None:
    """What ``--keep`` names."""
    return "query" if given == "query" else _listed(given)


def _listed(given: str | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(one.strip() for one in given.split(",") if one.strip())
