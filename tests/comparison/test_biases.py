"""Biases: what was planted is found, and nothing else; the fast counts are the slow ones."""

from __future__ import annotations

import cProfile
import dataclasses
import math
import pstats

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx import Analyzer, TextMatching
from intentx.comparison.biases import MIN_QUERIES, RankerBiases, find_biases
from intentx.comparison.disagreements import PROPERTIES, Evidence, Query
from intentx.errors import InputError
from intentx.evaluation.statistics import EXACT_OF_MANY, sign_flips
from intentx.text import TextIndex

WORDS = np.array([f"w{i}x" for i in range(300)])
ZIPF = 1 / np.arange(1, len(WORDS) + 1)
ZIPF /= ZIPF.sum()


def world(seed=0, queries=20, documents=40, cheap=0.0, long=0.0, noise=0.0):
    """A ranker of query matches, and a twin that also pays for "cheap" or for length."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(queries):
        wanted = [f"q{number}a", f"q{number}b"]
        texts, holds, lengths, matches = [], [], [], []
        for _ in range(documents):
            size = int(generator.integers(8, 60))
            words = generator.choice(WORDS, size, p=ZIPF).tolist()
            if generator.random() < 0.3:
                words[generator.integers(size)] = "cheap"
            for term in wanted:
                for _ in range(generator.poisson(1.0)):
                    words[generator.integers(size)] = term
            texts.append(" ".join(words))
            holds.append("cheap" in words)
            lengths.append(size)
            matches.append(sum(map(words.count, wanted)))
        plain = np.array(matches) / np.sqrt(lengths) + 0.2 * generator.normal(size=documents)
        own = noise * generator.normal(size=(2, documents))
        twin = plain + cheap * np.array(holds) + long * np.array(lengths)
        scores = {"plain": plain + own[0], "twin": twin + own[1]}
        found.append(Evidence(str(number), " ".join(wanted), texts, scores))
    return found


def of_twin(evidence, **options):
    return find_biases(evidence, ["twin", "plain"], **options)[0]


# All patterns of signs, and a draw of them.
@pytest.mark.parametrize(("seed", "queries"), [(0, 14), (1, 20)])
def test_a_bonus_for_a_word_is_found_and_nothing_else(seed, queries):
    found = of_twin(world(seed, queries, cheap=0.5))
    assert [(bias.name, bias.net, bias.queries) for bias in found.held] == [("cheap", 1.0, queries)]
    by_chance = [bias for bias in found.terms if bias.stands_out and not bias.holds]
    assert len(by_chance) <= 1  # one in twenty of those that stand out


@pytest.mark.parametrize(("seed", "noise"), [(0, 0.0), (1, 0.15)])
def test_a_bonus_for_length_is_found_and_no_word_is_blamed_for_it(seed, noise):
    found = of_twin(world(seed, long=0.02, noise=noise))
    assert [bias.name for bias in found.held] == ["length"]
    assert found.held[0].net > 0.75
    # Frequent words do stand out by themselves, since long documents hold more of them.
    assert any(bias.stands_out for bias in found.terms)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_biases_are_told_apart(seed):
    found = of_twin(world(seed, cheap=0.5, long=0.02))
    assert {bias.name for bias in found.held} == {"cheap", "length"}
    assert all(bias.net > 0 and bias.beyond > 0 for bias in found.held)


def test_rankers_that_differ_by_chance_have_no_bias():
    alarms = [len(of_twin(world(seed, queries=15, noise=0.3)).held) for seed in range(5)]
    assert sum(map(bool, alarms)) <= 1  # one in twenty is what the level allows


def test_the_other_of_two_is_the_mirror_and_three_share_out():
    evidence = world(cheap=0.5, noise=0.1)
    twin, plain = find_biases(evidence, ["twin", "plain"])
    turned = find_biases(evidence, ["plain", "twin"])[0]
    for one, other in ((twin, plain), (plain, turned)):
        assert {b.name for b in one.held} == {b.name for b in other.held}
    assert plain.held[0].net == pytest.approx(-twin.held[0].net)
    assert (plain.held[0].more, plain.held[0].less) == (twin.held[0].less, twin.held[0].more)
    assert turned.held[0].net == pytest.approx(plain.held[0].net)

    for one in evidence:
        one.scores["copy"] = one.scores["plain"]
    three = {one.ranker: one for one in find_biases(evidence, ["twin", "plain", "copy"])}
    assert [b.name for b in three["twin"].held][:1] == ["cheap"]
    assert three["twin"].pairs == 2 * twin.pairs
    assert three["twin"].held[0].net == pytest.approx(twin.held[0].net)
    assert three["copy"].held[0].net == pytest.approx(-twin.held[0].net)  # it contradicts the twin only


def test_counts_are_those_of_a_loop():
    evidence = world(3, queries=1, documents=13, cheap=0.3, noise=0.2)[0]
    query = Query(evidence, Analyzer(), ["twin", "plain"])
    values = TextMatching().term_scores(query.terms, TextIndex(evidence.texts, Analyzer()))
    twin, plain = evidence.scores["twin"], evidence.scores["plain"]
    more, less = np.zeros(len(query.terms)), np.zeros(len(query.terms))
    for i in range(13):
        for j in range(13):
            if twin[i] > twin[j] and plain[i] < plain[j]:
                more += values[:, i] > values[:, j] + 1e-9
                less += values[:, i] < values[:, j] - 1e-9
    counted = query.counted("twin")[:, len(PROPERTIES) :]
    assert more.sum() > 0
    np.testing.assert_array_equal(counted, [more, less])
    np.testing.assert_array_equal(query.counted("plain")[:, len(PROPERTIES) :], [less, more])


def test_properties_are_what_their_names_say():
    texts = ["a tea pot of tea", "pot green milk tea", "boat", "milk tea"]
    query = Query(Evidence("1", "tea pot", texts, {}), Analyzer(), [])
    found = {name: query.levels[:, query.place["property", name]].tolist() for name in PROPERTIES}
    assert found == {
        "length": [2, 3, 0, 1],
        "query terms": [2, 2, 0, 1],
        "query matches": [3, 2, 0, 1],
        "early match": [2, 2, 0, 1],  # the boat matches nowhere
    }


@given(st.integers(2, EXACT_OF_MANY), st.integers(0, 99))
@settings(max_examples=15)
def test_exactsign_flips_are_all_flips(queries, seed):
    queries = min(queries, 9)
    net = np.random.default_rng(seed).normal(size=(queries, 3)).round(1)
    signs = np.array(np.meshgrid(*[[-1, 1]] * queries)).reshape(queries, -1)
    slow = [(np.abs(one @ signs) >= abs(one.sum()) - 1e-9).mean() for one in net.T]
    np.testing.assert_allclose(sign_flips(net, 0), slow)


def test_drawnsign_flips_are_close_to_the_exact_ones():
    net = np.random.default_rng(5).normal(0.2, 1, size=(EXACT_OF_MANY, 4))
    exact = sign_flips(net, 0)
    padded = np.concatenate([net, np.zeros((2, 4))])  # zeros change no sum, but there are more queries
    np.testing.assert_allclose(sign_flips(padded, 0), exact, atol=0.01)


def test_few_queries_are_shown_and_not_tested():
    found = of_twin(world(queries=MIN_QUERIES - 1, cheap=0.5))
    assert "at least 6 are needed" in found.reason
    assert found.tested == 0
    assert found.held == ()
    assert next(bias for bias in found.terms if bias.name == "cheap").net == 1.0
    assert all(math.isnan(bias.p) for bias in (*found.terms, *found.properties))


def test_what_could_not_stand_out_is_not_tested():
    found = of_twin(world(queries=9, cheap=0.5))
    assert found.tested == 0
    assert "no term could stand out" in found.reason
    assert all(math.isnan(bias.p) for bias in found.terms)
    assert not any(math.isnan(bias.p) for bias in found.properties)
    enough = of_twin(world(queries=20, cheap=0.5))
    assert all(bias.queries >= 12 for bias in enough.terms if not math.isnan(bias.p))
    assert 2.0**-11 * enough.tested <= 0.05


def test_rankers_that_agree_have_nothing_to_explain():
    for biases in find_biases(world(queries=7), ["twin", "plain"]):
        assert (biases.pairs, biases.terms) == (0, ())
        assert "no query" in biases.reason


def test_a_ranker_missing_from_some_queries_has_no_part_there():
    evidence = world(queries=12, cheap=0.5)
    for one in evidence[:3]:
        del one.scores["twin"]
    assert of_twin(evidence).queries == 9
    with pytest.raises(InputError, match="two rankers or more, not 1"):
        find_biases(evidence, ["twin"])


def test_the_same_every_time_and_back_from_plain_data():
    found = of_twin(world(cheap=0.5, noise=0.1))
    assert repr(of_twin(world(cheap=0.5, noise=0.1))) == repr(found)
    plain = dataclasses.asdict(found)
    for bias in (*plain["terms"], *plain["properties"]):
        bias["beyond"] = None if math.isnan(bias["beyond"]) else bias["beyond"]
    assert repr(RankerBiases.from_dict(plain)) == repr(found)


@pytest.mark.slow
def test_a_study_of_thirty_queries_takes_few_steps():
    evidence = world(queries=30, documents=60, cheap=0.5, noise=0.2)
    profile = cProfile.Profile()
    found = profile.runcall(of_twin, evidence)
    assert "cheap" in [bias.name for bias in found.held]
    # Calls, not seconds: .6 million. One for each pair and term would make 15 million.
    assert pstats.Stats(profile).total_calls < 1_000_000
