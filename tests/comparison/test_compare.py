"""Comparing rankers: signed terms of planted differences, agreement, and failures that are kept."""

from __future__ import annotations

import dataclasses
import math
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.comparison.compare import compare_rankers
from intentx.comparison.preferred import OTHERS, contrast_terms, disagreement, orders
from intentx.comparison.results import FORMAT, Comparison
from intentx.errors import InputError
from intentx.preferences import preference_pairs
from intentx.preferences.simple_rankers import default_simple_rankers
from intentx.study.data import Topic
from intentx.text import Analyzer, TextIndex
from tests.toys import Failing, Listwise

METHOD = ix.Multiplex(
    simple_rankers=(ix.TextMatching(),), generality=0, candidates=20, pool=0, max_terms=3
)
FILLER = "stone river lamp cloud chair paper green metal window bread".split()


def topic(qid="1", documents=24, seed=0, query="keyboard reviews"):
    """Documents about keyboards, some with piano and some with switches."""
    generator = np.random.default_rng(seed)
    docs = {}
    for number in range(documents):
        words = generator.choice(FILLER, 8).tolist()
        words += ["keyboard"] * int(generator.integers(0, 3))
        words += [["piano"], ["switches"], []][number % 3] * int(generator.integers(1, 3))
        docs[f"d{number}"] = " ".join(generator.permutation(words).tolist())
    return Topic(qid, query, docs, tuple(docs))


class Paying:
    """Pays for keyboards, and more for a word; what it pays for the others is the same for all."""

    def __init__(self, word, price=2.0):
        self.word, self.price = word, price

    def __call__(self, query, texts):
        return [
            text.count("keyboard") + self.price * (self.word in text) + 0.1 * (len(text) % 7)
            for text in texts
        ]


def compared(topics, **rankers):
    return compare_rankers(rankers, topics, method=METHOD)


@pytest.fixture(scope="module")
def two():
    topics = [topic(str(n), seed=n) for n in range(3)]
    return compared(topics, music=Paying("piano"), typing=Paying("switches"))


def test_what_each_wants_and_the_other_does_not(two):
    for query in two.queries:
        one = query.disagreement("music", "typing")
        assert one.for_first.terms[0] == "piano"
        assert one.for_second.terms[0] == "switches"
        assert one.covered > 0.9
        assert one.heldout > 0.8  # on documents that the terms were not chosen on
        assert one.believable
        assert math.isclose(sum(one.for_first.shares), one.for_first.covered, abs_tol=1e-9)
        reverse = query.disagreement("typing", "music")
        assert (reverse.for_first, reverse.for_second) == (one.for_second, one.for_first)
        assert (reverse.pairs, reverse.of) == (one.pairs, one.of)


def test_disagreements_are_those_of_a_loop(two):
    query = two.queries[0]
    scores = [dict(zip(i.doc_ids, i.scores, strict=True)) for i in query.intents.values()]
    differ = both = 0
    for one in query.documents:
        for other in query.documents:
            mine, theirs = (s[one] - s[other] for s in scores)
            both += mine > 0 and theirs != 0
            differ += mine > 0 > theirs
    found = query.disagreement("music", "typing")
    assert (found.pairs, found.of) == (differ, both)


def test_explanations_reproduce_their_own_order_best(two):
    for query in two.queries:
        for name, intent in query.intents.items():
            assert query.cross[name][name] == pytest.approx(intent.all)
            other = next(one for one in query.intents if one != name)
            assert query.cross[name][name] > query.cross[other][name]
    assert two.mean_cross("music", "music") == pytest.approx(
        np.mean([query.intents["music"].all for query in two.queries])
    )


def test_cross_fidelity_is_that_of_the_terms_on_the_other_ranking(two):
    # With one simple ranker, a pair is covered where the terms' scores differ the right way.
    query = two.queries[0]
    terms = query.intents["music"].terms
    index = TextIndex(tuple(query.documents.values()), Analyzer())
    sums = dict(
        zip(query.documents, ix.TextMatching().term_scores(terms, index).sum(axis=0), strict=True)
    )
    theirs = query.intents["typing"]
    ranking = ix.Ranking.from_run(
        dict(zip(theirs.doc_ids, theirs.scores, strict=True)), query.query, query.documents
    )
    right = [
        sums[ranking.doc_ids[i]] > sums[ranking.doc_ids[j]] + 1e-9 for i, j in preference_pairs(ranking)
    ]
    assert query.cross["music"]["typing"] == pytest.approx(np.mean(right))


