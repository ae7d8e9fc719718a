"""Rankers whose intent is known, explained by every method: does it find what the ranker looks for?

BM25 and a language model look for the query's terms, RM3 for these and for terms of feedback, SPLADE for
what its query vector weighs, a planted ranker for drawn words; a random ranker and one by length look
for nothing. Every ranker scores the first 100 documents of BM25's recorded ranking of each query.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from problems import write
from trec import DATA, load, machine

import intentx as ix
from intentx.evaluation.known import MOST, STEM, held_against, known_intent, stems
from intentx.explainers.methods import find_method
from intentx.rankers import BM25, RM3, LanguageModel, SparseRanker
from intentx.text import TextIndex

DOCUMENTS, EXPLAINED = 100, 5  # of a ranking, and of these for pointwise methods
OFTEN = 10  # documents that hold both of two words which count only together
PLAIN = ix.Analyzer()

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "Multiplex": ("multiplex", {}),
    "Multiplex, effects=1": ("multiplex", {"effects": 1.0}),
    "Multiplex, effects=0": ("multiplex", {"effects": 0.0}),
    "Multiplex, generality=0": ("multiplex", {"generality": 0.0}),
    "Multiplex, published": ("multiplex-published", {}),
    "GREEDY-LM": ("greedy", {}),
    "query terms": ("query-terms", {}),
    "random terms": ("random-terms", {}),
    "EXS": ("exs", {"samples": 100}),
    "LIRME": ("lirme", {"samples": 100}),
    "KernelSHAP": ("shap", {"samples": 100}),
    "DeepLIFT": ("deeplift", {}),
    "DeepSHAP": ("deepshap", {}),
    "integrated gradients": ("ig", {}),
}
EFFECTS = "effects"  # the terms that the ranker was found to want, and no others


class Known(NamedTuple):
    """A ranker of the texts of one query, what it looks for, and what it avoids: weights by stem."""

    scorer: Any
    wanted: Mapping[str, float]
    avoided: frozenset[str] = frozenset()


def _held(texts: Sequence[str]) -> set[str]:
    return {term for text in texts for term in STEM.terms(text)}


def bm25(query: str, texts: Sequence[str], number: int) -> Known:
    held = _held(texts)
    return Known(BM25(texts), {term: 1.0 for term in STEM.terms(query) if term in held})


def language_model(query: str, texts: Sequence[str], number: int) -> Known:
    scorer, held = LanguageModel(texts), _held(texts)
    return Known(scorer, {t: w for t, w in scorer.term_weights(query).items() if t in held})


def rm3(query: str, texts: Sequence[str], number: int) -> Known:
    scorer = RM3(texts)
    return Known(scorer, scorer.term_weights(query))


class Planted:
    """Words with weights, two that count only together, one that saturates at once, and noise."""

    def __init__(self, texts: Sequence[str], number: int, noise: float) -> None:
        index = TextIndex(texts, PLAIN)
        often = np.diff(index.counts.indptr)
        usual = [
            t for t, n in zip(index.vocabulary, often.tolist(), strict=True) if 5 <= n <= len(texts) / 2
        ]
        generator = np.random.default_rng(number)
        drawn = [usual[i] for i in generator.permutation(len(usual))]
        held = index.counts_of(drawn) > 0
        both = np.triu(held.astype(int) @ held.T.astype(int), 1)
        both[:6] = 0  # these count by themselves
        first, second = np.unravel_index(np.argmax(np.minimum(both, OFTEN)), both.shape)
        drawn = [*drawn[:6], drawn[first], drawn[second]]
        self.plain = dict(zip(drawn[:3], (1.0, 1.5, 2.0), strict=True))
        self.negative = dict(zip(drawn[3:5], (-1.0, -1.5), strict=True))
        self.saturating, self.together = drawn[5], drawn[6:8]
        self.noise = 0.0
        self.noise = noise * float(np.std(self("", texts)))

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        return [self._of(text) for text in texts]

    def _of(self, text: str) -> float:
        counts = Counter(token.term for token in PLAIN.tokens(text))
        score = sum(w * counts[t] for t, w in (self.plain | self.negative).items())
        score += 2.0 * (counts[self.saturating] > 0) + 2.0 * all(counts[t] for t in self.together)
        return float(score + self.noise * _normal(text))

    @property
    def wanted(self) -> dict[str, float]:
        return self.plain | dict.fromkeys([self.saturating, *self.together], 2.0)


def _normal(text: str) -> float:
    """A number that looks random, normally distributed, and is the same for the same text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    return float(np.random.default_rng(seed).standard_normal())


