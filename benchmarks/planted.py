"""Do EXS, LIRME and KernelSHAP find the words of a ranker that is a sum over words, with their signs?

For each query a passage of its pool and eight of its words are drawn; the ranker is the sum of the
weights of their occurrences, four above and four below zero. Methods that explain a place among
the first k documents need the passage there, so words are drawn until it is.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from problems import write
from trec import load, machine

import intentx as ix
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.exs import EXS, Labels
from intentx.explainers.document.lirme import LIRME
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.shap import KernelSHAP

FOR = AGAINST = 4
FIRST = 10  # the passage is among so many
SHORT = 10  # words of a text that is explained exactly
BUDGETS = (50, 100, 250, 1000)  # versions
LABELS: tuple[Labels, ...] = ("rank", "score", "topk")

ANALYZER = ix.Analyzer()
EVERY = ix.Analyzer(stopwords=frozenset())  # word counts to a method that explains one document
SAMPLED = "KernelSHAP"  # the method whose weights have a truth: what a word adds
METHODS: dict[str, partial[Any]] = {  # each takes samples and seed
    "EXS, rank, ridge": partial(EXS),
    "EXS, rank, SVR": partial(EXS, surrogate="svr"),
    "EXS, rank, ridge, words masked": partial(EXS, removal="mask", mask="[MASK]"),
    "EXS, score, ridge": partial(EXS, labels="score"),
    "EXS, score, SVR": partial(EXS, labels="score", surrogate="svr"),
    "EXS, topk, logistic": partial(EXS, labels="topk"),
    "EXS, topk, SVM": partial(EXS, labels="topk", surrogate="svm"),
    "LIRME, masked, L1": partial(LIRME),
    "LIRME, masked, L2": partial(LIRME, penalty="l2"),
    "LIRME, uniform, L1": partial(LIRME, sampler="uniform"),
    "LIRME, tf-idf, L1": partial(LIRME, sampler="tf-idf"),
    SAMPLED: partial(KernelSHAP),
}


class Linear:
    """The sum of the weights of a text's words, once per occurrence."""

    def __init__(self, weights: dict[str, float]) -> None:
        self.weights = weights

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        tokens = (ANALYZER.tokens(text) for text in texts)
        return [sum(self.weights.get(token.term, 0.0) for token in some) for some in tokens]

    def truth(self, text: str) -> dict[str, float]:
        """What each word adds to the score of a text."""
        often = Counter(token.term for token in ANALYZER.tokens(text))
        return {term: self.weights.get(term, 0.0) * times for term, times in often.items()}


@dataclass(frozen=True)
class Problem:
    """A planted ranker, its ranking of a query's passages, and the passage to explain."""

    scorer: Linear
    ranking: ix.Ranking
    doc: str


def problems(queries: int) -> Iterator[Problem]:
    """One for each query."""
    collection = load()
    system = next(iter(collection.runs))
    for number, qid in enumerate(sorted(collection.queries)[:queries]):
        pool = collection.pool(system, qid)
        generator = np.random.default_rng(number)
        long = [name for name in sorted(pool) if len(ANALYZER.terms(pool[name])) >= 2 * (FOR + AGAINST)]
        while True:
            doc = long[generator.integers(len(long))]
            words = generator.permutation(ANALYZER.terms(pool[doc]))[: FOR + AGAINST].tolist()
            weights = generator.uniform(0.5, 2, FOR + AGAINST) * np.repeat([1, -1], [FOR, AGAINST])
            scorer = Linear(dict(zip(words, weights.tolist(), strict=True)))
            ranking = ix.rank(scorer, collection.queries[qid], pool)
            if ranking.position(doc) < FIRST:
                break
        yield Problem(scorer, ranking, doc)


def found(explanation: DocumentExplanation, scorer: Linear) -> tuple[float, float]:
    """Of the first eight words, the shares that were planted, and planted with this sign."""
    first = list(zip(explanation.terms, explanation.weights, strict=True))[: FOR + AGAINST]
    planted = [scorer.weights.get(term, 0.0) for term, _ in first]
    signs = [np.sign(p) == np.sign(w) for p, (_, w) in zip(planted, first, strict=True) if p]
    return float(np.mean([p != 0 for p in planted])), float(sum(signs) / (FOR + AGAINST))


def error(explanation: DocumentExplanation, truth: dict[str, float]) -> float:
    """The largest difference of a word's weight from what it adds to the score."""
    pairs = zip(explanation.terms, explanation.weights, strict=True)
    return max(abs(weight - truth.get(term, 0.0)) for term, weight in pairs)


def by_lime(problem: Problem, samples: int, seed: int) -> dict[str, float]:
    """Weights of ten words by the package `lime`, from the scores of versions of the passage's words."""
    try:
        from lime.lime_text import LimeTextExplainer
    except ImportError as error:
        raise SystemExit(
            f"this table needs lime ({error}): pip install 'intentx[bench-estimators]'"
        ) from error
    scores = problem.scorer
    text = problem.ranking.texts[problem.ranking.position(problem.doc)]
    words = " ".join(token.term for token in EVERY.tokens(text))
    explainer = LimeTextExplainer(split_expression=str.split, random_state=seed)
    explained = explainer.explain_instance(
        words, lambda texts: np.array(scores("", texts))[:, None], labels=(0,), num_samples=samples
    )
    return dict(explained.as_list(label=0))


def right(weights: dict[str, float], scorer: Linear) -> float:
    """Of the eight heaviest words, the share planted with this sign."""
    first = sorted(weights, key=lambda term: -abs(weights[term]))[: FOR + AGAINST]
    return sum(weights[t] * scorer.weights.get(t, 0.0) > 0 for t in first) / (FOR + AGAINST)


