"""`Pipeline`: retrieve, then rerank; as a scorer, over an index, and from a file."""

import json
import pickle

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import BM25, RankerSpec
from intentx.rankers.pipeline import stages_of
from intentx.search import SearchIndex
from tests.toys import Counting

DOCS = {
    "a": "green tea in a tea pot",
    "b": "black tea",
    "c": "a grand piano",
    "d": "",
    "e": "green tea",
    "f": "a very long sentence about tea and much else",
}
TEXTS = [*DOCS.values()]


def shortness(query, texts):
    return [-float(len(text)) for text in texts]


def length(query, texts):
    return [float(len(text)) for text in texts]


@pytest.mark.parametrize("k", [1, 2, 4, 6, 100])
@pytest.mark.parametrize("second", [shortness, length, lambda q, t: [7.0] * len(t)])
def test_order_is_that_of_the_two_stages_by_hand(k, second):
    first = BM25(TEXTS)
    by_first = np.argsort(-first("green tea", TEXTS), kind="stable").tolist()
    again = second("green tea", [TEXTS[i] for i in by_first[:k]])
    best = [by_first[i] for i in np.argsort(-np.array(again), kind="stable")]
    scores = ix.Pipeline(first, second, k=k)("green tea", TEXTS)
    assert [scores[i] for i in best] == sorted(again, reverse=True)
    others = by_first[k:]
    assert not others or max(scores[i] for i in others) < min(again)
    assert sorted(others, key=lambda i: -scores[i]) == others


def test_equal_texts_of_the_first_stage_stay_equal():
    scores = ix.Pipeline(lambda q, t: [3.0, 1.0, 1.0, 0.0], shortness, k=1)("x", ["a", "b", "c", "d"])
    assert scores[0] == -1.0
    assert scores[1] == scores[2] > scores[3]


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e17, 1.7e308])
def test_the_others_come_after_whatever_the_size_of_scores(scale):
    pipeline = ix.Pipeline(length, lambda q, t: [scale * (-1) ** i for i in range(len(t))], k=2)
    scores = pipeline("x", ["aaaa", "aaa", "aa", "a"])
    assert np.isfinite(scores).all()
    assert (np.diff(scores) < 0).all()
    pipeline = ix.Pipeline(length, lambda q, t: [-scale] * len(t), k=2)
    scores = pipeline("x", ["aaaa", "aaa", "aa", "a"])
    assert scores[0] == scores[1] > scores[2] > scores[3]


def test_it_is_a_ranker_like_any_other():
    second = Counting(shortness)
    ranking = ix.rank(ix.Pipeline(BM25(TEXTS), second, k=3), "green tea", DOCS)
    assert ranking.can.listwise
    assert ranking.doc_ids[:3] == ("b", "e", "a")
    before = len(second.texts)
    found = ix.EXS(samples=30, seed=0).explain(ranking, "e")
    assert {"green", "tea"} <= set(found.terms)
    assert len(second.texts) - before < 40  # one text for each edit, not the whole list
    assert len(set(second.texts)) == len(second.texts)


def test_search_over_an_index_is_the_scorer_over_its_documents():
    index = SearchIndex.build(DOCS)
    pipeline = ix.Pipeline(index, shortness, k=2)
    hits = pipeline.search("green tea", 10)
    scores = pipeline("green tea", TEXTS)
    by_id = dict(zip(DOCS, scores.tolist(), strict=True))
    assert hits.ids == tuple(sorted(hits.ids, key=lambda one: -by_id[one]))
    assert hits.scores.tolist() == [by_id[one] for one in hits.ids]
    assert set(hits.ids) == set(index.search("green tea", 10).ids)  # no document without a word
    assert max(by_id["c"], by_id["d"]) < min(hits.scores)
    assert pipeline.search("zebra", 5).ids == ()
    assert pipeline.document("c").text == "a grand piano"
    nested = ix.Pipeline(ix.Pipeline(index, length, k=4), shortness, k=2)
    assert nested.search("green tea", 4).ids[:2] == ("a", "f")
    assert [stage.name for stage in stages_of(nested)] == ["first stage", "reranker 1", "reranker 2"]


def test_search_of_a_scorer_needs_documents():
    pipeline = ix.Pipeline(BM25(TEXTS), shortness, k=3)
    assert pipeline.search("green tea", 2, DOCS).ids == ("b", "e")
    with pytest.raises(ix.InputError, match="give them"):
        pipeline.search("green tea", 2)
    with pytest.raises(ix.InputError, match="documents of its own"):
        ix.Pipeline(SearchIndex.build(DOCS), shortness).search("tea", 2, DOCS)


def test_fingerprints_marks_and_pickles():
    one, other = (ix.Pipeline(BM25(TEXTS), BM25(TEXTS), k=k) for k in (2, 3))
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == ix.Pipeline(BM25(TEXTS), BM25(TEXTS), k=2).fingerprint
    assert ix.Pipeline(BM25(TEXTS), shortness).fingerprint is None
    again = pickle.loads(pickle.dumps(one))  # noqa: S301
    assert again("tea", TEXTS).tolist() == one("tea", TEXTS).tolist()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((3, shortness, 5), "the first stage is a scorer"),
        ((shortness, 3, 5), "the second stage is a scorer"),
        ((shortness, SearchIndex.build(["tea"]), 5), "a search room can only be the first one"),
        ((shortness, shortness, 0), "k of a pipeline must be a whole number"),
        ((shortness, shortness, True), "k of a pipeline must be"),
        ((shortness, shortness, 2.0), "k of a pipeline must be"),
    ],
)
def test_what_is_no_pipeline(parts, said):
    with pytest.raises(ix.InputError, match=said):
        ix.Pipeline(*parts)


def test_an_index_gives_any_text_its_score():
    index = SearchIndex.build(DOCS)
    hits = index.search("green tea", 10)
    scores = BM25.of_index(index)("green tea", [DOCS[one] for one in hits.ids])
    assert scores.tolist() == hits.scores.tolist()
    assert BM25.of_index(index).fingerprint == BM25.of_index(SearchIndex.build(DOCS)).fingerprint


def test_files_of_pipelines(tmp_path):
    (tmp_path / "inner.json").write_text(json.dumps({"first": "bm25", "second": "lm", "k": 4}))
    (tmp_path / "outer.toml").write_text('first = "pipeline:inner.json"\nsecond = "bm25#k1=2"\n')
    spec = RankerSpec.parse(f"pipeline:{tmp_path / 'outer.toml'}#k=2")
    pipeline = spec.load(TEXTS)
    assert (pipeline.k, pipeline.first.k) == (2, 4)
    assert pipeline.second._model.k1 == 2
    assert RankerSpec.parse(str(spec)) == spec
    assert pipeline("green tea", TEXTS).shape == (6,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("first = 'bm25'", "needs second"),
        ("first = 'bm25'\nsecond = 'bm25'\nk = 0", "k must be a whole number"),
        ("first = 'bm25'\nsecond = 'bm25'\ndepth = 3", "no key 'depth'"),
        ("first = ", "neither TOML nor JSON"),
        ("first = 'bm52'\nsecond = 'bm25'", "did you mean 'bm25'"),
        ("first = 'run:x'\nsecond = 'bm25'", "a recorded run cannot be a stage"),
        ("first = 'bm25'\nsecond = 'pipeline:p.toml'", "names itself"),
    ],
)
def test_files_that_are_none(tmp_path, content, said):
    (tmp_path / "p.toml").write_text(content)
    with pytest.raises(ix.InputError, match=said):
        RankerSpec.parse(f"pipeline:{tmp_path / 'p.toml'}").load(TEXTS)