def planted(noise: float) -> Callable[[str, Sequence[str], int], Known]:
    def make(query: str, texts: Sequence[str], number: int) -> Known:
        scorer = Planted(texts, number, noise)
        wanted: dict[str, float] = {}
        for term, weight in scorer.wanted.items():
            wanted |= dict.fromkeys(stems([term]), weight)
        return Known(scorer, wanted, frozenset(stems(scorer.negative)))

    return make


def at_random(query: str, texts: Sequence[str], number: int) -> Known:
    return Known(lambda query, texts: [_normal(f"{number} {text}") for text in texts], {})


def by_length(query: str, texts: Sequence[str], number: int) -> Known:
    return Known(lambda query, texts: [float(len(text)) for text in texts], {})


def sparse(path: Path) -> Callable[[str, Sequence[str], int], Known]:
    """A learned sparse ranker, which says itself what it looks for; what the texts hold of it counts."""
    scorer = SparseRanker(path, remember=1000)

    def make(query: str, texts: Sequence[str], number: int) -> Known:
        wanted, _ = known_intent(ix.rank(scorer, query, texts)) or ({}, STEM)
        return Known(scorer, wanted)

    return make


def makers(names: Sequence[str]) -> Iterator[tuple[str, Callable[[str, Sequence[str], int], Known]]]:
    simple = {
        "bm25": bm25,
        "lm": language_model,
        "rm3": rm3,
        "planted": planted(0.0),
        "planted, 10 % noise": planted(0.1),
        "random": at_random,
        "length": by_length,
    }
    for name in names:
        if name == "splade":
            yield name, sparse(DATA.parent / "models" / "splade-tiny")
        else:
            yield name, simple[name]


def applies(method: str, ranking: ix.Ranking) -> bool:
    """Whether the ranker offers the gradients that the method takes, if it takes any."""
    needs = method in METHODS and find_method(METHODS[method][0]).needs_gradients
    return not needs or ranking.can.differentiable is not None


def explained(name: str, ranking: ix.Ranking) -> tuple[list[str], Any]:
    """The terms, the best first, and the explanation where there is one of the whole ranking."""
    if name == EFFECTS:
        return [one.term for one in ix.effects(ranking) if one.kind == "wanted"][:MOST], None
    kind, settings = METHODS[name]
    chosen = find_method(kind)
    method = chosen.make(settings)
    if chosen.explains == "document":
        total: Counter[str] = Counter()
        for place in range(EXPLAINED):
            found = method.explain(ranking, place)
            for term, weight in zip(found.terms, found.weights, strict=True):
                total[term] += weight / max(sum(map(abs, found.weights)), 1e-12)
        return [term for term, weight in total.most_common(MOST) if weight > 0], None
    found = method.explain(ranking)
    return list(found.terms), found


def _stemmed(found: Any, method: str, ranking: ix.Ranking) -> bool:
    """Whether the terms are stems already."""
    own = ranking.analyzer if method == EFFECTS else found and found.analyzer
    return bool(own and own.stem)


def scored(terms: Sequence[str], ours: bool, truth: Known) -> dict[str, float]:
    """Precision, recall and F1 by stems, average precision, and recall by weight."""
    metrics = held_against(terms if ours else stems(terms), truth.wanted)
    return {
        "P": metrics.precision,
        "R": metrics.recall,
        "F1": metrics.f1,
        "AP": metrics.average_precision,
        "weight": metrics.weight,
    }


