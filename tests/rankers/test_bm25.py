import math

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import BM25

COLLECTION = ["green tea in a tea pot", "black tea", "a grand piano", "two boats", "the old house", ""]


def bm25_by_hand(query, text, collection, k1=0.9, b=0.4):
    """Okapi BM25 as rank-bm25 defines it, one number at a time."""
    terms = ix.Analyzer(stem="english")
    rows = [[token.term for token in terms.tokens(one)] for one in collection]
    mean = sum(map(len, rows)) / len(rows)
    row = [token.term for token in terms.tokens(text)]
    total = 0.0
    for token in terms.tokens(query):
        df = sum(token.term in one for one in rows)
        if not df:
            continue
        idf = math.log(len(rows) - df + 0.5) - math.log(df + 0.5)
        assert idf > 0, "the floor for frequent terms is rank-bm25's own business"
        tf = row.count(token.term)
        total += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(row) / mean))
    return total


@pytest.mark.parametrize("query", ["tea", "tea pot", "pianos and boats", "zebra", "the of"])
def test_formula(query):
    texts = [*COLLECTION, "tea tea tea", "a boat with a piano and tea"]
    expected = [bm25_by_hand(query, text, COLLECTION) for text in texts]
    np.testing.assert_allclose(BM25(COLLECTION)(query, texts), expected, atol=1e-12)


def test_statistics_are_the_collections_whatever_is_scored():
    scorer = BM25(COLLECTION)
    alone = scorer("tea pot", [COLLECTION[0]])
    assert alone == scorer("tea pot", COLLECTION)[:1]


def test_a_collection_without_words_is_refused():
    with pytest.raises(ix.InputError, match="at least one word"):
        BM25(["", "the of and"])
