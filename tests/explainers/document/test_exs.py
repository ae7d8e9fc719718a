"""EXS against a slow version of itself, and its labels against the paper's words."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers.document.exs import EXS, relevance_labels
from intentx.perturbation import random_subsets, remove_terms
from tests.explainers.document.linear import (
    ANALYZER,
    Linear,
    chaotic,
    found_rightly,
    planted,
    weights_of,
)
from tests.explainers.document.test_surrogate import augmented_ridge
from tests.toys import Listwise, ranked

LABELS = ["rank", "score", "topk"]
levels = st.integers(-4, 6) | st.floats(-4, 6)


def label_by_loops(kind, score, scores, position, k):
    """One version's label; ``scores`` of the ranking, best first."""
    best, last = scores[0], scores[k - 1]
    if kind == "topk":
        return 1.0 if score > last or (position == k - 1 and score == last) else 0.0
    if kind == "rank":
        rank = 0
        for place, other in enumerate(scores):
            if place != position and other > score:
                rank += 1
        return 1 - rank / k if rank < k else 0.0
    if score >= best:
        return 1.0
    if score < last:
        return 0.0
    if best > 0 and last >= 0:
        return 1 - (best - score) / best
    return (score - last) / (best - last)


def labels_of(kind, versions, scores, position, k):
    ranking = ranked([f"text {i}" for i in range(len(scores))], sorted(scores, reverse=True))
    return relevance_labels(np.array(versions, dtype=float), ranking, position, kind, k)


@given(
    kind=st.sampled_from(LABELS),
    scores=st.lists(levels, min_size=1, max_size=7),
    versions=st.lists(levels, min_size=1, max_size=9),
    data=st.data(),
)
def test_labels_by_loops(kind, scores, versions, data):
    position = data.draw(st.integers(0, len(scores) - 1))
    k = data.draw(st.integers(1, len(scores)))
    scores = sorted(scores, reverse=True)
    versions += scores  # meeting a score exactly is what ties are about
    assume(all(abs(a - b) > 1e-9 for a, b in itertools.combinations({*map(float, versions)}, 2)))
    labels, _ = labels_of(kind, versions, scores, position, k)
    expected = [label_by_loops(kind, score, scores, position, k) for score in versions]
    np.testing.assert_allclose(labels, expected, atol=1e-6)
    assert ((labels >= 0) & (labels <= 1)).all()


@pytest.mark.parametrize("kind", LABELS)
@given(scores=st.lists(levels, min_size=2, max_size=7), data=st.data())
def test_a_better_score_never_has_a_lower_label(kind, scores, data):
    position = data.draw(st.integers(0, len(scores) - 1))
    k = data.draw(st.integers(1, len(scores)))
    labels, _ = labels_of(kind, np.linspace(-5, 7, 50), scores, position, k)
    assert (np.diff(labels) >= 0).all()


def test_labels_as_the_paper_says():
    scores, versions = [10.0, 8.0, 4.0, 2.0], [12.0, 9.0, 5.0, 3.0]
    assert labels_of("topk", versions, scores, 0, 3)[0].tolist() == [1, 1, 1, 0]
    assert labels_of("score", versions, scores, 0, 3)[0].tolist() == [1, 0.9, 0.5, 0]
    # Of the others, 8 is above a version with 5, and so are 8 and 4 above one with 3.
    assert labels_of("rank", versions, scores, 0, 3)[0] == pytest.approx([1, 1, 2 / 3, 1 / 3])
    assert labels_of("rank", [1.0], scores, 0, 3)[0].tolist() == [0]
    assert not any(labels_of(kind, versions, scores, 0, 3)[1] for kind in LABELS)


@pytest.mark.parametrize(
    ("scores", "versions", "expected"),
    [
        ([-1.0, -3.0, -5.0], [0.0, -1.0, -2.0, -3.0, -4.0], [1, 1, 0.5, 0, 0]),  # logits
        ([0.0, -3.0, -5.0], [0.5, 0.0, -1.5, -3.0, -4.0], [1, 1, 0.5, 0, 0]),  # zero at the top
        ([3.0, -1.0, -2.0], [4.0, 3.0, 1.0, -1.0, -1.5], [1, 1, 0.5, 0, 0]),
    ],
)
def test_scores_below_zero_are_shifted_and_that_is_said(scores, versions, expected):
    labels, note = labels_of("score", versions, scores, 0, 2)
    assert labels == pytest.approx(expected)
    assert "rank 2 maps to 0" in note


