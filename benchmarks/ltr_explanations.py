"""Explanations by features on MQ2008: the order by the first k features, and the order without them.

Five folds, a LambdaMART of LightGBM for each, 100 background rows of its training documents, queries
drawn by a seed among those of the test part with ten documents or more and two different scores. Rows
go to ``--kept`` as they are measured, and what is there is not measured again. ``--letor TRAIN TEST
--model FILE`` does the same for other files and a model that LightGBM saved.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
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
    name: str, model: FeatureModel, train: Letor, test: Letor, queries: int, known: set[Any]
) -> Iterator[dict[str, Any]]:
    X = train.rows()[0]
    rows = X[np.random.default_rng(0).choice(len(X), min(ROWS, len(X)), replace=False)]
    able = [q for q, one in test.queries.items() if len(one.doc_ids) >= LEAST]
    drawn = [able[i] for i in np.random.default_rng(0).permutation(len(able))]
    done = 0
    for qid in drawn:
        ranking = test.ranking(qid, model)
        if ranking.scores[0] == ranking.scores[-1]:
            continue
        done += 1
        if done > queries:
            return
        for label, method in METHODS.items():
            if (name, qid, label) not in known:
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


def planted(queries: int = 20) -> Iterator[dict[str, Any]]:
    """Precision of the first features of rankers whose features are known."""
    rankers = {
        "sum of three": (lambda X: X[:, 1] + X[:, 4] + X[:, 7], (1, 4, 7)),
        "tree on two": (lambda X: np.where(X[:, 2] > 0, 2.0 + (X[:, 6] > 0), X[:, 6] > 0.5), (2, 6)),
        "interaction": (lambda X: X[:, 3] * X[:, 8] + X[:, 0], (0, 3, 8)),
    }
    every = [(n, share, noisy(r, share), t) for n, (r, t) in rankers.items() for share in NOISE]
    for name, share, ranker, truth in every:
        name = f"{name}, noise {share:g}" if share else name
        for seed in range(queries):
            generator = np.random.default_rng(seed)
            X, names = generator.normal(size=(30, 12)), [f"f{i}" for i in range(12)]
            model = FeatureModel(ranker, names)
            ranking = ix.FeatureRanking.from_model(model, f"{seed}", [f"d{i}" for i in range(30)], X)
            rows = generator.normal(size=(20, 12))
            for label in (
                "ListwiseSHAP",
                "ValidFeatures",
                "greedy",
                "permutation",
                "Rank-LIME",
                "random",
            ):
                first = METHODS[label](ranking, rows, seed)[: len(truth)]
                yield {"ranker": name, "method": label, "hit": len({*first} & {*truth}) / len(truth)}


def shuffled(model: FeatureModel, part: Letor, queries: int) -> dict[str, list[str]]:
    """Levels of verdicts of ListwiseSHAP on true and on shuffled scores."""
    able = [q for q, one in part.queries.items() if len(one.doc_ids) >= LEAST]
    found: dict[str, list[str]] = {"true": [], "shuffled": []}
    method = ix.ListwiseSHAP(samples=100)
    for i in np.random.default_rng(1).permutation(len(able))[:queries]:
        ranking = part.ranking(able[i], model)
        if ranking.scores[0] == ranking.scores[-1]:
            continue
        mixed = np.random.default_rng([7, int(i)]).permutation(ranking.scores)
        other = ix.FeatureRanking(
            ranking.query, ranking.doc_ids, ranking.X, ranking.names, mixed, ranking.model
        )
        for key, one in (("true", ranking), ("shuffled", other)):
            found[key].append(ix.verdict(method.explain(one)).level)
    return found


def report(
    rows: Sequence[dict[str, Any]], plants: Sequence[dict[str, Any]], number: int, lines: Sequence[str]
) -> str:
    out = ["# Explanations of rankers over features", "", f"Machine: {machine()}.", ""]
    methods = [m for m in METHODS if any(row["method"] == m for row in rows)]
    queries = {(row["data"], row["query"]) for row in rows}
    queries = {q for q in queries if sum((r["data"], r["query"]) == q for r in rows) == len(METHODS)}
    by_data = {d: sum(q[0] == d for q in queries) for d in sorted({q[0] for q in queries})}
    out += [
        f"{len(queries)} queries ({', '.join(f'{d}: {n}' for d, n in by_data.items())}), drawn by "
        f"seed 0 among test queries with {LEAST} documents or more; 100 background rows. ValidFeatures, "
        "permutation and Rank-LIME choose ten features with the mean as background. Preservation: "
        "τ of the order by the first k features to the full one. Deletion: τ of the order without them; "
        "lower is better. Exposure: 1 less the share of the exposure that moves. Means over background "
        "rows and queries.",
        "",
    ]  # fmt: skip
    for what in ("preservation", "deletion", "exposure alone", "exposure without"):
        out += [f"| {what} | " + " | ".join(f"k = {k}" for k in KS) + " |", "|---" * 6 + "|"]
        for m in methods:
            mine = [r for r in rows if r["method"] == m and (r["data"], r["query"]) in queries]
            cells = [f"{np.mean([r[f'{what} {k}'] for r in mine]):.3f}" for k in KS]
            out.append(f"| {m} | " + " | ".join(cells) + " |")
        out.append("")
    out += [
        "| background: mean of the documents | validity, k = 5 | completeness, k = 5 |",
        "|---|---|---|",
    ]
    for m in methods:
        mine = [r for r in rows if r["method"] == m and (r["data"], r["query"]) in queries]
        both = (f"{np.mean([r[f'{w} 5'] for r in mine]):.3f}" for w in ("validity", "completeness"))
        out.append(f"| {m} | " + " | ".join(both) + " |")
    out += [
        "",
        "## Planted rankers",
        "",
        f"Precision of as many features as the ranker has, {number} rankings. Noise: the sine of a "
        "steep projection of all features is added to the score, with a standard deviation of so "
        "much of the scores'.",
        "",
    ]
    names = list(dict.fromkeys(p["ranker"] for p in plants))
    out += ["| method | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for m in dict.fromkeys(p["method"] for p in plants):
        shares = (
            f"{np.mean([p['hit'] for p in plants if p['ranker'] == n and p['method'] == m]):.3f}"
            for n in names
        )
        out.append(f"| {m} | " + " | ".join(shares) + " |")
    return "\n".join([*out, "", *lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, required=True, help="JSON lines of rows")
    parser.add_argument("--queries", type=int, default=5, help="of each fold")
    parser.add_argument("--verdicts", type=int, default=60, help="queries of the check of verdicts")
    parser.add_argument("--planted", type=int, default=20, help="rankings of each planted ranker")
    parser.add_argument("--letor", type=Path, nargs=2, metavar=("TRAIN", "TEST"))
    parser.add_argument("--model", type=Path, help="of LightGBM, for --letor")
    parser.add_argument("--out", type=Path, help="the report; default: standard output")
    given = parser.parse_args()
    kept = given.kept.read_text().splitlines() if given.kept.exists() else []
    rows = [json.loads(line) for line in kept]
    known = {(row["data"], row["query"], row["method"]) for row in rows}
    parts, lines = [], []
    if given.letor:
        train, test = map(read_letor, given.letor)
        parts.append(
            (given.letor[1].name, FeatureModel(lightgbm_model(given.model), train.names), train, test)
        )
    else:
        files = [DATA / "mq2008" / f"S{i + 1}.txt.gz" for i in range(5)]
        for fold in range(5):
            train = read_letor([files[(fold + i) % 5] for i in range(3)])
            valid, test = read_letor(files[(fold + 3) % 5]), read_letor(files[(fold + 4) % 5])
            model = FeatureModel(trained(train, valid), train.names)
            parts.append((f"fold {fold + 1}", model, train, test))
            if fold == 0:
                lines = ["## Verdicts", ""]
                for name, part in (("validation", valid), ("test", test)):
                    found = shuffled(model, part, given.verdicts)
                    for key, levels in found.items():
                        holds = levels.count("holds")
                        lines.append(
                            f"- Fold 1, {name} queries, {key} scores: {holds} of {len(levels)} hold, "
                            f"{levels.count('weak')} weak."
                        )
    with given.kept.open("a") as file:
        for one in parts:
            for row in rows_of(*one, given.queries, known):
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
    text = report(rows, [*planted(given.planted)], given.planted, lines)
    given.out.write_text(text) if given.out else print(text)


if __name__ == "__main__":
    main()
