"""The rule of the published table, by hand and by a plain double loop."""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.evaluation import published
from intentx.evaluation.published import median_gap, published_by_votes, published_fidelity
from tests.toys import Counting, ranked


class Table:
    """A simple ranker whose scores are given: of each term in each document."""

    def __init__(self, name, **scores):
        self.name, self.scores = name, scores

    def term_scores(self, terms, index):
        nothing = [0.0] * len(index.texts)
        return np.array([self.scores.get(term, nothing) for term in terms]).reshape(len(terms), -1)


def words(ranking, *terms):
    """The least that can be counted."""
    return SimpleNamespace(ranking=ranking, terms=terms)


def count(ranking, terms, rankers, **settings):
    return published_fidelity(words(ranking, *terms), simple_rankers=rankers, **settings)


# Four documents, six pairs: 01 02 03 12 13 23.
FOUR = ranked(["w", "x", "y", "z"], [9.0, 7.0, 4.0, 3.0], query="the")  # no term in the query
FALLING = Table("falling", a=[4, 3, 2, 1])  # agrees on all six
RISING = Table("rising", a=[1, 2, 3, 4])  # contradicts all six
FIRST = Table("first", a=[1, 0, 0, 0])  # agrees on 01 02 03, ties the others
LAST = Table("last", a=[1, 1, 1, 0])  # agrees on 03 13 23, ties the others
FLAT = Table("flat")


@pytest.mark.parametrize(
    ("rankers", "vote", "all_", "gap", "fitted"),
    [
        ((FALLING, RISING, RISING), 1, 1, 1, 1),
        ((FALLING, RISING, RISING), 2, 0, 0, 1),
        ((RISING, RISING, RISING), 1, 0, 0, 0),
        ((FIRST, LAST, RISING), 1, 5 / 6, 3 / 4, 1),  # all but 12, whatever RISING says
        ((FIRST, LAST, RISING), 2, 1 / 6, 1 / 4, 1),  # 03 alone
        ((FIRST, FIRST, LAST), 2, 3 / 6, 2 / 4, 1),  # ties are no agreement
        ((FIRST, FLAT, FLAT), 1, 3 / 6, 2 / 4, 1),
        ((FIRST, FLAT), 2, 0, 0, 1),
        ((FALLING, FIRST, LAST), 3, 1 / 6, 1 / 4, 1),
        ((FLAT, FLAT, FLAT), 1, 0, 0, 1),  # ties of all are agreement on the fitted pairs
    ],
)
def test_votes_by_hand(rankers, vote, all_, gap, fitted):
    named = [Table(str(place), **one.scores) for place, one in enumerate(rankers)]
    found = count(FOUR, ("a",), named, vote=vote, tolerance=3)  # 02 03 12 13 differ by 3 or more
    assert (found.all, found.gap, found.fitted) == pytest.approx((all_, gap, fitted))
    assert (found.vote, found.tolerance, found.added, found.reason) == (vote, 3.0, (), "")


@pytest.mark.parametrize(
    ("ranker", "all_", "gap"),
    [
        (FALLING, 1.0, 1.0),
        (RISING, 0.0, 0.0),
        (FIRST, 3 / math.sqrt(6 * 3), 2 / math.sqrt(4 * 2)),
        (Table("mixed", a=[1, 2, 0, 0]), 4 / math.sqrt(6 * 5), 4 / math.sqrt(4 * 4)),
    ],
)
@pytest.mark.parametrize("vote", [1, 2])
def test_one_simple_ranker_by_hand(ranker, vote, all_, gap):
    """Concordant / sqrt(untied · untied); a vote plays no part."""
    found = count(FOUR, ("a",), [ranker], vote=vote, tolerance=3)
    assert (found.all, found.gap) == pytest.approx((all_, gap))
    assert found.fitted == {"rising": 0.0, "mixed": 5 / 6}.get(ranker.name, 1.0)


def test_pairs_that_the_ranker_ties():
    tied = ranked(["w", "x", "y"], [2.0, 2.0, 1.0], query="the")  # pairs 02 and 12; 01 is none
    apart = Table("apart", a=[3, 2, 1])
    several = count(tied, ("a",), [apart, FLAT])
    assert (several.all, several.tolerance) == (1.0, 1.0)
    # One simple ranker: the explanation parts all three.
    assert count(tied, ("a",), [apart]).all == pytest.approx(2 / math.sqrt(2 * 3))
    assert count(tied, ("a",), [apart]).gap == 1.0  # both pairs of these, and no tie among them
    assert count(tied, ("a",), [apart], tolerance=0).gap == pytest.approx(2 / math.sqrt(2 * 3))


def test_the_tolerance_is_of_scores_not_of_ranks():
    rankers = [FIRST, FLAT]
    assert [count(FOUR, ("a",), rankers, tolerance=t).gap for t in (0, 2, 5, 6)] == [
        *(3 / 6, 3 / 5),  # all pairs; all but 23
        *(2 / 2, 1.0),  # 02 and 03; 03 alone
    ]
    none = count(FOUR, ("a",), rankers, tolerance=6.5)
    assert math.isnan(none.gap)
    assert none.reason == "gap: no pair differs by 6.5 or more in score"
    assert none.all == 3 / 6


