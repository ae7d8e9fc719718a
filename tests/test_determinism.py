"""The same seed gives the same JSON, whatever the hash seed of the process is."""

import json
import math
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import intentx as ix
from intentx.datasets import load_demo
from tests.explainers.document import test_perturbing
from tests.toys import keyboards, ranked

ROOT = Path(__file__).parents[1]


def everything():
    """What seven methods say of two rankings, and one of them of documents left out, as JSON."""
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
    return json.dumps([found, held.values, held.terms])


def verdicts():
    """What explanations of documents are said to be worth, as JSON."""
    docs = [
        "a stage piano with a lamp, keys, pedals and wood by the river",
        "a desk",
        "the piano",
        "lake",
    ]
    ranking = ix.rank(
        lambda _, texts: [3.0 * t.count("piano") - t.count("lamp") for t in texts], "x", docs
    )
    methods = (ix.EXS(k=4, samples=90), ix.LIRME(samples=90), ix.KernelSHAP(samples=90))
    found = [json.loads(method.explain(ranking, 0).to_json()) for method in methods]
    return json.dumps([one["verdict"] for one in found])


def words():
    """What all methods for documents say of two rankings, as JSON."""
    return test_perturbing.everything()


@pytest.fixture(scope="module")
def first():
    return everything()


@pytest.fixture(scope="module")
def elsewhere():
    """What another process finds, which orders sets and the like in another way than this one."""
    seed = "23" if os.environ.get("PYTHONHASHSEED") != "23" else "32"
    code = "import json; from tests.test_determinism import *; print(json.dumps([f() for f in (%s)]))"
    done = subprocess.run(
        [sys.executable, "-c", code % "everything, words, verdicts"],
        env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_json_is_the_same_under_another_hash_seed(first, elsewhere):
    assert elsewhere[0] == first


def test_words_of_documents_are_the_same_under_another_hash_seed(elsewhere):
    here = words()
    assert elsewhere[1] == here
    assert len({str(plain["weights"]) for plain in json.loads(here)}) > 15


def test_verdicts_are_the_same_under_another_hash_seed(elsewhere):
    here = verdicts()
    assert elsewhere[2] == here
    assert [one["level"] for one in json.loads(here)] == ["holds"] * 3


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


@pytest.mark.parametrize("query", ["jaguar speed", "bat control"])
def test_rounding_of_scores_chooses_no_terms(query):
    """Of few edits, errors of effects are so large that rounding alone would order the terms."""

    def scores(_, texts):
        words = (
            [zlib.crc32(word.encode()) % 200 - 100 for word in text.lower().split()] for text in texts
        )
        return [math.tanh(sum(some) / 1000) for some in words]

    def rounded(_, texts):  # as other batches of float32 do
        return [
            score + 1e-9 * (zlib.crc32(text.encode()) % 100)
            for score, text in zip(scores(query, texts), texts, strict=True)
        ]

    documents = load_demo(query).documents[:5]
    found = [
        ix.Multiplex(budget=40).explain(ix.rank(one, query, documents)) for one in (scores, rounded)
    ]
    assert found[0].terms == found[1].terms
    assert len(found[0].terms) > 3
