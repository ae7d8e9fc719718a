"""Where the queries and documents of studies come from: BEIR's folders, ir_datasets, TREC files."""

import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.search import SearchIndex
from intentx.study import sources
from intentx.study.data import topics
from intentx.study.plan import Data, read_study
from intentx.study.results import read_results
from intentx.study.run import run_study

DOCS = [f"piano {'key ' * (i % 4)}{'desk ' * (i % 3)}" for i in range(12)] + ["a lamp"]
STUDY = """
name = "files"
[data]
docs = "docs.jsonl"
topics = "queries.tsv"
runs = ["first.trec", "second.run.gz"]
pool = "first"
depth = 5
[rankers]
BM25 = "bm25"
second = "run:second"
[methods]
Q = "query-terms"
[measures]
heldout = 0
stability = 0
"""


def trec(scores):
    """A run of these scores of documents by query, in no order."""
    return "".join(
        f"{qid} Q0 {doc} 1 {score} tag\n" for qid, run in scores.items() for doc, score in run.items()
    )


@pytest.fixture
def folder(tmp_path):
    import gzip

    lines = [json.dumps({"docno": f"d{i}", "contents": text}) for i, text in enumerate(DOCS)]
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    (tmp_path / "queries.tsv").write_text("7\tpiano key\n10\tdesk\n11\tlamp\n")
    first = {qid: {f"d{i}": i / 10 for i in range(8)} for qid in ("7", "10", "99")}
    (tmp_path / "first.trec").write_text(trec(first))
    second = {"7": {f"d{i}": -i for i in range(4, 12)}, "10": {f"d{i}": -i for i in range(12)}}
    (tmp_path / "second.run.gz").write_bytes(gzip.compress(trec(second).encode()))
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_trec_files(folder):
    study = read_study(folder / "study.toml")
    with pytest.warns(ix.errors.DataWarning, match="lacks 1 of 3 queries, which are left out: '11'"):
        found = list(topics(study.data))
    assert [(topic.qid, topic.query) for topic in found] == [("7", "piano key"), ("10", "desk")]
    assert found[0].pool == ("d7", "d6", "d5", "d4", "d3")
    assert list(found[0].runs["second"]) == ["d4", "d5", "d6", "d7", "d8"]
    assert set(found[0].docs) == {f"d{i}" for i in range(3, 9)}
    assert found[0].docs["d7"] == DOCS[7]
    with pytest.warns(ix.errors.DataWarning):
        assert run_study(study, folder / "out").failed == 0
    assert [line.queries for line in read_results([folder / "out"]).lines] == [2, 2]


def test_files_without_a_run_are_searched_by_bm25(folder):
    data = Data(docs=str(folder / "docs.jsonl"), topics=str(folder / "queries.tsv"), depth=4)
    found = list(topics(data))
    assert [topic.qid for topic in found] == ["7", "10", "11"]
    assert found[2].pool[0] == "d12"
    assert len(found[2].pool) == 4


def test_documents_that_are_searched_are_indexed_once(folder):
    index = folder / "kept"
    data = Data(docs=str(folder / "docs.jsonl"), topics=str(folder / "queries.tsv"), depth=4)
    told = []
    found = list(topics(data, index, told.append))
    assert [topic.digest for topic in found] == [topic.digest for topic in topics(data)]
    assert found[2].pool == ("d12", "d0", "d1", "d2")  # one has the word; the first ones follow
    assert found[0].docs == {doc: DOCS[int(doc[1:])] for doc in found[0].pool}
    assert told == [len(DOCS)]
    made = (index / "index.json").read_text()
    assert [topic.pool for topic in topics(data, index, told.append)] == [topic.pool for topic in found]
    assert (told, (index / "index.json").read_text()) == ([len(DOCS)], made)
    lines = (folder / "docs.jsonl").read_text().replace("a lamp", "a desk")
    (folder / "docs.jsonl").write_text(lines)
    assert list(topics(data, index))[2].pool == ("d0", "d1", "d2", "d3")


