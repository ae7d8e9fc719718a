"""Which queries training holds out, and which of many are picked: exact numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

from intentx.cli.train import _split
from intentx.study.data import Data, _spread


def lists(number, judged):
    """Training lists; those in ``judged`` have a relevant text."""
    return [
        SimpleNamespace(name=i, grades=np.array([np.nan, float(i in judged)])) for i in range(number)
    ]


@pytest.mark.parametrize(
    ("number", "share", "expected"), [(10, 0.26, 3), (10, 0.24, 2), (100, 0.29, 29), (10, 0.0, 0)]
)
def test_the_held_out_queries_are_the_nearest_number_to_the_share_of_judged_ones(
    number, share, expected
):
    judged = set(range(0, 2 * number, 2))
    kept, held = _split(lists(2 * number, judged), share, seed=0)
    assert len(held) == expected
    assert {one.name for one in held} <= judged
    assert [one.name for one in kept + held] == [*(one.name for one in kept), *(o.name for o in held)]
    assert sorted(one.name for one in kept + held) == list(range(2 * number))


def test_without_judgements_any_query_is_held_out_and_the_seed_says_which():
    held = [{one.name for one in _split(lists(40, ()), 0.26, seed)[1]} for seed in (0, 0, 1)]
    assert [len(one) for one in held] == [10, 10, 10]
    assert held[0] == held[1] != held[2]


@pytest.mark.parametrize(
    ("queries", "expected"),
    [(1, [0]), (2, [0, 9]), (3, [0, 5, 9]), (4, [0, 2, 5, 9]), (5, [0, 2, 5, 7, 9]), (None, range(10))],
)
def test_some_of_many_queries_are_the_ends_and_those_that_halve_the_widest_gaps(queries, expected):
    assert _spread(range(10), Data(folder="x", queries=queries)) == list(expected)
