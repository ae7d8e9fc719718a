"""The same seed gives the same JSON, whatever the hash seed of the process is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import json
import intentx as ix
from tests.toys import keyboards, ranked

texts, scorer = keyboards(number=18)
small = {"candidates": 15, "max_terms": 4}
methods = [
    ix.Multiplex(**small, budget=80),
    ix.Multiplex(**small, generality=0, pairs="rank-biased", m=60, seed=3),
    ix.Multiplex(**small, analyzer=ix.Analyzer(stem="english", ngrams=2), generality=1, budget=20),
    ix.Multiplex.published(candidates=12, m=50),
    ix.IntentGreedy(**small),
    ix.QueryTerms(),
    ix.RandomTerms(**small),
]
found = []
for method in methods:
    for ranking in (
        ix.rank(scorer, "keyboard with pedal", texts),
        ranked(texts, scorer("q", texts), query="keyboard with pedal"),
    ):
        plain = json.loads(method.explain(ranking).to_json())
        del plain["seconds"]
        found.append(plain)
held = ix.heldout_fidelity(methods[1], ranking, repeats=2)
print(json.dumps([found, held.values, held.terms]))
"""


def run(hash_seed):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={
            **os.environ,
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def first():
    return run(0)


def test_the_json_is_the_same_under_another_hash_seed(first):
    assert run(1) == first


def test_what_is_compared_is_not_trivial(first):
    explanations, values, terms = json.loads(first)
    assert len(explanations) == 14
    assert len({tuple(plain["terms"]) for plain in explanations}) > 4
    assert {plain["model_calls"] > 0 for plain in explanations} == {True, False}
    assert {one["kind"] for plain in explanations for one in plain["effects"]} == {
        "no effect",
        "not asked",
        "wanted",
    }
    assert len(values) == len(terms) == 2
