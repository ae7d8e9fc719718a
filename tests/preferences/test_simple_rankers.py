import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx import (
    Analyzer,
    Dense,
    InputError,
    PositionAware,
    Proximity,
    Semantic,
    TermVectors,
    TextMatching,
    rank,
)
from intentx.preferences.simple_rankers import default_simple_rankers, simple_rankers_for, term_scores
from intentx.text import TextIndex
from tests import oracles
from tests.strategies import texts, words
from tests.toys import MUSIC, keyboards

DOCUMENTS = [
    *keyboards(number=5)[0],
    "",
    "the of and",
    "Piano pedal piano. Desk.\n\nPiano?",
    "unheard words",
]
TERMS = ["piano", "pedal", "desk", "laptop", "absent"]  # as many as no other axis here
VECTORS = {
    "piano": [3.0, 0.5],
    "pedal": [1.0, 1.0],
    "desk": [-1.0, 2.0],
    "laptop": [0.0, -2.0],
    "price": [1.0, -3.0],
}


class Letters:
    """A dense encoder: how often each of some letters occurs, in queries twice as much."""

    def __repr__(self):  # in names of tests, which do not differ between runs
        return "Letters()"

    def __call__(self, query, some):
        return self.vectors(some, "document") @ self.vectors([query], "query")[0]

    def vectors(self, texts, side):
        weight = {"query": 2.0, "document": 1.0}[side]
        return np.array([[weight * text.count(letter) for letter in "aeiou"] for text in texts])


RANKERS = [
    TextMatching(),
    TextMatching("bm25", k1=2.0, b=1.0),
    TextMatching("bm25", k1=0.0, b=0.0),
    TextMatching("tf"),
    TextMatching("tfidf"),
    TextMatching("lm", mu=10.0),
    PositionAware(),
    Proximity("piano desk absent", width=2.0),
    Proximity("laptop keys", width=0.7),
    Semantic(TermVectors.from_mapping(VECTORS)),
    Semantic(TermVectors.from_mapping(VECTORS), temperature=0.5, centered=False),
    Semantic.published(TermVectors.from_mapping(VECTORS)),
    Dense(Letters()),
    Dense(Letters(), query="a fine idea"),
]


def slow(ranker, term, text, collection, analyzer):
    if isinstance(ranker, Dense):
        expanded = (ranker.query or "") + term
        return 2 * sum(expanded.count(letter) * text.count(letter) for letter in "aeiou")
    if isinstance(ranker, PositionAware):
        return oracles.position_aware(term, text, analyzer)
    if isinstance(ranker, Proximity):
        return oracles.proximity(term, text, ranker.query, analyzer, ranker.width)
    if isinstance(ranker, Semantic):
        setting = (ranker.temperature, ranker.centered)
        return oracles.semantic(term, text, collection, analyzer, VECTORS, *setting)
    if ranker.weighting == "tf":
        return oracles.tf(term, text, analyzer)
    if ranker.weighting == "tfidf":
        return oracles.tf_idf(term, text, collection, analyzer)
    if ranker.weighting == "lm":
        return oracles.dirichlet(term, text, collection, analyzer, ranker.mu)
    return oracles.bm25(term, text, collection, analyzer, ranker.k1, ranker.b)


@pytest.mark.parametrize(
    "analyzer", [Analyzer(), Analyzer(ngrams=2), Analyzer(stem="english")], ids=repr
)
@pytest.mark.parametrize("ranker", RANKERS, ids=repr)
def test_arrays_agree_with_loops(ranker, analyzer):
    found = ranker.term_scores(TERMS, TextIndex(DOCUMENTS, analyzer))
    expected = [[slow(ranker, term, text, DOCUMENTS, analyzer) for text in DOCUMENTS] for term in TERMS]
    assert found.shape == (5, 9)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.ptp(found) > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_vector_that_is_the_mean_of_all_has_no_direction(seed):
    tea, coffee = np.random.default_rng(seed).normal(size=(2, 50))
    vectors = TermVectors.from_mapping({"tea": tea, "chai": tea, "cha": tea, "coffee": coffee})
    index = TextIndex(["tea", "chai and cha"], Analyzer())
    np.testing.assert_allclose(Semantic(vectors).term_scores(["tea", "coffee"], index), 0, atol=1e-12)


@pytest.mark.parametrize("ranker", RANKERS, ids=repr)
def test_statistics_come_from_the_background(ranker):
    background = TextIndex(DOCUMENTS, Analyzer())
    others = ["Laptop piano. New words", "price", "pedal pedal"]
    found = ranker.term_scores(TERMS, TextIndex(others, Analyzer(), background))
    expected = [[slow(ranker, t, text, DOCUMENTS, Analyzer()) for text in others] for t in TERMS]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("ranker", [*RANKERS, Semantic()], ids=repr)
@settings(max_examples=20)  # of each of fifteen
@given(documents=st.lists(texts, min_size=1, max_size=4), terms=st.lists(words, max_size=4))
def test_rankers_are_additive_and_finite(ranker, documents, terms):
    """A term's row depends on nothing but the term: the score of a set is the sum of its rows."""
    index = TextIndex(documents, Analyzer())
    terms = [*terms, *index.vocabulary[:3], "absent"]
    together = ranker.term_scores(terms, index)
    assert together.shape == (len(terms), len(documents))
    assert np.isfinite(together).all()
    for row, term in zip(together, terms, strict=True):
        np.testing.assert_allclose(row, ranker.term_scores([term], index)[0], atol=1e-12)


