"""Votes that are exactly as large as the margin, and majorities of exactly half."""

import numpy as np
import pytest

from intentx.evaluation.fidelity import all_pairs_row, judge
from intentx.preferences import Pairs, PreferenceMatrices, TermScores
from tests.toys import ranked

# tanh(50) is 1.0 in floats: each simple ranker's strength is a whole number, and so is the vote.
# Pairs in their order: (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3).
VALUES = 50.0 * np.array([[[3, 2, 2, 3]], [[3, 3, 1, 2]]])
FIRST = [1, 1, 0, 0, -1, -1]
SECOND = [0, 1, 1, 1, 1, -1]
VOTES = np.add(FIRST, SECOND)  # 1, 2, 1, 1, 0, -2


def judged(margin, values=VALUES, fitted=None):
    ranking = ranked(["a", "b", "c", "d"])
    names = [f"ranker {number + 1}" for number in range(len(values))]
    pairs = Pairs([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3])
    matrices = PreferenceMatrices(
        TermScores(values, rankers=tuple(names)), pairs, scale=1.0, margin=margin
    )
    found = judge(ranking, matrices, fitted, gap=2)
    assert all_pairs_row("all", ranking, matrices).vote == found.all
    return found


def test_a_vote_as_large_as_the_margin_is_a_tie_on_either_side():
    row = judged(1.0).rows[0]
    assert (row.vote, row.ties) == (1 / 6, 4)  # 2 is above it, -2 below, and 1, 1, 1 and 0 are ties
    row = judged(2.0).rows[0]
    assert (row.vote, row.ties) == (0.0, 6)
    row = judged(np.nextafter(1.0, 0)).rows[0]
    assert (row.vote, row.ties) == (4 / 6, 1)
    row = judged(0.0).rows[0]
    assert (row.vote, row.ties) == (4 / 6, 1)  # a vote of nothing is a tie even without a margin


def test_a_simple_ranker_at_the_margin_does_not_agree():
    names = ["ranker 1", "ranker 2"]
    assert judged(1.0).rows[0].by_ranker == dict.fromkeys(names, 0.0)
    assert judged(0.5).rows[0].by_ranker == dict(zip(names, [2 / 6, 4 / 6], strict=True))
    assert judged(0.0).rows[0].by_ranker == dict(zip(names, [2 / 6, 4 / 6], strict=True))


def test_half_of_the_simple_rankers_are_no_majority():
    assert judged(0.5).rows[0].majority == 1 / 6  # of two, both: (0, 2) only
    three = np.concatenate([VALUES, VALUES[1:]])
    assert judged(0.5, three).rows[0].majority == 4 / 6  # of three, two
    four = np.concatenate([VALUES, VALUES])
    assert judged(0.5, four).rows[0].majority == 1 / 6  # of four, three
    assert judged(0.5, VALUES[:1]).rows[0].majority == 2 / 6


def test_pairs_at_the_gap_are_far_and_rows_hold_the_pairs_they_are_named_for():
    found = judged(1.0, fitted=Pairs([0, 1], [2, 3]))
    rows = {row.name: (row.pairs, row.vote, row.ties) for row in found.rows}
    assert rows["all"] == (6, 1 / 6, 4)
    assert rows["far"] == (3, 1 / 3, 2)  # (0, 2), (0, 3), (1, 3)
    assert rows["fitted"] == (2, 1 / 2, 1)  # (0, 2), (1, 3)
    assert rows["heldout"] == (4, 0.0, 3)
    assert found.ranker_ties == 0


def test_the_order_of_documents_has_ties_where_votes_are_at_the_margin():
    """At 1.0 only document 2 loses to any, twice: the ranker has it third, and ties go to the worst.

    Copeland scores are 1, 0, -2, 1: document 0 beats 2, 3 beats 2.
    """
    found = judged(1.0)
    concordant, discordant = 3, 2  # of the pairs that are no tie in either order
    tied = 1
    expected = (concordant - discordant) / np.sqrt(6 * (6 - tied))
    assert found.tau == pytest.approx(expected)
    # The worst order by these scores is 3, 0, 1, 2: of its first k documents, 0, 1, 2, 4 are in place.
    agreement = np.array([0, 1 / 2, 2 / 3, 1])
    rbo = 0.9**4 + 0.1 / 0.9 * (agreement * 0.9 ** np.arange(1, 5)).sum()
    assert found.rbo == pytest.approx(rbo)
