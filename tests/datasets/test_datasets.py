import gzip
import io
import sys
from collections import Counter
from pathlib import Path

import pytest

import intentx as ix
from intentx.datasets import demo_queries, load_demo, read_documents, read_queries
from intentx.datasets.records import ID_KEYS, QID_KEYS, QUERY_KEYS, TEXT_KEYS


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_jsonl_with_the_keys_people_use(tmp_path):
    lines = '{"id": "a", "text": "tea"}\n\n{"_id": 7, "title": "T", "body": "x"}\n'
    found = read_documents(written(tmp_path / "d.jsonl", lines))
    assert found == (ix.Document("a", "tea"), ix.Document("7", "x", "T"))


def test_tsv_with_two_or_three_columns(tmp_path):
    found = read_documents(written(tmp_path / "d.tsv", "a\ttea 🍵\nb\tTitle\ttext\n"))
    assert found == (ix.Document("a", "tea 🍵"), ix.Document("b", "text", "Title"))


def test_gzip_byte_order_mark_and_standard_input(tmp_path, monkeypatch):
    packed = tmp_path / "d.tsv.gz"
    packed.write_bytes(gzip.compress("\ufeffa\tשלום\r\n".encode()))
    assert read_documents(packed) == (ix.Document("a", "שלום"),)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\ttea\n")))
    assert read_documents("-") == (ix.Document("a", "tea"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": "a", "text": "t"}\n{"id": "b"\n', "line 2: broken JSON"),
        ('{"id": "a", "text": "t"}\n[1]\n', "line 2: a JSON object"),
        ('{"id": "a", "words": "t"}\n', "line 1: none of the keys text"),
        ('{"text": "t"}\n', "line 1: none of the keys id"),
        ('{"id": "a", "text": 3}\n', "line 1: text must be a string, not 3"),
        ("a\tt\na\tu\n", "line 2: the document id 'a' is already used"),
        ("no tab here\n", "line 1: id<TAB>text"),
        ("a\tu\tTea\tgreen tea\n", "first line that names them, such as id<TAB>text<TAB>other"),
        ('[{"id": "a", "text": "tea"}]\n', r"one object stands on each line: jq -c '\.\[\]'"),
        ("id,text\na,green tea\n", "tabs stand between columns, and not commas"),
        ("\n \n", "holds no documents"),
    ],
)
def test_broken_files_name_the_line(tmp_path, text, message):
    with pytest.raises(ix.InputError, match=message):
        read_documents(written(tmp_path / "d", text))


def test_unreadable_files(tmp_path):
    with pytest.raises(ix.InputError, match="cannot read"):
        read_documents(tmp_path / "none")
    (tmp_path / "latin").write_bytes("a\tcafé\n".encode("latin-1"))
    with pytest.raises(ix.InputError, match="line 1: not UTF-8"):
        read_documents(tmp_path / "latin")


TREC_2004 = """<top>
<num> Number: 301
<title> International
  organized crime &amp; law

<desc> Description:
Which organizations?
</top>
<top>
<num> Number: 302 </num>
<title> Topic: Poliomyelitis </title>
</top>
"""
TREC_2020 = """<topics task="COVIDSearch">
 <topic number="1">
  <query>coronavirus origin</query><question>Where from?</question>
 </topic>
 <topic number='2' type="x"><title>masks</title></topic>
</topics>
"""


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("1\ttea time\n\n2\tboats wood\n", {"1": "tea time", "2": "boats wood"}),
        (
            '{"qid": 1, "query": "tea"}\n{"_id": "b", "text": "ñ 🎹"}\n{"id": 3, "title": "x"}\n',
            {"1": "tea", "b": "ñ 🎹", "3": "x"},
        ),
        (TREC_2004, {"301": "International organized crime & law", "302": "Poliomyelitis"}),
        (TREC_2020, {"1": "coronavirus origin", "2": "masks"}),
    ],
)
def test_queries(tmp_path, text, queries):
    assert read_queries(written(tmp_path / "q", text)) == queries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\ttea\n1\tboats\n", "line 2: the query id '1' is already used"),
        ("1 tea", "line 1: qid<TAB>query expected, not '1 tea'"),
        ("1\ttea\tx", "3 columns; .* such as qid<TAB>query<TAB>other"),
        ('{"qid": 1, "query": "tea"}\n{"qid": 2}', "line 2: none of the keys query, text, contents"),
        ('{"qid": 1, ', "line 1: broken JSON"),
        ("", "holds no query"),
        ("<html>tea</html>", "<top> … </top> or"),
        ("<top><num> 1 <title> tea </top><top><num> 2 </top>", "topic 2: a number, and a <title>"),
        ("<top><num> 1 <title> tea </top>" * 2, "topic 2: the query id '1' is already used"),
    ],
)
def test_files_that_hold_no_queries(tmp_path, text, message):
    with pytest.raises(ix.InputError, match=message):
        read_queries(written(tmp_path / "q", text))


