"""What README and docs show is run."""

import re
import shlex
from pathlib import Path

import pytest

from intentx.cli import main
from intentx.datasets import load_demo

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The examples of a page go on from each other.
EXAMPLES = [
    pytest.param("\n".join(code), id=page.name)
    for page in PAGES
    if (code := re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S))
]
COMMANDS = re.findall(r"^\$ intentx (.*)$", (ROOT / "README.md").read_text("utf-8"), re.M)


@pytest.mark.parametrize("code", EXAMPLES)
def test_python(code):
    exec(compile(code, "example", "exec"), {})  # noqa: S102


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all commands run, one after the other, with what they name."""
    path = tmp_path_factory.mktemp("readme")
    documents = load_demo().documents[:12]
    (path / "passages.jsonl").write_text(
        "\n".join(f'{{"id": "{d.id}", "text": "{d.text}"}}'.replace("\n", " ") for d in documents)
    )
    (path / "passages.tsv").write_text("\n".join(f"{d.id}\t{d.text}" for d in documents))
    (path / "run.trec").write_text("\n".join(f"7 Q0 {d.id} {i} {-i} x" for i, d in enumerate(documents)))
    package = path / "mypackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "rankers.py").write_text("def score(query, texts):\n    return [len(t) for t in texts]\n")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    assert main(shlex.split(command, comments=True)) == 0, capsys.readouterr().err


def test_there_is_something_to_run():
    assert len(EXAMPLES) >= 2
    assert len(COMMANDS) >= 3


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
