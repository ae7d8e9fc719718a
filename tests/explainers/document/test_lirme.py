"""LIRME: its samplers by counting, its weights against the loss of the paper."""

import itertools
import math

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.document.lirme import LIRME, sampled_occurrences
from tests.explainers.document.linear import (
    ANALYZER,
    Linear,
    chaotic,
    found_rightly,
    frequencies,
    planted,
    weights_of,
)
from tests.explainers.document.test_surrogate import augmented_ridge
from tests.toys import Listwise

SAMPLERS = ["uniform", "tf-idf", "masked"]
SMALL = [
    "piano stage piano cable wood piano lamp",
    "stage desk",
    "piano, stool and more of the stool",
    "cable desk",
    "desk chair lamp oak",
]
LINEAR = Linear({"piano": 2.0, "cable": -1.5, "stage": 0.7})


def draw(sampler, number=4000, occurrences=23, seed=0, likelihood=None, **how):
    likelihood = np.ones(occurrences) if likelihood is None else likelihood
    return sampled_occurrences(sampler, likelihood, number, np.random.default_rng(seed), **how)


@pytest.mark.parametrize("sampler", ["uniform", "tf-idf"])
@pytest.mark.parametrize("kept", [0.5, 0.2, 1.0])
def test_a_share_of_the_occurrences_is_kept(sampler, kept):
    drawn = draw(sampler, 4000, likelihood=np.arange(1.0, 24.0), kept=kept)
    sizes = drawn.sum(axis=1)
    assert drawn.shape == (4000, 23)
    assert sizes.mean() == pytest.approx(23 * kept, abs=0.15)
    assert sizes.std() == pytest.approx(math.sqrt(23 * kept * (1 - kept)), abs=0.1)


def test_the_uniform_sampler_keeps_each_as_often_whatever_its_tf_idf():
    often = draw("uniform", likelihood=np.arange(1.0, 24.0), kept=0.6).mean(axis=0)
    assert np.abs(often - 0.6).max() < 0.035


def test_the_tf_idf_sampler_draws_by_tf_idf():
    """A public implementation draws uniformly under this name."""
    likelihood = np.array([1.0, 1.0, 2.0, 4.0, 4.0, 8.0])
    drawn = draw("tf-idf", 60_000, likelihood=likelihood, kept=0.3)
    sizes = drawn.sum(axis=1)
    one, two = (drawn[sizes == size].mean(axis=0) for size in (1, 2))
    np.testing.assert_allclose(one, likelihood / likelihood.sum(), atol=0.015)
    np.testing.assert_allclose(two, two_drawn(likelihood), atol=0.015)


def two_drawn(likelihood):
    """How likely each is among two that are drawn one after the other, without putting back."""
    share = likelihood / likelihood.sum()
    often = np.zeros(len(share))
    for first, second in itertools.permutations(range(len(share)), 2):
        chance = share[first] * share[second] / (1 - share[first])
        often[[first, second]] += chance
    return often


def test_the_masked_sampler_shows_the_share_visible():
    """A public implementation inverts the test."""
    for visible in (0.1, 0.3, 0.8):
        drawn = draw("masked", occurrences=100, chunk=5, visible=visible)
        assert drawn.mean() == pytest.approx(visible, abs=0.02)


def test_the_masked_sampler_shows_runs_of_neighbours():
    drawn = draw("masked", 500, occurrences=47, chunk=4, visible=0.3)
    for row in drawn:
        inner = [len(list(run)) for shown, run in itertools.groupby(row[4:-4]) if shown]
        whole = inner[1:-1]  # those at the ends may be cut
        assert all(length % 4 == 0 for length in whole)
    parted = (drawn[:, 1:] != drawn[:, :-1]).any(axis=0)
    assert parted.all()  # each word is told from its neighbours in some sample


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("occurrences", [1, 2, 3, 7])
def test_something_is_always_left(sampler, occurrences):
    drawn = draw(sampler, 300, occurrences, kept=0.1, visible=0.01)
    assert drawn.any(axis=1).all()
    assert drawn.shape == (300, occurrences)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_are_independent(sampler):
    drawn = draw(sampler, 3000, 40, visible=0.4).astype(float)
    before, after = drawn[:-1].ravel(), drawn[1:].ravel()
    assert abs(np.corrcoef(before, after)[0, 1]) < 0.02


