"""Fidelity in and out of sample, of ten terms by every method, on 43 queries and five rankers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeCV
from train_rankers import CROSS_ENCODER
from trec import Collection, load, machine, minilm_vectors

import intentx as ix
from intentx.evaluation.fidelity import Method
from intentx.evaluation.metrics import METRICS, titled
from intentx.evaluation.statistics import bootstrap
from intentx.preferences import preference_pairs
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.scoring import Scorer
from intentx.text import TextIndex

SYSTEMS = {
    "MiniLM on BM25's top 100": "BM25",
    "cross-encoder on BM25's top 100": "BM25",
    "TAS-B (recorded)": "D_BERT_KD_TASB",
    "SPLADE++ (recorded)": "SPLADE_P_P_ENSEMBLE_DISTIL",
    "RepLLaMA (recorded)": "REP_LLAMA",
}
Row = dict[str, float]


def methods(vectors: ix.TermVectors, encoder: BiEncoder) -> dict[str, Callable[[], Method]]:
    four = ix.default_simple_rankers(vectors, encoder)
    return {
        "query terms": lambda: ix.QueryTerms(vectors=vectors),
        "random terms": lambda: ix.RandomTerms(vectors=vectors),
        "greedy (GREEDY-LM)": lambda: ix.IntentGreedy(),
        "Multiplex, published": lambda: ix.Multiplex.published(vectors=vectors),
        "Multiplex, generality 0": lambda: ix.Multiplex(vectors=vectors, generality=0.0),
        "Multiplex": lambda: ix.Multiplex(vectors=vectors),
        "Multiplex, effects 0": lambda: ix.Multiplex(vectors=vectors, effects=0.0),
        "Multiplex, effects 1": lambda: ix.Multiplex(vectors=vectors, effects=1.0),
        "Multiplex, generality 1": lambda: ix.Multiplex(vectors=vectors, generality=1.0),
        "Multiplex with phrases": lambda: Phrases(encoder),
        "Multiplex with phrases, generality 0": lambda: Phrases(encoder, generality=0.0),
        "query terms, dense": lambda: ix.QueryTerms(simple_rankers=four),
        "random terms, dense": lambda: ix.RandomTerms(simple_rankers=four),
        "Multiplex with dense": lambda: ix.Multiplex(simple_rankers=four),
        "Multiplex with dense, generality 0": lambda: ix.Multiplex(simple_rankers=four, generality=0.0),
        "Multiplex with dense and phrases": lambda: Phrases(encoder, dense=True),
        "Multiplex with dense and phrases, generality 0": lambda: Phrases(encoder, True, 0.0),
    }


@dataclass(frozen=True)
class Phrases:
    """Words and pairs of words, five times the candidates."""

    encoder: BiEncoder
    dense: bool = False
    generality: float = 0.5

    def explain(self, ranking: ix.Ranking) -> ix.IntentExplanation:
        analyzer = ix.Analyzer(ngrams=2)
        terms = TextIndex(ranking.texts, analyzer).vocabulary
        vectors = ix.TermVectors(tuple(terms), self.encoder.vectors(terms, "query"), "MiniLM")
        method = ix.Multiplex(
            simple_rankers=ix.default_simple_rankers(vectors, self.encoder if self.dense else None),
            analyzer=analyzer,
            generality=self.generality,
            candidates=1000,
            pool=4000,
        )
        return method.explain(ranking)


Features = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def tf_idf(shown: Sequence[str], hidden: Sequence[str]) -> Features:
    """Of all words, stopwords too."""
    model = TfidfVectorizer(sublinear_tf=True)
    return model.fit_transform(shown).toarray(), model.transform(hidden).toarray()


def text_matching(shown: Sequence[str], hidden: Sequence[str]) -> Features:
    """What Multiplex chooses from: the text matching scores of all terms that are no stopwords."""
    index = TextIndex(shown, ix.Analyzer())
    unseen = TextIndex(hidden, index.analyzer, index)
    scores = [ix.TextMatching().term_scores(index.vocabulary, part).T for part in (index, unseen)]
    return scores[0], scores[1]


RIDGES = {"ridge on all words, tf-idf": tf_idf, "ridge on all terms, text matching": text_matching}
"""Not explanations: linear models on all terms, the mark for held-out documents."""


def ridge_heldout(
    features: Callable[[Sequence[str], Sequence[str]], Features],
    ranking: ix.Ranking,
    share: float,
    repeats: int,
) -> float:
    """Share of the pairs of held-out documents that the linear model orders rightly."""
    values = []
    for generator in np.random.default_rng(0).spawn(repeats):  # the splits of heldout_fidelity
        n = len(ranking)
        held = np.sort(generator.permutation(n)[: round(share * n)])
        shown = np.setdiff1d(np.arange(n), held)
        seen, unseen = features([ranking.texts[i] for i in shown], [ranking.texts[i] for i in held])
        center = seen.mean(axis=0)
        ridge = RidgeCV(alphas=np.geomspace(0.1, 100, 13) * seen.var(axis=0).sum())
        ridge.fit(seen - center, -shown.astype(float))
        scores = ridge.predict(unseen - center)
        pairs = preference_pairs(ranking.subset(held.tolist()))
        values.append((scores[pairs.high] > scores[pairs.low]).mean())
    return float(np.mean(values))


def scorer(system: str, encoder: BiEncoder) -> Scorer | None:
    """Who can be asked; MiniLM as the encoder of dense, whose query then plays no part."""
    if system.startswith("MiniLM"):
        return encoder
    return CrossEncoder(CROSS_ENCODER) if system.startswith("cross-encoder") else None


def measure(
    collection: Collection,
    system: str,
    source: str,
    qids: list[str],
    repeats: int,
    only: list[str],
    cache: Path | None = None,
) -> dict[str, list[Row]]:
    vectors, encoder = minilm_vectors(), BiEncoder.minilm()
    ranker = scorer(system, encoder)
    rows: dict[str, list[Row]] = {}
    for number, qid in enumerate(qids, start=1):
        if ranker is not None:
            pool = collection.pool(source, qid)
            ranking = ix.rank(ranker, collection.queries[qid], pool, cache=cache)
        else:
            ranking = collection.ranking(source, qid)
        for name, method in methods(vectors, encoder).items():
            if only and name not in only:
                continue
            started = time.perf_counter()
            explanation = method().explain(ranking)
            seconds = time.perf_counter() - started
            fidelity = explanation.fidelity
            rows.setdefault(name, []).append(
                {
                    "all": fidelity.all,
                    "far": fidelity.far,
                    "tau": fidelity.tau,
                    "terms": len(explanation.terms),
                    "texts scored": explanation.model_calls,
                    "our seconds": seconds - explanation.seconds["model"],
                }
            )
            if repeats:
                held = ix.heldout_fidelity(method(), ranking, share=0.3, repeats=repeats)
                rows[name][-1]["held-out documents"] = held.mean
        for name, features in RIDGES.items() if repeats else ():
            ridge = ridge_heldout(features, ranking, 0.3, repeats)
            rows.setdefault(name, []).append({"held-out documents": ridge})
        print(f"{system}: {number} of {len(qids)}", file=sys.stderr, flush=True)
    return rows


def interval(values: npt.ArrayLike, digits: int = 3) -> str:
    """Mean and its 95 % interval over queries, by the bootstrap for 20 or more."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if not len(known):
        return "–"
    one = bootstrap(known)
    around = "" if np.isnan(one.low) else f" ({one.low:.{digits}f}–{one.high:.{digits}f})"
    return f"{one.mean:.{digits}f}{around}"


