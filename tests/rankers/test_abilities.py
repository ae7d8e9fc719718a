"""What ``intentx rankers`` says of a kind is what its rankers can do."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import intentx as ix
from intentx.capabilities import Capabilities
from intentx.cli import main
from intentx.rankers import (
    BM25,
    DPR,
    DRMM,
    KNRM,
    RM3,
    BiEncoder,
    CrossEncoder,
    FeatureRanker,
    HTTPReranker,
    LanguageModel,
    LLMRanker,
    MatchPyramid,
    MatchPyramidSettings,
    RankerSpec,
    TextFeatures,
)
from intentx.rankers.abilities import ABILITIES, kind_reports
from intentx.rankers.kinds import KINDS
from intentx.rankers.transformers.late_tuning import FineTunedTokens
from intentx.serve.loaded import can_of
from intentx.serve.rankers import ServedRanker
from intentx.serve.structs import Can
from tests.language_models import causal_lm, seq2seq
from tests.later import sentence_transformers, transformers
from tests.rankers.interaction_toys import lexicon
from tests.tiny_models import SIZES, bi_encoder, cross_encoder, dpr, save, seeded, word_pieces

TEXTS = ["a piano on the stage", "the key of a desk", "pianos, keys and desks"]


@pytest.fixture(scope="module")
def rankers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model = seeded(
        lambda: transformers.BertForMaskedLM(
            transformers.BertConfig(**SIZES, max_position_embeddings=24)
        ),
        4.0,
    )
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
        "dpr": DPR(dpr(folder / "query", "query"), dpr(folder / "document", "document")),
    }  # fmt: skip


def others():
    """Rankers that are no transformers, by kind; none is asked for a score."""
    features = TextFeatures(TEXTS)
    linear = LinearRegression().fit(features("piano", TEXTS), [2.0, 1.0, 0.0])
    url = "http://127.0.0.1:9/v1"
    return {
        "drmm": DRMM(lexicon()), "knrm": KNRM(lexicon()),
        "matchpyramid": MatchPyramid(lexicon(), MatchPyramidSettings(filters=(4,))),
        "ltr": FeatureRanker(features, linear),
        "http": HTTPReranker(url), "llm": LLMRanker(url, model="any", mode="pairwise"),
        "pairwise": ix.PairwiseRanker(lambda query, a, b: 0.5),
        "pipeline": ix.Pipeline(BM25(TEXTS), LanguageModel(TEXTS)),
    }  # fmt: skip


def test_kinds_can_what_is_said(rankers):
    said = {one.name: set(one.can) for one in kind_reports()}
    every = rankers | others()
    assert {*every, "run", "module", "lightgbm", "xgboost", "onnx"} == {*KINDS}
    for kind, ranker in every.items():
        can = Capabilities.of(ranker)
        pairs = can.at_side is not None or bool(can.interacting and can.differentiable)
        found = {
            "gradients": can.differentiable, "Grad-CAM": can.feature_mapped,
            "features": isinstance(ranker, FeatureRanker),
            "term weights": can.term_weights("piano") is not None,
            "token vectors": hasattr(ranker, "document_vectors"),
            "token matches": can.token_matches, "token pairs": pairs,
            "attention": can.attentions, "pairs": can.preference, "stages": can.stages,
            "few calls": can.cost,
        }  # fmt: skip
        assert said[kind] == {"scores"} | {name for name, able in found.items() if able}, kind
    assert Capabilities.of(LLMRanker("http://127.0.0.1:9", model="any")).preference is None


def test_token_pairs_and_attention_where_it_is_said(rankers):
    said = {one.name: one.can for one in kind_reports()}
    for kind, ranker in rankers.items():
        ranking = ix.rank(ranker, "stage piano", TEXTS)
        shown = {"token pairs", "token matches"} & set(said[kind])
        for method, able in ((ix.TokenPairs(), shown), (ix.Attention(), "attention" in said[kind])):
            if able:
                assert np.isfinite(method.explain(ranking, 0).weights).all(), kind
            else:
                with pytest.raises(ix.InputError, match="KernelSHAP"):
                    method.explain(ranking, 0)


def test_the_search_page_says_the_same_before_it_loads_a_ranker(rankers):
    examples = {one.name: one.example for one in kind_reports()}
    for kind, ranker in {**rankers, **others()}.items():
        served = ServedRanker("one", RankerSpec.parse(examples[kind]))
        assert served.can == Can(**can_of(ranker)), kind


def test_every_kind_is_listed(capsys):
    assert main(["rankers", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["rankers"]
    assert {one["name"] for one in told} >= set(KINDS)
    assert all(one["installed"] for one in told if not one["extra"])
    assert {ability for one in told for ability in one["can"]} <= set(ABILITIES)
    for one in told:
        if one["name"] not in ("run", "module"):
            assert RankerSpec.parse(one["example"]).kind == one["name"]


def test_a_newcomer_can_paste_the_examples(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["rankers"]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    for one in kind_reports():
        assert f"    --ranker '{one.example}'" in lines, "in one line, quoted"
        assert any(line.startswith(f"{one.name}: {one.help}") for line in lines)
        assert (f"    intentx train {one.name} makes one" in lines) == one.trained
    assert "not installed" not in told
    assert "explained by its order alone" in told


def test_what_is_missing_is_named(monkeypatch, capsys):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a)
    )
    missing = {one.name for one in kind_reports() if not one.installed}
    assert main(["rankers"]) == 0
    told = capsys.readouterr().out
    assert told.count("; not installed: pip install 'intentx[neural]'") >= 5
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
