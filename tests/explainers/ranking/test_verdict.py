"""Verdicts: whether an explanation of a ranking holds, is weak, or may be chance."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

import intentx as ix
from intentx.coverage.crossfit import _hidden
from intentx.datasets import demo_queries, load_demo
from intentx.explainers.ranking.given import given_terms
from intentx.explainers.ranking.verdict import Verdict
from intentx.rankers import BM25

WORDS = "piano key pedal hammer desk lamp chair boat river lake stone wood paper book page ink".split()


def documents(number, seed=0):
    """Documents of ten drawn words each, of which no two are the same."""
    generator = np.random.default_rng(seed)
    return [f"{' '.join(generator.choice(WORDS, 10))} n{number}" for number in range(number)]


def by_hash(query, texts):
    """Looks for nothing: numbers that look random."""
    return [int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32 for text in texts]


def counts(query, texts):
    return [3.0 * text.count("piano") + text.count("lamp") for text in texts]


class Counted:
    """A scorer, and how many texts it was asked for."""

    def __init__(self, scorer):
        self.scorer, self.asked = scorer, 0

    def __call__(self, query, texts):
        self.asked += len(texts)
        return self.scorer(query, texts)


@pytest.mark.parametrize("query", list(demo_queries())[:2])
def test_bm25_holds_and_asks_nothing_more(query):
    demo = load_demo(query)
    scorer = Counted(BM25([document.content for document in demo.documents]))
    found = ix.Multiplex().explain(ix.rank(scorer, demo.query, demo.documents))
    before = scorer.asked
    verdict = ix.verdict(found)
    assert scorer.asked == before
    assert verdict is found.verdict
    assert (verdict.level, verdict.wanted, verdict.asked) == ("holds", len(found.terms), 0)
    assert verdict.sentence.startswith("Holds: the ranker was asked, and wants each of the terms; ")
    assert 0 <= verdict.low <= verdict.heldout <= verdict.high <= 1
    assert verdict.heldout > verdict.threshold > verdict.shuffled - 0.2
    assert all(share == 1 for share in verdict.stability)  # effects decide, and not the documents
    assert found.text().splitlines()[0].startswith("Holds: ")


def test_rankers_of_nothing_do_not_hold():
    levels = []
    for seed in range(5):
        found = ix.Multiplex(seed=seed).explain(ix.rank(by_hash, "piano", documents(60, seed)))
        levels.append(found.verdict.level)
        assert "wants each" not in found.verdict.sentence or found.verdict.wanted
    assert levels.count("holds") <= 1
    assert levels.count("chance") >= 2


def test_recorded_orders():
    docs = documents(80)
    ranking = ix.rank(counts, "x", docs)
    recorded = ix.Ranking.from_run(
        dict(zip(ranking.doc_ids, ranking.scores.tolist(), strict=True)), "x", dict(enumerate_ids(docs))
    )
    verdict = ix.Multiplex().explain(recorded).verdict
    assert (verdict.level, verdict.wanted) == ("holds", None)
    assert "the ranker was not asked, so the terms go along with its order" in verdict.sentence
    levels = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(80)
        run = {str(int(place)): -float(rank) for rank, place in enumerate(order)}
        shuffled = ix.Ranking.from_run(run, "x", dict(enumerate_ids(docs)))
        levels.append(ix.Multiplex(seed=seed).explain(shuffled).verdict.level)
    assert levels.count("holds") <= 1
    assert "chance" in levels


def enumerate_ids(docs):
    return [(str(number), text) for number, text in enumerate(docs)]


def test_an_order_by_length_is_told_as_one():
    docs = [" ".join(WORDS[: 2 + number % 14]) + f" n{number}" for number in range(40)]
    length = ix.rank(lambda query, texts: [len(text) for text in texts], "piano", docs)
    run = dict(zip(length.doc_ids, length.scores.tolist(), strict=True))
    recorded = ix.Ranking.from_run(run, "piano", dict(enumerate_ids(docs)))
    for ranking in (length, recorded):
        verdict = ix.Multiplex().explain(ranking).verdict
        assert verdict.level != "holds"
        assert (
            "The order follows length, longer documents first (Kendall’s τ-b 1.00)" in verdict.sentence
        )


def test_few_documents_leave_effects_alone():
    ranking = ix.rank(counts, "x", ["piano", "lamp piano", "desk", "lamp", "boat", "desk chair"])
    verdict = ix.Multiplex().explain(ranking).verdict
    assert "too few documents for a test on left-out ones" in verdict.sentence
    assert np.isnan(verdict.heldout)
    assert verdict.level in ("holds", "weak")
    nothing = ix.Multiplex(budget=0).explain(ranking).verdict
    assert (nothing.level, nothing.wanted) == ("chance", None)


def test_given_terms_are_judged_as_they_are():
    ranking = ix.rank(counts, "x", documents(60))
    right, wrong = (given_terms(ranking, "by hand", (term,)).verdict for term in ("piano", "stone"))
    assert right.heldout > right.threshold
    assert right.level == "holds"
    assert wrong.heldout < right.heldout - 0.1
    assert right.stability == (1.0,)


def test_through_json_and_back():
    found = ix.Multiplex().explain(ix.rank(counts, "x", documents(20)))
    plain = json.loads(found.to_json())
    assert plain["verdict"]["level"] == found.verdict.level
    again = ix.IntentExplanation.from_json(found.to_json())
    assert again.verdict == found.verdict
    assert ix.verdict(again) == found.verdict
    old = ix.IntentExplanation.from_dict({k: v for k, v in plain.items() if k != "verdict"})
    assert old.verdict is None
    with pytest.raises(ix.InputError, match="explain the ranking again"):
        ix.verdict(old)
    with pytest.raises(ix.InputError, match="not 'sure'"):
        Verdict.from_dict(plain["verdict"] | {"level": "sure"})
    nan = dataclasses.replace(found.verdict, heldout=float("nan"), stability=(float("nan"), 1.0))
    assert str(Verdict.from_dict(json.loads(json.dumps(nan.to_dict(), allow_nan=False)))) == str(nan)


def test_copies_are_left_out_together():
    generator = np.random.default_rng(0)
    groups = np.array([0, 1, 2, 2, 2, 3, 4, 5, 5, 6])
    for _ in range(20):
        hidden = _hidden(groups, 4, generator)
        assert 0 < hidden.sum() <= 4
        assert all(len(set(hidden[groups == name].tolist())) == 1 for name in groups.tolist())
    copies = documents(30) * 2
    found = ix.Multiplex(budget=0).explain(
        ix.rank(by_hash, "piano", {str(number): text for number, text in enumerate(copies)})
    )
    assert found.verdict.level != "holds"
