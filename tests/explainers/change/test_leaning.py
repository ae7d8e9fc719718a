"""What all words tell of an order, against least squares; and whether a query that leans on it holds."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import intentx as ix
from intentx.evaluation.orders import rbo_ext
from intentx.explainers.change.leaning import LIKE, NEARER, OWN, PENALTIES, Leaning, told_by_all
from intentx.explainers.change.term_sets import Likeness, TermSets
from intentx.text import TextIndex

OWN_TERMS = [0, 3]


@pytest.fixture
def values():
    drawn = np.random.default_rng(5)
    return drawn.random((30, 20)) * (drawn.random((30, 20)) < 0.4)


def test_the_regression_is_the_one_with_the_least_error_on_documents_left_out(values):
    places = np.arange(20)
    weights = 1 / np.sqrt(np.log2(places + 2))
    weights /= weights.mean()
    features = (values - values.mean(axis=1, keepdims=True)).T / values.std(axis=1).mean()
    features[:, OWN_TERMS] *= NEARER
    target = -np.log1p(places)
    target = target - np.average(target, weights=weights)

    def fitted(penalty, kept):
        model = Ridge(penalty, fit_intercept=False)
        return model.fit(features[kept], target[kept], sample_weight=weights[kept]).predict(features)

    def error(penalty):
        left_out = [fitted(penalty, places != place)[place] for place in places]
        return float(weights @ (target - left_out) ** 2)

    errors = [error(penalty) for penalty in PENALTIES]
    assert 0 < np.argmin(errors) < len(errors) - 1, "the best one is within the range"
    best = fitted(PENALTIES[int(np.argmin(errors))], places >= 0)
    np.testing.assert_allclose(told_by_all(values, OWN_TERMS), best, atol=1e-9)


@pytest.mark.parametrize("chosen", [[], [4], [1, 33, 5]])
def test_what_is_added_is_the_correlation_and_a_share_for_words_of_the_query(values, chosen):
    leaning = Leaning(values, OWN_TERMS, 0.5, 2)
    told = told_by_all(values, OWN_TERMS)

    def expected(columns):
        scores = sum((1 + c // 30) * values[c % 30] for c in columns)
        own = sum(c % 30 in OWN_TERMS for c in columns)
        return 0.5 * (LIKE * np.corrcoef(scores, told)[0, 1] + OWN * own)

    beside = leaning.beside(chosen)
    assert beside.shape == (60,)
    free = [c for c in range(60) if c % 30 not in {one % 30 for one in chosen}]
    np.testing.assert_allclose(beside[free], [expected([*chosen, c]) for c in free])
    np.testing.assert_allclose([leaning.of([*chosen, c]) for c in free], beside[free])
    sets = TermSets(values, 20, max_weight=2)
    plain, leans = Likeness("rbo", 20, 20), Likeness("rbo", 20, 20, leaning=leaning)
    added = sets.beside(chosen, leans)[free] - sets.beside(chosen, plain)[free]
    np.testing.assert_allclose(added, beside[free])
    value = sets.value([*chosen, free[0]], leans) - sets.value([*chosen, free[0]], plain)
    assert value == pytest.approx(beside[free[0]])


def many_words(seed, number=160):
    """Texts whose order twelve words decide, of sixty; and noise."""
    drawn = np.random.default_rng(seed)
    weights = np.where(np.arange(60) < 12, 1.0, 0.0)
    holds = drawn.random((number, 60)) < 0.25
    scores = holds @ weights + drawn.normal(size=number)
    texts = [" ".join(f"word{j}" for j in np.flatnonzero(row)) or "none" for row in holds]
    return texts, scores


def test_on_other_documents_it_is_more_like_the_order():
    """More of its words are those that decide; and on the documents at hand it is hardly less alike."""
    found = {generality: [] for generality in (0.0, 0.5)}
    for seed in range(12):
        texts, scores = many_words(seed)
        here = ix.Ranking.from_run(
            {f"d{i}": float(scores[i]) for i in range(60)},
            "query",
            {f"d{i}": text for i, text in enumerate(texts[:60])},
        )
        there = np.argsort(-scores[60:]) + 60
        for generality, rows in found.items():
            method = ix.EquivalentQuery(steps=4000, controls=False, generality=generality)
            one = method.explain(here)
            other = TextIndex(
                [texts[i] for i in there], one.analyzer, TextIndex(here.texts, one.analyzer)
            )
            its = one.simple_rankers[0].term_scores(one.terms, other).sum(axis=0)
            right = np.mean([int(term.removeprefix("word")) < 12 for term in one.terms])
            rows.append((one.agreement.rbo, rbo_ext(np.round(its, 9)), right))
    fitted, leaning = (np.mean(rows, axis=0) for rows in found.values())
    assert leaning[0] > fitted[0] - 0.02
    assert leaning[1] > fitted[1] + 0.015
    assert leaning[2] > fitted[2] + 0.03
