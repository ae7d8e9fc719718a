"""What would change it: smallest changes of a document, against other ways to the same goal.

TREC DL'19, BM25's first hundred by each ranker: the first document has to leave the first ten, the
eleventh to enter them, within a budget of texts. `ix.Counterfactual`, with and without the words of the
query, stands against random words, against the words that other explanations name first, and against
the sentences that matter most (CREDENCE's way). Planted rankers have known minimal edits. Rows go to
``--kept`` as they are measured, and what is there is not measured again.
"""

from __future__ import annotations

import argparse
import difflib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shards
from problems import write
from shards import keep, kept_rows, sharded
from train_rankers import CROSS_ENCODER, RECIPES, trained
from trec import load, machine

import intentx as ix
from intentx.evaluation.faithfulness import ranks_of
from intentx.perturbation import EditedDocuments, insert_terms, remove_terms, score_edits
from intentx.rankers import RankerSpec

K, BUDGET, MOST = 10, 300, 30  # MOST: words that are taken out or put in one after the other
GOALS = {"leave": 0, "enter": K}  # positions of the documents
METHODS: Mapping[str, Callable[[], Any]] = {
    "LIRME": lambda: ix.LIRME(samples=200),
    "KernelSHAP": lambda: ix.KernelSHAP(samples=200),
    "EXS": lambda: ix.EXS(samples=200),
    "Multiplex": lambda: ix.Multiplex(budget=200),
}
OURS = {"Counterfactual": {}, "Counterfactual, keep query": {"keep": "query"}}
SENTENCES = "sentences, greedy"
RANDOM = "random words"
WAYS = (*OURS, *(f"words of {name}" for name in METHODS), SENTENCES, RANDOM)
RANKERS = ("BM25", "MiniLM", "cross-encoder", "DRMM")


def spec(name: str) -> str:
    if name == "DRMM":
        trained("drmm")
        return f"drmm:{RECIPES['drmm'].folder()}"
    return {
        "BM25": "bm25",
        "MiniLM": "bi-encoder:minilm",
        "cross-encoder": f"cross-encoder:{CROSS_ENCODER}",
    }[name]


def reached(ranking: ix.Ranking, place: int, goal: str, texts: Sequence[str]) -> int | None:
    """The first of these versions of a document that reaches the goal."""
    if not texts:
        return None
    source = np.full(len(texts), place, dtype=np.intp)
    ranks = ranks_of(
        score_edits(ranking, EditedDocuments(tuple(texts), source), "edits"), ranking, place
    )
    found = np.flatnonzero(ranks >= K if goal == "leave" else ranks < K)
    return int(found[0]) if len(found) else None


def in_turn(ranking: ix.Ranking, place: int, goal: str, words: Sequence[str]) -> list[str]:
    """Versions with the first 1, 2, … words taken out, or put in front."""
    text, analyzer = ranking.texts[place], ix.Analyzer()
    if goal == "enter":
        return [insert_terms(text, words[: n + 1]) for n in range(len(words[:MOST]))]
    held = analyzer.terms(text)
    words = [word for word in words if word in held][:MOST]
    return [remove_terms(text, words[: n + 1], analyzer) for n in range(len(words))]


def named(name: str, ranking: ix.Ranking, place: int, goal: str) -> tuple[list[str], int]:
    """The words that an explanation names first, and the texts that it had scored.

    To leave: words for the document. To enter: words for the first document that this one lacks.
    """
    method = METHODS[name]()
    if name == "Multiplex":
        found = method.explain(ranking)
        words = list(found.terms)
    else:
        found = method.explain(ranking, place if goal == "leave" else 0)
        words = [
            t
            for t, w in sorted(zip(found.terms, found.weights, strict=True), key=lambda x: -x[1])
            if w > 0
        ]
    held = set(ix.Analyzer().terms(ranking.texts[place]))
    return [word for word in words if (word in held) == (goal == "leave")], found.model_calls


def random_words(ranking: ix.Ranking, place: int, goal: str, seed: int) -> list[str]:
    analyzer = ix.Analyzer()
    own = analyzer.terms(ranking.texts[place])
    better = {word for text in ranking.texts[:K] for word in analyzer.terms(text)} - {*own}
    words = list(own) if goal == "leave" else sorted(better)
    return [words[i] for i in np.random.default_rng(seed).permutation(len(words))]


