import copy
import math
import pickle
from collections import Counter
from typing import ClassVar

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import BM25, bm25

COLLECTION = ["green tea in a tea pot", "black tea", "a grand piano", "two boats", "the old house", ""]
STEMS = ix.Analyzer(stem="english")


def bm25_by_hand(query, text, collection, k1=0.9, b=0.4):
    """BM25 with Lucene's idf, one number at a time."""
    rows = [[token.term for token in STEMS.tokens(one)] for one in collection]
    mean = sum(map(len, rows)) / len(rows)
    row = [token.term for token in STEMS.tokens(text)]
    total = 0.0
    for token in STEMS.tokens(query):
        df = sum(token.term in one for one in rows)
        if not df or token.term not in row:
            continue
        idf = math.log(1 + (len(rows) - df + 0.5) / (df + 0.5))
        tf = row.count(token.term)
        total += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(row) / mean))
    return total


@pytest.mark.parametrize(
    "query", ["tea", "tea pot", "tea Tea pot", "pianos and boats", "zebra", "the of"]
)
@pytest.mark.parametrize(("k1", "b"), [(0.9, 0.4), (1.5, 1), (0, 0.75), (2, 0)])
def test_formula(query, k1, b):
    texts = [*COLLECTION, "tea tea tea", "a boat with a piano and tea"]
    expected = [bm25_by_hand(query, text, COLLECTION, k1, b) for text in texts]
    np.testing.assert_allclose(BM25(COLLECTION, k1=k1, b=b)(query, texts), expected, atol=1e-12)


def test_a_term_in_half_of_the_collection_counts():
    texts = ["green tea", "black tea", "tea", "a piano", "two boats", "the old house"]
    scores = BM25(texts)("tea", texts)
    assert scores[:3].min() > 0.5 > 0 == scores[3:].max()
    assert ix.rank(BM25(texts), "tea", texts[::-1]).doc_ids[:3] == ("3", "4", "5")


def test_a_term_in_nearly_all_of_a_small_collection_counts():
    texts = ["jaguar speed", "jaguar car", "jaguar jaguar cat"]
    ranking = ix.rank(BM25(texts), "jaguar", [*texts, "a lamp"])
    assert ranking.doc_ids == ("2", "0", "1", "3")
    assert ranking.scores[2] > 0 == ranking.scores[3]


def test_statistics_are_the_collections_whatever_is_scored():
    scorer = BM25(COLLECTION)
    alone = scorer("tea pot", [COLLECTION[0]])
    assert alone == scorer("tea pot", COLLECTION)[:1]


@pytest.mark.parametrize("kind", [dict, list, iter, np.array])
def test_a_collection_in_the_forms_of_documents(kind):
    given = {f"d{i}": text for i, text in enumerate(COLLECTION)} if kind is dict else kind(COLLECTION)
    assert BM25(given)("tea", COLLECTION).tolist() == BM25(COLLECTION)("tea", COLLECTION).tolist()
    assert (
        BM25(given if kind is not iter else iter(COLLECTION)).fingerprint == BM25(COLLECTION).fingerprint
    )


@pytest.mark.parametrize(
    ("collection", "settings", "message"),
    [
        (["", "the of and"], {}, "at least one word"),
        ("tea and coffee", {}, "not a single one"),
        (COLLECTION, {"k1": -0.1}, "k1 of 0 or more and b from 0 to 1, not -0.1 and 0.4"),
        (COLLECTION, {"b": 1.5}, "not 0.9 and 1.5"),
        (COLLECTION, {"k1": math.nan}, "not nan and 0.4"),
    ],
)
def test_what_cannot_work_is_refused(collection, settings, message):
    with pytest.raises(ix.InputError, match=message):
        BM25(collection, **settings)


class Counting(ix.Analyzer):
    """An analyzer that counts how often it is asked for each text."""

    asked: ClassVar[Counter] = Counter()

    def tokens(self, text):
        self.asked[text] += 1
        return super().tokens(text)


def test_a_second_query_does_not_analyse_the_texts_again():
    texts = [f"tea number {i}" for i in range(50)]
    scorer = BM25(["tea", "number"], analyzer=Counting())
    Counting.asked.clear()
    first = scorer("tea", texts)
    assert scorer("tea", texts).tolist() == first.tolist()
    assert scorer("number", texts).min() > 0
    assert {Counting.asked[text] for text in texts} == {1}


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(bm25, "MOST_TERMS", 40)  # ten texts of three terms and one for the text
    texts = [f"tea number {i}" for i in range(50)]
    scorer = BM25(["tea", "number"], analyzer=Counting())
    Counting.asked.clear()
    expected = scorer("tea", texts).tolist()
    assert scorer("tea", texts).tolist() == expected
    assert sum(Counting.asked[text] for text in texts) == 50 + 40  # the first ten are found again
    others = [f"a pot {i}" for i in range(10)]
    scorer("tea", others)
    scorer("tea", others)
    assert {Counting.asked[text] for text in others} == {1}  # a new list takes the place of the old
    long = " ".join(f"word{i}" for i in range(100))
    assert scorer("tea", [long, long]).tolist() == [0, 0]


def test_a_copy_scores_alike():
    scorer = BM25(COLLECTION)
    expected = scorer("tea pot", COLLECTION).tolist()
    for other in (pickle.loads(pickle.dumps(scorer)), copy.deepcopy(scorer)):  # noqa: S301
        assert other("tea pot", COLLECTION).tolist() == expected
        assert other.fingerprint == scorer.fingerprint
