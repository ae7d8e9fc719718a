"""`missing`: planted losses are found at their stage, and what is said to bring a document in does."""

import json
from typing import ClassVar

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.perturbation import insert_terms
from intentx.rankers import BM25
from intentx.report.pages.missing import missing_page
from intentx.search import SearchIndex

DOCS = {f"d{i}": f"green tea pot, number {'one ' * i}" for i in range(8)} | {
    "lacking": "something green",
    "unliked": "green tea green tea rubbish",
    "long": "green tea. " + "filler " * 12 + "excellent",
    "empty": "",
}


def liking(query, texts):
    """Reads texts to the end; likes the word excellent, dislikes rubbish."""
    return [t.count("tea") + 5 * t.count("excellent") - 9.0 * t.count("rubbish") for t in texts]


class Cut:
    """The same, but it reads 40 characters."""

    def seen(self, query, texts):
        return [text[:40] for text in texts]

    def __call__(self, query, texts):
        return liking(query, self.seen(query, texts))


def found(doc, second=liking, k=3, depth=9, index=True):
    first = SearchIndex.build(DOCS) if index else BM25([*DOCS.values()])
    return ix.missing(ix.Pipeline(first, second, k=depth), "green tea", doc, DOCS, k=k)


@pytest.mark.parametrize("index", [True, False])
def test_lost_at_the_first_stage_for_a_missing_word(index):
    answer = found("lacking", index=index)
    assert (answer.stage, answer.lost_at) == ("first stage", "first stage")
    assert [(one.word, one.term, one.documents) for one in answer.lacks] == [("tea", "tea", 10)]
    first = answer.stages[0]
    scores = BM25([*DOCS.values()])("green tea", [*DOCS.values()])
    place = [*DOCS].index("lacking")
    order = np.argsort(-scores, kind="stable").tolist()
    assert (first.rank, first.score) == (order.index(place) + 1, pytest.approx(scores[place]))
    assert first.last_score == pytest.approx(scores[order[8]])
    assert first.distance == pytest.approx(scores[order[8]] - scores[place])
    assert not answer.stages[1].reached
    assert answer.for_first.words == ("tea",)
    assert answer.for_first.exact
    text = insert_terms(DOCS["lacking"], answer.for_first.words)
    now = BM25([*DOCS.values()])("green tea", [*DOCS.values(), text])
    assert answer.for_first.rank == 1 + sum(now[:-1][i] >= now[-1] for i in range(12) if i != place)


def test_a_tie_and_the_same_words_for_both_stages_are_said_once():
    docs = {"a": "Green tea in a tea pot.", "c": "Black tea.", "d": "Something green to drink."}
    ranker = ix.Pipeline(SearchIndex.build(docs), lambda q, some: [t.count("tea") for t in some], k=2)
    found = ix.missing(ranker, "green tea", "d", docs, k=2)
    assert found.stages[0].distance == 0
    assert (
        f"Its score, {found.stages[0].score:.4g}, is that of rank 2, which stands before it."
        in found.sentence
    )
    assert found.for_first.words == found.change.words == ("tea",)
    assert (
        "With 'tea' in front, the first stage lets it through at rank 2, and in the end"
        in found.sentence
    )
    assert found.sentence.count("in front") == 1


def test_lost_at_the_reranker():
    answer = found("unliked")
    assert (answer.stage, answer.lost_at, answer.rank) == ("reranker", "reranker", 9)
    assert [one.reached for one in answer.stages] == [True, True]
    assert answer.stages[1].score == 2 - 9
    assert answer.for_first is None
    assert answer.lacks == ()
    assert (answer.change.words, answer.change.status) == ((), "none within the budget")
    assert "no words of the query" in answer.sentence.lower()


def test_lost_by_length():
    assert found("long", depth=12).stage == "found"
    answer = found("long", Cut(), depth=12)
    assert (answer.stage, answer.lost_at) == ("length", "reranker")
    assert answer.unread.start == 40
    assert answer.unread.best_rank == 1
    best = DOCS["long"][answer.unread.best_start : answer.unread.best_end]
    assert "excellent" in best
    assert len(best) <= 40