def sentences(ranking: ix.Ranking, place: int, goal: str) -> tuple[list[str], int, list[int]]:
    """Versions without the 1, 2, … sentences that count most; to enter: with the best ones in front.

    With them, the texts asked about single sentences, and the words of the sentences moved.
    """
    analyzer, text = ix.Analyzer(), ranking.texts[place]

    def parts(one: str) -> list[str]:
        starts = analyzer.sentences(one)
        return [one[a:b] for a, b in zip(starts, (*starts[1:], len(one)), strict=True)]

    own = parts(text)
    if goal == "leave":
        alone = ["".join(p for j, p in enumerate(own) if j != i) for i in range(len(own))]
        moved = own
    else:
        moved = [part for better in ranking.texts[:K] for part in parts(better)][:100]
        alone = [f"{part} {text}" for part in moved]
    source = np.full(len(alone), place, dtype=np.intp)
    scores = score_edits(ranking, EditedDocuments(tuple(alone), source), "sentences")
    order = np.argsort(scores if goal == "leave" else -scores, kind="stable").tolist()
    sizes = [len(analyzer.tokens(moved[i])) for i in order]
    if goal == "leave":
        texts = [
            "".join(p for j, p in enumerate(own) if j not in order[: n + 1]) for n in range(len(own))
        ]
    else:
        texts = [
            " ".join([*(moved[i] for i in order[: n + 1]), text]) for n in range(min(5, len(order)))
        ]
    return texts, len(alone), np.cumsum(sizes).tolist()


def measure(ranking: ix.Ranking, way: str, goal: str) -> dict[str, Any]:
    """Whether, by how much and at what cost one way reaches the goal."""
    place, started = GOALS[goal], time.process_time()
    text = ranking.texts[place]
    row: dict[str, Any] = {"status": "", "finding": ""}
    if way in OURS:
        settings: dict[str, Any] = {"goal": goal, "k": K, "budget": BUDGET, **OURS[way]}
        made: Any = ix.Counterfactual(**settings)
        found = made.explain(ranking, place)
        solved, size, edited = bool(found.changes), len(found.changes), found.edited_text
        calls, row = found.model_calls, {"status": found.status, "finding": found.finding}
        row["search"] = found.calls.get("search", 0)
        row["robustness"] = None if np.isnan(found.robustness) else found.robustness
    else:
        sizes = None
        if way == SENTENCES:
            texts, before, sizes = sentences(ranking, place, goal)
        elif way == RANDOM:
            texts, before = in_turn(ranking, place, goal, random_words(ranking, place, goal, 0)), 0
        else:
            words, before = named(way.removeprefix("words of "), ranking, place, goal)
            texts = in_turn(ranking, place, goal, words)
        hit = reached(ranking, place, goal, texts[: max(0, BUDGET - before)])
        solved = hit is not None
        edited = texts[hit] if hit is not None else text
        size = 0 if hit is None else hit + 1 if sizes is None else sizes[hit]
        calls = before + (len(texts) if hit is None else hit + 1)
    same = difflib.SequenceMatcher(None, text.split(), edited.split(), autojunk=False).ratio()
    row |= {"solved": solved, "size": size, "calls": calls, "seconds": time.process_time() - started}
    return row | {"similarity": same}


def run(
    names: Sequence[str],
    ways: Sequence[str],
    queries: int,
    rows: Sequence[Mapping[str, Any]],
    cache: Path | None,
    shard: tuple[int, int],
) -> Iterator[dict[str, Any]]:
    """A row for each ranker, query, goal and way that ``rows`` lacks."""
    collection = load()
    known = {(row["ranker"], row["query"], row["goal"], row["way"]) for row in rows}
    for qid in sharded(sorted(collection.queries)[:queries], shard):
        for name in names:
            if all((name, qid, goal, way) in known for goal in GOALS for way in ways):
                continue
            pool = collection.pool("BM25", qid)
            scorer = RankerSpec.parse(spec(name)).load(list(pool.values()))
            for goal in GOALS:
                for way in ways:
                    if (name, qid, goal, way) not in known:
                        # Ranked anew: nothing is remembered of another way's texts.
                        ranking = ix.rank(
                            scorer, collection.queries[qid], pool, truncated="warn", cache=cache
                        )
                        key = {"ranker": name, "query": qid, "goal": goal, "way": way}
                        yield key | measure(ranking, way, goal)


def planted(size: int) -> tuple[str, int, int]:
    """Status, size and texts for a ranker under which the first document leaves by ``size`` words."""
    marks = [f"mark{i}" for i in range(6)]
    filler = [f"word{i}" for i in range(30)]

    def scorer(query: str, texts: Sequence[str]) -> list[float]:
        return [sum(m in text.split() for m in marks) + 0.5 * ("half" in text.split()) for text in texts]

    others = [" ".join([*marks[: 6 - size], "half", *filler[: 5 + i]]) for i in range(15)]
    texts = [" ".join([*marks, *filler[:14]]), *others]
    found = ix.Counterfactual(goal="leave", k=K, budget=BUDGET, prove=2000).explain(
        ix.rank(scorer, "query", texts), 0
    )
    return found.status, len(found.changes), found.model_calls


HEAD = f"""# What would change it

TREC DL'19 passages, BM25's first 100 by each ranker; the first document has to leave the first {K}, the
eleventh to enter them. *Solved*: within {BUDGET} texts, the explanation's own among them, and at most
{MOST} words in a row for the ways beside `Counterfactual`. *Size*: median number of changes of those
solved; of sentences, their words. *Texts*: median asked about, for `Counterfactual` with the proof.
*Similar*: of the words, `difflib`'s ratio. *s*: mean processor seconds, the ranker's among them save for
texts in `--cache`. Words of an explanation: those for the document are taken out one after the other; to
enter, those for the first document are put in front. *Random words*: one order, to enter of the words of
the first ten.
"""


