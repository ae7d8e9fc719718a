"""What few calls of a language model buy: terms found to be wanted, against calls and noise.

The model is simulated: it orders the passages of a prompt as RM3 does, whose terms of feedback and of
the query are known, and with noise it puts a share of the passages of each answer at a random place.
Prompts and answers are those of `intentx.rankers.LLMRanker`; nothing is sent anywhere. Multiplex
explains the ranking of the first passages of BM25's recorded run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from problems import write
from trec import load, machine

import intentx as ix
from intentx import perturbation
from intentx.evaluation.known import held_against, known_intent, stems
from intentx.rankers import RM3, LLMRanker
from intentx.rankers.llm.answer_file import Said

CALLS = (15, 30, 60, 120)
NOISE = (0.0, 0.1)
LISTS = ((20, 0.5), (60, 0.5), (20, 0.2))  # passages, and the share of a window that is edited
PASSAGE = re.compile(r"^\[(\d+)\] (.*)$", re.M)


class Simulated(LLMRanker):
    """A language model that orders passages as a ranker does, and says what that looks for."""

    def __init__(self, ranker: Any, noise: float, **settings: Any) -> None:
        super().__init__("http://127.0.0.1:9/v1", model="simulated", **settings)
        self.ranker, self.noise = ranker, noise
        self.chat.ask = self._answer  # type: ignore[method-assign]

    def term_weights(self, query: str) -> Any:
        return self.ranker.term_weights(query)

    def _answer(self, connection: object, messages: Sequence[dict[str, str]]) -> Said:
        content = messages[1]["content"]
        query = content.partition("\n")[0].removeprefix("Query: ")
        passages = [text for _, text in PASSAGE.findall(content)]
        order = np.argsort(-np.asarray(self.ranker(query, passages)), kind="stable").tolist()
        generator = np.random.default_rng(zlib.crc32(content.encode()))
        for one in np.flatnonzero(generator.random(len(order)) < self.noise).tolist():
            order.remove(one)
            order.insert(int(generator.integers(len(order) + 1)), one)
        return Said(" > ".join(f"[{i + 1}]" for i in order), 0, 0, True)


def run(queries: int, lists: int, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for each query and setting that ``rows`` lacks."""
    collection = load()
    known = {tuple(row[key] for key in ("documents", "noise", "share", "calls", "qid")) for row in rows}
    for number, share in LISTS[:lists]:
        perturbation.EDITED_OF_WINDOW = share
        for noise, calls in itertools.product(NOISE, CALLS):
            for qid in [*collection.run("BM25")][:queries]:
                if (number, noise, share, calls, qid) in known:
                    continue
                pool = [*collection.pool("BM25", qid).items()]
                ranker = RM3([text for _, text in pool])
                row = explained(ranker, collection.queries[qid], dict(pool[:number]), noise, calls)
                of = {"documents": number, "noise": noise, "share": share, "calls": calls, "qid": qid}
                yield of | row


def explained(ranker: Any, query: str, docs: dict[str, str], noise: float, calls: int) -> dict[str, Any]:
    """How right the terms of one explanation are."""
    llm = Simulated(ranker, noise, most_calls=calls)
    ranking = ix.rank(llm, query, docs)
    found = ix.Multiplex(budget=calls * 20).explain(ranking)
    known = known_intent(ranking)
    assert known is not None
    truth, reader = known
    wanted = [one.term for one in found.effects if one.kind == "wanted"]
    told, terms = stems(wanted, reader), stems(found.terms, reader)
    right = sum(one in truth for one in told)
    return {
        "asked": llm.usage.calls,
        "wanted": len(told),
        "right": right,
        "weight": held_against(told, truth).weight if told else 0.0,
        "precision": held_against(terms, truth).precision,
    }


def report(rows: Sequence[dict[str, Any]], queries: int) -> Iterator[str]:
    """The lines of the page."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["documents"], row["noise"], row["share"], row["calls"]].append(row)
    yield from [
        "# Terms found by few calls of a language model",
        "",
        (__doc__ or "").partition("\n\n")[2].strip(),
        "",
        f"{queries} queries of {load().name}; {machine()}. *Share edited*: of the passages of a "
        "window. *Calls*: the limit; *made*: in the mean, those for the ranking among them. *Wanted*: "
        "terms said to be wanted, in the mean; *right*: the share of them, over all queries, that RM3 "
        "looks for, with a 95 % interval over queries; *weight*: weight of the right ones over that of "
        "the ten heaviest; *all terms right*: share of the explanation's terms, those without an effect "
        "among them.",
        "",
        "| passages | noise | share edited | calls | made | wanted | right | weight | all terms right |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (number, noise, share, calls), some in groups.items():
        mean = {k: float(np.mean([row[k] for row in some])) for k in some[0] if k != "qid"}
        told = sum(row["wanted"] for row in some)
        right = sum(row["right"] for row in some) / told if told else float("nan")
        low, high = interval(some)
        cells = (
            f"{number}", f"{noise:.0%}", f"{share:g}", f"{calls}", f"{mean['asked']:.0f}",
            f"{mean['wanted']:.1f}", f"{right:.2f} ({low:.2f} to {high:.2f})",
            f"{mean['weight']:.2f}", f"{mean['precision']:.2f}",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def interval(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """A bootstrap interval over queries of the share of right terms."""
    told, right = (np.array([row[key] for row in rows], dtype=float) for key in ("wanted", "right"))
    drawn = np.random.default_rng(0).integers(len(rows), size=(2000, len(rows)))
    with np.errstate(invalid="ignore"):
        shares = right[drawn].sum(axis=1) / told[drawn].sum(axis=1)
    low, high = np.nanpercentile(shares, [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=10)
    parser.add_argument("--out", type=Path, help="a folder for llm_budget.md")
    parser.add_argument("--lists", type=int, default=len(LISTS), help="the first so many of LISTS")
    parser.add_argument("--kept", type=Path, help="a file of rows: measured ones go there and stay")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if options.kept and options.kept.exists():
        rows = [json.loads(line) for line in options.kept.read_text().splitlines()]
    for row in run(options.queries, options.lists, rows):
        rows.append(row)
        if options.kept:
            with options.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    write(report(rows, options.queries), options.out, "llm_budget.md")