def test_agreement_of_a_ranker_with_itself_and_with_its_reverse():
    plain = Paying("piano")
    one = compared(
        [topic()], plain=plain, same=Paying("piano"), reverse=lambda q, t: -np.array(plain(q, t))
    ).queries[0]
    metrics = {(a.first, a.second): a for a in one.agreements}
    assert metrics["plain", "same"].tau == pytest.approx(1)
    assert metrics["plain", "same"].rbo == pytest.approx(1)
    assert metrics["plain", "same"].first_ten == 1.0
    assert metrics["plain", "same"].jaccard == 1.0
    assert metrics["plain", "reverse"].rbo < 0.7
    assert metrics["plain", "reverse"].tau == pytest.approx(-1)
    same = one.disagreement("plain", "same")
    assert (same.pairs, same.for_first.terms) == (0, ())
    assert "agree on every pair" in same.reason
    assert not same.believable
    assert one.disagreement("plain", "reverse").pairs == one.disagreement("plain", "reverse").of


def test_nearly_the_same_orders_are_not_explained():
    def nudged(query, texts):
        return [swapped.get(score, score) for score in spread(query, texts)]

    def spread(query, texts):
        small = [1e-3 * zlib.crc32(text.encode()) / 2**32 for text in texts]
        return (np.array(Paying("piano")(query, texts)) + small).tolist()

    made = topic()
    best = sorted(spread(made.query, list(made.docs.values())), reverse=True)
    swapped = {best[3]: best[4], best[4]: best[3]}

    found = compared([made], one=spread, other=nudged).queries[0].disagreement("one", "other")
    assert found.pairs == 1
    assert "nearly agree" in found.reason
    assert math.isnan(found.covered)


def test_a_random_difference_is_not_believed():
    """Terms always fit the pairs they were chosen on; held-out documents tell."""
    fitted, heldout, believed = [], [], 0
    for seed in range(12):
        made = topic(seed=seed, documents=40)
        index = TextIndex(tuple(made.docs.values()), Analyzer())
        terms = contrast_terms(made.query, index, default_simple_rankers())
        one, other = np.random.default_rng(seed).normal(size=(2, 40))
        found = disagreement("one", "other", one, [other], terms)
        fitted.append(found.covered)
        heldout.append(found.heldout)
        believed += found.believable
    assert np.mean(fitted) > 0.6
    assert abs(np.mean(heldout) - 0.5) < 0.06
    assert believed <= 1


def test_one_against_all_others():
    topics = [topic(str(n), seed=n) for n in range(2)]
    found = compared(topics, music=Paying("piano"), typing=Paying("switches"), plain=Paying("nothing"))
    query = found.queries[0]
    assert len(query.disagreements) == 6
    others = query.disagreement("music")
    assert others.second == OTHERS
    assert others.for_first.terms[0] == "piano"
    parts = [query.disagreement("music", name) for name in ("typing", "plain")]
    assert others.pairs == sum(part.pairs for part in parts)
    assert math.isclose(sum(others.for_first.shares), others.for_first.covered, abs_tol=1e-9)
    assert {biases.ranker for biases in found.biases} == {"music", "typing", "plain"}
    with pytest.raises(InputError, match="no comparison"):
        query.disagreement("music", "nobody")


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=7))
def test_orders_are_signs_and_rounding_is_no_preference(values):
    scores = np.array(values, dtype=float)
    found = orders(scores + 1e-14 * np.arange(len(values)) * bool(np.abs(scores).max() >= 1))
    for i, one in enumerate(values):
        for j, other in enumerate(values):
            if np.abs(scores).max() >= 1 or one != other:
                assert found[i, j] == np.sign(one - other)
    np.testing.assert_array_equal(found, -found.T)


@given(st.integers(0, 50))
@settings(max_examples=8)
def test_swapping_rankers_swaps_sides(seed):
    made = topic(seed=seed)
    index = TextIndex(tuple(made.docs.values()), Analyzer())
    terms = contrast_terms(made.query, index, (ix.TextMatching(),))
    texts = list(made.docs.values())
    one = np.array(Paying("piano")("", texts)) + 1e-6 * np.arange(len(texts))
    other = np.array(Paying("switches")("", texts)) + 1e-6 * np.arange(len(texts))
    there = disagreement("a", "b", one, [other], terms)
    back = disagreement("b", "a", other, [one], terms)
    assert (there.pairs, there.of) == (back.pairs, back.of)
    assert there.for_first.terms[0] == back.for_second.terms[0] == "piano"
    assert there.for_first.covered == pytest.approx(back.for_second.covered, abs=0.05)


def test_a_ranker_that_fails_is_kept_with_its_reason():
    topics = [topic("good"), topic("bad", seed=1)]
    docs = {**topics[1].docs, "d0": "poison keyboard"}
    topics[1] = dataclasses.replace(topics[1], docs=docs)
    found = compared(topics, music=Paying("piano"), plain=Paying("x"), weak=Failing())
    good, bad = found.queries
    assert not good.failed
    assert "cannot read this" in bad.failed["weak"]
    assert set(bad.intents) == {"music", "plain"}
    assert bad.disagreement("music", "plain").pairs > 0
    assert found.mean_agreement("music", "plain")[1] == 2
    assert found.mean_agreement("music", "weak")[1] == 1
    alone = compared(topics[1:], music=Paying("piano"), weak=Failing())
    assert not alone.compared
    assert alone.queries[0].query == "keyboard reviews"
    assert math.isnan(alone.mean_cross("music", "weak"))


