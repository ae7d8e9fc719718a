"""The command compare: what it takes, what it writes where, and what it refuses."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest

from intentx.cli.compare import add_compare, split_specs
from intentx.comparison.results import Comparison
from intentx.datasets import load_demo
from intentx.errors import InputError
from tests.toys import by_length

DOCS = {
    f"d{i}": f"{'piano ' * (i % 3)}keyboard {'switches ' * (i % 4)}reviews {'x' * i}" for i in range(12)
}


def backwards(query, texts):
    return [-length for length in by_length(query, texts)]


def poisoned(query, texts):
    if "fails" in query:
        raise ValueError("cannot read this")
    return [text.count("piano") for text in texts]


LENGTH, BACKWARDS, POISONED = (f"{__name__}:{name}" for name in ("by_length", "backwards", "poisoned"))


def run(*arguments):
    parser = argparse.ArgumentParser()
    add_compare(parser.add_subparsers(required=True))
    options = parser.parse_args(["compare", *map(str, arguments)])
    return options.run_command(options)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Documents, queries in three forms, and a run, where the test stands."""
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"id": key, "text": text}) for key, text in DOCS.items()]
    (tmp_path / "docs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "q.tsv").write_text("7\tkeyboard reviews\n8\tpiano switches\n9\tthis fails\n")
    (tmp_path / "q.jsonl").write_text('{"qid": 7, "query": "keyboard reviews"}\n')
    topic = {"qid": "t", "query": "piano", "docs": [{"id": k, "text": t} for k, t in DOCS.items()]}
    topic["runs"] = {"old": {"d1": 3, "d2": 2, "d3": 1, "d5": 0.5}}
    (tmp_path / "topics.jsonl").write_text(json.dumps(topic))
    run_lines = [f"{q} Q0 d{i} 1 {10 - i} r" for q in "78" for i in range(6)]
    (tmp_path / "bm.run").write_text("\n".join(run_lines))
    return tmp_path


def folder(tmp_path):
    """A data folder with two queries and two runs."""
    (tmp_path / "passages.tsv").write_text("".join(f"{k}\t{t}\n" for k, t in DOCS.items()))
    (tmp_path / "queries.tsv").write_text("7\tkeyboard reviews\n8\tpiano switches\n")
    rows = ["qid\tdocid\trank\tscore\tretriever"]
    for q in "78":
        rows += [f"{q}\td{i}\t{i}\t{20 - i}\tup" for i in range(10)]
        rows += [f"{q}\td{i}\t{i}\t{i}\tdown" for i in range(2, 12)]
    (tmp_path / "candidates.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("bm25,bi-encoder:minilm", {"bm25": "bm25", "bi-encoder:minilm": "bi-encoder:minilm"}),
        ("bm25,dpr:a/q,a/d", {"bm25": "bm25", "dpr:q,d": "dpr:a/q,a/d"}),
        ("dpr:q,d,bm25", {"dpr:q,d": "dpr:q,d", "bm25": "bm25"}),
        ("A=dpr:q,d,B=bm25", {"A": "dpr:q,d", "B": "bm25"}),
        ("drmm:m/one,knrm:m/one", {"drmm:one": "drmm:m/one", "knrm:one": "knrm:m/one"}),
        ("drmm:a/one,drmm:b/one", {"drmm:a/one": "drmm:a/one", "drmm:b/one": "drmm:b/one"}),
        ("my.rankers:score, bm25", {"my.rankers:score": "my.rankers:score", "bm25": "bm25"}),
        (
            "http://x.y/z#a=1,b=2,S=https://x.y/?q=1,2",
            {"http://x.y/z#a=1,b=2": "http://x.y/z#a=1,b=2", "S": "https://x.y/?q=1,2"},
        ),
        ("run:BM25,run:a/b.run", {"run:BM25": "run:BM25", "run:b.run": "run:a/b.run"}),
    ],
)
def test_specs_are_split_where_one_begins(text, specs):
    assert split_specs(text) == specs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty part"),
        ("bm25,,drmm:x", "empty part"),
        ("bm25,bm25", "'bm25' twice"),
        ("A=bm25,bm25", "'bm25' twice"),
        ("A=bm25,A=drmm:x", "the name 'A'"),
    ],
)
def test_specs_that_are_none(text, message):
    with pytest.raises(InputError, match=message):
        split_specs(text)


def test_text_page_and_exit_code(files, capsys):
    code = run("--rankers", f"bm25,long={LENGTH}", "--docs", "docs.jsonl", "--queries",
               "keyboard reviews", "piano", "--html", "page.html")  # fmt: skip
    out, err = capsys.readouterr()
    assert code == 0
    assert "keyboard reviews" in out
    assert "the order of long goes along with: " in out
    assert "bm25, not long" in out
    assert "page: page.html" in out
    assert err == ""
    assert "<h1>" in (files / "page.html").read_text(encoding="utf-8")


