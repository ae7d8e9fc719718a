import bz2
import gzip
import lzma

import numpy as np
import pytest

import intentx as ix
from intentx.datasets import read_candidates, read_collection, read_qrels

PASSAGES = '{"id": "a", "text": "green tea"}\n{"id": "b", "text": "boats"}\n{"id": "c", "text": "tea"}\n'
QUERIES = "1\ttea\n2\tboats and tea\n"
CANDIDATES = (
    "qid\tdocid\trank\tscore\tretriever\n"
    "1\tc\t1\t2.5\tBM25\n1\ta\t2\t1.5\tBM25\n2\tb\t1\t-1e-1\tBM25\n1\tb\t1\t7\tother\n"
)
QRELS = "1 0 a 3\n1 0 gone 1\n2 Q0 b 0\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "passages.jsonl").write_text(PASSAGES)
    (tmp_path / "queries.tsv").write_text(QUERIES)
    (tmp_path / "candidates.tsv").write_text(CANDIDATES)
    (tmp_path / "qrels.txt").write_text(QRELS)
    return tmp_path


def test_a_folder_becomes_a_collection(folder):
    found = read_collection(folder)
    assert found.name == folder.name
    assert found.texts == {"a": "green tea", "b": "boats", "c": "tea"}
    assert found.queries == {"1": "tea", "2": "boats and tea"}
    assert found.runs == {
        "BM25": {"1": {"c": 2.5, "a": 1.5}, "2": {"b": -0.1}},
        "other": {"1": {"b": 7.0}},
    }
    assert found.qrels == {"1": {"a": 3, "gone": 1}, "2": {"b": 0}}, "judged texts may be elsewhere"
    assert found.pool("BM25", "1") == {"c": "tea", "a": "green tea"}
    assert found.ranking("BM25", "1").doc_ids == ("c", "a")
    assert found.pools() == [["tea", "green tea", "boats"], ["boats"]]
    with pytest.raises(ix.InputError, match="no run of 'bm25'; it has: BM25, other"):
        found.run("bm25")


def test_packed_files_and_no_judgements(folder):
    packed = {"passages.jsonl": ".gz", "candidates.tsv": ".bz2", "queries.tsv": ".xz"}
    for (name, ending), pack in zip(packed.items(), (gzip, bz2, lzma), strict=True):
        path = folder / name
        (folder / f"{name}{ending}").write_bytes(pack.compress(path.read_bytes()))
        path.unlink()
    (folder / "qrels.txt").unlink()
    found = read_collection(folder)
    assert len(found.texts) == 3
    assert found.qrels == {}


def test_columns_in_any_order(tmp_path):
    path = tmp_path / "candidates.tsv"
    path.write_text("retriever\tscore\tdocid\tqid\nBM25\t2\ta\t1\n")
    assert read_candidates(path) == {"BM25": {"1": {"a": 2.0}}}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("candidates.tsv", CANDIDATES + "1\ta\t3\t1\n", "line 6: 5 columns expected"),
        ("candidates.tsv", CANDIDATES + "1\ta\t3\thigh\tother\n", "line 6: the score must be"),
        ("candidates.tsv", CANDIDATES + "1\ta\t3\tinf\tother\n", "line 6: the score must be"),
        (
            "candidates.tsv",
            CANDIDATES + "1\ta\t3\t1\tBM25\n",
            "line 6: document .a. is listed twice",
        ),
        ("candidates.tsv", CANDIDATES + "3\ta\t1\t1\tBM25\n", "query '3', which queries.tsv lacks"),
        ("candidates.tsv", CANDIDATES + "2\tz\t1\t1\tBM25\n", "document 'z' under query '2', which pas"),
        ("candidates.tsv", "qid docid rank score\n", "lacks qid, docid, score, retriever"),
        ("candidates.tsv", CANDIDATES.splitlines()[0], "holds no candidates"),
        ("candidates.tsv", "", "the first line must name the columns"),
        ("candidates.tsv", CANDIDATES + "1\ta\t3\t1_0\tother\n", "line 6: the score must be"),
        ("candidates.tsv", CANDIDATES + "1\t\t3\t1\tother\n", "line 6: docid must hold at least one"),
        ("candidates.tsv", "qid\tdocid\tscore\tscore\tretriever\n", "names a column twice"),
        ("qrels.txt", QRELS + "1 0 b 1_0\n", "line 4: the grade must be a whole number, not '1_0'"),
        ("qrels.txt", QRELS + f"1 0 b {'7' * 5_000}\n", "line 4: the grade must be a whole number"),
        ("queries.tsv", "qid\tquery\n1\ttea\tpot\n", "line 2: qid<TAB>query expected"),
        ("qrels.txt", QRELS + "1 0 b\n", "line 4: 'qid 0 docid grade'"),
        ("qrels.txt", QRELS + "1 0 b 1.5\n", "line 4: the grade must be a whole number, not '1.5'"),
        ("qrels.txt", QRELS + "1 0 a 1\n", "line 4: document 'a' is judged twice"),
        ("qrels.txt", "\n", "holds no judgements"),
        ("queries.tsv", QUERIES + "2\tagain\n", "line 3: the query id '2' is already used"),
        ("passages.jsonl", PASSAGES + "{", "line 4: broken JSON"),
    ],
)
def test_broken_files_are_named(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(ix.InputError, match=message) as caught:
        read_collection(folder)
    assert name in str(caught.value)


def test_missing_files_and_folders(folder):
    with pytest.raises(ix.InputError, match="no folder"):
        read_collection(folder / "none")
    (folder / "queries.tsv").unlink()
    with pytest.raises(ix.InputError, match=r"lacks queries\.tsv or queries\.jsonl, packed"):
        read_collection(folder)
    (folder / "passages.jsonl").unlink()
    with pytest.raises(ix.InputError, match=r"lacks passages\.jsonl or passages\.tsv"):
        read_collection(folder)
    with pytest.raises(ix.InputError, match="cannot read"):
        read_qrels(folder / "none.txt")


def test_the_real_one(dl19):
    found = read_collection(dl19)
    assert len(found.queries) == 43
    assert {len(run) for run in found.run("BM25").values()} == {100}
    judged = [len(found.qrels[qid]) for qid in found.queries]
    assert np.sum(judged) == 9260
