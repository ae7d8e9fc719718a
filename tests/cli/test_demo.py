import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import intentx as ix
from intentx.cli import main
from intentx.datasets import load_demo

DOCS = "\n".join(
    json.dumps({"id": document.id, "text": document.text}) for document in load_demo().documents
)


@pytest.fixture
def docs(tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text(DOCS, encoding="utf-8")
    return str(path)


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def explain(docs, *more):
    return ("explain", "--query", "jaguar speed", "--docs", docs, *more)


def test_json_on_stdout_is_the_explanation_and_nothing_else(capsys, docs):
    code, out, err = run(capsys, *explain(docs, "--ranker", "bm25", "--json", "--budget", "20"))
    assert (code, err) == (0, "")
    plain = json.loads(out)
    assert {"method", "query", "terms", "weights", "ranking", "fidelity", "settings"} <= set(plain)
    assert {"model_calls", "seconds"} <= set(plain)
    assert len(plain["terms"]) == len(plain["weights"])
    assert sorted(plain["ranking"]["doc_ids"]) == sorted(d.id for d in load_demo().documents)
    assert ix.IntentExplanation.from_dict(plain).terms == tuple(plain["terms"])


def test_tables_and_page(capsys, docs, tmp_path):
    page = tmp_path / "page.html"
    code, out, _ = run(capsys, *explain(docs, "--ranker", "bm25", "--html", page, "--heldout", "2"))
    assert code == 0
    assert "intent term" in out
    assert "Kendall" in out
    assert "Held-out documents" in out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    "method", ["multiplex", "multiplex-published", "greedy", "query-terms", "random-terms"]
)
def test_every_method(capsys, docs, method):
    arguments = explain(docs, "--ranker", "bm25", "--method", method, "--json", "--budget", "0")
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert json.loads(out)["terms"]


def test_settings_reach_the_method(capsys, docs):
    more = ("--max-terms", "3", "--generality", "0", "--query-terms", "exclude", "--stem", "english",
            "--ngrams", "2", "--candidates", "40", "--seed", "5")  # fmt: skip
    code, out, _ = run(capsys, *explain(docs, "--ranker", "bm25", "--json", *more))
    plain = json.loads(out)
    assert code == 0
    assert len(plain["terms"]) <= 3
    assert not {"jaguar", "speed"} & set(plain["terms"])
    settings = plain["settings"]
    assert (settings["generality"], settings["candidates"], settings["seed"]) == (0.0, 40, 5)
    assert (settings["analyzer"]["stem"], settings["analyzer"]["ngrams"]) == ("english", 2)


def test_a_recorded_run_is_called_by_its_tag_or_file(capsys, docs, tmp_path):
    ids = [document.id for document in load_demo().documents][:6]
    page = tmp_path / "page.html"
    for name, tags in (("BM25-k1=.9", ["BM25-k1=.9"] * 6), ("mixed.trec", ["a", "b"] * 3)):
        path = tmp_path / "mixed.trec"
        lines = [
            f"q1 Q0 {doc} {i} {-i} {tag}" for i, (doc, tag) in enumerate(zip(ids, tags, strict=True))
        ]
        path.write_text("\n".join(lines))
        code, out, _ = run(capsys, *explain(docs, "--run", path, "--html", page))
        assert code == 0
        assert out.startswith(f"recorded run: {name}\n")
        assert name in page.read_text(encoding="utf-8")
        out = run(capsys, *explain(docs, "--ranker", f"run:{path}", "--json"))[1]
        assert json.loads(out)["ranker"] == name
    both = explain(docs, "--run", path, "--ranker", "bm25", "--json", "--method", "query-terms")
    plain = json.loads(run(capsys, *both, "--method", "greedy")[1])
    assert [one["ranker"] for one in plain.values()] == ["bm25", "bm25"]


def test_a_recorded_run_and_reranking_its_documents(capsys, docs, tmp_path):
    run_file = tmp_path / "run.trec"
    few = [document.id for document in load_demo().documents][:12]
    lines = [f"q1 Q0 {doc_id} {i} {20 - i} x" for i, doc_id in enumerate(few, start=1)]
    run_file.write_text("\n".join([*lines, "q2 Q0 other 1 1 x"]))
    code, out, _ = run(capsys, *explain(docs, "--run", run_file, "--qid", "q1", "--json"))
    assert code == 0
    assert json.loads(out)["ranking"]["doc_ids"] == few
    assert json.loads(out)["model_calls"] == 0
    same = run(capsys, *explain(docs, "--ranker", f"run:{run_file}", "--qid", "q1", "--json"))[1]
    assert json.loads(same)["terms"] == json.loads(out)["terms"]
    both = explain(docs, "--run", run_file, "--qid", "q1", "--ranker", "bm25", "--json")
    reranked = json.loads(run(capsys, *both)[1])["ranking"]["doc_ids"]
    assert sorted(reranked) == sorted(few)
    assert reranked != few
    nothing = explain(docs, "--run", run_file, "--qid", "q1", "--cache", tmp_path / "scores")
    code, _, err = run(capsys, *nothing)
    assert (code, "--cache has nothing to store" in err) == (2, True)
    code, _, err = run(capsys, *explain(docs, "--run", run_file, "--qid", "q2"))
    assert code == 2
    assert "'other'" in err


