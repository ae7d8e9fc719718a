"""Effects of terms on rankers of which it is known what they look for, and on those that fail."""

import json
import math
import re
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.datasets import load_demo
from intentx.explainers.ranking.effects import effects
from intentx.explainers.ranking.stability import stability_of
from intentx.rankers import BM25
from tests.explainers.ranking.weighed_words import (
    ASKED,
    FOUND,
    TEA,
    WORDS,
    asked,
    kinds,
    likes_green,
    luck,
    plain,
    weighing,
)
from tests.toys import Counting, random_documents, ranked


def test_a_ranker_that_adds_up_is_read_exactly():
    found = asked(likes_green)
    assert list(found) == ASKED
    assert kinds(found) == dict(zip(ASKED, ["wanted", "unwanted", *["no effect"] * 2], strict=True))
    for term, effect in zip(ASKED, [3, -1, 0, 0], strict=True):
        assert found[term].effect == pytest.approx(effect)
        assert found[term].low <= effect + 1e-9
        assert found[term].high >= effect - 1e-9
        assert found[term].tested > 50
    assert found["green"].places > 3
    assert found["pot"].places < -1


@pytest.mark.parametrize("terms", [["green"], ["pot"], ["green", "pot"], ["green tea"]])
def test_few_terms_are_told_from_the_length_that_they_add(terms):
    found = asked(likes_green, terms)
    assert list(found) == terms
    truth = {"green": 3, "pot": -1, "green tea": 3}
    for term in terms:
        assert found[term].effect == pytest.approx(truth[term], abs=1e-6)
        assert found[term].kind in FOUND


@settings(max_examples=12)
@given(
    weights=st.lists(st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]), min_size=1, max_size=6),
    seed=st.integers(0, 10**6),
)
def test_planted_words_are_found_with_their_signs(weights, seed):
    """All of them; each is worth a third of the largest at least, and nothing else is in the way.

    Of the other words, one in ten of those found may be wrong by the rate that is promised.
    """
    words = [WORDS[i] for i in np.random.default_rng(seed).permutation(len(WORDS))]
    planted = dict(zip(words, weights, strict=False))
    ranking = ix.rank(weighing(planted), "q", random_documents(seed, 20, WORDS, absent=0.7))
    found = kinds(effects(ranking, WORDS, budget=300, seed=seed))
    for word, weight in planted.items():
        assert found[word] == ("wanted" if weight > 0 else "unwanted")
    assert sum(found[w] in FOUND for w in words[len(weights) :]) <= 2


def test_the_rate_of_false_discoveries():
    """Noise as large as the largest weight: of the words found a tenth at most has no weight."""
    right, wrong, missed = 0, 0, 0
    for seed in range(7):
        planted = dict(zip(WORDS[:5], [2.0, -2.0, 1.5, 3.0, -1.0], strict=True))
        texts = random_documents(seed, 20, WORDS, absent=0.7)
        ranking = ix.rank(weighing(planted, noise=1.0), "q", texts)
        found = effects(ranking, WORDS, budget=250, seed=seed)
        for one in found:
            sign = {"wanted": 1, "unwanted": -1}.get(one.kind, 0)
            truth = np.sign(planted.get(one.term, 0))
            right += sign != 0 and sign == truth
            wrong += sign not in (0, truth)
            missed += sign == 0 != truth
    assert wrong / (right + wrong) <= 0.2  # .1 expected, of 35 or so: standard error .05
    assert right / (right + missed) >= 0.9


def test_intervals_cover_what_a_noisy_ranker_looks_for():
    planted = dict(zip(WORDS[:4], [2.0, -2.0, 1.0, 0.5], strict=True))
    inside = []
    for seed in range(4):
        texts = random_documents(seed, 20, WORDS, absent=0.7)
        ranking = ix.rank(weighing(planted, noise=0.7), "q", texts)
        for one in effects(ranking, WORDS, budget=200, seed=seed):
            inside.append(one.low <= planted.get(one.term, 0.0) <= one.high)
    assert np.mean(inside) >= 0.9


@pytest.mark.parametrize("budget", [2, 4, 20, 80])
def test_a_ranker_of_nothing_wants_nothing(budget):
    """With no effect at all, one discovery in a run is one run in ten, at most."""
    runs = 0
    for seed in range(20):
        ranking = ix.rank(
            lambda query, texts, seed=seed: [luck(text, seed) for text in texts],
            "q",
            random_documents(seed, 20, WORDS, absent=0.7),
        )
        runs += any(kind in FOUND for kind in kinds(effects(ranking, WORDS, budget=budget)).values())
    assert runs <= 5  # .1 of 20 are 2, more than 5 come in 1 of 100


