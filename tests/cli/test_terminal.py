"""Whatever a terminal can show: other signs or escapes, no error, and nothing that it would obey."""

import io
import json
import os
import subprocess
import sys
import unicodedata
import warnings

import pytest

import intentx as ix
from intentx.cli import main
from intentx.cli.terminal import show, show_json, tell, warnings_in_words
from intentx.errors import CacheWarning
from intentx.explainers.plain import json_text
from intentx.signs import UNSHOWN, visible

ESCAPES = "\x1b[31m\x07\x08\x0c\x7f\x9b\u2028\u202e\u2066\x85"
QUERY = f"tea café 寿司 ’{ESCAPES}"
DOCS = [
    {"id": "a", "text": "green tea pot"},
    {"id": f"b{ESCAPES}", "text": "tea with milk, café"},
    {"id": "茶", "text": "寿司 and a boat"},
    {"id": "d", "text": "tea tea tea"},
    {"id": "e", "text": "a lamp and a desk"},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs.jsonl").write_text("\n".join(map(json.dumps, DOCS)))
    topic = {"qid": f"7{ESCAPES}", "query": QUERY, "docs": DOCS}
    (tmp_path / "topics.jsonl").write_text(json.dumps(topic) + "\n")
    (tmp_path / "failing.py").write_text(
        f"def length(query, texts):\n    return [len(text) for text in texts]\n"
        f"def score(query, texts):\n    raise RuntimeError({ESCAPES!r} + 'no – score')\n"
    )
    name = f"bm25 – τ{ESCAPES}"
    study = {
        "name": "s",
        "data": {"topics": "topics.jsonl"},
        "rankers": {name: "bm25", "x": "failing:score"},
    }
    study |= {"methods": {f"Q{ESCAPES}": "query-terms"}, "measures": {"heldout": 0, "stability": 0}}
    (tmp_path / "study.yaml").write_text(json.dumps(study))
    return tmp_path


def run(monkeypatch, encoding, *arguments):
    """What a command writes to a standard output and error of an encoding, as it is read there."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        try:
            code = main(list(arguments))
        except SystemExit as error:
            code = error.code
    for stream in streams:
        stream.flush()
        assert stream.errors == "strict", "the streams are left as they were"
    return code, *(stream.buffer.getvalue().decode(encoding) for stream in streams)


DOCUMENTS = ("--docs", "docs.jsonl", "--query", QUERY)
COMMANDS = {
    "ranking": ("explain", "--ranker", "bm25", *DOCUMENTS, "--budget", "0"),
    "document": ("explain", "--ranker", "failing:length", *DOCUMENTS, "--method", "shap", "--doc", "#2"),
    "failing": ("explain", "--ranker", "failing:score", *DOCUMENTS),
    "no document": (
        "explain",
        "--ranker",
        "bm25",
        *DOCUMENTS,
        "--method",
        "shap",
        "--doc",
        f"–{ESCAPES}",
    ),
    "no file": ("explain", "--ranker", "bm25", "--query", "tea", "--docs", f"–{ESCAPES}"),
    "no option": ("explain", "--ranker", "bm25", *DOCUMENTS, f"--none{ESCAPES}", f"–{ESCAPES}"),
    "help": ("explain", "--help"),
    "compare": ("compare", "--rankers", "bm25,failing:length", "--queries", "topics.jsonl"),
    "compare failing": ("compare", "--rankers", "bm25,failing:score", "--queries", "topics.jsonl"),
    "bench": ("bench", "study.yaml", "--out", "out"),
}
CODES = {"failing": 1, "no document": 2, "no file": 2, "no option": 2, "compare failing": 1, "bench": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_sign_is_an_error_and_none_is_obeyed(folder, monkeypatch, encoding, command):
    code, out, err = run(monkeypatch, encoding, *COMMANDS[command])
    assert code == CODES.get(command, 0), err
    assert "Traceback" not in err
    assert not UNSHOWN.search(out + err)
    if command == "ranking":
        assert r"\x1b[31m\x07\x08\x0c\x7f\x9b\u2028\u202e\u2066\x85" in out
        word = {"utf-8": "café 寿司 ’", "cp1252": "café ???? ’", "ascii": "caf? ???? '"}[encoding]
        assert f"tea {word}" in " ".join(out.split())
        assert ("│" in out, "τ-b" in out) == ((True,) * 2 if encoding == "utf-8" else (False,) * 2)
    if command == "bench":
        assert r"\x07\x08\x0c\x7f" in out
        assert "no – score" in err if encoding != "ascii" else "no - score" in err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("command", ["ranking", "document", "compare"])
def test_json_is_json_on_every_terminal(folder, monkeypatch, encoding, command):
    code, out, err = run(monkeypatch, encoding, *COMMANDS[command], "--json")
    assert (code, err) == (0, "")
    assert not UNSHOWN.search(out)
    plain = json.loads(out)
    assert QUERY in (plain.get("query"), plain.get("queries", [{}])[0].get("query"))
    assert ("寿司" in out) == (encoding == "utf-8"), "who can show a letter gets it"


def test_columns_stay_where_they_are(folder, monkeypatch):
    """All lines of a table are as wide as one another, whatever stands for its signs."""
    for encoding in ("utf-8", "cp1252", "ascii"):
        _, out, _ = run(monkeypatch, encoding, *COMMANDS["document"])
        lines = [line.replace("\u00a0", " ") for line in out.splitlines() if line[:1] in "│|┃+┏└┡"]
        widths = {
            sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in lines
        }
        assert len(lines) > 4
        assert len(widths) == 1


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "LANG": "C"}])
def test_a_process_of_its_own(folder, variables):
    """Also arguments: in the C locale Python hands on the bytes of a query as halves of pairs."""
    variables = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **variables}
    command = [sys.executable, "-m", "intentx", "explain", "--ranker", "bm25", "--docs", "docs.jsonl"]
    query = [b"--query", "tea café 茶".encode(), b"--method", b"query-terms"]
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [*map(os.fsencode, command), *query, b"--json"],
        env=environment,
        capture_output=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout.decode("ascii"))["query"] == "tea café 茶"


@pytest.mark.parametrize("option", ["--query", "--doc", "--qid"])
def test_bytes_on_the_command_line_that_are_no_text(folder, monkeypatch, option):
    arguments = (
        "explain",
        "--ranker",
        "bm25",
        "--docs",
        "docs.jsonl",
        "--query",
        "tea",
        option,
        "caf\udce9",
    )
    code, _, err = run(monkeypatch, "utf-8", *arguments)
    assert (code, err) == (2, "intentx: the text 'caf\\udce9' on the command line is not UTF-8\n")


def test_a_query_longer_than_any_file_name(folder, monkeypatch):
    code, _, err = run(
        monkeypatch, "utf-8", "compare", "--rankers", "bm25,x:y", "--queries", "tea " * 200
    )
    assert code == 2
    assert err.startswith("intentx: no documents for 'tea tea")


def test_lines_tables_and_warnings(capsys):
    show(f"a{ESCAPES}b\n\tc")
    tell("d\x1b\ud83d")
    show_json({"e\x9b": "\ud83d", "é": "\u202e"})
    with warnings_in_words():
        warnings.simplefilter("always")
        warnings.warn("f\x1b", CacheWarning, stacklevel=1)
    out, err = capsys.readouterr()
    shown = r"a\x1b[31m\x07\x08\x0c\x7f\x9b\u2028\u202e\u2066\x85b" + "\n\tc\n"
    assert out.replace(" " * 8, "\t") == shown + '{"e\\u009b": "\\ud83d", "é": "\\u202e"}\n'
    assert err == "d\\x1b\\ud83d\nintentx: f\\x1b\n"


def test_other_warnings_show_what_a_terminal_would_obey(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(
        warnings, "showwarning", lambda m, c, f, n, *more: stream.write(f"{c.__name__}: {m}")
    )
    with warnings_in_words():
        warnings.simplefilter("always")
        warnings.warn("g\x1b", UserWarning, stacklevel=1)
    assert stream.getvalue() == "UserWarning: g\\x1b"


def test_explanations_go_through_json_with_every_sign():
    texts = {"a": "tea \ud83d pot", "b\x9b\u202e": "boat"}
    ranking = ix.rank(lambda q, texts: [len(text) for text in texts], QUERY, texts)
    for one in (ix.KernelSHAP().explain(ranking, "a"), ix.QueryTerms().explain(ranking)):
        text = one.to_json()
        text.encode("utf-8")
        assert not UNSHOWN.search(text)
        again = type(one).from_json(text)
        assert again.ranking.doc_ids == ranking.doc_ids
        assert (again.ranking.query, again.to_json()) == (QUERY, text)
    assert json_text({"a": [1, "é"]}, indent=1) == '{\n "a": [\n  1,\n  "é"\n ]\n}'


def test_text_has_signs_of_standard_output_and_words_as_they_are(monkeypatch):
    ranking = ix.rank(lambda q, texts: [len(text) for text in texts], "café", ["tea pots", "café"])
    whole = ix.KernelSHAP().explain(ranking, 0).text()
    assert ("█" in whole, "│" in whole) == (True, True)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    found = ix.KernelSHAP().explain(ranking, 0)
    print(found.text())  # noqa: T201
    assert "'café'" in found.text()
    assert "####" in found.text()


def test_visible_leaves_letters_of_every_language():
    text = "naïve 漢字 مفاتيح 🎹 a\tb\nc\u200d\u200f"
    assert visible(text) == text
