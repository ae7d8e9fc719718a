import numpy as np
import pytest
import torch

import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BiEncoder, encoders


@pytest.fixture(scope="module")
def minilm():
    return BiEncoder.minilm()


def test_scores_are_cosines_of_the_vectors(minilm):
    texts = ["A stage piano.", "A mechanical keyboard for typing.", "Soup."]
    query, *vectors = minilm.model.encode(["piano keys", *texts])
    cosines = [v @ query / np.linalg.norm(v) / np.linalg.norm(query) for v in vectors]
    np.testing.assert_allclose(minilm("piano keys", texts), cosines, atol=1e-5)
    assert np.argmax(cosines) == 0


def test_dot_product(minilm):
    scorer = BiEncoder(minilm.model, similarity="dot")
    query, text = minilm.model.encode(["piano", "A stage piano."])
    assert scorer("piano", ["A stage piano."])[0] == pytest.approx(float(query @ text), abs=1e-5)


def test_the_model_is_left_as_it_was(minilm):
    model = minilm.model
    model.train()
    state = torch.random.get_rng_state()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ix.rank(minilm, "piano", ["a piano", "a desk", "a boat"])
    mode = model.training
    model.eval()
    assert mode, "training mode must be found again"
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_real_ranking_is_explained(minilm):
    demo = load_demo("jaguar speed")
    ranking = ix.rank(minilm, demo.query, demo.documents)
    explanation = ix.Multiplex(budget=30).explain(ranking)
    control = ix.RandomTerms().explain(ranking)
    assert explanation.fidelity.all > max(0.8, control.fidelity.all)
    assert 0 < explanation.model_calls <= 10 * 60 + 30
    asked = ranking.scorer.texts_scored
    again = ix.Multiplex(budget=30).explain(ranking)
    assert again.terms == explanation.terms
    assert ranking.scorer.texts_scored == asked, "the second time every score is remembered"


def test_unknown_models_and_settings(tmp_path, minilm):
    with pytest.raises(ix.InputError, match="no sentence-transformers model"):
        BiEncoder(tmp_path / "nothing here")
    with pytest.raises(ix.InputError, match="cosine"):
        BiEncoder(minilm.model, similarity="euclid")


def test_missing_packages_name_their_extra(monkeypatch):
    monkeypatch.setattr(encoders.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[demo\]"):
        BiEncoder.minilm()
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[neural\]"):
        BiEncoder("any")


def test_other_weights_under_the_models_name_are_refused(monkeypatch):
    monkeypatch.setattr(encoders, "MINILM_SHA256", "0" * 64)
    with pytest.raises(ix.InputError, match="other weights"):
        BiEncoder.minilm()
