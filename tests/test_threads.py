"""Small matrices are worked on in one thread, whatever the process may use."""

import threading

import numpy as np
import pytest
import scipy
from threadpoolctl import threadpool_info, threadpool_limits

from intentx.explainers.document import interactions
from intentx.explainers.ranking import measured
from intentx.threads import one_thread


def threads(*args, **kwargs):
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two():
    assert scipy.linalg  # which loads a library of its own
    with threadpool_limits(2, "blas"):
        yield


def test_one_while_it_runs_and_as_many_as_before_afterwards():
    assert threads() == {2}
    assert one_thread(threads)() == {1}
    assert threads() == {2}
    with pytest.raises(ZeroDivisionError):
        one_thread(lambda: 1 / 0)()
    assert threads() == {2}


def test_calls_that_overlap_leave_as_many_as_before():
    """The first to begin ends first: what the other one found at its beginning was lowered already."""
    begun, ended = threading.Event(), threading.Event()

    @one_thread
    def second():
        begun.set()
        assert ended.wait(20)

    other = threading.Thread(target=second)

    @one_thread
    def first():
        other.start()
        assert begun.wait(20)

    first()
    ended.set()
    other.join(20)
    assert threads() == {2}


@pytest.mark.parametrize(
    ("room", "inner", "ask"),
    [
        (interactions, "_equations", lambda: interactions.expected_shapley_values(*[np.eye(3) > 0] * 4)),
        (interactions, "_equations", lambda: interactions.expected_errors(*[np.eye(3) > 0] * 4)),
        (measured._Asked, "of", lambda: measured.term_effects(*[None] * 5)),
        (measured._Asked, "of", lambda: measured.promising_terms(*[None] * 6)),
    ],
)
def test_what_solves_small_systems_often_does_so_in_one(room, inner, ask, monkeypatch):
    seen = []

    def looked(*args):
        seen.append(threads())
        raise InterruptedError

    monkeypatch.setattr(room, inner, looked)
    with pytest.raises(InterruptedError):
        ask()
    assert seen == [{1}]
