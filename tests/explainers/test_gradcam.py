import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis as scipy_kurtosis

import intentx as ix
from intentx.evaluation.contrast import contrast
from intentx.explainers.gradcam import (
    GradCAM,
    GradCAMExplanation,
    best_window,
    class_activation,
    kurtosis,
)
from intentx.rankers import KNRM, MatchPyramid, MatchPyramidSettings
from tests.rankers.interaction_toys import QUERY, TEXTS, lexicon

SETTINGS = {
    "default": MatchPyramidSettings(filters=(4,)),
    "two layers": MatchPyramidSettings(filters=(3, 5), comparison="cosine", pool=(3, 2)),
    "published": MatchPyramidSettings.published(filters=(3,), hidden=(6,)),
    "indicator": MatchPyramidSettings(comparison="indicator", term_weights="idf"),
}


def ranker(settings="default", seed=0):
    """With weights of both signs and biases, so that maps differ."""
    found = MatchPyramid(lexicon(), SETTINGS[settings])
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in found.module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return found


def explained(settings="default", doc=None, **more):
    ranking = ix.rank(ranker(settings), QUERY, TEXTS)
    doc = ranking.doc_ids.index("1") if doc is None else doc
    return GradCAM(**more).explain(ranking, doc)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_map_against_loops_and_finite_differences(settings):
    model, found = ranker(settings), explained(settings)
    seen = model.feature_maps(QUERY, TEXTS[1])
    maps = seen.maps.double()
    module = model.module.double()
    there = torch.ones((1, maps.shape[2]), dtype=torch.bool)

    def score(values):
        with torch.no_grad():
            return float(module.score_maps(values[None], there))

    assert score(maps) == pytest.approx(seen.score, rel=1e-5)
    assert seen.score == pytest.approx(found.figures["score"], rel=1e-5)
    filters, rows, columns = maps.shape
    assert (rows, columns) == found.map.shape == found.interaction.shape
    # The sum of the derivatives in all cells is that of moving all cells at once.
    alpha = []
    for k in range(filters):
        step = torch.zeros_like(maps)
        step[k] = 1e-6
        alpha.append((score(maps + step) - score(maps - step)) / 2e-6 / (rows * columns))
    for i in range(rows):
        for j in range(columns):
            value = sum(alpha[k] * float(maps[k, i, j]) for k in range(filters))
            assert found.map[i, j] == pytest.approx(max(0.0, value), rel=1e-3, abs=1e-5)
    assert found.map.max() > 0
    for j, word in enumerate(found.words):
        assert word.weight == pytest.approx(sum(found.map[:, j]))
    weights = dict(zip(found.terms, found.weights, strict=True))
    for term, weight in weights.items():
        assert weight == pytest.approx(sum(w.weight for w in found.words if w.term == term))
    assert found.query_terms == ("piano", "keys", "zeppelin", "balloon")
    values = model.interaction(QUERY, TEXTS[1]).values
    np.testing.assert_allclose(found.interaction, values, rtol=1e-5)


def test_maps_of_another_size_are_widened():
    maps = np.array([[[0.0, 4.0]], [[1.0, 1.0]]])
    gradients = np.array([[[1.0, 1.0]], [[0.0, -2.0]]])
    # 1 * first - 1 * second = (-1, 3), and nothing below 0 before it is widened.
    found = class_activation(maps, gradients, (2, 4))
    np.testing.assert_allclose(found, [[0, 0.75, 2.25, 3]] * 2)
    np.testing.assert_allclose(class_activation(maps, gradients, (1, 2)), [[0, 3]])


@given(st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=9), st.integers(1, 5))
def test_the_best_window_is_the_first_of_the_best(values, size):
    start, end = best_window(values, size)
    assert end - start == min(size, len(values))
    sums = [sum(values[i : i + end - start]) for i in range(len(values) - (end - start) + 1)]
    assert sums[start] >= max(sums) - 1e-6
    assert all(total < max(sums) - 1e-12 for total in sums[:start])


def test_kurtosis():
    values = np.random.default_rng(0).normal(size=(3, 5)) ** 3
    assert kurtosis(values) == pytest.approx(scipy_kurtosis(values, axis=None))
    assert math.isnan(kurtosis(np.ones((2, 3))))
    assert math.isnan(kurtosis(np.zeros((2, 0))))