def table(rows: dict[str, list[Row]]) -> str:
    shares = ("all", "far", "held-out documents")
    means = ("tau", "terms", "texts scored", "our seconds")
    columns = ("method", *shares, *means)
    titles = titled(["all", "far", "tau"]) | {"texts scored": METRICS["model_calls"].title}
    lines = [
        f"| {' | '.join(titles.get(column, column) for column in columns)} |",
        "|" + "---|" * len(columns),
    ]
    for name, entries in rows.items():
        cells = [interval([entry.get(column, np.nan) for entry in entries]) for column in shares]
        for column in means:
            values = [entry[column] for entry in entries if column in entry]
            cells.append(f"{np.mean(values):.2f}" if values else "–")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--repeats", type=int, default=3, help="splits of the held-out documents; or 0")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--cache", type=Path, help="a file that remembers scores")
    parser.add_argument("--out", type=Path, help="folder for fidelity.md and fidelity.json")
    options = parser.parse_args()
    collection = load()
    qids = sorted(collection.queries)[:: max(1, len(collection.queries) // options.queries)]
    qids = qids[: options.queries]
    systems = SYSTEMS if collection.name != "generated" else {"generated": "generated"}
    head = (
        f"{len(qids)} queries of {collection.name}, 100 documents each; mean and 95 % bootstrap "
        f"interval over queries; held-out documents: {options.repeats} splits of 30 %.\n"
        "Texts scored: a method finds remembered what those above it had scored.\n"
        f"Machine: {machine()}."
    )
    parts, raw = [head], {}
    for system, source in systems.items():
        if system not in options.systems and collection.name != "generated":
            continue
        raw[system] = measure(
            collection, system, source, qids, options.repeats, options.methods, options.cache
        )
        parts.append(f"## {system}\n\n{table(raw[system])}")
        print("\n\n".join(parts[-1:]), flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "fidelity.md").write_text("# Fidelity\n\n" + "\n\n".join(parts) + "\n")
            (options.out / "fidelity.json").write_text(json.dumps(raw, indent=1))


if __name__ == "__main__":
    main()
