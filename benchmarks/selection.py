"""Selection speed: 100 documents, 200 candidates, all 4,950 pairs, three simple rankers, 10 terms."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from trec import load, machine, minilm_vectors

import intentx as ix
from intentx.coverage import solve
from intentx.preferences import PreferenceMatrices, preference_pairs
from intentx.preferences.candidates import candidate_terms
from intentx.preferences.simple_rankers import default_simple_rankers, term_scores
from intentx.text import TextIndex

TIMED = "import time; t = time.process_time(); {}; print(time.process_time() - t)"
IMPORTS = ("import numpy", "import intentx", "import intentx.rankers", "from intentx import *")


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def import_seconds(line: str, repeats: int = 7) -> float:
    """Median seconds of processor time that a line takes in a fresh interpreter."""
    command = [sys.executable, "-c", TIMED.format(line)]
    runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(repeats)]
    return float(np.median([float(run.stdout) for run in runs]))


def import_lines() -> list[str]:
    """A table of what imports cost."""
    rows = [f"| `{line}` | {import_seconds(line):.3f} |" for line in IMPORTS]
    told = "Imports, median of 7 fresh interpreters:\n"
    return [told, "| line | s |", "|---|---|", *rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--out", type=Path, help="folder for selection.md")
    options = parser.parse_args()
    before = peak_megabytes()
    collection = load()
    system = "SPLADE_P_P_ENSEMBLE_DISTIL" if "generated" not in collection.runs else "generated"
    rankers = default_simple_rankers(minilm_vectors())
    qids = sorted(collection.queries)[: options.queries]
    rows = []
    for qid in qids:
        ranking = collection.ranking(system, qid)
        matrices, index_s, scores_s, matrices_s = _matrices(ranking, rankers)
        start = time.process_time()
        solve(matrices, 10)
        rows.append((index_s, scores_s, matrices_s, time.process_time() - start))
    stages = np.array(rows)
    total = stages[:, 1:].sum(axis=1)
    lines = [
        "# Selection speed\n",
        f"{len(qids)} queries of {collection.name}; 100 documents, 200 candidates, 4,950 pairs, three "
        f"simple rankers, `auto`, term vectors given. Seconds are of "
        f"processor time. Machine: {machine()}.\n",
        "| stage | median s | worst s |",
        "|---|---|---|",
    ]
    for name, column in zip(
        ("index of the texts", "term scores", "matrices", "selection"), stages.T, strict=True
    ):
        lines.append(f"| {name} | {np.median(column):.3f} | {column.max():.3f} |")
    lines += [
        f"| **term scores, matrices and selection** | {np.median(total):.3f} | {total.max():.3f} |\n",
        f"Peak memory: {peak_megabytes():.0f} MB, of which {before:.0f} MB are the imports; the rest "
        "includes all passages and the term vectors.\n",
        *import_lines(),
    ]
    report = "\n".join(lines) + "\n"
    print(report)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "selection.md").write_text(report)


def _matrices(ranking: ix.Ranking, rankers: object) -> tuple[PreferenceMatrices, float, float, float]:
    start = time.process_time()
    index = TextIndex(ranking.texts, ix.Analyzer())
    terms = candidate_terms(ranking, 200, index=index).terms
    indexed = time.process_time()
    scores = term_scores(terms, index, rankers)  # type: ignore[arg-type]
    scored = time.process_time()
    matrices = PreferenceMatrices(scores, preference_pairs(ranking))
    return matrices, indexed - start, scored - indexed, time.process_time() - scored


if __name__ == "__main__":
    main()