BAD_IDS = [
    ("null", "an id, a string or a whole number, not null"),
    ("true", "an id, a string or a whole number, not true"),
    ("1.0", "an id, a string or a whole number, not 1.0"),
    ('["a"]', r"an id, a string or a whole number, not \['a'\]"),
    ('{"a": 1}', "an id, a string or a whole number, not {'a': 1}"),
    ("NaN", "an id, a string or a whole number, not nan"),
    ('""', "must hold at least one character, not ''"),
    ('" "', "must hold at least one character, not ' '"),
]
BAD_TEXTS = [
    ("null", "must be a string, not null"),
    ("7", "must be a string, not 7"),
    ("false", "must be a string, not false"),
    ('["tea", "pot"]', r"must be a string, not \['tea', 'pot'\]"),
    ('{"a": "tea"}', "must be a string, not {'a': 'tea'}"),
]


@pytest.mark.parametrize(("value", "message"), BAD_IDS)
def test_ids_that_are_none(tmp_path, value, message):
    for read, key, rest in ((read_documents, "docno", "text"), (read_queries, "query_id", "query")):
        path = written(tmp_path / "f", f'\n{{"{key}": {value}, "{rest}": "tea"}}')
        with pytest.raises(
            ix.InputError, match=f"line 2: {key} must .*{message}|line 2: {key} {message}"
        ):
            read(path)


@pytest.mark.parametrize(("value", "message"), BAD_TEXTS)
def test_texts_that_are_none(tmp_path, value, message):
    for read, key in ((read_documents, "body"), (read_documents, "contents"), (read_queries, "query")):
        path = written(tmp_path / "f", f'{{"id": 1, "{key}": {value}}}')
        with pytest.raises(ix.InputError, match=f"line 1: {key} {message}"):
            read(path)
    if value != "null":
        path = written(tmp_path / "f", f'{{"id": 1, "text": "tea", "title": {value}}}')
        with pytest.raises(ix.InputError, match=f"line 1: title {message}"):
            read_documents(path)


def test_every_key_of_documents_and_queries(tmp_path):
    for id_key in ("id", "_id", "doc_id", "docid", "docno"):
        for text_key in ("text", "contents", "content", "body"):
            line = f'{{"{id_key}": 7, "{text_key}": "tea", "title": null, "x": NaN}}'
            assert read_documents(written(tmp_path / "f", line)) == (ix.Document("7", "tea"),)
    for id_key in ("qid", "_id", "id", "query_id"):
        for text_key in ("query", "text", "contents", "content", "title"):
            line = f'{{"{id_key}": "7", "{text_key}": "tea"}}'
            assert read_queries(written(tmp_path / "f", line)) == {"7": "tea"}


def test_the_docs_list_every_key_and_ending():
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
    rows = {row.split("|")[1].strip(): row for row in page.splitlines() if "JSONL |" in row}
    for row, keys in (("documents", (*ID_KEYS, *TEXT_KEYS)), ("queries", (*QID_KEYS, *QUERY_KEYS))):
        assert [key for key in keys if f"`{key}`" not in rows[row]] == []
    assert "[Files](files.md)" in (Path(__file__).parents[2] / "docs" / "index.md").read_text("utf-8")


