"""``--simple-rankers`` of the commands that explain rankings."""

import json

import pytest

from intentx.cli import main
from tests import tiny_models
from tests.cli.explained import DOCS

LISTWISE = ("multiplex", "multiplex-published", "query-terms", "random-terms")
RANKERS = "bm25,length=tests.toys:by_length"
TWO = ["text matching (tfidf)", "proximity"]


@pytest.fixture
def docs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps({"id": name, "text": text}) for name, text in DOCS.items())
    (tmp_path / "docs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "words.txt").write_text("piano 1 0 0.5\nkeys 0.5 1 0\ndesk 0 1 1\n")
    return tmp_path


def explain(capsys, *more):
    start = ("explain", "--query", "piano keys", "--docs", "docs.jsonl", "--ranker", "bm25")
    code = main([str(argument) for argument in (*start, *more)])
    return code, *capsys.readouterr()


def compare(capsys, *more):
    start = ("compare", "--queries", "piano keys", "--docs", "docs.jsonl", "--rankers", RANKERS)
    code = main([str(argument) for argument in (*start, *more)])
    return code, *capsys.readouterr()


def test_every_method_for_rankings_takes_them(capsys, docs):
    chosen = [part for name in (*LISTWISE, "exs") for part in ("--method", name)]
    code, out, _ = explain(capsys, *chosen, "--simple-rankers", "tfidf,proximity", "--json")
    assert code == 0
    found = json.loads(out)
    for name, one in found.items():
        assert one["simple_rankers"] == TWO, name
        assert one["settings"]["simple_rankers"] == ["tfidf", "proximity"], name
        assert one["fidelity"]["rows"][0]["by_ranker"].keys() == set(TWO)
    code, out, _ = explain(capsys, "--simple-rankers", "text,lm")
    assert code == 0
    [heads] = [line for line in out.splitlines() if "majority" in line]
    assert heads.replace("┃", "").split()[3:] == ["majority", "bm25", "lm", "ties"]


def test_the_greedy_method_takes_one(capsys, docs):
    code, out, _ = explain(capsys, "--method", "greedy", "--simple-rankers", "tf", "--json")
    assert (code, json.loads(out)["simple_rankers"]) == (0, ["text matching (tf)"])
    more = ("--vectors", "words.txt", "--json")
    code, out, _ = explain(capsys, "--method", "greedy", "--simple-rankers", "semantic", *more)
    assert (code, json.loads(out)["simple_rankers"]) == (0, ["semantic"])
    code, out, err = explain(capsys, "--method", "greedy", "--simple-rankers", "tf,lm")
    assert (code, out) == (2, "")
    assert "greedy takes one simple ranker, and --simple-rankers has several" in err


def test_vectors_and_an_encoder_find_theirs(capsys, docs, tmp_path):
    more = ("--vectors", "words.txt", "--json")
    code, out, _ = explain(capsys, "--simple-rankers", "semantic,text", *more)
    semantic = json.loads(out)
    assert (code, semantic["simple_rankers"]) == (0, ["semantic", "text matching (bm25)"])
    code, out, _ = explain(capsys, "--simple-rankers", "semantic,text", "--json")
    assert json.loads(out)["term_scores"][0] != semantic["term_scores"][0]  # those of the documents
    _, folder = tiny_models.bi_encoder(tmp_path)
    code, out, _ = explain(capsys, "--simple-rankers", "dense,tf", "--dense", folder, "--json")
    assert (code, json.loads(out)["simple_rankers"]) == (0, ["dense", "text matching (tf)"])
    more = ("--dense", folder, "--json", "--max-terms", "2")
    code, out, _ = compare(capsys, "--simple-rankers", "dense,tf", *more)
    assert (code, json.loads(out)["settings"]["simple_rankers"]) == (0, ["dense", "tf"])
    code, out, _ = compare(capsys, *more)
    assert json.loads(out)["settings"]["simple_rankers"] == ["bm25", "position", "semantic", "dense"]


def test_compare_takes_them(capsys, docs):
    code, out, _ = compare(capsys, "--simple-rankers", "text,position", "--json", "--max-terms", "2")
    assert code == 0
    one = json.loads(out)
    assert one["settings"]["simple_rankers"] == ["bm25", "position"]
    code, out, _ = compare(capsys, "--simple-rankers", "proximity", "--json", "--max-terms", "2")
    other = json.loads(out)
    crossed = [found["queries"][0]["cross"]["bm25"] for found in (one, other)]
    assert crossed[0] != crossed[1]


@pytest.mark.parametrize("command", [explain, compare])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--simple-rankers", "nope"),
            "no simple ranker 'nope'; choose from bm25, tf, tfidf, lm, posit",
        ),
        (("--simple-rankers", ""), "must be a list of one or more"),
        (("--simple-rankers", "text,bm25"), "a simple ranker is given twice"),
        (
            ("--simple-rankers", "text,dense"),
            "'dense' needs an encoder: --dense MODEL on the command line",
        ),
        (
            ("--simple-rankers", "text", "--dense", "x"),
            "--dense is for the simple ranker 'dense', which --simple-rankers text lacks",
        ),
        (
            ("--simple-rankers", "text", "--vectors", "words.txt"),
            "--vectors is for the simple ranker 'semantic', which --simple-rankers text lacks",
        ),
    ],
)
def test_what_does_not_go_together(capsys, docs, command, arguments, message):
    code, out, err = command(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_one_document_has_none(capsys, docs):
    code, _, err = explain(capsys, "--doc", "first", "--method", "exs", "--simple-rankers", "text")
    assert code == 2
    assert "--simple-rankers explain a whole ranking: leave --doc out" in err