def test_a_change_of_the_query_that_brings_it_in_is_checked_and_smallest():
    docs = {"a": "green tea tea", "b": "green tea", "c": "tea", "d": "green"}
    answer = ix.missing(lambda q, t: [x.count("tea") for x in t], "green tea", "d", docs, k=2)
    assert (answer.stage, answer.rank) == ("ranker", 4)
    assert (answer.change.words, answer.change.rank) == ((), None)  # one tea ties with b, which is first
    answer = ix.missing(lambda q, t: [x.count("tea") for x in t], "green tea", "d", docs, k=3)
    assert answer.change.words == () or answer.change.rank <= 3
    stuffed = ix.missing(SearchIndex.build(docs), "green tea", "d", k=1)
    assert len(stuffed.change.words) > 1
    fewer = stuffed.change.words[:-1]
    text = insert_terms("green", fewer)
    bm25 = BM25([*docs.values()])
    assert bm25("green tea", [text])[0] <= max(bm25("green tea", [docs["a"], docs["b"], docs["c"]]))


def test_the_smallest_change_is_not_of_the_query_words_alone():
    """The reranker likes a word that the query lacks, and the first stage lacks one of the query."""
    docs = {name: text for name, text in DOCS.items() if name != "long"}
    docs |= {"praised": "green tea, Excellent", "praised too": "Excellent green tea"}

    def fond(query, texts):
        return [5 * text.count("Excellent") + len(text) / 1000 for text in texts]

    pipeline = ix.Pipeline(SearchIndex.build(docs), fond, k=9)
    answer = ix.missing(pipeline, "green tea", "lacking", docs, k=2)
    assert (answer.stage, answer.change.words) == ("first stage", ())
    smallest = answer.smallest
    assert set(smallest.changes) == {"+ tea", "+ Excellent"}
    assert (smallest.status, smallest.robustness) == ("minimal", 1.0)
    way = ix.missing(
        pipeline.first, "green tea", "lacking", {**docs, "lacking": smallest.edited_text}, k=9
    )
    assert way.stage == "ranker"  # the index has the text as it was
    again = ix.Pipeline(BM25([*docs.values()], analyzer=pipeline.first.analyzer), fond, k=9)
    edited = {**docs, "lacking": smallest.edited_text}
    assert "lacking" in again.search("green tea", 2, edited).ids
    assert smallest.rank == 1 + again.search("green tea", 2, edited).ids.index("lacking")
    assert "(minimal): at rank" in answer.sentence
    kept = ix.missing(pipeline, "green tea", "lacking", docs, k=2, keep="query")
    assert not any("tea" in one for one in kept.smallest.changes)


def test_the_formula_is_the_best_of_all_choices():
    from itertools import combinations_with_replacement

    bm25 = BM25([*DOCS.values(), "number"], k1=1.2, b=0.75)
    text, query = "a green pot", "green tea number"
    for terms, score in bm25.additions(query, text, 4):
        every = (
            bm25(query, [" ".join([*some, text])])[0]
            for some in combinations_with_replacement(["green", "tea", "number"], len(terms))
        )
        assert score == pytest.approx(max(every))


def test_found_after_all():
    answer = found("long", depth=12)
    assert (answer.stage, answer.lost_at, answer.rank) == ("found", "", 1)
    assert answer.change is answer.for_first is answer.unread is None
    assert "at rank 1" in answer.sentence


def test_beyond_what_is_reranked():
    answer = ix.missing(ix.Pipeline(SearchIndex.build(DOCS), liking, k=2), "green tea", "d3", k=10)
    assert answer.stage == "found"
    assert answer.rank == answer.stages[0].rank > 2


def test_a_document_without_words_and_a_query_without_words():
    answer = found("empty")
    assert (answer.stage, answer.stages[0].rank) == ("first stage", None)
    assert "no word that the first stage reads" in answer.sentence
    assert [one.word for one in answer.lacks] == ["green", "tea"]
    answer = ix.missing(SearchIndex.build(DOCS), "the of", "d1", k=2)
    assert answer.rank is None
    assert answer.change is None


