"""What ``intentx rankers`` says of a kind is what its rankers can do."""

import json

import numpy as np
import pytest
import sentence_transformers
from transformers import BertConfig, BertForMaskedLM

import intentx as ix
from intentx.capabilities import Capabilities
from intentx.cli import main
from intentx.rankers import BM25, RM3, BiEncoder, CrossEncoder, LanguageModel, RankerSpec
from intentx.rankers.abilities import ABILITIES, kind_reports
from intentx.rankers.kinds import KINDS
from intentx.rankers.transformers.late_tuning import FineTunedTokens
from tests.language_models import causal_lm, seq2seq
from tests.tiny_models import SIZES, bi_encoder, cross_encoder, save, seeded, word_pieces

TEXTS = ["a piano on the stage", "the key of a desk", "pianos, keys and desks"]


@pytest.fixture(scope="module")
def rankers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model = seeded(lambda: BertForMaskedLM(BertConfig(**SIZES, max_position_embeddings=24)), 4.0)
    save(model, word_pieces(folder / "sparse", 24), folder / "sparse")
    _, base = bi_encoder(folder / "base")
    FineTunedTokens(base, size=5, device="cpu").module.save_pretrained(str(folder / "late"))
    causal_lm(folder / "causal")
    seq2seq(folder / "t5")
    cross_encoder(folder / "cross")
    places = {"sparse": "sparse", "late-interaction": "late", "causal-lm": "causal", "seq2seq": "t5"}
    new = {kind: RankerSpec.parse(f"{kind}:{folder / place}").load() for kind, place in places.items()}
    return new | {
        "bm25": BM25(TEXTS), "lm": LanguageModel(TEXTS), "rm3": RM3(TEXTS),
        "bi-encoder": BiEncoder(base), "cross-encoder": CrossEncoder(folder / "cross"),
    }  # fmt: skip


def test_kinds_can_what_is_said(rankers):
    said = {one.name: set(one.can) for one in kind_reports()}
    for kind, ranker in rankers.items():
        can = Capabilities.of(ranker)
        found = {"scores"}
        found |= {"gradients"} if can.differentiable else set()
        found |= {"term weights"} if can.term_weights("piano") is not None else set()
        found |= {"token vectors"} if hasattr(ranker, "document_vectors") else set()
        found |= {"token matches"} if hasattr(ranker, "token_matches") else set()
        assert said[kind] == found, kind


def test_every_kind_is_listed(capsys):
    assert main(["rankers", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["rankers"]
    assert {one["name"] for one in told} >= set(KINDS)
    assert all(one["installed"] for one in told if not one["extra"])
    assert {ability for one in told for ability in one["can"]} <= set(ABILITIES)
    for one in told:
        if one["name"] not in ("run", "module"):
            assert RankerSpec.parse(one["example"]).kind == one["name"]
    assert main(["rankers"]) == 0
    assert "late-interaction" in capsys.readouterr().out


def test_what_is_missing_is_named(monkeypatch, capsys):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a)
    )
    missing = {one.name for one in kind_reports() if not one.installed}
    assert {"sparse", "bi-encoder", "knrm"} <= missing
    assert "bm25" not in missing
    assert main(["rankers"]) == 0
    assert "intentx[neural]" in "".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("kind", ["sparse", "late-interaction"])
def test_explained_by_every_method_that_applies(kind, rankers):
    ranking = ix.rank(rankers[kind], "stage piano", TEXTS)
    for method in (
        ix.KernelSHAP(samples=8), ix.EXS(samples=8), ix.GradientInput(),
        ix.IntegratedGradients(steps=64), ix.DeepLIFT(),
    ):  # fmt: skip
        found = method.explain(ranking, 0)
        assert found.terms
        assert np.isfinite(found.weights).all()


@pytest.mark.parametrize("kind", ["sparse", "late-interaction", "causal-lm", "seq2seq"])
def test_explained_as_a_whole(kind, rankers):
    found = ix.Multiplex().explain(ix.rank(rankers[kind], "stage piano", TEXTS))
    assert found.to_dict()["terms"]


def test_objects_of_other_kinds_are_refused(rankers):
    sparse = rankers["sparse"].model
    assert isinstance(sparse, sentence_transformers.SparseEncoder)
    with pytest.raises(ix.InputError, match="load it as sparse:PATH"):
        ix.rankers.LateInteractionRanker(sparse)
