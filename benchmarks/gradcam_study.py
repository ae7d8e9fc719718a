"""Grad-CAM on MatchPyramids: do the maps of relevant documents differ from those of others?

Relevant passages are compared with those that BM25 found, too, and that are not relevant, and with
passages that BM25 found for another query. The vectors are MiniLM's or GloVe's, as in the paper, and
Cranfield's abstracts, three times as long, are looked at, too.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from problems import write
from rerank import measured
from train_rankers import RECIPES, SEEDS, Recipe, by_seed, collection, prepare, reranked, trained_by
from trec import DATA, load, machine

import intentx as ix
from intentx.datasets import read_documents, read_qrels, read_queries
from intentx.evaluation.contrast import Contrast, contrast
from intentx.evaluation.statistics import bootstrap
from intentx.explainers.inside.gradcam import GradCAM, GradCAMExplanation
from intentx.rankers import MatchPyramidSettings
from intentx.rankers.interaction.base import TermRanker
from intentx.report.pictures.maps import box_figure, flattened_figure, map_figure
from intentx.scoring import Scorer
from intentx.search import SearchIndex

RELEVANT = 2
METRICS = {"kurtosis": "kurtosis of the map", "sum": "sum of contributions"}
NEGATIVES = ("negative", "other query")
OTHERS = 20  # passages of another query's pool, for each query
TOP, EXAMPLES = 3, 6  # documents of each query of which snippets are compared; and that are shown
SURE = 1e-4  # p in the paper
PARTS = ("rankers", "abstracts", "seeds")


class One(NamedTuple):
    """A passage explained: its group, its grade (None where nobody judged it), the explanation."""

    group: str
    grade: int | None
    explanation: GradCAMExplanation


class Topic(NamedTuple):
    """A query, the texts that BM25 found for it, and the grades of those that were judged."""

    query: str
    pool: dict[str, str]
    grades: dict[str, int]


def passages(queries: int) -> list[Topic]:
    """Queries of DL'19."""
    known = load()
    qids = sorted(known.queries)[:queries]
    return [Topic(known.queries[qid], known.pool("BM25", qid), dict(known.qrels[qid])) for qid in qids]


