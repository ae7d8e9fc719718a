"""The shipped study table2 on TREC DL'19, with rankers trained here; then its report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from train_rankers import CROSS_ENCODER, RECIPES, trained
from trec import DATA

from intentx.cli import main as intentx


def rankers(names: Sequence[str] = ("BERT", "DRMM", "MatchPyramid")) -> dict[str, str]:
    """Specs in place of the study's, of the rankers that are named."""
    found = {}
    if "BERT" in names and CROSS_ENCODER.is_dir():
        found["BERT"] = f"cross-encoder:{CROSS_ENCODER}"
    for name, recipe in (("DRMM", "drmm"), ("MatchPyramid", "matchpyramid")):
        if name not in names:
            continue
        trained(recipe)
        found[name] = f"{recipe}:{RECIPES[recipe].folder()}"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results and the report")
    parser.add_argument("--cache", type=Path, help="file of scores: a second run asks no ranker")
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--workers", type=int, help="default: what the study says")
    options = parser.parse_args()
    command = ["bench", "table2", "--out", str(options.out), "--data", str(DATA / "dl19")]
    command += ["--queries", str(options.queries)]
    if options.workers is not None:
        command += ["--workers", str(options.workers)]
    if options.cache is not None:
        command += ["--cache", str(options.cache)]
    for name, spec in rankers().items():
        command += ["--ranker", f"{name}={spec}"]
    return intentx(command) or intentx(["report", str(options.out)])


if __name__ == "__main__":
    sys.exit(main())