def test_json_is_all_there_is_on_standard_output(files, capsys):
    code = run("--rankers", f"bm25,{LENGTH}", "--docs", "docs.jsonl", "--queries", "q.jsonl",
               "--json", "--html", "page.html", "--max-terms", 2)  # fmt: skip
    out, err = capsys.readouterr()
    found = Comparison.from_dict(json.loads(out))
    assert code == 0
    assert "page: page.html" in err
    assert found.queries[0].qid == "7"
    assert all(len(intent.terms) <= 2 for intent in found.queries[0].intents.values())
    assert json.loads(out)["format"] == "intentx.comparison/2"


def test_a_failing_query_is_kept_and_told(files, capsys):
    code = run("--rankers", f"bm25,weak={POISONED},{LENGTH}", "--docs", "docs.jsonl", "--queries",
               "q.tsv", "--json")  # fmt: skip
    out, err = capsys.readouterr()
    found = Comparison.from_dict(json.loads(out))
    assert code == 1
    assert "weak, query 9" in err
    assert "cannot read this" in err
    assert [query.qid for query in found.queries] == ["7", "8", "9"]
    assert "cannot read this" in found.queries[2].failed["weak"]
    assert len(found.queries[0].intents) == 3


def test_the_demo_by_its_names(capsys):
    code = run("--rankers", f"bm25,{LENGTH}", "--queries", "keyboard reviews", "--json")
    found = Comparison.from_dict(json.loads(capsys.readouterr().out))
    assert code == 0
    assert [query.query for query in found.queries] == ["keyboard reviews"]
    assert set(found.queries[0].documents) == {d.id for d in load_demo("keyboard reviews").documents}


def test_a_file_of_topics_with_their_runs(files, capsys):
    code = run("--rankers", f"run:old,{LENGTH}", "--queries", "topics.jsonl", "--json")
    query = Comparison.from_dict(json.loads(capsys.readouterr().out)).queries[0]
    assert code == 0
    assert list(query.intents["run:old"].doc_ids) == ["d1", "d2", "d3", "d5"]
    assert query.left_out[LENGTH] == 8


def test_candidates_and_rankers_from_run_files(files, capsys):
    (files / "q2.tsv").write_text("7\tkeyboard reviews\n8\tpiano switches\n")
    code = run("--rankers", f"old=run:bm.run,{LENGTH}", "--docs", "docs.jsonl", "--run", "bm.run",
               "--queries", "q2.tsv", "--json")  # fmt: skip
    found = Comparison.from_dict(json.loads(capsys.readouterr().out))
    assert code == 0
    assert found.queries[0].intents["old"].doc_ids == tuple(f"d{i}" for i in range(6))
    assert set(found.queries[0].documents) == {f"d{i}" for i in range(6)}


def test_bm25_finds_candidates_among_many(files, capsys):
    chosen = ("--docs", "docs.jsonl", "--queries", "piano", "--depth", 5)
    run("--rankers", f"bm25,{LENGTH}", *chosen, "--json")
    query = Comparison.from_dict(json.loads(capsys.readouterr().out)).queries[0]
    assert len(query.documents) == 5
    assert all("piano" in text for text in query.documents.values())


def test_the_index_of_a_comparison_is_kept(files, capsys):
    chosen = ("--docs", "docs.jsonl", "--queries", "piano", "--depth", 5, "--index", "kept", "--json")
    found = []
    for _ in range(2):
        assert run("--rankers", f"bm25,{LENGTH}", *chosen) == 0
        found.append((capsys.readouterr().out, (files / "kept" / "index.json").read_text()))
    assert found[0] == found[1]
    (files / "other").mkdir()
    (files / "other" / "mine").touch()
    with pytest.raises(InputError, match="holds other files, such as 'mine'"):
        run("--rankers", f"bm25,{LENGTH}", *chosen[:-2], "other")