@given(shift=st.floats(-50, -7), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_shifted_scores_have_the_same_labels_whatever_their_origin_and_unit(shift, scale):
    scores, versions = np.array([5.0, 3.0, 2.0]), np.array([6.0, 4.0, 3.5, 2.5, 1.0])
    labels, _ = labels_of("score", (versions + shift) * scale, (scores + shift) * scale, 0, 3)
    np.testing.assert_allclose(labels, [1, 2 / 3, 0.5, 1 / 6, 0], atol=1e-9)


def test_many_zeros_make_no_division():
    labels, _ = labels_of("score", [1.0, 0.0, -1.0], [0.0, 0.0, 0.0], 1, 3)
    assert labels.tolist() == [1, 1, 0]


def slow_exs(ranking, position, labels, k, width, penalty):
    """All versions of a document, labelled and fitted by loops."""
    text = ranking.texts[position]
    terms = ANALYZER.terms(text)
    rows, found, nearness = [], [], []
    for kept in itertools.product([True, False], repeat=len(terms)):
        gone = [term for term, keep in zip(terms, kept, strict=True) if not keep]
        [score] = ranking.scorer(ranking.query, [remove_terms(text, gone, ANALYZER)])
        found.append(label_by_loops(labels, score, ranking.scores.tolist(), position, k))
        # The cosine of a vector of ones with one of zeros and ones.
        length = math.sqrt(len(terms)) * math.sqrt(sum(kept))
        cosine = sum(kept) / length if any(kept) else 0.0
        rows.append([float(keep) for keep in kept])
        nearness.append(math.exp(-(((1 - cosine) / width) ** 2)))
    rows, found, nearness = np.array(rows), np.array(found), np.array(nearness)
    if len({*found.tolist()}) == 1:
        return dict.fromkeys(terms, 0.0), math.nan
    weights, free = augmented_ridge(rows, found, nearness, penalty)
    left = nearness @ (found - free - rows @ weights) ** 2
    mean = nearness @ found / nearness.sum()
    fit = 1 - left / (nearness @ (found - mean) ** 2)
    return dict(zip(terms, weights, strict=True)), fit


SMALL = ["piano stage piano cable", "stage desk", "piano, stool", "cable desk", "desk chair lamp oak"]


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("width", "penalty"), [(0.25, 1.0), (0.6, 0.01)])
@pytest.mark.parametrize("scorer", [chaotic, Linear({"piano": 2.0, "cable": -0.5, "stage": 0.7})])
def test_against_a_slow_version(labels, width, penalty, scorer):
    ranking = ix.rank(scorer, "keyboard", SMALL)
    method = EXS(
        labels=labels, k=4, kernel_width=width, regularization=penalty, surrogate="ridge", samples=16
    )
    said_something = 0
    for doc in range(len(SMALL)):
        expected, fit = slow_exs(ranking, doc, labels, 4, width, penalty)
        found = method.explain(ranking, doc)
        assert weights_of(found) == pytest.approx(expected, abs=1e-9)
        assert found.metrics["fit"] == pytest.approx(fit, nan_ok=True)
        assert found.metrics["score"] == ranking.scores[doc]
        said_something += any(expected.values())
    assert said_something >= 2


def test_a_document_that_holds_more_words_than_samples_is_sampled():
    weights, texts = planted(0)
    ranking = ix.rank(Linear(weights), "tea", texts)
    found = EXS(samples=64, k=24).explain(ranking, "0")
    assert 50 < found.model_calls < 64  # the document itself is known, and some come twice
    assert EXS(samples=64, seed=1, k=24).explain(ranking, "0").weights != found.weights


