"""DeepLIFT and its kin on every architecture that sentence-transformers loads, from random weights."""

import numpy as np
import pytest
import torch

import intentx as ix
from benchmarks.zoo import ARCHITECTURES, bi_encoder, cross_encoder
from intentx.explainers.inside.gradients import DeepLIFT, IntegratedGradients
from intentx.rankers import DPR, BiEncoder, CrossEncoder
from tests.explainers.inside.gradient_toys import change, total
from tests.later import Later

modules = Later("sentence_transformers.sentence_transformer.modules")

TEXTS = ["A stage piano, keys and a sound.", "desk light: desk stool!", "the cable of a piano"]
AS = [(name, kind) for name, one in ARCHITECTURES.items() for kind in ("bi", "cross")[: 1 + one.cross]]
BREAKING = {"DeBERTa-v3", "ModernBERT", "T5 encoder", "Qwen3", "Llama"}


def ranker(name, kind, folder):
    architecture = ARCHITECTURES[name]
    if kind == "bi":
        return BiEncoder(bi_encoder(architecture, folder))
    return CrossEncoder(cross_encoder(architecture, folder), raw=True)


@pytest.mark.parametrize(("name", "kind"), AS)
def test_deeplift_is_complete(name, kind, tmp_path):
    ranking = ix.rank(ranker(name, kind, tmp_path), "piano key", TEXTS)
    assert np.ptp(ranking.scores) > 1e-4
    found = DeepLIFT().explain(ranking, 0)
    assert found.metrics["score"] == pytest.approx(ranking.scores[0], abs=1e-5)
    assert found.metrics["relative_gap"] <= 1e-4
    assert total(found) == pytest.approx(change(found), abs=5e-6)
    assert not found.cautions
    assert not [note for note in found.notes if "rule" in note]
    breaks = name in BREAKING or "Gemma" in name
    assert found.settings["reference_used"] == ("mean" if breaks else "oov")
    assert bool([note for note in found.notes if "mean vector" in note]) == breaks
    assert max(map(abs, found.weights)) < 30 * max(abs(change(found)), abs(found.metrics["score"]))
    if kind == "bi" and name in ("DeBERTa-v3", "ModernBERT", "Qwen3", "Gemma 3"):
        assert IntegratedGradients().explain(ranking, 0).metrics["relative_gap"] < 0.01


@pytest.mark.parametrize("name", ["Qwen3", "Gemma 3"])
def test_zeros_are_refused_where_a_decoder_breaks_at_them(name, tmp_path):
    ranking = ix.rank(ranker(name, "bi", tmp_path), "piano key", TEXTS)
    with pytest.raises(ix.InputError, match=r"too much for a usable explanation.*reference='mean'"):
        IntegratedGradients(reference="oov").explain(ranking, 0)
    if name == "Gemma 3":
        with pytest.raises(ix.InputError, match=r"(usable explanation|overflow).*reference='mean'"):
            DeepLIFT(reference="oov").explain(ranking, 0)


def test_one_choice_holds_for_a_ranking(tmp_path):
    """And asking costs two versions once, not for every document."""
    ranking = ix.rank(ranker("Qwen3", "cross", tmp_path), "piano key", TEXTS)
    found = [DeepLIFT().explain(ranking, place) for place in range(3)]
    assert {one.settings["reference_used"] for one in found} == {"mean"}
    assert [one.model_calls for one in found] == [4, 2, 2]
    assert DeepLIFT().explain(ranking, 1).weights == found[1].weights


@pytest.mark.parametrize(
    ("name", "pooling"),
    [*(("BERT", p) for p in ("cls", "lasttoken", "max", "weightedmean")), ("Qwen3", "mean")],
)
def test_every_pooling_and_what_comes_behind_it(name, pooling, tmp_path):
    dense = modules.Dense(32, 24)
    model = bi_encoder(ARCHITECTURES[name], tmp_path, dense, modules.Normalize(), pooling=pooling)
    model.prompts = {"query": "stage: ", "document": "key: "}
    ranking = ix.rank(BiEncoder(model), "piano key", TEXTS)
    for place in range(2):
        found = DeepLIFT().explain(ranking, place)
        assert found.metrics["score"] == pytest.approx(ranking.scores[place], abs=1e-5)
        assert abs(found.metrics["gap"]) < 2e-6
        assert not [note for note in found.notes if "rule" in note]


def test_two_towers_of_decoders(tmp_path):
    towers = (bi_encoder(ARCHITECTURES[n], tmp_path / n) for n in ("Llama", "Qwen3"))
    ranking = ix.rank(DPR(*towers), "piano key", TEXTS)
    found = DeepLIFT().explain(ranking, 0)
    assert found.settings["reference_used"] == "mean"
    assert found.metrics["relative_gap"] < 1e-4


def test_half_precision_is_said(tmp_path):
    """The scores are a few thousandths apart, and bfloat16 has three digits."""
    scorer = ranker("BERT", "cross", tmp_path)
    scorer.module.to(torch.bfloat16)
    ranking = ix.rank(scorer, "piano key", TEXTS)
    said = []
    for place in range(3):
        try:
            said += DeepLIFT(reference="collection").explain(ranking, place).cautions
        except ix.InputError as error:
            said.append(str(error))
    assert said
    assert all("rounding errors of bfloat16: load the model in float32" in one for one in said)
