"""Lines of a study's topics: each thing is what it should be, or is refused with its line."""

import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.study.data import topics
from intentx.study.plan import Data

GOOD = {
    "qid": 7,
    "query": "tea",
    "docs": [{"_id": 1, "content": "tea pot", "title": "T"}, {"id": "b", "text": ""}],
    "runs": {"BM25": {"b": 2, "1": -1.5}},
}


def read(tmp_path, *lines):
    path = tmp_path / "topics.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return list(topics(Data(topics=str(path))))


def test_keys_as_those_of_documents_and_queries(tmp_path):
    found = read(tmp_path, GOOD, {"_id": "8", "text": "boats", "docs": []})
    assert [(topic.qid, topic.query) for topic in found] == [("7", "tea"), ("8", "boats")]
    assert found[0].docs == {"1": "T\ntea pot", "b": ""}
    assert found[0].runs == {"BM25": {"b": 2.0, "1": -1.5}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qid": None}, "qid must be an id, a string or a whole number, not null"),
        ({"qid": True}, "qid must be an id, a string or a whole number, not true"),
        ({"query": None}, "query must be a string, not null"),
        ({"query": ["tea"]}, r"query must be a string, not \['tea'\]"),
        ({"query": " "}, "query '7' must hold at least one character"),
        ({"docs": None}, r'docs must be a list of \{"id": …, "text": …\}; it is None'),
        ({"docs": {"a": "tea"}}, r"docs must be a list of .*; it is \{'a': 'tea'\}"),
        ({"docs": ["tea"]}, "document 1 of docs: an object with id and text expected, not 'tea'"),
        ({"docs": [{"id": 1, "text": None}]}, "document 1 of docs: text must be a string, not null"),
        ({"docs": [{"id": 1.5, "text": "a"}]}, "document 1 of docs: id must be an id, .*, not 1.5"),
        (
            {"docs": [{"id": 1}]},
            "document 1 of docs: none of the keys text, contents, content, body, passage, abstract, "
            "sentences",
        ),
        (
            {"docs": [{"id": 1, "text": "a"}, {"id": "1", "text": "b"}]},
            "document 2 of docs: the document id '1' is already used",
        ),
        ({"runs": None}, "runs must be an object .*, or be left out; it is None"),
        ({"runs": {"BM25": None}}, "runs must be an object .*; 'BM25' is None"),
        ({"runs": {"BM25": ["b"]}}, r"runs must be an object .*; 'BM25' is \['b'\]"),
        (
            {"runs": {"BM25": {"b": None}}},
            "the score of 'b' in run 'BM25' must be a finite number, not null",
        ),
        ({"runs": {"BM25": {"b": True}}}, "'b' in run 'BM25' must be a finite number, not true"),
        ({"runs": {"BM25": {"b": "2"}}}, "'b' in run 'BM25' must be a finite number, not '2'"),
        ({"runs": {"BM25": {"b": float("inf")}}}, "'b' in run 'BM25' must be a finite number, not inf"),
        ({"runs": {"BM25": {"z": 1}}}, "run 'BM25' has document 'z', which docs lacks"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, capsys, change, message):
    other = {"qid": 6, "query": "tea", "docs": []}
    with pytest.raises(ix.InputError, match=rf"topics\.jsonl, line 2[:,] .*{message}|line 2: {message}"):
        read(tmp_path, other, GOOD | change)
    path = str(tmp_path / "topics.jsonl")
    assert main(["compare", "--rankers", "bm25,run:BM25", "--queries", path]) == 2
    assert capsys.readouterr().err.startswith(f"intentx: {path}, line 2")


def test_queries_and_scores_that_stand_twice(tmp_path):
    with pytest.raises(ix.InputError, match="line 2: the query id '7' is already used"):
        read(tmp_path, GOOD, GOOD | {"qid": "7"})
    with pytest.raises(ix.InputError, match="line 1: broken JSON: an object has the key 'a' twice"):
        read(tmp_path, '{"qid": 1, "query": "t", "docs": [], "runs": {"x": {"a": 1, "a": 2}}}')
    with pytest.raises(ix.InputError, match=r"topics\.jsonl holds no query"):
        read(tmp_path, "")
