import json
import multiprocessing
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import BlackBox, InputError, ScorerError, rank
from intentx import score_cache as memory_module
from intentx.score_cache import ScoreFile
from tests.toys import Counting, Failing, Listwise, by_length, named

TEXTS = ["ccc", "a", "bb", "a", "dddd"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.sqlite"


def test_a_second_black_box_asks_nothing(path):
    first = BlackBox(named(Counting()), cache=path, batch_size=2)
    assert first("q", TEXTS).tolist() == by_length("q", TEXTS)
    assert first("q", ["bb", "eeeee"]).tolist() == [2, 5]
    assert (first.texts_asked, first.texts_scored, first.texts_found, first.texts_known) == (7, 5, 0, 2)
    scorer = named(Counting())
    second = BlackBox(scorer, cache=str(path))
    assert second("q", TEXTS).tolist() == by_length("q", TEXTS)
    assert (second.texts_asked, second.texts_scored, second.texts_found, second.texts_known) == (
        5,
        0,
        4,
        1,
    )
    assert second("q", [*TEXTS, "new"]).tolist() == by_length("q", [*TEXTS, "new"])
    assert (second.texts_asked, second.texts_scored, second.texts_found, second.texts_known) == (
        11,
        1,
        4,
        6,
    )
    assert second.calls == len(scorer.calls) == 1
    assert scorer.texts == ["new"]


def test_other_queries_and_other_rankers_are_others(path):
    BlackBox(named(Counting()), cache=path)("q", TEXTS)
    same = BlackBox(named(Counting()), cache=path)
    same("another query", TEXTS)
    assert same.texts_found == 0
    other = BlackBox(named(Counting(), "toy 2"), cache=path)
    other("q", TEXTS)
    assert other.texts_found == 0
    given_one = BlackBox(named(Counting(), "toy 3"), cache=path, fingerprint="toy 1")
    given_one("q", TEXTS)
    assert given_one.texts_found == 4


def test_listwise_scores_belong_to_their_list(path):
    first = rank(named(Listwise()), "q", TEXTS, cache=path)
    scorer = named(Listwise())
    again = rank(scorer, "q", TEXTS, cache=path)
    np.testing.assert_array_equal(again.scores, first.scores)
    assert (again.scorer.texts_found, scorer.calls) == (5, [])
    for texts in (TEXTS[::-1], TEXTS[:-1], [*TEXTS, ""], ["".join(TEXTS[:2]), *TEXTS[2:]]):
        expected = Listwise()("q", texts)
        np.testing.assert_array_equal(again.scorer("q", texts), expected)
        assert scorer.calls[-1] == ("q", texts)
    pointwise = BlackBox(named(Counting()), cache=path)
    pointwise("q", TEXTS)
    assert pointwise.texts_found == 0, "a score in a list is no score of a text"


@given(st.lists(st.tuples(st.sampled_from("qr"), st.lists(st.text("ab", max_size=3), max_size=9))))
def test_every_call_of_every_black_box_is_answered_as_by_the_scorer(calls):
    with tempfile.TemporaryDirectory() as folder:
        seen = set()
        boxes = [BlackBox(named(Counting()), cache=f"{folder}/s", batch_size=n) for n in (1, 2, 256)]
        for number, (query, texts) in enumerate(calls):
            box = boxes[number % 3]
            before = box.texts_scored
            assert box(query, texts).tolist() == by_length(query, texts)
            new = {(query, text) for text in texts} - seen
            assert box.texts_scored - before == len(new)
            seen |= new
        for box in boxes:
            box.cache.close()


def test_scores_come_back_to_the_last_bit(path):
    texts = ["", "a\0b", "a", "\0b", "ä", "a\u0308", "\ud800", "𐀀", "x" * 1_000_000]
    scores = [
        0.1 + 0.2,
        5e-324,
        -1.7976931348623157e308,
        1e16 + 2,
        np.nextafter(1, 2),
        -3.0,
        1 / 3,
        7.0,
        0.0,
    ]
    ScoreFile(path, "f").keep("q\ud800", texts, scores)
    assert ScoreFile(path, "f").find("q\ud800", [*texts, "b"]) == [*scores, None]
    assert ScoreFile(path, "f").find("q", texts) == [None] * len(texts)


def test_neither_parts_nor_lists_are_mistaken_for_others(path):
    ScoreFile(path, "f").keep("q", ["text"], [1.0])
    for fingerprint, query, text in (("fq", "", "text"), ("f", "qt", "ext"), ("", "fq", "text")):
        assert ScoreFile(path, fingerprint).find(query, [text]) == [None]
    file = ScoreFile(path, "f")
    file.keep("q", ["a", "b"], [1.0, 2.0], as_list=True)
    assert file.find("q", ["a", "b"], as_list=True) == [1.0, 2.0]
    for query, texts in (
        ("q", ["ab"]),
        ("q", ["b", "a"]),
        ("q", ["a"]),
        ("qa", ["b"]),
        ("q", ["", "ab"]),
    ):
        assert file.find(query, texts, as_list=True) == [None] * len(texts)
    assert file.find("q", ["a", "b"]) == [None, None]
    file.keep("q", ["a", "a"], [3.0, 4.0], as_list=True)
    assert file.find("q", ["a", "a"], as_list=True) == [3.0, 4.0]
    file.keep("q", ["a"], [5.0], as_list=True)
    like_a_list = "\x01" + "\0" * 7 + "a" + "\0" * 8
    assert file.find("q", [like_a_list]) == [None]


def test_many_texts_at_once(path):
    texts = [f"text {i}" for i in range(2 * memory_module.MOST_KEYS + 5)]
    file = ScoreFile(path, "f")
    assert file.find("q", []) == []
    file.keep("q", texts[::2], list(range(0, len(texts), 2)))
    expected = [float(i) if i % 2 == 0 else None for i in range(len(texts))]
    assert file.find("q", texts) == expected


def test_the_first_score_stays(path):
    file = ScoreFile(path, "f")
    file.keep("q", ["a"], [1.0])
    file.keep("q", ["b", "a"], [3.0, 2.0])
    assert file.find("q", ["a", "b"]) == [1.0, 3.0]


def test_what_was_scored_before_a_failure_is_kept(path):
    with pytest.raises(ScorerError):
        BlackBox(named(Failing()), cache=path, batch_size=1)("q", ["the longest text", "poison", "tiny"])
    assert ScoreFile(path, "toy 1").find("q", ["the longest text", "poison", "tiny"]) == [16, None, None]


def work(path, number, rounds, start):
    """One process: opens the file when all do, keeps own and common scores, finds them at once."""
    start.wait(timeout=60)
    warnings.simplefilter("error")
    file = ScoreFile(path, "f")
    for i in range(rounds):
        texts = [*(f"{number}-{i}-{j}" for j in range(20)), *(f"common-{i}-{j}" for j in range(20))]
        scores = [float(len(text)) for text in texts]
        file.keep("q", texts, scores)
        if file.find("q", texts) != scores:
            raise RuntimeError(f"process {number} lost scores in round {i}")
    file.close()


def test_processes_write_one_new_file_at_once(path):
    context = multiprocessing.get_context("spawn")
    number, rounds = 3, 30
    start = context.Barrier(number)
    processes = [context.Process(target=work, args=(path, i, rounds, start)) for i in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0] * number
    texts = [
        f"{k}-{i}-{j}" for k in (*range(number), "common") for i in range(rounds) for j in range(20)
    ]
    assert ScoreFile(path, "f").find("q", texts) == [float(len(text)) for text in texts]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchone() == (len(texts),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_new_file_that_another_process_is_making(path):
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE scores (key BLOB PRIMARY KEY, score REAL, mark INTEGER) WITHOUT ROWID")
    other.execute(f"PRAGMA application_id = {memory_module.APPLICATION}")
    other.execute(f"PRAGMA user_version = {memory_module.FORMAT}")
    made = threading.Timer(0.3, other.execute, ["COMMIT"])
    made.start()
    assert ScoreFile(path, "f").find("q", ["a"]) == [None]
    made.join()
    other.close()


def test_a_killed_process_leaves_what_it_kept(path):
    code = (
        "import itertools, sys; from intentx.score_cache import ScoreFile\n"
        "file = ScoreFile(sys.argv[1], 'f')\n"
        "for i in itertools.count():\n"
        "    file.keep('q', [f'{i}-{j}' for j in range(300)], [float(i)] * 300); print(i, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) == 25:
            process.send_signal(signal.SIGKILL)
            break
    last = max([25, *map(int, process.stdout.read().split())])
    process.stdout.close()
    assert process.wait(timeout=60) == -signal.SIGKILL
    file = ScoreFile(path, "f")
    for i in range(last + 1):
        assert file.find("q", [f"{i}-{j}" for j in range(300)]) == [float(i)] * 300
    half = file.find("q", [f"{last + 1}-{j}" for j in range(300)])
    assert len(set(half)) == 1, "a batch is kept whole or not at all"


SECOND = """
import json, sys, warnings
import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BM25
warnings.simplefilter("error")
demo = load_demo("jaguar speed")
scorer = BM25([document.content for document in demo.documents])
ranking = ix.rank(scorer, demo.query, demo.documents, cache=sys.argv[1])
explanation = ix.Multiplex(budget=30, seed=0).explain(ranking)
box = ranking.scorer
print(json.dumps({"calls": box.calls, "scored": box.texts_scored, "found": box.texts_found,
                  "model_calls": explanation.model_calls, "terms": explanation.terms,
                  "fidelity": explanation.fidelity.all}))
"""


def test_a_second_process_explains_the_ranking_without_the_model(path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["first", str(path)])
    exec(SECOND, {})  # noqa: S102
    first = json.loads(capsys.readouterr().out)
    done = subprocess.run([sys.executable, "-c", SECOND, path], capture_output=True, check=True)
    second = json.loads(done.stdout)
    assert first["calls"] > 0
    assert first["scored"] > first["model_calls"] > 0
    assert first["found"] == 0
    assert (second["calls"], second["scored"]) == (0, 0)
    assert second["model_calls"] == first["model_calls"]
    assert second["found"] == first["scored"] - 3, "three texts were asked once more"
    assert (second["terms"], second["fidelity"]) == (first["terms"], first["fidelity"])


def test_threads_share_a_file(path):
    file = ScoreFile(path, "f")
    failures = []
    start = threading.Barrier(5)

    def one(number):
        start.wait(timeout=60)
        texts = [f"{number}-{i}" for i in range(50)]
        for i, text in enumerate(texts):
            file.keep("q", [text], [float(i)])
        if file.find("q", texts) != list(map(float, range(50))):
            failures.append(number)
        start.wait(timeout=60)  # connections of threads that have ended are closed

    threads = [threading.Thread(target=one, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(file._connections) == 5, "one's failure must not undo another's transaction"
    file.close()
    assert file.find("q", ["4-49"]) == [49.0], "and it opens again"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of other tests' threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_has_its_own_connection(path):
    file = ScoreFile(path, "f")
    file.keep("q", ["before"], [1.0])
    child = os.fork()
    if not child:
        code = 1
        try:
            found = file.find("q", ["before"])
            file.keep("q", ["child"], [2.0])
            number = len(file._connections)
            file.close()
            code = 0 if (found, number, len(file._connections)) == ([1.0], 2, 1) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    file.keep("q", ["parent"], [3.0])
    assert file.find("q", ["before", "child", "parent"]) == [1.0, 2.0, 3.0]


def test_it_is_pickled_as_its_path(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = ScoreFile(path.name, "f")
    file.keep("q", ["a"], [1.0])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    packed = pickle.dumps(file)
    monkeypatch.chdir(elsewhere)
    assert pickle.loads(packed).find("q", ["a"]) == [1.0]  # noqa: S301
    assert not list(elsewhere.iterdir())


def test_no_connection_is_left_open(path):
    file = ScoreFile(path, "f")
    file.keep("q", ["a"], [1.0])
    connection = next(iter(file._connections.values()))
    del file
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("fingerprint", [None, "", 3, lambda: "f"])
def test_scores_on_disk_need_a_fingerprint(path, fingerprint):
    scorer = Counting()
    if fingerprint is not None:
        scorer.fingerprint = fingerprint
    with pytest.raises(InputError, match=r"the scores of Counting on disk, give it a fingerprint"):
        rank(scorer, "q", TEXTS, cache=path)
    with pytest.raises(InputError, match="the scores of by_length on disk"):
        BlackBox(by_length, cache=path)
    assert not path.exists()
    assert rank(by_length, "q", TEXTS, cache=path, fingerprint="by length").scorer.texts_scored == 4 + 3


def test_a_black_box_has_its_own_cache(path):
    with pytest.raises(InputError, match="give the cache to it"):
        rank(BlackBox(named(Counting())), "q", TEXTS, cache=path)
    assert not path.exists()
