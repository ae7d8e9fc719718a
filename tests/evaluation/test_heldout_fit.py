"""Held-out documents are judged as the method was fitted, and are as many as the share says."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import t

import intentx as ix
from intentx.preferences import PreferenceMatrices, TermScores
from intentx.preferences.simple_rankers import term_scores
from intentx.text import TextIndex

WORDS = ("tea", "pot", "milk", "boat", "sea", "sail", "wood", "rope")
RANKERS = (ix.TextMatching("tf"), ix.PositionAware())


def recorded(number, seed=4):
    generator = np.random.default_rng(seed)
    ends = generator.choice([" ", ". "], size=(number, 12))  # sentences of any length
    texts = {
        str(i): "".join(word + end for word, end in zip(generator.choice(WORDS, 12), row, strict=True))
        for i, row in enumerate(ends)
    }
    return ix.Ranking.from_run({i: -float(i) for i in texts}, "tea", texts)


class Fitted:
    """A method that says "tea" and "sail", with the settings it is given; it keeps what it was shown."""

    def __init__(self, scale=None, margin=1e-9, simple_rankers=RANKERS, **more):
        self.scale, self.margin, self.rankers, self.more = scale, margin, simple_rankers, more
        self.shown = []

    def explain(self, ranking):
        self.shown.append(ranking)
        explanation = SimpleNamespace(ranking=ranking, terms=("tea", "sail"), **self.more)
        explanation.simple_rankers = self.rankers
        if self.scale is not None:
            values = np.zeros((len(self.rankers), 2, len(ranking)))
            explanation.matrices = PreferenceMatrices(
                TermScores(values), ix.preference_pairs(ranking), self.scale, self.margin
            )
        return explanation


def hidden_from(shown, ranking):
    return ranking.subset([i for i, doc in enumerate(ranking.doc_ids) if doc not in shown.doc_ids])


def share(shown, ranking, scale, margin=1e-9, rankers=RANKERS, analyzer=None):
    """Of the pairs among the hidden documents, by a loop; also what each simple ranker says."""
    hidden, analyzer = hidden_from(shown, ranking), analyzer or ix.Analyzer()
    index = TextIndex(hidden.texts, analyzer, TextIndex(shown.texts, analyzer))
    sums = term_scores(("tea", "sail"), index, rankers).values.sum(axis=1)
    covered, pairs = np.zeros(len(rankers) + 1), 0
    for high in range(len(hidden)):
        for low in range(high + 1, len(hidden)):
            each = [math.tanh((one[high] - one[low]) / s) for one, s in zip(sums, scale, strict=True)]
            covered += [sum(each) > margin, *(one > margin for one in each)]
            pairs += 1
    return (covered / pairs).tolist()


@pytest.mark.parametrize(
    ("scale", "margin"), [((0.1, 9.0), 1e-9), ((9.0, 0.1), 1e-9), ((0.2, 0.5), 0.4)]
)
def test_the_scale_and_the_margin_are_those_of_the_fit(scale, margin):
    ranking, method = recorded(30), Fitted(scale, margin)
    found = ix.heldout_fidelity(method, ranking, repeats=3, seed=2)
    expected = [share(shown, ranking, scale, margin) for shown in method.shown]
    assert [[row.vote, *row.by_ranker.values()] for row in found.rows] == expected
    assert found.mean == pytest.approx(np.mean([one[0] for one in expected]))
    other = ix.heldout_fidelity(Fitted(scale[::-1], margin), ranking, repeats=3, seed=2)
    assert other.values != found.values
    unfitted = ix.heldout_fidelity(Fitted(), ranking, repeats=3, seed=2)
    assert unfitted.values != found.values


def test_simple_rankers_of_the_caller_have_a_scale_of_their_own():
    """The scale of the fit is that of other simple rankers; a fit of as many is no reason to use it."""
    ranking, scale = recorded(30), (9.0, 0.1)
    swapped = RANKERS[::-1]
    fitted, plain = (
        ix.heldout_fidelity(Fitted(given), ranking, repeats=5, simple_rankers=swapped)
        for given in (scale, None)
    )
    assert fitted == plain
    own = ix.heldout_fidelity(Fitted(scale, simple_rankers=swapped), ranking, repeats=5)
    assert own.values != fitted.values


def test_words_are_read_as_they_were_chosen():
    """As in `fidelity`: by ``intent_analyzer`` where an explanation has one, else by ``analyzer``."""
    ranking = recorded(30)
    every, some = ix.Analyzer(stopwords=None), ix.Analyzer(stopwords=["pot", "milk", "boat", "sea"])
    for more, analyzer in (
        ({}, ix.Analyzer()),
        ({"analyzer": some}, some),
        ({"analyzer": every, "intent_analyzer": some}, some),
        ({"analyzer": some, "intent_analyzer": None}, some),
    ):
        method = Fitted((0.02, 0.4), **more)
        found = ix.heldout_fidelity(method, ranking, repeats=3)
        expected = [share(shown, ranking, (0.02, 0.4), analyzer=analyzer) for shown in method.shown]
        assert [[row.vote, *row.by_ranker.values()] for row in found.rows] == expected
    assert some != ix.Analyzer()


def test_intent_terms_are_what_is_judged_where_there_are_some():
    found = ix.heldout_fidelity(Fitted(intent_terms=("tea",)), recorded(12), repeats=2)
    assert found.terms == (("tea",), ("tea",))


@pytest.mark.parametrize(
    ("number", "part", "held"),
    [
        (11, 0.33, 4),
        (11, 0.3, 3),
        (30, 0.29, 9),
        (30, 0.28, 8),
        (100, 0.29, 29),
        (4, 0.9, 2),
        (9, 0.01, 2),
    ],
)
def test_the_held_out_documents_are_the_nearest_number_to_the_share(number, part, held):
    ranking, method = recorded(number), Fitted()
    [row] = ix.heldout_fidelity(method, ranking, part, repeats=1).rows
    assert [len(shown) for shown in method.shown] == [number - held]
    assert row.pairs == held * (held - 1) // 2


def test_the_interval_is_wider_by_what_is_tested_over_what_is_fitted():
    """Nadeau & Bengio (2003): 4 repeats of 9 tested and 21 fitted."""
    found = ix.heldout_fidelity(Fitted(), recorded(30), repeats=4)
    spread = np.std(found.values, ddof=1) * math.sqrt(1 / 4 + 9 / 21)
    reach = t.ppf(0.975, 3) * spread
    assert spread > 0
    expected = max(0, np.mean(found.values) - reach), min(1, np.mean(found.values) + reach)
    assert (found.low, found.high) == pytest.approx(expected)


def test_another_seed_hides_other_documents_and_so_does_each_repeat():
    ranking, method = recorded(20), Fitted()
    for seed in range(3):
        ix.heldout_fidelity(method, ranking, repeats=2, seed=seed)
    assert len({shown.doc_ids for shown in method.shown}) == 6


def test_the_interval_of_a_share_ends_at_nothing_and_at_everything():
    """Two repeats, which say next to nothing: Student's t at one degree of freedom reaches far."""
    found = ix.heldout_fidelity(Fitted(), recorded(30), repeats=2)
    assert found.values[0] != found.values[1]
    assert (found.low, found.high) == (0.0, 1.0)
