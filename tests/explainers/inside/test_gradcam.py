import itertools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis as scipy_kurtosis

import intentx as ix
from intentx.evaluation.contrast import contrast
from intentx.explainers.inside.gradcam import (
    GradCAM,
    GradCAMExplanation,
    best_window,
    class_activation,
    kurtosis,
)
from intentx.rankers import KNRM, MatchPyramid, MatchPyramidSettings
from tests.rankers.interaction_toys import QUERY, TEXTS, cosine, lexicon

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
    assert seen.score == pytest.approx(found.metrics["score"], rel=1e-5)
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


@pytest.mark.parametrize("shape", [(7, 5), (2, 11), (6, 9)])
def test_widening_against_loops(shape):
    """Bilinear between the middles of cells; beyond the outermost middles nothing changes."""
    generator = np.random.default_rng(1)
    maps, gradients = generator.normal(size=(2, 3, 3, 4))
    small = [
        [max(0.0, sum(gradients[k].mean() * maps[k, i, j] for k in range(3))) for j in range(4)]
        for i in range(3)
    ]

    def between(place, wide, narrow):
        """The two neighbours of a cell's middle, and how near the second is."""
        at = min(max((place + 0.5) * narrow / wide - 0.5, 0), narrow - 1)
        return int(at), min(int(at) + 1, narrow - 1), at - int(at)

    found = class_activation(maps, gradients, shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            up, down, y = between(i, shape[0], 3)
            left, right, x = between(j, shape[1], 4)
            above = (1 - x) * small[up][left] + x * small[up][right]
            below = (1 - x) * small[down][left] + x * small[down][right]
            assert found[i, j] == pytest.approx((1 - y) * above + y * below)


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


def test_similarities_and_flattened_matrices():
    found = explained("two layers")
    known = lexicon()
    for j, word in enumerate(found.words):
        assert found.flattened[j] == pytest.approx(sum(found.interaction[i, j] for i in range(4)))
        nearest = max(cosine(known, term, word.term) for term in found.query_terms)
        assert found.similarities[j] == pytest.approx(nearest, abs=1e-5)
    assert found.to_dict()["flattened"] == found.flattened.tolist()
    assert found.kurtosis == found.metrics["kurtosis"] == pytest.approx(kurtosis(found.map))


def test_equal_contributions_are_high_and_none_is_low():
    method = GradCAM(similar=-1)
    equal, alike = np.array([0.5, 0.5, 0.5]), np.ones(3)
    assert method._kinds(["tea", "boat", "tea"], equal, alike) == (("tea", "boat"), ())
    assert method._kinds(["tea", "boat", "tea"], 0 * equal, alike) == ((), ())


def brute_snippet(found, size, with_map):
    """The first window of the most matches (and contributions), word by word as a human counts."""
    words = [(m.start(), m.end()) for m in re.finditer(r"\w+", found.document)]
    largest = max(word.weight for word in found.words)
    best, where = -1.0, None
    for first in range(max(1, len(words) - size + 1)):
        window = words[first : first + size]
        total = 0.0
        for word in found.words:
            if (word.start, word.end) in window:
                total += word.term in found.query_terms
                total += with_map * word.weight / largest
        if total > best + 1e-9:
            best, where = total, (window[0][0], window[-1][1])
    return where


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("size", [1, 3, 20])
def test_snippets_against_every_window(settings, size):
    long = "The keys of my desk, and no laptop; typing on piano keys is a sound of the stool. " * 3
    ranking = ix.rank(ranker(settings, seed=3), QUERY, {"long": long + "Zeppelin!", "short": "desk"})
    found = GradCAM(snippet_words=size).explain(ranking, "long")
    for name, with_map in (("vanilla", False), ("gradcam", True)):
        assert found.snippets[name][:2] == brute_snippet(found, size, with_map)


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
    assert found.settings["analyzer"] == stemming.to_dict()


def test_the_intent_of_a_ranking_is_read_as_the_ranker_reads():
    """Simple rankers that do not stem would find no stem in any document."""
    stemming = ix.Analyzer(stem="english")
    model = MatchPyramid(lexicon(analyzer=stemming), SETTINGS["default"])
    docs = ["pianos and keys", "keys keys keys", "typing, typing", "a laptop's desks", "sound"]
    found = GradCAM(simple_rankers=[ix.TextMatching()]).explain(ix.rank(model, QUERY, docs))
    assert found.analyzer == stemming
    assert "type" in found.terms
    assert all(any(term in stemming.terms(doc) for doc in docs) for term in found.terms)


def test_through_json_and_back():
    found = explained()
    again = GradCAMExplanation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert repr(again) == repr(found)
    np.testing.assert_array_equal(again.map, found.map)
    assert again.snippets == found.snippets
    with pytest.raises(ix.InputError, match="no GradCAMExplanation"):
        GradCAMExplanation.from_dict(found.to_dict() | {"format": "intentx.document/2"})


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


def test_one_word_of_one_query_term_has_a_map_of_one_cell():
    model = ranker("indicator", seed=5)
    found = GradCAM().explain(ix.rank(model, "desk", ["desk", "piano"]), "0")
    assert found.map.shape == (1, 1)
    assert math.isnan(found.kurtosis)
    assert found.to_dict()["metrics"]["kurtosis"] is None
    assert math.isnan(GradCAMExplanation.from_json(found.to_json()).kurtosis)


def test_a_map_of_zeros_is_said():
    model = ranker()
    with torch.no_grad():
        model.module.dense[-1].weight.zero_()
    found = GradCAM().explain(ix.rank(model, QUERY, TEXTS), "1")
    assert set(found.weights) == {0.0}
    assert found.effective_terms == found.filtered_terms == ()
    assert any("zero everywhere" in note for note in found.notes)
    assert found.snippets["gradcam"] == found.snippets["vanilla"]


def test_the_model_is_a_guest():
    model = ranker()
    model.module.train()
    state = torch.random.get_rng_state()
    GradCAM().explain(ix.rank(model, QUERY, TEXTS), 0)
    assert model.module.training
    assert all(p.grad is None and p.requires_grad for p in model.module.parameters())
    assert torch.equal(torch.random.get_rng_state(), state)
    seen = []
    handle = model.module.convolutions.register_forward_hook(lambda *a: seen.append(a))
    with torch.no_grad():
        inside = GradCAM().explain(ix.rank(model, QUERY, TEXTS), 0)
        assert not torch.is_grad_enabled()
    assert inside.model_calls == 1
    assert seen
    assert list(model.module.convolutions._forward_hooks) == [handle.id]


def test_other_rankers_have_no_maps():
    for scorer, name in ((KNRM(lexicon()), "KNRM"), (lambda q, t: [len(x) for x in t], "<lambda>")):
        with pytest.raises(ix.InputError, match=f"{name} has none; DeepLIFT"):
            GradCAM().explain(ix.rank(scorer, QUERY, TEXTS), 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effective": 0.1, "filtered": 0.2}, "filtered < effective"),
        ({"effective": 1.5}, "effective must be a number from 0 to 1, not 1.5"),
        ({"similar": 2}, "similar must be a number from -1 to 1, not 2"),
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


def test_the_probability_against_all_ways_to_deal_the_values():
    first, second = [2.5, 7.0, 8.0, 3.0], [1.0, 2.0, 6.0]
    both = first + second

    def wins(chosen):
        others = [v for place, v in enumerate(both) if place not in chosen]
        return sum(both[place] > other for place in chosen for other in others)

    dealt = list(itertools.combinations(range(7), 4))
    as_large = [ways for ways in dealt if wins(ways) >= wins((0, 1, 2, 3))]
    assert contrast(first, second).p == pytest.approx(len(as_large) / len(dealt))


def test_the_test_is_one_sided():
    high, low = [5.0, 6, 7, 8, 9, 10], [0.0, 1, 2, 3, 4]
    assert contrast(high, low).p == pytest.approx(1 / math.comb(11, 5))
    assert contrast(low, high).p == 1
    with pytest.raises(ix.InputError, match="one number or more"):
        contrast([1.0], [math.nan])
