"""Explanations by features on MQ2008: the order by the first k features, and the order without them.

Five folds, a LambdaMART of LightGBM for each, 100 background rows of its training documents, queries
drawn by a seed among those of the test part with ten documents or more and two different scores. Rows
go to ``--kept`` as they are measured, and what is there is not measured again. ``--letor TRAIN TEST
--model FILE`` does the same for other files and a model that LightGBM saved.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import shards
from problems import write
from shards import keep, kept_rows, sharded
from trec import DATA, machine

import intentx as ix
from intentx.datasets.letor import Letor, read_letor
from intentx.explainers.features.background import MaskedModel
from intentx.explainers.features.faithful import orders_by_first
from intentx.explainers.features.orders import taus
from intentx.models import FeatureModel
from intentx.rankers.features.files import lightgbm_model

KS = (1, 3, 5, 7, 10)
ROWS, LEAST = 100, 10
Order = Callable[[ix.FeatureRanking, np.ndarray, int], list[int]]


def trained(train: Letor, valid: Letor, seed: int = 0) -> Any:
    """LambdaMART with early stopping on the validation part."""
    import lightgbm

    X, grades, sizes = train.rows()
    other, their_grades, their_sizes = valid.rows()
    model = lightgbm.LGBMRanker(
        n_estimators=300, num_leaves=15, learning_rate=0.05, min_child_samples=20, random_state=seed,
        n_jobs=1, verbose=-1, deterministic=True,
    )  # fmt: skip
    return model.fit(
        X, grades.astype(int), group=sizes, eval_set=[(other, their_grades.astype(int))],
        eval_group=[their_sizes], eval_at=[10], callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )  # fmt: skip


def by_listwise(ranking: ix.FeatureRanking, rows: np.ndarray, seed: int) -> list[int]:
    found = ix.ListwiseSHAP(background=rows, seed=seed).explain(ranking)
    positive = [n for n, w in zip(found.features, found.weights, strict=True) if w > 0]
    return ranking.columns([*positive, *(n for n in found.features if n not in positive)])


def by_greedy(ranking: ix.FeatureRanking, rows: np.ndarray, seed: int) -> list[int]:
    """Σ (s_i − s_j)·|r_i − r_j| over ordered pairs (Singh et al. 2021), the mean over rows."""
    masked = MaskedModel(ranking.ask("greedy"), ranking.X, rows)
    high, low = np.triu_indices(len(ranking), 1)
    ordered = ranking.scores[high] > ranking.scores[low]
    high, low = high[ordered], low[ordered]
    chosen: list[int] = []
    while len(chosen) < max(KS):
        left = [i for i in range(len(ranking.names)) if i not in chosen]
        sums = []
        for one in left:
            kept = np.isin(np.arange(len(ranking.names)), [*chosen, one])[None]
            scores = masked.scores(kept)[0]
            ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
            gain = (scores[:, high] - scores[:, low]) * np.abs(ranks[:, high] - ranks[:, low])
            sums.append(gain.sum(axis=1).mean())
        chosen.append(left[int(np.argmax(sums))])
    return chosen


def by_gain(ranking: ix.FeatureRanking, rows: np.ndarray, seed: int) -> list[int]:
    model = ranking.ask("gain").model
    booster = getattr(model, "booster_", model)
    return [int(i) for i in np.argsort(-booster.feature_importance("gain"), kind="stable")]


def by_mean_shap(ranking: ix.FeatureRanking, rows: np.ndarray, seed: int) -> list[int]:
    """Mean |TreeSHAP| of the first ten documents."""
    model = ranking.ask("TreeSHAP").model
    booster = getattr(model, "booster_", model)
    shares = booster.predict(ranking.X[:10], pred_contrib=True)[:, :-1]
    return [int(i) for i in np.argsort(-np.abs(shares).mean(axis=0), kind="stable")]


def by_chance(ranking: ix.FeatureRanking, rows: np.ndarray, seed: int) -> list[int]:
    order = np.random.default_rng([seed, len(ranking)]).permutation(len(ranking.names))
    return [int(i) for i in order]


def of_set(method: Any) -> Order:
    """The features of a set by what each adds, then the others; chosen with the mean as background."""

    def order(ranking: ix.FeatureRanking, rows: np.ndarray, seed: int) -> list[int]:
        found = method.explain(ranking).features
        return ranking.columns([*found, *(name for name in ranking.names if name not in found)])

    return order


METHODS: dict[str, Order] = {
    "ListwiseSHAP": by_listwise,
    "ValidFeatures": of_set(ix.ValidFeatures(k=max(KS))),
    "ValidFeatures, half completeness": of_set(ix.ValidFeatures(k=max(KS), completeness=0.5)),
    "greedy": by_greedy,
    "permutation": of_set(ix.FeatureBaseline(by="permutation", k=max(KS))),
    "Rank-LIME": of_set(ix.FeatureBaseline(by="rank-lime", k=max(KS))),
    "mean absolute SHAP": by_mean_shap,
    "gain": by_gain,
    "random": by_chance,
}


def measured(ranking: ix.FeatureRanking, rows: np.ndarray, order: Sequence[int]) -> dict[str, float]:
    """τ and exposure with only the first k features, and τ without them, the mean over the rows."""
    curves = orders_by_first(ranking, rows, order, KS)
    found: dict[str, float] = {}
    for place, k in enumerate(KS):
        found[f"preservation {k}"] = float(curves["preservation"][place])
        found[f"deletion {k}"] = float(curves["deletion"][place])
        found[f"exposure alone {k}"] = float(curves["exposure_preservation"][place])
        found[f"exposure without {k}"] = float(curves["exposure_deletion"][place])
        if k == 5:  # as `ValidFeatures` has it: one background row, the mean of the documents
            kept = np.isin(np.arange(len(ranking.names)), order[:k])
            mean = MaskedModel(ranking.ask("features"), ranking.X, ranking.X.mean(axis=0)[None])
            alone, without = mean.scores(np.array([kept, ~kept]))
            found["validity 5"] = float(taus(ranking.scores, alone)[0])
            found["completeness 5"] = -float(taus(ranking.scores, without)[0])
    return found


def rows_of(
    name: str,
    model: FeatureModel,
    train: Letor,
    test: Letor,
    given: argparse.Namespace,
    known: set[Any],
) -> Iterator[dict[str, Any]]:
    X = train.rows()[0]
    rows = X[np.random.default_rng(0).choice(len(X), min(ROWS, len(X)), replace=False)]
    able = [q for q, one in test.queries.items() if len(one.doc_ids) >= LEAST]
    drawn = [able[i] for i in np.random.default_rng(0).permutation(len(able))]
    rankings = ((qid, test.ranking(qid, model)) for qid in drawn)
    asked = islice((one for one in rankings if np.ptp(one[1].scores)), given.queries)
    for qid, ranking in sharded([*asked], given.shard):
        for label, method in METHODS.items():
            if label in given.methods and (name, qid, label) not in known:
                found = measured(ranking, rows, method(ranking, rows, 0))
                yield {"data": name, "query": qid, "method": label, **found}


NOISE = (0.0, 0.25, 0.5)  # standard deviation, of the scores'


def noisy(ranker: Any, share: float) -> Any:
    """A ranker with noise: the sine of a steep projection of all features, the same for a row."""
    if not share:
        return ranker
    spread = float(np.std(ranker(np.random.default_rng(2).normal(size=(1000, 12)))))
    steep = 1000 * np.random.default_rng(1).normal(size=12)
    return lambda X: ranker(X) + share * spread * np.sqrt(2) * np.sin(X @ steep)


PLANTED: dict[str, tuple[Callable[[np.ndarray], np.ndarray], tuple[int, ...]]] = {
    "sum of three": (lambda X: X[:, 1] + X[:, 4] + X[:, 7], (1, 4, 7)),
    "tree on two": (lambda X: np.where(X[:, 2] > 0, 2.0 + (X[:, 6] > 0), X[:, 6] > 0.5), (2, 6)),
    "interaction": (lambda X: X[:, 3] * X[:, 8] + X[:, 0], (0, 3, 8)),
}
CALLABLE = ("ListwiseSHAP", "ValidFeatures", "greedy", "permutation", "Rank-LIME", "random")


def planted(
    queries: int, methods: Sequence[str], shard: tuple[int, int], known: set[Any]
) -> Iterator[dict[str, Any]]:
    """Precision of the first features of rankers whose features are known."""
    for seed, (ranker_name, share) in product(sharded(range(queries), shard), product(PLANTED, NOISE)):
        ranker, truth = PLANTED[ranker_name]
        name = f"{ranker_name}, noise {share:g}" if share else ranker_name
        generator = np.random.default_rng(seed)
        X, names = generator.normal(size=(30, 12)), [f"f{i}" for i in range(12)]
        model = FeatureModel(noisy(ranker, share), names)
        ranking = ix.FeatureRanking.from_model(model, f"{seed}", [f"d{i}" for i in range(30)], X)
        rows = generator.normal(size=(20, 12))
        for label in CALLABLE:
            if label in methods and (name, f"{seed}", label) not in known:
                first = METHODS[label](ranking, rows, seed)[: len(truth)]
                hit = len({*first} & {*truth}) / len(truth)
                yield {"data": name, "query": f"{seed}", "method": label, "hit": hit}


def verdicts(
    name: str, model: FeatureModel, part: Letor, given: argparse.Namespace, known: set[Any]
) -> Iterator[dict[str, Any]]:
    """Levels of verdicts of ListwiseSHAP on true and on shuffled scores."""
    able = [q for q, one in part.queries.items() if len(one.doc_ids) >= LEAST]
    method = ix.ListwiseSHAP(samples=100)
    drawn = np.random.default_rng(1).permutation(len(able))[: given.verdicts]
    for i in sharded(drawn.tolist(), given.shard):
        ranking = part.ranking(able[i], model)
        if ranking.scores[0] == ranking.scores[-1]:
            continue
        mixed = np.random.default_rng([7, i]).permutation(ranking.scores)
        other = ix.FeatureRanking(
            ranking.query, ranking.doc_ids, ranking.X, ranking.names, mixed, ranking.model
        )
        for scores, one in (("true", ranking), ("shuffled", other)):
            if (name, able[i], scores) not in known:
                level = ix.verdict(method.explain(one)).level
                yield {"data": name, "query": able[i], "method": scores, "level": level}


def curves_report(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Preservation and deletion of the queries that every method has explained."""
    methods = [m for m in METHODS if any(row["method"] == m for row in rows)]
    queries = {(row["data"], row["query"]) for row in rows}
    queries = {q for q in queries if sum((r["data"], r["query"]) == q for r in rows) == len(methods)}
    by_data = {d: sum(q[0] == d for q in queries) for d in sorted({q[0] for q in queries})}
    yield (
        f"{len(queries)} queries ({', '.join(f'{d}: {n}' for d, n in by_data.items())}), drawn by "
        f"seed 0 among test queries with {LEAST} documents or more; {ROWS} background rows. "
        "ValidFeatures, permutation and Rank-LIME choose ten features with the mean as background. "
        "Preservation: τ of the order by the first k features to the full one. Deletion: τ of the order "
        "without them; lower is better. Exposure: 1 less the share of the exposure that moves. Means "
        "over background rows and queries.\n"
    )
    mine = {
        m: [r for r in rows if r["method"] == m and (r["data"], r["query"]) in queries] for m in methods
    }
    for what in ("preservation", "deletion", "exposure alone", "exposure without"):
        yield f"| {what} | {' | '.join(f'k = {k}' for k in KS)} |\n{'|---' * 6}|"
        for m in methods:
            cells = [f"{np.mean([r[f'{what} {k}'] for r in mine[m]]):.3f}" for k in KS]
            yield f"| {m} | {' | '.join(cells)} |"
        yield ""
    yield "| background: mean of the documents | validity, k = 5 | completeness, k = 5 |\n|---|---|---|"
    for m in methods:
        both = (f"{np.mean([r[f'{w} 5'] for r in mine[m]]):.3f}" for w in ("validity", "completeness"))
        yield f"| {m} | {' | '.join(both)} |"


