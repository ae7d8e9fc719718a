"""Listwise Shapley values against brute force, their axioms, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.errors import InputError
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.features.listwise import ListwiseSHAP
from intentx.explainers.features.order_values import VALUES, order_value
from tests.explainers.features.listwise_oracles import (
    BACKGROUND,
    NAMES,
    RNG,
    X,
    brute_force,
    masked,
    product,
    ranking_of,
    trees,
)


def test_the_values_are_those_of_the_definition():
    ranking = ranking_of()
    found = ListwiseSHAP(background=BACKGROUND).explain(ranking)
    expected = brute_force(
        lambda some: np.mean([kendall_tau_b(ranking.scores, one) if np.ptp(one) > 1e-9 else 0.0
                              for one in masked(ranking, some)]), 8,
    )  # fmt: skip
    weights = dict(zip(found.features, found.weights, strict=True))
    np.testing.assert_allclose([weights[name] for name in NAMES], expected, atol=1e-9)
    assert sum(found.weights) == pytest.approx(found.metrics["all"] - found.metrics["none"])
    assert weights["f7"] == pytest.approx(0, abs=1e-12)  # the model does not look at it
    assert list(np.abs(found.weights)) == sorted(np.abs(found.weights), reverse=True)


@pytest.mark.parametrize("value", VALUES)
def test_weights_add_up_for_every_value(value):
    ranking = ranking_of()
    found = ListwiseSHAP(value=value, background=BACKGROUND, k=3).explain(ranking)
    none = np.mean([order_value(value, ranking.scores, one, 3) for one in masked(ranking, ())])
    assert found.metrics["none"] == pytest.approx(none)
    assert sum(found.weights) == pytest.approx(1.0 - none)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=9), st.integers(0, 2**32 - 1))
def test_values_of_orders_beside_slow_versions(scores, seed):
    scores = np.array(sorted(scores, reverse=True), dtype=float)
    others = np.random.default_rng(seed).integers(0, 4, (3, len(scores))).astype(float)
    np.testing.assert_allclose(
        order_value("rbo", scores, others), [rbo_ext(one) for one in others], atol=1e-12
    )
    for one, tau in zip(others, order_value("tau", scores, others), strict=True):
        if np.ptp(scores) and np.ptp(one):
            assert tau == pytest.approx(kendall_tau_b(scores, one), abs=1e-6)
    if np.ptp(scores):
        for value in VALUES:
            best = order_value(value, scores, -np.arange(len(scores), dtype=float), 3)[0]
            assert (order_value(value, scores, others, 3) <= best + 1e-9).all() or value == "tau"


def test_why_one_document_is_above_another():
    model, _ = trees()
    ranking = ranking_of(model)
    method = ListwiseSHAP(background=BACKGROUND)
    first, last, both = (
        method.explain(ranking, 0), method.explain(ranking, 14), method.explain(ranking, 0, above=14)
    )  # fmt: skip
    assert "closed form" in " ".join(both.notes)
    assert sum(both.weights) == pytest.approx(ranking.scores[0] - ranking.scores[14])
    one, two = (dict(zip(x.features, x.weights, strict=True)) for x in (first, last))
    for name, weight in zip(both.features, both.weights, strict=True):
        assert weight == pytest.approx(one[name] - two[name])
    by_sets = method.explain(ranking_of(lambda rows: model.predict(rows)), 0, above=14)
    expected = dict(zip(both.features, both.weights, strict=True))
    for name, weight in zip(by_sets.features, by_sets.weights, strict=True):
        assert weight == pytest.approx(expected[name], abs=1e-9)


def test_an_estimate_is_near_the_exact_values():
    rows = RNG.normal(size=(20, 14))
    weights = RNG.normal(size=14)
    ranking = ranking_of(lambda some: some @ weights, rows, [f"f{i}" for i in range(14)])
    exact = ListwiseSHAP(samples=2**14).explain(ranking)
    some = ListwiseSHAP(samples=400).explain(ranking)
    assert (exact.metrics["exact"], some.metrics["exact"]) == (1.0, 0.0)
    found = dict(zip(some.features, some.weights, strict=True))
    errors = [found[n] - w for n, w in zip(exact.features, exact.weights, strict=True)]
    assert np.abs(errors).max() < 0.02
    assert sum(some.weights) == pytest.approx(sum(exact.weights))
    again = ListwiseSHAP(samples=400).explain(ranking)
    assert again.weights == some.weights


def test_features_that_make_no_difference_are_not_asked_about():
    model, _ = trees()
    rows = X.copy()
    rows[:, 5] = 1.0
    ranking = ranking_of(model, rows)
    found = ListwiseSHAP(background="mean").explain(ranking)
    assert dict(zip(found.features, found.weights, strict=True))["f5"] == 0
    assert found.model_calls <= 2**7 * 15 + 2 * 15


def test_json_both_ways(tmp_path):
    ranking = ranking_of()
    found = ListwiseSHAP().explain(ranking, 1, above="d3")
    again = ix.load(found.save(tmp_path / "x.json"))
    assert type(again) is type(found)
    assert (again.features, again.weights, again.doc, again.above) == (
        found.features, found.weights, 1, ranking.position("d3"),
    )  # fmt: skip
    assert again.to_json() == found.to_json()
    assert repr(found).startswith("<ListwiseSHAP for 'q': ")


def test_bad_input():
    tied = ranking_of(lambda rows: np.zeros(len(rows)))
    with pytest.raises(InputError, match=r"without a preference pair .*\(documents: 15\)"):
        ListwiseSHAP().explain(tied)
    with pytest.raises(InputError, match=r"without a preference pair .*\(documents: 1\)"):
        ListwiseSHAP().explain(ranking_of(rows=X[:1]))
    with pytest.raises(InputError, match="not above itself"):
        ListwiseSHAP().explain(ranking_of(), 1, above=1)
    with pytest.raises(InputError, match="background must be 'mean', 'median', 'zero' or rows"):
        ListwiseSHAP(background="middle").explain(ranking_of())
    with pytest.raises(InputError, match="background rows need 8 features"):
        ListwiseSHAP(background=[[1.0]]).explain(ranking_of())
    with pytest.raises(InputError, match="must ask the model"):
        ListwiseSHAP().explain(ix.FeatureRanking("q", ("a", "b"), [[1], [2]], ("x",), [1.0, 2.0]))
    with pytest.raises(InputError, match="value must be one of"):
        ListwiseSHAP(value="taus")


WORDS = ["green tea tea pot", "green boat", "tea boat lamp", "lamp pot", "boat", "green lamp tea"]


def by_words(query, texts):
    return [
        3.0 * t.split().count("green") + 2.0 * ("tea" in t) * ("pot" in t) - ("lamp" in t) for t in texts
    ]


def test_words_are_taken_from_all_documents_at_once():
    ranking = ix.rank(by_words, "q", WORDS)
    found = ListwiseSHAP(units="words").explain(ranking)
    names = sorted(found.terms)

    def value(some):
        kept = {names[i] for i in some}
        texts = [" ".join(w for w in text.split() if w in kept) for text in ranking.texts]
        scores = np.array(by_words("q", texts))
        return kendall_tau_b(ranking.scores, scores) if np.ptp(scores) else 0.0

    weights = dict(zip(found.terms, found.weights, strict=True))
    np.testing.assert_allclose([weights[n] for n in names], brute_force(value, len(names)), atol=1e-6)
    assert found.terms[0] == "green"
    assert weights["boat"] == pytest.approx(0, abs=1e-9)
    pair = ListwiseSHAP(units="words").explain(ranking, 0, above=2)
    assert sum(pair.weights) == pytest.approx(ranking.scores[0] - ranking.scores[2])
    assert found.to_json() == type(found).from_json(found.to_json()).to_json()


def test_words_and_features_are_not_mixed_up():
    ranking = ix.rank(by_words, "q", WORDS)
    with pytest.raises(InputError, match="cannot explain a Ranking: it has words, units='words'"):
        ListwiseSHAP().explain(ranking)
    with pytest.raises(InputError, match="cannot explain a FeatureRanking: it has features"):
        ListwiseSHAP(units="words").explain(ranking_of())
    recorded = ix.Ranking.from_run({"a": 2, "b": 1}, "q", {"a": "tea", "b": "boat"})
    with pytest.raises(InputError, match="must ask the ranker"):
        ListwiseSHAP(units="words").explain(recorded)
    empty = ix.rank(lambda query, texts: [len(t) for t in texts], "q", ["?", "!!"])
    with pytest.raises(InputError, match="no candidate term"):
        ListwiseSHAP(units="words").explain(empty)


def test_estimates_of_a_pair_are_differences_and_turn_round():
    rows = np.random.default_rng(6).normal(size=(6, 12))
    ranking = ranking_of(lambda some: np.tanh(some).prod(axis=1) + product(some), rows,
                         [f"f{i}" for i in range(12)])  # fmt: skip
    method = ListwiseSHAP(samples=60, background=np.random.default_rng(7).normal(size=(40, 12)))
    weights = [
        dict(zip(e.features, e.weights, strict=True))
        for e in (
            method.explain(ranking, 0), method.explain(ranking, 3),
            method.explain(ranking, 0, above=3), method.explain(ranking, 3, above=0),
        )
    ]  # fmt: skip
    for name in ranking.names:
        one, other, both, turned = (w[name] for w in weights)
        assert both == one - other == -turned
    assert sum(weights[2].values()) == pytest.approx(ranking.scores[0] - ranking.scores[3])


def test_scores_that_are_too_large_to_subtract_are_refused():
    ranking = ranking_of(lambda rows: np.where(rows[:, 0] > 0, 1.7e308, -1.7e308))
    assert sum(ListwiseSHAP(background="zero").explain(ranking).weights) == pytest.approx(1.0)
    with pytest.raises(InputError, match="difference of two is no finite number"):
        ListwiseSHAP(background="zero").explain(ranking, 0, above=14)
    with pytest.raises(InputError, match="difference of two is no finite number"):
        ListwiseSHAP(background="zero").explain(ranking, 0)
    half = ranking_of(lambda rows: np.where(rows[:, 0] > 0, 0.8e308, -0.8e308))
    found = ListwiseSHAP(background="zero").explain(half, 0, above=14)
    assert sum(found.weights) == pytest.approx(1.6e308)


def test_long_orders_are_weighed_as_short_ones(monkeypatch):
    from intentx.explainers.features import order_values

    generator = np.random.default_rng(8)
    for number in (2, 5, 40):
        scores = np.sort(generator.integers(0, number, number))[::-1].astype(float)
        scores[0] += 1  # some differ
        others = generator.integers(0, max(2, number // 2), (4, number)).astype(float)
        others[0] = 1.0
        short = order_value("weighted-tau", scores, others)
        monkeypatch.setattr(order_values, "LONG", 1)
        np.testing.assert_allclose(order_value("weighted-tau", scores, others), short, atol=1e-12)
        monkeypatch.undo()


def test_the_error_of_an_estimate_is_about_what_it_says():
    rows = np.random.default_rng(9).normal(size=(12, 13))
    background = np.random.default_rng(10).normal(size=(30, 13))
    ranking = ranking_of(lambda some: product(some) + some[:, 8] * some[:, 9], rows,
                         [f"f{i}" for i in range(13)])  # fmt: skip
    exact = ListwiseSHAP(samples=2**13, background=background).explain(ranking)
    truth = dict(zip(exact.features, exact.weights, strict=True))
    assert exact.metrics["error"] == 0.0
    errors, said = [], []
    for seed in range(4):
        some = ListwiseSHAP(samples=200, draws=5, background=background, seed=seed).explain(ranking)
        missed = [w - truth[n] for n, w in zip(some.features, some.weights, strict=True)]
        errors.append(np.mean(np.square(missed)))
        said.append(some.metrics["error"] ** 2)
    assert 1 / 3 < np.sqrt(np.mean(errors) / np.mean(said)) < 3
    few = ListwiseSHAP(samples=4, background=background).explain(ranking)
    assert "These are few for 13" in " ".join(few.notes)