def test_a_ranker_without_an_order_is_no_explanation():
    found = compared([topic()], music=Paying("piano"), flat=lambda q, t: [0.0] * len(t))
    assert "same score" in found.queries[0].failed["flat"]
    assert found.queries[0].agreements == ()


def test_recorded_runs_are_compared_on_what_both_rank():
    made = topic()
    ids = list(made.docs)
    runs = {
        "up": {doc: float(i) for i, doc in enumerate(ids[:20])},
        "down": {doc: -float(i) for i, doc in enumerate(ids[4:])},
        "tiny": {ids[0]: 1.0, ids[1]: 2.0},
    }
    made = dataclasses.replace(made, runs=runs)
    found = compared([made], up="run:up", down="run:down", plain=Paying("piano")).queries[0]
    assert list(found.documents) == ids[4:20]
    assert found.left_out == {"up": 4, "down": 4, "plain": 8}
    assert found.disagreement("up", "down").pairs == 16 * 15 / 2
    none = compared([made], up="run:up", tiny="run:tiny").queries[0]
    assert "2 documents are ranked by all" in none.failed[OTHERS]
    lost = compared([made], up="run:up", other="run:other").queries[0]
    assert "no run 'other'" in lost.failed["other"]


def test_unicode_and_listwise_and_empty_documents():
    docs = {
        "é": "пианино 🎹 ключи",
        "ب": "لوحة مفاتيح 🎹",
        "": "键盘 评论 🎹 switches",
        "d": "",
        "e": "switches ключи",
    }
    made = Topic("☃", "键盘 🎹", docs, tuple(docs))
    found = compared([made], len=Listwise(), music=lambda q, t: ["🎹" in x for x in t])
    assert Comparison.from_json(found.to_json()).to_json() == found.to_json()
    assert set(found.queries[0].documents) == set(docs)


def test_json_goes_there_and_back_and_is_the_same_every_time(two):
    text = two.to_json()
    assert Comparison.from_json(text).to_json() == text
    assert "NaN" not in text
    again = compared(
        [topic(str(n), seed=n) for n in range(3)], music=Paying("piano"), typing=Paying("switches")
    )
    assert again.to_json() == text


EMPTY = {
    "format": FORMAT, "rankers": {}, "method": "", "settings": {}, "queries": [], "biases": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({}, "no comparison: format is None"),
        ({"format": "intentx.comparison/2"}, "lacks"),
        ({**EMPTY, "queries": [{}]}, "lacks"),
        ({**EMPTY, "queries": 3}, "damaged"),
    ],
)
def test_other_data_is_no_comparison(plain, message):
    with pytest.raises(InputError, match=message):
        Comparison.from_dict(plain)


@pytest.mark.parametrize(
    ("rankers", "message"),
    [
        ({}, "two rankers or more"),
        ({"a": "bm25"}, "two rankers or more"),
        ({"a": "bm25", "b": "bm25"}, "same ranker"),
        ({"a": "bm25", " ": "run:x"}, "needs a name"),
    ],
)
def test_what_is_no_comparison(rankers, message):
    with pytest.raises(InputError, match=message):
        compare_rankers(rankers, [topic()])


def test_nothing_to_compare_on():
    with pytest.raises(InputError, match="no query"):
        compared([], a=Paying("a"), b=Paying("b"))
    with pytest.raises(InputError, match="gap and max_terms"):
        compare_rankers({"a": Paying("a"), "b": Paying("b")}, [topic()], gap=0)
    index = TextIndex(["one", "two"], Analyzer())
    with pytest.raises(InputError, match="no word occurs in two or more documents"):
        contrast_terms("query", index, (ix.TextMatching(),))


def test_a_ranker_that_stems_is_explained_by_stems_and_so_is_the_other():
    """Words of the query that documents have in other forms are found, and named as written."""
    docs = {
        "a": "A planted tree, and a tree", "b": "Planted trees", "c": "A tree in a pot",
        "d": "The plants of a river", "e": "Boats on a river", "f": "A pot and boats",
    }  # fmt: skip
    found = compare_rankers(
        {"bm25": "bm25", "trees": lambda query, texts: [t.count("tree") for t in texts]},
        [Topic("1", "planting trees", docs, tuple(docs))],
    ).queries[0]
    assert set(found.intents["bm25"].terms) == {"planting", "trees"}
    assert found.intents["bm25"].kinds == ("wanted", "wanted")
    assert found.intents["trees"].terms == ("trees",)
