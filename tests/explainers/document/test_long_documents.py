"""Documents too long to make a thousand versions of: their beginning is explained, and that is said."""

import tracemalloc

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.document.surrogate import ridge
from intentx.perturbation import LONGEST_EDITED, MOST_WORDS, within_limit
from tests.explainers.document.linear import weights_of
from tests.toys import Counting

LONG = "piano " + " ".join(f"w{i % 400}" for i in range(11_000)) + " cable"  # 52 kB, 401 words


def scorer(query, texts):
    return [2.0 * t.count("piano") - t.count("cable") - t.count("w7 ") / 100 for t in texts]


METHODS = {
    "EXS": ix.EXS(k=2, samples=40, labels="score"),
    "LIRME": ix.LIRME(samples=40, penalty="l2"),
    "KernelSHAP": ix.KernelSHAP(samples=60),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_what_lies_behind_the_limit_is_in_the_rest(method):
    counting = Counting(scorer)
    ranking = ix.rank(counting, "q", {"x": LONG, "y": "piano", "z": "cable"})
    counting.calls.clear()
    found = method.explain(ranking, "x")
    assert max(len(text) for text in counting.texts) <= LONGEST_EDITED
    assert found.notes[0].startswith("document 'x' has 51,")
    assert len(found.words) <= MOST_WORDS
    assert found.words[-1].end == len(within_limit(LONG, found.analyzer)[0])
    assert "cable" not in found.terms
    assert found.unseen == ()  # the ranker reads it
    if method.name == "KernelSHAP":
        assert sum(found.weights) + found.rest == pytest.approx(found.metrics["score"])


def test_a_pair_names_the_long_one():
    ranking = ix.rank(scorer, "q", {"x": LONG, "y": "piano piano", "z": "cable"})
    found = ix.KernelSHAP(samples=60).explain(ranking, "y", above="x")
    assert found.notes[0].startswith("document 'x' has")
    gap = found.metrics["score"] - found.metrics["other_score"]
    assert sum(found.weights) + found.rest == pytest.approx(gap)


def test_the_intent_of_a_ranking_with_a_long_document():
    ranking = ix.rank(scorer, "q", {"x": LONG, "y": "piano piano", "z": "cable", "u": "a piano"})
    found = ix.LIRME(samples=40, penalty="l2").explain(ranking)
    assert "piano" in found.terms
    assert any("edited versions are limited to" in note for note in found.notes)


def test_faithfulness_edits_the_beginning():
    counting = Counting(scorer)
    ranking = ix.rank(counting, "q", {"x": LONG, "y": "piano", "z": "cable"})
    found = ix.KernelSHAP(samples=60).explain(ranking, "x")
    counting.calls.clear()
    judged = ix.faithfulness(found, words=1)
    assert max(len(text) for text in counting.texts) <= LONGEST_EDITED
    assert judged.deletion_scores[0] == scorer("q", [within_limit(LONG, found.analyzer)[0]])[0]


@pytest.mark.parametrize("sampler", ["masked", "uniform", "tf-idf"])
def test_memory_stays_small(sampler):
    """3,000 different words: squares of that were 72 MB each, and there were several."""
    text = " ".join(f"w{i}" for i in range(3_000))
    ranking = ix.rank(lambda q, texts: [float(t.count("w77 ")) for t in texts], "q", [text, "w77 a"])
    tracemalloc.start()
    try:
        ix.LIRME(samples=60, sampler=sampler, penalty="l2").explain(ranking, "0")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30e6


def test_samples_are_drawn_in_parts(monkeypatch):
    from intentx.explainers.document import lirme

    monkeypatch.setattr(lirme, "MOST_AT_ONCE", 70)
    for sampler in ("masked", "uniform", "tf-idf"):
        drawn = lirme.sampled_occurrences(sampler, np.ones(10), 40, np.random.default_rng(0))
        assert drawn.shape == (40, 10)
        assert len(np.unique(drawn, axis=0)) > 10
        assert drawn.any(axis=1).all()


def test_weights_that_take_too_long_are_said_to_be_near(monkeypatch):
    from intentx.explainers.document import lirme

    ranking = ix.rank(scorer, "q", ["piano cable w7 tea", "piano", "cable"])
    assert not ix.LIRME(sampler="uniform").explain(ranking, "0").notes
    monkeypatch.setattr(lirme, "FEWEST_ROUNDS", 1)
    monkeypatch.setattr(lirme, "MOST_STEPS", 1)
    assert "close to the optimum" in ix.LIRME(sampler="uniform").explain(ranking, "0").notes[0]


def test_ridge_of_more_words_than_samples():
    generator = np.random.default_rng(3)
    features, labels = generator.normal(size=(7, 20)), generator.normal(size=7)
    weights = generator.uniform(0.2, 1, 7)
    found, intercept = ridge(features, labels, weights, 0.3)
    left = labels - features @ found - intercept
    # At the bottom of the loss its slopes are zero.
    np.testing.assert_allclose(features.T @ (weights * left), 0.3 * found, atol=1e-9)
    assert weights @ left == pytest.approx(0, abs=1e-9)


def test_a_long_word_is_cut_and_a_short_text_is_not():
    analyzer = ix.Analyzer()
    assert within_limit("a" * (LONGEST_EDITED + 5), analyzer) == ("a" * LONGEST_EDITED, True)
    assert within_limit("tea pot", analyzer) == ("tea pot", False)
    assert weights_of(ix.KernelSHAP().explain(ix.rank(scorer, "q", ["piano", "a"]), 0)) == {"piano": 2.0}
