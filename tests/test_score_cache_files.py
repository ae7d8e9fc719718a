import os
import sqlite3
import tempfile
import warnings
from pathlib import Path

import pytest

from intentx import BlackBox, InputError, rank
from intentx import kept_file as kept_file_module
from intentx.errors import CacheWarning
from intentx.score_cache import ScoreFile
from tests.toys import Counting, by_length, named

TEXTS = ["ccc", "a", "bb", "a", "dddd"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.sqlite"


def another_database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()


def a_later_format(path):
    ScoreFile(path, "f")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda path: path.write_text("id\ttext\n" * 100),
            "scores.sqlite: file is not a database; name",
        ),
        (lambda path: path.mkdir(), "scores cannot be kept in .*scores.sqlite: unable to open"),
        (another_database, "a database, but not of scores; name another file"),
        (a_later_format, "scores in format 7, and this version of intentx reads format 2"),
    ],
)
def test_files_of_something_else_are_refused_and_left_alone(path, make, message):
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(InputError, match=message):
        BlackBox(named(Counting()), cache=path)
    assert before is None or path.read_bytes() == before
    assert [other.name for other in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no folder .*nowhere for the scores"):
        rank(named(Counting()), "q", TEXTS, cache=tmp_path / "nowhere" / "scores.sqlite")


def test_an_empty_file_is_a_new_one(path):
    path.touch()
    ScoreFile(path, "f").keep("q", ["a"], [1.0])
    assert ScoreFile(path, "f").find("q", ["a"]) == [1.0]


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users to switch to on this system")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_cannot_be_written_is_refused(what):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "scores.sqlite"
        if what == "file":
            ScoreFile(path, "f").close()
            path.chmod(0o444)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)  # what may be written is no matter to root
        try:
            with pytest.raises(
                InputError, match=r"scores cannot be kept in .*(readonly|unable to open)"
            ):
                BlackBox(named(Counting()), cache=path)
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_full_disk_costs_no_score(path):
    scorer = named(Counting())
    box = BlackBox(scorer, cache=path, batch_size=100)
    box("q", ["kept"])
    pages = box.cache._connection.execute("PRAGMA page_count").fetchone()[0]
    box.cache._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    texts = [f"text number {i}" for i in range(1000)]
    with pytest.warns(
        CacheWarning, match=r"scores.sqlite: .*full; from now on .* in memory only"
    ) as seen:
        assert box("q", texts).tolist() == by_length("q", texts)
    assert len(seen) == 1
    assert Path(seen[0].filename) == Path(__file__)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert box("q", [*texts, "kept", "later"]).tolist() == [*by_length("q", texts), 4, 5]
    assert box.texts_scored == 1002
    assert ScoreFile(path, "toy 1").find("q", ["kept", "later"]) == [4.0, None]


def test_a_file_locked_for_long_costs_no_score(path, monkeypatch):
    monkeypatch.setattr(kept_file_module, "PATIENCE", 0.05)
    box = BlackBox(named(Counting()), cache=path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.warns(CacheWarning, match="database is locked"):
        assert box("q", TEXTS).tolist() == by_length("q", TEXTS)
    other.close()


def test_a_file_damaged_meanwhile_costs_no_score(path):
    texts = [f"text number {i}" for i in range(2000)]
    BlackBox(named(Counting()), cache=path)("q", texts)
    box = BlackBox(named(Counting()), cache=path)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (size - 4096))
    with pytest.warns(CacheWarning, match="malformed"):
        assert box("q", texts).tolist() == by_length("q", texts)
    assert box.texts_scored == 2000
