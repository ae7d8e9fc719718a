"""Documents in the forms that people have them in, and ids that are integers."""

import io
import json
import pickle

import numpy as np
import pytest

import intentx as ix
from intentx.documents import as_documents, documents_in
from intentx.rankers import BM25
from intentx.ranking import Ranking, rank
from tests.toys import by_length

pd = pytest.importorskip("pandas", reason="pandas is of the extra [pyterrier]")

ROWS = {"docno": ["d7", "d3", "d5"], "text": ["bb", "cccc", "a"]}
BY_LENGTH = ("d3", "d7", "d5")


class Arrow:
    """A table with Arrow's ways: column_names, and columns with to_pylist."""

    def __init__(self, columns):
        self.columns_, self.column_names = columns, list(columns)

    def __len__(self):
        return len(next(iter(self.columns_.values())))

    def __getitem__(self, name):
        values = self.columns_[name]

        class Column:
            def to_pylist(self):
                return list(values)

        return Column()


@pytest.mark.parametrize(
    "docs",
    [
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS, index=[4, 4, 4]),  # a column goes before the index
        pd.DataFrame(ROWS).rename(columns={"docno": "_id", "text": "passage"}),
        pd.DataFrame({**ROWS, "docid": [10, 11, 12], "qid": "1", "query": "q", "rank": [0, 1, 2]}),
        pd.DataFrame(ROWS).set_index("docno"),
        pd.DataFrame(ROWS).astype({"docno": "category"}),
        pd.Series(ROWS["text"], index=ROWS["docno"]),
        pd.Series(ROWS["text"], index=ROWS["docno"], dtype=object, name="body"),
        Arrow(ROWS),
        dict(zip(*ROWS.values(), strict=True)),
        {i: {"text": t, "title": ""} for i, t in zip(*ROWS.values(), strict=True)},  # BEIR's corpus
        {i: ix.Document(i, t) for i, t in zip(*ROWS.values(), strict=True)},
        [{"id": i, "contents": t} for i, t in zip(*ROWS.values(), strict=True)],
        ({"doc_id": i, "body": t} for i, t in zip(*ROWS.values(), strict=True)),
        np.array([ix.Document(i, t) for i, t in zip(*ROWS.values(), strict=True)]),
    ],
)
def test_ids_and_texts_are_found(docs):
    ranking = rank(by_length, "q", docs)
    assert (ranking.doc_ids, ranking.texts) == (BY_LENGTH, ("cccc", "bb", "a"))
    assert all(type(text) is str for text in ranking.texts)


def test_titles_and_rows_without_one():
    frame = pd.DataFrame({**ROWS, "title": ["T", None, float("nan")]})
    assert [document.content for document in as_documents(frame)] == ["T\nbb", "cccc", "a"]