def test_a_difference_that_is_the_tolerance_but_for_rounding():
    tenths = ranked(["x", "y"], [0.3, 0.2], query="the")
    assert 0.3 - 0.2 < 0.1
    assert count(tenths, ("a",), [Table("one", a=[1, 0]), FLAT], tolerance=0.1).gap == 1.0


def test_without_a_tolerance_it_is_the_median_gap():
    assert median_gap(FOUR.scores) == np.median([2, 5, 6, 3, 4, 1]) == 3.5
    found = count(FOUR, ("a",), [FIRST, FLAT])
    assert found.tolerance == 3.5
    assert found.gap == 2 / 3  # 02 03 13
    assert median_gap(np.array([2.0, 1.0, 1.0, 1.0, 1.0])) == 1.0  # pairs that are tied are no pairs


def test_the_median_of_many_pairs_is_of_a_regular_sample(monkeypatch):
    scores = np.sort(np.random.default_rng(0).normal(size=200))[::-1]
    exact = median_gap(scores)
    monkeypatch.setattr(published, "MEDIAN_PAIRS", 2_000)
    assert median_gap(scores) == pytest.approx(exact, rel=0.05)
    assert median_gap(scores) != exact


def test_pairs_come_in_blocks(monkeypatch):
    whole = count(FOUR, ("a",), [FIRST, LAST, FALLING], vote=2)
    monkeypatch.setattr(published, "PAIRS_AT_ONCE", 4)
    assert count(FOUR, ("a",), [FIRST, LAST, FALLING], vote=2) == whole


# Query terms


TEA = ranked(["tea", "milk", "boat", "tea milk"], [4.0, 3.0, 2.0, 1.0], query="the tea")
BY_TEXT = (ix.TextMatching("tf"), ix.PositionAware())


def test_query_terms_are_added_to_the_terms():
    alone, both = count(TEA, ("milk",), BY_TEXT), count(TEA, ("milk", "tea"), BY_TEXT)
    assert alone.added == ("tea",)
    assert both.added == ()
    assert (alone.all, alone.gap) == (both.all, both.gap)
    # tf of milk and tea: 1 1 0 1; position aware the same: 02 and 12 agree.
    assert alone.all == 2 / 6
    # The fitted pairs are counted by the terms alone. Milk, 0 1 0 ½, contradicts 01, 03 and 23.
    assert (alone.fitted, both.fitted) == (3 / 6, 5 / 6)


def test_a_query_term_in_no_document():
    gone = dataclasses.replace(TEA, query="narcotic")
    found = count(gone, ("milk",), BY_TEXT)
    assert found.added == ("narcotic",)
    assert found.all == count(dataclasses.replace(TEA, query="the"), ("milk",), BY_TEXT).all == 2 / 6


def test_a_word_in_no_document_reaches_all_of_the_fitted_pairs():
    for rankers in (BY_TEXT, BY_TEXT[:1], ix.default_simple_rankers()):
        assert count(TEA, ("zeppelin",), rankers).fitted == 1.0
    found = count(dataclasses.replace(TEA, query="the"), ("zeppelin",), BY_TEXT)
    assert (found.all, found.gap, found.fitted) == (0.0, 0.0, 1.0)


def test_no_term_at_all():
    found = count(dataclasses.replace(TEA, query="the"), (), ix.default_simple_rankers())
    assert (found.all, found.gap, found.fitted) == (0.0, 0.0, 1.0)


# Explanations


def explanation(**settings):
    settings = {"max_terms": 1, "simple_rankers": BY_TEXT, "generality": 0, **settings}
    return ix.Multiplex(**settings).explain(TEA)


def test_explanations_bring_pairs_simple_rankers_and_analyzer():
    found = explanation(pairs=ix.Pairs([1], [2]))
    assert found.terms == ("milk",)
    assert published_fidelity(found).fitted == 1.0  # on the pair 12 alone
    assert published_fidelity(found).all == count(TEA, ("milk",), BY_TEXT).all
    assert published_fidelity(found, fitted=ix.preference_pairs(TEA)).fitted == 3 / 6
    stemmed = explanation(pairs=ix.Pairs([1], [2]), analyzer=ix.Analyzer(stem="english"))
    asked = dataclasses.replace(stemmed, ranking=dataclasses.replace(TEA, query="teas"))
    assert published_fidelity(asked).added == ("tea",)
    assert published_fidelity(asked, analyzer=ix.Analyzer()).added == ("teas",)


def test_an_explanation_from_json_has_no_simple_rankers():
    found = explanation(pairs=ix.Pairs([1], [2]))
    loaded = ix.IntentExplanation.from_dict(json.loads(found.to_json()))
    with pytest.raises(ix.InputError, match=r"'tea' must be scored, too.*simple_rankers="):
        published_fidelity(loaded)
    assert published_fidelity(loaded, simple_rankers=BY_TEXT) == published_fidelity(found)
    whole = ix.QueryTerms(simple_rankers=BY_TEXT).explain(TEA)  # nothing is to be added
    loaded = ix.IntentExplanation.from_dict(json.loads(whole.to_json()))
    assert published_fidelity(loaded) == published_fidelity(whole)