def test_kinds_of_terms():
    found = explained(effective=0.8, filtered=0.5, similar=-1.0)
    best = {t: max(w.weight for w in found.words if w.term == t) for t in found.terms}
    low, high = min(best.values()), max(best.values())
    way = {term: (value - low) / (high - low) for term, value in best.items()}
    assert set(found.effective_terms) == {t for t in way if way[t] >= 0.8}
    assert set(found.filtered_terms) == {t for t in way if way[t] <= 0.5}
    assert [best[t] for t in found.effective_terms] == sorted(
        (best[t] for t in found.effective_terms), reverse=True
    )
    cosine = dict(zip(found.document_terms, found.similarities, strict=True))
    assert [cosine["piano"], cosine["keys"]] == pytest.approx([1, 1], abs=1e-5)
    assert set(explained(similar=0.99, filtered=0.79, effective=0.8).filtered_terms) <= {"piano", "keys"}


def test_snippets():
    found = explained(snippet_words=4)
    for snippet in found.snippets.values():
        assert snippet.text == found.document[snippet.start : snippet.end]
        assert len(snippet.text.split()) == 4
    assert found.snippets["vanilla"].text.count("keys") == 3
    whole = explained(snippet_words=50).snippets
    assert {snippet.text for snippet in whole.values()} == {found.document}


def test_the_words_are_those_of_the_ranker():
    stemming = ix.Analyzer(stem="english")
    model = MatchPyramid(lexicon(analyzer=stemming), SETTINGS["default"])
    found = GradCAM(analyzer=ix.Analyzer(ngrams=2)).explain(ix.rank(model, QUERY, TEXTS), "1")
    assert found.analyzer == stemming
    assert "key" in found.terms
    assert [found.document[w.start : w.end] for w in found.words][:3] == ["Laptop", "typing", "keys"]


def test_through_json_and_back():
    found = explained()
    again = GradCAMExplanation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert repr(again) == repr(found)
    np.testing.assert_array_equal(again.map, found.map)
    assert again.snippets == found.snippets
    with pytest.raises(ix.InputError, match="not a GradCAMExplanation"):
        GradCAMExplanation.from_dict(found.to_dict() | {"format": "intentx.document/1"})


@pytest.mark.parametrize("doc", ["2", "3"])
def test_a_document_without_terms(doc):
    found = explained(doc=ix.rank(ranker(), QUERY, TEXTS).doc_ids.index(doc))
    assert found.terms == found.effective_terms == found.filtered_terms == ()
    assert found.map.shape == (4, 0)
    assert GradCAMExplanation.from_json(found.to_json()).map.shape == (4, 0)


def test_one_word_and_a_whole_ranking():
    ranking = ix.rank(ranker(), QUERY, TEXTS)
    [term] = GradCAM().explain(ranking, "5").terms
    assert term == "desk"
    assert GradCAM(simple_rankers=[ix.TextMatching()]).explain(ranking).terms


def test_the_model_is_a_guest():
    model = ranker()
    model.module.train()
    state = torch.random.get_rng_state()
    GradCAM().explain(ix.rank(model, QUERY, TEXTS), 0)
    assert model.module.training
    assert all(p.grad is None and p.requires_grad for p in model.module.parameters())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_other_rankers_have_no_maps():
    for scorer, name in ((KNRM(lexicon()), "KNRM"), (lambda q, t: [len(x) for x in t], "<lambda>")):
        with pytest.raises(ix.InputError, match=f"{name} has none; DeepLIFT"):
            GradCAM().explain(ix.rank(scorer, QUERY, TEXTS), 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effective": 0.1, "filtered": 0.2}, "filtered < effective"),
        ({"effective": 1.5}, "filtered < effective"),
        ({"similar": 2}, "a cosine"),
        ({"snippet_words": 0}, "1 or more"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ix.InputError, match=message):
        GradCAM(**settings)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=6),
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
)
def test_the_effect_against_a_count(first, second):
    found = contrast([*map(float, first), math.nan], [*map(float, second)])
    wins = sum(a > b for a in first for b in second) + 0.5 * sum(a == b for a in first for b in second)
    assert found.u == wins
    assert found.effect == pytest.approx(wins / len(first) / len(second))
    assert (found.sizes, found.left_out) == ((len(first), len(second)), 1)
    assert found.medians == (np.median(first), np.median(second))


def test_the_test_is_one_sided():
    high, low = [5.0, 6, 7, 8, 9, 10], [0.0, 1, 2, 3, 4]
    assert contrast(high, low).p == pytest.approx(1 / math.comb(11, 5))
    assert contrast(low, high).p == 1
    with pytest.raises(ix.InputError, match="one number or more"):
        contrast([1.0], [math.nan])
