"""What the exhaustive search leaves out cannot be the best."""

import itertools

import numpy as np
import pytest
from coverage_oracles import make, matrices
from hypothesis import given
from hypothesis import strategies as st

from intentx.coverage.objective import Objective
from intentx.coverage.screen import Screen
from intentx.preferences import Pairs, PreferenceMatrices, TermScores


def entries(m):
    """(T, R, P) score differences of the pairs."""
    values = m.scaled.transpose(1, 0, 2)
    return values[..., m.pairs.high] - values[..., m.pairs.low]


def judged(objective, head, tails):
    """What the screen says of the sets, and their values."""
    screen = Screen(objective, entries(objective.matrices))
    most = screen.most(head, screen.set_tails(np.array(tails)), slice(None))
    return most, np.array([objective.value([*head, *tail]) for tail in tails])


@given(matrices, st.sampled_from([0.0, 0.05, 0.3]), st.sampled_from([0.0, 0.4, 1.0]), st.data())
def test_no_set_is_worth_more(m, softness, soft_share, data):
    size = data.draw(st.integers(1, m.n_terms))
    tail = data.draw(st.integers(1, size))
    objective = Objective(m, softness, soft_share)
    head = tuple(range(size - tail))
    tails = list(itertools.combinations(range(size - tail, m.n_terms), tail))
    most, values = judged(objective, head, tails)
    assert (most >= values).all()


@pytest.mark.parametrize("softness", [0.0, 0.02])
def test_sums_that_float32_gets_wrong(softness):
    # Two terms that cancel, but for a vote above the margin that float32 does not see.
    large = np.random.default_rng(0).uniform(500, 1000, size=(1, 1, 50))
    small = np.where(np.arange(50) % 2, 0.0, 2e-9 if not softness else 0.02)
    scores = TermScores(np.concatenate([large, small - large], axis=1))
    for high in range(0, 50, 2):
        pair = Pairs([high], [high + 1])
        m = PreferenceMatrices(scores, pair, scale=np.ones(1), margin=1e-10)
        most, values = judged(Objective(m, softness), (0,), [(1,)])
        assert values > 0.5
        assert most >= values


@pytest.mark.parametrize("softness", [0.0, 0.3])
@pytest.mark.parametrize("spoken", [1.0, 0.3])
def test_bounds_are_close(softness, spoken):
    # Pairs that no term of a set speaks for are ties: the screen knows that they are.
    m = make(3, rankers=3, terms=9, documents=40, pairs=300)
    shown = np.random.default_rng(0).random((9, 40)) < spoken
    m = PreferenceMatrices(TermScores(m.scores.values * shown), m.pairs)
    most, values = judged(Objective(m, softness), (0,), list(itertools.combinations(range(1, 9), 2)))
    np.testing.assert_allclose(most, values, atol=1e-4)


@pytest.mark.parametrize("factor", [1e20, 1e60, 1e300])
def test_huge_scores_are_never_screened_away(factor):
    m = make(0, rankers=2, terms=4)
    huge = PreferenceMatrices(TermScores(m.scores.values * factor), m.pairs, scale=np.ones(2))
    most, values = judged(Objective(huge, 0.3, 0.5), (0,), [(1,), (2,), (3,)])
    assert (most >= values).all()
