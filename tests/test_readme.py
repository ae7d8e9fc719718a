"""What README and docs show is run."""

import ast
import contextlib
import io
import json
import math
import re
import shlex
import tokenize
from pathlib import Path

import pytest

from intentx.cli import main
from intentx.datasets import load_demo

ROOT = Path(__file__).parents[1]
TOUR = ROOT / "docs" / "tour.md"
PAGES = [
    ROOT / "README.md", TOUR, *sorted({*(ROOT / "docs").glob("*.md")} - {TOUR}),
    *sorted((ROOT / "docs" / "tutorials").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
]  # fmt: skip
# The examples of a page go on from each other.
EXAMPLES = [
    pytest.param("\n".join(code), id=page.name)
    for page in PAGES
    if (code := re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S))
]
COMMANDS = [  # one that both pages show is run once
    *dict.fromkeys(
        command
        for page in PAGES[:2]
        for command in re.findall(r"^\$ intentx (.*)$", page.read_text("utf-8"), re.M)
    )
]


def shown_values(code):
    """Values that comments behind expressions show, by the number of their line."""
    values = {}
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            with contextlib.suppress(ValueError, SyntaxError):
                values[token.start[0]] = ast.literal_eval(token.string.removeprefix("#").strip())
    return values


def same(shown, value):
    """Whether two values are equal, numbers but for rounding."""
    if isinstance(shown, tuple):
        return len(shown) == len(value) and all(map(same, shown, value))
    if isinstance(shown, float):
        return math.isclose(shown, value, rel_tol=1e-9)
    return bool(shown == value)


def run_example(code):
    """Run it statement by statement; returns what comments show, and what really came."""
    known, found, shown = {}, [], shown_values(code)
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Expr):
            value = eval(ast.unparse(statement), known)  # noqa: S307
            if statement.end_lineno in shown:
                found.append((shown[statement.end_lineno], value))
        else:
            part = ast.Module([statement], [])
            exec(compile(part, "example", "exec"), known)  # noqa: S102
    return found


@pytest.mark.parametrize("code", EXAMPLES)
def test_python(code):
    for shown, value in run_example(code):
        assert same(shown, value), f"{shown} is shown, and it is {value}"


def test_values_that_are_shown_are_compared():
    """Those of the tour among them: its ranker counts *piano*, and no other word."""
    code = EXAMPLES[1].values[0]
    assert [shown for shown, _ in run_example(code)] == [
        (("piano",), 1.0), ["wanted"], "holds", ("piano", "stool", "reviewed"),
        (("piano", "and"), (3.0, 0.0)),
    ]  # fmt: skip
    assert run_example("x = 1\nx + 1  # 3\nx  # words\n(\n    x\n)  # 1") == [(3, 2), (1, 1)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all commands run, one after the other, with what they name."""
    path = tmp_path_factory.mktemp("readme")
    # Of each document the beginning: commands read it hundreds of times.
    documents = load_demo().documents[:10]
    (path / "passages.jsonl").write_text(
        "\n".join(f'{{"id": "{d.id}", "text": "{d.text[:60]}"}}'.replace("\n", " ") for d in documents)
    )
    (path / "passages.tsv").write_text("\n".join(f"{d.id}\t{d.text}" for d in documents))
    keyboards = load_demo("keyboard reviews").documents[::2]  # of both senses
    (path / "keyboards.jsonl").write_text(
        "\n".join(json.dumps({"id": d.id, "text": d.content[:80]}) for d in keyboards)
    )
    (path / "run.trec").write_text("\n".join(f"7 Q0 {d.id} {i} {-i} x" for i, d in enumerate(documents)))
    package = path / "mypackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "rankers.py").write_text("def score(query, texts):\n    return [len(t) for t in texts]\n")
    return path


# A study of MiniLM takes minutes: here it is one query, and the methods that ask no edited document.
# What `compare` finds in the demo is asked in the tests of the command.
ASKING = ("GREEDY-LM", "MULTIPLEX published", "MULTIPLEX")
LESS = {
    "bench": ["--queries", "1", "--workers", "1", *(w for name in ASKING for w in ("--without", name))],
    "compare": ["--docs", "keyboards.jsonl"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    words = shlex.split(command, comments=True)
    assert main([*words, *LESS.get(words[0], [])]) == 0, capsys.readouterr().err


def test_what_commands_are_shown_to_print(tmp_path, monkeypatch, capsys):
    """The table of the README, and what it says of the words that are taken away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    readme = TOUR.read_text("utf-8")
    [(command, shown)] = re.findall(
        r"^\$ intentx (explain [^\n]* deeplift)\n(.*?)```", readme, re.M | re.S
    )
    lines = [json.dumps({"id": d.id, "text": d.content}) for d in load_demo().documents]
    (tmp_path / "passages.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert main([*shlex.split(command), "--faithfulness"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(shown)
    assert "without *jaguar* to rank 9, without the first four\nwords to 12" in readme
    ranks = dict(re.findall(r"^│ (\d+) +│ +([\d.]+ │ +[\d.]+) │", out, re.M))
    assert ranks["1"].startswith("9.0")
    assert re.fullmatch(r"12\.0 │ +1\.0", ranks["4"])  # four random words cost it no rank


def test_there_is_something_to_run():
    assert len(EXAMPLES) >= 2
    assert len(COMMANDS) >= 3


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
