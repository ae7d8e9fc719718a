"""Nearness to the query's terms, by hand and against a loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.preferences.simple_rankers import simple_rankers_for
from intentx.text import TextIndex
from tests import oracles
from tests.strategies import texts
from tests.toys import ranked


def closeness(*distances, width=10.0):
    """What a document scores whose occurrences stand so many words away."""
    return math.log(1 + sum(math.exp(-(d**2) / (2 * width**2)) for d in distances))


@pytest.mark.parametrize(
    ("text", "distances"),
    [
        ("piano keyboard", [1]),
        ("keyboard desk piano", [2]),
        ("piano desk desk keyboard reviews", [1]),  # the nearest of two
        ("keyboard piano desk desk keyboard", [1, 3]),
        ("the keyboard of a piano", [1]),  # stopwords are no words here
        ("keyboard desk", []),
        ("piano desk", []),
        ("", []),
    ],
)
def test_the_distance_to_the_nearest_term_of_the_query(text, distances):
    index = TextIndex([text, "keyboard piano"], ix.Analyzer())
    found = ix.Proximity("piano reviews").term_scores(["keyboard"], index)
    np.testing.assert_allclose(found, [[closeness(*distances), closeness(1)]], rtol=1e-12)


def test_a_term_of_the_query_is_near_the_others_only():
    index = TextIndex(["piano piano desk reviews", "piano piano", "reviews"], ix.Analyzer())
    two = ix.Proximity("piano reviews").term_scores(["piano", "reviews", "desk"], index)
    np.testing.assert_allclose(two[0], [closeness(3, 2), 0, 0], rtol=1e-12)
    np.testing.assert_allclose(two[1], [closeness(2), 0, 0], rtol=1e-12)
    np.testing.assert_allclose(two[2], [closeness(1), 0, 0], rtol=1e-12)
    one = ix.Proximity("piano").term_scores(["piano", "desk"], index)
    np.testing.assert_allclose(one, [[0, 0, 0], [closeness(1), 0, 0]], rtol=1e-12)
    assert not ix.Proximity("the of").term_scores(["piano", "desk"], index).any()


def test_an_ngram_is_not_near_the_words_it_is_made_of():
    index = TextIndex(["grand piano", "piano grand piano keys"], ix.Analyzer(ngrams=2))
    found = ix.Proximity("piano").term_scores(["grand piano", "piano keys", "grand"], index)
    expected = [[0, closeness(1)], [0, closeness(2)], [closeness(1), closeness(1)]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_words_of_scripts_without_spaces_have_places_too():
    index = TextIndex(["我喜欢用手机", "手机喜欢"], ix.Analyzer())
    assert index.vocabulary == ("我", "喜欢", "用", "手机")
    found = ix.Proximity("手机").term_scores(["我", "喜欢"], index)
    np.testing.assert_allclose(found, [[closeness(3), 0], [closeness(2), closeness(1)]], rtol=1e-12)


@given(
    documents=st.lists(texts, min_size=1, max_size=4),
    query=texts,
    width=st.sampled_from([0.5, 3.0, 10.0]),
    ngrams=st.sampled_from([1, 2, 3]),
)
def test_a_loop_over_all_occurrences_says_the_same(documents, query, width, ngrams):
    analyzer = ix.Analyzer(ngrams=ngrams)
    index = TextIndex([*documents, f"{query} {documents[0]}"], analyzer)
    terms = [*index.vocabulary[:6], *analyzer.terms(query)[:3], "absent"]
    found = ix.Proximity(query, width).term_scores(terms, index)
    expected = [[oracles.proximity(t, d, query, analyzer, width) for d in index.texts] for t in terms]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_an_edited_document_is_scored_as_it_stands():
    index = TextIndex(["piano desk keyboard"], ix.Analyzer())
    edited = TextIndex(["piano keyboard", "keyboard"], ix.Analyzer(), index)
    found = ix.Proximity("piano").term_scores(["keyboard"], edited)
    np.testing.assert_allclose(found, [[closeness(1), 0]], rtol=1e-12)


def test_the_query_is_that_of_the_ranking_unless_told():
    ranking = ranked(["piano desk", "desk"], query="piano keys")
    [found] = simple_rankers_for(ranking, [ix.Proximity(width=3.0)])
    assert found == ix.Proximity("piano keys", width=3.0)
    assert simple_rankers_for(ranking, [ix.Proximity("desk")]) == (ix.Proximity("desk"),)
    with pytest.raises(ix.InputError, match=r"needs a query: Proximity\(query\)"):
        ix.Proximity().term_scores(["desk"], TextIndex(["desk"], ix.Analyzer()))
    for width in (0, -1.0, math.nan):
        with pytest.raises(ix.InputError, match="width is a number of words above 0"):
            ix.Proximity(width=width)