def test_draws_are_independent():
    """Drawn anew each time with the same seed, smaller versions would be parts of larger ones."""
    units, number = 20, 4000
    kept = random_subsets(units, number, np.random.default_rng(0))
    assert kept[0].all()
    gone = ~kept[1:]
    sizes = gone.sum(axis=1)
    times = np.bincount(sizes, minlength=units + 1)
    assert times[0] == 0  # 1 … U are gone, each as often: 200 times, give or take
    assert np.abs(times[1:] - (number - 1) / units).max() < 4.5 * math.sqrt(number / units)
    each = gone.mean(axis=0)
    assert np.abs(each - (units + 1) / 2 / units).max() < 0.04
    nested = [(one & two).sum() == min(one.sum(), two.sum()) for one, two in itertools.pairwise(gone)]
    chance = [
        1 / math.comb(units, small) * math.comb(max(a, b), small)
        for a, b in itertools.pairwise(sizes.tolist())
        for small in [min(a, b)]
    ]
    assert np.mean(nested) == pytest.approx(np.mean(chance), abs=0.02)
    assert np.mean(nested) < 0.3


@pytest.mark.parametrize(
    "settings",
    [
        {"labels": "rank"},
        {"labels": "rank", "surrogate": "svr"},
        {"labels": "score"},
        {"labels": "score", "surrogate": "svr"},
        {"labels": "topk"},
        {"labels": "topk", "surrogate": "svm"},
        {"labels": "topk", "surrogate": "ridge"},
        {"labels": "rank", "removal": "mask", "mask": "[MASK]"},
    ],
    ids=lambda s: "-".join(map(str, s.values())),
)
def test_planted_words_come_first_with_their_signs(settings):
    shares = []
    for seed in range(2):
        weights, texts = planted(seed)
        ranking = ix.rank(Linear(weights), "tea", texts)
        k = max(10, ranking.position("0") + 5)
        shares.append(found_rightly(EXS(k=k, seed=seed, **settings).explain(ranking, "0"), weights))
    assert np.mean(shares) >= 0.95


@pytest.mark.parametrize("labels", ["rank", "score"])
def test_a_hundred_versions_are_enough(labels):
    """LIME, which reads the scores themselves, finds .98 and more; labels alone gave .83."""
    shares = []
    for seed in range(8):
        weights, texts = planted(seed)
        ranking = ix.rank(Linear(weights), "tea", texts)
        k = max(10, ranking.position("0") + 5)
        found = EXS(samples=100, labels=labels, k=k, seed=seed).explain(ranking, "0")
        shares.append(found_rightly(found, weights))
    assert np.mean(shares) >= 0.98


def test_negative_logits_are_explained_as_well():
    weights, texts = planted(3)
    ranking = ix.rank(Linear(weights, constant=-100.0), "tea", texts)
    found = EXS(labels="score", k=20).explain(ranking, "0")
    assert found_rightly(found, weights) >= 0.95
    assert any("shifted" in note for note in found.notes)


def test_why_a_document_is_above_another():
    weights, texts = planted(1)
    ranking = ix.rank(Linear(weights), "tea", texts)
    high, low = 2, 9
    found = EXS(labels="topk", k=3).explain(ranking, doc=high, above=ranking.doc_ids[low])
    assert (found.position, found.above, found.metrics["k"]) == (high, low, low + 1)
    alone = EXS(labels="topk", k=low + 1).explain(ranking, doc=high)
    assert (found.terms, found.weights) == (alone.terms, alone.weights)
    assert alone.above is None
    assert f"above {ranking.doc_ids[low]!r} (rank 10)" in repr(found)
    again = type(found).from_json(found.to_json())
    assert (again.above, again.metrics["k"]) == (low, low + 1)


def test_a_document_that_is_not_above_the_other():
    weights, texts = planted(1)
    ranking = ix.rank(Linear(weights), "tea", texts)
    with pytest.raises(ix.InputError, match=r"\(rank 10\) is not above .* \(rank 3\).*swap.*KernelSHAP"):
        EXS().explain(ranking, 9, above=2)
    with pytest.raises(ix.InputError, match="cannot be above itself"):
        EXS().explain(ranking, 2, above=ranking.doc_ids[2])
    with pytest.raises(ix.InputError, match="no document 'nobody'"):
        EXS().explain(ranking, 2, above="nobody")


