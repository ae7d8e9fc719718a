"""The command line of studies."""

import subprocess
import sys
from pathlib import Path

import pytest

from intentx.cli import main


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(
        'name = "x"\n[data]\ndemo = ["jaguar speed"]\n[rankers]\nB = "bm25"\n'
        '[methods]\nQ = "query-terms"\n[measures]\n'
        "heldout = 0\nstability = 0\nfaithfulness = 0\nshuffled = false\n"
    )
    assert main(["bench", "study.toml", "--out", "out"]) == 0
    first = capsys.readouterr()
    assert first.err.startswith("cells: 0 of 1 done\ncells: 1 of 1 done\n")
    assert "1 cells measured, 0 were there" in first.err
    assert main(["bench", "study.toml", "--out", "out"]) == 0
    again = capsys.readouterr()
    assert "0 cells measured, 1 were there" in again.err
    assert first.out == again.out
    assert main(["bench", "--status", "out"]) == 0
    assert "1 of 1 cells of 1 queries started; 0 without" in capsys.readouterr().out
    assert main(["bench", "study.toml", "--out", "other", "--ranker", "B=run:nope"]) == 1
    assert "B, Q, query jaguar-speed: the data has no run 'nope'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_finds_a_ranker_next_to_the_user(tmp_path, workers):
    (tmp_path / "rankers_of_mine.py").write_text(
        "def score(query, texts):\n    return [len(text) for text in texts]\n"
    )
    (tmp_path / "study.toml").write_text(
        'name = "x"\n[data]\ndemo = ["jaguar speed"]\n[methods]\nQ = "query-terms"\n'
        '[rankers]\nlength = "rankers_of_mine:score"\n'
    )
    command = Path(sys.executable).parent / "intentx"  # unlike python -m, it does not look here itself
    arguments = ["bench", "study.toml", "--out", "out", "--workers", workers]
    run = subprocess.run([command, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, "1 cells measured" in run.stderr) == (0, True), run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo"], "name a study and a folder"),
        (["nothing.toml", "--out", "x"], "cannot read the study"),
        (["--status", "nowhere"], "no study in nowhere"),
        (["demo", "--out", "x", "--ranker", "BERT=bm25"], "one of BM25, MiniLM; not 'BERT=bm25'"),
        (
            ["recorded", "--out", "x", "--data", "nowhere"],
            "no folder 'nowhere' with passages, queries and candidates; name yours",
        ),
        (["demo", "--out", "x", "--workers", "0", "--ranker", "MiniLM=bm25"], "workers must be 1"),
    ],
)
def test_wrong_commands(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err
