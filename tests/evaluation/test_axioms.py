"""Retrieval axioms against slow versions, by hand, and under chance."""

import dataclasses
import math

import numpy as np
import pytest

import intentx as ix
from intentx.evaluation.axiom_votes import AXIOMS, Facts
from intentx.text import Analyzer, TextIndex

WORDS = ("tea", "rice", "bean", "corn", "salt", "milk", "oat")


def texts(n, seed=0, words=WORDS, longest=9):
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(words, size=generator.integers(3, longest + 1))) for _ in range(n)]


def one_pair(name, first, second, query="green tea", margin=0.1, vectors=None, more=()):
    """What an axiom says of the first against the second."""
    index = TextIndex([first, second, *more], Analyzer())
    vectors = vectors or ix.TermVectors.from_lsa(index)
    facts = Facts(
        index, ix.Analyzer().terms(query), np.arange(len(index.texts), 0.0, -1), vectors, margin
    )
    return int(AXIOMS[name].votes(facts, np.array([0]), np.array([1]))[0])


VECTORS = ix.TermVectors.from_mapping(
    {
        "tea": [1, 0, 0],
        "green": [0, 1, 0],
        "coffee": [0.9, 0.1, 0],
        "boat": [0, 0, 1],
        "red": [0.1, 0.9, 0.1],
    }
)
BY_HAND = [
    ("TFC1", "tea tea pot", "tea pot lid", {}, 1),
    ("TFC1", "tea tea pot", "tea pot lid box oven", {}, 0),  # not of equal length
    ("TFC1", "tea tea pot", "tea pot lid box oven", {"margin": 0.4}, 1),
    ("TFC3", "green tea pot", "tea tea pot", {"more": ["green pot"]}, 1),  # both in two documents
    ("TFC3", "green tea pot", "tea tea pot", {"more": ["tea pot"]}, 0),  # not equally rare
    ("M-TDC", "green pot lid", "tea pot lid", {"more": ["tea pot"]}, 1),
    ("M-TDC", "green green lid", "tea pot lid", {"more": ["tea pot"]}, 0),  # more occurrences
    ("LNC1", "tea pot", "tea pot lid box", {}, 1),
    ("LNC1", "tea pot", "tea tea lid box", {}, 0),
    ("TF-LNC", "tea tea pot lid", "tea pot lid", {}, 1),
    ("TF-LNC", "tea tea pot lid", "tea pot", {}, 0),
    ("LB1", "green pot", "pot lid", {"margin": 0.9, "more": ["pot"] * 9}, 1),
    ("LB1", "green pot", "pot lid", {"margin": 0.0}, 0),  # their scores differ
    ("PROX1", "green tea", "green pot lid tea", {}, 1),
    ("PROX1", "green tea", "green pot lid", {}, 0),
    ("PROX2", "green tea pot", "pot green tea", {}, 1),
    ("PROX3", "green tea", "tea green", {}, 1),
    ("PROX3", "pot green tea", "green tea", {}, -1),
    ("STMC1", "coffee", "boat", {"vectors": VECTORS}, 1),
    ("STMC1", "coffee", "oven", {"vectors": VECTORS}, 0),  # no vector
    ("STMC2", "tea pot", "coffee pot", {"vectors": VECTORS}, 1),
    ("STMC2", "tea pot", "coffee pot lid box", {"vectors": VECTORS}, 0),
    ("AND", "green tea", "tea pot", {}, 1),
    ("M-AND", "tea pot", "pot lid", {}, 1),
    ("AND", "tea pot", "pot lid", {}, 0),
    ("REG", "boat tea", "green tea", {"query": "boat coffee tea", "vectors": VECTORS}, 1),
    ("DIV", "tea pot lid box", "green tea", {}, 1),
]


@pytest.mark.parametrize(("name", "first", "second", "how", "expected"), BY_HAND)
def test_axioms_by_hand_and_with_the_sides_exchanged(name, first, second, how, expected):
    assert one_pair(name, first, second, **how) == expected
    if name != "LB1":
        assert one_pair(name, second, first, **how) == -expected


