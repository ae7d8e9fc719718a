import numpy as np
import pytest

import intentx as ix
from intentx.perturbation import EditedDocuments, score_edits
from intentx.preferences import PreferenceMatrices
from intentx.preferences.edited import LEAST_GAP, PARTNERS, with_edited_documents, with_effects
from intentx.preferences.simple_rankers import term_scores
from intentx.random_edits import randomised_edits
from intentx.text import TextIndex
from tests import oracles
from tests.toys import keyboards

TERMS = ("piano", "pedal", "desk", "laptop")
RANKERS = (ix.TextMatching(), ix.PositionAware())


def joined(share, number=30, weight=False):
    """Matrices of 24 documents before and after up to 30 edited ones came to them."""
    texts, scorer = keyboards()
    ranking = ix.rank(scorer, "keyboard", texts)
    index = TextIndex(ranking.texts, ix.Analyzer())
    pairs = ix.preference_pairs(ranking, log_weights=weight)
    before = PreferenceMatrices(term_scores(TERMS, index, RANKERS), pairs)
    edits = randomised_edits(ranking, TERMS, index, number).edits
    scores = score_edits(ranking, edits, "a test")
    after = with_edited_documents(before, ranking, index, RANKERS, edits, scores, share=share)
    return ranking, edits, scores, before, after


@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_pairs_follow_the_rankers_scores_and_carry_their_share(share, weight):
    ranking, edits, scores, before, after = joined(share, weight=weight)
    both = [*ranking.scores, *scores]
    texts = [*ranking.texts, *edits.texts]
    order = sorted(range(len(both)), key=lambda i: (-both[i], i))
    assert after.scores.values.shape == (2, 4, len(both))
    listed, extra = [], []
    for position, (high, low) in enumerate(after.pairs):
        assert both[order[high]] > both[order[low]]
        old = order[high] < 24 and order[low] < 24
        (listed if old else extra).append(position)
        if not old:
            assert both[order[high]] - both[order[low]] > LEAST_GAP * np.std(ranking.scores)
    assert len(listed) == before.n_pairs
    assert 0 < len(extra) <= PARTNERS * len(edits)
    total = after.pairs.weight.sum()
    assert after.pairs.weight[extra].sum() / total == pytest.approx(share)
    expected = before.pairs.weight if weight else np.ones(before.n_pairs)
    np.testing.assert_allclose(after.pairs.weight[listed], expected)
    np.testing.assert_array_equal(after.scale, before.scale)
    for place, document in enumerate(order):  # idf stays that of the ranked documents
        found = after.scores.values[0, :, place]
        slow = [oracles.bm25(term, texts[document], ranking.texts, ix.Analyzer()) for term in TERMS]
        np.testing.assert_allclose(found, slow)


def test_the_ranked_documents_keep_their_votes():
    _, _, _, before, after = joined(0.5)
    votes = after.votes([0, 2])[: before.n_pairs]
    np.testing.assert_allclose(votes, before.votes([0, 2]))


def test_scores_that_hardly_differ_are_no_preference():
    ranking = ix.rank(lambda query, batch: [len(text) for text in batch], "q", ["a piano", "desk"])
    index = TextIndex(ranking.texts, ix.Analyzer())
    before = PreferenceMatrices(term_scores(TERMS, index, RANKERS), ix.Pairs([0], [1]))
    edits = EditedDocuments(("a laptop",), np.array([0]))
    scores = ranking.scores[:1] + 1e-3
    for seed in range(5):
        after = with_edited_documents(
            before, ranking, index, RANKERS, edits, scores, share=0.5, seed=seed
        )
        assert set(after.pairs) == {(1, 2), (0, 2)}  # the edit is first, "desk" last


@pytest.mark.parametrize("weight", [False, True])
def test_effects_are_pairs_of_documents_that_hold_one_term_and_none(weight):
    *_, before, _ = joined(0.5, weight=weight)
    effects = np.array([3.0, 0.0, -2.0, 1.0])
    after = with_effects(before, effects, 0.4)
    assert after.n_pairs == before.n_pairs + 2
    weights = after.pairs.weight
    assert weights[-2:].sum() / weights.sum() == pytest.approx(0.4)
    assert weights[-2] / weights[-1] == pytest.approx(3)  # in proportion to the effects
    for chosen, covered in {(0,): [1, 0], (3,): [0, 1], (1, 2): [0, 0], (0, 3): [1, 1]}.items():
        assert after.covered(chosen)[-2:].tolist() == covered
        np.testing.assert_array_equal(after.covered(chosen)[:-2], before.covered(chosen))
