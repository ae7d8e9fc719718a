"""An index on disk: complete or not there, built again only when it must be."""

import gc
import json
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest

import intentx as ix
from intentx.search import SearchIndex
from intentx.search.build import BATCH

DOCS = [ix.Document(f"d{i}", f"tea number {i % 100} {'pot ' * (i % 3)}") for i in range(2 * BATCH + 500)]
ROOT = Path(__file__).parents[2]


class Counting(ix.Analyzer):
    """An analyzer that counts the texts it is asked for."""

    asked: ClassVar[Counter] = Counter()

    def tokens(self, text):
        self.asked[text] += 1
        return super().tokens(text)


def analysed(documents, folder, **settings):
    """The index, and how many of the documents were analysed for it."""
    Counting.asked.clear()
    index = SearchIndex.build(documents, folder, analyzer=Counting(stem="english"), **settings)
    return index, sum(n for text, n in Counting.asked.items() if text.startswith(("tea", "new")))


def same(index, documents):
    fresh = SearchIndex.build(documents)
    for query in ("tea pot", "number 42", "new"):
        ours, expected = index.search(query, 50), fresh.search(query, 50)
        assert ours.ids == expected.ids
        assert ours.scores.tolist() == expected.scores.tolist()
    return index.fingerprint == fresh.fingerprint


def test_the_same_documents_are_indexed_once(tmp_path):
    told = []
    first, n = analysed(iter(DOCS), tmp_path / "new" / "index", progress=told.append)
    assert n == len(DOCS)
    assert told == [BATCH, 2 * BATCH, len(DOCS)]
    docs = {one.id: one.text for one in DOCS}
    again, n = analysed(docs, tmp_path / "new" / "index", progress=told.append)
    assert (n, len(told)) == (0, 3)
    assert again.fingerprint == first.fingerprint
    assert same(again, DOCS)
    assert same(SearchIndex.open(tmp_path / "new" / "index"), DOCS)


@pytest.mark.parametrize(
    "changed",
    [
        [*DOCS[:1200], ix.Document("new", "new tea"), *DOCS[1200:]],
        DOCS[:-1],
        [*DOCS, ix.Document("new", "new tea")],
        DOCS[::-1],
        [ix.Document("d0", DOCS[0].text, "new"), *DOCS[1:]],
    ],
)
def test_other_documents_are_another_index(tmp_path, changed):
    old, _ = analysed(DOCS, tmp_path)
    index, n = analysed(iter(changed), tmp_path)  # a generator can be read once
    assert n >= len(changed) - 1
    assert same(index, changed)
    assert index.fingerprint != old.fingerprint
    assert same(old, DOCS)  # what is open stays readable
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_other_settings_are_another_index(tmp_path):
    analysed(DOCS, tmp_path)
    assert SearchIndex.build(DOCS, tmp_path, b=0.75, analyzer=Counting(stem="english")).b == 0.75
    index = SearchIndex.build(DOCS, tmp_path, analyzer=ix.Analyzer())
    assert index.search("numbers").ids == ()
    with pytest.raises(
        ix.InputError, match=r"another analyzer \(stem is None, not 'german'\); build it"
    ):
        SearchIndex.open(tmp_path, analyzer=ix.Analyzer(stem="german"))


def test_words_that_are_found_otherwise_now(tmp_path):
    analysed(DOCS, tmp_path)
    head = json.loads((tmp_path / "index.json").read_text())
    head["settings"]["analyzer"]["sample"] = "0" * 16  # as by another version
    (tmp_path / "index.json").write_text(json.dumps(head))
    with pytest.raises(ix.InputError, match="this version finds other words in a text"):
        SearchIndex.open(tmp_path)
    _, n = analysed(DOCS, tmp_path)
    assert n == len(DOCS)


KILLED = """
import os, signal, sys
from tests.search.test_folder import DOCS
from intentx.search import SearchIndex
def some():
    for number, document in enumerate(DOCS):
        if number == {number}:
            os.kill(os.getpid(), signal.SIGKILL)
        yield document
SearchIndex.build(some(), sys.argv[1])
"""


def killed_after(number, folder):
    code = KILLED.format(number=number)
    done = subprocess.run([sys.executable, "-c", code, str(folder)], check=False, cwd=ROOT)
    assert done.returncode == -9