def test_one_and_the_text_1_are_one_id(tmp_path):
    for read, key in ((read_documents, "text"), (read_queries, "query")):
        path = written(tmp_path / "f", f'{{"id": 1, "{key}": "a"}}\n{{"id": "1", "{key}": "b"}}')
        with pytest.raises(ix.InputError, match=r"line 2: the (document|query) id '1' is already used"):
            read(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id\ttext\n1\ttea\n", [("1", "", "tea")]),
        ("\ufeffDocNo\tTitle\tContents\n1\tT\ttea\n", [("1", "T", "tea")]),
        ("id\ttext\ttitle\n1\ttea\tT\n", [("1", "T", "tea")]),  # as DPR's passages are
        ("text\tlength\tid\n" + "tea\t3\t1\n", [("1", "", "tea")]),
        ("1\ttext\nid\ttext\n", [("1", "", "text"), ("id", "", "text")]),  # no head
        ("1\t\n", [("1", "", "")]),
    ],
)
def test_heads_of_documents(tmp_path, text, found):
    documents = read_documents(written(tmp_path / "d.tsv", text))
    assert [(one.id, one.title, one.text) for one in documents] == found


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("qid\tquery\n1\ttea\n", {"1": "tea"}),
        ("Query-ID\tText\n1\ttea\n", {"1": "tea"}),
        ("#qid\tquery\n1\ttea\n", {"1": "tea"}),
        ("query\tkind\tqid\ntea\tnavigational\t1\n", {"1": "tea"}),
        ("qid\twhat is a query\n1\ttea\n", {"qid": "what is a query", "1": "tea"}),
        ("1\ttea\nqid\tquery\n", {"1": "tea", "qid": "query"}),
    ],
)
def test_heads_of_queries(tmp_path, text, queries):
    assert read_queries(written(tmp_path / "q.tsv", text)) == queries


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (
            read_queries,
            "1\ttea\tpot\n",
            "line 1: qid<TAB>query expected, .*3 columns; a text may hold no",
        ),
        (read_queries, "1\ttea\n2\tboats\twood\n", "line 2: qid<TAB>query expected"),
        (read_queries, "qid\tquery\n1\ttea\tpot\n", "line 2: qid<TAB>query expected"),
        (read_queries, "qid\tquery\n", "has a header line but no query"),
        (read_queries, "\ttea\n", "line 1: the id must hold at least one character"),
        (read_queries, "1\t \n", "line 1: query '1' must hold at least one character"),
        (read_queries, '{"qid": 1, "query": ""}', "line 1: query '1' must hold at least one character"),
        (read_documents, "id\ttext\n", "has a header line but no documents"),
        (read_documents, "a\tb\tc\td\n", "line 1: id<TAB>text or id<TAB>title<TAB>text expected"),
        (read_documents, "id\ttext\n1\tT\ttea\n", "line 2: id<TAB>text expected"),
        (read_documents, " \ttea\n", "line 1: the id must hold at least one character"),
    ],
)
def test_columns_that_do_not_fit(tmp_path, read, text, message):
    with pytest.raises(ix.InputError, match=message):
        read(written(tmp_path / "f.tsv", text))


def test_only_the_documents_that_are_wanted(tmp_path):
    path = written(tmp_path / "d.tsv", "1\ttea\n2\tboats\n3\tsails\n")
    assert [document.id for document in read_documents(path, {"3", "1", "9"})] == ["1", "3"]


def test_the_demo_collection_is_what_it_promises():
    queries = demo_queries()
    assert len(queries) >= 12
    for query in queries:
        demo = load_demo(query)
        assert demo.query == query
        assert 20 <= len(demo.documents) <= 30
        assert all(40 <= len(document.text.split()) <= 90 for document in demo.documents)
        assert len({document.text for document in demo.documents}) == len(demo.documents)
        senses = Counter(demo.sense_of[document.id] for document in demo.documents)
        assert set(senses) == set(demo.senses)
        assert sum(senses[sense] >= 8 for sense in senses if sense != "other") >= 2


def test_unknown_demo_queries_are_named():
    with pytest.raises(ix.InputError, match="jaguar speed"):
        load_demo("tea")


def test_an_explanation_names_the_sense_that_the_ranker_prefers():
    """A ranker that wants one sense of an ambiguous query is explained by words of that sense."""
    for query, sense in (("jaguar speed", "car"), ("palm care", "hand"), ("bass lessons", "fishing")):
        demo = load_demo(query)
        wanted = {doc.content for doc in demo.documents if demo.sense_of[doc.id] == sense}
        ranking = ix.rank(
            lambda _, texts, w=wanted: [float(t in w) for t in texts], query, demo.documents
        )
        for term in ix.Multiplex(budget=0).explain(ranking).terms[:2]:
            holders = [i for i, text in zip(ranking.doc_ids, ranking.texts, strict=True)
                       if term in ix.Analyzer().terms(text)]  # fmt: skip
            shares = Counter(demo.sense_of[i] for i in holders)
            assert shares[sense] > len(holders) / 2, (query, term, shares)
