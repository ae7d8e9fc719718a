"""Held-out documents: the vote, the majority and each simple ranker, against a loop over pairs."""

import json
import math

import numpy as np
import pytest

import intentx as ix
from intentx.preferences import PreferenceMatrices
from intentx.preferences.simple_rankers import default_simple_rankers, term_scores
from intentx.text import TextIndex


class Fixed:
    """A method that always says the same words, and remembers which documents it was shown."""

    simple_rankers = default_simple_rankers()[:2]

    def __init__(self, *terms):
        self.terms = terms
        self.shown = []

    def explain(self, ranking):
        self.shown.append(ranking)
        self.ranking = ranking
        return self


@pytest.fixture
def ranking():
    generator = np.random.default_rng(4)
    words = np.array(["tea", "pot", "milk", "boat", "sea", "sail", "wood", "rope"])
    texts = {str(i): " ".join(generator.choice(words, 9)) for i in range(17)}
    return ix.Ranking.from_run({i: -float(i) for i in texts}, "tea", texts)


def test_rows_are_what_a_loop_over_the_hidden_pairs_finds(ranking):
    method = Fixed("tea", "milk")
    found = ix.heldout_fidelity(method, ranking, share=0.4, repeats=3, seed=7)
    for shown, row in zip(method.shown, found.rows, strict=True):
        hidden = [i for i in ranking.doc_ids if i not in shown.doc_ids]
        texts = [ranking.texts[ranking.position(i)] for i in hidden]
        background = TextIndex(shown.texts, ix.Analyzer())
        scores = term_scores(
            method.terms, TextIndex(texts, ix.Analyzer(), background), method.simple_rankers
        )
        sums = scores.values.sum(axis=1)
        votes, majority, pairs = 0, 0, 0
        agree = [0, 0]
        every = ix.preference_pairs(ranking.subset(map(ranking.position, hidden)))
        scale = PreferenceMatrices(scores, every).scale
        for high in range(len(hidden)):
            for low in range(high + 1, len(hidden)):
                each = [math.tanh((sums[r, high] - sums[r, low]) / scale[r]) for r in range(2)]
                votes += sum(each) > 1e-9
                majority += sum(one > 1e-9 for one in each) > 1
                agree = [count + (one > 1e-9) for count, one in zip(agree, each, strict=True)]
                pairs += 1
        assert row.pairs == pairs
        assert row.vote == pytest.approx(votes / pairs)
        assert row.majority == pytest.approx(majority / pairs)
        assert list(row.by_ranker.values()) == pytest.approx([count / pairs for count in agree])
    assert found.mean == pytest.approx(np.mean(found.values))
    assert found.majority == pytest.approx(np.mean([row.majority for row in found.rows]))
    assert len({len(shown) for shown in method.shown}) == 1
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["mean"] == found.mean


def test_splits_that_cannot_be_measured_say_why(ranking):
    flat = ix.Ranking("tea", ranking.doc_ids, ranking.texts, np.zeros(len(ranking)))
    found = ix.heldout_fidelity(Fixed("tea"), flat, repeats=2)
    assert math.isnan(found.mean)
    assert all("same score" in reason for reason in found.reasons)
    assert found.to_dict()["mean"] is None
