import gzip
import io
import sys
from collections import Counter

import pytest

import intentx as ix
from intentx.datasets import demo_queries, load_demo, read_documents, read_queries


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
        ('{"id": "a", "text": 3}\n', "line 1: text and title must be strings"),
        ("a\tt\na\tu\n", "line 2: a document 'a' was there before"),
        ("no tab here\n", "line 1: id<TAB>text"),
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
        ("1\ttea time\n\n2\tboats\twood\n", {"1": "tea time", "2": "boats\twood"}),
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
        ("1\ttea\n1\tboats\n", "line 2: a query '1' was there before"),
        ("1 tea", "line 1: qid<TAB>query expected, not '1 tea'"),
        ('{"qid": 1, "query": "tea"}\n{"qid": 2}', "line 2: none of the keys query, text, title"),
        ('{"qid": 1, ', "line 1: broken JSON"),
        ("", "holds no query"),
        ("<html>tea</html>", "<top> … </top> or"),
        ("<top><num> 1 <title> tea </top><top><num> 2 </top>", "topic 2: a number, and a <title>"),
        ("<top><num> 1 <title> tea </top>" * 2, "topic 2: a query '1' was there before"),
    ],
)
def test_files_that_hold_no_queries(tmp_path, text, message):
    with pytest.raises(ix.InputError, match=message):
        read_queries(written(tmp_path / "q", text))


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