def asked(scorer, **settings):
    """An explanation, its document, and all versions that were scored, repetitions and all."""
    method = LIRME(**settings)
    subject = method._subject(ix.rank(scorer, "keyboard", SMALL), "0")
    versions, score_texts = [], subject.score_texts

    def listening(texts):
        versions.extend(texts)
        return score_texts(texts)

    subject.score_texts = listening
    return method._weigh(subject, None), subject.text, versions


def terms_of_the_loss(scorer, text, versions, h=1.0, weigh=lambda term: 1.0):
    """Features, scores and ρ of versions of a document, by loops."""
    terms = ANALYZER.terms(text)
    whole = frequencies(text)
    rows, scores, near = [], [], []
    for version in versions:
        tf = frequencies(version)
        dot = sum(whole[t] * tf[t] for t in terms)
        norm = math.sqrt(sum(v * v for v in whole.values()) * sum(v * v for v in tf.values()))
        x = math.acos(min(1.0, dot / norm)) if norm else math.pi / 2
        rows.append([tf[t] * weigh(t) for t in terms])
        scores.append(scorer("keyboard", [version])[0])
        near.append(math.exp(-x * x / h))
    return terms, np.array(rows), np.array(scores), np.array(near)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("scorer", [LINEAR, chaotic])
@pytest.mark.parametrize("weighting", ["tf", "tf-idf"])
def test_l2_weights_minimise_the_loss_of_the_paper(sampler, scorer, weighting):
    settings = {"penalty": "l2", "alphas": (0.1,), "width": 0.7, "samples": 60, "weighting": weighting}
    found, text, versions = asked(scorer, sampler=sampler, **settings)
    assert len(versions) == 61
    assert versions[0] == text

    def idf(term):
        return math.log(1 + len(SMALL) / sum(term in frequencies(t) for t in SMALL))

    weigh = idf if weighting == "tf-idf" else lambda term: 1.0
    terms, rows, scores, near = terms_of_the_loss(scorer, text, versions, 0.7, weigh)
    near /= near.sum()
    mean = near @ scores
    deviation = math.sqrt(near @ (scores - mean) ** 2)
    weights, free = augmented_ridge(rows, (scores - mean) / deviation, near, 0.1)
    expected = dict(zip(terms, weights * deviation, strict=True))
    assert weights_of(found) == pytest.approx(expected, abs=1e-8)
    left = (scores - mean) / deviation - free - rows @ weights
    assert found.metrics["fit"] == pytest.approx(1 - near @ left**2)


@pytest.mark.parametrize("alpha", [0.1, 0.001])
def test_l1_weights_are_at_the_bottom_of_the_loss(alpha):
    """Where a weight is not zero the slope of the loss is α, elsewhere it is less."""

    def scorer(query, texts):
        return np.array(LINEAR(query, texts)) + 0.2 * np.array(chaotic(query, texts))

    found, text, versions = asked(scorer, alphas=(alpha,), samples=80, sampler="uniform")
    terms, rows, scores, near = terms_of_the_loss(scorer, text, versions)
    near /= near.sum()
    mean = near @ scores
    deviation = math.sqrt(near @ (scores - mean) ** 2)
    theta = np.array([weights_of(found)[term] for term in terms]) / deviation
    left = (scores - mean) / deviation - rows @ theta
    left -= near @ left
    slopes = rows.T @ (near * left)
    for slope, weight in zip(slopes, theta, strict=True):
        if weight:
            assert slope == pytest.approx(alpha * np.sign(weight), abs=1e-4)
        else:
            assert abs(slope) <= alpha + 1e-4
    assert {bool(w) for w in theta} == ({True, False} if alpha == 0.1 else {True})


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_planted_words_come_first_with_their_signs(sampler, penalty):
    shares = []
    for seed in range(2):
        weights, texts = planted(seed)
        ranking = ix.rank(Linear(weights), "tea", texts)
        method = LIRME(sampler=sampler, penalty=penalty, seed=seed)
        shares.append(found_rightly(method.explain(ranking, "0"), weights))
    assert np.mean(shares) >= 0.95


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("everywhere", [0.0, 3.0])
def test_weights_are_in_units_of_the_score_and_per_occurrence(sampler, everywhere):
    """Also where all words speak for the document, and the level of their weights is to be found."""
    weights, texts = planted(2)
    truth = {term: everywhere + weights.get(term, 0.0) for text in texts for term in text.split()}
    ranking = ix.rank(Linear(truth), "tea", texts)
    found = weights_of(LIRME(sampler=sampler, alphas=(1e-5,)).explain(ranking, "0"))
    assert found == pytest.approx({term: truth[term] for term in found}, abs=0.05)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_alpha_means_the_same_for_every_scale_of_the_scores(penalty):
    weights, texts = planted(4)
    one, two = (
        LIRME(penalty=penalty, alphas=(0.02,), samples=300).explain(ix.rank(scorer, "tea", texts), "0")
        for scorer in (
            Linear(weights),
            lambda q, some: 1000 * np.array(Linear(weights)(q, some)) - 7777,
        )
    )
    small, large = weights_of(one), weights_of(two)
    assert large == pytest.approx({term: 1000 * w for term, w in small.items()}, rel=1e-3, abs=1e-3)
    assert two.metrics["fit"] == pytest.approx(one.metrics["fit"], abs=1e-6)


