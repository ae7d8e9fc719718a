import numpy as np
import pytest
import torch

import intentx as ix
from intentx.datasets import load_demo
from intentx.evaluation.sanity import randomised, sanity
from intentx.explainers.shap import KernelSHAP
from intentx.rankers import DRMM, KNRM, BiEncoder, CrossEncoder, MatchPyramid
from tests import tiny_models
from tests.rankers.interaction_toys import lexicon
from tests.toys import keyboards

DOCS = ["a stage piano", "desk keys: pia", "keys and desk", "x"]


def rankers(folder):
    model, _ = tiny_models.bi_encoder(folder / "bi")
    yield BiEncoder(model)
    yield CrossEncoder(tiny_models.cross_encoder(folder / "cross"))
    for kind in (DRMM, KNRM, MatchPyramid):
        yield kind(lexicon())


def test_a_randomised_ranker_is_another_one_and_the_ranker_stays(tmp_path):
    for ranker in rankers(tmp_path):
        before, mark = ranker("piano keys", DOCS), ranker.fingerprint
        state = torch.random.get_rng_state()
        other = randomised(ranker, seed=1)
        assert torch.equal(torch.random.get_rng_state(), state)
        scores = other("piano keys", DOCS)
        assert not np.allclose(scores, before), type(ranker).__name__
        assert other.fingerprint != mark
        np.testing.assert_array_equal(randomised(ranker, seed=1)("piano keys", DOCS), scores)
        assert not np.allclose(randomised(ranker, seed=2)("piano keys", DOCS), scores)
        np.testing.assert_array_equal(ranker("piano keys", DOCS), before)
        assert sorted(p.sum().item() for p in other.module.parameters()) == pytest.approx(
            sorted(p.sum().item() for p in ranker.module.parameters()), rel=1e-4, abs=1e-4
        )


def test_nothing_to_randomise():
    for scorer in (keyboards()[1], lambda query, texts: texts, max):
        with pytest.raises(ix.InputError, match=r"no torch module .* sanity\(…, other=scorer\)"):
            randomised(scorer)


def test_explanations_of_a_ranker_and_of_none():
    texts, scorer = keyboards(number=12)
    ranking = ix.rank(scorer, "keyboard reviews", texts)
    method = KernelSHAP(samples=200)
    same = sanity(method, ranking, 2, other=scorer)
    assert same.kendall == pytest.approx(1)
    other = sanity(method, ranking, 2, other=lambda query, texts: [hash_of(text) for text in texts])
    assert other.kendall < 0.7
    assert sanity(ix.QueryTerms(), ranking, other=lambda q, t: [-len(x) for x in t]).jaccard == 1


def hash_of(text):
    return sum(ord(letter) * (place % 7 - 3) for place, letter in enumerate(text)) % 101


@pytest.mark.slow
def test_on_a_bi_encoder():
    demo = load_demo("jaguar speed")
    ranking = ix.rank(BiEncoder.minilm(), demo.query, demo.documents[:6])
    assert sanity(KernelSHAP(samples=200), ranking, 0).kendall < 0.4