def test_texts_without_ids_have_their_places():
    for docs in (ROWS["text"], iter(ROWS["text"]), np.array(ROWS["text"]), dict(ROWS)["text"], Arrow(
        {"text": ROWS["text"]}
    ), dict.fromkeys(ROWS["text"]).keys()):  # fmt: skip
        assert [document.id for document in as_documents(docs)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        (
            pd.DataFrame({"url": ["x"], "words": ["y"]}),
            "one column with the texts.*it has 'url', 'words'",
        ),
        (pd.DataFrame({**ROWS, "body": "x"}), "one column with the texts: keep one of 'text', 'body'"),
        (
            pd.DataFrame({"id": [1], "doc_id": [2], "text": "x"}),
            "several columns that may be ids: 'doc_id'",
        ),
        (
            pd.DataFrame({**ROWS, "qid": [1, 1, 2]}),
            r"rows of 2 queries.*'1', '2'.*frame\['qid'\] == '1'",
        ),
        (pd.DataFrame({**ROWS, "query": ["a", "b", "a"]}), "rows of 2 queries in its column 'query'"),
        (
            pd.DataFrame({**ROWS, "text": ["x", None, "y"]}),
            r"row 1 of the frame.*\(docno 'd3'\), has no text",
        ),
        (pd.DataFrame({**ROWS, "text": ["x", pd.NA, "y"]}), "row 1 of the frame"),
        (pd.DataFrame({**ROWS, "docno": ["x", "y", None]}), "row 2 of the frame.*has no docno"),
        (pd.DataFrame({**ROWS, "docno": [1.0, 2.0, None]}), "docno of row 0 must be .* not 1.0"),
        (pd.DataFrame({**ROWS, "docno": "d"}), "must be distinct; repeated: 'd'"),
        (pd.DataFrame({**ROWS, "text": [1, 2, 3]}), "text of document 'd7' must be a string, not int"),
        (pd.DataFrame([["d", "x", "y"]], columns=["docno", "text", "text"]), "2 columns 'text'"),
        (pd.DataFrame({"text": ["x"]}, index=pd.MultiIndex.from_tuples([("a", 1)])), r"not \('a', 1\)"),
        (pd.DataFrame(ROWS).iloc[:0], "no documents to rank"),
        (pd.Series(ROWS["text"], index=[1, 1, 2]), "repeated: '1'"),
        (pd.Series(ROWS["text"], index=[0.5, 1, 2]), "must be text or an integer, not 0.5"),
        (pd.Series(["x", None]), "text of document '1' must be a string, not"),
        (pd.Series([1, 2]), "text of document '0' must be a string, not int"),
        ({"a", "b"}, "a set, which has no order"),
        (frozenset("ab"), "a set, which has no order"),
        (np.array([["a", "b"]]), "one dimension, not 2"),
        (np.array("a"), "one dimension, not 0"),
        (np.array([1.0]), "text of document '0' must be a string, not float"),
        (io.StringIO("a\nb"), "an open file"),
        (7, "not int"),
        (len, "not builtin_function_or_method"),
        ([("d1", "tea"), ("d2", "pot")], r"document 0, counted from 0, is a tuple of two.*dict\(docs\)"),
        ({"a": "x"}.items(), r"dict\(docs\)"),
        ([b"tea"], "must be a string, not bytes; decode it"),
        ({b"a": "tea"}, "not the bytes b'a'; decode it"),
        ({1.5: "tea"}, "not 1.5"),
        ({True: "tea"}, r"not True \(bool\)"),
        ({None: "tea"}, "not None"),
        ({(1, 2): "tea"}, r"not \(1, 2\)"),
        ([ix.Document(None, "tea")], "not None"),
        ({"a": ix.Document("b", "tea")}, "under the id 'a' says that its own id is 'b'"),
        ({"a": {"title": "tea"}}, "document 'a' needs one text.*it has 'title'"),
        ([{"text": "tea"}], "needs an id, under one of docno"),
        ([{"id": "a", "_id": "b", "text": "tea"}], "has several ids"),
        (["tea", None], "text of document '1' must be a string, not NoneType"),
        ({1: "x", "1": "y"}, "must be distinct; repeated: '1'"),
    ],
)
def test_what_is_not_clear_is_refused(docs, message):
    with pytest.raises(ix.InputError, match=message):
        rank(by_length, "q", docs)


def test_documents_are_read_one_by_one():
    def endless():
        yield "tea"
        yield "pot"
        raise AssertionError("read too far")

    found = documents_in(endless())
    assert [next(found).text, next(found).text] == ["tea", "pot"]


BY_NUMBER = {7: "bb", 1: "cccc", 0: "a", 12: "ddddd"}  # 12, 1, 7, 0 by length


@pytest.mark.parametrize(
    "docs",
    [
        BY_NUMBER,
        {np.int64(i): text for i, text in BY_NUMBER.items()},
        pd.Series(BY_NUMBER),
        pd.DataFrame({"text": BY_NUMBER}),
        pd.DataFrame({"docno": list(BY_NUMBER), "text": list(BY_NUMBER.values())}),
        [ix.Document(i, text) for i, text in BY_NUMBER.items()],
        [{"id": i, "text": text} for i, text in BY_NUMBER.items()],
    ],
)
def test_ids_that_are_integers_are_no_positions(docs):
    ranking = rank(by_length, "q", docs)
    assert ranking.doc_ids == ("12", "1", "7", "0")
    assert json.dumps(ranking.doc_ids) == '["12", "1", "7", "0"]'
    assert [ranking.position(doc) for doc in ("12", "1", "7", "0")] == [0, 1, 2, 3]
    assert ranking.position(12) == 0  # no such position
    assert ranking.position(1) == 1  # the same document both ways
    with pytest.raises(ix.InputError, match=r"0 may be an id or a position: doc='0' for.*doc_ids\[0\]"):
        ranking.position(0)
    with pytest.raises(ix.InputError, match=r"no document '2', doc=ranking.doc_ids\[2\] for the one"):
        ranking.position(np.int64(2))
    with pytest.raises(ix.InputError, match="no document '9'; it has '12', '1', '7', '0'"):
        ranking.position(9)
    some, texts = ranking.doc_ids[1::2], ranking.texts[1::2]
    again = rank(by_length, "q", dict(zip(some, texts, strict=True)))
    copied = pickle.loads(pickle.dumps(Ranking("q", some, texts, [1, 0])))  # noqa: S301
    for kept in (ranking.subset([1, 3]), again, copied):
        with pytest.raises(ix.InputError, match="0 may be an id or a position"):
            kept.position(0)


