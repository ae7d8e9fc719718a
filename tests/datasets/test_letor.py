"""Files in LETOR's form."""

import gzip

import numpy as np
import pytest

from intentx.datasets import LETOR_4, read_letor
from intentx.errors import InputError

LINES = """\
# a head
2 qid:7 1:0.5 3:1 # docid = GX1 inc = 1
0 qid:7 2:nan 1:0.25 #docid = GX2 prob = 0.1

1 qid:8 1:1 2:2 3:3
0 qid:7 3:-2e1 # docid = GX3
0 qid:8 1:0
"""


def test_documents_by_query(tmp_path):
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(LINES.encode()))
    found = read_letor(path)
    assert (len(found), found.names) == (2, ("feature 1", "feature 2", "feature 3"))
    first = found.query("7")
    assert (first.doc_ids, found.query("8").doc_ids) == (("GX1", "GX2", "GX3"), ("1", "2"))
    np.testing.assert_array_equal(first.X, [[0.5, 0, 1], [0.25, np.nan, 0], [0, 0, -20]])
    assert first.grades.tolist() == [2, 0, 0]
    ranking = read_letor(path, ["a", "b", "c"]).ranking("8", lambda rows: -rows[:, 0])
    assert (ranking.query, ranking.doc_ids, ranking.names) == ("8", ("2", "1"), ("a", "b", "c"))
    rows, grades, sizes = found.rows()
    assert (rows.shape, grades.tolist(), sizes) == ((5, 3), [2, 0, 0, 1, 0], [3, 2])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 qid:7 1:0.5 3", "line 2: .*'3' is no feature"),
        ("2 1:0.5", "line 2: grade qid:ID 1:0.5 2:0 … expected"),
        ("two qid:7 1:0.5", "line 2: grade qid:ID"),
        ("2 qid:7 0:0.5", "line 2: features are numbered from 1"),
        ("2 qid:7 1:0.5 1:2", "line 2: feature 1 is given twice"),
        ("2 qid:7 1:inf", "line 2: feature 1 is inf"),
        ("nan qid:7 1:1", "line 2: the grade is nan"),
        ("2 qid:7 1:x", "line 2: .*'1:x' is no feature"),
        ("1 qid:7 1:2 # docid = GX1", "line 2: query 7 has the document 'GX1' already"),
        ("1 qid:7 4:2", "line 2: feature 4, and there are 3 names"),
    ],
)
def test_broken_lines_are_named(line, message, tmp_path):
    path = tmp_path / "x.txt"
    path.write_text(f"1 qid:7 1:0 # docid = GX1\n{line}\n")
    with pytest.raises(InputError, match=message):
        read_letor(path, ["a", "b", "c"])


def test_files_without_documents(tmp_path):
    (tmp_path / "x.txt").write_text("# nothing\n")
    with pytest.raises(InputError, match="holds no documents with features"):
        read_letor(tmp_path / "x.txt")
    (tmp_path / "y.txt").write_text(LINES)
    with pytest.raises(InputError, match=r"no query '9'; there are [^…]*$"):
        read_letor(tmp_path / "y.txt").query("9")


@pytest.mark.slow
def test_mq2008(mq2008):
    parts = [read_letor(mq2008 / f"S{i}.txt.gz") for i in range(1, 6)]
    assert sum(map(len, parts)) == 784
    assert sum(len(one.rows()[0]) for one in parts) == 15_211
    assert parts[0].names == LETOR_4
    assert LETOR_4[20:25] == ("BM25 body", "BM25 anchor", "BM25 title", "BM25 URL", "BM25 document")
