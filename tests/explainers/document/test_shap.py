"""KernelSHAP against Shapley's own definition, on games with every interaction there can be."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers.document.shap import KernelSHAP, shapley_values
from intentx.perturbation import remove_terms
from tests.explainers.document.linear import (
    ANALYZER,
    Linear,
    LinearInLists,
    chaotic,
    found_rightly,
    frequencies,
    planted,
    weights_of,
)

DOCS = [
    "A stage piano with cable, the piano!",
    "Desk and oak chair.",
    "Piano stool in oak, lamp of brass",
    "Cable; desk. Cable?",
]


def by_orders(values, players):
    """What each player adds on arrival, averaged over all orders of arrival."""
    total = np.zeros(players)
    for order in itertools.permutations(range(players)):
        there = 0
        for player in order:
            total[player] += values[there | 1 << player] - values[there]
            there |= 1 << player
    return total / math.factorial(players)


def games(most=5):
    number = st.floats(-100, 100)
    return st.integers(1, most).flatmap(lambda n: st.lists(number, min_size=2**n, max_size=2**n))


@given(game=games())
def test_shapley_values_by_all_orders_of_arrival(game):
    values = np.array(game)
    players = len(values).bit_length() - 1
    found = shapley_values(values)
    np.testing.assert_allclose(found, by_orders(values, players), atol=1e-9)
    assert found.sum() == pytest.approx(values[-1] - values[0], abs=1e-9)


@given(game=games(4))
def test_a_player_who_adds_nothing_gets_nothing(game):
    values = np.repeat(game, 2)  # the first of the players never makes a difference
    found = shapley_values(values)
    assert found[0] == 0
    np.testing.assert_allclose(found[1:], shapley_values(np.array(game)), atol=1e-9)


@pytest.mark.parametrize("doc", ["0", "2"])
def test_a_document_by_all_orders_of_its_words(doc):
    ranking = ix.rank(chaotic, "tea", DOCS)
    found = KernelSHAP().explain(ranking, doc)
    terms = ANALYZER.terms(found.document)
    values = []
    for number in range(2 ** len(terms)):
        gone = [term for place, term in enumerate(terms) if not number >> place & 1]
        values += chaotic("tea", [remove_terms(found.document, gone, ANALYZER)])
    expected = by_orders(values, len(terms))
    assert weights_of(found) == pytest.approx(dict(zip(terms, expected, strict=True)), abs=1e-12)
    assert found.metrics["empty"] == values[0]
    assert found.metrics["score"] == values[-1]
    assert found.metrics["exact"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_sum_over_words_is_found_to_the_last_digits(seed):
    weights, texts = planted(seed)
    ranking = ix.rank(Linear(weights, constant=-3.0), "tea", texts)
    short = " ".join(ANALYZER.terms(texts[0])[:9]) + " " + texts[0][:30]
    brief = ix.rank(Linear(weights, constant=-3.0), "tea", [short, *texts[1:]])
    for where, exact in ((ranking, 0.0), (brief, 1.0)):
        found = KernelSHAP(seed=seed, samples=1000 if not exact else 600).explain(where, "0")
        often = frequencies(found.document)
        truth = {term: weights.get(term, 0.0) * often[term] for term in found.terms}
        assert weights_of(found) == pytest.approx(truth, abs=1e-6)
        assert found.metrics["exact"] == exact
        assert found.metrics["fit"] == pytest.approx(1.0)
        assert found.metrics["empty"] == -3.0
    assert found_rightly(KernelSHAP().explain(ranking, "0"), weights) == 1


@given(
    size=st.integers(1, 16),
    samples=st.integers(4, 200),
    exact_up_to=st.integers(0, 6),
    seed=st.integers(0, 99),
    constant=st.sampled_from([0.0, 1e3]),
)
def test_weights_always_add_up(size, samples, exact_up_to, seed, constant):
    text = " ".join(f"word{i}" for i in range(size))

    def scorer(query, texts):
        return [value + constant for value in chaotic(f"{query}{seed}", texts)]

    ranking = ix.rank(scorer, "tea", [text, "desk"])
    found = KernelSHAP(samples=samples, exact_up_to=exact_up_to, seed=seed).explain(ranking, "0")
    gap = found.metrics["score"] - found.metrics["empty"]
    assert math.fsum(found.weights) == pytest.approx(gap, abs=1e-9)
    most = max(samples, 2**exact_up_to if size <= exact_up_to else 0)
    assert found.model_calls <= most


def test_more_samples_come_closer_to_the_exact_values():
    names = [f"word{i}" for i in range(12)]

    def scorer(query, texts):
        rows = [[name in text.split() for name in names] for text in texts]
        kept = np.array(rows, dtype=float)
        return (
            kept @ np.linspace(-1, 1, 12)
            + 2 * kept[:, 0] * kept[:, 5]
            - kept[:, 1] * kept[:, 7:].max(axis=1)
        )

    ranking = ix.rank(scorer, "tea", [" ".join(names), "desk"])
    exact = KernelSHAP(exact_up_to=12).explain(ranking, "0")
    errors = []
    for samples in (60, 400):
        some = [KernelSHAP(samples=samples, seed=s).explain(ranking, "0") for s in range(2)]
        assert not any(one.metrics["exact"] for one in some)
        errors.append(
            np.mean([abs(weights_of(one)[t] - weights_of(exact)[t]) for one in some for t in names])
        )
    assert errors[1] < errors[0] / 3
    assert errors[1] < 0.002  # least squares from 1,200 versions: .02


def test_few_samples_for_many_words_are_mentioned():
    weights, texts = planted(0)
    ranking = ix.rank(Linear(weights), "tea", texts)
    few = KernelSHAP(samples=20).explain(ranking, "0")
    assert "20 samples are few for 25 words" in few.notes[0]
    assert not KernelSHAP(samples=400).explain(ranking, "0").notes


@pytest.mark.parametrize("samples", [4, 40, 1000])
@pytest.mark.parametrize("scorer", [chaotic, Linear({"piano": 2.0, "cable": -1.0})])
def test_the_other_way_round_every_weight_has_the_other_sign(samples, scorer):
    ranking = ix.rank(scorer, "tea", DOCS)
    for one, two in [*itertools.combinations(range(len(DOCS)), 2)][::2]:
        method = KernelSHAP(samples=samples, exact_up_to=3)
        there = method.explain(ranking, one, above=two)
        back = method.explain(ranking, two, above=one)  # below it in the ranking
        assert weights_of(there) == {term: -weight for term, weight in weights_of(back).items()}
        assert there.terms == back.terms
        assert there.metrics["fit"] == back.metrics["fit"]


def test_why_one_is_above_another_adds_up_to_what_lies_between_them():
    ranking = ix.rank(chaotic, "tea", DOCS)
    a, b = "0", "2"
    pair = KernelSHAP(exact_up_to=12).explain(ranking, a, above=b)
    alone = [KernelSHAP().explain(ranking, doc) for doc in (a, b)]
    scores = [one.metrics["score"] - one.metrics["empty"] for one in alone]
    assert math.fsum(pair.weights) == pytest.approx(scores[0] - scores[1], abs=1e-12)
    assert pair.metrics["empty"] == pytest.approx(
        alone[0].metrics["empty"] - alone[1].metrics["empty"], abs=1e-12
    )
    assert pair.above == ranking.position(b)
    # The game is a difference, and so are its Shapley values: a word of both gets what it does in
    # the one less what it does in the other.
    difference = weights_of(alone[0])
    for term, weight in weights_of(alone[1]).items():
        difference[term] = difference.get(term, 0.0) - weight
    assert weights_of(pair) == pytest.approx(difference, abs=1e-12)


def test_words_of_a_pair_are_those_of_the_document():
    ranking = ix.rank(Linear({"piano": 2.0, "oak": 1.0, "brass": -0.5}), "tea", DOCS)
    pair = KernelSHAP().explain(ranking, "0", above="2")
    assert set(pair.terms) == {*ANALYZER.terms(DOCS[0]), *ANALYZER.terms(DOCS[2])}
    assert {word.term for word in pair.words} == set(ANALYZER.terms(DOCS[0]))
    assert weights_of(pair)["piano"] == pytest.approx(2.0)  # two times here, once there
    assert weights_of(pair)["oak"] == pytest.approx(-1.0)
    assert weights_of(pair)["brass"] == pytest.approx(0.5)
    assert all(pair.document[w.start : w.end].lower() == w.term for w in pair.words)
    again = type(pair).from_json(pair.to_json())
    assert (again.above, again.words) == (pair.above, pair.words)


def test_documents_of_the_same_words_differ_in_nothing():
    ranking = ix.rank(Linear({"piano": 2.0}), "tea", ["piano stool", "stool, piano", "desk"])
    pair = KernelSHAP().explain(ranking, "0", above="1")
    assert pair.weights == (0.0, 0.0)
    assert "all versions have the same score" in pair.notes[0]


def test_a_listwise_ranker_gets_whole_lists():
    lengths = []

    class Listening(LinearInLists):
        def __call__(self, query, texts):
            lengths.append(len(texts))
            return super().__call__(query, texts)

    ranking = ix.rank(Listening({"piano": 2.0, "oak": 1.0}), "tea", DOCS)
    lengths.clear()
    found = KernelSHAP().explain(ranking, "0")
    assert set(lengths) == {len(DOCS)}
    # A quarter of what a word adds goes to the mean of four, and off the others' scores as well.
    assert weights_of(found)["piano"] == pytest.approx(2 * 2)
    pair = KernelSHAP().explain(ranking, "0", above="2")
    assert math.fsum(pair.weights) == pytest.approx(
        pair.metrics["score"] - pair.metrics["other_score"] - pair.metrics["empty"]
    )


def test_signs_stay_when_all_words_go():
    texts = []

    def scorer(query, some):
        texts.extend(some)
        return [len(text) for text in some]

    found = KernelSHAP().explain(ix.rank(scorer, "tea", DOCS), "1")
    assert "." in texts
    assert found.metrics["empty"] == found.rest == len(".")


def test_words_can_be_masked_instead():
    scorer = Linear({"piano": 2.0, "mask": 0.5})
    scorer.mask_token = "[MASK]"  # noqa: S105
    found = KernelSHAP(removal="mask").explain(ix.rank(scorer, "tea", DOCS), "0")
    assert weights_of(found)["piano"] == pytest.approx(2 * (2 - 0.5))
    assert weights_of(found)["stage"] == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 3}, "samples must be a whole number, 4 or more, not 3"),
        ({"exact_up_to": 21}, "exact_up_to must be a whole number from 0 to 20, not 21"),
        ({"exact_up_to": -1}, "exact_up_to"),
        ({"removal": "burn"}, "removal must be one of .* not 'burn'"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ix.InputError, match=message):
        KernelSHAP(**settings)


def test_a_pair_needs_two():
    ranking = ix.rank(chaotic, "tea", DOCS)
    with pytest.raises(ix.InputError, match="cannot be above itself"):
        KernelSHAP().explain(ranking, "0", above="0")
    with pytest.raises(ix.InputError, match="give doc, too"):
        KernelSHAP().explain(ranking, above="0")
    with pytest.raises(ix.InputError, match="no document 'x'"):
        KernelSHAP().explain(ranking, "0", above="x")
