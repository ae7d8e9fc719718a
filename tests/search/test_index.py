"""What an index finds: the documents and scores of BM25 as it is defined."""

import pickle

import joblib
import numpy as np
import pytest
from bm25s import BM25 as BM25S
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.errors import InputError
from intentx.rankers import BM25
from intentx.search import SearchIndex
from tests.rankers.test_bm25 import bm25_by_hand

DOCS = {
    "a": "green tea in a tea pot",
    "b": "black tea",
    "c": "a grand piano",
    "d": "",
    "e": "tea black",
    "f": "the of and",
    "g": "tea, black",
}
WORDS = st.lists(st.sampled_from("tea pot piano boats the lamps".split()), max_size=6).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=12), WORDS, st.sampled_from([(0.9, 0.4), (0, 1), (2, 0)]))
def test_scores_are_those_of_the_scorer_and_of_the_formula(texts, query, settings):
    k1, b = settings
    if not any(ix.Analyzer().tokens(text) for text in texts):
        with pytest.raises(ix.InputError, match="at least one word"):
            SearchIndex.build(texts)
        return
    found = SearchIndex.build(texts, k1=k1, b=b).search(query, len(texts))
    scores = BM25(texts, k1=k1, b=b)(query, texts)
    by_hand = [bm25_by_hand(query, text, texts, k1, b) for text in texts]
    np.testing.assert_allclose(scores, by_hand, atol=1e-12)
    best = [i for i in np.argsort(-scores, kind="stable").tolist() if scores[i] > 0]
    assert found.ids == tuple(str(i) for i in best)
    assert found.scores.tolist() == scores[best].tolist()  # to the last bit


@pytest.fixture(scope="module", params=["memory", "disk"])
def index(request, tmp_path_factory):
    folder = None if request.param == "memory" else tmp_path_factory.mktemp("search") / "index"
    with SearchIndex.build(DOCS, folder) as index:
        yield index


def test_equal_scores_keep_the_order_of_the_documents(index):
    assert index.search("black tea").ids == ("b", "e", "g", "a")
    assert index.search("black tea", 2).ids == ("b", "e")  # three tie for two places
    assert index.search("black tea", 1).ids == ("b",)


@pytest.mark.parametrize("query", ["", "  \n", "the of and", "zebra", "?!"])
def test_a_query_without_a_word_that_is_there_finds_nothing(index, query):
    found = index.search(query, 5)
    assert (found.ids, found.scores.shape) == ((), (0,))
    assert index.search(query, 3, fill=True).ids == ("a", "b", "c")


def test_k_may_be_more_than_there_is(index):
    assert len(index.search("tea", 1_000).ids) == 4
    filled = index.search("piano", 1_000, fill=True)
    assert filled.ids == ("c", "a", "b", "d", "e", "f", "g")
    assert filled.scores[1:].tolist() == [0] * 6
    assert index.search("piano", np.int64(2), fill=True).ids == ("c", "a")


@pytest.mark.parametrize(
    ("query", "k", "message"),
    [
        (None, 5, "query must be a string, not None"),
        (b"tea", 5, "query must be a string"),
        ("tea", 0, "k must be an integer, 1 or more, not 0"),
        ("tea", 2.0, "not 2.0"),
        ("tea", True, "not True"),
    ],
)
def test_what_cannot_be_searched(index, query, k, message):
    with pytest.raises(ix.InputError, match=message):
        index.search(query, k)


def test_documents_are_found_by_their_ids(index):
    assert index.document("b") == ix.Document("b", "black tea")
    with pytest.raises(ix.InputError, match="no document 'z' among the 7"):
        index.document("z")
    assert dict(index.texts) == DOCS
    assert ("b" in index.texts, "z" in index.texts) == (True, False)
    assert len(index) == len(index.texts) == 7
    assert "7 documents" in repr(index)


def test_a_long_query_and_more_hits_than_sqlite_takes_at_a_time():
    texts = [f"tea {i}" for i in range(1_000)]
    index = SearchIndex.build(texts)
    assert index.search(" ".join(texts), 1_000).ids == tuple(str(i) for i in range(1_000))


