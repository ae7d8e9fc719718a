"""Scores near the ends of what a number can be, for sampling methods: explained, or refused in words."""

import json

import numpy as np
import pytest

import intentx as ix
from intentx.preferences import preference_pairs
from intentx.report import write_page
from intentx.report.pictures.words import write_png
from tests.explainers.document.linear import weights_of
from tests.explainers.inside.gradient_toys import Of, Toy

DOCS = ["a good piano desk", "piano not bad", "desk", "lamp and oak", "good"]
METHODS = {
    "EXS": ix.EXS(k=3),
    "EXS, score": ix.EXS(k=3, labels="score"),
    "LIRME": ix.LIRME(),
    "LIRME, L2": ix.LIRME(penalty="l2", weighting="tf-idf"),
    "KernelSHAP": ix.KernelSHAP(),
    "KernelSHAP, sampled": ix.KernelSHAP(exact_up_to=0, samples=10),
}
LOWEST = float(np.nan_to_num(-np.inf))
SIZES = [1e308, 1e200, 1e-200, 5e-324]


def scorer_of(score):
    return lambda query, texts: [score(text) for text in texts]


def through_everything(found, folder):
    """Whatever shows or judges an explanation."""
    json.loads(found.to_json())
    assert "piano" in found.text() + found._repr_html_() + repr(found)
    json.dumps(ix.faithfulness(found).to_dict(), allow_nan=False)
    write_page(folder / "page.html", [found, found])
    write_png(folder / "words.png", found)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
@pytest.mark.parametrize("size", SIZES)
def test_weights_are_in_the_unit_of_the_scores(method, size, tmp_path):
    """Of what a scorer of ordinary size gets, ``size`` times as much."""
    plain = method.explain(ix.rank(scorer_of(lambda t: float(t.count("piano"))), "q", DOCS), "0")
    huge = method.explain(ix.rank(scorer_of(lambda t: size * t.count("piano")), "q", DOCS), "0")
    unit = 1.0 if isinstance(method, ix.EXS) else size
    expected = {term: weight * unit for term, weight in weights_of(plain).items()}
    assert weights_of(huge) == pytest.approx(expected, rel=1e-6, abs=1e-9 * unit)
    assert huge.metrics["fit"] == pytest.approx(plain.metrics["fit"])
    if size > 1:
        through_everything(huge, tmp_path)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_a_lowest_number_in_the_place_of_minus_infinity(method):
    ranking = ix.rank(scorer_of(lambda t: 3.0 if "piano" in t else LOWEST), "q", DOCS)
    found = method.explain(ranking, "0")
    assert found.terms[0] == "piano"
    assert np.isfinite(found.weights).all()
    assert not np.isnan(found.metrics["fit"])
    json.loads(found.to_json())


@pytest.mark.parametrize("method", ["LIRME", "KernelSHAP", "KernelSHAP, sampled"])
def test_a_difference_that_no_number_can_be_is_refused(method):
    ranking = ix.rank(scorer_of(lambda t: 1.7e308 if "piano" in t else -1.7e308), "q", DOCS)
    with pytest.raises(ix.ScorerError, match=r"document '0' are too far apart for .*by a floor"):
        METHODS[method].explain(ranking, "0")


def test_a_pair_far_apart():
    ranking = ix.rank(scorer_of(lambda t: 8e307 if "piano" in t else -8e307), "q", DOCS)
    found = ix.KernelSHAP().explain(ranking, "0", above="2")
    assert weights_of(found)["piano"] == pytest.approx(1.6e308)


@pytest.mark.parametrize("score", [LOWEST, -1e308, 1e200])
def test_whole_rankings(score):
    ranking = ix.rank(
        scorer_of(lambda t: float(t.count("piano") + len(t) / 100) if "good" not in t else score),
        "piano", [*DOCS, "piano piano lamp", "an oak desk and lamp", "piano oak lamp"],
    )  # fmt: skip
    for method in (ix.Multiplex(), ix.Multiplex.published(m=9), ix.IntentGreedy(), ix.KernelSHAP()):
        found = method.explain(ranking)
        json.loads(found.to_json())
        assert 0 <= found.fidelity.all <= 1
    assert 0 <= ix.heldout_fidelity(ix.Multiplex(budget=30), ranking, repeats=2).mean <= 1


def test_ordinary_scores_are_no_ties_beside_a_lowest_number():
    ranking = ix.Ranking("q", ("a", "b", "c", "d"), ("",) * 4, np.array([3.0, 2.0, 1.0, LOWEST]))
    assert len(preference_pairs(ranking)) == 6
    assert len(preference_pairs(ranking, min_score_gap=1.5)) == 4


class InLists:
    """A listwise ranker with scores of both ends."""

    listwise = True

    def __call__(self, query, texts):
        return [1.7e308 if "piano" in text else -1.7e308 + len(text) for text in texts]


def test_a_listwise_ranker():
    ranking = ix.rank(InLists(), "q", DOCS)
    found = ix.EXS(k=3, samples=16).explain(ranking, "0")
    assert found.terms[0] == "piano"


@pytest.mark.parametrize(
    "answer",
    [
        np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]),
        [1.0, np.ma.masked, 3.0],
        np.ma.array([1.0, 2.0, 3.0], mask=[False, True, True]),
    ],
)
def test_a_masked_score_is_none(answer):
    with pytest.raises(ix.ScorerError, match=r"(?s)masked the score of .*documents?: 'two'"):
        ix.rank(lambda query, texts: answer, "q", ["one", "two", "six"])


def test_a_masked_array_without_a_masked_score_is_an_array():
    def unmasked(query, texts):
        return np.ma.array([float(ord(text)) for text in texts], mask=False)

    assert ix.rank(unmasked, "q", ["a", "b"]).scores.tolist() == [98.0, 97.0]
    with pytest.raises(ix.InputError, match="score of document 'b' is masked"):
        ix.Ranking("q", ("a", "b"), ("", ""), np.ma.array([1.0, 2.0], mask=[False, True]))


def test_a_longer_float_that_fits_no_number():
    with pytest.raises(ix.ScorerError, match="returned inf for 1 of 1"):
        ix.rank(lambda query, texts: np.array([np.longdouble("1e400")]), "q", ["a"])


def test_gradients_that_no_sum_can_hold():
    """Slopes of 5e307 for each of 24 dimensions, of scores between -1 and 1 each."""
    toy = Toy(Of(lambda vectors: (vectors * 5e307).sin().sum((1, 2))), dimensions=24)
    ranking = ix.rank(toy, "q", ["tea and pot, boat", "tea"])
    for method in (ix.GradientInput(), ix.Saliency()):
        with pytest.raises(ix.ScorerError, match=r"versions of document '.' are too far apart"):
            method.explain(ranking, 0)