@pytest.mark.parametrize("collection", [DOCS, [*DOCS.values()], SearchIndex.build(DOCS)])
def test_what_is_not_in_the_collection(collection):
    with pytest.raises(ix.InputError, match="no document 'nowhere' among the 12"):
        ix.missing(liking, "green tea", "nowhere", collection)


def test_what_is_not_in_the_index():
    pipeline = ix.Pipeline(SearchIndex.build({"a": "tea"}), liking)
    with pytest.raises(ix.InputError, match="is in the collection, and not in the index"):
        ix.missing(pipeline, "tea", "b", {"a": "tea", "b": "more tea"})
    answer = ix.missing(pipeline, "tea", "a", {"a": "another tea"})
    assert "another text" in answer.sentence


def test_the_forms_of_a_collection(tmp_path):
    bm25s = pytest.importorskip("bm25s")
    texts = [*DOCS.values()]
    index = bm25s.BM25(corpus=texts)
    index.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)
    assert ix.missing(liking, "green tea", "9", index, k=3) == ix.missing(
        liking, "green tea", "9", texts, k=3
    )
    with pytest.raises(ix.InputError, match="load_corpus=True"):
        ix.missing(liking, "green tea", "9", bm25s.BM25())

    def found_first(query, k):
        ids = SearchIndex.build(DOCS).search(query, k).ids
        return {name: DOCS[name] for name in ids}

    answer = ix.missing(liking, "green tea", "unliked", found_first, k=3)
    assert (answer.stage, answer.lost_at) == ("reranker", "reranker")
    assert "The collection is a search" in answer.sentence
    with pytest.raises(ix.InputError, match="no document 'empty' among those that the search found"):
        ix.missing(liking, "green tea", "empty", found_first)


@pytest.mark.parametrize("given", [{"k": 0}, {"k": True}, {"budget": 0}, {"k": 2.5}])
def test_settings_out_of_range(given):
    with pytest.raises(ix.InputError, match="must be a whole number"):
        ix.missing(liking, "tea", "a", {"a": "tea"}, **given)


def test_no_collection_and_no_query():
    with pytest.raises(ix.InputError, match="no collection"):
        ix.missing(liking, "tea", "a")
    with pytest.raises(ix.InputError, match="the query must be"):
        ix.missing(liking, " ", "a", {"a": "tea"})


@pytest.mark.parametrize("doc", ["lacking", "unliked", "long", "d0", "empty"])
def test_there_and_back(doc, tmp_path):
    answer = found(doc, Cut())
    again = ix.load(answer.save(tmp_path / "m.json"))
    assert again == answer
    assert again.to_json() == answer.to_json()
    assert answer.to_json() == found(doc, Cut()).to_json()
    assert "first stage" in answer.text()
    assert "<table>" in answer._repr_html_()
    page = answer.to_html(tmp_path / "m.html").read_text()
    assert "<script" not in page
    assert DOCS[doc][:5] in page