def no_set(row: Mapping[str, Any]) -> bool:
    """Whether it is said that no set of edits does it, and not only that the budget ended."""
    return str(row["finding"]).startswith("no set of ")


def extent(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many queries there are of each ranker, by our ways and by all."""
    said = []
    for name in RANKERS:
        ours, every = (
            {
                qid
                for qid in {r["query"] for r in rows if r["ranker"] == name}
                if {*ways} <= {r["way"] for r in rows if (r["ranker"], r["query"]) == (name, qid)}
            }
            for ways in (OURS, WAYS)
        )
        said.append(f"{name} {len(ours)} ({len(every)} with all ways)")
    return f"Queries: {', '.join(said)}. `--kept` goes on with it."


def aims(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What our ways reach, in one line for each ranker."""
    yield (
        "| ranker | leave: solved | words | texts | proven, of up to two words | without the query's "
        "words | all others taken away do not | enter without the query's words | words | holds at |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    plain, kept = OURS
    for name in RANKERS:
        cells = [name]
        for goal, way in (("leave", plain), ("leave", kept), ("enter", kept)):
            part = [r for r in rows if (r["ranker"], r["goal"], r["way"]) == (name, goal, way)]
            if not part:
                cells += ["–"] * (4 if way == plain else 2 if goal == "leave" else 3)
                continue
            good = [r for r in part if r["solved"] and r["search"] <= BUDGET]
            sizes = f"{np.median([r['size'] for r in good]):g}" if good else "–"
            cells.append(f"{len(good)} of {len(part)}")
            if way == plain:
                small = [r for r in good if r["size"] <= 2]
                proven = sum(r["status"] == "minimal" for r in small)
                texts = np.median([r["search"] for r in part])
                cells += [sizes, f"{texts:g}", f"{proven} of {len(small)}"]
            elif goal == "leave":
                rest = [r for r in part if r not in good]
                cells.append(f"{sum(map(no_set, rest))} of the other {len(rest)}")
            else:
                held = [r["robustness"] for r in good if r.get("robustness") is not None]
                cells += [sizes, f"{np.mean(held):.0%} ({len(held)} queries)" if held else "–"]
        yield f"| {' | '.join(cells)} |"


def report(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield HEAD
    yield f"Machine: {machine()}, shared.\n"
    yield f"{extent(rows)}\n"
    yield "| ranker | goal | way | queries | solved | size | texts | similar | s |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in RANKERS:
        for goal in GOALS:
            for way in WAYS:
                part = [r for r in rows if (r["ranker"], r["goal"], r["way"]) == (name, goal, way)]
                good = [r for r in part if r["solved"] and r.get("search", 0) <= BUDGET]
                if not part:
                    continue
                size, alike = (
                    (
                        f"{np.median([r['size'] for r in good]):g}",
                        f"{np.mean([r['similarity'] for r in good]):.2f}",
                    )
                    if good
                    else ("–", "–")
                )
                calls = np.median([r["calls"] for r in part])
                seconds = np.mean([r["seconds"] for r in part])
                yield (
                    f"| {name} | {goal} | {way} | {len(part)} | {len(good)} | {size} | {calls:g} "
                    f"| {alike} | {seconds:.2f} |"
                )
    yield "\n## Status of the answers\n"
    yield "| ranker | goal | way | minimal | feasible | none in the budget | of these: no set does it |"
    yield "|---|---|---|---|---|---|---|"
    for name in RANKERS:
        for goal in GOALS:
            for way in OURS:
                part = [r for r in rows if (r["ranker"], r["goal"], r["way"]) == (name, goal, way)]
                if part:
                    said = [sum(r["status"] == s for r in part) for s in ("minimal", "feasible")]
                    none = [r for r in part if r["status"] not in ("minimal", "feasible")]
                    cells = [*said, len(none), sum(map(no_set, none))]
                    yield f"| {name} | {goal} | {way} | " + " | ".join(map(str, cells)) + " |"
    yield "\n## The aims\n"
    yield from aims(rows)
    yield "\n## Planted rankers\n"
    yield "| words it takes | found | status | texts |\n|---|---|---|---|"
    for words in (1, 2, 3, 4):
        status, found, calls = planted(words)
        yield f"| {words} | {found} | {status} | {calls} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rankers", nargs="+", default=list(RANKERS), choices=RANKERS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--cache", type=Path, help="file of scores: texts in it cost the ranker no time")
    shards.add_options(parser)
    parser.add_argument("--out", type=Path, help="folder for counterfactuals.md")
    options = parser.parse_args()
    rows = kept_rows(options.kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measured = run(
            options.rankers, options.ways, options.queries, [*rows], options.cache, options.shard
        )
        rows += keep(options.kept, measured)
        write(report(rows), options.out, "counterfactuals.md")


if __name__ == "__main__":
    main()
