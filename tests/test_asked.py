"""What is counted for one explanation, whatever ran before it and runs beside it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import intentx as ix
from tests.toys import Listwise

TEXTS = [
    "a stage piano with a weighted action",
    "a piano stool that creaks",
    "an usb keyboard with clicking keys",
    "a grand piano for the stage, a stage for a piano",
    "keys of brass, keys of steel, and a lock",
    "a mechanical keyboard, wired by usb",
    "a synthesizer with the action of a piano",
    "a desk lamp with an usb plug",
]
METHODS = {
    "multiplex": ix.Multiplex(max_terms=3, candidates=8, budget=20, seed=0),
    "other budget": ix.Multiplex(max_terms=3, candidates=8, budget=40, seed=0),
    "exs of all": ix.EXS(samples=20, documents=3, seed=0),
    "exs": ix.EXS(samples=30, seed=1),
}


def counting(query, texts):
    return [text.count("piano") + text.count("stage") / 2 for text in texts]


def explained(name, ranking):
    return METHODS[name].explain(ranking, *([2] if name == "exs" else []))


@pytest.fixture(scope="module")
def alone():
    found = {}
    for name in METHODS:
        ranking = ix.rank(counting, "piano", TEXTS)
        before = ranking.scorer.texts_scored
        found[name] = explained(name, ranking).model_calls
        assert found[name] == ranking.scorer.texts_scored - before > 0
    return found


@pytest.mark.parametrize("names", [[*METHODS], [*METHODS][::-1]])
def test_one_ranking_explained_by_several_methods(alone, names):
    ranking = ix.rank(counting, "piano", TEXTS)
    before = ranking.scorer.texts_scored
    assert {name: explained(name, ranking).model_calls for name in names} == alone
    assert ranking.scorer.texts_scored - before < sum(alone.values()), "some answers came from memory"


def test_four_threads_at_once(alone):
    together = threading.Barrier(4)

    def meeting(query, texts):
        if len(together.met) < 4 and threading.current_thread() is not threading.main_thread():
            together.met.add(threading.current_thread().name)
            together.wait(timeout=60)  # all four are in the middle of an explanation
        return counting(query, texts)

    together.met = set()
    ranking = ix.rank(meeting, "piano", TEXTS)
    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(METHODS, pool.map(lambda name: explained(name, ranking), METHODS), strict=True))
    assert len(together.met) == 4
    assert {name: one.model_calls for name, one in found.items()} == alone
    assert all(one.seconds["model"] <= one.seconds["total"] for one in found.values())


def test_no_thread_loses_a_count():
    box = ix.BlackBox(counting)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: box("piano", [f"{i} piano", f"{i}"]), range(2000)))
    assert (box.texts_asked, box.texts_scored, box.calls, box.texts_known) == (4000, 4000, 2000, 0)


def test_lists_count_as_long_as_they_are():
    ranking = ix.rank(Listwise(), "piano", TEXTS[:4])
    first, again = (ix.EXS(samples=6, seed=0).explain(ranking, 0) for _ in range(2))
    assert first.model_calls == again.model_calls > 0
    assert first.model_calls % 4 == 0