def test_a_callable_of_the_users(capsys, docs, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "def score(query, texts):\n    return [text.count('engine') for text in texts]\n"
        "def broken(query, texts):\n    raise RuntimeError('out of memory')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    code, out, _ = run(capsys, *explain(docs, "--ranker", "mine:score", "--json"))
    assert code == 0
    assert "engine" in json.loads(out)["terms"]
    code, out, err = run(capsys, *explain(docs, "--ranker", "mine:broken"))
    assert (code, out) == (1, "")
    assert "out of memory" in err


def test_scores_are_remembered_on_request(capsys, docs, tmp_path):
    cache = tmp_path / "scores.sqlite"
    arguments = explain(docs, "--ranker", "bm25", "--json", "--budget", "20", "--cache", cache)
    code, first, err = run(capsys, *arguments)
    assert code == 0
    told = re.fullmatch(
        r"scores: (\d+) asked for, (\d+) of them in memory, 0 in scores.sqlite, (\d+) from the ranker\n",
        err,
    )
    asked, known, scored = map(int, told.groups())
    assert asked == known + scored
    assert scored > json.loads(first)["model_calls"] > 0
    code, second, err = run(capsys, *arguments)
    assert code == 0
    repeated = 3  # asked once more, to see whether its scores hold
    assert f"{scored - repeated} in scores.sqlite, 0 from the ranker" in err
    assert json.loads(second)["model_calls"] == json.loads(first)["model_calls"]
    assert json.loads(second)["terms"] == json.loads(first)["terms"]


def test_a_callable_needs_a_fingerprint_to_be_remembered(capsys, docs, tmp_path, monkeypatch):
    (tmp_path / "remembered.py").write_text(
        "def score(query, texts):\n    return [len(t) for t in texts]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    arguments = explain(docs, "--ranker", "remembered:score", "--json", "--cache", "scores.sqlite")
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "give it a fingerprint" in err
    code, _, err = run(capsys, *arguments, "--fingerprint", "by length")
    assert code == 0
    assert "0 in scores.sqlite" in err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "name a ranker"),
        (("--ranker", "bm25", "--cache", "no/such/folder/scores"), "no folder"),
        (("--ranker", "bm52"), "no ranker 'bm52'"),
        (("--ranker", "bm25", "--generality", "2"), "generality"),
        (("--ranker", "bm25", "--html", "no/such/folder/page.html"), "no folder"),
        (("--ranker", "bm25", "--stem", "klingon"), "no stemmer"),
        (("--run", "no-such-file"), "cannot read"),
        (("--run", "a.trec", "--ranker", "run:b.trec"), "are two runs; give one"),
    ],
)
def test_usage_errors_end_with_2_and_say_what_to_do(capsys, docs, more, message):
    code, out, err = run(capsys, *explain(docs, *more))
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_service_that_is_down_ends_with_1(capsys, docs):
    code, out, err = run(capsys, *explain(docs, "--ranker", "http://127.0.0.1:1/rerank#retries=0"))
    assert (code, out) == (1, "")
    assert "the ranker failed: the ranker at http://127.0.0.1:1/rerank gave no answer" in err


def test_broken_lines_are_named(capsys, tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text('{"id": "a", "text": "t"}\n{"id": \n')
    code, _, err = run(capsys, *explain(str(path), "--ranker", "bm25"))
    assert code == 2
    assert f"{path}, line 2" in err


def test_the_program_reads_a_pipe():
    asked = explain("-", "--ranker", "bm25", "--json", "--method", "query-terms")
    command = [sys.executable, "-m", "intentx", *asked]
    done = subprocess.run(command, input=DOCS.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["query"] == "jaguar speed"


def test_an_unknown_method_is_refused_by_name(capsys, docs):
    with pytest.raises(SystemExit) as ended:
        main([*explain(docs, "--ranker", "bm25", "--method", "lime")])
    assert ended.value.code == 2
    assert "multiplex" in capsys.readouterr().err


def test_the_demo_ranks_explains_and_writes_the_page(capsys, tmp_path):
    """And prints what the tour says it does, of BM25 and of MiniLM."""
    page = tmp_path / "demo.html"
    code, out, _ = run(capsys, "demo", "--html", page)
    assert code == 0
    readme = (Path(__file__).parents[2] / "docs" / "tour.md").read_text("utf-8")
    [shown] = re.findall(r"^```\n(The rankings .*?)```", readme, re.M | re.S)
    assert out.endswith(shown.replace("intentx-demo.html", str(page)))
    bm25, _, chance = re.findall(r"^│ all +│ +\d+ │ ([\d.]+) │", out, re.M)
    assert f"reproduce {100 * float(bm25):.0f} % of its preferences" in readme
    assert f"ten words reproduce {100 * float(chance):.0f} % of its" in readme
    text = page.read_text(encoding="utf-8")
    assert all(document.id in text for document in load_demo().documents)


def test_the_demo_lists_its_queries_and_refuses_others(capsys):
    assert "palm care" in run(capsys, "demo", "--list")[1]
    code, _, err = run(capsys, "demo", "--query", "tea")
    assert code == 2
    assert "jaguar speed" in err
