import gzip

import pytest

import intentx as ix
from intentx.rankers import BM25, load_ranker, named_run, read_run, run_of
from intentx.rankers.transformers import encoders
from tests import tiny_models

RUN = "7 Q0 b 1 2.5 sys\n7 Q0 a 2 -1e-3 sys\n\n8 Q0 a 1 3 sys\n"


def test_a_run_is_read_by_query_in_file_order(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text(RUN)
    packed = tmp_path / "run.trec.gz"
    packed.write_bytes(gzip.compress(RUN.encode()))
    assert read_run(path) == read_run(packed) == {"7": {"b": 2.5, "a": -0.001}, "8": {"a": 3.0}}
    assert run_of(path, "8") == {"a": 3.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7 Q0 a 1 2.5\n", "line 1: 'qid Q0 docid"),
        (RUN + "8 Q0 c 2 high sys\n", "line 5: the score"),
        (RUN + "8 Q0 c 2 nan sys\n", "line 5: the score"),
        (RUN + "8 Q0 c 2 1e999 sys\n", "line 5: the score must be a finite number, not '1e999'"),
        (RUN + "8 Q0 c 2 1_000 sys\n", "line 5: the score must be a finite number, not '1_000'"),
        (RUN + "8 Q0 c 2 ٣ sys\n", "line 5: the score must be a finite number, not '٣'"),
        ("qid Q0 docid rank score tag\n", "line 1: the score must be a finite number, not 'score'"),
        (RUN + "8 Q0 a 2 1 sys\n", "line 5: document 'a' is listed twice"),
        (
            RUN + "8 Q0 a 2 1 other\n",
            "under query '8'; a file holds one run, .* of 'sys', too",
        ),
        ("", "holds no ranking"),
    ],
)
def test_broken_runs_name_the_line(tmp_path, text, message):
    path = tmp_path / "run.trec"
    path.write_text(text)
    with pytest.raises(ix.InputError, match=message):
        read_run(path)


@pytest.mark.parametrize(
    ("text", "qid", "name"),
    [
        (RUN, "7", "sys"),
        ("7 Q0 a 1 2 BM25\n8 Q0 a 1 2 DRMM\n", "8", "DRMM"),
        ("7 Q0 a 1 2 BM25\n7 Q0 b 1 2 DRMM\n7 Q0 c 1 2 DRMM\n7 Q0 d 1 2 x\n", None, "my.run"),
    ],
)
def test_a_run_goes_by_its_tag_or_else_its_file(tmp_path, text, qid, name):
    path = tmp_path / "my.run.gz"
    path.write_bytes(gzip.compress(text.encode()))
    found, scores = named_run(path, qid)
    assert found == name
    assert scores == run_of(path, qid)


def test_which_query_of_a_run(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text(RUN)
    with pytest.raises(ix.InputError, match="several queries; choose a query id of its 2: 7, 8"):
        run_of(path)
    with pytest.raises(ix.InputError, match="no query '9'"):
        run_of(path, "9")
    with pytest.raises(ix.InputError, match="cannot read"):
        read_run(tmp_path / "none")


def test_rankers_by_name(tmp_path, monkeypatch):
    assert isinstance(load_ranker("bm25", ["tea"]), BM25)
    (tmp_path / "my_rankers.py").write_text(
        "class Nested:\n    @staticmethod\n    def score(query, texts):\n"
        "        return [len(text) for text in texts]\nnumber = 3\n"
    )
    (tmp_path / "needs_more.py").write_text("import a_package_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_ranker("my_rankers:Nested.score", [])("q", ["ab"]) == [2]
    with pytest.raises(ix.InputError, match="not callable"):
        load_ranker("my_rankers:number", [])
    with pytest.raises(ix.InputError, match="has no 'absent'"):
        load_ranker("my_rankers:absent", [])
    with pytest.raises(ix.InputError, match=r"cannot be imported.*a_package_nobody_has"):
        load_ranker("needs_more:score", [])


def test_a_recorded_run_is_no_scorer():
    with pytest.raises(ix.InputError, match=r"run:f.trec is for the command line.*Ranking.from_run"):
        load_ranker("run:f.trec", ["tea"])


@pytest.mark.parametrize(
    "spec", ["", "bm52", "bi-encoder", "bi-encoder:", "bm25:x", ":", "nomodule_x:f"]
)
def test_unknown_rankers_say_what_there_is(spec):
    with pytest.raises(ix.InputError, match=r"bm25|bi-encoder:NAME"):
        load_ranker(spec, ["tea"])


def test_a_file_of_vectors_has_no_encoder_and_one_called_minilm_changes_nothing(tmp_path, monkeypatch):
    folder = tiny_models.bi_encoder(tmp_path / "models")[1]
    monkeypatch.chdir(tmp_path)
    for name in ("minilm", "vectors.txt"):
        (tmp_path / name).write_text("piano 1 0\n")
    assert encoders.vector_encoder("vectors.txt") is None
    known, own = (encoders.vector_encoder(source).model for source in ("minilm", str(folder)))
    assert known.encode(["piano"]).shape == (1, 384)
    assert own.encode(["piano"]).shape[1] < 384
    with pytest.raises(ix.InputError, match="nothing-there"):
        encoders.vector_encoder("nothing-there/at-all")
