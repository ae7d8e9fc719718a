from itertools import pairwise, permutations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.evaluation.plausibility import average_precision, plausibility
from intentx.explainers.document.explanation import Word


def precision_of(order, relevant):
    found, total = 0, 0.0
    for place, item in enumerate(order, start=1):
        if relevant[item]:
            found += 1
            total += found / place
    return total / found


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_average_precision_is_the_mean_over_all_orders_of_ties(items):
    scores = np.array([score for score, _ in items], dtype=float)
    relevant = np.array([mark for _, mark in items])
    if not relevant.any():
        assert np.isnan(average_precision(scores, relevant))
        return
    orders = [
        order
        for order in permutations(range(len(items)))
        if all(scores[a] >= scores[b] for a, b in pairwise(order))
    ]
    expected = np.mean([precision_of(order, relevant) for order in orders])
    assert average_precision(scores, relevant) == pytest.approx(expected)


def explanation(*weights):
    """A word of weight w at each place 10 i."""
    words = tuple(Word(f"w{i}", 10 * i, 10 * i + 3, w) for i, w in enumerate(weights))
    return SimpleNamespace(words=words)


SENTENCES = [(0, 20), (20, 40), (40, 45), (45, 60)]


@pytest.mark.parametrize(
    ("pooling", "expected"),
    # Sentences weigh: mean 1, 2, 0 and -1; sum 2, 4, 0, -1; max 3, 2, 0, -1. The second is evidence.
    [("mean", 1.0), ("sum", 1.0), ("max", 0.5)],
)
def test_sentences_by_their_words(pooling, expected):
    found = plausibility(
        explanation(-1, 3, 2, 2, 0, -1), SENTENCES, [False, True, False, False], pooling
    )
    assert found.average_precision == expected
    assert found.random == pytest.approx(np.mean([1, 1 / 2, 1 / 3, 1 / 4]))
    assert (found.sentences, found.evidence, found.reason) == (4, 1, "")


def test_an_explanation_of_nothing_is_random():
    found = plausibility(explanation(), SENTENCES, [True, False, True, False])
    assert found.average_precision == found.random


def test_no_evidence():
    found = plausibility(explanation(1), SENTENCES, [False] * 4)
    assert np.isnan(found.average_precision)
    assert "no sentence" in found.reason
    assert found.to_dict()["random"] is None


@pytest.mark.parametrize("span", [(20, 10), (-1, 5)])
def test_sentences_that_are_none(span):
    with pytest.raises(ix.InputError, match="its start and its end"):
        plausibility(explanation(1), [(0, 9), span], [True, False])


def test_what_does_not_fit():
    with pytest.raises(ix.InputError, match="4 sentences and 1 marks"):
        plausibility(explanation(1), SENTENCES, [True])
    with pytest.raises(ix.InputError, match="pooling must be one of"):
        plausibility(explanation(1), SENTENCES, [True] * 4, "median")
