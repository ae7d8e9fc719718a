"""Text features against loops that follow their descriptions word by word."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import intentx as ix
from intentx.rankers import TextFeatures
from intentx.rankers.features.matches import CollectionStatistics, Matches
from intentx.rankers.features.text_features import FEATURES
from intentx.text import TextIndex
from tests import oracles
from tests.strategies import prose

ANALYZER = ix.Analyzer(stem="english")
COLLECTION = [
    "Green tea in a tea pot. Tea is poured.",
    "Black tea, 3 cups.",
    "A grand piano? Really?",
    "Two boats",
    "the old house and the boat",
    "",
]
WORDS = ["tea", "Teas", "green", "pot", "piano", "pianos", "zebra", "the", "of", "3", "boat"]
GAPS = [" ", " ", " ", ", ", ". ", "? ", "\n\n"]


@st.composite
def few_words(draw, most=25):
    """Texts of so few different words that every kind of match happens."""
    parts = draw(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=most))
    return "".join(word + gap for word, gap in parts)


class Slow:
    """Each feature by name, for one text."""

    def __init__(self, query, text, collection=COLLECTION, analyzer=ANALYZER):
        self.text, self.collection, self.analyzer = text, collection, analyzer
        self.query = oracles.occurrences(query, analyzer)
        self.q = sorted(set(self.query))
        self.row = oracles.occurrences(text, analyzer)
        self.held = [term for term in self.q if term in self.row]
        self.places = [place for place, term in enumerate(self.row) if term in self.q]

    def idf(self, term):
        rows, _ = oracles.statistics(self.collection, self.analyzer)
        df = sum(term in row for row in rows)
        return np.log(1 + (len(rows) - df + 0.5) / (df + 0.5))

    def share(self, part, whole):
        return part / whole if whole else 0.0

    def bm25(self):
        return sum(oracles.bm25(t, self.text, self.collection, self.analyzer) for t in self.q)

    def tf_idf(self):
        return sum(oracles.tf(t, self.text, self.analyzer) * self.idf(t) for t in self.q)

    def lm_dirichlet(self):
        collection, analyzer = self.collection, self.analyzer
        return sum(oracles.dirichlet(t, self.text, collection, analyzer, mu=100) for t in self.q)

    def matches(self):
        return sum(self.row.count(t) for t in self.q)

    def match_share(self):
        return self.share(self.matches(), len(self.row))

    def coverage(self):
        return len(self.held)

    def coverage_share(self):
        return self.share(len(self.held), len(self.q))

    def coverage_idf(self):
        return self.share(sum(map(self.idf, self.held)), sum(map(self.idf, self.q)))

    def idf_max(self):
        return max(map(self.idf, self.held), default=0)

    def idf_min(self):
        return min(map(self.idf, self.held), default=0)

    def idf_mean(self):
        return self.share(sum(map(self.idf, self.held)), len(self.held))

    def idf_missed(self):
        return max((self.idf(t) for t in self.q if t not in self.row), default=0)

    def window(self):
        if not self.held:
            return len(self.row)
        spans = itertools.combinations(range(len(self.row) + 1), 2)
        return min(j - i for i, j in spans if set(self.held) <= set(self.row[i:j]))

    def window_share(self):
        return self.share(len(self.held), self.window())

    def closest(self):
        pairs = itertools.combinations(self.places, 2)
        return min((j - i for i, j in pairs if self.row[i] != self.row[j]), default=len(self.row))

    def bigrams(self):
        pairs = set(itertools.pairwise(self.query))
        return self.share(len(pairs & set(itertools.pairwise(self.row))), len(pairs))

    def near_pairs(self):
        pairs = {frozenset(pair) for pair in itertools.pairwise(self.query) if pair[0] != pair[1]}
        windows = [set(self.row[i : i + 8]) for i in range(len(self.row))]
        return self.share(sum(any(pair <= window for window in windows) for pair in pairs), len(pairs))

    def longest_phrase(self):
        stretches = itertools.combinations(range(len(self.query) + 1), 2)
        return max((j - i for i, j in stretches if self.has(self.query[i:j])), default=0)

    def exact_phrase(self):
        return float(bool(self.query) and self.has(self.query))

    def has(self, phrase):
        return any(self.row[i : i + len(phrase)] == phrase for i in range(len(self.row)))

    def first_match(self):
        return min(self.places, default=len(self.row))

    def first_match_share(self):
        return self.first_match() / len(self.row) if self.row else 1.0

    def last_match_share(self):
        return self.share(max(self.places, default=-1) + 1, len(self.row))

    def opening_coverage(self):
        return self.share(sum(t in self.row[:10] for t in self.q), len(self.q))

    def best_sentence(self):
        best = 0.0
        tokens = self.analyzer.tokens(self.text)
        for sentence in {token.sentence for token in tokens}:
            inside = {token.term for token in tokens if token.sentence == sentence}
            best = max(best, sum(self.idf(t) for t in self.q if t in inside))
        return self.share(best, sum(map(self.idf, self.q)))

    def length(self):
        return len(self.row)

    def distinct_share(self):
        return self.share(len(set(self.row)), len(self.row))

    def sentences(self):
        return len(self.analyzer.sentences(self.text))

    def question_marks(self):
        return sum(character == "?" for character in self.text)

    def digit_share(self):
        return self.share(sum(c.isdigit() for c in self.text), len(self.text))


FEATURES_OF_COLLECTION = TextFeatures(COLLECTION)


def check(query, texts):
    X = FEATURES_OF_COLLECTION(query, texts)
    assert X.shape == (len(texts), len(FEATURES))
    assert X.dtype == np.float64
    for row, text in zip(X, texts, strict=True):
        slow = Slow(query, text)
        for name, value in zip(FEATURES_OF_COLLECTION.names, row, strict=True):
            assert value == pytest.approx(getattr(slow, name)(), abs=1e-12), (name, query, text)


@given(few_words(most=6), st.lists(few_words(), min_size=1, max_size=5))
@example("", ["tea", ""])
@example("zebra crossing", ["tea in a pot", ""])
@example("the of", ["the of"])
@example("tea green tea green", ["green tea green tea green", "tea tea", "Tea. Green? Tea"])
@example("tea tea", ["tea", "tea tea", "tea pot tea"])
@example("green pot", ["green 1 2 3 4 5 6 pot", "pot 1 2 3 4 5 6 7 green"])
@example("green tea", ["green", "boat tea", "Tea? Green"])
def test_each_feature_is_what_it_says(query, texts):
    check(query, texts)


@given(prose(most=5), st.lists(prose(), min_size=1, max_size=3))
def test_in_every_script(query, texts):
    check(query, texts)


def test_a_row_depends_on_its_own_text_only():
    generator = np.random.default_rng(3)
    texts = [*COLLECTION, "tea tea tea", "pots of green tea, and a green boat", "no match here"]
    features = TextFeatures(COLLECTION)
    X = features("green tea pot", texts)
    order = generator.permutation(len(texts))
    np.testing.assert_array_equal(features("green tea pot", [texts[i] for i in order]), X[order])
    for row, text in zip(X, texts, strict=True):
        np.testing.assert_allclose(features("green tea pot", [text]), [row], rtol=1e-12)


def test_no_texts_and_empty_queries_have_features_too():
    features = TextFeatures(COLLECTION)
    assert features("tea", []).shape == (0, len(FEATURES))
    for query in ("", "of the", "zebra"):
        X = dict(zip(features.names, features(query, ["tea pot", ""]).T, strict=True))
        for name in ("bm25", "tf_idf", "coverage_idf", "bigrams", "exact_phrase", "best_sentence"):
            assert X[name].tolist() == [0, 0]
        assert X["length"].tolist() == [2, 0]


def test_names_choose_and_order_the_columns():
    texts = ["green tea", "a boat"]
    every = TextFeatures(COLLECTION)
    some = TextFeatures(COLLECTION, names=["length", "bm25"])
    columns = [every.names.index(name) for name in some.names]
    np.testing.assert_array_equal(some("tea", texts), every("tea", texts)[:, columns])
    assert every.names == tuple(FEATURES)
    assert all(every.descriptions[name].endswith((".", "(Tao & Zhai 2007).")) for name in every.names)
    assert len({*every.descriptions.values()}) == len(FEATURES)


def test_statistics_are_those_of_an_index():
    statistics = CollectionStatistics.from_texts(iter(COLLECTION), ANALYZER)
    index = TextIndex(COLLECTION, ANALYZER)
    assert statistics.texts == len(COLLECTION)
    assert statistics.tokens == index.lengths.sum()
    assert sorted(index.vocabulary) == list(statistics.of_terms)
    terms = [*index.vocabulary, "zebra"]
    np.testing.assert_array_equal(statistics.of(terms).occurrences, index.counts_of(terms).sum(axis=1))
    np.testing.assert_array_equal(statistics.of(terms).holding, (index.counts_of(terms) > 0).sum(axis=1))
    assert CollectionStatistics.from_dict(statistics.to_dict()).to_dict() == statistics.to_dict()
    np.testing.assert_array_equal(
        TextFeatures(statistics)("tea", COLLECTION), TextFeatures(COLLECTION)("tea", COLLECTION)
    )


def test_bm25_is_the_simple_rankers():
    index = TextIndex(["tea tea pot", "a green boat"], ANALYZER, TextIndex(COLLECTION, ANALYZER))
    expected = ix.TextMatching().term_scores(["tea", "green"], index).sum(axis=0)
    found = TextFeatures(COLLECTION, names=["bm25"])("tea, green", index.texts)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_fingerprints_know_names_analyzer_and_statistics():
    reference = TextFeatures(COLLECTION).fingerprint
    assert TextFeatures(reversed(COLLECTION)).fingerprint == reference
    others = [
        TextFeatures([*COLLECTION, "tea"]),
        TextFeatures(COLLECTION, names=list(FEATURES)[:-1]),
        TextFeatures(COLLECTION, analyzer=ix.Analyzer()),
    ]
    assert len({reference, *(other.fingerprint for other in others)}) == 4


def test_long_queries_and_texts_fit():
    text = " ".join(f"word{i % 7}" for i in range(3000))
    found = Matches(" ".join(f"word{i}" for i in range(9)), [text, "", text], ANALYZER, statistics())
    assert found.latest.shape == (6000, 9)
    assert found.window.tolist() == [7, 0, 7]
    assert found.longest_phrase.tolist() == [7, 0, 7]


def statistics():
    return CollectionStatistics.from_texts(COLLECTION, ANALYZER)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ["bm25", "bm26"]}, "no feature 'bm26'; choose of: bm25, tf_idf"),
        ({"names": []}, "one or more"),
        ({"names": ["bm25", "bm25"]}, "different"),
        ({"analyzer": ix.Analyzer(ngrams=2)}, "ngrams=1"),
        ({"collection": ["", "of the"]}, "at least one word"),
        ({"collection": []}, "at least one word"),
        ({"collection": "one text"}, "several texts, not one string"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ix.InputError, match=message):
        TextFeatures(**{"collection": COLLECTION, **settings})