def planted_report(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    number = len({row["query"] for row in rows})
    yield (
        "\n## Planted rankers\n\nPrecision of as many features as the ranker has, "
        f"{number} rankings. Noise: the sine of a steep projection of all features is added to the "
        "score, with a standard deviation of so much of the scores'.\n"
    )
    names = sorted({row["data"] for row in rows}, key=lambda name: (name.partition(",")[0], name))
    yield f"| method | {' | '.join(names)} |\n{'|---' * (len(names) + 1)}|"
    for m in dict.fromkeys(row["method"] for row in rows):
        hits = ([r["hit"] for r in rows if (r["data"], r["method"]) == (n, m)] for n in names)
        yield f"| {m} | {' | '.join(f'{np.mean(one):.3f}' if one else '–' for one in hits)} |"


def report(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"# Explanations of rankers over features\n\nMachine: {machine()}.\n"
    if curves := [row for row in rows if "preservation 1" in row]:
        yield from curves_report(curves)
    if plants := [row for row in rows if "hit" in row]:
        yield from planted_report(plants)
    if levels := [row for row in rows if "level" in row]:
        yield "\n## Verdicts\n"
        for key in dict.fromkeys((row["data"], row["method"]) for row in levels):
            some = [row["level"] for row in levels if (row["data"], row["method"]) == key]
            yield (
                f"- {key[0]}, {key[1]} scores: {some.count('holds')} of {len(some)} hold, "
                f"{some.count('weak')} weak."
            )


def mq2008(given: argparse.Namespace, known: set[Any]) -> Iterator[dict[str, Any]]:
    """Rows of the folds, and of the check of verdicts on the first."""
    files = [DATA / "mq2008" / f"S{i + 1}.txt.gz" for i in range(5)]
    for fold in range(5):
        if not (given.queries or (given.verdicts and fold == 0)):
            return
        train = read_letor([files[(fold + i) % 5] for i in range(3)])
        valid, test = read_letor(files[(fold + 3) % 5]), read_letor(files[(fold + 4) % 5])
        model = FeatureModel(trained(train, valid), train.names)
        yield from rows_of(f"fold {fold + 1}", model, train, test, given, known)
        if fold == 0:
            yield from verdicts("fold 1, validation queries", model, valid, given, known)
            yield from verdicts("fold 1, test queries", model, test, given, known)


def foreign(given: argparse.Namespace, known: set[Any]) -> Iterator[dict[str, Any]]:
    """Rows of other files, and a model that LightGBM saved."""
    train, test = map(read_letor, given.letor)
    model = FeatureModel(lightgbm_model(given.model), train.names)
    yield from rows_of(given.letor[1].name, model, train, test, given, known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shards.add_options(parser)
    parser.add_argument("--queries", type=int, default=5, help="of each fold")
    parser.add_argument("--verdicts", type=int, default=60, help="queries of the check of verdicts")
    parser.add_argument("--planted", type=int, default=20, help="rankings of each planted ranker")
    parser.add_argument("--methods", nargs="+", default=[*METHODS], choices=METHODS)
    parser.add_argument("--letor", type=Path, nargs=2, metavar=("TRAIN", "TEST"))
    parser.add_argument("--model", type=Path, help="of LightGBM, for --letor")
    parser.add_argument("--out", type=Path, help="folder for ltr_explanations.md")
    given = parser.parse_args()
    if (given.letor is None) != (given.model is None):
        parser.error("--letor and --model go together")
    rows = kept_rows(given.kept)
    known = {(row["data"], row["query"], row["method"]) for row in rows}
    rows += keep(given.kept, foreign(given, known) if given.letor else mq2008(given, known))
    if not given.letor:
        rows += keep(given.kept, planted(given.planted, given.methods, given.shard, known))
    write(report(rows), given.out, "ltr_explanations.md")


if __name__ == "__main__":
    main()
