"""Changes of rankers over features, of folders, and of fingerprints of the users own."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

import intentx as ix
from intentx import BlackBox
from intentx.rankers import FeatureRanker, TextFeatures
from intentx.rankers.interaction.drmm import DRMM, DRMMSettings
from intentx.rankers.watch import weights_mark
from intentx.study import rankings
from tests.rankers import interaction_toys as toys
from tests.rankers.five_texts import QUERY, TEXTS


def test_models_over_features():
    features = TextFeatures(TEXTS, names=["coverage", "length"])
    X = features(QUERY, TEXTS)
    ranker = FeatureRanker(features, LinearRegression().fit(X, [3, 0, 2, 0, 1]))
    box = BlackBox(ranker)
    before, names = box(QUERY, TEXTS), {ranker.fingerprint}
    for change in (
        lambda: ranker.model.fit(X, [0, 1, 5, 0, 1]),
        lambda: ranker.model.coef_.__setitem__(1, 7.0),
        lambda: setattr(ranker, "model", LinearRegression().fit(X, [1, 1, 5, 2, 2])),
        lambda: setattr(ranker, "features", TextFeatures([*TEXTS, "piano"], names=features.names)),
    ):
        change()
        names.add(ranker.fingerprint)
        after = ranker(QUERY, TEXTS)
        assert np.array_equal(box(QUERY, TEXTS), after)
    assert len(names) == 5
    assert np.abs(after - before).max() > 0.1


def test_a_folder_that_was_trained_anew_is_loaded_anew(tmp_path):
    spec = f"drmm:{tmp_path / 'drmm'}"
    DRMM(toys.lexicon(), DRMMSettings(seed=1)).save(tmp_path / "drmm")
    one = rankings.mark_of(spec)
    assert rankings.mark_of(spec) == one
    DRMM(toys.lexicon(), DRMMSettings(seed=2, bins=9)).save(tmp_path / "drmm")
    assert rankings.mark_of(spec) != one


def test_a_fingerprint_of_the_users_own_is_read_at_each_call():
    class Ranker:
        weight = 1.0

        @property
        def fingerprint(self):
            return f"mine, {self.weight}"

        def __call__(self, query, texts):
            return [self.weight * len(text) for text in texts]

    ranker = Ranker()
    box = BlackBox(ranker)
    before = box(QUERY, TEXTS)
    ranker.weight = -1.0
    assert np.array_equal(box(QUERY, TEXTS), -before)


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16", "int64", "bool", "uint8"])
@pytest.mark.parametrize("shape", [(), (3,), (7, 5), (1021, 13)])
def test_each_number_of_each_tensor_is_looked_at(kind, shape):
    module = torch.nn.Module()
    module.register_buffer("table", torch.zeros(shape, dtype=getattr(torch, kind)))
    flat = module.table.data.reshape(-1)
    before = weights_mark([module], thorough=True)
    assert before == weights_mark([module], thorough=True)
    for place in {0, len(flat) // 2, len(flat) - 1}:
        flat[place] = 1
        assert weights_mark([module], thorough=True) != before
        flat[place] = 0
    assert weights_mark([module], thorough=True) == before


class Marked:
    """A ranker that counts how often it is looked at, and whose weight may change."""

    weight, looks = 1.0, 0

    def state_mark(self, thorough=False):
        self.looks += 1
        return self.weight

    def __call__(self, query, texts):
        return [self.weight * text.count("piano") + 0.01 * len(text) for text in texts]


@pytest.mark.parametrize(
    "asked",
    [
        lambda ranking: ix.KernelSHAP(samples=200).explain(ranking, 0),
        lambda ranking: ix.Counterfactual(goal="leave", k=1, budget=200).explain(ranking, 0),
        lambda ranking: ix.effects(ranking, budget=400),
        lambda ranking: ix.missing(ranking.scorer.scorer, QUERY, "4", ranking.texts, k=1),
    ],
)
def test_a_stage_is_looked_at_once_for_many_lists(asked):
    """Each version of a document is a list of its own, and a look takes as long as a text or two."""
    ranker = Marked()
    ranking = ix.rank(
        ix.Pipeline(lambda query, texts: [len(text) for text in texts], ranker, k=4), QUERY, TEXTS
    )
    ranker.looks = 0
    asked(ranking)
    assert ranker.looks < 10
    ranker.weight = -1.0  # and what changes between two questions is noticed
    scores = ix.rank(ranking.scorer, QUERY, TEXTS).scores
    assert not np.array_equal(scores, ranking.scores)