def test_a_killed_build_goes_on_where_it_stopped(tmp_path):
    killed_after(2 * BATCH + 100, tmp_path)
    with pytest.raises(ix.InputError, match="no complete search index"):
        SearchIndex.open(tmp_path)
    index, n = analysed(iter(DOCS), tmp_path)
    assert n == 500
    assert same(index, DOCS)
    killed_after(2 * BATCH + 1, tmp_path / "other")
    new = [*DOCS[:300], ix.Document("new", "new tea"), *DOCS[300:]]
    index, n = analysed(iter(new), tmp_path / "other")  # those after the change are analysed again
    assert n == len(new) - 300
    assert same(index, new)


def test_a_killed_build_leaves_the_index_before_it(tmp_path):
    analysed(DOCS[:50], tmp_path)
    killed_after(BATCH + 1, tmp_path)
    assert same(SearchIndex.open(tmp_path), DOCS[:50])


def test_a_source_that_fails_is_told_and_what_was_read_is_kept(tmp_path):
    def some():
        yield from DOCS[: BATCH + 10]
        raise ix.InputError("docs.jsonl, line 1011: broken JSON")

    with pytest.raises(ix.InputError, match="line 1011"):
        analysed(some(), tmp_path)
    _, n = analysed(DOCS, tmp_path)
    assert n == len(DOCS) - BATCH


def test_processes_that_analyse_come_to_the_same(tmp_path):
    assert same(SearchIndex.build(iter(DOCS), tmp_path, workers=2), DOCS)


def test_builds_at_the_same_time_wait_for_each_other(tmp_path):
    Counting.asked.clear()
    found = []

    def build():
        index = SearchIndex.build(iter(DOCS), tmp_path, analyzer=Counting(stem="english"))
        found.append(index.search("tea pot", 7).ids)

    threads = [threading.Thread(target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SearchIndex.build(DOCS).search("tea pot", 7).ids] * 3
    assert Counting.asked[DOCS[7].text] == sum(one.text == DOCS[7].text for one in DOCS)


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


def spoilt(path):
    """The same number of bytes, others from the second page on."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("bm25/data.csc.index.npy", cut, "data.csc.index.npy has changed since it was written"),
        ("bm25/indptr.csc.index.npy", Path.unlink, "indptr.csc.index.npy is missing"),
        ("bm25/params.index.json", lambda path: path.write_text("x" * path.stat().st_size), "damaged"),
        ("documents.sqlite", cut, "documents.sqlite has changed since it was written"),
        ("documents.sqlite", spoilt, "damaged .*malformed|damaged .*not a database"),
        ("bm25/indices.csc.index.npy", spoilt, "indices.csc.index.npy has changed since it was written"),
        ("../index.json", lambda path: path.write_text("{"), "index.json is damaged"),
        ("../index.json", lambda path: path.write_text("[]"), "index.json is damaged"),
        ("../index.json", lambda path: path.write_text('{"format": "intentx.search/9"}'), "search/9"),
        ("../index.json", lambda path: path.write_text('{"format": "intentx.search/1"}'), "is damaged"),
        ("../index.json", Path.unlink, "no search index in"),
    ],
)
def test_a_damaged_folder_is_told_and_built_again(tmp_path, name, damage, message):
    SearchIndex.build(DOCS, tmp_path).close()
    [inside] = [path for path in tmp_path.iterdir() if path.is_dir()]
    damage(inside / name)
    with pytest.raises(ix.InputError, match=message):
        SearchIndex.open(tmp_path).search("tea pot", 50)
    if (name, damage) != ("documents.sqlite", spoilt):  # found out on opening
        assert same(SearchIndex.build(DOCS, tmp_path), DOCS)


def test_folders_that_are_none_of_an_index(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ix.InputError, match="holds other files, such as 'file'"):
        SearchIndex.build(DOCS, tmp_path)
    with pytest.raises(ix.InputError, match="is a file; an index needs a folder"):
        SearchIndex.build(DOCS, tmp_path / "file")
    with pytest.raises(ix.InputError, match=r"no search index in .*none; SearchIndex\.build"):
        SearchIndex.open(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_index_that_nobody_closed_lets_go_of_its_file(tmp_path):
    folder = tmp_path / "index"
    SearchIndex.build({"a": "piano", "b": "desk"}, folder=folder)
    found = SearchIndex.open(folder)
    connection = found._store._connection
    del found
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
