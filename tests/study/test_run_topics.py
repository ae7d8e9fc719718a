"""Which queries, rankers and methods a study runs over, and which data it refuses."""

import json
from itertools import pairwise

import pytest

import intentx as ix
from intentx.cli import main
from intentx.study.data import spread_places, topics
from intentx.study.plan import Data, Measures, read_study
from intentx.study.run import run_study, variants
from tests.study.small_studies import QUERIES, cells, study


def test_fewer_queries_are_among_more():
    for number in (1, 2, 7, 43, 100):
        chosen = [spread_places(number, wanted) for wanted in range(number + 2)]
        assert [len(set(places)) for places in chosen] == [*range(number + 1), number]
        assert all(places == sorted(places) for places in chosen)
        assert all({*few} <= {*more} <= {*range(number)} for few, more in pairwise(chosen))
    for wanted in range(5, 60):  # and they are evenly spread, but for a factor of two
        gaps = [b - a for a, b in pairwise(spread_places(1000, wanted))]
        assert max(gaps) <= 2 * min(gaps) + 2
    four, six = ({t.qid for t in topics(Data(demo=("*",), queries=n))} for n in (4, 6))
    assert four < six


def test_the_number_of_cells_is_told_first(tmp_path):
    told = []
    plan = {"rankers": {"b": "bm25"}, "methods": {"Q": {"method": "query-terms"}}}
    for queries in (2, 3):
        run_study(
            study(data=Data(demo=("*",), queries=queries, depth=6), **plan), tmp_path,
            progress=lambda done, qid: told.append(done), total=lambda cells: told.append(-cells),
        )  # fmt: skip
    assert told == [-2, 1, 2, -3, 2], "the new query is in the middle: one from before lies ahead"
    run_study(
        study(data=Data(demo=("*",), queries=3, depth=6), **plan), tmp_path / "part", shard=(1, 2),
        total=lambda cells: told.append(-cells),
    )  # fmt: skip
    assert told[-1] == -1


def test_queries_are_spread(tmp_path):
    assert [t.query for t in topics(Data(demo=QUERIES, queries=2))] == ["jaguar speed", "apple season"]
    assert [len(t.pool) for t in topics(Data(demo=QUERIES, depth=7))] == [7] * 4
    with pytest.raises(ix.InputError):
        list(topics(Data(demo=("no such query",))))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: broken JSON"),
        ('{"qid": 1}', "none of the keys query"),
        ("[]", "a JSON object expected"),
        ('{"qid": 1, "query": "x", "docs": [{"id": 1}]}', "document 1 of docs: none of the keys text"),
        ('{"qid": 1, "query": "x", "docs": [], "runs": {"r": {"7": 1}}}', "'7', which docs lacks"),
    ],
)
def test_broken_topics(tmp_path, line, message):
    (tmp_path / "t.jsonl").write_text(line)
    with pytest.raises(ix.InputError, match=message):
        list(topics(Data(topics=str(tmp_path / "t.jsonl"))))


def jsonl(path, *queries):
    """A file of topics that are told apart by their words."""
    lines = []
    for qid, word in queries:
        docs = [{"id": f"d{i}", "text": f"{word} " * i + "desk lamp"} for i in range(4)]
        lines.append(json.dumps({"qid": qid, "query": word, "docs": docs}))
    path.write_text("\n".join(lines))


def test_other_data_in_a_folder_is_not_mixed_with_the_old(tmp_path):
    jsonl(tmp_path / "one.jsonl", ("1", "piano"), ("2", "organ"))
    jsonl(tmp_path / "other.jsonl", ("3", "viola"))
    measures = Measures(heldout=0, stability=0, faithfulness=0, shuffled=False)
    one, other = (
        study(data=Data(topics=str(tmp_path / f"{name}.jsonl")), measures=measures)
        for name in ("one", "other")
    )
    run_study(one, tmp_path / "out")
    run_study(other, tmp_path / "out")
    assert {row.qid for row in cells(tmp_path / "out")} == {"3"}
    assert run_study(one, tmp_path / "out").found == 4  # and nothing is lost
    assert {row.qid for row in cells(tmp_path / "out")} == {"1", "2"}
    jsonl(tmp_path / "one.jsonl", ("2", "organ"))  # the same file with another content
    assert run_study(one, tmp_path / "out").found == 2
    assert {row.qid for row in cells(tmp_path / "out")} == {"2"}


def test_two_queries_of_one_id(tmp_path):
    jsonl(tmp_path / "t.jsonl", ("1", "piano"), ("1", "organ"))
    with pytest.raises(ix.InputError, match="line 2: the query id '1' is already used"):
        run_study(study(data=Data(topics=str(tmp_path / "t.jsonl"))), tmp_path / "out")


def test_two_names_for_the_same(tmp_path):
    twice = {"Q": {"method": "query-terms"}, "T": {"method": "query-terms"}}
    with pytest.raises(ix.InputError, match="'BM25' by 'T' is the same as 'BM25' by 'Q'"):
        run_study(study(methods=twice), tmp_path)


def test_a_method_of_some_rankers(tmp_path):
    some = study(
        rankers={"BM25": "bm25", "length": "builtins:len"},
        methods={"Q": {"method": "query-terms"}, "R": {"method": "random-terms", "rankers": ["BM25"]}},
    )
    assert [*variants(some).values()] == [("BM25", "Q"), ("BM25", "R"), ("length", "Q")]
    assert some.baselines_of("length") == ["Q"]
    with pytest.raises(ix.InputError, match=r"\[methods\] Q: no ranker 'BERT'; there are BM25"):
        study(methods={"Q": {"method": "query-terms", "rankers": ["BERT"]}})
    with pytest.raises(ix.InputError, match="baselines: no method 'X'; there are Q, R"):
        study(baselines=("X",))


def test_rankers_and_methods_can_be_left_out(tmp_path, capsys, monkeypatch):
    table = read_study("table2")
    some = table.without(["MatchPyramid", "BERT", "EXS"])
    assert [*some.rankers] == ["DPR", "DRMM"]
    assert "GRAD-CAM" not in some.methods  # which explains MatchPyramid alone
    assert some.methods["DEEPLIFT"]["rankers"] == ("DPR",)
    assert not {"GRAD-CAM", "EXS"} & {*some.baselines}
    assert table.without([]) == table
    with pytest.raises(ix.InputError, match="no ranker or method 'X' to leave out; there are BERT"):
        table.without(["X"])
    with pytest.raises(ix.InputError, match="one ranker and one method"):
        table.without([*table.rankers])
    arguments = ["bench", "table2", "--out", str(tmp_path), "--without", "BERT", "--without", "DPR"]
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert f"no folder {str(tmp_path / 'dl19')!r} with passages" in capsys.readouterr().err
    (tmp_path / "dl19").mkdir()
    assert main(arguments) == 2
    assert "ranker 'DRMM': " in (message := capsys.readouterr().err)
    assert "--without DRMM leaves it out" in message