def test_the_ranker_is_not_asked():
    scorer = Counting()
    found = ix.RandomTerms(max_terms=1).explain(ix.rank(scorer, "tea", TEA.texts))
    before = len(scorer.calls)
    one, two = published_by_votes(found, (1, 2))
    assert one == published_fidelity(found, vote=1)
    assert two == published_fidelity(found, vote=2)
    assert len(scorer.calls) == before


# Bad input


@pytest.mark.parametrize("vote", [0, -1, 1.5, True, "1", None])
def test_a_vote_that_is_none(vote):
    with pytest.raises(ix.InputError, match=r"vote must be a whole number, 1 or more, not "):
        count(FOUR, ("a",), [FIRST, FLAT], vote=vote)


def test_a_vote_of_more_than_there_are():
    with pytest.raises(
        ix.InputError, match="vote must be at most 2, the number of simple rankers, not 3"
    ):
        count(FOUR, ("a",), [FIRST, FLAT], vote=3)


@pytest.mark.parametrize("tolerance", [-0.1, math.nan, math.inf, "2", True, 1j])
def test_a_tolerance_that_is_none(tolerance):
    with pytest.raises(ix.InputError, match=r"tolerance must be a number, 0 or more, not "):
        count(FOUR, ("a",), [FIRST, FLAT], tolerance=tolerance)


def test_rankings_and_pairs_that_cannot_be_counted():
    with pytest.raises(ix.InputError, match="no preference pair"):
        count(ranked(["x", "y"], [1.0, 1.0]), ("a",), [FIRST])
    with pytest.raises(ix.InputError, match="position 7, and there are 4 documents"):
        count(FOUR, ("a",), [FIRST], fitted=ix.Pairs([0], [7]))
    empty = count(FOUR, ("a",), [FIRST, FLAT], fitted=ix.Pairs([], []))
    assert math.isnan(empty.fitted)
    assert empty.reason == "fitted: there is no fitted pair"
    flat = count(FOUR, ("a",), [FLAT])
    assert math.isnan(flat.all)
    assert flat.reason.startswith(
        "all: the simple ranker scores all documents the same; gap: the simple"
    )
    assert flat.fitted == 1.0


# Against a double loop


def by_loops(scores, found, counted, vote, tolerance, fitted):
    """All, gap and fitted; ``found`` and ``counted`` are scores of documents by each simple ranker."""

    def share(tolerance):
        agreed = pairs = untied = 0
        for i in range(len(scores)):
            for j in range(i + 1, len(scores)):
                gap = scores[i] - scores[j]
                if gap < tolerance:
                    continue
                untied += counted[0][i] != counted[0][j]
                if gap == 0:
                    continue
                pairs += 1
                agree = sum(ranker[i] > ranker[j] for ranker in counted)
                agreed += agree >= (vote if len(counted) > 1 else 1)
        whole = pairs if len(counted) > 1 else math.sqrt(pairs * untied)
        return agreed / whole if whole else math.nan

    best = max(
        sum(ranker[i] >= ranker[j] for i, j in fitted) / len(fitted) if fitted else math.nan
        for ranker in found
    )
    return share(0), share(tolerance), best


small = st.lists(st.integers(0, 4), min_size=2, max_size=8)


@given(small, st.integers(1, 4), st.integers(0, 3), st.data())
def test_against_the_loops(scores, number, tolerance, data):
    scores = sorted(scores, reverse=True)
    n = len(scores)
    ranking = ranked([f"text {i}" for i in range(n)], scores, query="the asked")
    rows = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    tables = [
        Table(str(r), **{term: data.draw(rows) for term in ("a", "b", "asked")}) for r in range(number)
    ]
    vote = data.draw(st.integers(1, number))
    terms = data.draw(st.sampled_from([("a",), ("a", "b"), ("b", "asked"), ()]))
    every = [(i, j) for i in range(n) for j in range(i + 1, n)]
    fitted = data.draw(st.lists(st.sampled_from(every), unique=True))
    if scores[0] == scores[-1]:
        return
    found = count(
        ranking,
        terms,
        tables,
        vote=vote,
        tolerance=tolerance,
        fitted=ix.Pairs([i for i, _ in fitted], [j for _, j in fitted]),
    )
    own = [[sum(table.scores[t][d] for t in terms) for d in range(n)] for table in tables]
    both = [[sum(table.scores[t][d] for t in {*terms, "asked"}) for d in range(n)] for table in tables]
    expected = by_loops(scores, own, both, vote, tolerance, fitted)
    assert (found.all, found.gap, found.fitted) == pytest.approx(expected, nan_ok=True)
    assert all(math.isnan(one) or 0 <= one <= 1 for one in (found.all, found.gap, found.fitted))
    assert bool(found.reason) == any(map(math.isnan, expected))