def test_a_study_keeps_the_index_beside_its_results(folder):
    study = STUDY.replace('runs = ["first.trec", "second.run.gz"]\npool = "first"\n', "")
    (folder / "study.toml").write_text(study.replace('second = "run:second"\n', ""))
    study = read_study(folder / "study.toml")
    for out, index in (("out", None), ("out2", folder / "shared"), ("out3", folder / "shared")):
        assert run_study(study, folder / out, index=index).failed == 0
    assert len(SearchIndex.open(folder / "out" / "index")) == len(DOCS)
    assert not (folder / "out2" / "index").exists()
    assert SearchIndex.open(folder / "shared").search("lamp").ids == ("d12",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"first.trec", ', '"none.trec", ', "cannot read .*none.trec"),
        ('runs = ["first.trec", "second.run.gz"]', 'runs = "first.trec"', "must be a list of files, or"),
        ('"second.run.gz"', '"x/first.trec"', "must have different names: give a table"),
        ('["first.trec", "second.run.gz"]', '{ first = "docs.jsonl" }', "docs.jsonl, line 1: 'qid Q0"),
        ('docs = "docs.jsonl"', "", "runs goes with docs, folder"),
        ('topics = "queries.tsv"', 'folder = "."', "docs needs topics"),
        ('pool = "first"', 'pool = "third"', "no run of 'third'; it has: first, second"),
        ('pool = "first"', "", r"several runs: name one as \[data\] pool, from first, second"),
        (
            'docs = "docs.jsonl"',
            'docs = "few.jsonl"',
            "document 'd7' under query '7', which .*few",
        ),
        ('"queries.tsv"', '"others.tsv"', "first.trec has none of the queries, such as 'x'"),
    ],
)
def test_wrong_trec_files(folder, capsys, old, new, message):
    (folder / "few.jsonl").write_text('{"id": "d1", "text": "piano"}')
    (folder / "others.tsv").write_text("x\tpiano\n")
    assert STUDY.count(old) == 1
    (folder / "study.toml").write_text(STUDY.replace(old, new))
    with pytest.raises(ix.InputError, match=message):
        list(topics(read_study(folder / "study.toml").data))
    assert main(["bench", str(folder / "study.toml"), "--out", str(folder / "out")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_beir(tmp_path):
    (tmp_path / "qrels").mkdir()
    corpus = [
        {"_id": f"d{i}", "title": "", "text": text} for i, text in enumerate(["piano", "desk", "pedal"])
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    queries = [{"_id": "1", "text": "piano"}, {"_id": "2", "text": "desk"}]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n2\td1\t1\n")
    [topic] = topics(Data(beir=str(tmp_path), depth=2))
    assert (topic.qid, topic.query, topic.pool[0], len(topic.pool)) == ("2", "desk", "d1", 2)
    (tmp_path / "corpus.jsonl").unlink()
    with pytest.raises(ix.InputError, match=r"lacks corpus\.jsonl"):
        list(topics(Data(beir=str(tmp_path))))


def test_a_run_beside_beir(folder):
    (folder / "corpus.jsonl").write_text("".join(f'{{"_id": "d{i}", "text": "a"}}\n' for i in range(8)))
    (folder / "queries.jsonl").write_text('{"_id": "7", "text": "tea"}\n{"_id": "12", "text": "pots"}')
    data = Data(beir=str(folder), runs={"first": str(folder / "first.trec")}, depth=3)
    with pytest.warns(ix.errors.DataWarning, match="lacks 1 of 2 queries, which are left out: '12'"):
        [topic] = topics(data)
    assert (topic.qid, topic.pool, list(topic.runs)) == ("7", ("d7", "d6", "d5"), ["first"])


def test_ir_datasets(tmp_path, monkeypatch):
    ir_datasets = pytest.importorskip("ir_datasets")
    (tmp_path / "docs.tsv").write_text("d0\tpiano keys\nd1\tdesk\nd2\ta piano pedal\n")
    (tmp_path / "queries.tsv").write_text("q7\tpiano\n")
    dataset = ir_datasets.create_dataset(
        docs_tsv=str(tmp_path / "docs.tsv"), queries_tsv=str(tmp_path / "queries.tsv")
    )
    name = f"toy-{tmp_path.name}"
    ir_datasets.registry.register(name, dataset)
    [topic] = topics(Data(ir_datasets=name, depth=2))
    assert (topic.qid, topic.query) == ("q7", "piano")
    assert dict(topic.docs) == {"d0": "piano keys", "d2": "a piano pedal"}
    (tmp_path / "r").write_text(trec({"q7": {"d1": 2, "d2": 1}}))
    with monkeypatch.context() as patch:
        patch.setattr(sources, "MOST_SEARCHED", 2)
        with pytest.raises(ix.InputError, match="has more than 2 documents and no run: name TREC runs"):
            list(topics(Data(ir_datasets=name)))
        [topic] = topics(Data(ir_datasets=name, runs={"mine": str(tmp_path / "r")}))
    assert topic.pool == ("d1", "d2")
    with pytest.raises(ix.InputError, match="ir_datasets knows no dataset 'no-such-thing'"):
        list(topics(Data(ir_datasets="no-such-thing")))


def loaded_early(query, texts):
    raise AssertionError("the ranker was loaded")


@pytest.mark.parametrize("name", ["docs.jsonl", "queries.tsv", "second.run.gz"])
def test_a_missing_file_is_told_before_rankers_are_loaded(folder, monkeypatch, name):
    monkeypatch.setattr("intentx.study.run.variants", loaded_early)
    study = read_study(folder / "study.toml")
    (folder / name).unlink()
    with pytest.raises(ix.InputError, match=rf"\[data\] \w+(.\w+)?: there is no file or .*{name}'"):
        run_study(study, folder / "out")
