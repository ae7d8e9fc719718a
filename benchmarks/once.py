"""Every benchmark once, as small as it goes: does it still run? What it measures is not looked at.

`make benchmarks-once`. Two at a time, each in a process and a folder of its own; the exit code is 1 if
one fails. Those that train rankers, take minutes at their smallest or need what is not at hand are named
in `LEFT`, with the reason.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from trec import DATA

HERE = Path(__file__).parent
MAIN = 'if __name__ == "__main__"'
# {out}: a folder of its own.
SMALL = {
    "anytime": "--passages 1 --methods KernelSHAP --kept {out}/rows.jsonl --out {out}",
    "attention": "--queries 1 --samples 20 --rankers 'MiniLM, bi-encoder' --out {out}",
    "cache": "--queries 1 --out {out}",
    "counterfactuals": "--rankers BM25 --queries 1 --kept {out}/rows.jsonl --out {out}",
    "counting": "--rankers BERT --queries 1 --kept {out}/rows.jsonl --out {out}",
    "document_verdicts": (
        "--collections dl19 --rankers BM25 --queries 1 --samples 50 --kept {out}/rows.jsonl --out {out}"
    ),
    "equivalent_query": (
        "--queries 1 --scored 0 --whole 0 --shuffled 1 --kept {out}/rows.jsonl --out {out}"
    ),
    "exs_time": "--samples 50 --repeats 1 --out {out}",
    "faithfulness": "--queries 1 --samples 20 --systems MiniLM --out {out}",
    "feature_verdicts": "--queries 1 --kept {out}/rows.jsonl --out {out}",
    "fidelity": "--queries 1 --repeats 0 --systems 'TAS-B (recorded)' --out {out}",
    "front": "--rankers BERT --methods LIRME --queries 1 --kept {out}/rows.jsonl --out {out}",
    "known": "--rankers bm25 random --queries 1 --out {out}",
    "llm_budget": "--queries 1 --lists 1 --out {out}",
    "mimic": "--folds 1 --secondary 100 --kinds tree --kept {out}/rows.jsonl --out {out}",
    "overhead": "--repeats 1 --versions 20 --out {out}",
    "planted": "--queries 1 --samples 50 --seeds 1 --out {out}",
    "plausibility": "--claims 1 --samples 20 --systems MiniLM --out {out}",
    "references": "--queries 1 --top 1 --systems MiniLM --out {out}",
    "scale": "--sizes 50 --out {out}",
    "search": "--passages 500 --large 1000 --out {out}",
    "selection": "--queries 1 --out {out}",
    "snippets": "--claims 1 --samples 20 --systems MiniLM --kept {out}/rows.jsonl --out {out}",
    "solvers": "--queries 1 --near 1 --seconds 1 --out {out}",
    "stability": "--queries 1 --samples 20 --systems MiniLM --kept {out}/rows.jsonl --out {out}",
    "token_pairs": "--queries 1 --ways deletion --out {out}",
    "verdicts": "--queries 1 --collections dl19 --out {out}",
    "words": "--texts 50 --rounds 1 --out {out}",
}
LEFT = {
    "architectures": "a minute; tests/explainers/inside/test_architectures.py asks the same",
    "before_after": "compares with another checkout",
    "closing": "trains cross-encoders",
    "completeness": "trains MatchPyramid and KNRM",
    "gradcam_features": "trains MatchPyramid and LambdaMART",
    "gradcam_study": "trains MatchPyramid",
    "gpu": "minutes: explains by every method",
    "late_interaction": "needs a trained late interaction ranker",
    "listwise_shapley": "a minute at its smallest",
    "long_documents": "minutes: documents of 40,000 words",
    "ltr_explanations": "minutes: five folds of MQ2008",
    "mimic_text": "needs a trained DRMM and its scores",
    "page_pictures": "draws the pictures of the documentation; tests use the same page in a browser",
    "rerank": "trains DRMM, KNRM and MatchPyramid",
    "same_answers": "compares with another checkout",
    "serve_faults": "minutes: kills a server again and again",
    "serve_index": "builds a large index",
    "serve_load": "minutes of load",
    "shapley": "minutes: every estimator of shapiq and shap",
    "studies": "minutes: a study of many queries in several processes",
    "table2": "trains DRMM and MatchPyramid",
    "train_ltr": "trains LambdaMART again and again",
    "train_rankers": "trains DRMM, KNRM and MatchPyramid",
    "trec": "no benchmark: computes word vectors for the others",
    "watching": "a minute at its smallest",
    "valid_features": "minutes: five folds of MQ2008",
}


class Done(NamedTuple):
    script: str
    code: int
    seconds: float
    said: str


def run(script: str) -> Done:
    """Run a script in a process of its own."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        arguments = [one.format(out=out) for one in shlex.split(SMALL[script])]
        done = subprocess.run(
            [sys.executable, f"{script}.py", *arguments],
            cwd=HERE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    return Done(script, done.returncode, time.monotonic() - started, done.stdout)


def unnamed() -> list[str]:
    """Scripts that are in neither table, and names of tables that are no scripts."""
    scripts = {path.stem for path in HERE.glob("*.py") if MAIN in path.read_text("utf-8")} - {
        Path(__file__).stem
    }
    return sorted(scripts ^ {*SMALL, *LEFT})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", choices=[[], *SMALL], help="without names, all")
    asked = parser.parse_args().scripts or [*SMALL]
    if wrong := unnamed():
        print(f"in SMALL or LEFT, but no script, or the other way round: {', '.join(wrong)}")
        return 1
    if not DATA.is_dir():
        print(
            f"no benchmark is run: there are no collections at {DATA}; INTENTX_DATA names another folder"
        )
        return 0
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(run, asked):
            print(f"{done.script}: exit code {done.code}, {done.seconds:.0f} s", flush=True)
            if done.code:
                failed += 1
                print(done.said[-3000:], flush=True)
    print(f"{len(asked) - failed} of {len(asked)} benchmarks run")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
