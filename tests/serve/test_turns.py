"""Methods that hold their turn for many passes through a model let quick work come between them."""

import threading

import pytest

from intentx.serve.turns import Stopped, Turns, WatchedBox, Work

PATIENCE = 20


@pytest.fixture
def world():
    turns, told = Turns(), []
    return turns, told, WatchedBox(lambda query, texts: [0.0] * len(texts), turns)


def in_thread(turns, work, do):
    """Do it with a turn of the work; what it raised."""
    raised = []

    def run():
        try:
            with turns.doing(work), turns.turn():
                do()
        except Stopped as stopped:
            raised.append(stopped)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


def test_quick_work_comes_between_two_passes(world):
    turns, told, box = world
    began, done = threading.Event(), threading.Event()

    def passes():
        began.set()
        for _ in range(100_000):
            box.spent(0.001, versions=2)
            if done.wait(0.001):
                return

    slow = Work("slow", False, lambda *said: told.append(said))
    thread, _ = in_thread(turns, slow, passes)
    assert began.wait(PATIENCE)
    quick, _ = in_thread(turns, Work("quick", True, lambda *_: None), done.set)
    quick.join(PATIENCE)
    thread.join(PATIENCE)
    assert done.is_set()
    assert not thread.is_alive()
    # Each pass was a sign of life, so that the method is not taken for a ranker that hangs.
    assert [what for what, _ in told][:4] == ["asking", "asked", "asking", "asked"]


def test_work_is_stopped_between_two_passes_and_leaves_the_turn_to_others(world):
    turns, _, box = world
    held, free = threading.Event(), threading.Event()
    slow = Work("slow", False, lambda *_: None)

    def passes():
        assert free.wait(PATIENCE)
        box.spent(0.001, versions=1)

    def stop():
        slow.stopped.set()
        held.set()
        assert not other.wait(0.7)  # longer than one look at whether the work is stopped

    other = threading.Event()
    thread, raised = in_thread(turns, slow, passes)
    quick, _ = in_thread(turns, Work("quick", True, lambda *_: None), stop)
    while not turns._quick:
        held.wait(0.01)
    free.set()
    assert held.wait(PATIENCE)
    thread.join(PATIENCE)
    assert len(raised) == 1
    third, _ = in_thread(turns, Work("third", False, lambda *_: None), other.set)
    for one in (quick, third):
        one.join(PATIENCE)
    assert other.is_set()
