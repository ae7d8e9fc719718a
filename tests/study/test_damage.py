"""Bits that flip on the disk, folders that cannot be written, and files of earlier formats."""

import contextlib
import json
import os
import shutil
import sqlite3
import warnings

import pytest

import intentx as ix
from intentx.errors import DamageWarning
from intentx.score_cache import ScoreFile
from intentx.study.run import run_study, status
from intentx.study.store import Store, StoreError
from tests.study.small_studies import cells, study


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    run_study(study(), folder)
    with sqlite3.connect(folder / "study.sqlite") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def flip(path, where, bit):
    content = bytearray(path.read_bytes())
    content[where] ^= 1 << bit
    path.write_bytes(content)


def test_a_flipped_bit_in_a_cell_is_measured_again(finished, copied):
    """Any bit of any part of it."""
    plain = cells(finished)
    row = plain[1]
    path = copied / "study.sqlite"
    whole = path.read_bytes()
    parts = [json.dumps(row.terms, ensure_ascii=False), json.dumps(row.metrics)]
    places = [whole.index(part.encode()) + at for part in parts for at in (2, len(part) // 2)]
    for place in places:
        path.write_bytes(whole)
        flip(path, place, 1)
        with pytest.warns(DamageWarning, match=r"a cell in .* is damaged and left out"):
            assert len(cells(copied)) == len(plain) - 1
        outcome = run_study(study(), copied)
        assert outcome.measured == 1
        assert cells(copied) == plain


def test_no_flipped_bit_changes_what_is_read(finished, copied):
    """A hundred places all over the file: the same rows, fewer, or words."""
    plain = cells(finished)
    path = copied / "study.sqlite"
    whole = path.read_bytes()
    found = 0
    for number in range(100):
        path.write_bytes(whole)
        for log in ("-wal", "-shm"):
            path.with_name(path.name + log).unlink(missing_ok=True)
        flip(path, number * len(whole) // 100 + 37, number % 8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DamageWarning)
            try:
                rows = cells(copied)
            except (ix.InputError, StoreError):
                found += 1
                continue
        assert all(row in plain for row in rows)
        found += len(rows) < len(plain)
    assert found > 5


def test_a_damaged_description_is_told_and_written_anew(finished, copied):
    with sqlite3.connect(copied / "study.sqlite") as db:
        db.execute("UPDATE study SET plain = replace(plain, 'name', 'nome')")
    db.close()
    with pytest.raises(ix.InputError, match=r"description of the study in .* is damaged"):
        status(copied)
    assert run_study(study(), copied).measured == 0
    assert cells(copied) == cells(finished)


def test_a_damaged_query_is_told_and_written_anew(finished, copied):
    with sqlite3.connect(copied / "study.sqlite") as db:
        db.execute("UPDATE topics SET query = query || '?' WHERE place = 0")
    db.close()
    with pytest.warns(DamageWarning, match="a query in"):
        assert len(cells(copied)) < len(cells(finished))
    assert run_study(study(), copied).measured == 0
    assert cells(copied) == cells(finished)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("write", [True, False])
def test_results_of_earlier_formats_are_read(finished, copied, write, version):
    with sqlite3.connect(copied / "study.sqlite") as db:
        db.execute("ALTER TABLE cells RENAME COLUMN metrics TO figures")
        for table in ("study", "topics", "cells") if version == 4 else ():
            db.execute(f"ALTER TABLE {table} DROP COLUMN mark")
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    if write:
        assert run_study(study(), copied).measured == 0
        with Store(copied, write=False) as store:
            assert store._file.execute("PRAGMA user_version").fetchone()[0] == 6
    assert cells(copied) == cells(finished)


@contextlib.contextmanager
def without_rights(folder):
    """Nothing in it can be written, by root neither, who takes the rights of nobody for a while."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    parents = [folder, *folder.parents]
    before = {path: path.stat().st_mode for path in parents if path != path.parent}
    root = os.geteuid() == 0
    if root:
        for path in before:
            if path != folder:
                path.chmod(before[path] | 0o055)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in before.items():
            path.chmod(mode | 0o700)


@pytest.mark.parametrize("log", [False, True])
def test_results_are_read_from_storage_that_cannot_be_written(finished, copied, log):
    if log:  # rows that stand in SQLite's log alone, as after a kill
        db = sqlite3.connect(copied / "study.sqlite", isolation_level=None)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE study SET id = 1")
        other = shutil.copytree(copied, copied.with_name("killed"))
        db.close()
        copied = other
        assert (copied / "study.sqlite-wal").stat().st_size > 0
        (copied / "study.sqlite-shm").unlink(missing_ok=True)
    expected = cells(finished)
    names = {path.name for path in copied.iterdir()}
    with without_rights(copied):
        with pytest.raises(OSError, match="denied"):
            (copied / "new").write_text("x")
        assert cells(copied) == expected
    assert {path.name for path in copied.iterdir()} == names


def test_damaged_scores_are_unknown_and_kept_anew(tmp_path):
    path = tmp_path / "scores.sqlite"
    texts = [f"text {i}" for i in range(60)]
    scores = [i / 7 for i in range(60)]
    file = ScoreFile(path, "mine")
    file.keep("q", texts, scores)
    file.close()
    for statement in ("score = score + 1e-9", "score = 'x'", "mark = mark + 1"):
        with sqlite3.connect(path) as db:
            change = f"UPDATE scores SET {statement} WHERE abs(score - ?) < 1e-12"  # noqa: S608
            db.execute(change, (3 / 7,))
        db.close()
        assert file.find("q", texts) == [None if i == 3 else s for i, s in enumerate(scores)]
        file.keep("q", texts, scores)
        assert file.find("q", texts) == scores
        file.close()


def test_scores_of_the_first_format_are_read(tmp_path):
    path = tmp_path / "scores.sqlite"
    file = ScoreFile(path, "mine")
    file.keep("q", ["a", "b"], [0.1, 2.0])
    file.close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE scores DROP COLUMN mark")
        db.execute("PRAGMA user_version = 1")
    db.close()
    assert ScoreFile(path, "mine").find("q", ["a", "b", "c"]) == [0.1, 2.0, None]
