"""Valid features on MQ2008: validity, completeness, rows asked and processor time of each method.

For each of the five folds a LambdaMART of LightGBM is trained on three parts, as the folds of LETOR 4.0
have it, and queries of the test part are explained. Run from the root of the repository, with
``OMP_NUM_THREADS=1``:

    python benchmarks/valid_features.py ../shared/data/mq2008 --queries 20 --trees 300
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

import intentx as ix

SIZES = (1, 3, 5, 7, 10)


def methods(k: int) -> dict[str, Any]:
    """Every method at k features."""
    return {
        "valid features": ix.ValidFeatures(k=k),
        "valid features, half completeness": ix.ValidFeatures(k=k, completeness=0.5),
        "greedy": ix.ValidFeatures(k=k, method="greedy"),
        "greedy-cover": ix.ValidFeatures(k=k, method="greedy-cover"),
        **{
            by: ix.FeatureBaseline(by=by, k=k)
            for by in ("shap", "permutation", "gain", "random", "rank-lime")
        },
    }


def fold(folder: Path, number: int, trees: int) -> tuple[Any, Any]:
    """Test part and model of a fold, 1 to 5."""
    parts = [folder / f"S{(number - 1 + i) % 5 + 1}.txt.gz" for i in range(5)]
    X, grades, sizes = ix.read_letor(parts[:3]).rows()
    model = lightgbm.LGBMRanker(
        n_estimators=trees, learning_rate=0.05, n_jobs=1, random_state=0, verbose=-1
    ).fit(X, grades, group=sizes)
    test = ix.read_letor(parts[4])
    return test, ix.FeatureModel(model, test.names)


def main() -> None:
    """Print a table, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, default=20, help="of each fold")
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/valid_features.json"))
    options = parser.parse_args()
    found: dict[tuple[str, int], list[tuple[float, ...]]] = defaultdict(list)
    for number in range(1, 6):
        test, model = fold(options.folder, number, options.trees)
        rankings = [one for one in test.rankings(model) if len(set(one.scores)) > 1]
        step = max(1, len(rankings) // options.queries)
        for ranking in rankings[::step][: options.queries]:
            for k in SIZES:
                for name, method in methods(k).items():
                    start = time.process_time()
                    one = method.explain(ranking)
                    spent = time.process_time() - start
                    row = (one.validity, one.completeness, one.model_calls, spent)
                    found[name, k].append((*row, one.status == "optimal"))
    rows: list[dict[str, Any]] = []
    for (name, k), values in found.items():
        means = np.mean(values, axis=0)
        rows.append({"method": name, "k": k, "queries": len(values)} | dict(zip(
            ("validity", "completeness", "rows", "seconds", "optimal"), means.tolist(), strict=True
        )))  # fmt: skip
    ours = {k: np.array(found["valid features", k])[:, 0] for k in SIZES}
    below = {
        f"{name} at {k}": int((np.array(found[name, k])[:, 0] > ours[k] + 1e-9).sum())
        for name in methods(1)
        for k in SIZES
    }
    options.json.write_text(
        json.dumps(
            {
                "machine": f"{platform.machine()}, 2 shared cores, one thread",
                "trees": options.trees,
                "queries_above_valid_features": {name: n for name, n in below.items() if n},
                "means": rows,
            },
            indent=1,
        )
        + "\n"
    )
    for one in sorted(rows, key=lambda row: int(row["k"])):
        print(*(f"{v:.3f}" if isinstance(v, float) else v for v in one.values()), sep="\t")


if __name__ == "__main__":
    main()
