"""Listwise Shapley values read from trees are those of a model that is asked."""

import numpy as np
import pytest

import intentx as ix
from tests.explainers.features.listwise_oracles import NAMES, other_trees, ranking_of, trees

ROWS = np.random.default_rng(3).normal(size=(70, 8))


def weights(found):
    return [dict(zip(found.features, found.weights, strict=True))[name] for name in NAMES]


@pytest.mark.parametrize(
    ("kind", "samples", "value"),  # each of one with each of another
    [
        ("plain", 60, "tau"), ("plain", 500, "ndcg"), ("missing", 500, "tau"), ("missing", 60, "ndcg"),
        ("categories", 60, "tau"), ("categories", 500, "ndcg"),
    ],
)  # fmt: skip
def test_trees_read_and_asked_have_the_same_values(kind, samples, value, monkeypatch):
    from intentx.explainers.features import listwise_games

    monkeypatch.setattr(listwise_games, "EXACT", 0)
    booster, rows = trees(kind == "missing", kind == "categories")
    found = ranking_of(booster, rows[:40])
    method = ix.ListwiseSHAP(value=value, background=ROWS, samples=samples, draws=9)
    read = method.explain(found)
    monkeypatch.setattr(listwise_games, "leaf_scores", lambda ranking, rows: None)
    other = method.explain(found)
    np.testing.assert_allclose(weights(read), weights(other), atol=1e-9)
    assert read.metrics == pytest.approx(other.metrics)
    assert read.alone == pytest.approx(other.alone)
    assert read.model_calls == 40 * len(ROWS) < other.model_calls
    assert any("read from the trees" in note for note in read.notes)
    assert not any("read from the trees" in note for note in other.notes)


@pytest.mark.parametrize("kind", ["XGBRanker", "XGBRegressor", "RandomForestRegressor"])
def test_trees_of_other_packages_are_read_as_they_are_asked(kind, monkeypatch):
    from intentx.explainers.features import listwise_games

    model, rows = other_trees(kind, False)
    found, method = ranking_of(model, rows[:20]), ix.ListwiseSHAP(background=ROWS[:5])
    read = method.explain(found)
    monkeypatch.setattr(listwise_games, "leaf_scores", lambda ranking, rows: None)
    other = method.explain(found)
    np.testing.assert_allclose(weights(read), weights(other), atol=1e-6)
    assert read.metrics["all"] == other.metrics["all"] == 1
    assert read.model_calls < other.model_calls


def test_trees_that_order_otherwise_than_the_model_are_not_read():
    booster, rows = trees()
    found = ranking_of(booster, rows[:30])
    other = ix.FeatureRanking(
        found.query, found.doc_ids, found.X, found.names, found.scores[::-1], found.model
    )
    answer = ix.ListwiseSHAP(background=ROWS[:3]).explain(other)
    assert not any("read from the trees" in note for note in answer.notes)
    assert answer.metrics["all"] < 1