def test_titles_ids_and_odd_characters():
    docs = [
        ix.Document("ü/1", "a text", "Tea time"),
        {"id": 7, "text": "tea \ud800 and \x00 nothing"},
        ix.Document(" ", "Şehir 手机", "ტ"),
    ]
    index = SearchIndex.build(docs)
    assert index.search("tea").ids == ("7", "ü/1")
    assert index.document("7").text == "tea \ud800 and \x00 nothing"
    assert index.document("ü/1").content == "Tea time\na text"
    assert index.search("şehir").ids == (" ",)


def test_other_analyzers():
    index = SearchIndex.build(["Der Tee der Häuser", "the tea"], analyzer=ix.Analyzer(stem="german"))
    assert index.search("Haus Häuser").ids == ("0",)
    pairs = SearchIndex.build(["green tea pot", "tea green"], analyzer=ix.Analyzer(ngrams=2))
    assert pairs.search("green tea").ids == ("0", "1")
    assert pairs.search("green tea").scores[0] > 2 * pairs.search("green tea").scores[1]


def _ids(index, query):
    return index.search(query).ids


def test_threads_and_processes_share_an_index(tmp_path):
    index = SearchIndex.build(DOCS, tmp_path / "index")
    expected = ("b", "e", "g", "a")
    assert _ids(pickle.loads(pickle.dumps(index)), "black tea") == expected  # noqa: S301
    asked = [joblib.delayed(_ids)(index, "black tea")] * 8
    assert joblib.Parallel(n_jobs=4, prefer="threads")(asked) == [expected] * 8
    with pytest.raises(ix.InputError, match="in memory cannot be pickled"):
        pickle.dumps(SearchIndex.build(DOCS))


@pytest.mark.parametrize(
    ("docs", "settings", "message"),
    [
        ([], {}, "no documents to search"),
        (iter(()), {}, "no documents to search"),
        (["", "the of"], {}, "at least one word that is not a stopword"),
        ("tea", {}, "not a single one"),
        ([ix.Document("a", "tea"), ix.Document("a", "pot")], {}, "repeated: 'a'"),
        ({1: "tea", "1": "pot"}, {}, "repeated: '1'"),
        ([*(f"tea {i}" for i in range(1_500)), ix.Document("3", "pot")], {}, "repeated: '3'"),
        (["tea", None], {}, "text of document '1' must be a string"),
        (DOCS, {"k1": -1}, "k1 of 0 or more"),
        (DOCS, {"b": 2}, "b from 0 to 1"),
        (DOCS, {"workers": 0}, "workers must be 1 or more"),
    ],
)
def test_what_cannot_be_indexed(tmp_path, docs, settings, message):
    with pytest.raises(ix.InputError, match=message):
        SearchIndex.build(docs, tmp_path / "index", **settings)
    with pytest.raises(ix.InputError, match=r"no (complete )?search index in"):
        SearchIndex.open(tmp_path / "index")


def test_weights_are_those_of_bm25s():
    texts = [f"tea {'pot ' * (i % 5)} word{i % 13} {'the' if i % 2 else 'boat'}" for i in range(40)] + [
        ""
    ]
    index = SearchIndex.build(texts, k1=1.3, b=0.6)
    rows = [[token.term for token in index.analyzer.tokens(text)] for text in texts]
    numbers = {term: index._store.numbers([term])[0] for row in rows for term in row}
    theirs = BM25S(k1=1.3, b=0.6, method="atire", idf_method="lucene", dtype="float64")
    expected = theirs.build_index_from_ids(
        range(len(numbers)), [[numbers[term] for term in row] for row in rows], show_progress=False
    )
    for name, values in expected.items():
        assert np.array_equal(index._model.scores[name], values), name


def test_ties_by_id_and_ranks():
    index = SearchIndex.build({"c": "tea", "a": "tea", "b": "tea tea", "d": "a boat"})
    assert index.search("tea", 2).ids == ("b", "c")
    assert index.search("tea", 2, by_id=True).ids == ("b", "a")
    assert [index.rank("tea", doc_id)[0] for doc_id in "abcd"] == [2, 1, 3, None]
    with pytest.raises(InputError, match="no document 'e' among the 4"):
        index.rank("tea", "e")