def test_k_beyond_the_list_is_cut_to_it():
    ranking = ix.rank(Linear({"piano": 1.0}), "keyboard", SMALL)
    found, whole = (EXS(k=k).explain(ranking, 0) for k in (99, len(SMALL)))
    assert (found.weights, found.metrics["k"]) == (whole.weights, len(SMALL))
    assert "k is 99, and the ranking has 5 documents" in found.notes[0]
    assert not any("k is" in note for note in whole.notes)


@pytest.mark.parametrize("labels", LABELS)
def test_all_labels_equal(labels):
    """The document is far beyond k, with every word and with none."""
    ranking = ix.rank(
        Linear({"piano": 5.0, "stool": 0.1}, constant=1.0), "keyboard", ["piano", "piano", "oak stool"]
    )
    found = EXS(labels=labels, k=1).explain(ranking, 2)
    assert found.weights == (0.0, 0.0)
    assert math.isnan(found.metrics["fit"])
    assert any("all 4 versions have the label 0 by" in note for note in found.notes)
    assert found.to_dict()["metrics"]["fit"] is None


def test_the_kind_of_fit_is_named():
    ranking = ix.rank(Linear({"piano": 2.0, "cable": -1.0, "stage": 1.0}), "keyboard", SMALL)
    notes = {labels: " ".join(EXS(labels=labels, k=3).explain(ranking, 0).notes) for labels in LABELS}
    assert "weighted accuracy of a logistic surrogate" in notes["topk"]
    assert "weighted R² of a ridge surrogate" in notes["rank"]
    assert "weighted R² of a ridge surrogate" in notes["score"]


def test_a_listwise_ranker_gets_whole_lists():
    scorer = Listwise()
    ranking = ix.rank(scorer, "keyboard", SMALL)
    scorer.calls.clear()
    found = EXS(k=3, samples=16).explain(ranking, 1)
    assert scorer.calls
    assert all(len(texts) == len(SMALL) for _, texts in scorer.calls)
    assert any(found.weights)


def test_scores_within_one_list_give_the_labels_of_its_places():
    plain = Linear({"piano": 2.0, "cable": -1.0, "stage": 1.0})

    def shares(query, texts):  # the sharper, the better the best of the list
        scores = np.exp(plain(query, texts))
        return scores / scores.sum()

    shares.listwise = True
    settings = {"k": 2, "samples": 16}
    expected = EXS(**settings).explain(ix.rank(plain, "keyboard", SMALL), 0)
    found = EXS(**settings).explain(ix.rank(shares, "keyboard", SMALL), 0)
    assert found.terms == expected.terms
    np.testing.assert_allclose(found.weights, expected.weights)


def test_words_can_be_masked_instead():
    seen = []

    def scorer(query, texts):
        seen.extend(texts)
        return [text.count("piano") - text.count("[gone]") for text in texts]

    ranking = ix.rank(scorer, "keyboard", SMALL)
    EXS(removal="mask", mask="[gone]").explain(ranking, 0)
    assert any("[gone] stage [gone]" in text for text in seen)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": "pairs"}, "labels must be one of 'rank', 'score', 'topk', not 'pairs'"),
        ({"k": 0}, "k must be a whole number, 1 or more, not 0"),
        ({"samples": 1}, "samples must be a whole number, 2 or more, not 1"),
        ({"removal": "burn"}, "removal must be one of .* not 'burn'"),
        ({"kernel_width": 0.0}, "above 0"),
        ({"kernel_width": math.nan}, "above 0"),
        ({"regularization": -1.0}, "above 0"),
        ({"regularization": math.inf}, "finite"),
        ({"surrogate": "tree"}, "surrogate must be one of .* not 'tree'"),
        ({"surrogate": "svm"}, "svm surrogate needs labels 0 and 1.*topk.*'rank'"),
        ({"surrogate": "logistic", "labels": "score"}, "logistic surrogate needs labels 0 and 1"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ix.InputError, match=message):
        EXS(**settings)