def test_every_axiom_has_a_case_by_hand_in_which_it_decides():
    assert {name for name, *_, expected in BY_HAND if expected} == set(AXIOMS)


def score_by(function):
    return lambda query, some: [function(text.split()) for text in some]


def test_rankers_that_follow_an_axiom_agree_with_it_always():
    rankings = {
        "TFC1": score_by(lambda words: words.count("tea")),
        "M-AND": score_by(lambda words: ("tea" in words) + ("rice" in words)),
        "LNC1": score_by(lambda words: -len(words)),
    }
    for name, scorer in rankings.items():
        query = "tea" if name == "TFC1" else "tea rice"
        found = ix.axioms(ix.rank(scorer, query, texts(40)))
        assert found[name].decided > 50
        assert found[name].agreement == 1.0
        assert math.isnan(found[name].low)  # no spread, no interval
    against = ix.axioms(ix.rank(score_by(lambda words: -words.count("tea")), "tea", texts(40)))
    assert against["TFC1"].agreement == 0.0


def test_counts_are_those_of_a_loop_over_pairs():
    ranking = ix.rank(score_by(lambda w: w.count("tea") - 0.1 * len(w)), "tea rice", texts(30))
    held = [len({"tea", "rice"} & set(text.split())) for text in ranking.texts]
    votes = [
        (held[i] > held[j]) - (held[i] < held[j])
        for i in range(30)
        for j in range(i + 1, 30)
        if ranking.scores[i] - ranking.scores[j] > 1e-12
    ]
    row = ix.axioms(ranking)["M-AND"]
    assert (row.decided, row.agreed) == (sum(v != 0 for v in votes), sum(v > 0 for v in votes))


def test_pairs_that_an_explanation_gets_right_and_wrong_are_apart():
    ranking = ix.rank(score_by(lambda w: 2 * w.count("tea") + w.count("rice")), "milk", texts(40))
    explanation = ix.Multiplex(seed=0, max_terms=2, budget=0).explain(ranking)
    found = ix.axioms(explanation)
    assert found.right / found.pairs == pytest.approx(explanation.fidelity.all)
    assert found.right + found.wrong == found.pairs
    for row in found.rows:
        assert row.right_decided + row.wrong_decided == row.decided
        assert row.right_agreed + row.wrong_agreed == row.agreed
    alone = ix.axioms(ranking)
    assert not alone.explained
    assert [row.decided for row in alone.rows] == [row.decided for row in found.rows]
    loaded = ix.Multiplex(seed=0, max_terms=2, budget=0).explain(ranking)
    assert ix.axioms(type(loaded).from_json(loaded.to_json())).right == found.right
    assert ix.axioms(ix.KernelSHAP(samples=40).explain(ranking, 0)).explained


def test_intervals_hold_chance_on_random_orders():
    """Pairs share documents: an interval of independent pairs would miss .5 far more often."""
    documents, missed, naive = texts(50, longest=12), 0, 0
    for seed in range(60):
        scores = np.random.default_rng(seed).random(len(documents))
        ranking = ix.Ranking.from_run(
            {str(i): s for i, s in enumerate(scores)},
            "tea rice",
            {str(i): t for i, t in enumerate(documents)},
        )
        row = ix.axioms(ranking, ["M-AND"])["M-AND"]
        missed += not row.low <= 0.5 <= row.high
        naive += abs(row.agreement - 0.5) > 1.96 * 0.5 / math.sqrt(row.decided)
    assert missed <= 9  # 5 % of 60 are 3; more than 9 come with probability .001
    assert naive >= 15


