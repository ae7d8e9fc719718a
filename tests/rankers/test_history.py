"""What `intentx train` says of how a training went."""

import dataclasses

from intentx.rankers.interaction.training import History, Training

HISTORY = History(Training(steps=10), 12, 3, (0.5, 0.25), "nDCG@10", (0.25, 0.5), 10)


def test_loss_of_two_looks_or_more():
    assert str(HISTORY) == (
        "learned from 12 queries, loss 0.500 to 0.250; nDCG@10 of 3 held-out queries 0.250 to 0.500, at "
        "step 10"
    )


def test_one_look_has_one_loss():
    one = dataclasses.replace(HISTORY, losses=(0.5,), measure=None, heldout=0, quality=())
    assert str(one) == "learned from 12 queries, mean loss 0.500; no queries held out"
