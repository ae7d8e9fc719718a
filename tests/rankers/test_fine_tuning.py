import numpy as np
import pytest
import torch

import intentx as ix
from intentx.rankers import CrossEncoder
from intentx.rankers.interaction.training import Training, train
from intentx.rankers.interaction.training_data import TrainingList
from intentx.rankers.transformers.fine_tuning import FineTuned
from tests import tiny_models
from tests.later import sentence_transformers

TEXTS = ("a stage piano", "pianos, and a key!", "desk", "a key. a desk.", "stage stage stage")
LISTS = [
    TrainingList("piano key", TEXTS, np.array([3.0, 2, 0, 1, np.nan]), np.full(5, np.nan)),
    TrainingList("desk", TEXTS, np.full(5, np.nan), np.array([1.0, 2, 9, 7, np.nan])),
]
SHORT = Training(steps=2, lists=2, texts=4, check_every=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.cross_encoder(tmp_path_factory.mktemp("models") / "cross")


def test_two_steps_and_the_saved_model_scores_the_same(folder, tmp_path):
    fingerprints = []
    for elsewhere, seed in enumerate((0, 0, 1)):
        torch.manual_seed(elsewhere)
        state = torch.random.get_rng_state()
        ranker = FineTuned(folder)
        before = ranker("piano key", TEXTS)
        logits = CrossEncoder(folder, raw=True)("piano key", TEXTS)
        np.testing.assert_allclose(ranker.score("piano key", TEXTS).detach(), logits, atol=1e-5)
        history = train(ranker, LISTS, (), Training(steps=2, lists=2, texts=4, seed=seed))
        assert history.training.learning_rate == FineTuned.learning_rate
        assert not np.allclose(before, ranker("piano key", TEXTS), atol=1e-7)
        assert torch.equal(state, torch.random.get_rng_state())
        fingerprints.append(CrossEncoder(ranker.module).fingerprint)
    assert fingerprints[0] == fingerprints[1] != fingerprints[2], "dropout follows the seed, too"
    ranker.module.save_pretrained(str(tmp_path / "out"))
    loaded = sentence_transformers.CrossEncoder(str(tmp_path / "out"))
    expected = torch.sigmoid(torch.from_numpy(ranker("piano key", TEXTS)))
    got = loaded.predict([("piano key", text) for text in TEXTS], show_progress_bar=False)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_training_lifts_the_order_of_its_own_list(folder):
    ranker = FineTuned(folder)
    history = train(
        ranker,
        LISTS,
        LISTS,
        Training(steps=25, lists=2, texts=5, learning_rate=0.003, check_every=5, patience=9),
    )
    assert history.losses[-1] < history.losses[0]
    assert history.measure == "nDCG@10"
    assert max(history.quality) > history.quality[0]


def test_a_base_model_gets_a_head_from_the_seed(tmp_path):
    tiny_models.bi_encoder(tmp_path)
    base = tmp_path / "bert"
    one, same, other = (FineTuned(base, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one("desk", TEXTS), same("desk", TEXTS))
    assert not np.allclose(one("desk", TEXTS), other("desk", TEXTS))
    train(one, LISTS, (), SHORT)
    one.module.save_pretrained(str(tmp_path / "out"))
    np.testing.assert_allclose(
        CrossEncoder(tmp_path / "out", raw=True)("desk", TEXTS), one("desk", TEXTS), atol=1e-6
    )


def test_what_cannot_be_fine_tuned(tmp_path):
    with pytest.raises(ix.InputError, match="no model to fine-tune"):
        FineTuned(tmp_path / "none")
    several = tiny_models.cross_encoder(tmp_path / "several", labels=3)
    with pytest.raises(ix.InputError, match="3 labels"):
        FineTuned(sentence_transformers.CrossEncoder(str(several)))