def test_the_path_goes_down_until_some_weight_is_not_zero():
    weights, texts = planted(5)
    ranking = ix.rank(Linear(weights), "tea", texts)
    path = (0.05, 1e6, 1e-4, 100.0)  # in any order
    found = LIRME(alphas=path, samples=200).explain(ranking, "0")
    assert found.metrics["alpha"] == 0.05
    assert any(found.weights)
    alone = LIRME(alphas=(0.05,), samples=200).explain(ranking, "0")
    assert alone.weights == found.weights


def test_at_the_end_of_the_path_all_may_still_be_zero():
    ranking = ix.rank(LINEAR, "keyboard", SMALL)
    found = LIRME(alphas=(1e6, 1e5)).explain(ranking, 0)
    assert not any(found.weights)
    assert found.metrics["alpha"] == 1e5
    assert any("all weights are zero, even at α = 100000" in note for note in found.notes)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("text", ["piano", "the piano!", "Piano, piano", "piano stage"])
def test_short_documents_are_explained_too(sampler, text):
    """Samples that keep one occurrence of one say nothing: then the version with none is one."""
    ranking = ix.rank(LINEAR, "keyboard", [text, *SMALL[1:]])
    found = weights_of(LIRME(sampler=sampler).explain(ranking, "0"))
    assert found["piano"] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_constant_explains_nothing(sampler):
    ranking = ix.rank(Linear({}, constant=3.0), "keyboard", SMALL)
    found = LIRME(sampler=sampler).explain(ranking, 0)
    assert set(found.weights) == {0.0}
    assert "same score" in found.notes[-1]


def test_a_listwise_ranker_gets_whole_lists():
    scorer = Listwise()
    ranking = ix.rank(scorer, "keyboard", SMALL)
    scorer.calls.clear()
    found = LIRME(samples=20).explain(ranking, 1)
    assert scorer.calls
    assert all(len(texts) == len(SMALL) for _, texts in scorer.calls)
    assert any(found.weights)


def test_it_compares_no_documents():
    with pytest.raises(ix.InputError, match="not why one document is above another"):
        LIRME().explain(ix.rank(LINEAR, "keyboard", SMALL), 0, above=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"sampler": "random"},
            "sampler must be one of 'uniform', 'tf-idf', 'masked', not 'random'",
        ),
        ({"penalty": "l0"}, "penalty must be one of"),
        ({"weighting": "bm25"}, "weighting must be one of"),
        ({"samples": 1}, "samples must be a whole number, 2 or more"),
        ({"chunk": 0}, "chunk must be a whole number, 1 or more, not 0"),
        ({"kept": 0.0}, "kept must be a number above 0, at most 1, not 0.0"),
        ({"visible": 1.5}, "visible must be a number above 0, at most 1"),
        ({"width": 0}, "width must be a finite number above 0"),
        ({"alphas": ()}, "alphas must be"),
        ({"alphas": (0.1, 0.0)}, "alphas must be"),
        ({"alphas": (math.nan,)}, "alphas must be"),
        ({"alphas": 0.1}, "alphas must be a tuple .* not 0.1"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ix.InputError, match=message):
        LIRME(**settings)