@pytest.mark.parametrize(
    "size",
    [
        len,
        lambda text: -len(text),
        lambda text: len(re.findall(r"\w+", text)),
        lambda text: len(re.findall(r"\w+", text)) ** 0.5,
        lambda text: math.log1p(len(text)),
    ],
    ids=["signs", "minus signs", "words", "root of words", "log of signs"],
)
def test_a_ranker_by_length_wants_hardly_any_term(size):
    found = []
    for seed in range(4):
        texts = random_documents(seed, 20, WORDS, absent=0.7)
        ranking = ix.rank(lambda query, texts: [float(size(t)) for t in texts], "q", texts)
        found += kinds(effects(ranking, WORDS, budget=150, seed=seed)).values()
    assert sum(kind in FOUND for kind in found) / len(found) <= 0.1


def test_without_terms_those_with_an_effect_come_first():
    found = effects(ix.rank(likes_green, "tea", TEA))
    assert {one.term for one in found} == {"green", "black", "cold", "leaf", "pot", "cup", "tea"}
    assert [one.term for one in found[:2]] == ["green", "pot"]
    assert {one.kind for one in found[2:]} == {"no effect"}


def test_terms_come_back_in_their_order_each_once():
    found = effects(ix.rank(likes_green, "tea", TEA), ["pot", "absent", "green", "pot"])
    assert [one.term for one in found] == ["pot", "absent", "green"]


def test_terms_of_the_rankers_analyzer():
    texts = [d.content for d in load_demo("keyboard reviews").documents]
    ranking = ix.rank(BM25(texts), "keyboard reviews", texts)
    found = effects(ranking, budget=200)
    assert {one.term for one in found if one.kind == "wanted"} == {"keyboard", "review"}
    words = effects(ranking, budget=200, analyzer=ix.Analyzer())
    assert {"keyboard", "reviews"} <= {one.term for one in words if one.kind == "wanted"}


@pytest.mark.parametrize("terms", [ASKED, None])
def test_recorded_rankings_and_no_budget(terms):
    for ranking, budget in ((ranked(TEA), 400), (ix.rank(likes_green, "tea", TEA), 0)):
        found = effects(ranking, terms, budget=budget)
        assert {one.kind for one in found} == {"not asked"}
        assert all(math.isnan(one.effect) and one.tested == 0 for one in found)
        assert {one.verb for one in found} == {"goes along"}
        assert {one.cells() for one in found} == {("goes along", "")}


@pytest.mark.parametrize("budget", [1, 2, 3, 7, 50])
def test_no_more_texts_than_the_budget_and_each_one_once(budget):
    scorer = Counting(likes_green)
    ranking = ix.rank(scorer, "tea", TEA)
    scorer.calls.clear()
    found = effects(ranking, ASKED, budget=budget)
    assert 0 < len(scorer.texts) <= budget
    assert len(set(scorer.texts)) == len(scorer.texts)
    assert not set(scorer.texts) & set(TEA)
    assert all(one.tested <= budget for one in found)
    if budget < 3:
        assert {one.kind for one in found} == {"not asked"}  # one or two tell nothing
    json.dumps([one.to_dict() for one in found], allow_nan=False)


class Clocked(Counting):
    """As long as nobody waits for it, time stands still; each call takes a second."""

    def __init__(self, monkeypatch):
        super().__init__(likes_green)
        self.now = 0.0
        monkeypatch.setattr("intentx.explainers.ranking.effects.time.perf_counter", lambda: self.now)

    def __call__(self, query, texts):
        self.now += 1.0
        return super().__call__(query, texts)


@pytest.mark.parametrize(("seconds", "calls"), [(0.5, 1), (1.0, 1), (2.5, 3), (99, 7)])
@pytest.mark.parametrize("budget", [None, 450])
def test_seconds(monkeypatch, seconds, calls, budget):
    scorer = Clocked(monkeypatch)
    texts = random_documents(0, 30, [*WORDS, "green", "pot"], absent=0.7)
    ranking = ix.rank(scorer, "tea", texts)
    scorer.calls.clear()
    if budget is None and calls == 7:
        return  # as long as it may look, it looks: ten thousand texts
    found = effects(ranking, ["green", "pot", *WORDS], budget=budget, seconds=seconds)
    assert len(scorer.calls) == calls
    assert len(scorer.texts) <= 100 * calls
    assert len(scorer.texts) <= (budget or 10**4)
    if calls > 1:
        assert found[0].kind == "wanted"