def abstracts(queries: int) -> list[Topic]:
    """Queries of Cranfield, evenly spread; what is not judged there is not relevant."""
    folder = DATA / "cranfield"
    texts = {one.id: one.content for one in read_documents(folder / "passages.jsonl.gz")}
    asked, qrels = read_queries(folder / "queries.tsv"), read_qrels(folder / "qrels.txt")
    index = SearchIndex.build(texts)
    found = []
    for qid in list(asked)[:: max(1, len(asked) // queries)][:queries]:
        ids = index.search(asked[qid], 100, fill=True).ids
        relevant = {doc_id for doc_id, grade in qrels[qid].items() if grade > 0}
        grades = {doc_id: RELEVANT if doc_id in relevant else 0 for doc_id in ids}
        found.append(Topic(asked[qid], {doc_id: texts[doc_id] for doc_id in ids}, grades))
    return found


def studied(ranker: TermRanker, topics: Sequence[Topic]) -> list[One]:
    """Every judged text among BM25's first hundred, and some of another query's hundred."""
    found: list[One] = []
    for number, (query, pool, judged) in enumerate(topics):
        ranking = ix.rank(ranker, query, pool)
        for place, doc_id in enumerate(ranking.doc_ids):
            if doc_id in judged:
                grade = judged[doc_id]
                group = "relevant" if grade >= RELEVANT else "negative"
                found.append(One(group, grade, explained(ranking, place)))
        other = topics[number - 1].pool
        left = [doc_id for doc_id in other if doc_id not in pool and doc_id not in judged]
        drawn = np.random.default_rng(number).permutation(left)[:OTHERS].tolist()
        if not drawn:
            continue
        ranking = ix.rank(ranker, query, {doc_id: other[doc_id] for doc_id in drawn})
        found += [One("other query", None, explained(ranking, place)) for place in range(len(ranking))]
    return found


def explained(ranking: ix.Ranking, place: int) -> GradCAMExplanation:
    explanation = GradCAM().explain(ranking, place)
    assert isinstance(explanation, GradCAMExplanation)
    return explanation


def values(found: Sequence[One], metric: str, group: str) -> list[float]:
    return [one.explanation.metrics[metric] for one in found if one.group == group]


def tested(found: Sequence[One], metric: str, negatives: str) -> Contrast | None:
    """The test; None where a group has no number, as where all maps are constant."""
    groups = [values(found, metric, group) for group in ("relevant", negatives)]
    if any(np.isnan(group).all() for group in groups):
        return None
    return contrast(*groups)


class Within(NamedTuple):
    """Mean over queries of the probability that a relevant passage has the larger metric."""

    mean: float
    low: float
    high: float
    queries: int


def within_queries(found: Sequence[One], metric: str, negatives: str) -> Within:
    by_query: dict[str, list[One]] = defaultdict(list)
    for one in found:
        if not np.isnan(one.explanation.metrics[metric]):
            by_query[one.explanation.ranking.query].append(one)
    tests = [tested(some, metric, negatives) for some in by_query.values()]
    effects = [test.effect for test in tests if test is not None]
    estimate = bootstrap(np.array(effects))
    return Within(estimate.mean, estimate.low, estimate.high, estimate.n)


def verdict(test: Contrast, within: Within) -> str:
    """What a test says, in words."""
    if test.p < 0.05:
        pooled = f"larger (p {p_value(test)})"
    else:
        pooled = "smaller" if test.p > 0.95 else "no difference"
    inside = "larger" if within.low > 0.5 else "smaller" if within.high < 0.5 else "no difference"
    return f"{pooled}, within queries {inside}"


def p_value(test: Contrast) -> str:
    return "> 0.9999" if test.p > 0.9999 else "< 1e-99" if test.p < 1e-99 else f"{test.p:.2g}"


def table(found: Sequence[One]) -> Iterator[str]:
    """The tests, and what they say."""
    yield (
        "| metric | relevant against | medians | U | p, one-sided | P(relevant larger) "
        "| the same within a query | passages | constant map |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    said: dict[str, list[str]] = {negatives: [] for negatives in NEGATIVES}
    for metric, label in METRICS.items():
        for negatives in NEGATIVES:
            test = tested(found, metric, negatives)
            if test is None:
                said[negatives].append(f"{label} is no number where all maps are constant")
                continue
            within = within_queries(found, metric, negatives)
            said[negatives].append(f"{label} {verdict(test, within)}")
            yield (
                f"| {label} | {negatives} | {test.medians[0]:.3g}, {test.medians[1]:.3g} "
                f"| {test.u:.0f} | {p_value(test)} | **{test.effect:.3f}** | {within.mean:.3f} "
                f"[{within.low:.3f}, {within.high:.3f}], {within.queries} queries "
                f"| {test.sizes[0]}, {test.sizes[1]} | {test.left_out} |"
            )
    for negatives, parts in said.items():
        yield f"\nRelevant against *{negatives}*: {'; '.join(parts)}."


def identical(some: Sequence[GradCAMExplanation]) -> float:
    """Share of Grad-CAM's snippets that are the vanilla ones."""
    return float(np.mean([e.snippets["vanilla"] == e.snippets["gradcam"] for e in some]))


def matches(explanation: GradCAMExplanation, name: str) -> int:
    """Exact matches in a snippet."""
    start, end, _ = explanation.snippets[name]
    inside = [word.term for word in explanation.words if start <= word.start < end]
    return sum(term in explanation.query_terms for term in inside)


def snippets(found: Sequence[One]) -> str:
    judged = [one.explanation for one in found if one.grade is not None]
    first = [e for e in judged if e.position < TOP]
    as_many = np.mean([matches(e, "vanilla") == matches(e, "gradcam") for e in judged])
    return (
        f"Snippets of {GradCAM().snippet_words} words that are the same, vanilla and Grad-CAM: "
        f"{100 * identical(judged):.0f} % of all {len(judged)} judged passages, "
        f"{100 * identical(first):.0f} % of the {len(first)} among the ranker's first {TOP}. "
        f"{100 * as_many:.0f} % of Grad-CAM's have as many exact matches as the vanilla one, which is "
        "the earliest of those that tie: there contributions only break ties."
    )


def terms(found: Sequence[One]) -> Iterator[str]:
    """How many effective and filtered terms there are, and those of a few first passages."""
    judged = [one.explanation for one in found if one.grade is not None]
    exact = [term in e.query_terms for e in judged for term in e.effective_terms]
    method = GradCAM()
    yield (
        f"Effective terms (at least {method.effective:g} of the way from the smallest contribution to "
        f"the largest): {np.mean([len(e.effective_terms) for e in judged]):.1f} in a judged passage, "
        f"{100 * np.mean(exact):.0f} % of them terms of the query. Filtered terms (at most "
        f"{method.filtered:g} of the way, cosine at least {method.similar:g}): "
        f"{np.mean([len(e.filtered_terms) for e in judged]):.1f}, "
        f"{100 * np.mean([bool(e.filtered_terms) for e in judged]):.0f} % of the passages have one.\n"
    )
    yield "| query | the ranker's first passage | effective | filtered |"
    yield "|---|---|---|---|"
    firsts = [one for one in found if one.grade is not None and one.explanation.position == 0]
    for one in firsts[:: max(1, len(firsts) // EXAMPLES)][:EXAMPLES]:
        e = one.explanation
        yield (
            f"| {e.ranking.query} | {e.ranking.doc_ids[0]}, judged {one.grade} "
            f"| {written(e, e.effective_terms)} | {written(e, e.filtered_terms)} |"
        )


def written(explanation: GradCAMExplanation, some: Sequence[str]) -> str:
    """Terms as the passage writes them; the ranker knows them by their stems."""
    first = {w.term: explanation.document[w.start : w.end] for w in reversed(explanation.words)}
    return ", ".join(first[term].lower() for term in some[:6]) or "–"


def pictures(found: Sequence[One], title: str, slug: str, out: Path) -> Iterator[str]:
    """Box plots, and the maps of a short relevant passage with a filtered term, the first found."""
    groups = ("relevant", *NEGATIVES)
    panels = {
        label: {group: values(found, metric, group) for group in groups}
        for metric, label in METRICS.items()
        if all(tested(found, metric, negatives) for negatives in NEGATIVES)
    }
    relevant = [one.explanation for one in found if one.group == "relevant"]
    shown = [e for e in relevant if e.position < TOP] or relevant
    fit = (e for e in shown if e.filtered_terms and len(e.words) <= 40 and e.document.isascii())
    best = next(fit, shown[0])
    figures = {"map": map_figure(best), "flattened": flattened_figure(best)}
    if panels:
        figures = {"box": box_figure(panels, f"MatchPyramid, {title}"), **figures}
    for name, figure in figures.items():
        file = f"gradcam_{slug}_{name}.png"
        figure.savefig(out / file, dpi=110)
        yield f"\n![{name}, {title}]({file})"


def ndcg(ranker: Scorer) -> float:
    """nDCG@10 of BM25's first hundred re-ranked, mean over all queries of DL'19."""
    return float(
        np.mean([first for first, *_ in measured(reranked(ranker, collection("dl19"))).values()])
    )


def of_seed(name: str, recipe: Recipe, number: int, topics: Sequence[Topic]) -> list[str]:
    """One training: its line, and the tests that are sure."""
    ranker = by_seed(recipe)[number]
    found = studied(ranker, topics)
    cells, sure = [], []
    for metric in METRICS:
        for negatives in NEGATIVES:
            test = tested(found, metric, negatives)
            star = test is not None and test.p < SURE
            cells.append("–" if test is None else f"{test.effect:.3f}{'*' if star else ''}")
            sure += [f"{METRICS[metric]} against *{negatives}*"] * star
    same = identical([one.explanation for one in found if one.grade is not None])
    tests = " | ".join(cells)
    line = f"| {name}, seed {SEEDS[number]} | {ndcg(ranker):.3f} | {tests} | {100 * same:.0f} % |"
    return [line, *sure]


def seeds(
    recipes: dict[str, Recipe], topics: Sequence[Topic], parallel: joblib.Parallel
) -> Iterator[str]:
    """The tests for every seed that a ranker was chosen from."""
    yield "\n## All seeds\n"
    yield (
        "Each line is one training; the ranker above is the one of its three that orders held-out "
        "queries of DL'21 best. P(relevant larger), with a star where p < 0.0001, and the share of "
        "identical snippets.\n"
    )
    yield (
        "| | nDCG@10 | kurtosis, negative | kurtosis, other query | sum, negative | sum, other query "
        "| same |"
    )
    yield "|---|---|---|---|---|---|---|"
    held: Counter[str] = Counter()
    jobs = [(name, recipe, i, topics) for name, recipe in recipes.items() for i in range(len(SEEDS))]
    for line, *sure in parallel(joblib.delayed(of_seed)(*job) for job in jobs):
        held.update(sure)
        yield line
    every = [f"{label} against *{negatives}*" for label in METRICS.values() for negatives in NEGATIVES]
    parts = [f"{one} in {held[one]} of {len(jobs)}" for one in every]
    yield f"\nLarger for relevant passages, p < 0.0001: {'; '.join(parts)}."


def of_recipe(name: str, recipe: Recipe, topics: Sequence[Topic], out: Path | None) -> list[str]:
    """The part of the page on one ranker; its pictures go to a folder."""
    ranker = trained_by(recipe)
    begun = time.perf_counter()
    found = studied(ranker, topics)
    seconds = time.perf_counter() - begun
    first_stage = ndcg(lambda query, texts: -np.arange(len(texts)))
    return [
        f"\n## {name[0].upper()}{name[1:]}\n",
        f"{len(found)} passages explained in {seconds:.0f} s. The ranker's nDCG@10 is "
        f"{ndcg(ranker):.3f}; that of BM25, whose first hundred it re-ranks, {first_stage:.3f}.\n",
        *table(found),
        "",
        snippets(found) + "\n",
        *terms(found),
        *(pictures(found, name, name.replace(" ", "_"), out) if out else ()),
    ]


def report(queries: int, out: Path | None, workers: int, parts: Sequence[str]) -> Iterator[str]:
    """The page."""
    started = time.perf_counter()
    ours = RECIPES["matchpyramid"]
    papers = dataclasses.replace(ours, settings=MatchPyramidSettings.published())
    recipes = {
        "our defaults": ours,
        "published settings": papers,
        "our defaults with GloVe": dataclasses.replace(ours, vectors="glove"),
        "published settings with GloVe": dataclasses.replace(papers, vectors="glove"),
    }
    topics = passages(queries)
    yield "# Grad-CAM on MatchPyramid\n"
    yield (
        f"TREC DL'19 passages, {queries} queries; `python gradcam_study.py --out results`. *Relevant*: "
        f"judged {RELEVANT} or 3, among BM25's first hundred; *negative*: judged 0 or 1 there; *other "
        f"query*: {OTHERS} passages that BM25 found for another query. Kurtosis is the excess over that "
        "of a normal distribution, of all cells of a map; it has none where they are equal, and is high "
        "where few cells stand out, however small they are. Mann–Whitney U, one-sided. Passages of one "
        "query are not independent, so p is too small; beside it stands the mean over queries with a "
        f"95 % bootstrap interval over them. Machine: {machine()}.\n"
    )
    yield (
        "The paper (MatchPyramid and GloVe, DL'19 documents): kurtosis and sum are larger for the "
        "relevant document than for negatives, p < 0.0001; 83 % of 5,000 snippets are identical. What "
        "its negatives are is not known here, and two kinds are compared."
    )
    prepare()
    parallel = joblib.Parallel(workers, return_as="generator")
    for _ in parallel(joblib.delayed(trained_by)(recipe) for recipe in recipes.values()):
        pass
    if "rankers" in parts:
        for some in parallel(joblib.delayed(of_recipe)(*one, topics, out) for one in recipes.items()):
            yield from some
    if "abstracts" in parts:
        yield from longer(recipes, queries, parallel)
    if "seeds" in parts:
        yield from seeds(recipes, topics, parallel)
    yield f"\nAll of it took {(time.perf_counter() - started) / 60:.0f} minutes."


def on_abstracts(name: str, recipe: Recipe, topics: Sequence[Topic]) -> list[str]:
    found = studied(trained_by(recipe), topics)
    return [f"\n### {name[0].upper()}{name[1:]}, abstracts\n", *table(found), "\n" + snippets(found)]


def longer(recipes: dict[str, Recipe], queries: int, parallel: joblib.Parallel) -> Iterator[str]:
    """The tests on longer documents, by the same rankers."""
    topics = abstracts(queries)
    lengths = [len(text.split()) for one in topics for text in one.pool.values()]
    yield "\n## Longer documents\n"
    yield (
        f"Abstracts of Cranfield, {len(topics)} queries evenly spread, BM25's first hundred each: a "
        f"median of {np.median(lengths):.0f} words. The same rankers, trained on DL'21 and DL'22. "
        "*Relevant*: judged so; *negative*: all others, since judgements are full."
    )
    for some in parallel(joblib.delayed(on_abstracts)(*one, topics) for one in recipes.items()):
        yield from some


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="of the page")
    parser.add_argument("--out", type=Path, help="folder for gradcam_study.md and its pictures")
    options = parser.parse_args()
    if not (DATA / "dl19").is_dir():
        sys.exit(f"the study needs judged passages, and there are none at {DATA}")
    lines = report(options.queries, options.out, options.workers, options.parts)
    write(lines, options.out, "gradcam_study.md")


if __name__ == "__main__":
    main()
