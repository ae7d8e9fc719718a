"""Long work is never silent: a bar on a terminal, and lines where there is none."""

import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from intentx.cli import terminal
from intentx.cli.terminal import progress

COMMAND = Path(sys.executable).parent / "intentx"
STUDY = (
    'name = "x"\n[data]\ndemo = ["jaguar speed", "python care"]\n[rankers]\nR = "waiting:score"\n'
    '[methods]\nQ = "query-terms"\n[measures]\n'
    "heldout = 0\nstability = 0\nfaithfulness = 0\nshuffled = false\n"
)
# Its second query waits until it is told to go on.
RANKER = (
    "import pathlib, time\n"
    "def score(query, texts):\n"
    "    while 'python' in query and not pathlib.Path('go').exists():\n"
    "        time.sleep(0.02)\n"
    "    return [len(text) for text in texts]\n"
)
LONG = 300.0  # seconds until a test gives up: no machine is so slow, and nothing depends on it


def patient(found):
    """Wait until something is so."""
    end = time.monotonic() + LONG
    while not found():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "waiting.py").write_text(RANKER)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_the_bar_moves_while_cells_are_done(folder):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    run = subprocess.Popen(
        [COMMAND, "bench", "study.toml", "--out", "out"], cwd=folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    end = time.monotonic() + LONG
    try:
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    seen += os.read(ours, 4096)
                except OSError:  # the other side is closed
                    break
            if b"50%" in seen:  # one of two cells is done, and the other is not
                (folder / "go").touch()
        assert run.wait(LONG) == 0
    finally:
        run.kill()
        run.wait()
        os.close(ours)
    text = seen.decode()
    shares = [int(share) for share in re.findall(r"(\d+)%", text)]
    assert shares == sorted(shares)
    assert {50, 100} <= {*shares}  # 0 is seen unless a cell is done before the first look
    assert "cells" in text
    assert "2 cells measured" in text


def test_without_a_terminal_each_tenth_is_a_line(folder):
    (folder / "go").touch()
    run = subprocess.run(
        [COMMAND, "bench", "study.toml", "--out", "out"], cwd=folder, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    lines = run.stderr.splitlines()
    assert lines[:3] == ["cells: 0 of 2 done", "cells: 1 of 2 done", "cells: 2 of 2 done"]


@pytest.mark.parametrize("lines", [True, False])
def test_without_a_terminal_there_is_a_line_while_nothing_is_done(monkeypatch, capsys, lines):
    monkeypatch.setattr(terminal, "SILENT", 0.01)
    told = []
    monkeypatch.setattr(terminal, "tell", told.append)
    with progress("cells", lines=lines) as on:
        patient(lambda: len(told) >= 2)  # before anything is known
        on(1, 50)
        patient(lambda: sum("1 of 50 done, " in line for line in told) >= 3)
    number = len(told)
    assert re.fullmatch(r"cells: 0 done, \d+ s so far", told[0])
    assert all(re.fullmatch(r"cells: (0|1 of 50) done(, \d+ s so far)?", line) for line in told)
    assert not [one for one in threading.enumerate() if one.name == "intentx progress"]
    assert len(told) == number  # nobody speaks when all is done


def test_thirty_seconds_are_the_longest_silence(monkeypatch):
    """By a clock that the test turns: waiting takes as long as it is told to, and no time at all."""
    now, told, asked = [0.0], [], []
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(terminal, "tell", lambda text: told.append((now[0], text)))
    lines = terminal._Lines("cells", tenths=True)

    def wait(seconds):
        asked.append(seconds)
        now[0] += seconds
        if len(asked) == 3:
            lines._on(1, 4)  # says so at once, and the next silence begins here
        elif len(asked) == 5:
            now[0] -= 12.0
            lines._on(2, 4)
            now[0] += 12.0
        return len(asked) > 9

    monkeypatch.setattr(lines._ended, "wait", wait)
    lines._remind()
    times = [when for when, _ in told]
    gaps = [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]
    assert max(gaps) == terminal.SILENT == 30.0
    assert told[0] == (30.0, "cells: 0 done, 30 s so far")
    assert (90.0, "cells: 1 of 4 done") in told
    assert any(text == "cells: 2 of 4 done" for _, text in told)


def test_what_is_quick_says_nothing(capsys):
    with progress("asking the ranker") as on:
        on(1, 10)
        on(10, 10)
    assert capsys.readouterr().err == ""