@pytest.mark.parametrize("ranker", RANKERS, ids=repr)
def test_a_term_asked_twice_counts_twice(ranker):
    index = TextIndex(DOCUMENTS, Analyzer())
    twice = ranker.term_scores(["piano", "desk", "piano"], index)
    np.testing.assert_array_equal(twice[0], twice[2])
    np.testing.assert_array_equal(twice[:2], ranker.term_scores(["piano", "desk"], index))


@pytest.mark.parametrize("ranker", [*RANKERS, Semantic()], ids=repr)
@settings(max_examples=15)
@given(st.permutations(range(len(DOCUMENTS))))
def test_the_order_of_documents_does_not_matter(ranker, order):
    straight = ranker.term_scores(TERMS, TextIndex(DOCUMENTS, Analyzer()))
    shuffled = ranker.term_scores(TERMS, TextIndex([DOCUMENTS[i] for i in order], Analyzer()))
    np.testing.assert_allclose(shuffled, straight[:, order], atol=1e-9)


def test_no_terms_and_no_words_are_arrays_too():
    for ranker in [*RANKERS, Semantic()]:
        assert ranker.term_scores([], TextIndex(DOCUMENTS, Analyzer())).shape == (0, len(DOCUMENTS))
        assert ranker.term_scores(TERMS, TextIndex(["", "the"], Analyzer())).shape == (5, 2)


def test_early_and_widespread_mentions_win():
    index = TextIndex(
        ["Piano. Desk. Desk.", "Desk. Desk. Piano.", "Piano. Piano. Desk.", "Piano piano."], Analyzer()
    )
    early, late, wide, alone = PositionAware().term_scores(["piano"], index)[0]
    assert late < early < wide < alone


def test_names_tell_settings_apart():
    names = [TextMatching().name, TextMatching(k1=2.0).name, TextMatching("tf", k1=2.0).name]
    names += [TextMatching("lm").name, TextMatching("lm", mu=50.0).name]
    assert names == [
        "text matching (bm25)",
        "text matching (bm25, k1=2)",
        "text matching (tf)",
        "text matching (lm)",
        "text matching (lm, mu=50)",
    ]


def test_term_scores_stack_the_rankers():
    index = TextIndex(DOCUMENTS, Analyzer())
    rankers = default_simple_rankers(TermVectors.from_mapping(VECTORS))
    scores = term_scores(MUSIC[:4], index, rankers)
    assert scores.values.shape == (3, 4, 9)
    assert scores.terms == tuple(MUSIC[:4])
    assert scores.rankers == ("text matching (bm25)", "position aware", "semantic")
    for values, ranker in zip(scores.values, rankers, strict=True):
        np.testing.assert_array_equal(values, ranker.term_scores(MUSIC[:4], index))
    assert [ranker.name for ranker in default_simple_rankers(encoder=Letters())][3:] == ["dense"]


def test_dense_takes_the_query_of_the_ranking_unless_told_or_alone():
    encoder = Letters()
    ranking, own = (rank(scorer, "old piano", DOCUMENTS[:5]) for scorer in (Letters(), encoder))
    recorded = dataclasses.replace(ranking, scorer=None)
    for query, place, expected in (
        (None, ranking, "old piano"),
        (None, recorded, "old piano"),
        (None, own, ""),
        ("", ranking, ""),
        ("new", ranking, "new"),
        ("new", own, "new"),
    ):
        plain = PositionAware()
        found = simple_rankers_for(place, [plain, Dense(encoder, query, name="d")])
        assert found[0] is plain
        assert (found[1].query, found[1].encoder, found[1].name) == (expected, encoder, "d")
        assert simple_rankers_for(recorded, found) == found


class Own:
    name = "my own"

    def __init__(self, answer):
        self.answer = answer

    def term_scores(self, terms, index):
        return self.answer


def test_a_simple_ranker_of_the_users_own():
    index = TextIndex(["a1", "b1", "c1"], Analyzer())
    assert term_scores(["a1", "b1"], index, [Own([[1, 2, 3], [4, 5, 6]])]).values.tolist() == [
        [[1, 2, 3], [4, 5, 6]]
    ]
    for wrong in ([[1, 2, 3]], np.zeros((3, 2)), [[1, 2, 3], [4, math.nan, 6]]):
        with pytest.raises(
            InputError, match=r"'my own' must return finite scores of shape \(2, 3\), terms x texts"
        ):
            term_scores(["a1", "b1"], index, [Own(wrong)])


def test_what_cannot_be_is_said():
    index = TextIndex(DOCUMENTS, Analyzer())
    with pytest.raises(InputError, match="at least one simple ranker is needed"):
        term_scores(TERMS, index, [])
    with pytest.raises(InputError, match="must have distinct names"):
        term_scores(TERMS, index, [PositionAware(), PositionAware()])
    with pytest.raises(InputError, match="no weighting 'idf'; choose one of"):
        TextMatching("idf")
    for wrong in ({"mu": 0}, {"k1": -1}, {"b": 2}):
        with pytest.raises(InputError, match="mu > 0, k1 >= 0 and 0 <= b <= 1"):
            TextMatching(**wrong)
    for temperature in (0, math.nan, -1):
        with pytest.raises(InputError, match=r"temperature must be 0.01 or more"):
            Semantic(temperature=temperature)
    with pytest.raises(InputError, match=r"must have vectors\(texts, side\).*; function has not"):
        Dense(lambda texts: texts)


def test_a_weighting_without_scores_is_no_language_model():
    matching = TextMatching()
    object.__setattr__(matching, "weighting", "none of them")
    with pytest.raises(AssertionError, match="none of them"):
        matching.term_scores(["tea"], TextIndex(["tea"], Analyzer()))