def test_an_integer_explains_no_other_document():
    docs = {5: "tea and a pot", 1: "a tea pot of tea", 2: "a lamp", 0: "a house with a tea room"}
    ranking = rank(BM25(docs), "tea", docs)
    assert ranking.doc_ids[0] == "1"
    with pytest.raises(ix.InputError, match="0 may be an id or a position"):
        ix.EXS(samples=20).explain(ranking, 0)
    assert ix.EXS(samples=20).explain(ranking, "0").position == ranking.doc_ids.index("0") > 0
    assert ix.EXS(samples=20).explain(ranking, ranking.doc_ids[0]).position == 0
    assert ix.EXS(samples=20, max_terms=3).explain(ranking).terms  # each document by itself, in turn


def test_positions_are_as_ever_where_ids_are_texts():
    for docs in (["bb", "cccc", "a"], {"0": "bb", "1": "cccc", "2": "a"}):
        ranking = rank(by_length, "q", docs)
        assert ranking.doc_ids == ("1", "0", "2")
        assert [ranking.position(0), ranking.position(np.int64(2)), ranking.position("0")] == [0, 2, 1]
        for wrong in (1.0, True, None, (1,)):
            with pytest.raises(ix.InputError, match="by its id, a text, or by its position"):
                ranking.position(wrong)


def test_recorded_runs_in_frames():
    docs = pd.DataFrame(ROWS)
    scores = {"d7": 3.0, "d5": 1.0}
    frame = pd.DataFrame({"docno": list(scores), "score": list(scores.values()), "qid": "1"})
    for run in (scores, pd.Series(scores), frame, pd.concat([frame]).set_index("docno")):
        ranking = Ranking.from_run(run, "q", docs)
        assert (ranking.doc_ids, ranking.scores.tolist()) == (("d7", "d5"), [3, 1])
    both = Ranking.from_run(docs.assign(score=[1.0, 2.0, 3.0]), "q", docs)
    assert both.doc_ids == ("d5", "d3", "d7")
    assert Ranking.from_run(np.array(["d5", "d7"]), "q", docs).doc_ids == ("d5", "d7")


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (pd.DataFrame({"docno": ["d7"]}), "needs a column 'score'; it has 'docno'"),
        (pd.DataFrame({"docno": ["d7", "d3"], "score": 1.0, "qid": [1, 2]}), "rows of 2 queries"),
        (pd.DataFrame({"docno": ["d7", "d7"], "score": 1.0}), "distinct"),
        (pd.DataFrame({"docno": ["d7"], "score": [None]}), "score nan"),
        (pd.Series(["d7", "d3"]), "names 2 of 2 documents"),
        ({"d7", "d3"}, "a set has no order"),
        ({7.0: 1.0}, "an id in the run must be text or an integer, not 7.0"),
        (7, "not int"),
    ],
)
def test_runs_that_are_not_clear(run, message):
    with pytest.raises(ix.InputError, match=message):
        Ranking.from_run(run, "q", pd.DataFrame(ROWS))


def test_integers_in_a_run_are_ids():
    ranking = Ranking.from_run({7: 1.0, 1: 3.0, 0: 2.0}, "q", {"7": "bb", "1": "cccc", "0": "a"})
    assert ranking.doc_ids == ("1", "0", "7")
    with pytest.raises(ix.InputError, match="0 may be an id or a position"):
        ranking.position(0)
    assert Ranking("q", (7, 1), ("bb", "a"), [1, 2]).position("7") == 1
