"""``intentx report``: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import contextlib
import csv
import io
import sys

import pytest

from intentx.cli import main
from tests.report import toy_studies

FILES = {
    *("report.html", "table.md", "table.tex", "table.csv", "cells.csv", "queries.md"),
    *(f"plots/{name}.{kind}" for name in ("fidelity", "overfitting", "queries", "seconds")
      for kind in ("png", "svg")),
}  # fmt: skip
QUERIES = toy_studies.queries(5)


def run(capsys, *arguments):
    code = main(["report", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A study beside which a report is, and what was printed: plots take their time."""
    folder = toy_studies.write(tmp_path_factory.mktemp("one") / "study", toy_studies.plan(), QUERIES)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["report", str(folder)])
    return folder, code, out.getvalue(), err.getvalue()


def contents(folder):
    """What a report consists of: bytes by path."""
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture
def study(tmp_path):
    return toy_studies.write(tmp_path / "study", toy_studies.plan(), QUERIES)


def test_everything_is_written_beside_the_study(reported):
    study, code, out, err = reported
    assert (code, err) == (0, "")
    assert set(out.splitlines()) == {str(study / name) for name in FILES}
    found = contents(study)
    assert all(found.values())
    assert found["report.html"].startswith(b"<!doctype html>")
    assert found["report.html"].count(b"<svg") == 4
    with (study / "cells.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 5 * 6


def test_another_folder_is_made_and_holds_the_same(capsys, study, reported, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda *one, **more: drawn.append(one) or save(*one, **more))
    out = tmp_path / "a" / "ü b"
    assert run(capsys, study, "--out", out)[0] == 0
    assert len(drawn) == 8  # each plot once as PNG and once as SVG, which the page shows too
    assert {str(path.relative_to(out)) for path in out.rglob("*.*")} == FILES
    assert contents(out) == contents(reported[0])
    assert not (study / "report.html").exists()


def test_shards_in_any_order_are_the_same_report_and_write_over_another(capsys, reported, tmp_path):
    shards = [
        toy_studies.write(tmp_path / str(i), toy_studies.plan(), QUERIES, shard=(i, 2)) for i in range(2)
    ]
    merged = tmp_path / "merged"
    for name in FILES:
        (merged / name).parent.mkdir(parents=True, exist_ok=True)
        (merged / name).write_text("an older report")
    assert run(capsys, *shards[::-1], "--out", merged)[0] == 0
    assert contents(merged) == contents(reported[0])


def test_an_unfinished_run_is_reported_and_said_to_be_one(capsys, tmp_path):
    toy_studies.write(tmp_path, toy_studies.plan(), QUERIES, missing={(0, 0), (4, 3)}, failed={(1, 1)})
    code, _, err = run(capsys, tmp_path)
    assert code == 0
    assert "unfinished: 28 of 30 cells" in err
    assert "1 cell without metrics: report.html says why" in err
    assert b"Unfinished" in (tmp_path / "report.html").read_bytes()


def test_a_run_without_a_cell_is_said_to_be_empty(capsys, tmp_path):
    toy_studies.write(tmp_path, toy_studies.plan(), [])
    code, _, err = run(capsys, tmp_path)
    assert code == 0
    assert "nothing was measured yet" in err


def test_without_matplotlib_all_but_plots_is_written(capsys, study, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run(capsys, study)
    assert code == 0
    assert "no plots: matplotlib is not installed; it comes with: pip install 'intentx[plot]'" in err
    written = {line for line in FILES if not line.startswith("plots")}
    assert set(out.splitlines()) == {str(study / name) for name in written}
    assert b"<svg" not in (study / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "no study in"),
        (("study", "--out", "file"), "cannot make the folder"),
        (("study", "--out", "taken"), "cannot write"),
        (("study", "other"), "different studies"),
    ],
)
def test_what_cannot_be_reported_is_refused(capsys, study, tmp_path, arguments, message):
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "report.html").mkdir(parents=True)
    toy_studies.write(tmp_path / "other", toy_studies.plan(("BM25",)), QUERIES)
    paths = [one if one.startswith("--") else tmp_path / one for one in arguments]
    code, out, err = run(capsys, *paths)
    assert (code, out) == (2, "")
    assert message in err
