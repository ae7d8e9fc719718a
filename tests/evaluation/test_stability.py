import math
from dataclasses import dataclass
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

import intentx as ix
from intentx.evaluation.orders import rbo_ext
from intentx.evaluation.stability import _overlap, agreement, consistency, correctness, stability
from intentx.explainers.document.exs import EXS
from tests.toys import keyboards


def weighed(**weights):
    order = sorted(weights, key=lambda term: -abs(weights[term]))
    return SimpleNamespace(terms=tuple(order), weights=tuple(float(weights[term]) for term in order))


ONE = weighed(a=3, b=-2, c=1, d=0)
TWO = weighed(a=2, c=-1, e=0.5)
THREE = weighed(b=1, a=1.5)


def test_agreement_is_the_mean_over_pairs():
    explanations = [ONE, TWO, THREE]
    found = agreement(explanations, k=2)
    taus, jaccards = [], []
    for one, other in combinations(explanations, 2):
        terms = sorted({*one.terms, *other.terms})
        first, second = (
            [dict(zip(e.terms, e.weights, strict=True)).get(t, 0.0) for t in terms] for e in (one, other)
        )
        taus.append(kendalltau(first, second).statistic)
        tops = [{t for t, w in zip(e.terms, e.weights, strict=True) if w} for e in (one, other)]
        tops = [
            set([t for t in e.terms if t in top][:2]) for e, top in zip((one, other), tops, strict=True)
        ]
        jaccards.append(len(tops[0] & tops[1]) / len(tops[0] | tops[1]))
    assert found.kendall == pytest.approx(np.mean(taus)) == consistency(explanations)
    assert found.jaccard == pytest.approx(np.mean(jaccards))
    assert (found.pairs, found.k) == (3, 2)


def test_words_without_weight_are_no_words():
    assert agreement([weighed(a=1, b=0), weighed(a=2, c=0)]).jaccard == 1
    nothing = weighed(a=0)
    both = agreement([nothing, nothing])
    assert math.isnan(both.kendall)
    assert (both.rbo, both.jaccard, both.to_dict()["kendall"]) == (1, 1, None)
    assert agreement([nothing, ONE]).rbo == 0


@given(st.permutations(range(7)))
def test_overlap_of_whole_lists_is_that_of_the_rankings(order):
    names = "abcdefg"
    scores = np.empty(7)
    for place, item in enumerate(order):
        scores[item] = -place
    found = _overlap(list(names), [names[item] for item in order])
    assert found == pytest.approx(rbo_ext(scores))


def test_overlap_of_lists_of_different_lengths():
    # Webber, Moffat & Zobel (2010), eq. 32, by hand: S = a b, L = a c b.
    p, overlap = 0.9, {1: 1, 2: 1, 3: 2}
    total = sum(overlap[d] / d * p**d for d in (1, 2, 3)) + overlap[2] * (3 - 2) / (2 * 3) * p**3
    expected = (1 - p) / p * total + ((overlap[3] - overlap[2]) / 3 + overlap[2] / 2) * p**3
    assert _overlap(["a", "b"], ["a", "c", "b"]) == pytest.approx(expected)
    assert _overlap(["a", "c", "b"], ["a", "b"]) == pytest.approx(expected)


def test_what_cannot_agree():
    with pytest.raises(ix.InputError, match="two explanations or more"):
        agreement([ONE])
    with pytest.raises(ix.InputError, match="k of 1 or more"):
        agreement([ONE, TWO], k=0)


def test_stability_over_seeds():
    texts, scorer = keyboards(number=20)
    ranking = ix.rank(scorer, "keyboard reviews", texts)
    assert len(EXS(samples=15).explain(ranking, 1).terms) == 13, "of 8192 versions 300 are a part"
    few, many = (stability(EXS(samples=n), ranking, 1, seeds=3) for n in (15, 300))
    assert few.pairs == many.pairs == 3
    assert few.kendall < 0.6 < 0.8 < many.kendall < 1
    by_hand = agreement([EXS(samples=15, seed=s).explain(ranking, 1) for s in range(3)])
    assert few == by_hand
    assert stability(ix.QueryTerms(), ranking, seeds=2).jaccard == 1


def test_stability_of_what_has_no_seed():
    ranking = ix.rank(keyboards()[1], "keyboard", keyboards()[0])

    @dataclass
    class Fixed:
        size: int = 1

    for method in (Fixed(), object(), EXS):
        with pytest.raises(ix.InputError, match="no seed"):
            stability(method, ranking, 0)
    with pytest.raises(ix.InputError, match="seeds must be 2"):
        stability(EXS(), ranking, 0, seeds=1)


def test_correctness_is_the_cosine_with_all_relevant_documents():
    relevant = ["piano, piano, pedal", "desk"]
    found = correctness(weighed(piano=2, desk=-1, chair=4), relevant)
    truth = {"piano": 2 / 3, "pedal": 1 / 3, "desk": 1.0}
    dot = 2 * truth["piano"] - truth["desk"]
    norms = math.sqrt(4 + 1 + 16) * math.sqrt(sum(v * v for v in truth.values()))
    assert found == pytest.approx(dot / norms)
    assert correctness(weighed(piano=2), ["piano piano"]) == pytest.approx(1)
    assert math.isnan(correctness(weighed(piano=0), relevant))
    for texts in ("piano", []):
        with pytest.raises(ix.InputError, match="one relevant document or more"):
            correctness(ONE, texts)


def test_the_sentence_of_agreement_is_of_words_and_of_features():
    assert "of the first 10 by weight, rank-biased overlap" in agreement([ONE, TWO]).sentence
    assert "words" not in agreement([ONE, TWO]).sentence