def few_versions(queries: int, seeds: int) -> Iterator[str]:
    """A table of EXS and LIME by the number of versions."""
    shares: dict[tuple[str, int], list[float]] = defaultdict(list)
    for problem in problems(queries):
        for samples in BUDGETS:
            for seed in range(seeds):
                for labels in LABELS:
                    found = EXS(labels=labels, samples=samples, seed=seed).explain(
                        problem.ranking, problem.doc
                    )
                    weights = dict(zip(found.terms, found.weights, strict=True))
                    shares[f"EXS, {labels}", samples].append(right(weights, problem.scorer))
                weights = by_lime(problem, samples, seed)
                shares["LIME, of the scores", samples].append(right(weights, problem.scorer))
    yield (
        f"\nWith fewer versions: right@{FOR + AGAINST} on the first {queries} passages, {seeds} seeds, "
        f"beside the package lime {version('lime')} on the scores of the same words:\n"
    )
    yield "| method | " + " | ".join(f"{samples:,}" for samples in BUDGETS) + " |"
    yield "|---|" + "---|" * len(BUDGETS)
    for name in dict.fromkeys(name for name, _ in shares):
        cells = (f"{np.mean(shares[name, samples]):.3f}" for samples in BUDGETS)
        yield f"| {name} | " + " | ".join(cells) + " |"


def shortened(text: str, words: int) -> str:
    """The text before its next word after so many different ones."""
    known: set[str] = set()
    for token in EVERY.tokens(text):
        if token.term not in known and len(known) == words:
            return text[: token.start]
        known.add(token.term)
    return text


def exact_errors(problem: Problem) -> tuple[float, float]:
    """Errors of exact Shapley values of a short text, and of a pair of them, against the sum itself."""
    scorer, ranking = problem.scorer, problem.ranking
    texts = dict(zip(ranking.doc_ids, ranking.texts, strict=True))
    short = ix.rank(scorer, ranking.query, {**texts, problem.doc: shortened(texts[problem.doc], SHORT)})
    single = KernelSHAP().explain(short, problem.doc)
    halves = {doc: shortened(text, SHORT // 2) for doc, text in texts.items()}
    pairs = ix.rank(scorer, ranking.query, halves)
    other = next(doc for doc in pairs.doc_ids if doc != problem.doc)
    pair = KernelSHAP().explain(pairs, problem.doc, above=other)
    assert single.metrics["exact"] == pair.metrics["exact"] == 1
    between = scorer.truth(halves[problem.doc])
    for term, share in scorer.truth(halves[other]).items():
        between[term] = between.get(term, 0.0) - share
    return error(single, scorer.truth(single.document)), error(pair, between)


def report(queries: int, samples: int) -> Iterator[str]:
    """The table and the errors of KernelSHAP."""
    shares: dict[str, list[tuple[float, float]]] = defaultdict(list)
    own: dict[str, list[float]] = defaultdict(list)
    sampled, exact, ranks, lengths = [], [], [], []
    for number, problem in enumerate(problems(queries)):
        ranks.append(problem.ranking.position(problem.doc) + 1)
        for name, make in METHODS.items():
            method: DocumentMethod = make(samples=samples, seed=number)
            explanation = method.explain(problem.ranking, problem.doc)
            shares[name].append(found(explanation, problem.scorer))
            own[name].append(explanation.seconds["total"] - explanation.seconds["model"])
            if name == SAMPLED:
                lengths.append(len(explanation.terms))
                sampled.append(error(explanation, problem.scorer.truth(explanation.document)))
        exact.append(exact_errors(problem))
    yield "# Planted words found by EXS, LIRME and KernelSHAP\n"
    yield (
        f"{load().name}: {len(ranks)} passages of {min(lengths)} to {max(lengths)} different words, of "
        f"{len(ranks)} queries, at ranks {min(ranks)} to {max(ranks)}. The ranker is a sum over the "
        f"occurrences of {FOR + AGAINST} words of the passage, {FOR} weighing 0.5 to 2 and {AGAINST} "
        f"-2 to -0.5; {samples:,} versions of the passage each, all other settings as they come. "
        f"Precision: of the first {FOR + AGAINST} words, the share that was planted; right: planted, "
        f"and with its sign. Machine: {machine()}.\n"
    )
    yield "| method | precision@8 | right@8 | lowest right@8 | passages with all 8 | own time, ms |"
    yield "|---|---|---|---|---|---|"
    for name, values in shares.items():
        precision, right = np.array(values).T
        yield (
            f"| {name} | {precision.mean():.3f} | **{right.mean():.3f}** | {right.min():.3f} "
            f"| {int((right == 1).sum())} of {len(right)} | {1e3 * np.median(own[name]):.0f} |"
        )
    single, pair = np.array(exact).max(axis=0)
    yield (
        f"\nKernelSHAP against what each word adds to the score, largest error over all words and "
        f"passages: exact, passages of {SHORT} different words, {single:.1e}; exact, pairs of passages "
        f"of {SHORT // 2}, {pair:.1e}; sampled, whole passages, {max(sampled):.1e}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--samples", type=int, default=1000, help="versions of a passage")
    parser.add_argument("--seeds", type=int, default=3, help="of the table with fewer versions")
    parser.add_argument("--out", type=Path, help="folder for planted.md")
    options = parser.parse_args()
    lines = chain(
        report(options.queries, options.samples), few_versions(min(options.queries, 20), options.seeds)
    )
    write(lines, options.out, "planted.md")


if __name__ == "__main__":
    main()