def test_a_fitted_vote_finds_the_axiom_that_rules_and_nothing_in_chance():
    documents = texts(60, longest=14)
    ruled = ix.axioms(
        ix.rank(score_by(lambda w: w.count("tea") + w.count("rice")), "tea rice", documents)
    )
    assert max(ruled.weights, key=ruled.weights.get) in {"TFC1", "M-AND", "AND", "TF-LNC"}
    assert ruled.heldout > ruled.vote_heldout
    assert ruled.heldout > 0.8
    chance = np.random.default_rng(3).random(60)
    run = {str(i): float(s) for i, s in enumerate(chance)}
    lost = ix.axioms(ix.Ranking.from_run(run, "tea rice", dict(zip(run, documents, strict=True))))
    assert lost.heldout < 0.6


def test_the_strict_form_decides_no_more_than_the_relaxed_one_where_lengths_must_be_equal():
    ranking = ix.rank(score_by(lambda w: w.count("tea")), "tea rice", texts(60, longest=30))
    strict, relaxed = ix.axioms(ranking, margin=0.0), ix.axioms(ranking, margin=0.1)
    assert strict["LNC1"].decided <= relaxed["LNC1"].decided
    assert strict["REG"].decided < relaxed["REG"].decided
    assert strict["LB1"].decided == 0


def test_json_both_ways_table_and_notebook(tmp_path):
    found = ix.axioms(ix.rank(score_by(lambda w: w.count("tea")), "tea & rice", texts(12)))
    again = ix.load(found.save(tmp_path / "axioms.json"))
    assert again.to_json() == found.to_json()
    assert "STMC1" in found.text(120)
    assert "<table>" in found._repr_html_()
    assert found.sentence in found._repr_html_()
    plain = found.to_dict()
    with pytest.raises(ix.InputError, match="pairs must be a whole number"):
        ix.Axioms.from_dict(plain | {"pairs": "many"})


def test_the_order_of_documents_with_other_scores_changes_nothing():
    documents = {str(i): text for i, text in enumerate(texts(25))}
    scorer = score_by(lambda w: w.count("tea") + 0.3 * w.count("oat"))
    one = ix.axioms(ix.rank(scorer, "tea rice", documents))
    turned = dict(reversed(documents.items()))
    other = ix.axioms(ix.rank(scorer, "tea rice", turned))
    kept = [name for name in AXIOMS if name not in {"STMC1", "STMC2", "REG"}]  # LSA has its own rounding
    assert [one[name].agreed for name in kept] == [other[name].agreed for name in kept]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: ix.axioms("tea"), "need a ranking, or an explanation"),
        (lambda r: ix.axioms(r, ["TFC9"]), "no axiom 'TFC9'; choose from TFC1"),
        (lambda r: ix.axioms(r, []), "no axiom in an empty list"),
        (lambda r: ix.axioms(r, margin=1.5), "margin must be a number from 0 to below 1, not 1.5"),
        (lambda r: ix.axioms(r, margin=math.nan), "margin must be"),
        (lambda r: ix.axioms(r)["TFC9"], "no axiom 'TFC9' was asked"),
        (lambda r: ix.axioms(dataclasses.replace(r, query="the")), "has no term that is not a stopword"),
        (lambda r: ix.axioms(r.subset([0])), "has no preference pair"),
    ],
)
def test_bad_input(call, message):
    ranking = ix.rank(score_by(lambda w: w.count("tea")), "tea", texts(6))
    with pytest.raises(ix.InputError, match=message):
        call(ranking)


def test_small_and_odd_rankings():
    for documents in (["tea", "rice"], ["", "tea"], ["?", "tea tea", "tea"]):
        found = ix.axioms(ix.rank(lambda q, t: [len(x) for x in t], "tea", documents))
        assert found.pairs >= 1
        assert all(row.agreed <= row.decided <= found.pairs for row in found.rows)
    thai = ["ชาเขียวร้อน", "กาแฟดำ", "ชาดำ"]
    assert ix.axioms(ix.rank(lambda q, t: [len(x) for x in t], "ชาเขียว", thai)).pairs == 3