def test_a_folder_with_its_runs_and_some_of_its_queries(tmp_path, capsys):
    data = folder(tmp_path)
    rankers = f"run:up,run:down,{LENGTH}"
    assert run("--rankers", rankers, "--data", data, "--pool", "up", "--json") == 0
    found = Comparison.from_dict(json.loads(capsys.readouterr().out))
    assert [query.qid for query in found.queries] == ["7", "8"]
    assert found.queries[0].left_out == {"run:up": 2, "run:down": 2, LENGTH: 2}
    rankers = "run:up,run:down"  # recorded orders are explained sooner
    for chosen in (["8"], ["piano switches"]):
        run("--rankers", rankers, "--data", data, "--pool", "up", "--queries", *chosen, "--json")
        found = Comparison.from_dict(json.loads(capsys.readouterr().out))
        assert [query.qid for query in found.queries] == ["8"]
    run("--rankers", rankers, "--data", data, "--pool", "up", "--limit", 1, "--json")
    assert len(Comparison.from_dict(json.loads(capsys.readouterr().out)).queries) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rankers", "bm25"], "two rankers or more"),
        (["--rankers", "bm25,bm25"], "twice"),
        (["--rankers", "bm25,nonsense"], "no ranker 'nonsense'"),
        (["--rankers", "nonsense,bm25"], "no ranker 'nonsense'"),
        (["--rankers", f"bm25,{__name__}:nobody"], "nobody"),
        (["--rankers", "bm25,run:none.run"], "no file 'none.run'"),
        (["--rankers", "bm25,drmm:nowhere"], "nowhere"),
        (["--queries", "my own query"], "give --docs FILE or --data DIR"),
        (["--queries", "q.tsv"], "queries without documents"),
        (["--queries", "none.tsv"], "none.tsv"),
        (["--docs", "docs.jsonl"], "--docs needs --queries"),
        (["--docs", "none.jsonl", "--queries", "a"], "none.jsonl"),
        (["--docs", "docs.jsonl", "--data", "."], "both name documents"),
        (["--docs", "docs.jsonl", "--queries", " "], "at least one character"),
        (["--docs", "docs.jsonl", "--queries", "empty.tsv"], "holds no query"),
        (["--docs", "docs.jsonl", "--queries", "broken.jsonl"], "none of the keys query, text"),
        (["--docs", "docs.jsonl", "--queries", "a", "b", "--run", "bm.run"], "by their ids"),
        (["--docs", "docs.jsonl", "--queries", "q.tsv", "--run", "bm.run"], "no query '9'"),
        (["--run", "bm.run"], "--run needs --docs"),
        (["--pool", "up"], "--pool needs --data"),
        (["--index", "kept"], "--index needs --docs or --data"),
        (["--data", "nowhere"], "nowhere"),
        (["--limit", "0"], "--limit must be 1"),
        (["--depth", "1"], "--depth must be 2"),
        (["--max-terms", "0"], "--max-terms must be 1"),
        (["--html", "no/folder/page.html"], "no folder"),
    ],
)
def test_what_cannot_be_done_is_told_before_any_work(files, monkeypatch, arguments, message):
    (files / "empty.tsv").write_text("\n")
    (files / "broken.jsonl").write_text('{"id": 1}\n')
    monkeypatch.setattr("intentx.cli.compare.compare_rankers", lambda *a, **k: pytest.fail("worked"))
    given = arguments if "--rankers" in arguments else ["--rankers", f"bm25,{LENGTH}", *arguments]
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        run(*given)


def test_a_folder_without_the_query(tmp_path):
    data = folder(tmp_path)
    with pytest.raises(InputError, match="no query 'tea'"):
        run("--rankers", "bm25,run:up", "--data", data, "--pool", "up", "--queries", "tea")
    with pytest.raises(InputError, match="no such run in the data; it has up, down"):
        run("--rankers", "bm25,run:none", "--data", data, "--pool", "up")


def test_the_same_output_every_time(files, capsys):
    outputs = []
    for _ in range(2):
        run("--rankers", f"bm25,{BACKWARDS}", "--docs", "docs.jsonl", "--queries", "q.jsonl", "--json")
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


@pytest.mark.slow
def test_minilm_and_bm25_on_the_keyboards(capsys, tmp_path):
    pytest.importorskip("sentence_transformers")
    try:
        from intentx.rankers.transformers.encoders import BiEncoder

        BiEncoder.minilm()
    except Exception as error:
        pytest.skip(f"no MiniLM here: {error}")
    lines = [  # beginnings: each is read a few hundred times
        json.dumps({"id": one.id, "text": one.content[:150]})
        for one in load_demo("keyboard reviews").documents
    ]
    (tmp_path / "docs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    code = run("--rankers", "bm25,MiniLM=bi-encoder:minilm", "--queries", "keyboard reviews",
               "--docs", tmp_path / "docs.jsonl", "--vectors", "minilm", "--json")  # fmt: skip
    query = Comparison.from_dict(json.loads(capsys.readouterr().out)).queries[0]
    one = query.disagreement("bm25", "MiniLM")
    assert code == 0
    assert {"reviews", "keyboard"} & set(one.for_first.terms)  # BM25 knows nothing but the words
    assert np.isfinite(one.heldout)