def test_the_command(tmp_path, capsys):
    lines = (json.dumps({"id": one, "text": text}) for one, text in DOCS.items())
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    (tmp_path / "two.toml").write_text('first = "bm25"\nsecond = "lm"\nk = 9\n')
    base = ["missing", "--query", "green tea", "--doc", "lacking", "--docs", f"{tmp_path}/docs.jsonl"]
    pipeline = [*base, "--ranker", f"pipeline:{tmp_path}/two.toml", "--k", "3"]
    assert main([*pipeline, "--json", "--html", f"{tmp_path}/m.html"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["format"], plain["stage"]) == ("intentx.missing/1", "first stage")
    assert (tmp_path / "m.html").exists()
    assert main([*base, "--ranker", "lm", "--first", "bm25", "--depth", "9", "--k", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == plain
    assert main([*base, "--ranker", "bm25"]) == 0
    assert "lacking" in capsys.readouterr().out
    assert main([*base, "--ranker", "bm25", "--depth", "3"]) == 2
    assert main([*base[:-1], f"{tmp_path}/none.jsonl", "--ranker", "bm25"]) == 2


def test_real_parts(dl19):
    """BM25 over an index and MiniLM, on a few dozen passages."""
    pytest.importorskip("sentence_transformers")
    from intentx.datasets import read_documents, read_queries
    from intentx.files import numbered_lines

    queries = read_queries(dl19 / "queries.tsv")
    rows = (line.split("\t") for _, line in numbered_lines(dl19 / "candidates.tsv.gz"))
    qid, wanted = None, []
    for row in rows:
        if row[0] not in queries:
            continue
        qid = qid or row[0]
        if row[0] == qid and row[1] not in wanted:
            wanted.append(row[1])
        if len(wanted) == 40:
            break
    docs = {one.id: one.content[:200] for one in read_documents(dl19 / "passages.jsonl.gz", set(wanted))}
    index = SearchIndex.build(docs)
    try:
        second = ix.rankers.BiEncoder.minilm()
    except ix.IntentxError as error:
        pytest.skip(str(error))
    pipeline = ix.Pipeline(index, second, k=20)
    order = index.search(queries[qid], 40).ids
    late = ix.missing(pipeline, queries[qid], order[25], docs, k=5, budget=20)
    assert (late.stage, late.stages[0].rank) == ("first stage", 26)
    assert late.for_first.exact
    hits = pipeline.search(queries[qid], 20).ids
    low = ix.missing(pipeline, queries[qid], hits[12], k=5, budget=20)
    assert (low.stage, low.rank) == ("reranker", 13)
    assert ix.missing(pipeline, queries[qid], hits[2], k=5).rank == 3


def by_words(**weights):
    return lambda query, texts: [
        float(sum(weight * text.split().count(word) for word, weight in weights.items()))
        for text in texts
    ]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("depths", [(2, 4), (4, 2), (1, 6), (3, 3)])
def test_the_rank_is_that_of_the_pipeline_at_any_depths(indexed, depths):
    """A later stage may take more than an earlier one: it gets what was not reranked, too."""
    words = ["tea tea tea", "tea tea red", "tea tea", "tea blue", "tea red blue", "tea red", "tea"]
    docs = {f"d{i}": text for i, text in enumerate(words)}
    first = SearchIndex.build(docs) if indexed else by_words(tea=1)
    inner = ix.Pipeline(first, by_words(red=1), k=depths[0])
    pipeline = ix.Pipeline(inner, by_words(blue=1, red=2), k=depths[1])
    ids = pipeline.search("tea", 7, None if indexed else docs).ids
    for k in (1, 3):
        for doc in docs:
            answer = ix.missing(pipeline, "tea", doc, docs, k=k)
            assert answer.rank == ids.index(doc) + 1
            assert (answer.stage == "found") == (doc in ids[:k])
            if answer.stage != "found":
                last = max(i for i, one in enumerate(answer.stages) if one.reached)
                assert answer.lost_at == answer.stages[last].name


def test_equal_scores_of_a_reranker_are_in_the_order_that_the_ranker_has():
    docs = {"a": "tea", "b": "tea tea tea", "c": "tea tea"}
    pipeline = ix.Pipeline(by_words(tea=1), lambda query, texts: [1.0] * len(texts), k=3)
    ranking = ix.rank(pipeline, "tea", docs)
    for doc in docs:
        assert ix.missing(pipeline, "tea", doc, docs, k=1).rank == ranking.position(doc) + 1


class Room:
    """A search of one's own, which tells documents and nothing of words."""

    docs: ClassVar = {"a": "green tea", "b": "tea pot", "c": "pots of stone"}

    def search(self, query, k):
        return ["a", "b"][:k], [2.0, 1.0][:k]

    def document(self, doc_id):
        return ix.Document(doc_id, self.docs[doc_id])


def test_a_search_of_ones_own_does_not_tell_how_many_documents_hold_a_word():
    answer = ix.missing(Room(), "green tea", "c", k=2)
    assert [(one.word, one.documents) for one in answer.lacks] == [("green", None), ("tea", None)]
    assert "<bdi>green</bdi></li>" in missing_page(answer)
    known = ix.missing(SearchIndex.build(Room.docs), "green tea", "c", k=2)
    assert [(one.word, one.documents) for one in known.lacks] == [("green", 1), ("tea", 2)]
    assert "<bdi>tea</bdi>: in 2 documents</li>" in missing_page(known)
