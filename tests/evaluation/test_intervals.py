"""Intervals hold the truth as often as they say, and there is none where nothing can be said."""

import math

import numpy as np
import pytest
from scipy.stats import t as student

import intentx as ix
from intentx.evaluation.statistics import bootstrap, student_interval
from intentx.study.versus import versus


class Words:
    """A method that always says the same words."""

    simple_rankers = (ix.TextMatching("tf"),)
    terms = ("tea",)

    def explain(self, ranking):
        self.ranking = ranking
        return self


def drawn(generator, documents):
    """A ranking whose order follows the share of *tea* in a document, and chance as much."""
    tea = generator.integers(0, 11, documents)
    scores = tea + generator.normal(0, 3.5, documents)
    texts = {str(n): "tea " * k + "pot " * (10 - k) for n, k in enumerate(tea.tolist())}
    return ix.Ranking.from_run(dict(zip(texts, scores.tolist(), strict=True)), "tea", texts)


def test_the_interval_of_held_out_documents_holds_the_truth():
    generator = np.random.default_rng(0)
    truth = ix.fidelity(Words().explain(drawn(generator, 1500))).all
    trials, held, widths = 50, 0, []
    for trial in range(trials):
        found = ix.heldout_fidelity(Words(), drawn(generator, 20), repeats=5, seed=trial)
        held += found.low <= truth <= found.high
        widths.append(found.high - found.low)
    assert held / trials >= 0.9
    assert np.median(widths) < 0.6  # it says something, too


def agreement(x, y):
    """Share of the pairs of documents that two scores order alike."""
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    return float((signs[np.triu_indices(len(x), 1)] > 0).mean())


@pytest.mark.parametrize("repeats", [2, 3, 5, 10])
@pytest.mark.parametrize("documents", [30, 100])
def test_intervals_of_overlapping_splits_hold_the_truth_as_often_as_they_say(repeats, documents):
    generator = np.random.default_rng(repeats)
    truth = 0.5 + np.arcsin(0.6) / np.pi  # of two normal scores that correlate by .6
    hidden = round(0.3 * documents)
    held = []
    for _ in range(200):
        x, noise = generator.normal(size=(2, documents))
        y = 0.6 * x + 0.8 * noise
        splits = [generator.permutation(documents)[:hidden] for _ in range(repeats)]
        values = np.array([agreement(x[some], y[some]) for some in splits])
        low, high = student_interval(values, tested_to_fitted=hidden / (documents - hidden))
        if not math.isnan(low):
            held.append(low <= truth <= high)
    assert len(held) > 170  # of few pairs, two splits may have the same share by chance
    assert np.mean(held) >= 0.9


def test_splits_that_overlap_make_a_wider_interval():
    values = np.array([0.6, 0.7, 0.65, 0.72])
    low, high = student_interval(values, tested_to_fitted=3 / 7)
    reach = student.ppf(0.975, 3) * values.std(ddof=1) * math.sqrt(1 / 4 + 3 / 7)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach))
    alone = student_interval(values)
    assert alone == pytest.approx(student.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2))
    assert student_interval(values, bounds=(0.6, 0.7)) != alone


@pytest.mark.parametrize("values", [[0.7], [0.7, 0.7], [1.0] * 30])
def test_without_spread_there_is_no_interval(values):
    for low, high in (
        student_interval(np.array(values)),
        (bootstrap(np.array(values)).low, bootstrap(np.array(values)).high),
    ):
        assert math.isnan(low)
        assert math.isnan(high)


def test_one_split_has_no_interval():
    ranking = drawn(np.random.default_rng(1), 30)
    found = ix.heldout_fidelity(Words(), ranking, repeats=1)
    assert 0.5 < found.mean < 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.to_dict()["low"] is found.to_dict()["high"] is None
    assert repr(found) == f"HeldoutFidelity({found.mean:.3f}, no interval from one split, 1 of 1 splits)"
    two = ix.heldout_fidelity(Words(), ranking, repeats=2)
    five = ix.heldout_fidelity(Words(), ranking, repeats=5)
    assert two.low <= five.mean <= two.high
    assert 0 <= two.low < two.high <= 1


@pytest.mark.parametrize("n", [2, 3, 5, 10, 19, 20, 40])
def test_intervals_over_few_queries_hold_the_truth_as_often_as_they_say(n):
    generator = np.random.default_rng(n)
    held = 0
    for _ in range(300):
        found = bootstrap(generator.beta(6, 3, n))
        held += found.low <= 6 / 9 <= found.high
    assert held / 300 >= 0.9


def test_a_difference_on_one_query_has_no_interval():
    found = versus(np.array([0.5]), "b", np.array([0.4]))
    assert found.difference == pytest.approx(0.1)
    assert math.isnan(found.low)
    assert found.p == 1.0
