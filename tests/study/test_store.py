import sqlite3
import subprocess
import sys

import pytest

import intentx as ix
from intentx.study.store import Row, Store, StoreError

ROW = Row("v1", "t1", "7", "BM25", "Ömlaut", "", ("piano", "鍵盤"), {"all": 0.5}, {"ours": 0.1})


def filled(folder, *rows):
    with Store(folder, write=True) as store:
        store.set_study({"name": "x"}, {})
        store.set_topic(0, "7", "piano?", "t1")
        store.add(rows)


def test_rows_come_back(tmp_path):
    filled(tmp_path / "new", ROW)
    with Store(tmp_path / "new", write=False) as store:
        assert list(store.rows()) == [ROW]
        assert list(store.rows(["v2"])) == []
        assert store.missing("t1", ["v0", "v1", "v2"]) == ["v0", "v2"]
        assert store.study() == {"name": "x"}
        assert list(store.topics()) == [(0, "7", "piano?", "t1")]


def test_a_cell_is_kept_once(tmp_path):
    filled(tmp_path, ROW, ROW)
    filled(tmp_path, Row("v1", "t1", "7", "BM25", "again", "", (), {}, {}))
    with Store(tmp_path, write=False) as store:
        assert list(store.rows()) == [ROW]


def test_cells_of_other_documents_are_no_part_of_it(tmp_path):
    filled(tmp_path, ROW)
    with Store(tmp_path, write=True) as store:
        store.set_topic(0, "7", "piano?", "t2")
        assert list(store.rows()) == []
        store.set_topic(0, "7", "piano?", "t1")
        assert list(store.rows()) == [ROW]


def test_one_process_writes_at_a_time(tmp_path):
    code = (
        "import sys; from intentx.study.store import Store\n"
        f"store = Store({str(tmp_path)!r}, write=True); print('has it', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "has it\n"
        with pytest.raises(ix.InputError, match="another process is running a study"):
            Store(tmp_path, write=True)
        Store(tmp_path, write=False).close()  # reading is free
    finally:
        other.kill()  # as by kill -9
        other.wait()
        other.stdin.close()
        other.stdout.close()
    Store(tmp_path, write=True).close()


def test_a_full_disk_loses_nothing_that_was_kept(tmp_path):
    filled(tmp_path, ROW)
    with Store(tmp_path, write=True) as store:
        pages = store._file.execute("PRAGMA page_count").fetchone()[0]
        store._file.execute(f"PRAGMA max_page_count = {pages}")
        large = Row("v2", "t1", "7", "BM25", "m", "", ("x" * 100_000,), {}, {})
        with pytest.raises(StoreError, match="full; all earlier ones are kept"):
            store.add([large])
        store._file.execute("PRAGMA max_page_count = 100000")
        store.add([large])
        assert {row.variant for row in store.rows()} == {"v1", "v2"}


def test_files_that_are_no_study(tmp_path):
    with pytest.raises(ix.InputError, match="intentx bench STUDY --out DIR makes one"):
        Store(tmp_path, write=False)
    with sqlite3.connect(tmp_path / "study.sqlite") as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(ix.InputError, match="not the database of a study"):
        Store(tmp_path, write=True)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "study.sqlite").write_text(
        "not a database, but long enough to be read as one" * 30
    )
    with pytest.raises(ix.InputError, match="cannot be kept"):
        Store(tmp_path / "text", write=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ix.InputError, match="cannot be kept"):
        Store(tmp_path / "file", write=True)


def test_another_version(tmp_path):
    filled(tmp_path, ROW)
    with sqlite3.connect(tmp_path / "study.sqlite") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(ix.InputError, match="format 99, and this intentx reads 6"):
        Store(tmp_path, write=False)


def test_a_file_that_is_being_made_is_a_study_that_has_not_begun(tmp_path):
    (tmp_path / "study.sqlite").touch()
    with pytest.raises(ix.InputError, match=r"the study in .* has not begun"):
        Store(tmp_path, write=False)
    Store(tmp_path, write=True).close()


def test_a_study_that_has_not_begun(tmp_path):
    with Store(tmp_path, write=True) as store, pytest.raises(ix.InputError, match="has not begun"):
        store.study()