def test_a_wanted_stability_ends_the_asking():
    texts = random_documents(0, 30, [*WORDS, "green", "pot", "lamp"], absent=0.7)
    scorer = Counting(weighing({"green": 3.0, "pot": -2.0, "lamp": 1.0}))
    ranking = ix.rank(scorer, "tea", texts)
    asked = ["green", "pot", "lamp", *WORDS]
    scorer.texts.clear()
    found = effects(ranking, asked, budget=3000, stability=0.9)
    few = len(scorer.texts)
    assert few < 1000
    assert stability_of(found) >= 0.9
    assert {one.term for one in found[:3]} == {"green", "pot", "lamp"}
    scorer.texts.clear()
    assert plain(effects(ranking, asked, budget=few, stability=0.9)) == plain(found)
    noisy = ix.rank(weighing({}, noise=1.0), "tea", texts)
    assert math.isnan(stability_of(effects(noisy, asked, budget=250, stability=0.9)))
    for value in (0, 1.5, math.nan, "x", True):
        with pytest.raises(ix.InputError, match="stability must be a number above 0, at most 1"):
            effects(ranking, asked, stability=value)


def test_multiplex_says_how_sure_the_largest_effects_are():
    texts = random_documents(0, 30, [*WORDS, "green", "pot", "lamp"], absent=0.7)
    ranking = ix.rank(weighing({"green": 3.0, "pot": 2.0, "lamp": 1.0}), "tea", texts)
    more = {"simple_rankers": "text", "candidates": 30, "budget": 3000}
    found = ix.Multiplex(stability=0.9, **more).explain(ranking)
    [note] = [one for one in found.notes if "stability of the three terms" in one]
    assert note.endswith("%, as wanted")
    assert int(note.split()[0].replace(",", "")) < 1000
    assert found.model_calls < 1000
    timed = ix.Multiplex(seconds=1e-9, **more).explain(ranking)
    assert any("edited documents were asked about" in one for one in timed.notes)


def test_the_same_seed_the_same_effects():
    ranking = ix.rank(likes_green, "tea", TEA)
    first = plain(effects(ranking, ASKED, seed=3))
    np.random.seed(9)  # noqa: NPY002
    assert plain(effects(ix.rank(likes_green, "tea", TEA), ASKED, seed=3)) == first
    assert plain(effects(ranking, ASKED, seed=4)) != first


@pytest.mark.parametrize("seed", [4, 7])
def test_of_two_terms_alike_that_of_the_query_needs_less_evidence(seed):
    texts = random_documents(5, 40, WORDS, absent=0.6)
    kinds = {}
    for query in ("piano", "keyboard"):
        ranking = ix.rank(weighing({"piano": 0.6}, noise=1.0), query, texts)
        of_piano = effects(ranking, WORDS, budget=60, seed=seed)[WORDS.index("piano")]
        kinds[query] = of_piano.kind
    assert kinds == {"piano": "wanted", "keyboard": "no effect"}


def test_few_versions_of_few_documents_have_errors_of_a_size():
    """Chosen terms explain the covariates wholly there: what rounding leaves of these is no weight."""
    docs = [
        "The grey heron stands still in shallow water and waits for fish. It hunts at dawn and dusk.",
        "A kayak for shallow rivers: light, quiet, and quick to turn. Anglers fish from it at dawn.",
        "The city council voted on a new parking tax for visitors.",
        "Carp are bottom feeding fish; birds such as herons and cormorants eat the young ones.",
        "Egrets, white relatives of herons, wade along the shore. They stab small fish with their bill.",
        "Chess openings for beginners: control the centre, develop your pieces, castle early.",
    ]

    def score(query, texts):
        noise = [zlib.crc32(text.encode()) / 2**32 for text in texts]
        return [2.0 * ("fish" in text) + more for text, more in zip(texts, noise, strict=True)]

    ranking = ix.rank(score, "birds that hunt", docs)
    for budget in (20, 40, 60):
        found = ix.Multiplex(budget=budget).explain(ranking).effects
        assert found
        assert max(one.high - one.low for one in found) < 100, budget
        assert {one.term for one in found if one.kind == "wanted"} <= {"fish"}