def run(
    name: str,
    rankers: Sequence[str],
    queries: int | None,
    methods: Sequence[str],
    known: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    """A row for each ranker, query and method that is not known yet."""
    done = {(row["ranker"], row["qid"], row["method"]) for row in known}
    collection = load(name)
    first = (
        collection.runs["BM25"] if "BM25" in collection.runs else next(iter(collection.runs.values()))
    )
    for label, make in makers(rankers):
        for number, qid in enumerate(sorted(q for q in collection.queries if q in first)[:queries]):
            left = [method for method in methods if (label, qid, method) not in done]
            if not left:
                continue
            ids = list(first[qid])[:DOCUMENTS]
            docs = {doc_id: collection.texts[doc_id] for doc_id in ids}
            truth = make(collection.queries[qid], list(docs.values()), number)
            ranking = ix.rank(truth.scorer, collection.queries[qid], docs)
            for method in (one for one in left if applies(one, ranking)):
                started = time.process_time()
                try:
                    terms, found = explained(method, ranking)
                except ix.InputError:  # a query of stopwords has no query terms
                    terms, found = [], None
                row: dict[str, Any] = {"ranker": label, "qid": qid, "method": method, "terms": terms}
                row["seconds"] = time.process_time() - started
                if found is not None:
                    row |= {"calls": found.model_calls, "level": found.verdict.level}
                    row |= {"effects": [one.kind for one in found.effects], "all": found.fidelity.all}
                    row["heldout"] = found.verdict.heldout
                if truth.wanted:
                    row |= scored(terms, _stemmed(found, method, ranking), truth)
                yield row


def table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Means over queries, for each ranker and method."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["ranker"], row["method"]].append(row)
    columns = ("P", "R", "F1", "AP", "weight", "all", "heldout", "calls", "seconds")
    head = "| ranker | method | queries | " + " | ".join(columns) + " | holds | weak | chance |"
    yield head
    yield "|" + "---|" * (head.count("|") - 1)
    for (ranker, method), some in groups.items():
        cells = []
        for column in columns:
            values = [row[column] for row in some if column in row]
            form = "{:.0f}" if column == "calls" else "{:.3f}"
            cells.append(form.format(np.mean(values)) if values else "")
        levels = Counter(row.get("level") for row in some)
        shares = [
            f"{levels[one] / len(some):.2f}" if levels.total() > levels[None] else ""
            for one in ("holds", "weak", "chance")
        ]
        yield f"| {ranker} | {method} | {len(some)} | " + " | ".join(cells + shares) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collection", default="dl19")
    parser.add_argument(
        "--rankers",
        nargs="+",
        default=["bm25", "lm", "rm3", "planted", "planted, 10 % noise", "random", "length", "splade"],
    )
    parser.add_argument("--methods", nargs="+", default=[*METHODS, EFFECTS])
    parser.add_argument("--queries", type=int)
    parser.add_argument("--kept", type=Path, nargs="*", default=[], help="rows of earlier runs, JSONL")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = [line for path in options.kept for line in path.read_text().splitlines()]
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    for row in run(options.collection, options.rankers, options.queries, options.methods, rows):
        rows.append(row)
        print(json.dumps(row, ensure_ascii=False), flush=True)
    write(iter(_report(options.collection, rows)), options.out, "known.md")


def _report(collection: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "# Rankers whose intent is known"
    yield ""
    yield (
        f"{load(collection).name}, {DOCUMENTS} documents a query, at most {MOST} terms. P, R, F1, "
        "AP: precision, recall, their harmonic mean and average precision of the terms after stemming, "
        "against those that the ranker looks for and the documents hold; weight: their weights over "
        "those of the ten heaviest. Methods that explain one document: weights of the first "
        f"{EXPLAINED} documents added up (EXS, LIRME and KernelSHAP by 100 versions each; DeepLIFT, "
        "DeepSHAP and integrated gradients where the ranker offers gradients); effects: the terms that "
        "`ix.effects` finds to be wanted, the strongest first. "
        f"calls: texts scored besides the documents; seconds: processor time. Machine: {machine()}."
    )
    yield ""
    yield from table(rows)


if __name__ == "__main__":
    main()
